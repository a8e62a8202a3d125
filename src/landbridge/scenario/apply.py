"""From tables and measures to the tables of one year: only what is open in it, as the measures leave it.

Three steps: the upgrades that the atlas knows of by that year are put in effect (`landbridge.scenario.upgrades`), every
measure edits the tables in turn (`landbridge.scenario.edits`), then everything that is not open in the year is taken
out. What comes in is never touched.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import Fault, StudyError
from landbridge.scenario.check import name_faults
from landbridge.scenario.edits import Payment, edit, prepare, shrink
from landbridge.scenario.measures import Measure
from landbridge.scenario.read import shape_faults
from landbridge.scenario.select import crossing_share, crossings_of, link_share, links_of
from landbridge.scenario.upgrades import commit
from landbridge.scenario.years import Span, less_detour, of_span

__all__ = ["Applied", "apply", "open_in"]

#: Money below this is a rounding error of sums of doubles, not a subsidy beyond the price.
CENT = 0.01


@dataclass(frozen=True)
class Applied:
    """Tables of one year under a scenario.

    Attributes
    ----------
    tables
        Only what is open in the year. Links and crossings have a column ``availability``, above 0 and up to 1: the part
        of their trains that can run, after closures by date and `Close`; capacities are not multiplied by it yet.
        ``trade`` and ``bulk_trade`` have the marks of `landbridge.scenario.trade_edits`.
    notes
        What was done and what to beware of, one sentence each.
    payments
        The money of charges and subsidies, row by row.
    """

    tables: Tables
    notes: tuple[str, ...] = ()
    payments: tuple[Payment, ...] = ()


def apply(
    tables: Tables,
    measures: Sequence[Measure],
    year: int | None,
    *,
    held: AbstractSet[str] = frozenset(),
    span: Span | None = None,
) -> Applied:
    """Apply measures, in order, and keep what is open in a year.

    Parameters
    ----------
    tables
        Tables as read, or with the year None those of another `Applied`.
    measures
        What is changed.
    year
        The year that is run. None for tables of one year already: measures go on from there, and what is not open has
        left before. `Build` and the measures of trade need a year.
    held
        Projects and links that open only where a measure builds them, however far their construction is.
    span
        First and last day of a part of the year, whose prices by sea, refusals, closures and upgrades hold; None for
        the whole year.

    Returns
    -------
    Applied

    Raises
    ------
    StudyError
        With every name that does not exist, every value out of bounds, and every arc that a subsidy makes cheaper than
        free.
    """
    faults: list[Fault] = []
    for i, measure in enumerate(measures):
        faults += shape_faults(measure, f"measure[{i}]")
        faults += name_faults(tables, measure, f"measure[{i}]")
    if faults:
        raise StudyError("measures", faults)
    edited, notes, payments = prepare(tables, fresh=year is not None), list[str](), list[Payment]()
    if year is not None:
        step = commit(edited, measures, year, held=held, span=span)
        edited, notes = step.tables, [*step.notes]
    for i, measure in enumerate(measures):
        step = edit(edited, measure, year, i)
        edited = step.tables
        notes += step.notes
        payments += step.payments
    done = open_in(edited, year, held=held, span=span)
    faults = money_faults(done.tables, payments)
    if faults:
        raise StudyError("measures", faults)
    final = less_detour(tables, done.tables, year, span)
    return Applied(final, (*notes, *done.notes), tuple(payments))


def open_in(
    tables: Tables, year: int | None, *, held: AbstractSet[str] = frozenset(), span: Span | None = None
) -> Applied:
    """Keep what is open in a year.

    Links open by their status and year; closures by date become a share of the year. A link whose crossing is shut
    cannot be passed and goes; so do crossings whose link is gone, and services that run on no link that is left.

    Parameters
    ----------
    tables
        Tables from `landbridge.scenario.edits.prepare`.
    year
        The year; None where all that is in the tables is open.
    held
        Projects and links that do not open by themselves.
    span
        First and last day of a part of the year; None for the whole year.

    Returns
    -------
    Applied
    """
    links, crossings = links_of(tables), crossings_of(tables)
    open_links = dict.fromkeys(links, 1.0)
    open_gates = {c.id: float(c.link in links) for c in crossings.values()}
    if year is not None:
        open_links = {link.id: link_share(link, year, held, span) for link in links.values()}
        open_gates = {
            c.id: crossing_share(c, links[c.link], year, held, span) if c.link in links else 0.0
            for c in crossings.values()
        }
    for crossing in crossings.values():
        if open_gates[crossing.id] == 0:
            open_links[crossing.link] = 0.0
    for crossing in crossings.values():
        if open_links.get(crossing.link, 0.0) == 0:
            open_gates[crossing.id] = 0.0
    shares = {name: share for name, share in open_links.items() if share > 0}
    gates = {name: share for name, share in open_gates.items() if share > 0}
    kept = pl.col("id").is_in(pl.Series(list(shares), dtype=pl.String).implode())
    frames = {"links": shrink(tables["links"].filter(kept), shares)}
    if "crossings" in tables:
        kept = pl.col("id").is_in(pl.Series(list(gates), dtype=pl.String).implode())
        frames["crossings"] = shrink(tables["crossings"].filter(kept), gates)
    if "services" in tables:
        patterns = tables["services"]["link"].to_list()
        running = [p is None or any(fnmatch.fnmatchcase(name, p) for name in shares) for p in patterns]
        frames["services"] = tables["services"].filter(pl.Series(running, dtype=pl.Boolean))
    frames |= _working(tables.replace(**frames), year)
    frames |= of_span(tables, year, span)
    notes = []
    committed = [name for name in shares if links[name].status == "under_construction"]
    if year is not None and committed:
        notes.append(f"open by {year} as planned: {', '.join(committed)}")
    notes += [f"{n}: open for {s:.0%} of {year}" for n, s in {**shares, **gates}.items() if s < 1]
    return Applied(tables.replace(**frames), tuple(notes))


def _working(tables: Tables, year: int | None) -> dict[str, pl.DataFrame]:
    """Terminals, yards and services without those at places whose yard is not yet at work in a year."""
    if year is None or "openings" not in tables:
        return {}
    late = tables["openings"].filter(pl.col("works_from") > year)["id"].to_list()
    return {
        table: tables[table].filter(~pl.col("place").is_in(late).fill_null(value=False))
        for table in ("terminals", "gauge_changes", "services")
        if late and table in tables
    }


def money_faults(tables: Tables, payments: Sequence[Payment]) -> list[Fault]:
    """Tell where subsidies leave an arc with less than nothing to pay.

    The money of a link for a TEU is its fixed price, the rates of its countries by the km, and its charges; likewise
    for a tonne. Where a rate is not known nothing can be said, and nothing is.
    """
    paid: dict[tuple[str, str], int] = {}
    for payment in payments:
        if payment.usd < 0:
            paid.setdefault((payment.table, payment.row), payment.measure)
    faults = []
    rates = {}
    if "rates" in tables:
        rates = {
            (country, mode): {"usd_teu": teu, "usd_t": tonne}
            for country, mode, teu, tonne in tables["rates"].select("country", "mode", "usd_teu_km", "usd_t_km").rows()
        }
    rows = {name for table, name in paid if table == "links"}
    subsidised = tables["links"].filter(pl.col("id").is_in(pl.Series(sorted(rows), dtype=pl.String).implode()))
    links = links_of(tables.replace(links=subsidised))
    for row in subsidised.iter_rows(named=True):
        link = links[row["id"]]
        parts = {country: link.share_in([country]) for country in link.km} or {"*": 1.0}
        for unit in ("usd_teu", "usd_t"):
            by_country = [
                (part, rates.get((c, link.mode), rates.get(("*", link.mode), {})).get(unit))
                for c, part in parts.items()
            ]
            if any(rate is None for part, rate in by_country if part):
                continue
            per_km = sum(part * (rate or 0.0) for part, rate in by_country) + row[f"charge_{unit}_km"]
            usd = (row[f"fixed_{unit}"] or 0.0) + row[f"charge_{unit}"] + per_km * (row["length_km"] or 0.0)
            if usd < -CENT:
                faults.append(_too_cheap(paid["links", link.id], f"link {link.id}", usd, unit))
    if "crossings" in tables:
        for row in tables["crossings"].iter_rows(named=True):
            if ("crossings", row["id"]) not in paid:
                continue
            for unit in ("usd_teu", "usd_t"):
                usd = min(row[f"cost_{way}_{unit}"] or 0.0 for way in ("ab", "ba"))
                if usd < -CENT:
                    faults.append(_too_cheap(paid["crossings", row["id"]], f"crossing {row['id']}", usd, unit))
    return faults


def _too_cheap(measure: int, what: str, usd: float, unit: str) -> Fault:
    per = "TEU" if unit == "usd_teu" else "tonne"
    return Fault("", "", f"measure[{measure}]", "subsidies below the price", f"{usd:,.2f} USD per {per} on {what}")
