"""What rows say that cannot be so together.

Dates to come, effects outside their event, pipelines that carry more than they can, a gauge that no line there has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from landbridge.data.geography import ALIKE_MM, LAST_YEAR
from landbridge.errors import Fault

__all__ = ["sense_faults"]

#: Columns that tell when something was published or read.
PUBLISHED = {"sources": "date", "facts": "source_date", "targets": "source_date"}

#: An option of a project is no longer than this times its project.
OPTION_FACTOR = 1.5

#: Longest straight piece of a line may come out longer than the line by rounding.
ROUNDING_KM = 1.0


def sense_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return what tables say that cannot be so together.

    Parameters
    ----------
    frames
        Tables by name; checks whose tables or columns are missing are left out.
    """
    return [
        *_to_come(frames),
        *_outside_event(frames),
        *_effects(frames),
        *_pipelines(frames),
        *_passages(frames),
        *_places(frames),
        *_zones(frames),
        *_past(frames),
        *_options(frames),
        *_subsidies(frames),
        *_amounts(frames),
        *_services(frames),
        *_plans(frames),
        *_cargo(frames),
    ]


def _rows(frames: Mapping[str, pl.DataFrame], table: str, columns: str) -> list[dict[str, Any]]:
    """Some columns of a table as rows, or nothing where one of them is missing."""
    names = columns.split()
    if table not in frames or not set(names) <= set(frames[table].columns):
        return []
    return frames[table].select(names).to_dicts()


def _to_come(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Nothing can have been published in a year to come."""
    for table, column in PUBLISHED.items():
        for row in _rows(frames, table, f"id {column}"):
            if (row[column] or "")[:4].isdigit() and int(row[column][:4]) > LAST_YEAR:
                yield Fault(f"{table}.csv", row["id"], column, f"a date not after {LAST_YEAR}", row[column])
    for number, row in enumerate(_rows(frames, "alternatives", "table row column as_of"), start=2):
        if (row["as_of"] or "")[:4].isdigit() and int(row["as_of"][:4]) > LAST_YEAR:
            name = f"row {number} ({row['table']} {row['row']} {row['column']})"
            yield Fault("alternatives.csv", name, "as_of", f"a date not after {LAST_YEAR}", row["as_of"])


def _edge(text: str, *, last: bool) -> date:
    """First or last day of a date that may stop at the year or the month."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return date(*parts)
    if not last:
        return date(parts[0], parts[1] if len(parts) > 1 else 1, 1)
    year, month = (parts[0], parts[1] + 1) if len(parts) > 1 and parts[1] < 12 else (parts[0] + 1, 1)
    return date(year, month, 1) - timedelta(days=1)


def _outside_event(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A stop lies within its event; an effect begins with it or later, or tells what held until the day before."""
    events = {row["id"]: row for row in _rows(frames, "events", "id date date_to")}
    for table, first, last in (
        ("terminal_stops", "from_date", "to_date"),
        ("event_effects", "date_from", "date_to"),
    ):
        for row in _rows(frames, table, f"id event {first} {last}"):
            event = events.get(row["event"])
            if event is None or row[first] is None or not event["date"]:
                continue  # told as a reference that points at nothing, or as a missing cell
            try:
                begin = _edge(event["date"], last=False)
                end = _edge(event["date_to"], last=True) if event["date_to"] else None
            except ValueError:
                continue  # told as a date that no calendar has
            since = str(row[first])
            until = date.fromisoformat(str(row[last])) if row[last] is not None else None
            before = until is not None and until == begin - timedelta(days=1)
            if date.fromisoformat(since) < begin and not before:
                yield Fault(f"{table}.csv", row["id"], first, f"a day not before {row['event']}, {begin}", since)
            elif table == "terminal_stops" and end is not None and until is not None and until > end:
                yield Fault(f"{table}.csv", row["id"], last, f"a day not after {row['event']}, {end}", str(until))


def _effects(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """An effect bears on something; a closure leaves between nothing and all, every other measure names its number."""
    needed = "id measure crossings links countries modes field value"
    for row in _rows(frames, "event_effects", needed):
        where = ("crossings", "links", "countries", "modes")
        if not any(row[column] for column in where):
            yield Fault("event_effects.csv", row["id"], ", ".join(where), "what it bears on", "nothing")
        if row["measure"] == "close":
            if row["field"]:
                yield Fault("event_effects.csv", row["id"], "field", "nothing for a closure", repr(row["field"]))
            if row["value"] is not None and not 0 <= row["value"] <= 1:
                wanted = "the part of the capacity that is left, 0 to 1"
                yield Fault("event_effects.csv", row["id"], "value", wanted, f"{row['value']:g}")
        elif not row["field"]:
            yield Fault("event_effects.csv", row["id"], "field", f"the number that {row['measure']} sets", "nothing")


def _pipelines(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A pipeline begins in the first of its countries and ends in another of them, and carries no more than it can."""
    for row in _rows(frames, "pipelines", "id from_country to_country countries capacity_mt_yr flow_2023_mt"):
        met = row["countries"] or []
        if met and row["from_country"] != met[0]:
            wanted = f"the first of its countries, {met[0]}"
            yield Fault("pipelines.csv", row["id"], "from_country", wanted, str(row["from_country"]))
        if met and row["to_country"] not in met[1:]:  # a pipeline may fork
            wanted = f"a later one of its countries ({', '.join(met[1:])})"
            yield Fault("pipelines.csv", row["id"], "to_country", wanted, str(row["to_country"]))
        most, flow = row["capacity_mt_yr"], row["flow_2023_mt"]
        if None not in (most, flow) and flow > most:
            yield Fault(
                "pipelines.csv", row["id"], "flow_2023_mt", f"at most its capacity, {most:g} Mt", f"{flow:g} Mt"
            )


def _passages(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """The standard relation of a passage does not lie in a country that it may not cross."""
    lies_in = {row["id"]: row["iso2"] for row in _rows(frames, "places", "id iso2")}
    for row in _rows(frames, "passages", "id origin destination via avoid_countries all_countries no_countries"):
        for name in (row["origin"], row["destination"], *(row["via"] or ())):
            country = lies_in.get(name)
            if country is not None and country in (row["avoid_countries"] or ()):
                wanted = f"no country of its relation ({name} lies in {country})"
                yield Fault("passages.csv", row["id"], "avoid_countries", wanted, country)
        both = sorted({*(row["all_countries"] or ())} & {*(row["no_countries"] or ())})
        if both:
            wanted = "no country that all_countries asks for"
            yield Fault("passages.csv", row["id"], "no_countries", wanted, ", ".join(both))


def _places(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Two places that no link joins are two points; a gauge of a place is that of a line there, or comes by ferry."""
    joined: set[frozenset[str]] = set()
    wet: set[str] = set()
    lines: defaultdict[str, set[int]] = defaultdict(set)
    for row in _rows(frames, "links", "id place_a place_b mode gauges_mm max_straight_km drawn_km"):
        both = (row["place_a"], row["place_b"])
        joined.add(frozenset(both))
        wet.update(both if row["mode"] == "ferry" else ())
        for end in both:
            lines[end].update(_alike(row["gauges_mm"]))
        drawn, straight = row["drawn_km"], row["max_straight_km"]
        if None not in (drawn, straight) and straight > drawn + ROUNDING_KM:
            wanted = f"at most the drawn {drawn:g} km"
            yield Fault("links.csv", f"row of {row['id']}", "max_straight_km", wanted, f"{straight:g} km")
    points: dict[tuple[float, float], str] = {}
    for row in _rows(frames, "places", "id lat_deg lon_deg"):
        point = (row["lat_deg"], row["lon_deg"])
        other = points.setdefault(point, row["id"])
        if None not in point and other != row["id"] and frozenset((other, row["id"])) not in joined:
            wanted = f"another point than {other}"
            yield Fault("places.csv", row["id"], "lat_deg, lon_deg", wanted, f"{point[0]:g}, {point[1]:g}")
    of_country: defaultdict[str, set[int]] = defaultdict(set)
    for row in _rows(frames, "places", "id iso2 gauges_mm"):
        here, known = _alike(row["gauges_mm"]), lines[row["id"]]
        of_country[row["iso2"]] |= here
        for gauge in sorted(here - known) if known and row["id"] not in wet else ():
            told = ", ".join(map(str, sorted(known)))
            yield Fault("places.csv", row["id"], "gauges_mm", f"gauges of its lines ({told})", str(gauge))
    for row in _rows(frames, "countries", "iso2 main_gauge_mm"):
        known = of_country[row["iso2"]]
        if row["main_gauge_mm"] is not None and known and known.isdisjoint(_alike([row["main_gauge_mm"]])):
            wanted = f"a gauge there ({', '.join(map(str, sorted(known)))})"
            yield Fault("countries.csv", row["iso2"], "main_gauge_mm", wanted, str(row["main_gauge_mm"]))


def _alike(gauges: Iterable[int] | None) -> set[int]:
    """Gauges, those between which wagons run without a change taken as one."""
    return {ALIKE_MM.get(gauge, gauge) for gauge in gauges or () if gauge is not None}


def _zones(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A zone lies where its place does, unless its country has none here, and goes to sea where ships can be met."""
    lies_in = {row["id"]: row["iso2"] for row in _rows(frames, "places", "id iso2")}
    there = set(lies_in.values())
    at_sea = {
        row[end]
        for row in _rows(frames, "links", "place_a place_b mode")
        if row["mode"] == "sea"
        for end in ("place_a", "place_b")
    }
    for row in _rows(frames, "zones", "id country place sea_port"):
        country = lies_in.get(row["place"])
        if country is not None and country != row["country"] and row["country"] in there:
            yield Fault("zones.csv", row["id"], "country", f"{country}, where {row['place']} lies", row["country"])
        if at_sea and row["sea_port"] is not None and row["sea_port"] not in at_sea:
            yield Fault("zones.csv", row["id"], "sea_port", "a place with a sea link", row["sea_port"])


def _past(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Prices are told relative to 2023; a break goes from an earlier year to a later one; two partners are two."""
    for row in _rows(frames, "past_prices", "id year index"):
        if row["year"] == 2023 and row["index"] is not None and row["index"] != 1:
            yield Fault(
                "past_prices.csv", row["id"], "index", "1 in 2023, to which the others are told", f"{row['index']:g}"
            )
    for row in _rows(frames, "past_breaks", "id until_year from_year"):
        if None not in (row["until_year"], row["from_year"]) and row["from_year"] <= row["until_year"]:
            wanted = f"a year after {row['until_year']}"
            yield Fault("past_breaks.csv", row["id"], "from_year", wanted, str(row["from_year"]))
    for row in _rows(frames, "reporting_bases", "id trader_a trader_b"):
        if row["trader_a"] is not None and row["trader_a"] == row["trader_b"]:
            yield Fault("reporting_bases.csv", row["id"], "trader_b", "another country than trader_a", row["trader_b"])


def _options(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """One option of each kind is the one that is built, and is about as long as its project; openings are past."""
    length = {row["id"]: row["length_km"] for row in _rows(frames, "projects", "id length_km")}
    chosen: Counter[tuple[str, str]] = Counter()
    for row in _rows(frames, "project_options", "id project kind chosen length_km"):
        chosen[row["project"], row["kind"]] += bool(row["chosen"])
        if row["chosen"] and chosen[row["project"], row["kind"]] == 2:
            wanted = f"one option of {row['project']} that is chosen for its {row['kind']}"
            yield Fault("project_options.csv", row["id"], "chosen", wanted, "another")
        whole = length.get(row["project"])
        if whole is not None and row["length_km"] is not None and row["length_km"] > OPTION_FACTOR * whole:
            wanted = f"at most {OPTION_FACTOR:g} times its project, {whole:g} km"
            yield Fault("project_options.csv", row["id"], "length_km", wanted, f"{row['length_km']:g} km")
    for row in _rows(frames, "openings", "id works_from"):
        if row["works_from"] is not None and row["works_from"] > LAST_YEAR:
            yield Fault(
                "openings.csv", row["id"], "works_from", f"a year not after {LAST_YEAR}", str(row["works_from"])
            )


def _subsidies(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A country pays for trains of its own hubs."""
    lies_in = {row["id"]: row["iso2"] for row in _rows(frames, "places", "id iso2")}
    for row in _rows(frames, "subsidies", "id country place"):
        country = lies_in.get(row["place"])
        if country is not None and country != row["country"]:
            yield Fault(
                "subsidies.csv", row["id"], "place", f"a hub in {row['country']}", f"{row['place']} ({country})"
            )


def _amounts(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A number has its unit; words are not counted."""
    for row in _rows(frames, "agreements", "id amount amount_unit"):
        if (row["amount"] is None) != (row["amount_unit"] is None):
            got = "a unit alone" if row["amount"] is None else f"{row['amount']:g} of nothing"
            yield Fault("agreements.csv", row["id"], "amount, amount_unit", "both or neither", got)
    for row in _rows(frames, "facts", "id value value_date unit"):
        if row["value"] is not None and row["unit"] in ("text", "date", "dates"):
            yield Fault("facts.csv", row["id"], "unit", "the unit of its number", repr(row["unit"]))
    for row in _rows(frames, "targets", "id fact_id source_title"):
        if not row["fact_id"] and not row["source_title"]:
            yield Fault("targets.csv", row["id"], "fact_id, source_title", "whose figure it is", "nothing")


def _services(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Block trains leave hubs that have rails; ferries, feeders and liners run on links over water."""
    wet = ("ferry:", "sea:")
    rails = {row["id"]: bool(row["gauges_mm"]) for row in _rows(frames, "places", "id gauges_mm")}
    for row in _rows(frames, "services", "id kind place link"):
        if row["kind"] == "block_train" and rails:
            if row["link"] is not None:
                yield Fault("services.csv", row["id"], "link", "nothing for block trains, but a hub", row["link"])
            if not rails.get(row["place"], True):  # a place that is not there is told with the names
                yield Fault("services.csv", row["id"], "place", "a place with rails", row["place"])
        elif row["kind"] != "block_train" and row["link"] is not None and not row["link"].startswith((*wet, "*")):
            yield Fault("services.csv", row["id"], "link", f"a link over water for a {row['kind']}", row["link"])


def _plans(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A plan lies at an end of its crossing, and its sides are gauges of its place."""
    gauges = {row["id"]: row["gauges_mm"] or [] for row in _rows(frames, "places", "id gauges_mm")}
    ends = {row["id"]: (row["place_a"], row["place_b"]) for row in _rows(frames, "crossings", "id place_a place_b")}
    for row in _rows(frames, "terminal_plans", "id place crossing side_a side_b"):
        if row["crossing"] in ends and row["place"] not in ends[row["crossing"]]:
            wanted = f"an end of {row['crossing']} ({' or '.join(ends[row['crossing']])})"
            yield Fault("terminal_plans.csv", row["id"], "place", wanted, str(row["place"]))
        for side in ("side_a", "side_b"):
            known = [str(gauge) for gauge in gauges.get(row["place"], ()) if gauge is not None]
            if known and row[side] is not None and row[side] not in (*known, "ferry"):
                wanted = f"a gauge of {row['place']} ({', '.join(known)}) or ferry"
                yield Fault("terminal_plans.csv", row["id"], side, wanted, row[side])


def _cargo(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Goods in boxes have a weight by box."""
    for row in _rows(frames, "commodities", "id form t_per_teu"):
        if row["form"] == "container" and row["t_per_teu"] is None:
            yield Fault("commodities.csv", row["id"], "t_per_teu", "tonnes in a TEU, for goods in boxes", "nothing")
