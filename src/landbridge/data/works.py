"""Checks of what is said about works: openings that were announced, and who pays for a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from landbridge.data.geography import LAST_YEAR
from landbridge.errors import Fault

__all__ = ["work_faults"]

#: Shares are published in whole or half per cent, so that three of them may add to a little more than all.
SHARE_SLACK_PCT = 0.5


def work_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return announced openings and payments that contradict themselves.

    Parameters
    ----------
    frames
        Tables by name; checks whose columns are missing are left out.
    """
    return [*_slips(frames), *_shares(frames), *_terms(frames)]


def _there(frames: Mapping[str, pl.DataFrame], table: str, columns: str) -> bool:
    return table in frames and set(columns.split()) <= set(frames[table].columns)


def _slips(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """What has opened has a year, in the past; what has not opened has none there; nobody announces the past."""
    if not _there(frames, "slips", "id said opening_said opening reached"):
        return
    for row in frames["slips"].to_dicts():
        said, meant, opening, reached = (row[c] for c in ("said", "opening_said", "opening", "reached"))
        if None not in (said, meant) and meant < said:
            yield Fault("slips.csv", row["id"], "opening_said", f"a year not before it was said, {said}", str(meant))
        if reached and opening is None:
            yield Fault("slips.csv", row["id"], "opening", "the year in which it opened", "nothing")
        if opening is None:
            continue
        if reached and opening > LAST_YEAR:
            wanted = f"a year not after {LAST_YEAR}, or reached of no"
            yield Fault("slips.csv", row["id"], "opening", wanted, str(opening))
        if reached is False and opening < LAST_YEAR:
            wanted = f"a year not before {LAST_YEAR}, or reached of yes"
            yield Fault("slips.csv", row["id"], "opening", wanted, str(opening))
        if said is not None and opening < said:
            yield Fault("slips.csv", row["id"], "opening", f"a year not before {said}, when it was said", str(opening))


def _shares(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Nobody owns more than all of a project's company."""
    if not _there(frames, "financing", "project share_pct"):
        return
    sums = frames["financing"].group_by("project", maintain_order=True).agg(pl.col("share_pct").sum())
    for project, total in sums.drop_nulls().rows():
        if total > 100 + SHARE_SLACK_PCT:
            yield Fault("financing.csv", project, "share_pct", "shares that add to at most 100 %", f"{total:g} %")


def _terms(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Shares are of owners, interest and years of lenders; a loan is not free for longer than it runs."""
    if not _there(frames, "financing", "id kind share_pct interest_pct years grace_years"):
        return
    for row in frames["financing"].to_dicts():
        if row["share_pct"] is not None and row["kind"] != "equity":
            yield Fault("financing.csv", row["id"], "share_pct", "nothing but on equity", f"{row['share_pct']:g} %")
        for column in ("interest_pct", "years", "grace_years"):
            if row[column] is not None and row["kind"] != "loan":
                yield Fault("financing.csv", row["id"], column, "nothing but on a loan", f"{row[column]:g}")
        if None not in (row["years"], row["grace_years"]) and row["grace_years"] >= row["years"]:
            wanted = f"fewer than the {row['years']:g} years of the loan"
            yield Fault("financing.csv", row["id"], "grace_years", wanted, f"{row['grace_years']:g}")
