"""What a year, or a part of it, has of its own: prices by sea, boxes on a train, young services, ways refused.

Market of sea freight
    Quoted spot prices of a box of forty feet, Shanghai-Rotterdam and back (``sea_quotes``), lie on days; between two
    quotes the price is taken to go in a straight line, and before the first quote of its year it is that quote. The
    mean over the days of a year or period, less the mean of the base year, half of it for a box of twenty feet, is what
    a box pays by sea beyond the rates of the base year. Years without a quote take theirs from ``year_values``; years
    after the last one take none.

    A quote is of the way that ships take. Where a scenario or an event shuts the shorter way, the price list asks for
    the longer one by the km, and a quote of those days holds that already: it is taken off once (`detour_usd_teu`).

Boxes between China and Russia
    Before ocean lines left Russia's ports in 2022, fewer of them went by rail: the part of its shares of the base year
    that did is a parameter, and the rest went by ship.

Refusals
    Part of the cargo of a relation whose owners let it pass no more through some countries (``refusals``), from a day
    on: the part counts with the part of the days on which it holds.
"""

from __future__ import annotations

import datetime as dt
import heapq
from itertools import pairwise

import polars as pl

from landbridge.data.tables import Tables

__all__ = [
    "BASE_YEAR",
    "FULL_SERVICE",
    "POOLS",
    "Span",
    "detour_usd_teu",
    "less_detour",
    "of_span",
    "sea_market",
    "span_of",
]

#: First and last day of a year or a part of it.
Span = tuple[dt.date, dt.date]

#: Year of the rates by sea, over whose market other years are told.
BASE_YEAR = 2023
#: Year from which trains between China and Europe are no longer few and unknown; see rail-youth-china-europe.
FULL_SERVICE = 2021
#: Parameter of each lane of the quotes.
LANES = {"west": "sea-market-west", "east": "sea-market-east"}
#: The ports between which the prices are quoted.
QUOTED = ("cn-shanghai-port", "nl-rotterdam")
#: Days on which a way by sea must be open for the quoted ships to take it.
ALL_YEAR = 365
#: Parameters that widen the part of a trade that may choose rail, with the rows of ``mode_shares`` that they widen.
POOLS = {"rail-pool-west": ("CHN", "europe"), "rail-pool-east": ("europe", "CHN")}
#: Parameter of the part of boxes between China and Russia that went or could go by rail before ocean lines left Russia.
RUSSIA = "russia-rail-before-2022"
#: First year in which all of that part does.
LINES_LEFT = 2022


def span_of(year: int) -> Span:
    """First and last day of a year."""
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _mean(quotes: list[tuple[dt.date, float]], span: Span) -> float | None:
    """Mean price over the days of a span; None where no quote of its year, nor two around it, tell it."""
    first, last = span
    years = {day.year for day, _ in quotes}
    if (
        not quotes
        or (first > quotes[-1][0] and first.year not in years)
        or (last < quotes[0][0] and last.year not in years)
    ):
        return None
    # the first quote holds back to the turn of its year, the last one to the end of its own
    points = [
        (dt.date(quotes[0][0].year, 1, 1), quotes[0][1]),
        *quotes,
        (dt.date(quotes[-1][0].year, 12, 31), quotes[-1][1]),
    ]
    total, days = 0.0, 0
    for (start, before), (end, after) in pairwise(points):
        a, b = max(start, first), min(end - dt.timedelta(1), last)
        if b < a:
            continue
        length = (end - start).days
        at = [before + (after - before) * ((day - start).days / length) for day in (a, b)]
        count = (b - a).days + 1
        total += (at[0] + at[1]) / 2 * count
        days += count
    if last >= points[-1][0]:
        total, days = total + points[-1][1], days + 1
    return total / days if days else None


def sea_market(tables: Tables, span: Span) -> dict[str, float]:
    """What a box by sea between China and Europe pays beyond the rates of the base year, USD per TEU, by parameter.

    Parameters
    ----------
    tables
        With ``sea_quotes``.
    span
        First and last day.
    """
    found: dict[str, float] = {}
    if "sea_quotes" not in tables:
        return found
    frame = tables["sea_quotes"].sort("date")
    for lane, name in LANES.items():
        quotes = list(frame.filter(pl.col("lane") == lane).select("date", "usd_feu").iter_rows())
        base, mean = _mean(quotes, span_of(BASE_YEAR)), _mean(quotes, span)
        if base is not None and mean is not None:
            found[name] = (mean - base) / 2
    return found


def _lane_usd_teu(tables: Tables, left: set[str] | None = None) -> float | None:
    """Least price of a box by the price list between the quoted ports, over sea links that are open all the year."""
    rates = dict(tables["rates"].filter(pl.col("mode") == "sea").select("country", "usd_teu_km").iter_rows())
    if rates.get("*") is None:
        return None
    ways: dict[str, list[tuple[str, float]]] = {}
    for row in tables["links"].filter(mode="sea", status="existing").iter_rows(named=True):
        if row["season_days"] not in (None, ALL_YEAR) or (left is not None and row["id"] not in left):
            continue
        usd = rates["*"] * (row["length_km"] or 0.0) + (row["fixed_usd_teu"] or 0.0)
        ways.setdefault(row["place_a"], []).append((row["place_b"], usd))
        ways.setdefault(row["place_b"], []).append((row["place_a"], usd))
    start, end = QUOTED
    reached: set[str] = set()
    heap = [(0.0, start)]
    while heap:
        usd, place = heapq.heappop(heap)
        if place == end:
            return usd
        if place not in reached:
            reached.add(place)
            for other, more in ways.get(place, []):
                heapq.heappush(heap, (usd + more, other))
    return None


def detour_usd_teu(tables: Tables, left: Tables) -> float:
    """What the price list asks more for the quoted lane once some sea links are shut, USD per TEU.

    Parameters
    ----------
    tables
        As read.
    left
        After measures, with the links that are left.

    Returns
    -------
    float
        Zero where nothing on the lane is shut, or where no way is left.
    """
    if "links" not in tables or "rates" not in tables:
        return 0.0
    whole = _lane_usd_teu(tables)
    now = _lane_usd_teu(tables, set(left["links"]["id"].to_list()))
    return 0.0 if whole is None or now is None else now - whole


def less_detour(tables: Tables, done: Tables, year: int | None, span: Span | None = None) -> Tables:
    """Take off the quoted prices by sea what the price list asks for a longer way, since they hold it already.

    Parameters
    ----------
    tables
        As read.
    done
        Tables of the year, after measures.
    year
        The year; None changes nothing.
    span
        First and last day; None for the whole year.

    Returns
    -------
    Tables
        The same where no price is quoted, or nothing on the quoted lane is shut.
    """
    if year is None or "parameters" not in done:
        return done
    quoted = sea_market(tables, span or span_of(year))
    more = detour_usd_teu(tables, done) if quoted else 0.0
    if more == 0:
        return done
    off = pl.when(pl.col("id").is_in(list(quoted))).then(more).otherwise(0.0)
    return done.replace(parameters=done["parameters"].with_columns(pl.col("value") - off))


def _refused(tables: Tables, span: Span) -> pl.DataFrame:
    """Refusals of a span: each share times the part of the days on which it holds, dated to the span."""
    first, last = span
    days = (last - first).days + 1
    start = pl.max_horizontal(pl.col("date_from"), pl.lit(first))
    end = pl.min_horizontal(pl.col("date_to").fill_null(last), pl.lit(last))
    part = ((end - start).dt.total_days() + 1).clip(lower_bound=0) / days
    frame = tables["refusals"].with_columns(pl.col("share") * part)
    return frame.filter(pl.col("share") > 0).with_columns(date_from=pl.lit(first), date_to=pl.lit(last))


def of_span(tables: Tables, year: int | None, span: Span | None = None) -> dict[str, pl.DataFrame]:
    """Tables that are other in a year, or a part of it, than in the base year.

    Parameters
    ----------
    tables
        As read.
    year
        The year; None changes nothing.
    span
        First and last day; None for the whole year.
    """
    if year is None or "parameters" not in tables:
        return {}
    span = span or span_of(year)
    frames: dict[str, pl.DataFrame] = {}
    then: dict[str, float] = {}
    if "year_values" in tables:
        then |= dict(tables["year_values"].filter(pl.col("year") == year).select("parameter", "value").iter_rows())
    then |= sea_market(tables, span)
    known = dict(tables["parameters"].select("id", "value").iter_rows())
    if youth := known.get("rail-youth-china-europe"):
        level = known["rail-constant-china-europe"]
        then["rail-constant-china-europe"] = level + youth * max(0, FULL_SERVICE - year)
    if "teu-per-train" in then and "commodities" in tables:
        factor = then["teu-per-train"] / known["teu-per-train"]
        boxed = pl.col("form") == "container"
        frames["commodities"] = tables["commodities"].with_columns(
            pl.when(boxed).then(pl.col("t_per_train") * factor).otherwise(pl.col("t_per_train")).alias("t_per_train")
        )
    if "mode_shares" in tables and any(known.get(name, 1.0) != 1 for name in POOLS):
        frames["mode_shares"] = _widened(tables["mode_shares"], known)
        then |= dict.fromkeys(POOLS.keys() & known.keys(), 1.0)  # they are in the shares now
    before = known.get(RUSSIA, 1.0)
    if "mode_shares" in tables and "commodities" in tables and before != 1:
        if year < LINES_LEFT:
            shares = frames.get("mode_shares", tables["mode_shares"])
            frames["mode_shares"] = _by_ship_to_russia(shares, tables["commodities"], before)
        then[RUSSIA] = 1.0  # it is in the shares now, or has no part in that year
    if then:
        schema = {"id": pl.String, "value": pl.Float64}
        new = pl.DataFrame({"id": list(then), "value": list(then.values())}, schema=schema)
        frames["parameters"] = tables["parameters"].update(new, on="id")
    if "refusals" in tables:
        frames["refusals"] = _refused(tables, span)
    return frames


def _widened(shares: pl.DataFrame, known: dict[str, float]) -> pl.DataFrame:
    """Mode shares whose part that may choose is widened, at the cost of what is firmly by sea."""
    for name, (exporter, importer) in POOLS.items():
        own = (pl.col("exporter") == exporter) & (pl.col("importer") == importer)
        more = (pl.col("switch") * (known.get(name, 1.0) - 1)).clip(upper_bound=pl.col("sea"))
        shares = shares.with_columns(
            switch=pl.when(own).then(pl.col("switch") + more).otherwise("switch"),
            sea=pl.when(own).then(pl.col("sea") - more).otherwise("sea"),
        )
    return shares


def _by_ship_to_russia(shares: pl.DataFrame, commodities: pl.DataFrame, part: float) -> pl.DataFrame:
    """Mode shares with a part of what goes or may go by rail between China and Russia, the rest of it by ship.

    It bears on rows of boxes and on the row of all goods that have none of their own; wagons of ore, coal and timber
    never had a ship to go by.
    """
    boxes = commodities.filter(pl.col("form") == "container")["id"].to_list()
    ends = pl.concat_str("exporter", pl.lit(" "), "importer").is_in(["CHN RUS", "RUS CHN"])
    own = ends & pl.col("commodity").is_in(["*", *boxes])
    land = pl.col("rail") + pl.col("switch")
    less = (land * (1 - part)).clip(lower_bound=-pl.col("sea"))
    factor = pl.when(land > 0).then(1 - less / land).otherwise(1.0)
    return shares.with_columns(
        rail=pl.when(own).then(pl.col("rail") * factor).otherwise("rail"),
        switch=pl.when(own).then(pl.col("switch") * factor).otherwise("switch"),
        sea=pl.when(own).then(pl.col("sea") + less).otherwise("sea"),
    )
