r"""How long a closure is felt after it has ended.

    d days closed, trains come at rate a a day and u can be handled, of which the flow itself takes a.
    backlog at the end  B = a d (1 - s),  s the share that gives up or goes another way meanwhile
    days until it is gone  B / (u - a), never where u <= a
    mean delay of a train that waited  d / 2 + (B / 2) / u   (first come, first served, fluid)

It is what METHODS.md, section 4, holds against Poland's closure of 2025 (trains stuck, days to clear), and the fluid
limit of the terminal model, which simulates the same where a yard has a plan (`model.terminals`).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Recovery", "recovery"]


class Recovery(NamedTuple):
    """A backlog and its end.

    Parameters
    ----------
    backlog_trains
        Trains that wait when the closure ends.
    clearing_days
        Days after it until no train of the backlog is left; ``inf`` where more comes than is handled.
    delay_h
        Mean delay of the trains that waited.
    """

    backlog_trains: float
    clearing_days: float
    delay_h: float


def recovery(days: float, trains_day: float, capacity_trains_day: float, *, diverted: float = 0.0) -> Recovery:
    """Find the backlog of a closure and how long it takes to clear.

    Parameters
    ----------
    days
        Days closed.
    trains_day
        Trains that come a day.
    capacity_trains_day
        Trains that can be handled a day once it is open.
    diverted
        Share that goes another way while it is closed, 0 to 1.

    Returns
    -------
    Recovery

    Raises
    ------
    ValueError
        If a number is out of bounds.
    """
    if days < 0 or trains_day < 0 or capacity_trains_day < 0 or not 0.0 <= diverted <= 1.0:
        raise ValueError("recovery: wanted days and trains of at least zero and a diverted share from 0 to 1")
    backlog = trains_day * days * (1.0 - diverted)
    spare = capacity_trains_day - trains_day
    if backlog == 0.0:
        return Recovery(0.0, 0.0, 0.0)
    if spare <= 0.0:
        return Recovery(backlog, float("inf"), float("inf"))
    return Recovery(backlog, backlog / spare, 24.0 * (days / 2.0 + backlog / 2.0 / capacity_trains_day))
