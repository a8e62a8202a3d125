"""Pin every dependency for every system, in constraints.txt and in pyproject.toml, without naming a registry.

    python3 tools/pins.py              keep today's pins where they still fit
    python3 tools/pins.py --upgrade    take the newest of everything

It needs uv on the PATH. pip reads constraints.txt; uv reads the same list in ``[tool.uv] constraint-dependencies``
(a lock file would name a registry in every line). A test holds the two lists together.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
PYPROJECT = ROOT / "pyproject.toml"
HEADER = """\
# Exact versions of everything that Landbridge and its tests install, for every system and Python.
# Written by tools/pins.py (uv pip compile --universal --all-extras); the same list stands in pyproject.toml for uv.
"""


def resolve(*, upgrade: bool) -> list[str]:
    """Ask uv for one version of each package that suits all others."""
    # Without --no-config uv would hold on to the pins that stand in pyproject.toml.
    options = ["--universal", "--all-extras", "--no-config", "--no-header", "--no-annotate", "--quiet"]
    old = [] if upgrade else ["--constraint", str(CONSTRAINTS)]
    done = subprocess.run(
        ["uv", "pip", "compile", *options, *old, str(PYPROJECT)], text=True, capture_output=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return [line for line in done.stdout.splitlines() if line and not line.startswith("#")]


def main() -> None:
    """Write both lists."""
    pins = resolve(upgrade="--upgrade" in sys.argv[1:])
    CONSTRAINTS.write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")
    rows = "".join(f'    "{pin}",\n' for pin in pins)
    old = re.compile(r"constraint-dependencies = \[.*?\n\]\n", re.DOTALL)
    new = f"constraint-dependencies = [\n{rows}]\n"
    text, count = old.subn(lambda _: new, PYPROJECT.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit("pyproject.toml holds no single constraint-dependencies list to replace")
    PYPROJECT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
