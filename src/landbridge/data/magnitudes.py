"""Whether numbers are of the size that they can be, and whether words beside them say the same.

For a whole package only: a user may assume what nobody has published. Bands are wide, since they are to find lost zeros
and wrong units, not values that are merely unusual.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import Dictionary
from landbridge.data.provenance import Origin, read_origins, row_keys
from landbridge.errors import Fault

__all__ = ["magnitude_faults", "reasoning_faults"]

#: Grams of CO2 a tonne-km by mode and traction.
EMISSIONS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("rail", "electric"): (0.2, 50),
    ("rail", "mixed"): (3, 60),
    ("rail", "diesel"): (10, 80),
    ("road", "none"): (30, 300),
    ("sea", "none"): (2, 80),
    ("ferry", "none"): (10, 200),
}

#: Commercial speeds on lines, stops under way included, km/h.
SPEEDS: Mapping[str, tuple[float, float]] = {"rail": (8, 100), "road": (8, 90), "sea": (8, 50), "ferry": (8, 60)}

#: Prices of carrying, USD a TEU-km and a tonne-km.
RATES: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "rail": ((0.05, 1.5), (0.004, 0.15)),
    "road": ((0.2, 4), (0.02, 0.4)),
    "sea": ((0.005, 0.2), (0.0003, 0.02)),
    "ferry": ((0.03, 2), (0.003, 0.15)),
}

#: Tonnes that a box stands for where both are priced: of fees at borders, and of carrying.
FEE_T_TEU, CARRIED_T_TEU = (10, 30), (4, 40)

#: Boxes that one departure of a service can take, TEU.
DEPARTURE_TEU: Mapping[str, tuple[float, float]] = {
    "block_train": (40, 250),
    "ferry": (20, 2000),
    "feeder": (20, 3500),
    "liner": (300, 25000),
}

#: How often a year a yard can be filled anew, and boxes that a track can take in a year.
TURNS_YR, TEU_TRACK_YR = (3, 500), 600_000

#: Output of a head, USD a year, and goods traded by output.
GDP_HEAD_USD, TRADE_BY_GDP = (150, 300_000), 2.5

#: A quote of freight by sea is no further from the middle of its neighbours than this factor.
QUOTE_FACTOR = 3.5

#: Mean tariffs, per cent; further hours in a yard between gauges; trains a day each way on one track, and on three.
TARIFF_PCT, YARD_H, ONE_TRACK_DAY, THREE_TRACKS_DAY = 50, 72, 72, 80

#: Bulk goods are no dearer or cheaper than what is recorded of them by this factor.
GOODS_FACTOR = 3

#: Nothing in the atlas rests on what was published before.
FIRST_PUBLISHED = 1950

#: What may lie between a value and the words beside it.
WORDS_SLACK, COST_SLACK, FORMULA_SLACK, FORMULA_DIGIT, FIGURE_SLACK = 0.011, 0.12, 0.1, 0.051, 0.002

#: Dollars that a unit of a currency has been worth since 2010.
CURRENCIES: Mapping[str, tuple[float, float]] = {
    "USD": (1, 1),
    "EUR": (1.0, 1.45),
    "KZT": (1 / 560, 1 / 145),
    "PLN": (1 / 5.0, 1 / 2.7),
    "CNY": (1 / 7.4, 1 / 6.0),
    "RUB": (1 / 110, 1 / 28),
}

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_NUMBERS = re.compile(rf"(?<![\w.,-]){_NUMBER}|(?<=[-\u2013]){_NUMBER}")
_SPAN = re.compile(rf"({_NUMBER})\s*(?:-|to)\s*({_NUMBER})")
_MONEY = re.compile(rf"({_NUMBER})(?:\s*(?:-|to)\s*({_NUMBER}))?\s*(bn|mn)(?:\s+([A-Z]{{3}})\b)?")
_RESULT = re.compile(rf"=\s*(?:about\s+)?({_NUMBER}(?:e\d+)?)")
_WH, _GRID = re.compile(r"([\d.]+) Wh"), re.compile(r"([\d.,]+) g/kWh")

#: Units of facts in which a column's unit may be told, with what they are of it.
FACT_UNITS: Mapping[str, Mapping[str, float]] = {
    "TEU/yr": {"TEU/yr": 1},
    "t/yr": {"t/yr": 1, "Mt/yr": 1e6},
    "Mt/yr": {"Mt/yr": 1},
    "trains/day": {"trains/day": 1, "train pairs/day": 1},
    "h": {"hours": 1, "h": 1, "minutes": 1 / 60, "days": 24},
    "km": {"km": 1},
    "km/h": {"km/h": 1},
    "USD/TEU": {"USD/TEU": 1},
    "USD mn": {"USD mn": 1, "USD bn": 1e3},
    "cranes": {"cranes": 1},
    "tracks": {"tracks": 1},
    "TEU": {"TEU": 1},
}


def magnitude_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return numbers of a size that they cannot be, or that contradict the words beside them.

    Parameters
    ----------
    frames
        Tables by name; checks whose tables or columns are missing are left out.
    """
    return [
        *_emissions(frames),
        *_speeds(frames),
        *_rates(frames),
        *_fees(frames),
        *_services(frames),
        *_yards(frames),
        *_countries(frames),
        *_quotes(frames),
        *_trains(frames),
        *_project_words(frames),
        *_agreement_words(frames),
        *_addresses(frames),
        *_idle(frames),
        *_money(frames),
        *_goods(frames),
        *_tracks(frames),
        *_figures(frames),
    ]


def _rows(frames: Mapping[str, pl.DataFrame], table: str, columns: str) -> list[dict[str, Any]]:
    """Some columns of the rows that have a name, or nothing where a column is missing."""
    names = columns.split()
    if table not in frames or not set(names) <= set(frames[table].columns):
        return []
    return frames[table].select(names).filter(pl.col(names[0]).is_not_null()).to_dicts()


def _outside(value: float | None, band: tuple[float, float] | None) -> bool:
    return value is not None and band is not None and not band[0] <= value <= band[1]


def _told(value: float) -> str:
    return f"{value:,.0f}" if value >= 1e5 else f"{value:g}"


def _emissions(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A factor is of the size of its traction, and what its own words come to."""
    rows = _rows(frames, "emissions", "id mode traction country co2_g_tkm method note")
    diesel = {row["country"]: row["co2_g_tkm"] for row in rows if row["traction"] == "diesel"}
    electric = {row["country"]: row["co2_g_tkm"] for row in rows if row["traction"] == "electric"}
    for row in rows:
        value = row["co2_g_tkm"]
        if value is None:
            continue
        band = EMISSIONS.get((row["mode"], row["traction"]))
        if band is not None and _outside(value, band):
            wanted = f"{band[0]:g} to {band[1]:g} g a tkm for {row['traction']} on {row['mode']}"
            if row["traction"] == "none":
                wanted = f"{band[0]:g} to {band[1]:g} g a tkm by {row['mode']}"
            yield Fault("emissions.csv", row["id"], "co2_g_tkm", wanted, f"{value:g}")
            continue
        use, grid = _WH.search(row["method"] or ""), _GRID.search(row["note"] or "")
        told: float | None = None
        if row["traction"] == "electric" and use and grid:
            told = float(use[1]) * float(grid[1].replace(",", "")) / 1000
            words = f"{use[0]} x {grid[0]}"
        elif row["traction"] == "mixed" and row["country"] in electric and (row["method"] or "").startswith("mean of"):
            told = (electric[row["country"]] + diesel.get(row["country"], diesel.get("*", diesel.get(None, value)))) / 2
            words = str(row["method"])
        if told is not None and abs(told - value) > max(FORMULA_SLACK * told, FORMULA_DIGIT):
            yield Fault("emissions.csv", row["id"], "co2_g_tkm", f"{told:.3g}, as it says: {words}", f"{value:g}")


def _speeds(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Commercial speeds are those of their mode, also after an upgrade."""
    modes = {row["id"]: row["mode"] for row in _rows(frames, "lines", "id mode")}
    told = [("lines", row["id"], row["id"], row["speed_kmh"]) for row in _rows(frames, "lines", "id speed_kmh")]
    told += [
        ("upgrades", row["id"], row["subject"], row["speed_kmh"])
        for row in _rows(frames, "upgrades", "id table subject speed_kmh")
        if row["table"] == "lines"
    ]
    for table, name, line, speed in told:
        band = SPEEDS.get(modes.get(line, ""))
        if band is not None and _outside(speed, band):
            wanted = f"{band[0]:g} to {band[1]:g} km/h by {modes[line]}"
            yield Fault(f"{table}.csv", name, "speed_kmh", wanted, f"{speed:g}")


def _rates(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Prices of carrying are those of their mode, and a box costs as much as what it weighs."""
    for row in _rows(frames, "rates", "id mode usd_teu_km usd_t_km"):
        bands = RATES.get(row["mode"])
        sound = True
        for column, band in zip(("usd_teu_km", "usd_t_km"), bands or (), strict=False):
            if _outside(row[column], band):
                sound = False
                wanted = f"{band[0]:g} to {band[1]:g} by {row['mode']}"
                yield Fault("rates.csv", row["id"], column, wanted, f"{row[column]:g}")
        box, tonne = row["usd_teu_km"], row["usd_t_km"]
        if sound and box and tonne and _outside(box / tonne, CARRIED_T_TEU):
            wanted = f"{CARRIED_T_TEU[0]} to {CARRIED_T_TEU[1]} times usd_t_km, {tonne:g}"
            yield Fault("rates.csv", row["id"], "usd_teu_km", wanted, f"{box:g}")


def _fees(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Fees at a border are as much for a box as for the tonnes in it."""
    for way in ("ab", "ba"):
        box, tonne = f"cost_{way}_usd_teu", f"cost_{way}_usd_t"
        for row in _rows(frames, "crossings", f"id {box} {tonne}"):
            if row[box] and row[tonne] and _outside(row[box] / row[tonne], FEE_T_TEU):
                wanted = f"{FEE_T_TEU[0]} to {FEE_T_TEU[1]} times {tonne}, {row[tonne]:g}"
                yield Fault("crossings.csv", row["id"], box, wanted, f"{row[box]:g}")


def _services(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A departure takes what a train or a ship of its kind can take."""
    for row in _rows(frames, "services", "id kind departures_week capacity_teu_yr"):
        band = DEPARTURE_TEU.get(row["kind"])
        if band is None or not row["departures_week"] or row["capacity_teu_yr"] is None:
            continue
        each = row["capacity_teu_yr"] / (52 * row["departures_week"])
        if _outside(each, band):
            wanted = f"{band[0]:g} to {band[1]:g} TEU a departure of a {row['kind'].replace('_', ' ')}"
            yield Fault("services.csv", row["id"], "capacity_teu_yr", wanted, f"{each:.4g} TEU")


def _yards(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A terminal fills its yard and its tracks as often as it can."""
    for row in _rows(frames, "terminals", "id from_mode to_mode capacity_teu_yr storage_teu tracks"):
        room, yard = row["capacity_teu_yr"], row["storage_teu"]
        if room and yard and _outside(room / yard, TURNS_YR):
            wanted = f"a yard that is filled {TURNS_YR[0]} to {TURNS_YR[1]} times a year by {_told(room)} TEU"
            yield Fault("terminals.csv", row["id"], "storage_teu", wanted, f"{_told(yard)} TEU")
        by_land = {row["from_mode"], row["to_mode"]} <= {"rail", "road"}
        if room and row["tracks"] and by_land and room > TEU_TRACK_YR * row["tracks"]:
            wanted = f"at most {TEU_TRACK_YR * row['tracks']:,} TEU a year on {row['tracks']} tracks"
            yield Fault("terminals.csv", row["id"], "capacity_teu_yr", wanted, _told(room))


def _countries(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Output by head, and trade by output, are those of some country."""
    needed = "iso2 gdp_2023_usd population exports_goods_2023_usd imports_goods_2023_usd"
    for row in _rows(frames, "countries", needed):
        output, heads = row["gdp_2023_usd"], row["population"]
        if output and heads and _outside(output / heads, GDP_HEAD_USD):
            wanted = f"{GDP_HEAD_USD[0]:g} to {GDP_HEAD_USD[1]:,} USD a head of {heads:,.0f}"
            yield Fault("countries.csv", row["iso2"], "gdp_2023_usd", wanted, f"{output / heads:,.4g} USD a head")
            continue
        for column in ("exports_goods_2023_usd", "imports_goods_2023_usd"):
            if output and row[column] and row[column] > TRADE_BY_GDP * output:
                wanted = f"at most {TRADE_BY_GDP:g} times gdp_2023_usd, {output:.4g}"
                yield Fault("countries.csv", row["iso2"], column, wanted, f"{row[column]:.4g}")


def _quotes(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A quote is of the size of those before and after it on its lane."""
    lanes: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(frames, "sea_quotes", "id lane date usd_feu"):
        if row["date"] is not None and row["usd_feu"]:
            lanes.setdefault(row["lane"], []).append(row)
    for rows in lanes.values():
        rows.sort(key=lambda row: str(row["date"]))
        for at, row in enumerate(rows):
            near = [other["usd_feu"] for other in rows[max(0, at - 3) : at + 4] if other is not row]
            middle = statistics.median(near) if len(near) > 2 else None
            if middle and _outside(row["usd_feu"] / middle, (1 / QUOTE_FACTOR, QUOTE_FACTOR)):
                wanted = f"{middle / QUOTE_FACTOR:,.0f} to {middle * QUOTE_FACTOR:,.0f} USD, by the quotes around it"
                yield Fault("sea_quotes.csv", row["id"], "usd_feu", wanted, f"{row['usd_feu']:g}")


def _trains(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A train of boxes weighs as much as its boxes do."""
    boxes = {row["id"]: row["value"] for row in _rows(frames, "parameters", "id value")}.get("teu-per-train")
    for row in _rows(frames, "commodities", "id form t_per_teu t_per_train"):
        if boxes and row["form"] == "container" and row["t_per_teu"] and row["t_per_train"]:
            whole = boxes * row["t_per_teu"]
            if abs(row["t_per_train"] - whole) > FORMULA_SLACK * whole:
                wanted = f"{whole:,.0f} t, {boxes:g} TEU a train of {row['t_per_teu']:g} t"
                yield Fault("commodities.csv", row["id"], "t_per_train", wanted, f"{row['t_per_train']:g} t")


def _numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in _NUMBERS.findall(text)]


def _amounts(text: str) -> list[float]:
    """Numbers of a text, and middles of its spans."""
    spans = [(float(a.replace(",", "")) + float(b.replace(",", ""))) / 2 for a, b in _SPAN.findall(text)]
    return [*_numbers(text), *spans]


def _near(value: float, told: Iterable[float], slack: float = WORDS_SLACK) -> bool:
    return any(abs(value - one) <= slack * abs(one) for one in told)


def _says(value: float, text: str) -> bool:
    """Whether a text holds a number, as such, as the middle of a span or as a sum of two or three."""
    told = _amounts(text)
    if _near(value, told):
        return True
    some = _numbers(text)[:8]
    return any(_near(value, [sum(ones)], 0.001) for size in (2, 3) for ones in combinations(some, size))


def _cost_is_told(value: float, text: str) -> bool:
    """Whether a cost in millions of dollars is one of those in a text, at some rate of exchange."""
    for low, high, unit, currency in _MONEY.findall(text):
        worth = CURRENCIES.get(currency or "USD")
        if worth is None:
            return True  # a currency whose rate is not known here
        for amount in (low, high) if high else (low,):
            told = float(amount.replace(",", "")) * (1000 if unit == "bn" else 1)
            if worth[0] * told * (1 - COST_SLACK) <= value <= worth[1] * told * (1 + COST_SLACK):
                return True
    return False


def _project_words(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Lengths, costs, capacities and years of a project stand in the words beside them."""
    numbers = {
        "length_text": ("length_km", "length_low_km", "length_high_km"),
        "cost_text": ("cost_low_usd_mn", "cost_high_usd_mn"),
        "capacity_text": ("capacity_mt_yr", "capacity_teu_yr"),
        "start_text": ("start",),
        "finish_text": ("finish",),
    }
    for words, columns in numbers.items():
        for row in _rows(frames, "projects", " ".join(("id", words, *columns))):
            text = row[words]
            if not text or not re.search(r"\d", text):
                continue
            for column in columns:
                value = row[column]
                if value is None:
                    continue
                if words in ("start_text", "finish_text"):
                    told = str(value)[:4] in text
                elif words == "cost_text":
                    told = not _MONEY.search(text) or _cost_is_told(value, text)
                else:
                    told = _says(value, text)
                if not told:
                    got = str(value) if isinstance(value, str) else _told(value)
                    yield Fault("projects.csv", row["id"], column, f"what {words} says: {text}", got)


def _agreement_words(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """An amount of an agreement stands in its words."""
    for row in _rows(frames, "agreements", "id value subject amount"):
        words = row["value"] if row["value"] and re.search(r"\d", row["value"]) else row["subject"]
        if row["amount"] is not None and words and not _near(row["amount"], _amounts(words)):
            yield Fault("agreements.csv", row["id"], "amount", f"what it says: {words}", _told(row["amount"]))


def _addresses(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """An address can be opened."""
    for table, column in (("sources", "address"), ("facts", "source_url"), ("targets", "source_url")):
        for row in _rows(frames, table, f"id {column}"):
            if row[column] and not re.match(r"https?://[^\s/]+\.[^\s/]+", row[column]):
                yield Fault(f"{table}.csv", row["id"], column, "an address, as https://...", repr(row[column]))


def _idle(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A line has a link, and a class of terminals a terminal: else what they say is of nothing."""
    for table, user, column in (("lines", "links", "line"), ("terminal_classes", "terminals", "class")):
        used = {row[column] for row in _rows(frames, user, column)}
        for row in _rows(frames, table, "id") if used else ():
            if row["id"] not in used:
                yield Fault(f"{table}.csv", row["id"], "id", f"a {column} that {user}.csv uses", "none")


def _money(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Rates of exchange and tariffs are of a size that they have had."""
    for row in _rows(frames, "rates", "id currency exchange_rate"):
        worth = CURRENCIES.get(row["currency"] or "")
        if worth is None or not row["exchange_rate"] or row["currency"] == "USD":
            continue
        if _outside(1 / row["exchange_rate"], worth):
            wanted = f"{1 / worth[1]:.3g} to {1 / worth[0]:.3g} {row['currency']} a dollar"
            yield Fault("rates.csv", row["id"], "exchange_rate", wanted, f"{row['exchange_rate']:g}")
    for row in _rows(frames, "tariffs", "id tariff_pct"):
        if row["tariff_pct"] is not None and row["tariff_pct"] > TARIFF_PCT:
            wanted = f"at most {TARIFF_PCT} % in the mean of all goods"
            yield Fault("tariffs.csv", row["id"], "tariff_pct", wanted, f"{row['tariff_pct']:g}")


def _goods(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A tonne of bulk goods costs about what records of them say."""
    if "bulk_trade" not in frames or not {"product", "value_usd", "tonnes"} <= set(frames["bulk_trade"].columns):
        return
    sums = frames["bulk_trade"].filter(pl.col("tonnes") > 0).group_by("product")
    told = sums.agg(usd_t=pl.col("value_usd").sum() / pl.col("tonnes").sum())
    price = dict(told.iter_rows())
    for row in _rows(frames, "commodities", "id form value_usd_t baci_products"):
        known = [price[name] for name in row["baci_products"] or () if price.get(name)]
        if row["form"] != "bulk" or not known or row["value_usd_t"] is None:
            continue
        low, high = min(known) / GOODS_FACTOR, max(known) * GOODS_FACTOR
        if not low <= row["value_usd_t"] <= high:
            wanted = f"{low:,.0f} to {high:,.0f} USD a tonne, by what is recorded"
            yield Fault("commodities.csv", row["id"], "value_usd_t", wanted, f"{row['value_usd_t']:g}")


def _tracks(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Trains a day fit the tracks of a railway, and hours a yard."""
    for row in _rows(frames, "lines", "id mode tracks capacity_trains_day"):
        tracks, room = row["tracks"], row["capacity_trains_day"]
        if row["mode"] != "rail" or None in (tracks, room):
            continue
        if tracks == 1 and room > ONE_TRACK_DAY:
            wanted = f"at most {ONE_TRACK_DAY} trains a day each way on one track"
            yield Fault("lines.csv", row["id"], "capacity_trains_day", wanted, f"{room:g}")
        if tracks > 2 and room < THREE_TRACKS_DAY:
            wanted = f"at most two tracks for {room:g} trains a day each way"
            yield Fault("lines.csv", row["id"], "tracks", wanted, str(tracks))
    for row in _rows(frames, "gauge_changes", "id yard_h"):
        if row["yard_h"] is not None and row["yard_h"] > YARD_H:
            yield Fault("gauge_changes.csv", row["id"], "yard_h", f"at most {YARD_H} h", f"{row['yard_h']:g}")


def _figures(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Figures to compare with are those of their facts; sources have a licence, or its absence told, and a date."""
    facts = {row["id"]: row for row in _rows(frames, "facts", "id value value_low value_high unit note")}
    for row in _rows(frames, "targets", "id observed unit fact_id"):
        known = [facts[name] for name in row["fact_id"] or () if name in facts]
        alike = [fact for fact in known if fact["value"] is not None and fact["unit"] == row["unit"]]
        if row["observed"] is None or not alike or len(alike) < len(known):
            continue
        told = [fact[column] for fact in alike for column in ("value", "value_low", "value_high")]
        told += [number for fact in alike for number in _amounts(fact["note"] or "")]
        # a fall by so much may be told without its sign
        if not _near(abs(row["observed"]), [abs(one) for one in told if one is not None], FIGURE_SLACK):
            wanted = f"what {', '.join(row['fact_id'])} says, {' or '.join(_told(fact['value']) for fact in alike)}"
            yield Fault("targets.csv", row["id"], "observed", wanted, _told(row["observed"]))
    for row in _rows(frames, "sources", "id licence date"):
        if not row["licence"]:
            yield Fault("sources.csv", row["id"], "licence", "a licence, or words that none is stated", "nothing")
        year = re.match(r"\d{4}", row["date"] or "")
        if year and int(year[0]) < FIRST_PUBLISHED:
            yield Fault("sources.csv", row["id"], "date", f"a date not before {FIRST_PUBLISHED}", row["date"])


def reasoning_faults(folder: Path, frames: Mapping[str, pl.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Return values that are not what their own origin says.

    Parameters
    ----------
    folder
        The package, for its provenance.
    frames
        Its tables.
    dictionary
        Their dictionary.

    Returns
    -------
    list of Fault
        Derived values that are none of the results of their formula (numbers after ``=``), nor one step from them;
        values reported by facts alone, without a figure or a note told as the reason, that are none of those facts'.
    """
    dated = "value_date year source_title source_date note"
    facts = {row["id"]: row for row in _rows(frames, "facts", f"id value value_low value_high unit {dated}")}
    faults: list[Fault] = []
    for table in dictionary.tables:
        if table not in frames:
            continue
        frame = frames[table]
        columns = {c.name: c for c in dictionary.of(table) if c.type in ("number", "integer")}
        origins, _ = read_origins(folder, table)
        at = {key: number for number, key in enumerate(row_keys(dictionary, table, frame))}
        for origin in origins.all:
            if origin.row not in at or origin.kind not in ("derived", "reported"):
                continue
            for name in (n for n in columns if n in frame.columns and fnmatchcase(n, origin.column)):
                value = frame[name][at[origin.row]]
                if value is None or origins.of(origin.row, name) is not origin:
                    continue
                wanted = (
                    _of_formula(value, origin.reasoning)
                    if origin.kind == "derived"
                    else _of_facts(value, columns[name].unit, origin, facts)
                )
                if wanted:
                    faults.append(Fault(f"{table}.csv", origin.row, name, wanted, _told(value)))
    return faults


def _of_formula(value: float, reasoning: str) -> str:
    """What a formula comes to, where the value is something else."""
    results = [float(found.replace(",", "")) for found in _RESULT.findall(reasoning)]
    if not results:
        return ""
    tail = reasoning[reasoning.rfind("=") :]
    steps = _numbers(tail)[1:]
    told = [*results, *(100 * one for one in results), *(one / 100 for one in results), *(24 * one for one in results)]
    told += [a + sign * b for a in results for b in (*steps, *results) for sign in (1, -1) if a is not b]
    told += [one for a in results for b in steps if b for one in (a * b, a / b)]
    if any(abs(one - value) <= max(FORMULA_SLACK * abs(value), FORMULA_DIGIT) for one in told):
        return ""
    return f"what its formula comes to ({', '.join(f'{one:g}' for one in results)}): {reasoning}"


def _of_facts(value: float, unit: str, origin: Origin, facts: Mapping[str, dict[str, Any]]) -> str:
    """What the facts say that alone stand behind a value, where it is something else."""
    if re.search(r"\d|note", origin.reasoning) or not origin.sources or not facts.keys() >= set(origin.sources):
        return ""
    if unit == "year":
        words = " ".join(str(cell) for source in origin.sources for cell in facts[source].values())
        return "" if f"{value:.0f}" in words else f"a year that {', '.join(origin.sources)} names"
    units = FACT_UNITS.get(unit, {})
    told = [
        facts[source][column] * units[facts[source]["unit"]]
        for source in origin.sources
        for column in ("value", "value_low", "value_high")
        if facts[source]["unit"] in units and facts[source][column] is not None
    ]
    if not told or _near(value, told):
        return ""
    return f"what {', '.join(origin.sources)} says, {' or '.join(dict.fromkeys(map(_told, told)))}"
