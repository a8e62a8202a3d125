"""Tables that several interfaces show, made from a results folder; nothing is computed that is not in it."""

from __future__ import annotations

import polars as pl

from landbridge.study.results import Results

__all__ = ["corridor_feeds", "crossing_summary", "passage_summary"]

MEGATONNE = 1e6


def _ends(results: Results) -> tuple[str, str]:
    return results.scenarios[0], results.scenarios[-1]


def _both(results: Results, year: int, table: str, keys: list[str], sums: dict[str, str]) -> pl.DataFrame:
    """Sums by key for the first and the last scenario side by side."""
    first, second = _ends(results)
    aggregated = [
        results.of(table, scenario, year)
        .group_by(keys, maintain_order=True)
        .agg(pl.col(c).sum().alias(n) for c, n in sums.items())
        for scenario in (first, second)
    ]
    return (
        aggregated[0]
        .join(aggregated[1], on=keys, how="full", coalesce=True, suffix="_second", maintain_order="left_right")
        .rename({n: f"{n}_first" for n in sums.values()})
    )


def passage_summary(results: Results, year: int) -> pl.DataFrame:
    """Passages by their standard relation in the first scenario, with flows of the first and the last scenario.

    A passage that is only open in the last scenario is described there; ``scenario`` says which.
    """
    first, second = _ends(results)
    flows = _both(results, year, "passage_flows", ["passage"], {"tonnes": "t", "teu": "teu"}).with_columns(
        (pl.col("t_first") / MEGATONNE).alias("mt_first"), (pl.col("t_second") / MEGATONNE).alias("mt_second")
    )
    a = results.of("passages", first, year).with_columns(pl.lit(first).alias("scenario"))
    b = results.of("passages", second, year).with_columns(pl.lit(second).alias("scenario"))
    # where the last scenario changes a passage's route, its row stands below the first one
    same = a.select("passage", "links").rename({"links": "links_first"})
    changed = b.join(same, on="passage").filter(pl.col("links").ne_missing(pl.col("links_first"))).drop("links_first")
    order = {p: i for i, p in enumerate(a["passage"].to_list())}
    rows = pl.concat([a, changed.with_columns((pl.col("name") + f" ({second})").alias("name"))])
    rows = rows.with_columns(pl.col("passage").replace_strict(order, return_dtype=pl.Int64).alias("at")).sort(
        "at", maintain_order=True
    )
    return rows.join(flows, on="passage", how="left", maintain_order="left").drop("at")


def crossing_summary(results: Results, year: int, country: str = "CN") -> pl.DataFrame:
    """Crossings of one country by direction, first and last scenario, transit apart."""
    keys = ["crossing", "from_country", "to_country"]
    tonnes = _both(results, year, "crossing_flows", keys, {"tonnes": "t", "teu": "teu"})
    first = results.scenarios[0]
    transit = (
        results.of("crossing_flows", first, year)
        .filter("transit")
        .group_by(keys)
        .agg((pl.col("tonnes").sum() / MEGATONNE).alias("transit_mt_first"))
    )
    state = results.of("crossings", first, year).select(
        *keys, pl.col("use").alias("use_first"), pl.col("time_h").alias("time_h_first")
    )
    name = country.lower()
    directed = pl.when(pl.col("from_country") == country).then(pl.lit("from")).otherwise(pl.lit("to"))
    return (
        tonnes.filter((pl.col("from_country") == country) | (pl.col("to_country") == country))
        .join(transit, on=keys, how="left")
        .join(state, on=keys, how="left")
        .with_columns(
            (pl.col("t_first").fill_null(0) / MEGATONNE).alias("mt_first"),
            (pl.col("t_second").fill_null(0) / MEGATONNE).alias("mt_second"),
            pl.col("transit_mt_first").fill_null(0),
            (directed + f"-{'china' if name == 'cn' else name}").alias("direction"),
        )
        .with_columns((pl.col("mt_second") - pl.col("mt_first")).alias("mt_change"))
        .sort(pl.max_horizontal("mt_first", "mt_second"), descending=True)
    )


def corridor_feeds(results: Results, year: int) -> pl.DataFrame:
    """What China's internal corridors feed to and take from each crossing, first and last scenario."""
    keys = ["corridor", "crossing", "direction"]
    frame = _both(results, year, "internal_corridors", keys, {"tonnes": "t", "teu": "teu"})
    return frame.with_columns(
        (pl.col("t_first").fill_null(0) / MEGATONNE).alias("mt_first"),
        (pl.col("t_second").fill_null(0) / MEGATONNE).alias("mt_second"),
    ).sort("corridor", "mt_first", descending=[False, True])
