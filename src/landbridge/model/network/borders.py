"""Hours at a border and in a gauge-change yard, stage by stage.

Problem
-------
Published border hours mix three things: the crane or the bogie shed that changes the gauge, the processing of papers
and wagons, and the queue before both. They are kept apart here, so that each can be eased, measured and sourced alone:
the change of gauge is an arc of the yard, the queue grows with the use of the crossing's capacity, and this module
makes the mean and the spread of what is left.

Notation
--------
P   hours of processing of a consignment that is not opened
p   share of consignments that are physically inspected; H hours that an inspection adds (parameter ``inspection-h``)
L   hours of a closed stretch of a week; W = 168 hours of a week
Q   hours of queue when trains equal the capacity

Method
------
A consignment comes up at any hour of the week. Over the closed stretches of a week its wait has the moments

    E[w] = sum L^2 / (2 W),    E[w^2] = sum L^3 / (3 W)

and the whole has, its stages being independent,

    mean      P + p H + E[w]
    variance  (a P)^2 + p (1 - p) H^2 + var w + (b Q)^2

with a and b the parameters ``spread-border-work`` and ``spread-border-queue``. The queue is in the variance only: its
mean comes with the volumes. A measured standard deviation replaces the square root of the variance.

Reference
---------
Residual wait of a renewal process: D. R. Cox, Renewal Theory (1962), section 5.1.
"""

from __future__ import annotations

__all__ = ["border_hours", "closed_wait"]

DAY_H = 24.0
WEEK_DAYS = 7


def closed_wait(open_h_day: float | None, open_days_week: float | None) -> tuple[float, float]:
    """Wait of a consignment of any hour for a crossing to open.

    Parameters
    ----------
    open_h_day
        Hours of a working day in which the crossing works, in one stretch; None where they are not known, which counts
        as day and night.
    open_days_week
        Working days of a week, in one stretch; None where they are not known, which counts as all.

    Returns
    -------
    (float, float)
        Mean in hours, and variance in hours squared.
    """
    night = max(DAY_H - (DAY_H if open_h_day is None else open_h_day), 0.0)
    free_days = max(WEEK_DAYS - (WEEK_DAYS if open_days_week is None else open_days_week), 0.0)
    nights = WEEK_DAYS - free_days
    weekend = night + free_days * DAY_H  # the last night of the week runs into the days off
    week = WEEK_DAYS * DAY_H
    first = ((nights - 1) * night**2 + weekend**2) / (2 * week)
    second = ((nights - 1) * night**3 + weekend**3) / (3 * week)
    return first, second - first**2


def border_hours(
    processing_h: float,
    *,
    inspection_share: float,
    inspection_h: float,
    closed: tuple[float, float],
    queue_h: float,
    spread_h: float | None,
    work_cv: float,
    queue_cv: float,
) -> tuple[float, float]:
    """Mean and standard deviation of the hours at a border without the mean of its queue.

    Parameters
    ----------
    processing_h
        Hours of a consignment that is not opened.
    inspection_share, inspection_h
        Share of consignments that are opened, and the hours that this adds.
    closed
        Mean and variance of the wait for the crossing to open, from `closed_wait`.
    queue_h
        Hours of queue when trains equal the capacity.
    spread_h
        Measured standard deviation of the whole; None where there is none.
    work_cv, queue_cv
        Standard deviation of processing over its mean, and of the queue over its hours at capacity.

    Returns
    -------
    (float, float)
        Hours.
    """
    wait_h, wait_variance = closed
    mean = processing_h + inspection_share * inspection_h + wait_h
    if spread_h is not None:
        return mean, spread_h
    inspected = inspection_share * (1 - inspection_share) * inspection_h**2
    return mean, ((work_cv * processing_h) ** 2 + inspected + wait_variance + (queue_cv * queue_h) ** 2) ** 0.5
