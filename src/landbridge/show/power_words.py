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
        A sentence; empty where nothing is added.
    """
    groups: dict[str, list[str]] = {"Works without": [], "partly without": [], "needs": []}
    for player, index in found.items():
        if index is not None:
            how = "Works without" if index >= WITHOUT else "needs" if index <= NEEDED else "partly without"
            groups[how].append(player)
    if not any(groups.values()):
        return ""
    words = [f"{how} {', '.join(players) or 'nobody'}" for how, players in groups.items()]
    return f"{words[0]} (exclusionary towards them), {words[1]}, {words[2]} (inclusive)."


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
