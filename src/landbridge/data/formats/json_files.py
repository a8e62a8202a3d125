"""Read JSON files that people write: what cannot be read is told, and no key may stand twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault

__all__ = ["read_json"]


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Any
        What it holds.

    Raises
    ------
    DataError
        If it cannot be read, is no JSON, or has a key twice in an object.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # the second would silently win
        twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
        if twice:
            raise DataError(str(path), [Fault(path.name, "", key, "each key once", "it stands twice") for key in twice])
        return dict(pairs)

    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)
    except OSError as error:
        wanted = Fault(path.name, "", "", "a file that can be read", error.strerror or str(error))
        raise DataError(str(path), [wanted]) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(str(path), [Fault(path.name, "", "", "a JSON file", str(error))]) from error
