"""The trade of a year in money of that year, as targets of trade ask for it."""

from __future__ import annotations

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import DataError
from landbridge.model import demand as demand_door
from landbridge.model.demand import names_of
from landbridge.model.past import PAST_TABLES, first_year, past_tonnes
from landbridge.study.solve import DEMAND_TABLES, Settings, columns
from landbridge.study.validate.words import NotCovered

__all__ = ["BASE_YEAR", "trade_of"]

BASE_YEAR = Settings.base_year
KEY = ["exporter", "importer", "commodity"]


def trade_of(tables: Tables, year: int) -> pl.DataFrame:
    """Trade by pair and group of goods: exporter, importer, commodity, tonnes, value_usd.

    Before the year of the matrix as `landbridge.model.past` estimates it, in the prices of the year; after it as the
    atlas' growth has it, in the prices of the matrix.

    Raises
    ------
    NotCovered
        For a year of which the atlas tells nothing.
    """
    base = tables["trade"].filter(pl.col("year") == BASE_YEAR).select(*KEY, "tonnes", "value_usd")
    if year == BASE_YEAR:
        return base
    worth = {
        (e, i, c): value / tonnes if tonnes else 0.0
        for e, i, c, tonnes, value in base.select(*KEY, "tonnes", pl.col("value_usd").fill_null(0.0)).iter_rows()
    }
    if year < BASE_YEAR:
        if any(name not in tables for name in PAST_TABLES):
            raise NotCovered(f"trade of {year} is not in the atlas")
        data = columns(tables, ["trade", "parameters", *PAST_TABLES])
        if year < first_year(data["past_prices"]):
            raise NotCovered(f"trade of {year} is not in the atlas")
        names = names_of(tables["countries"].to_dict(as_series=False), tables["blocs"].to_dict(as_series=False))
        for e, i, c, value in tables["trade_past"].select(*KEY, "usd_t").iter_rows():
            worth.setdefault((e, i, c), value or 0.0)
        prices = {(c, y): x for c, y, x in tables["past_prices"].select("commodity", "year", "index").iter_rows()}
        amounts = past_tonnes(data, names, year=year, base_year=BASE_YEAR)
        rows = [(*k, t, t * worth.get(k, 0.0) * prices.get((k[2], year), 1.0)) for k, t in amounts.items()]
    else:
        grown = _growth(tables, year)
        rows = [
            (e, i, c, tonnes * grown.get((e, i), 1.0), (value or 0.0) * grown.get((e, i), 1.0))
            for e, i, c, tonnes, value in base.select(*KEY, "tonnes", "value_usd").iter_rows()
        ]
    schema = {"exporter": pl.String, "importer": pl.String, "commodity": pl.String}
    return pl.DataFrame(rows, schema={**schema, "tonnes": pl.Float64, "value_usd": pl.Float64}, orient="row")


def _growth(tables: Tables, year: int) -> dict[tuple[str, str], float]:
    """Growth of the tonnes of each pair from the year of the matrix."""
    try:
        found = demand_door.goods_of_years(columns(tables, list(DEMAND_TABLES)), year=year, base_year=BASE_YEAR)
    except DataError as error:
        raise NotCovered(f"growth of trade to {year} is not stated in the atlas") from error
    then: dict[tuple[str, str], list[float]] = {}
    for (exporter, importer, _), (old, new) in found.items():
        sums = then.setdefault((exporter, importer), [0.0, 0.0])
        sums[0] += old
        sums[1] += new
    return {pair: new / old for pair, (old, new) in then.items() if old > 0}
