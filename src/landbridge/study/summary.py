"""Tables that several interfaces show, made from a results folder; nothing is computed that is not in it."""

from __future__ import annotations

import polars as pl

from landbridge.errors import UnknownName
from landbridge.study.results import Results

__all__ = ["corridor_feeds", "crossing_goods", "crossing_summary", "passage_summary"]

MEGATONNE = 1e6

#: What a route's description is made of; a change in any of them makes it another route to a reader.
ROUTE = ("status", "links", "km", "days", "usd_feu", "co2_kg_feu")

#: Changes of a route's numbers below this part are rounding.
ALIKE = 1e-9


def _ends(results: Results, second: str | None) -> tuple[str, str]:
    return results.scenarios[0], second or results.scenarios[-1]


def _both(
    results: Results, year: int, table: str, keys: list[str], sums: dict[str, str], second: str | None
) -> pl.DataFrame:
    """Sums by key for the first and another scenario side by side."""
    aggregated = [
        results.of(table, scenario, year)
        .group_by(keys, maintain_order=True)
        .agg(pl.col(c).sum().alias(n) for c, n in sums.items())
        for scenario in _ends(results, second)
    ]
    return (
        aggregated[0]
        .join(aggregated[1], on=keys, how="full", coalesce=True, suffix="_second", maintain_order="left_right")
        .rename({n: f"{n}_first" for n in sums.values()})
    )


def _sea_routes(results: Results, scenario: str, year: int) -> set[str]:
    """Passages whose standard relation goes by sea for most of its way."""
    lengths = (
        results.of("links", scenario, year)
        .filter(pl.col("direction") == "ab")
        .group_by("link", "mode")
        .agg(pl.col("length_km").sum())
    )
    # a voyage shows in no table of links unless the model's freight may use it; its id tells the mode
    legs = results.of("passages", scenario, year).select("passage", "km", pl.col("links").str.split(";").alias("link"))
    by_land = (
        legs.explode("link")
        .filter(~pl.col("link").str.starts_with("sea:"))
        .join(lengths, on="link")
        .group_by("passage")
        .agg(pl.col("length_km").sum().alias("land_km"))
    )
    joined = legs.join(by_land, on="passage", how="left").filter(pl.col("km").is_not_null())
    return set(joined.filter(pl.col("land_km").fill_null(0) < 0.5 * pl.col("km"))["passage"].to_list())


def passage_summary(results: Results, year: int, second: str | None = None) -> pl.DataFrame:
    """Passages by their standard relation in the first scenario, with the flows of the first and another scenario.

    Where the other scenario changes a passage's route, its time or its price, a row of that scenario stands below;
    ``scenario`` says which one a row describes. Flows are null for routes by sea, which are no part of the land
    network.

    Parameters
    ----------
    results
        A results folder.
    year
        Year.
    second
        The other scenario; default the last.

    Returns
    -------
    polars.DataFrame
    """
    first, second = _ends(results, second)
    flows = _both(results, year, "passage_flows", ["passage"], {"tonnes": "t", "teu": "teu"}, second)
    a = results.of("passages", first, year).with_columns(pl.lit(first).alias("scenario"))
    b = results.of("passages", second, year).with_columns(pl.lit(second).alias("scenario"))
    before = a.select("passage", *(pl.col(c).alias(f"{c}_before") for c in ROUTE))
    differs = [pl.col(c).ne_missing(pl.col(f"{c}_before")) for c in ("status", "links")] + [
        (pl.col(c) - pl.col(f"{c}_before")).abs() > ALIKE * pl.col(c).abs() for c in ROUTE[2:]
    ]
    changed = b.join(before, on="passage").filter(pl.any_horizontal(differs)).select(b.columns)
    order = {p: i for i, p in enumerate(a["passage"].to_list())}
    rows = pl.concat([a, changed.with_columns((pl.col("name") + f" ({second})").alias("name"))])
    rows = rows.with_columns(pl.col("passage").replace_strict(order, return_dtype=pl.Int64).alias("at")).sort(
        "at", maintain_order=True
    )
    sea = _sea_routes(results, first, year)
    joined = rows.join(flows, on="passage", how="left", maintain_order="left").drop("at")
    none = pl.when(~pl.col("passage").is_in(list(sea))).then(0.0)
    return joined.with_columns(
        pl.coalesce(c, none).alias(c) for c in ("t_first", "t_second", "teu_first", "teu_second")
    ).with_columns(
        (pl.col("t_first") / MEGATONNE).alias("mt_first"),
        (pl.col("t_second") / MEGATONNE).alias("mt_second"),
    )


def crossing_summary(results: Results, year: int, country: str = "CN", second: str | None = None) -> pl.DataFrame:
    """Crossings of one country by direction, first and another scenario, transit apart.

    Parameters
    ----------
    results
        A results folder.
    year
        Year.
    country
        ISO 3166 two-letter code.
    second
        The other scenario; default the last.

    Returns
    -------
    polars.DataFrame
        Hours and use (volume over capacity) are null where a crossing is not open in that scenario.
    """
    keys = ["crossing", "from_country", "to_country"]
    first, second = _ends(results, second)
    tonnes = _both(results, year, "crossing_flows", keys, {"tonnes": "t", "teu": "teu"}, second)
    frame = tonnes.filter((pl.col("from_country") == country) | (pl.col("to_country") == country))
    for scenario, side in ((first, "first"), (second, "second")):
        transit = (
            results.of("crossing_flows", scenario, year)
            .filter("transit")
            .group_by(keys)
            .agg((pl.col("tonnes").sum() / MEGATONNE).alias(f"transit_mt_{side}"))
        )
        state = results.of("crossings", scenario, year).select(
            *keys, pl.col("use").alias(f"use_{side}"), pl.col("time_h").alias(f"time_h_{side}")
        )
        frame = frame.join(transit, on=keys, how="left").join(state, on=keys, how="left")
    name = "china" if country == "CN" else country.lower()
    directed = pl.when(pl.col("from_country") == country).then(pl.lit("from")).otherwise(pl.lit("to"))
    flows = [f"{c}_{side}" for side in ("first", "second") for c in ("t", "teu", "transit_mt")]
    return (
        frame.with_columns(pl.col(flows).fill_null(0), (directed + f"-{name}").alias("direction"))
        .with_columns(
            (pl.col("t_first") / MEGATONNE).alias("mt_first"), (pl.col("t_second") / MEGATONNE).alias("mt_second")
        )
        .with_columns((pl.col("mt_second") - pl.col("mt_first")).alias("mt_change"))
        .sort(pl.max_horizontal("mt_first", "mt_second"), descending=True, maintain_order=True)
    )


def corridor_feeds(results: Results, year: int, second: str | None = None) -> pl.DataFrame:
    """What China's internal corridors feed to and take from each crossing, first and another scenario.

    Parameters
    ----------
    results
        A results folder.
    year
        Year.
    second
        The other scenario; default the last.

    Returns
    -------
    polars.DataFrame
    """
    keys = ["corridor", "crossing", "direction"]
    frame = _both(results, year, "internal_corridors", keys, {"tonnes": "t", "teu": "teu"}, second)
    flows = ["t_first", "t_second", "teu_first", "teu_second"]
    return (
        frame.with_columns(pl.col(flows).fill_null(0))
        .with_columns(
            (pl.col("t_first") / MEGATONNE).alias("mt_first"), (pl.col("t_second") / MEGATONNE).alias("mt_second")
        )
        .sort("corridor", "mt_first", "crossing", "direction", descending=[False, True, False, False])
    )


def crossing_goods(results: Results, crossings: list[str], scenario: str, year: int) -> pl.DataFrame:
    """Who and what uses some crossings: goods by direction, with transit apart.

    Parameters
    ----------
    results
        A results folder.
    crossings
        Crossings, taken together.
    scenario, year
        Which solution.

    Returns
    -------
    polars.DataFrame
        from_country, to_country, commodity, mt, transit_mt, teu, trains, main_users: the largest pairs of exporter and
        importer. Empty boxes have no users.

    Raises
    ------
    UnknownName
        For a crossing that is not in the results.
    """
    known = results["crossings"]["crossing"].unique(maintain_order=True).to_list()
    for crossing in crossings:
        if crossing not in known:
            raise UnknownName("crossing", crossing, known)
    rows = results.of("crossing_flows", scenario, year).filter(pl.col("crossing").is_in(crossings))
    keys = ["from_country", "to_country", "commodity"]
    users = (
        rows.filter(pl.col("exporter") != "")
        .group_by(*keys, "exporter", "importer")
        .agg(pl.col("tonnes").sum())
        .sort("tonnes", "exporter", "importer", descending=[True, False, False])
        .group_by(keys, maintain_order=True)
        .agg(
            (
                pl.col("exporter")
                + "-"
                + pl.col("importer")
                + " "
                + (pl.col("tonnes") / MEGATONNE).round(2).cast(pl.String)
            )
            .head(3)
            .str.join(", ")
            .alias("main_users")
        )
    )
    return (
        rows.group_by(keys, maintain_order=True)
        .agg(
            (pl.col("tonnes").sum() / MEGATONNE).alias("mt"),
            (pl.col("tonnes").filter("transit").sum() / MEGATONNE).alias("transit_mt"),
            pl.col("teu").sum(),
            pl.col("trains").sum(),
        )
        .join(users, on=keys, how="left", maintain_order="left")
        .sort("from_country", "mt", descending=[False, True])
    )
