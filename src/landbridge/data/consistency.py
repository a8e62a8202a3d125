"""What tables must agree on beyond one cell's type: keys, names that may be of several kinds, units, dates, totals."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping

import polars as pl

from landbridge.data.dictionary import Dictionary
from landbridge.data.geography import LAST_YEAR
from landbridge.data.keys import KEYS, row_names
from landbridge.errors import Fault, suggest

__all__ = [
    "UPGRADED",
    "date_faults",
    "key_faults",
    "name_faults",
    "status_faults",
    "total_faults",
    "unit_faults",
    "worth_faults",
]

#: Goods worth less than this may weigh less than a tonne.
WEIGHTLESS_USD = 1e7

#: Goods worth this much are weighed well enough that a tonne of them has a price.
PRICED_USD = 1e6

#: A tonne of a group is worth between its cheapest and its dearest class, or good that is recorded, by this factor.
#: Wide, since one pair may trade a single good of its group; it finds lost zeros and wrong units.
WORTH_FACTOR = 20

#: Trade by exporter and by importer adds to the goods trade of the country within this part.
TOTAL_SLACK = 0.02

#: The unit that the end of a column's name states; the longest end wins. Money, length and time with nothing after
#: them stand in `parameters` and `facts` by their own column of units.
UNITS: Mapping[str, str] = {
    "_usd_teu_km": "USD/TEU-km", "_usd_t_km": "USD/t-km", "_usd_teu": "USD/TEU", "_usd_t": "USD/t",
    "_usd_t_h": "USD/t/h", "_usd_mn": "USD mn", "_bn_usd": "bn USD", "_usd_bn": "USD bn", "_usd": "USD",
    "_trains_day": "trains/day", "_teu_yr": "TEU/yr", "_mt_yr": "Mt/yr", "_t_yr": "t/yr", "_g_tkm": "g/tkm",
    "_kmh": "km/h", "_km": "km", "_mm": "mm", "_deg": "deg",
    "_h": "h", "_mt": "Mt", "_pct_yr": "%/yr", "_pct_day": "%/day",
}  # fmt: skip

#: Columns that name a trader (an ISO3 code, a bloc, or * for any), a country (ISO2 or *), or a commodity (or *).
TRADERS = {
    **dict.fromkeys(("growth", "mode_shares", "trade_overrides"), ("exporter", "importer")),
    "refusals": ("one", "other"),
}
COMMODITIES = ("growth", "mode_shares", "trade_overrides", "zone_shares")
COUNTRIES = ("rates", "emissions")
ANY = "*"

#: States of a link that nobody runs on yet.
UNBUILT = ("under_construction", "planned", "proposed")

#: What an upgrade may set, by the table of its subject.
UPGRADED: Mapping[str, tuple[str, ...]] = {
    "lines": ("capacity_trains_day", "speed_kmh"),
    "crossings": ("capacity_trains_day", "time_factor"),
    "gauge_changes": ("capacity_trains_day", "time_factor"),
    "terminals": ("capacity_teu_yr", "capacity_t_yr", "time_factor"),
    "services": ("departures_week", "capacity_teu_yr"),
}


def _there(frames: Mapping[str, pl.DataFrame], **needed: str) -> bool:
    return all(table in frames and set(names.split()) <= set(frames[table].columns) for table, names in needed.items())


def key_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return rows of tables without ids that are named alike; a table that ties names may say a thing twice."""
    faults = []
    for table, columns in KEYS.items():
        if table == "crosswalk" or not _there(frames, **{table: " ".join(columns)}):
            continue
        frame = frames[table]
        double = frame.select(columns).is_duplicated()
        if double.any():
            names = row_names(frame, columns)
            first: dict[str, int] = {}
            for i in double.arg_true().to_list():
                name = names[i].partition(" #")[0]
                if name in first:
                    told = f"also in row {first[name]}"
                    faults.append(
                        Fault(f"{table}.csv", f"row {i + 2} ({name})", ", ".join(columns), "each row once", told)
                    )
                first.setdefault(name, i + 2)
    return faults


def unit_faults(dictionary: Dictionary) -> list[Fault]:
    """Return columns of the dictionary whose unit is another than their name says."""
    faults = []
    for column in dictionary.columns:
        ends = [end for end in UNITS if f"_{column.name}".endswith(end)]
        if ends and column.type in ("number", "integer", "list"):
            wanted = UNITS[max(ends, key=len)]
            if column.unit != wanted:
                row = f"{column.table}.{column.name}"
                faults.append(Fault("dictionary.csv", row, "unit", f"{wanted}, as the name says", repr(column.unit)))
    return faults


def name_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return names that stand for none of the things that they may stand for."""
    faults: list[Fault] = []
    if _there(frames, countries="iso2 iso3", blocs="bloc"):
        iso3 = set(frames["countries"]["iso3"].drop_nulls().to_list())
        iso2 = set(frames["countries"]["iso2"].drop_nulls().to_list())
        blocs = set(frames["blocs"]["bloc"].drop_nulls().to_list())
        for table, columns in TRADERS.items():
            for column in columns:
                faults += _unknown(frames, table, column, iso3 | blocs | {ANY}, "an ISO3 code, a bloc or *")
        for table in COUNTRIES:
            faults += _unknown(frames, table, "country", iso2 | {ANY}, "an ISO2 code or *")
    if _there(frames, commodities="id group"):
        goods = set(frames["commodities"]["id"].drop_nulls().to_list())
        for table in COMMODITIES:
            faults += _unknown(frames, table, "commodity", goods | {ANY}, "a commodity or *")
        groups = set(frames["commodities"]["group"].drop_nulls().to_list())
        faults += _unknown(frames, "trade", "commodity", groups, "a group of commodities.csv")
    if _there(frames, upgrades="id table subject"):
        faults += _upgrades(frames)
    if _there(frames, services="id place link", links="id", places="id"):
        links, places = frames["links"]["id"].drop_nulls().to_list(), set(frames["places"]["id"].to_list())
        for row in frames["services"].to_dicts():
            if row["link"] is not None and not fnmatch.filter(links, row["link"]):
                faults.append(Fault("services.csv", row["id"], "link", "a link, * allowed", repr(row["link"])))
            if row["place"] is not None and row["place"] not in places:
                wanted = _like("an id of places.csv", row["place"], sorted(places))
                faults.append(Fault("services.csv", row["id"], "place", wanted, repr(row["place"])))
            if row["link"] is None and row["place"] is None:
                faults.append(Fault("services.csv", row["id"], "place, link", "a hub or a link", "neither"))
    return faults


def _upgrades(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Subjects that are not there, values that their table does not take, and days without anyone who sets them."""
    for row in frames["upgrades"].drop_nulls(["table", "subject"]).to_dicts():
        ids = frames[row["table"]]["id"].drop_nulls().to_list() if _there(frames, **{row["table"]: "id"}) else None
        if ids is not None and row["subject"] not in ids:
            wanted = _like(f"an id of {row['table']}.csv", row["subject"], ids)
            yield Fault("upgrades.csv", row["id"], "subject", wanted, repr(row["subject"]))
        allowed = UPGRADED.get(row["table"], ())
        for name in {name for names in UPGRADED.values() for name in names} - set(allowed):
            if row.get(name) is not None:
                wanted = f"a value that upgrades of {row['table']} set ({', '.join(allowed)})"
                yield Fault("upgrades.csv", row["id"], name, wanted, repr(row[name]))
        if all(row.get(name) is None for name in allowed):
            yield Fault("upgrades.csv", row["id"], ", ".join(allowed), "a new value", "none")
        if row.get("from_date") is None and row.get("project") is None:
            yield Fault("upgrades.csv", row["id"], "from_date", "a day, or a project that is built", "neither")


def _unknown(
    frames: Mapping[str, pl.DataFrame], table: str, column: str, known: set[str], wanted: str
) -> Iterator[Fault]:
    """Names of a column that are not known, each once, at its first row."""
    if not _there(frames, **{table: column}):
        return
    cells = frames[table][column]
    for name in cells.drop_nulls().unique(maintain_order=True).to_list():
        if name not in known:
            first = cells.to_list().index(name)
            key = f" ({frames[table]['id'][first]})" if "id" in frames[table].columns else ""
            yield Fault(f"{table}.csv", f"row {first + 2}{key}", column, _like(wanted, name, sorted(known)), repr(name))


def _like(wanted: str, name: str, candidates: list[str]) -> str:
    near = suggest(name, candidates)
    return f"{wanted}; did you mean {', '.join(near)}?" if near else wanted


def date_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return dates out of order: a closed crossing without a day, works and events that end before they start."""
    faults = []
    if _there(frames, links="id status", crossings="id link status closed_from"):
        built = dict(frames["links"].select("id", "status").iter_rows())
        for row in frames["crossings"].to_dicts():
            if row["status"] == "closed" and row["closed_from"] is None and built.get(row["link"]) == "existing":
                wanted = "the first day of the closure"
                faults.append(Fault("crossings.csv", row["id"], "closed_from", wanted, "nothing"))
    for table, first, last in (("projects", "start", "finish"), ("events", "date", "date_to")):
        if _there(frames, **{table: f"id {first} {last}"}):
            for row in frames[table].drop_nulls([first, last]).to_dicts():
                length = min(len(row[first]), len(row[last]))  # dates may stop at the year
                if row[last][:length] < row[first][:length]:
                    wanted = f"a date not before {row[first]}"
                    faults.append(Fault(f"{table}.csv", row["id"], last, wanted, row[last]))
    return faults


def status_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return links and crossings whose status does not fit their years, or that of the link that they lie on."""
    faults: list[Fault] = []
    if _there(frames, links="id status open_from closed_from"):
        faults += _link_status(frames)
    if _there(frames, links="id status", crossings="id link status closed_to"):
        faults += _crossing_status(frames)
    return faults


def _link_status(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    for row in frames["links"].select("id", "status", "open_from", "closed_from").iter_rows(named=True):
        name, opens, status = f"row of {row['id']}", row["open_from"], row["status"]
        if status == "existing" and opens is not None and opens > LAST_YEAR:
            wanted = f"a year not after {LAST_YEAR}, or a status of under_construction or planned"
            yield Fault("links.csv", name, "open_from", wanted, str(opens))
        if status in UNBUILT and opens is not None and opens < LAST_YEAR:
            wanted = f"a year not before {LAST_YEAR}, or a status of existing"
            yield Fault("links.csv", name, "open_from", wanted, f"{opens}, {status}")
        if row["closed_from"] is None:
            continue
        if status in UNBUILT:
            yield Fault(
                "links.csv", name, "closed_from", f"nothing on a link that is {status}", str(row["closed_from"])
            )
        elif opens is not None and row["closed_from"].year < opens:
            wanted = f"a day not before its first year, {opens}"
            yield Fault("links.csv", name, "closed_from", wanted, str(row["closed_from"]))


def _crossing_status(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    of_link = dict(frames["links"].select("id", "status").iter_rows())
    for row in frames["crossings"].select("id", "link", "status", "closed_to").iter_rows(named=True):
        link, status = of_link.get(row["link"]), row["status"]
        if link in UNBUILT and status != "planned":
            wanted = f"planned, as {row['link']} is {link}"
        elif link == "suspended" and status in ("operating", "restricted", "planned"):
            wanted = f"closed, as {row['link']} is suspended"
        elif link == "existing" and status == "planned":
            wanted = f"operating, restricted or closed, as {row['link']} exists"
        else:
            wanted = ""
        if wanted:
            yield Fault("crossings.csv", row["id"], "status", wanted, str(status))
        if status == "closed" and row["closed_to"] is not None:
            wanted = "nothing while it is closed, or a status of operating"
            yield Fault("crossings.csv", row["id"], "closed_to", wanted, str(row["closed_to"]))


def worth_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return trade whose tonnes cost what no good of their group does.

    Only for a whole package, and not for ``bulk_trade``, which holds records as they were reported: a user's own file
    may hold such records too.
    """
    if not _there(frames, commodities="group value_usd_t baci_products", bulk_trade="product value_usd tonnes"):
        return []
    prices = frames["commodities"].select(commodity="group", usd_t="value_usd_t")
    recorded = frames["bulk_trade"].filter((pl.col("value_usd") >= PRICED_USD) & (pl.col("tonnes") > 0))
    of_goods = recorded.group_by("product").agg(usd_t=(pl.col("value_usd") / pl.col("tonnes")).median())
    named = frames["commodities"].select(commodity="group", product="baci_products").explode("product").drop_nulls()
    both = pl.concat([prices.drop_nulls(), named.join(of_goods, on="product").select("commodity", "usd_t")])
    band = both.group_by("commodity").agg(
        low=pl.col("usd_t").min() / WORTH_FACTOR, high=pl.col("usd_t").max() * WORTH_FACTOR
    )
    faults: list[Fault] = []
    for table in ("trade", "trade_past"):
        if not _there(frames, **{table: "exporter importer year commodity value_usd tonnes"}):
            continue
        priced = frames[table].filter((pl.col("value_usd") >= PRICED_USD) & (pl.col("tonnes") > 0))
        worth = priced.join(band, on="commodity").with_columns(usd_t=pl.col("value_usd") / pl.col("tonnes"))
        for row in worth.filter(~pl.col("usd_t").is_between(pl.col("low"), pl.col("high"))).iter_rows(named=True):
            name = ":".join(str(row[c]) for c in ("exporter", "importer", "year", "commodity"))
            wanted = f"{row['commodity']} worth {row['low']:,.0f} to {row['high']:,.0f} USD a tonne"
            got = f"{row['tonnes']:,.0f} t, {row['usd_t']:,.0f} USD a tonne"
            faults.append(Fault(f"{table}.csv", name, "tonnes", wanted, got))
    return faults


def total_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return countries whose trade does not add to what they trade in all, and trade that weighs nothing.

    Only for a whole package: a user who lays own trade over it changes the totals on purpose.
    """
    needed = "exporter importer year commodity value_usd tonnes"
    if not _there(frames, trade=needed, countries="iso3 exports_goods_2023_usd imports_goods_2023_usd"):
        return []
    faults = []
    of_2023 = frames["trade"].filter(pl.col("year") == 2023)
    for side, word in (("exporter", "exports"), ("importer", "imports")):
        stated = dict(frames["countries"].select("iso3", f"{word}_goods_2023_usd").drop_nulls().iter_rows())
        sums = of_2023.group_by(side, maintain_order=True).agg(pl.col("value_usd").sum())
        for country, total in sums.rows():
            if country in stated and abs(total - stated[country]) > TOTAL_SLACK * stated[country]:
                wanted = f"{word} that add to {stated[country] / 1e9:.4g} bn USD of countries.csv"
                faults.append(Fault("trade.csv", country, "value_usd", wanted, f"{total / 1e9:.4g} bn USD"))
    weightless = of_2023.filter((pl.col("value_usd") >= WEIGHTLESS_USD) & (pl.col("tonnes").fill_null(0) <= 0))
    for row in weightless.to_dicts():
        name = ":".join(str(row[c]) for c in ("exporter", "importer", "year", "commodity"))
        wanted = f"a weight for {row['value_usd']:,.0f} USD"
        faults.append(Fault("trade.csv", name, "tonnes", wanted, str(row["tonnes"] or 0)))
    return faults
