"""``python -m landbridge``: the same as the command ``landbridge``."""

from landbridge.show.cli import main

if __name__ == "__main__":
    main()
