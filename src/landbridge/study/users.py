"""Who uses a link, a crossing, a country or a passage: read off the paths that a results folder keeps."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from landbridge.errors import LandbridgeError, OutputError, UnknownName
from landbridge.study.results import Results
from landbridge.study.settled import margins
from landbridge.study.tabulate_paths import is_told

__all__ = ["KINDS", "Users", "names_of", "users_of"]

#: What can be asked for, with the table whose rows are named so.
KINDS = {"link": "links", "crossing": "crossings", "country": "countries", "passage": "passages"}

# Column of the paths that holds them.
ALONG = {"link": "links", "crossing": "crossings", "country": "countries", "passage": "passage"}
NO_PASSAGE = "other"
EMPTY = "empty_box"


@dataclass(frozen=True)
class Users:
    """Who uses one thing in one scenario and year.

    Attributes
    ----------
    kind, name
        What is used.
    scenario, year
        Which solution.
    tonnes
        Tonnes a year of all that use it, empty boxes included.
    empty_tonnes
        Weight of the empty boxes in it.
    land_tonnes
        Tonnes a year on the whole land network, likewise.
    interval : tuple
        The least and the most that `tonnes` could be in flows that are as good as these; None where that cannot be
        told, for the reason in `note`.
    pairs : polars.DataFrame
        exporter, importer, commodity, relations (how many use it), tonnes, land_tonnes (of all relations of this pair
        and commodity), share (the first as a part of the second), and share_least and share_most, its interval where
        flows as good are not the same (null beyond the first `rows`); the most tonnes first. Empty boxes have no users.
    relations : polars.DataFrame
        The same by relation of zones, without intervals and with demand_tonnes: what it would send by land, by sea or
        not at all.
    note
        Why there are no intervals; else empty.
    """

    kind: str
    name: str
    scenario: str
    year: int
    tonnes: float
    empty_tonnes: float
    land_tonnes: float
    interval: tuple[float, float] | None
    pairs: pl.DataFrame
    relations: pl.DataFrame
    note: str = ""


def names_of(results: Results, kind: str) -> list[str]:
    """Return what can be asked for.

    Parameters
    ----------
    results
        A results folder.
    kind
        A key of `KINDS`.

    Returns
    -------
    list of str
        Links, crossings and passages of any scenario and year, used or not; countries that something moves in;
        ``other`` among the passages is for paths that use none.
    """
    if kind not in KINDS:
        raise UnknownName("kind", kind, list(KINDS))
    names: list[str] = results[KINDS[kind]][kind].unique(maintain_order=True).to_list()
    return [*names, NO_PASSAGE] if kind == "passage" else names


def users_of(results: Results, kind: str, name: str, scenario: str, year: int, *, rows: int = 0) -> Users:
    """Tell who uses a link, crossing, country or passage.

    Parameters
    ----------
    results
        A results folder.
    kind
        A key of `KINDS`.
    name
        One of `names_of`.
    scenario, year
        Which solution.
    rows
        Pairs whose share is given an interval; each takes two small linear programs where its share is not settled.
        Without any, nothing is given one.

    Returns
    -------
    Users
        A path that uses it twice counts once. A path uses a country if it runs on a line there.

    Raises
    ------
    UnknownName
        For a name that is not in the results.
    OutputError
        If the results were made before paths were kept.
    """
    known = names_of(results, kind)
    if name not in known:
        raise UnknownName(kind, name, known)
    if "paths" not in results.tables or "relation" not in results["relations"].columns:
        raise OutputError(f"{results.folder}: these results keep no paths; run the study again")
    column = pl.col(ALONG[kind])
    uses = column == name if kind == "passage" else column.list.contains(name)
    paths = results.of("paths", scenario, year).with_columns(
        pl.when(uses).then("tonnes").otherwise(0.0).alias("using"), uses.alias("uses")
    )
    relations = (
        results.of("relations", scenario, year)
        .select(
            "relation", "origin_zone", "destination_zone", "exporter", "importer", "commodity",
            pl.col("tonnes").alias("demand_tonnes"),
        )
    )  # fmt: skip
    by_relation = (
        paths.group_by("relation", maintain_order=True)
        .agg(pl.col("using").sum(), pl.col("tonnes").sum().alias("land_tonnes"), pl.col("uses").any())
        .join(relations, on="relation", how="left", maintain_order="left")
        .with_columns(
            pl.col("exporter", "importer").fill_null(""), pl.col("commodity").fill_null(EMPTY), share(), tonnes()
        )
    )
    keys = ["exporter", "importer", "commodity"]
    pairs = (
        by_relation.group_by(keys, maintain_order=True)
        .agg(
            pl.col("uses").filter(pl.col("relation").is_not_null()).sum().alias("relations"),
            pl.col("using", "land_tonnes").sum(),
            pl.col("uses").any(),
        )
        .filter("uses")
        .select(*keys, "relations", tonnes(), "land_tonnes", share())
        .sort("tonnes", *keys, descending=[True, False, False, False])
    )
    chosen = (
        by_relation.filter(pl.col("uses") & pl.col("relation").is_not_null())
        .select(*relations.columns[:-1], "tonnes", "land_tonnes", "demand_tonnes", "share")
        .sort("tonnes", "relation", descending=[True, False])
    )
    tonnes_used = float(paths["using"].sum())
    interval, note = None, ""
    if rows > 0:
        interval, pairs, note = _with_intervals(results, scenario, year, uses, tonnes_used, pairs, by_relation, rows)
    return Users(
        kind=kind,
        name=name,
        scenario=scenario,
        year=year,
        tonnes=tonnes_used,
        empty_tonnes=float(paths.filter(pl.col("relation").is_null())["using"].sum()),
        land_tonnes=float(paths["tonnes"].sum()),
        interval=interval,
        pairs=pairs,
        relations=chosen,
        note=note,
    )


def _with_intervals(
    results: Results,
    scenario: str,
    year: int,
    uses: pl.Expr,
    tonnes_used: float,
    pairs: pl.DataFrame,
    by_relation: pl.DataFrame,
    rows: int,
) -> tuple[tuple[float, float] | None, pl.DataFrame, str]:
    """The interval of all that is used, the pairs with theirs, and why there are none."""

    def told(pairs_found: list[tuple[float, float] | None]) -> pl.DataFrame:
        more = [None] * (pairs.height - len(pairs_found))
        ends = pl.DataFrame(
            {
                name: [*(found[side] if found else None for found in pairs_found), *more]
                for side, name in enumerate(("least", "most"))
            },
            schema={"least": pl.Float64, "most": pl.Float64},
        )
        parts = [
            ((pl.col("tonnes") + ends[name]) / pl.col("land_tonnes")).clip(0.0, 1.0).alias(f"share_{name}")
            for name in ("least", "most")
        ]
        return pairs.with_columns(*parts)

    if "alternatives" not in results.tables:
        return None, told([]), "these results keep no alternatives; run the study again"
    (principle,) = results.of("totals", scenario, year)["principle"].to_list()
    if not is_told(principle):
        return None, told([]), f"under the principle {principle!r} intervals are not told"
    frame = results.of("alternatives", scenario, year).with_columns(uses.alias("uses"))
    using = frame["uses"].to_numpy()
    keys = ["exporter", "importer", "commodity"]
    shown = pairs.head(rows).select(keys).with_row_index("pair")
    pair = (
        frame.select("relation")
        .join(by_relation.select("relation", *keys).drop_nulls("relation"), on="relation", how="left",
              maintain_order="left")
        .with_columns(pl.col("exporter", "importer").fill_null(""), pl.col("commodity").fill_null(EMPTY))
        .join(shown, on=keys, how="left", maintain_order="left")["pair"]
        .fill_null(shown.height)
        .to_numpy()
    )  # fmt: skip
    try:
        whole, *parts = margins(frame, [using, *(using & (pair == i) for i in range(shown.height))])
    except LandbridgeError as error:
        return None, told([]), str(error)
    land = float(results.of("paths", scenario, year)["tonnes"].sum())
    ends = max(tonnes_used + whole[0], 0.0), min(tonnes_used + whole[1], land)
    return ends, told(list(parts)), ""


def tonnes() -> pl.Expr:
    return pl.col("using").alias("tonnes")


def share() -> pl.Expr:
    """Which part uses it; sums may differ in their last digit."""
    part = pl.when(pl.col("land_tonnes") > 0).then(pl.col("using") / pl.col("land_tonnes")).otherwise(0.0)
    return part.clip(0.0, 1.0).alias("share")
