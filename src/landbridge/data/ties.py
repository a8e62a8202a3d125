"""What rows that are tied to each other must agree on.

An effect sets a number that its measure has; a project is as far as its dates and its links say; ships are enough for
their sailings; a value of a year lies in the range of its parameter.
"""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import polars as pl

from landbridge.data.geography import FIRST_YEAR, LAST_YEAR
from landbridge.errors import Fault, suggest

__all__ = ["EFFECT_BEARS_ON", "EFFECT_FIELDS", "MAY_BE_ZERO", "lender_faults", "tie_faults"]

_FACTORS = ("time_factor", "waiting_factor", "cost_factor", "capacity_factor")
_AMOUNTS = ("usd_teu", "usd_t", "usd_teu_km", "usd_t_km")

#: Numbers that an effect's measure may set: those of the record of the same name in ``scenario.measures``.
EFFECT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "ease": _FACTORS,
    "charge": _AMOUNTS,
    "subsidise": _AMOUNTS,
    "upgrade": (
        "capacity_factor",
        "capacity_trains_day",
        "speed_factor",
        "speed_kmh",
        "tracks",
        "train_length_factor",
    ),
}

#: Those of them that may be nothing; all others are above 0.
MAY_BE_ZERO = ("time_factor", "waiting_factor", "cost_factor")

#: What an effect's measure may bear on, of the columns that effects have.
EFFECT_BEARS_ON: Mapping[str, tuple[str, ...]] = {
    "close": ("crossings", "links", "countries"),
    "ease": ("crossings", "countries"),
    "charge": ("crossings", "links", "countries", "modes"),
    "subsidise": ("crossings", "links", "countries", "modes"),
    "upgrade": ("crossings", "links"),
}

#: States of a project in which nothing is open, and how links of a project in service may stand.
TO_COME = ("proposed", "study", "planned", "under_construction")
NOT_BEGUN = ("proposed", "study")
OPEN = ("existing", "suspended")

#: How goods may change between gauges: boxes by crane, bulk by reloading or with other bogies.
GAUGE_CHANGES = {"container": ("transfer",), "bulk": ("reload", "bogie")}

#: Ships may be fewer than full round trips at the speed stated need, by this part: a crossing may be quicker.
SHIP_SLACK = 0.1
HOURS_WEEK = 168

#: Blocs with customs of their own, of which a country can be in one.
CUSTOMS_UNIONS = ("eu", "eaeu")

#: Rows of a project in money may come to more than its cost by rounding.
COST_SLACK = 0.05


def tie_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return what rows that are tied to each other disagree on.

    Parameters
    ----------
    frames
        Tables by name; checks whose tables or columns are missing are left out.
    """
    return [
        *_effects(frames),
        *_year_values(frames),
        *_at_sea(frames),
        *_projects(frames),
        *_project_links(frames),
        *_upgrades(frames),
        *_railways_at_crossings(frames),
        *_ships(frames),
        *_yards(frames),
        *_growth(frames),
        *_passages(frames),
        *_tied_places(frames),
        *_parties(frames),
        *_closures(frames),
        *_unions(frames),
    ]


def _rows(frames: Mapping[str, pl.DataFrame], table: str, columns: str) -> list[dict[str, Any]]:
    """Some columns of the rows that have a name, or nothing where a column is missing."""
    names = columns.split()
    if table not in frames or not set(names) <= set(frames[table].columns):
        return []
    return frames[table].select(names).filter(pl.col(names[0]).is_not_null()).to_dicts()


def _year(text: object) -> int | None:
    """Year of a date that may stop at it."""
    found = str(text or "")[:4]
    return int(found) if found.isdigit() else None


def _effects(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """An effect sets a number of its measure, on what the measure can bear on, by an amount that it can take."""
    for row in _rows(frames, "event_effects", "id measure crossings links countries modes field value"):
        measure, field, value = row["measure"], row["field"], row["value"]
        known = EFFECT_FIELDS.get(measure, ())
        if field and known and field not in known:
            near = suggest(field, list(known))
            hint = f"; did you mean {near[0]}?" if near else ""
            wanted = f"a number that {measure} sets ({', '.join(known)}){hint}"
            yield Fault("event_effects.csv", row["id"], "field", wanted, repr(field))
        elif field and value is not None and (value < 0 or (value == 0 and field not in MAY_BE_ZERO)):
            wanted = "at least 0" if field in MAY_BE_ZERO else "above 0"
            yield Fault("event_effects.csv", row["id"], "value", wanted, f"{value:g}")
        elif field and value is None:
            yield Fault("event_effects.csv", row["id"], "value", f"the {field} that holds", "nothing")
        for column in ("crossings", "links", "countries", "modes"):
            if row[column] and column not in EFFECT_BEARS_ON.get(measure, (column,)):
                wanted = f"nothing, as {measure} bears on {' or '.join(EFFECT_BEARS_ON[measure])}"
                yield Fault("event_effects.csv", row["id"], column, wanted, ";".join(row[column]))


def _year_values(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """What a parameter is in one year lies in its range, and in a year that can be run."""
    ranges = {row["id"]: (row["low"], row["high"]) for row in _rows(frames, "parameters", "id low high")}
    for row in _rows(frames, "year_values", "id parameter year value"):
        low, high = ranges.get(row["parameter"], (None, None))
        if None not in (low, high, row["value"]) and not low <= row["value"] <= high:
            wanted = f"{low:g} to {high:g}, the range of {row['parameter']}"
            yield Fault("year_values.csv", row["id"], "value", wanted, f"{row['value']:g}")
        if row["year"] is not None and not FIRST_YEAR <= row["year"] <= LAST_YEAR:
            wanted = f"a year from {FIRST_YEAR} to {LAST_YEAR}"
            yield Fault("year_values.csv", row["id"], "year", wanted, str(row["year"]))


def _at_sea(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A country without a coast has no port on the sea; its ferries cross lakes and the Caspian."""
    inland = {row["iso2"] for row in _rows(frames, "countries", "iso2 landlocked") if row["landlocked"]}
    lies_in = {row["id"]: row["iso2"] for row in _rows(frames, "places", "id iso2")}
    told: set[str] = set()
    for row in _rows(frames, "links", "id place_a place_b mode"):
        for end in ("place_a", "place_b") if row["mode"] == "sea" else ():
            country = lies_in.get(row[end])
            if country in inland and row[end] not in told:
                told.add(row[end])
                wanted = f"a country with a coast ({row[end]} has the sea link {row['id']})"
                yield Fault("countries.csv", str(country), "landlocked", wanted, "landlocked")


def _projects(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """What is in service has been finished, what is being built has begun and has its end to come."""
    for row in _rows(frames, "projects", "id status start finish"):
        start, finish, status = _year(row["start"]), _year(row["finish"]), row["status"]
        if start is not None and finish is not None and finish < start:
            continue  # told with the dates
        if status in TO_COME and finish is not None and finish < LAST_YEAR:
            wanted = f"a year not before {LAST_YEAR}, or a status of in_service or abandoned"
            yield Fault("projects.csv", row["id"], "finish", wanted, f"{row['finish']}, {status}")
        if status == "in_service" and finish is not None and finish > LAST_YEAR:
            wanted = f"a year not after {LAST_YEAR}, or a status of under_construction or planned"
            yield Fault("projects.csv", row["id"], "finish", wanted, f"{row['finish']}, in_service")
        if status in ("in_service", "under_construction") and start is not None and start > LAST_YEAR:
            wanted = f"a year not after {LAST_YEAR}, or a status of planned"
            yield Fault("projects.csv", row["id"], "start", wanted, f"{row['start']}, {status}")


def _project_links(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Links of a project that is in service are there, those of one that is to come are not, and none opens before."""
    projects = {row["id"]: row for row in _rows(frames, "projects", "id status start")}
    for row in _rows(frames, "links", "id project status open_from"):
        project = projects.get(row["project"])
        if project is None:
            continue
        status, start, name = project["status"], _year(project["start"]), f"row of {row['id']}"
        if status == "in_service" and row["status"] not in OPEN:
            wanted = f"existing, as {row['project']} is in service"
            yield Fault("links.csv", name, "status", wanted, str(row["status"]))
        if status in NOT_BEGUN and row["status"] in ("existing", "under_construction"):
            wanted = f"planned or proposed, as {row['project']} is {status}"
            yield Fault("links.csv", name, "status", wanted, str(row["status"]))
        if None not in (start, row["open_from"]) and row["open_from"] < start:
            wanted = f"a year not before {start}, when {row['project']} began"
            yield Fault("links.csv", name, "open_from", wanted, str(row["open_from"]))


def _upgrades(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """An upgrade is of what its project is about, comes no earlier than it begins, and not yet of one just proposed."""
    projects = {row["id"]: row for row in _rows(frames, "projects", "id status start lines crossings")}
    for row in _rows(frames, "upgrades", "id project table subject from_date"):
        project, since = projects.get(row["project"]), _year(row["from_date"])
        about = project.get(row["table"]) if project is not None else None
        if about and row["subject"] not in about:
            wanted = f"one of the {row['table']} of {row['project']} ({', '.join(about)})"
            yield Fault("upgrades.csv", row["id"], "subject", wanted, str(row["subject"]))
        if project is None or since is None:
            continue
        start = _year(project["start"])
        if start is not None and since < start:
            wanted = f"a day not before {start}, when {row['project']} began"
            yield Fault("upgrades.csv", row["id"], "from_date", wanted, str(row["from_date"]))
        if project["status"] in NOT_BEGUN and since <= LAST_YEAR:
            wanted = f"a day after {LAST_YEAR}, as {row['project']} is {project['status']}"
            yield Fault("upgrades.csv", row["id"], "from_date", wanted, str(row["from_date"]))


def lender_faults(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield projects for which more is paid than they cost.

    Parameters
    ----------
    frames
        Tables of a whole package: an overlay may bring a price of its own, whoever was to pay the other one.
    """
    paid: defaultdict[str, float] = defaultdict(float)
    for row in _rows(frames, "financing", "project amount_usd_mn"):
        paid[row["project"]] += row["amount_usd_mn"] or 0.0
    for row in _rows(frames, "projects", "id cost_high_usd_mn"):
        cost = row["cost_high_usd_mn"]
        if cost is not None and paid[row["id"]] > cost * (1 + COST_SLACK):
            wanted = f"together at most what the project costs, {cost:,.0f} USD mn"
            yield Fault("financing.csv", row["id"], "amount_usd_mn", wanted, f"{paid[row['id']]:,.0f}")


def _railways_at_crossings(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Railways at a border are at home, or owned, on one of its sides; none works on a road."""
    home = {
        row["id"]: {row["country"], *(row["owner_countries"] or ())}
        for row in _rows(frames, "operators", "id country owner_countries")
    }
    lies_in = {row["id"]: row["iso2"] for row in _rows(frames, "places", "id iso2")}
    modes = {row["id"]: row["mode"] for row in _rows(frames, "links", "id mode")}
    for row in _rows(frames, "crossings", "id link place_a place_b country_a country_b mode operators"):
        if row["mode"] != modes.get(row["link"], row["mode"]):
            continue  # told with the links
        sides = [row[f"country_{end}"] or lies_in.get(row[f"place_{end}"]) for end in ("a", "b")]
        for name in row["operators"] or ():
            if row["mode"] != "rail":
                yield Fault("crossings.csv", row["id"], "operators", f"nothing on {row['mode']}", name)
            elif name in home and home[name].isdisjoint(sides):
                wanted = f"railways of its two sides ({' and '.join(map(str, sides))})"
                yield Fault("crossings.csv", row["id"], "operators", wanted, name)


def _ships(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """The ships of a line can sail as often as it says, were they never in port."""
    speed = {row["id"]: row["speed_kmh"] for row in _rows(frames, "lines", "id speed_kmh")}
    links = {row["id"]: row for row in _rows(frames, "links", "id line length_km") if row["id"] is not None}
    for row in _rows(frames, "services", "id link departures_week vessels"):
        if None in (row["link"], row["departures_week"], row["vessels"]) or row["vessels"] == 0:
            continue
        trips = [
            2 * links[name]["length_km"] / speed[links[name]["line"]]
            for name in fnmatch.filter(links, row["link"])
            if links[name]["length_km"] and speed.get(links[name]["line"])
        ]
        need = row["departures_week"] * min(trips, default=0.0) / HOURS_WEEK
        if need > row["vessels"] * (1 + SHIP_SLACK):
            wanted = f"at least {need:.1f} ships for {row['departures_week']:g} sailings a week each way"
            yield Fault("services.csv", row["id"], "vessels", wanted, str(row["vessels"]))


def _yards(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Boxes change gauge by crane, bulk is reloaded or gets other bogies."""
    for row in _rows(frames, "gauge_changes", "id option cargo"):
        known = GAUGE_CHANGES.get(row["cargo"])
        if known and row["option"] is not None and row["option"] not in known:
            wanted = f"{' or '.join(known)} for {row['cargo']}"
            yield Fault("gauge_changes.csv", row["id"], "option", wanted, row["option"])


def _growth(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Two rates of growth of one flow hold in years of their own."""
    periods: defaultdict[tuple[object, ...], list[tuple[int, int, str]]] = defaultdict(list)
    for row in _rows(frames, "growth", "id exporter importer commodity from_year to_year"):
        if None not in (row["from_year"], row["to_year"]):
            key = (row["exporter"], row["importer"], row["commodity"])
            periods[key].append((row["from_year"], row["to_year"], row["id"]))
    for ones in periods.values():
        ones.sort()
        for (first, last, other), (since, _, name) in pairwise(ones):
            if first < since < last:  # two that begin in one year are told as rows that say a thing twice
                wanted = f"a year not before {last}, when {other} ends"
                yield Fault("growth.csv", name, "from_year", wanted, str(since))


def _passages(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """The standard relation of a passage goes from one place to another by places between them."""
    for row in _rows(frames, "passages", "id origin destination via"):
        if row["origin"] is not None and row["origin"] == row["destination"]:
            yield Fault("passages.csv", row["id"], "destination", "another place than origin", row["destination"])
        for name in sorted({row["origin"], row["destination"]} & set(row["via"] or ())):
            yield Fault("passages.csv", row["id"], "via", "places between origin and destination", name)


def _tied_places(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """What projects and agreements are tied to lies in their countries."""
    lies_in = {row["id"]: row["iso2"] for row in _rows(frames, "places", "id iso2")}
    for table in ("projects", "agreements"):
        for row in _rows(frames, table, "id countries places"):
            countries = row["countries"] or ()
            for name in row["places"] or ():
                country = lies_in.get(name)
                if countries and country is not None and country not in countries:
                    wanted = f"{country} too, where {name} lies"
                    yield Fault(f"{table}.csv", row["id"], "countries", wanted, ";".join(countries))


def _parties(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Countries that are named as parties or actors are among the countries."""
    codes = {row["name"]: row["iso2"] for row in _rows(frames, "countries", "name iso2")}
    for table, column in (("agreements", "parties"), ("events", "actors")):
        for row in _rows(frames, table, f"id countries {column}"):
            for name in row[column] or ():
                code, countries = codes.get(name), row["countries"] or ()
                if code is not None and countries and code not in countries:
                    wanted = f"{code} too, as {name} is among the {column}"
                    yield Fault(f"{table}.csv", row["id"], "countries", wanted, ";".join(countries))


def _closures(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A crossing that an event shut opens again when the event ends; an effect bears on something that it names."""
    events = {row["id"]: row for row in _rows(frames, "events", "id date date_to crossings")}
    crossings = {row["id"]: row for row in _rows(frames, "crossings", "id closed_from closed_to")}
    for row in events.values():
        for name in row["crossings"] or ():
            gate = crossings.get(name)
            if gate is None or gate["closed_from"] is None or str(gate["closed_from"]) != row["date"]:
                continue
            last, told = str(gate["closed_to"]), row["date_to"]
            if gate["closed_to"] is not None and told and len(told) == len(last) and last != told:
                wanted = f"{told}, when {row['id']} ends that shut it"
                yield Fault("crossings.csv", name, "closed_to", wanted, last)
    for row in _rows(frames, "event_effects", "id event crossings"):
        named = (events.get(row["event"]) or {}).get("crossings") or ()
        if row["crossings"] and named and set(named).isdisjoint(row["crossings"]):
            wanted = f"one at least of those that {row['event']} names ({', '.join(named)})"
            yield Fault("event_effects.csv", row["id"], "crossings", wanted, ";".join(row["crossings"]))


def _unions(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A country is in one customs union at most."""
    member: dict[str, str] = {}
    for row in _rows(frames, "blocs", "bloc iso2"):
        if row["bloc"] in CUSTOMS_UNIONS:
            other = member.setdefault(row["iso2"], row["bloc"])
            if other != row["bloc"]:
                wanted = f"a country outside {other}, which has customs of its own too"
                yield Fault("blocs.csv", row["bloc"], "iso2", wanted, str(row["iso2"]))
