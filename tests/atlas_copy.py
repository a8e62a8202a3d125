"""A copy of the atlas whose files can be spoilt and mended."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Copy:
    """A copy of the atlas whose files can be spoilt and mended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sound: dict[str, bytes] = {}

    def path(self, name: str) -> Path:
        """A file that is about to be spoilt; what it held is kept."""
        path = self.folder / name
        self._sound.setdefault(name, path.read_bytes())
        return path

    def mend(self) -> None:
        """Put back what was spoilt."""
        for name, content in self._sound.items():
            (self.folder / name).write_bytes(content)
        self._sound.clear()

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.path(name).unlink()

    def write(self, name: str, content: bytes) -> None:
        """Put other content into a file."""
        self.path(name).write_bytes(content)

    def edit(self, name: str, change: Callable[[list[dict[str, str]]], object]) -> None:
        """Change the rows of a CSV file in place."""
        path = self.path(name)
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows, header = list(reader), list(reader.fieldnames or ())
        change(rows)
        text = io.StringIO()
        header = [column for column in header if any(column in row for row in rows)]
        writer = csv.DictWriter(text, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8")

    def put(self, name: str, row: str, **cells: str) -> None:
        """Write cells of the one row whose first column says so."""

        def change(rows: list[dict[str, str]]) -> None:
            (found,) = [r for r in rows if next(iter(r.values())) == row]
            assert all(found[column] != cell for column, cell in cells.items())
            found.update(cells)

        self.edit(name, change)

    def origin(self, table: str, row: str, column: str, **cells: str) -> None:
        """Write cells of one row of provenance."""

        def change(rows: list[dict[str, str]]) -> None:
            (found,) = [r for r in rows if (r["row"], r["column"]) == (row, column)]
            assert any(found[name] != cell for name, cell in cells.items())
            found.update(cells)

        self.edit(f"provenance/{table}.csv", change)

    def features(self, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Change the lines of the links."""
        path = self.path("links.geojson")
        collection = json.loads(path.read_text(encoding="utf-8"))
        change(collection["features"])
        path.write_text(json.dumps(collection), encoding="utf-8")
