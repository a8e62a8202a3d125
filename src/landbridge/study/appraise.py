"""Is a project worth it, to whom: with against without, from the flows of each modelled year.

    modelled years -> gains of each -> a row of years -> present values, rates of return, timing, risks, by country

What is assumed, and told with every result:

- *Do-minimum*: the study's scenario of comparison, in which everything under construction opens in its year but the
  options that are appraised together.
- *Alone*: with the project against without any of the options. *In company*: with all options against all but it.
- *Years between* modelled ones are interpolated in a straight line; before the first and after the last modelled year
  gains are those of that year.
- *Trade* is the same with and without: the value of time is in the users' gain, and a gain of trade is never added to
  it. A study whose trade answers to cost is appraised at frozen trade, and the result says so.
- *Transfers* (what users pay railways beyond resources, fees at borders) are shown with who pays and who gets them.
- *Opening years* are those of the project's plan; a net present value is as of its first year of construction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError
from landbridge.model import appraisal, portfolio
from landbridge.scenario.measures import Charge, Subsidise
from landbridge.study.account import MEGATONNE, NOISE_USD, Account, Terms, returns_of
from landbridge.study.appraisal_terms import Appraising
from landbridge.study.appraising import (
    Option,
    Plan,
    ground_cost,
    length_by_country,
    options_of,
    plan_of,
    published,
    territory,
)
from landbridge.study.files import Study
from landbridge.study.kept import Kept
from landbridge.study.runner import Where
from landbridge.study.valuer import Set, Valuer
from landbridge.study.valuing import Asked, find_ahead

__all__ = ["appraise", "flows_frame"]

F8 = npt.NDArray[np.float64]

# Up to so many projects at a time are also valued at other tonnes and tolls, which takes more equilibria.
FEW = 3
# Tolls on the project's own lines, relative to the rates of the atlas.
TOLLS = (0.75, 1.25, 1.5, 2.0)


def appraise(
    study: Study,
    tables: Tables,
    names: Sequence[str] = (),
    *,
    company: bool = True,
    tell: Callable[[str], None] | None = None,
    valuer: Valuer | None = None,
    kept: Kept | None = None,
    where: Where | None = None,
) -> dict[str, Any]:
    """Appraise projects, each alone and in company.

    Parameters
    ----------
    study
        Its scenario of comparison is the do-minimum, its years are modelled.
    tables
        The atlas.
    names
        Projects, or scenarios of the study; by default what its scenarios do.
    company
        Whether each is also valued as the last one added to all others.
    tell
        Called with what is being solved.
    valuer
        One that has solved some of it already.
    kept
        Where what was found is kept, so that a run that was stopped goes on where it was.
    where
        In this process (the default), in processes of this machine, or on a cluster: the numbers are the same.

    Returns
    -------
    dict
        ``terms``, ``assumptions``, ``projects`` (see `docs/investment.md`) and the yearly rows of ``flows``.

    Raises
    ------
    LandbridgeError
        If a name is not there or cannot be valued.
    NotConverged
        If an equilibrium was not found.
    """
    options = options_of(study, tables, names)
    worth = valuer or Valuer(study, tables, options, tell=tell, kept=kept)
    terms = Terms(study, tables)
    every = frozenset(o.id for o in options)
    if not any(worth.changes_network(o.id) for o in options):
        raise LandbridgeError(
            "nothing that flows can value: " + "; ".join(f"{o.id}: {worth.why_not(o.id)}" for o in options)
        )
    in_company = company and len(options) > 1
    asked, variants = _to_ask(study, tables, options, worth, in_company=in_company)
    find_ahead(worth, asked, where=where, variants=variants)
    projects = []
    rows: list[dict[str, Any]] = []
    for option in options:
        plan = plan_of(option, tables, study.appraisal or Appraising(), study.years[0])
        if not worth.changes_network(option.id):
            projects.append({**_head(option, plan), "valued": False, "why": worth.why_not(option.id)})
            continue
        alone = frozenset({option.id})
        cases: dict[str, tuple[Set, Set]] = {"alone": (frozenset(), alone)}
        if in_company:
            cases["in_company"] = (every - alone, every)
        found: dict[str, Any] = _head(option, plan)
        for case, (without, with_) in cases.items():
            gains = [worth.gains(with_, year, without=without) for year in study.years]
            own = [worth.own(option.id, with_, year) for year in study.years]
            account = Account(plan, terms, study.years, gains, own)
            found[case] = account.told()
            rows += [{"project": option.id, "case": case, **row} for row in account.rows()]
            if case == "in_company":
                worth.forget(without)
        if _at_other_tolls(option, options, study, tables):
            found["tonnes"] = _by_tonnes(option, plan, terms, tables, worth)
            found["tolls"] = _by_tolls(option, plan, terms, tables, worth)
            found["published"] = published(option.id, tables)
        worth.forget(alone)
        if "in_company" in found:
            found["company"] = _company(found)
        found["sharing"] = _sharing(option, plan, tables, found["alone"])
        projects.append(found)
    notes = [
        f"do-minimum: scenario {study.compare}; unbuilt unless chosen: {', '.join(worth.held) or 'nothing'}",
        f"modelled years: {', '.join(map(str, study.years))}; years between interpolated in a straight line, years "
        "outside as the nearest modelled one",
        "value of time in the users' gain; no gain of trade added: trade is the same with and without",
        "gains of users halved between the countries of exporter and importer: who gets them is not known",
        "transfers to railways and states shown by who gets them; users have paid them",
        f"flows searched to a relative gap of {study.gap:g}; a project that nothing uses gains exactly nothing, and "
        f"present values that differ by less than {NOISE_USD / 1e6:g} million USD are not told apart",
    ]
    if study.demand is not None and study.demand.mode != "frozen":
        notes.append(f"the study's trade answers to cost ({study.demand.mode}); this appraisal holds it frozen")
    return {
        "study": study.name,
        "size": study.size,
        "terms": terms.told(),
        "assumptions": notes,
        "projects": projects,
        "flows": rows,
        "solved": worth.solved,
    }


def _at_other_tolls(option: Option, options: Sequence[Option], study: Study, tables: Tables) -> bool:
    """Whether an option is valued at other tonnes and tolls too."""
    if not option.project or len(options) > FEW:
        return False
    return plan_of(option, tables, study.appraisal or Appraising(), study.years[0]).used_usd is not None


def _to_ask(
    study: Study, tables: Tables, options: Sequence[Option], worth: Valuer, *, in_company: bool
) -> tuple[list[Asked], list[Option]]:
    """What an appraisal asks the equilibrium, in no order that matters, and the variants of projects among it."""
    every = tuple(sorted(o.id for o in options))
    asked: list[Asked] = []
    variants: list[Option] = []
    for option in options:
        if not worth.changes_network(option.id):
            continue
        tolls = _toll_variants(option, tables) if _at_other_tolls(option, options, study, tables) else []
        variants += [variant for _, variant in tolls]
        others = tuple(name for name in every if name != option.id)
        for year in study.years:
            names = (option.id, *(variant.id for _, variant in tolls))
            asked += [Asked(year, (name,), own=(option.id,)) for name in names]
            asked += [Asked(year, every, others, (option.id,))] if in_company else []
    return asked, variants


def _sharing(option: Option, plan: Plan, tables: Tables, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each payer would pay by every rule, and what is left to it; only where several pay.

    Nobody can build it without the others: every section stands in somebody's country.
    """
    players = sorted(plan.payers)
    if plan.used_usd is None or len(players) < 2:
        return []
    cost = told["cost_present_value_usd"]
    benefit = [told["by_country"][c]["gains_usd"] for c in players]
    # a scenario stands on nobody's ground
    (km, basis), ground = (
        (length_by_country(tables, option.id), ground_cost(tables, option.id)) if option.project else (({}, ""), {})
    )
    weights = {
        "by length": [km.get(c, 0.0) for c in players],
        "by territory": [ground.get(c, 0.0) for c in players],
    }
    agreed = {"as financed": [plan.payers[c] for c in players]}
    if plan.servicing and set(plan.servicing) == set(players):
        agreed["/".join(f"{100 * plan.servicing[c]:g}" for c in players)] = [plan.servicing[c] for c in players]
    shares = portfolio.share_cost(
        benefit,
        cost,
        portfolio.all_needed(players, benefit, cost),
        proportional={name: values for name, values in weights.items() if sum(values) > 0.0},
        agreed=agreed,
    )
    return [
        {
            "rule": share.rule,
            "basis": basis if share.rule == "by length" else "",
            "payment_usd": dict(zip(players, share.payment.tolist(), strict=True)),
            "net_usd": dict(zip(players, share.net_gain.tolist(), strict=True)),
            "benefit_usd": dict(zip(players, benefit, strict=True)),
            "individually_rational": share.individually_rational,
            "budget_balanced": share.budget_balanced,
            "in_core": share.in_core,
        }
        for share in shares
    ]


def _by_tonnes(option: Option, plan: Plan, terms: Terms, tables: Tables, worth: Valuer) -> list[dict[str, Any]]:
    """The project if it carried what others forecast: gains and income of every year in proportion to the tonnes."""
    alone = frozenset({option.id})
    years = worth.years
    gains = [worth.gains(alone, y) for y in years]
    own = [worth.own(option.id, alone, y) for y in years]
    ours = own[-1].heaviest_t / MEGATONNE
    base = Account(plan, terms, years, gains, own)
    row = tables["projects"].row(by_predicate=pl.col("id") == option.id, named=True)
    facts = tables["facts"].filter(pl.col("id").is_in(row["facts"] or []) & pl.col("unit").is_in(["Mt/yr", "Mt"]))
    claims = [
        (r["id"], r["quantity"], r["year"], r["value"])
        for r in facts.to_dicts()
        if r["value"] and any(word in r["quantity"] for word in ("forecast", "capacity", "traffic"))
    ]
    found = [{"basis": "this model", "mt": ours, "factor": 1.0, **_rates(base, 1.0)}]
    for name, quantity, year, value in claims:
        factor = value / ours if ours > 0.0 else None
        told = {"basis": f"{name}: {quantity}, {year}", "mt": value, "factor": factor}
        found.append({**told, **(_rates(base, factor) if factor is not None else {})})
    return found


def _rates(account: Account, factor: float) -> dict[str, Any]:
    """Net present value and rates of return with all gains and all income times a factor."""
    s, terms = account.streams, account.terms
    kept = s["capital"] + s["upkeep"] + s["residual"]
    net = kept + factor * account.benefit
    income = account.income * factor
    return {
        "npv_usd": appraisal.npv(net, terms.rate),
        "eirr": list(returns_of(net, account.benefit).rates),
        "financial_npv_usd": appraisal.npv(kept + income, terms.rate),
        "firr": list(returns_of(kept + income, income).rates),
    }


def _toll_variants(option: Option, tables: Tables) -> list[tuple[float, Option]]:
    """The project with dearer and cheaper runs on its own lines, by the factor on their rates."""
    links = tuple(tables["links"].filter((pl.col("project") == option.id) & (pl.col("mode") == "rail"))["id"].to_list())
    km = territory(tables, option.id)
    if not links or not km:
        return []
    rates = {r["country"]: r for r in tables["rates"].to_dicts() if r["mode"] == "rail"}
    whole = sum(km.values())
    teu, tonne = (
        sum(part * (rates.get(c) or rates["*"])[unit] for c, part in km.items()) / whole
        for unit in ("usd_teu_km", "usd_t_km")
    )
    found: list[tuple[float, Option]] = []
    for factor in TOLLS:
        step = factor - 1.0
        kind: type[Charge | Subsidise] = Charge if step > 0.0 else Subsidise
        levy = kind(links=links, usd_teu_km=abs(step) * teu, usd_t_km=abs(step) * tonne)
        name = f"{option.id} at {factor:g} times the rates"
        found.append((factor, Option(name, name, (*option.measures, levy), False)))
    return found


def _by_tolls(option: Option, plan: Plan, terms: Terms, tables: Tables, worth: Valuer) -> list[dict[str, Any]]:
    """The project with dearer or cheaper runs on its own lines, solved anew: traffic answers."""
    found = []
    for factor, variant in _toll_variants(option, tables):
        worth.add(variant)
        chosen = frozenset({variant.id})
        gains = [worth.gains(chosen, y) for y in worth.years]
        own = [worth.own(option.id, chosen, y) for y in worth.years]
        account = Account(plan, terms, worth.years, gains, own)
        found.append(
            {
                "factor": factor,
                "own_line_mt": {str(y): o.heaviest_t / MEGATONNE for y, o in zip(worth.years, own, strict=True)},
                "own_income_usd": {str(y): o.surplus_usd for y, o in zip(worth.years, own, strict=True)},
                **_rates(account, 1.0),
            }
        )
        worth.forget(chosen)
    return found


def _head(option: Option, plan: Plan) -> dict[str, Any]:
    return {
        "id": option.id,
        "name": option.name,
        "kind": "project" if option.project else "scenario",
        "valued": True,
        "first_year": plan.first_year,
        "opening_year": plan.opening,
        "timing_basis": plan.timing_basis,
        "cost_usd": {"low": plan.low_usd, "used": plan.used_usd, "high": plan.high_usd, "basis": plan.cost_basis},
        "payers": dict(plan.payers),
        "payer_basis": plan.payer_basis,
    }


def _company(found: Mapping[str, Any]) -> str:
    """Whether a project is worth more or less with the others there."""
    alone, among = found["alone"]["gross_benefit_usd"], found["in_company"]["gross_benefit_usd"]
    if abs(among - alone) <= max(0.01 * max(abs(alone), abs(among)), NOISE_USD):
        return "independent"
    return "complement" if among > alone else "substitute"


def flows_frame(found: Mapping[str, Any]) -> pl.DataFrame:
    """Yearly rows as a frame."""
    schema = {
        "project": pl.String, "case": pl.String, "year": pl.Int64, "stream": pl.String, "usd": pl.Float64,
        "modelled": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(found["flows"], schema=schema)
