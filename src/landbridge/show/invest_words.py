"""What is said of programmes in words, alike on every screen: what is stable alone, what budgets do not allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["coordination"]

# Sets that the budgets do not allow are listed up to here, then counted.
FEW = 6


def coordination(told: Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """Tell what each would do alone and what all together, within which bounds.

    Parameters
    ----------
    told
        The ``coordination`` of a programme, with its ``players``.
    names
        Names of projects by id; by default the ids.

    Returns
    -------
    str
        Sentences.
    """

    def projects(ids: Sequence[str]) -> str:
        return ", ".join(id_ if names is None else names.get(id_, id_) for id_ in ids) or "nothing"

    if told["equilibria"]:
        parts = ["Stable alone: " + "; ".join(map(projects, told["equilibria"]))]
    else:
        parts = ["No pure equilibrium; best responses go round: " + " > ".join(map(projects, told["cycle"]))]
    parts.append(f"Together: {projects(told['joint'])}")
    parts.append("A project is built where all who pay for it join")
    note = told["note"]
    parts.append(f"{note[0].upper()}{note[1:]}")
    shut = told.get("not_allowed", [])
    if shut:
        listed = "; ".join(map(projects, shut[:FEW])) if len(shut) <= FEW else f"{len(shut)} sets of projects"
        parts.append(f"Not allowed by budgets, orders and years, and so open to nobody: {listed}")
    return ". ".join(parts) + "."
