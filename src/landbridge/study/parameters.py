"""Parameters as a manifest tells them: whoever reads a folder later sees what was reckoned with, whatever comes."""

from __future__ import annotations

from typing import Any

from landbridge.data.provenance import USER, read_origins
from landbridge.data.tables import Tables

__all__ = ["parameters_told"]


def parameters_told(tables: Tables) -> list[dict[str, Any]]:
    """Return each parameter with its value, range, unit, meaning, and how it is known.

    Parameters
    ----------
    tables
        The atlas, perhaps with a user's own values, whose kind is then ``user``.
    """
    if "parameters" not in tables:
        return []
    package, overlay = tables.package, tables.overlay
    origins = read_origins(package.folder, "parameters")[0] if package else None
    own = {v.row for v in overlay.values.values() if v.table == "parameters"} if overlay else set()
    found = []
    for row in tables["parameters"].to_dicts():
        origin = origins.of(row["id"], "value") if origins else None
        mine = row["id"] in own
        found.append(
            {
                "id": row["id"],
                **{key: row.get(key) for key in ("value", "low", "high", "unit", "meaning")},
                "kind": USER if mine else origin.kind if origin else None,
                "sources": [] if mine or origin is None else list(origin.sources),
                "reasoning": "" if mine or origin is None else origin.reasoning,
            }
        )
    return found
