"""Paths become names: what lies along each path, those in use and those that would do as well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.model import flows, outcomes
from landbridge.model.network import ArcKind, Network
from landbridge.model.outcomes import PassageRule, PathTable
from landbridge.study.solve import Solution, solved_inputs

__all__ = ["NO_PASSAGE", "alternatives", "is_told", "paths"]

#: The passage of a path that takes none of the atlas'.
NO_PASSAGE = "other"


def paths(net: Network, table: PathTable, passage: Sequence[str], loaded: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Paths with the crossings, links and countries along them.

    A link that is used there and back stands twice, a link whose sections lie in several countries once; its direction
    stands at the same place of the list of directions.

    Parameters
    ----------
    net
        Where they lie.
    table
        The paths.
    passage
        Name of the passage of each.
    loaded
        False for those of empty boxes, which have no relation in the results.

    Returns
    -------
    polars.DataFrame
    """
    move = net.kind == ArcKind.MOVE
    border = (net.kind == ArcKind.BORDER) & (net.crossing >= 0)
    back = net.backward.astype(np.int64)
    links_met = _along(table, move, net.link.astype(np.int64) * 2 + back, net.links)
    return pl.DataFrame(
        {
            "relation": pl.Series(table.relation, dtype=pl.Int32).set(pl.Series(~loaded), None),
            "tonnes": table.tonnes_yr,
            "passage": pl.Series(passage, dtype=pl.String),
            "crossings": _along(table, border, net.crossing.astype(np.int64) * 2 + back, net.crossings)["met"],
            "links": links_met["met"],
            "directions": links_met["direction"],
            "countries": _along(table, move, net.country.astype(np.int64) * 2, net.countries)["met"],
        }
    )


def is_told(principle: str) -> bool:
    """Whether results tell how far shares are settled under a principle.

    Not where choice itself spreads over paths, nor where hard capacities leave volumes below them unsettled.
    """
    return principle in ("user equilibrium", "system optimum")


def alternatives(solution: Solution, passages: tuple[Sequence[str], Sequence[PassageRule]]) -> pl.DataFrame:
    """Paths of relations that could as well split otherwise, and what they put on facilities of settled volume.

    Parameters
    ----------
    solution
        A solved scenario and year.
    passages
        Names of the passages in order of precedence, and their rules.

    Returns
    -------
    polars.DataFrame
        The columns of `paths` and `group` (the relation, those of empty boxes numbered after the loaded ones),
        `facilities` and `trains_day_per_t_yr`: what a tonne a year on the path puts on each, where it tells the
        relation's paths apart. Rows without tonnes are paths that nobody uses. None under a principle of which it is
        not told.
    """
    net = solution.prepared.network
    found = flows.no_alternatives()
    if is_told(solution.equilibrium.principle) and np.isfinite(solution.equilibrium.potential):
        found = flows.alternatives(*solved_inputs(solution), solution.equilibrium)
    table = PathTable(
        found.first.astype(np.int32), found.arcs.astype(np.int32), found.relation.astype(np.int32), found.tonnes_yr
    )
    ids, rules = passages
    which = outcomes.classify(net, table, rules)
    names = [ids[i] if i >= 0 else NO_PASSAGE for i in which.tolist()]

    def lists(values: pl.Series) -> pl.Series:
        owner = np.repeat(np.arange(table.count), np.diff(found.load_first))
        grouped = pl.DataFrame({"path": owner, "value": values}).group_by("path", maintain_order=True).agg("value")
        every = pl.DataFrame({"path": np.arange(table.count)})
        return every.join(grouped, on="path", how="left", maintain_order="left")["value"].fill_null([])

    return paths(net, table, names, table.relation < solution.empty_from).with_columns(
        pl.Series("group", table.relation),
        lists(pl.Series(found.facility, dtype=pl.Int32)).alias("facilities"),
        lists(pl.Series(found.load_trains_day, dtype=pl.Float64)).alias("trains_day_per_t_yr"),
    )


def _along(
    table: PathTable, wanted: npt.NDArray[np.bool_], code: npt.NDArray[np.int64], labels: Sequence[str]
) -> pl.DataFrame:
    """What each path meets on some arcs, in order of travel; arcs of one code in a row are one meeting.

    Two lists a path, as ``met`` and ``direction``; a code is a label's number times two, and one more backwards.
    """
    path, arc = outcomes.entries(table, wanted)
    met = code[arc]
    new = np.append(True, (np.diff(path) != 0) | (np.diff(met) != 0))[: len(path)]
    steps = pl.DataFrame(
        {
            "path": path[new].astype(np.int64),
            "met": pl.Series(labels, dtype=pl.String).gather(met[new] // 2),
            "direction": pl.Series(("ab", "ba")).gather(met[new] % 2),
        }
    )
    lists = steps.group_by("path", maintain_order=True).agg("met", "direction")
    every = pl.DataFrame({"path": np.arange(table.count)})
    joined = every.join(lists, on="path", how="left", maintain_order="left")
    return joined.with_columns(pl.col("met", "direction").fill_null([]))
