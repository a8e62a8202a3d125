"""What is to be appraised, and what the atlas says a project costs, when, and whom."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model.appraisal import Loan
from landbridge.scenario.measures import Build, Ease, Measure, Regauge, Upgrade
from landbridge.scenario.select import country_km
from landbridge.study.appraisal_terms import Appraising, Cost, Outlay
from landbridge.study.files import Study
from landbridge.study.settings import parameter

__all__ = [
    "ALL",
    "Option",
    "Plan",
    "ground_cost",
    "length_by_country",
    "options_of",
    "plan_of",
    "published",
    "territory",
]

#: Names every project that is not there yet.
ALL = "all"

# Facts that tell a project's kilometres in a country, and how far their sum may be from its length.
LENGTH_IN = "length in "
SAME_LENGTH = 0.02

#: Measures whose gains can be told apart from what they move between purses.
VALUED = (Build, Upgrade, Ease, Regauge)


@dataclass(frozen=True)
class Option:
    """Something that may be done: a project of the atlas, or what a scenario does beyond the one compared with.

    Attributes
    ----------
    id, name
        Of the project or scenario.
    measures
        What it does.
    project
        Whether it is a project of the atlas, with a cost.
    """

    id: str
    name: str
    measures: tuple[Measure, ...]
    project: bool


@dataclass(frozen=True)
class Plan:
    """What the atlas says of a project, and what stands in where it is silent.

    Attributes
    ----------
    low_usd, used_usd, high_usd
        Cost; None where nothing can be said.
    cost_basis
        ``published``, ``by kilometre`` (an estimate from other projects), ``told by the study`` (of a scenario), or
        ``unknown``.
    first_year, build_years
        First year of construction and years of it, in even parts; service begins after them.
    timing_basis
        Where the years come from, in words.
    payers
        Share of the cost by country; adds up to 1.
    payer_basis
        ``financing``, ``territory``, ``countries`` or ``study``.
    loan, lender, servicing
        Loan of the project company, who lends, and the shares of its owners who serve it.
    rail
        Whether it builds or betters railway lines.
    history
        What its opening was announced for before, in words.
    there
        Whether it is in service already: neither its opening nor its cost is open any more.
    """

    low_usd: float | None
    used_usd: float | None
    high_usd: float | None
    cost_basis: str
    first_year: int
    build_years: int
    timing_basis: str
    payers: Mapping[str, float]
    payer_basis: str
    loan: Loan | None
    lender: str
    servicing: Mapping[str, float]
    rail: bool = False
    history: str = ""
    there: bool = False

    @property
    def opening(self) -> int:
        """First year of service."""
        return self.first_year + self.build_years


def options_of(study: Study, tables: Tables, names: Sequence[str] = ()) -> list[Option]:
    """Find what is to be appraised.

    Parameters
    ----------
    study
        Its scenarios beside the one compared with may be named too.
    tables
        The atlas.
    names
        Projects or scenarios, or `ALL`: what flows can value of the atlas and is not in service yet. By default the
        projects that the study's scenarios build and the scenarios that do something else.

    Returns
    -------
    list of Option

    Raises
    ------
    LandbridgeError
        If a scenario does what cannot be valued here, or nothing is left to appraise.
    UnknownName
        If a name is neither.
    """
    titles = dict(zip(tables["projects"]["id"], tables["projects"]["name"], strict=True))
    ground = study.scenario(study.compare)
    scenarios = {s.id: s for s in study.scenarios if s.id != ground.id}
    wanted = list(dict.fromkeys(names))
    if ALL in wanted:
        wanted = list(dict.fromkeys([*(n for n in wanted if n != ALL), *_not_yet_there(tables)]))
    if not wanted:
        for scenario in scenarios.values():
            added = scenario.measures[len(ground.measures) :]
            built = [m.project for m in added if isinstance(m, Build) and m.project]
            wanted += built if len(built) == len(added) else [scenario.id]
        wanted = list(dict.fromkeys(wanted))
    found = []
    for name in wanted:
        if name in titles:
            found.append(Option(name, titles[name], (Build(project=name),), True))
        elif name in scenarios:
            scenario = scenarios[name]
            if scenario.measures[: len(ground.measures)] != ground.measures:
                raise LandbridgeError(f"scenario {name}: wanted one that extends {ground.id}, which it is held against")
            added = scenario.measures[len(ground.measures) :]
            other = [type(m).__name__.lower() for m in added if not isinstance(m, VALUED)]
            if other:
                words = ", ".join(kind.__name__.lower() for kind in VALUED)
                raise LandbridgeError(
                    f"scenario {name}: an appraisal values {words}; it also holds {', '.join(other)}, which move money "
                    "or trade and need their own account"
                )
            found.append(Option(name, scenario.name or name, added, False))
        else:
            raise UnknownName("project or scenario", name, [ALL, *titles, *scenarios])
    if not found:
        raise LandbridgeError("nothing to appraise: name projects with --project, or let a scenario build some")
    return found


def _not_yet_there(tables: Tables) -> list[str]:
    """Projects with lines or upgrades that are neither in service nor abandoned."""
    known = {p for table in ("links", "upgrades") for p in tables[table]["project"].drop_nulls()}
    rows = tables["projects"].select("id", "status").rows()
    return [name for name, status in rows if name in known and status not in ("in_service", "abandoned")]


def plan_of(option: Option, tables: Tables, how: Appraising, first_modelled: int) -> Plan:
    """Read what a project costs, when, and whom.

    Parameters
    ----------
    option
        The project; a scenario has the cost that the study tells, if it tells one.
    tables
        The atlas.
    how
        Which end of the range of costs; what scenarios cost.
    first_modelled
        First modelled year, in which what has no date opens.

    Returns
    -------
    Plan
    """
    build = int(parameter(tables, "line-build-years"))
    if not option.project:
        if option.id in how.scenarios:
            return _told_plan(how.scenarios[option.id], how.cost, first_modelled)
        return Plan(None, None, None, "unknown", first_modelled - 1, 1, "opens in the first modelled year", {}, "none",
                    None, "", {})  # fmt: skip
    row = tables["projects"].row(by_predicate=pl.col("id") == option.id, named=True)
    km = territory(tables, option.id)
    low, high, basis = row["cost_low_usd_mn"], row["cost_high_usd_mn"], "published"
    # a second track or a rebuilt station costs something else than a new line of its length
    length = sum(km.values())
    if low is None:
        known = tables["parameters"].row(by_predicate=pl.col("id") == "line-cost", named=True)
        if length > 0.0:
            low, high, basis = known["low"] * length, known["high"] * length, "by kilometre"
            used = {"low": low, "mean": known["value"] * length, "high": high}[how.cost]
        else:
            low, high, used, basis = None, None, None, "unknown"
    else:
        used = {"low": low, "mean": (low + high) / 2, "high": high}[how.cost]
    start, finish = _year(row["start"]), _year(row["finish"])
    if start is not None and finish is not None and finish > start:
        first, years, timing = start, finish - start, "start and finish of the atlas"
    elif finish is not None:
        first, years, timing = finish - build, build, f"finish of the atlas, {build} years of construction assumed"
    else:
        first, years, timing = (
            first_modelled - build,
            build,
            f"no finish known: opens in {first_modelled} by assumption",
        )
    scale = 1e6
    money = tables["financing"].filter(pl.col("project") == option.id).to_dicts()
    paid: dict[str, float] = {}
    loan: Loan | None = None
    lender = ""
    shares = {r["party"]: r["share_pct"] / 100 for r in money if r["kind"] == "equity" and r["share_pct"] is not None}
    for r in money:
        if r["kind"] != "loan":
            paid[r["party"]] = paid.get(r["party"], 0.0) + r["amount_usd_mn"]
        elif shares and r["years"] is not None:
            rate, grace = r["interest_pct"], r["grace_years"]
            loan = Loan(
                r["amount_usd_mn"] * scale,
                (parameter(tables, "loan-interest") if rate is None else rate) / 100,
                int(r["years"]),
                int(parameter(tables, "loan-grace") if grace is None else grace),
            )
            lender = r["party"]
            for party, share in shares.items():
                paid[party] = paid.get(party, 0.0) + r["amount_usd_mn"] * share
    if paid and shares:
        payers, payer_basis = paid, "financing"
    elif km:
        payers, payer_basis = km, "territory"
    else:
        payers, payer_basis = dict.fromkeys(row["countries"] or [], 1.0), "countries"
    whole = sum(payers.values())
    return Plan(
        None if low is None else low * scale,
        None if used is None else used * scale,
        None if high is None else high * scale,
        basis,
        first,
        years,
        timing,
        {c: v / whole for c, v in payers.items()} if whole else {},
        payer_basis,
        loan,
        lender,
        shares,
        _is_rail(tables, option.id),
        _history(tables, option.id),
        row["status"] == "in_service",
    )


def _told_plan(outlay: Outlay, end: Cost, first_modelled: int) -> Plan:
    """What a study says that a scenario costs, when, and whom."""
    middle = outlay.cost_usd_mn
    low, high = (middle if v is None else v for v in (outlay.low_usd_mn, outlay.high_usd_mn))
    used = {"low": low, "mean": middle, "high": high}[end]
    opening = first_modelled if outlay.opening is None else outlay.opening
    whole = sum(outlay.payers.values())
    return Plan(
        low_usd=low * 1e6,
        used_usd=used * 1e6,
        high_usd=high * 1e6,
        cost_basis="told by the study",
        first_year=opening - outlay.build_years,
        build_years=outlay.build_years,
        timing_basis="opens in the first modelled year" if outlay.opening is None else "told by the study",
        payers={c: share / whole for c, share in outlay.payers.items()},
        payer_basis="study" if outlay.payers else "none",
        loan=None,
        lender="",
        servicing={},
    )


def _is_rail(tables: Tables, project: str) -> bool:
    """Whether a project builds or betters railway lines."""
    mine = pl.col("project") == project
    if tables["links"].filter(mine & (pl.col("mode") == "rail")).height:
        return True
    lines = tables["upgrades"].filter(mine & (pl.col("table") == "lines"))["subject"].to_list()
    return bool(tables["links"].filter(pl.col("line").is_in(lines) & (pl.col("mode") == "rail")).height)


def _history(tables: Tables, project: str) -> str:
    """What the opening was announced for before."""
    if "slips" not in tables:
        return ""
    told = []
    for row in tables["slips"].filter(pl.col("project") == project).to_dicts():
        came = ("opened in " if row["reached"] else "now ") + str(row["opening"]) if row["opening"] else "given up"
        told.append(f"{row['name']}: {row['opening_said']} as said in {row['said']}, {came}")
    return "; ".join(told)


def territory(tables: Tables, project: str) -> dict[str, float]:
    """Kilometres of a project's lines by country."""
    found: dict[str, float] = {}
    for text in tables["links"].filter(pl.col("project") == project)["country_km"].drop_nulls():
        for country, km in country_km(text).items():
            found[country] = found.get(country, 0.0) + km
    return found


def length_by_country(tables: Tables, project: str) -> tuple[dict[str, float], str]:
    """Kilometres of a project by country, and where they come from.

    Published ones (facts ``length in ...``) before those of its lines in the atlas, since a part may be missing there
    or use a line that exists. Of several figures for a country those count that add up best to the project's length.
    """
    row = tables["projects"].row(by_predicate=pl.col("id") == project, named=True)
    codes = dict(tables["countries"].select("name", "iso2").iter_rows())
    facts = tables["facts"].filter(
        pl.col("id").is_in(row["facts"] or [])
        & pl.col("quantity").str.starts_with(LENGTH_IN)
        & (pl.col("unit") == "km")
        & pl.col("value").is_not_null()
    )
    said: dict[str, list[tuple[float, str]]] = {}
    for fact in facts.to_dicts():
        country = codes.get(fact["quantity"].removeprefix(LENGTH_IN))
        if country is not None:
            said.setdefault(country, []).append((fact["value"], fact["id"]))
    whole = row["length_km"]
    if said and whole and set(said) == set(row["countries"] or []):
        chosen = min(itertools.product(*said.values()), key=lambda one: abs(sum(km for km, _ in one) - whole))
        if abs(sum(km for km, _ in chosen) - whole) <= SAME_LENGTH * whole:
            told = ", ".join(f"{c} {km:g} ({fact})" for c, (km, fact) in zip(said, chosen, strict=True))
            return {c: km for c, (km, _) in zip(said, chosen, strict=True)}, f"kilometres as published: {told}"
    return territory(tables, project), "kilometres of its lines in the atlas"


def ground_cost(tables: Tables, project: str) -> dict[str, float]:
    """Cost on each country's ground, million USD: its own budget's section, the company's by the km left."""
    money = tables["financing"].filter(pl.col("project") == project).to_dicts()
    own = {r["party"]: r["amount_usd_mn"] for r in money if r["kind"] == "budget"}
    company = sum(r["amount_usd_mn"] for r in money if r["kind"] != "budget")
    rest = {c: km for c, km in territory(tables, project).items() if c not in own}
    whole = sum(rest.values())
    return own | {c: company * km / whole for c, km in rest.items() if whole}


def published(project: str, tables: Tables) -> list[dict[str, Any]]:
    """What others found the project to be worth, as the atlas has it."""
    row = tables["projects"].row(by_predicate=pl.col("id") == project, named=True)
    facts = tables["facts"].filter(pl.col("id").is_in(row["facts"] or []))
    words = ("gain by market access", "payback")
    return [
        {
            k: r[k]
            for k in (
                "id",
                "subject",
                "quantity",
                "value",
                "value_low",
                "value_high",
                "unit",
                "year",
                "source_title",
                "note",
            )
        }
        for r in facts.to_dicts()
        if any(word in r["quantity"] for word in words)
    ]


def _year(value: object) -> int | None:
    text = str(value or "")[:4]
    return int(text) if text.isdigit() else None
