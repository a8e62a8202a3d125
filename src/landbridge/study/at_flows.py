"""What questions about routes take from a results folder: the hours at its flows, and its scenario."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import OutputError, UnknownName
from landbridge.model.network import ArcKind, Network
from landbridge.scenario.measures import Measure
from landbridge.scenario.read import read_measures
from landbridge.study.results import Results, is_current, run_again
from landbridge.study.solve import free_time_h

__all__ = ["loaded_hours", "scenario_of"]

F8 = npt.NDArray[np.float64]


def loaded_hours(results: Results, scenario: str, year: int) -> Callable[[Network], F8]:
    """Give the hours of arcs at the flows of a results folder.

    Links and crossings take the hours that the folder holds for them. Yards and terminals, of which it holds none, and
    ocean legs stay at free flow.

    Parameters
    ----------
    results
        The folder.
    scenario, year
        Whose flows.

    Returns
    -------
    callable
        From a network of that scenario and year to float64[m].

    Raises
    ------
    UnknownName
        For a scenario or year that the folder does not hold.
    """
    links = results.of("links", scenario, year)
    crossings = results.of("crossings", scenario, year)

    def hours(net: Network) -> F8:
        found = free_time_h(net)
        way = ["ba" if back else "ab" for back in net.backward.tolist()]
        at_border = {(c, d): h for c, d, h in crossings.select("crossing", "direction", "time_h").rows()}
        # a link that leaves and enters a country again has two sections there; they stand in one order everywhere
        columns = ("link", "direction", "country", "gauge_mm")
        runs = links.with_columns(pl.int_range(pl.len()).over(columns).alias("section"))
        by_run = {tuple(row[:-1]): row[-1] for row in runs.select(*columns, "section", "time_h").rows()}
        seen: dict[tuple[str, str, str, int], int] = {}
        for arc in range(net.arc_count):
            if net.kind[arc] == ArcKind.BORDER and net.crossing[arc] >= 0:
                hour = at_border.get((net.crossings[net.crossing[arc]], way[arc]))
                name = net.crossings[net.crossing[arc]]
            elif net.kind[arc] == ArcKind.MOVE:
                name = net.links[net.link[arc]]
                key = (name, way[arc], net.countries[net.country[arc]], int(net.gauge_mm[arc]))
                seen[key] = seen.get(key, -1) + 1
                hour = by_run.get((*key, seen[key]))
                if hour is None and net.facility[arc] < 0:
                    continue  # the ocean, on which nothing delays
            else:
                continue
            if hour is None:
                raise OutputError(f"{results.folder}: holds no hours of {name}; run the study again with this atlas")
            found[arc] = hour
        return found

    return hours


def scenario_of(results: Results, scenario: str, tables: Tables) -> tuple[tuple[Measure, ...], frozenset[str]]:
    """Give the measures of a scenario of a results folder, and the projects that stay unbuilt without one.

    Parameters
    ----------
    results
        The folder.
    scenario
        Its id.
    tables
        The tables that routes are sought in.

    Returns
    -------
    measures : tuple of Measure
    held : frozenset of str

    Raises
    ------
    UnknownName
        For a scenario that the folder does not hold.
    OutputError
        If the folder was made from other tables.
    """
    if scenario not in results.scenarios:
        raise UnknownName("scenario", scenario, results.scenarios)
    if not is_current(results, tables):
        again = run_again(results) or "run the study again"
        raise OutputError(f"{results.folder}: made from another state of the atlas; make it anew: {again}")
    told = results.manifest["study"]
    (measures,) = [each["measures"] for each in told["scenarios"] if each["id"] == scenario]
    return read_measures(measures), frozenset(told["held_projects"])
