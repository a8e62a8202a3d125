"""How far the share of a link, crossing, country or passage is settled, where other flows would be as good.

Read off the table `alternatives` of a results folder: two small linear programs a question (HiGHS), none where nothing
can move. See `landbridge.model.flows.alternatives` for which paths are as good.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.model import flows

__all__ = ["margins"]


def margins(frame: pl.DataFrame, counted: Sequence[npt.NDArray[np.bool_]]) -> list[tuple[float, float]]:
    """Tell by how much less and more could move on some of the alternatives, all else being as good.

    Parameters
    ----------
    frame
        Alternatives of one scenario and year.
    counted
        For each question: the rows whose tonnes are counted.

    Returns
    -------
    list
        For each question the most tonnes a year that could go, at most zero, and the most that could come.

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """

    def offsets(column: str) -> npt.NDArray[np.int64]:
        return np.append(0, np.cumsum(frame[column].list.len().to_numpy().astype(np.int64)))

    facility = frame["facilities"].explode(empty_as_null=False).to_numpy().astype(np.int64)
    count = int(facility.max(initial=-1)) + 1
    found = flows.Alternatives(
        relation=frame["group"].to_numpy().astype(np.int64),
        path=np.full(frame.height, -1),
        tonnes_yr=frame["tonnes"].to_numpy().astype(np.float64),
        first=np.zeros(frame.height + 1, np.int64),
        arcs=np.zeros(0, np.int64),
        load_first=offsets("facilities"),
        facility=facility,
        load_trains_day=frame["trains_day_per_t_yr"].explode(empty_as_null=False).to_numpy().astype(np.float64),
        settled=np.ones(count, np.bool_),
        headroom_trains_day=np.zeros(count),
    )
    return flows.extremes(found, counted)
