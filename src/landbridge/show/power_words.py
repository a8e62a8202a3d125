"""What is said of a corridor game in words, the same on every screen: who is passed by, and blocs with one voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["NEEDED", "WITHOUT", "exclusions", "one_voice"]

#: Exclusion from which a project is said to work without a player, and up to which to need it.
WITHOUT, NEEDED = 0.9, 0.1
MILLION = 1e6


def exclusions(found: Mapping[str, float | None]) -> str:
    """Tell who is passed by and who is needed.

    Parameters
    ----------
    found
        What a project adds without a player over what it adds with all, by player; None where it adds nothing.

    Returns
    -------
    str
        A sentence on the groups in which there is somebody; empty where nothing is added.
    """
    groups: dict[str, list[str]] = {
        "works without {} (exclusionary towards them)": [],
        "works in part without {}": [],
        "needs {} (inclusive)": [],
    }
    without, partly, needed = groups.values()
    for player, index in found.items():
        if index is not None:
            (without if index >= WITHOUT else needed if index <= NEEDED else partly).append(player)
    words = ", ".join(how.format(", ".join(players)) for how, players in groups.items() if players)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def one_voice(where: str, players: Sequence[str], *, as_one_usd_yr: float, apart_usd_yr: float) -> str:
    """Tell what a bloc gets with one voice beside what its members get apart.

    Parameters
    ----------
    where
        Scenario.
    players
        Members.
    as_one_usd_yr, apart_usd_yr
        Shapley value of the bloc, and the sum of its members'.

    Returns
    -------
    str
        A sentence.
    """
    gain = as_one_usd_yr - apart_usd_yr
    return (
        f"{where}: {', '.join(players)} as one voice {as_one_usd_yr / MILLION:,.1f}, apart "
        f"{apart_usd_yr / MILLION:,.1f}: together they {'gain' if gain > 0 else 'lose'} {abs(gain) / MILLION:,.1f} "
        "million USD a year."
    )
