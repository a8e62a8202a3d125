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
from landbridge.study.cashflow import unpaid
from landbridge.study.files import Study
from landbridge.study.gains import Gains
from landbridge.study.kept import Kept
from landbridge.study.risks import records_of, risk_rows
from landbridge.study.settings import parameter
from landbridge.study.valuer import Own, Set, Valuer

__all__ = ["Terms", "appraise", "between_years", "flows_frame"]

F8 = npt.NDArray[np.float64]

# Changes of the users' gain that the tornado shows: nothing published bounds it, so the span is a convention.
GAIN_SPAN = (0.5, 1.5)
# Present values that differ by less than this are the same: about what a gap of 1e-8 leaves open.
NOISE_USD = 1e5
# Up to so many projects at a time are also valued at other tonnes and tolls, which takes more equilibria.
FEW = 3
# Tolls on the project's own lines, relative to the rates of the atlas.
TOLLS = (0.75, 1.25, 1.5, 2.0)
# The latest wait for the best opening, years.
LATEST = 20
MEGATONNE = 1e6


class Terms:
    """Rates, prices and lives of an appraisal: the study's where it states them, else the atlas'."""

    def __init__(self, study: Study, tables: Tables) -> None:
        how = study.appraisal or Appraising()
        rows = {r["id"]: r for r in tables["parameters"].to_dicts()}

        def span(name: str) -> tuple[float, float, float]:
            row = rows[name]
            return float(row["low"]), float(row["value"]), float(row["high"])

        low, middle, high = (value / 100 for value in span("appraisal-rate"))
        self.rate = middle if how.rate is None else how.rate
        self.rates = tuple(sorted({low, self.rate, high}))
        carbon = span("appraisal-carbon-price")
        self.carbon_usd_t = carbon[1] if how.carbon_usd_t is None else how.carbon_usd_t
        self.carbon_span = (carbon[0], carbon[2])
        self.years = int(parameter(tables, "appraisal-years")) if how.years is None else how.years
        self.life = parameter(tables, "line-life")
        upkeep = span("line-upkeep")
        self.upkeep = upkeep[1] / 100
        self.upkeep_span = (upkeep[0] / upkeep[1], upkeep[2] / upkeep[1])
        self.interest_span = (span("loan-interest")[0] / 100, span("loan-interest")[2] / 100)
        self.records = records_of(tables)

    def told(self) -> dict[str, Any]:
        """The terms as a result states them."""
        return {
            "rate": self.rate,
            "rates": list(self.rates),
            "carbon_usd_t": self.carbon_usd_t,
            "years_of_service": self.years,
            "line_life_years": self.life,
            "upkeep_share_yr": self.upkeep,
        }


def between_years(modelled: Sequence[int], values: Sequence[float], wanted: npt.ArrayLike) -> F8:
    """Interpolate in a straight line; outside the modelled years the nearest one holds."""
    return np.asarray(np.interp(np.asarray(wanted, np.float64), np.asarray(modelled, np.float64), values), np.float64)


def appraise(
    study: Study,
    tables: Tables,
    names: Sequence[str] = (),
    *,
    company: bool = True,
    tell: Callable[[str], None] | None = None,
    valuer: Valuer | None = None,
    kept: Kept | None = None,
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
    projects = []
    rows: list[dict[str, Any]] = []
    for option in options:
        plan = plan_of(option, tables, study.appraisal or Appraising(), study.years[0])
        if not worth.changes_network(option.id):
            projects.append({**_head(option, plan), "valued": False, "why": worth.why_not(option.id)})
            continue
        alone = frozenset({option.id})
        cases: dict[str, tuple[Set, Set]] = {"alone": (frozenset(), alone)}
        if company and len(options) > 1:
            cases["in_company"] = (every - alone, every)
        found: dict[str, Any] = _head(option, plan)
        for case, (without, with_) in cases.items():
            gains = [worth.gains(with_, year, without=without) for year in study.years]
            own = [worth.own(option.id, with_, year) for year in study.years]
            account = _Account(plan, terms, study.years, gains, own)
            found[case] = account.told()
            rows += [{"project": option.id, "case": case, **row} for row in account.rows()]
            if case == "in_company":
                worth.forget(without)
        if option.project and len(options) <= FEW and plan.used_usd is not None:
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


class _Account:
    """The years of one project in one case."""

    def __init__(
        self, plan: Plan, terms: Terms, modelled: Sequence[int], gains: Sequence[Gains], own: Sequence[Own]
    ) -> None:
        self.plan, self.terms, self.modelled, self.gains, self.own = plan, terms, modelled, gains, own
        self.years = np.arange(plan.first_year, plan.opening + terms.years)
        self.streams = self._streams(0)

    def _yearly(self, values: Sequence[float], delay: int) -> F8:
        """Gains by year, from the opening on."""
        serving = self.years >= self.plan.opening + delay
        return np.where(serving, between_years(self.modelled, values, self.years), 0.0)

    def _streams(self, delay: int) -> dict[str, F8]:
        gains, plan, terms = self.gains, self.plan, self.terms
        cost = plan.used_usd or 0.0
        capex, upkeep, residual = np.zeros(self.years.size), np.zeros(self.years.size), np.zeros(self.years.size)
        capex[: plan.build_years] = -cost / plan.build_years
        upkeep[plan.build_years + delay :] = -cost * terms.upkeep
        served = terms.years - delay
        residual[-1] = cost * max(0.0, 1.0 - served / terms.life)
        return {
            "capital": capex,
            "upkeep": upkeep,
            "residual": residual,
            "users": self._yearly([sum(g.users_usd.values()) for g in gains], delay),
            "operators": self._yearly([sum(g.operators_usd.values()) for g in gains], delay),
            "fees": self._yearly([sum(g.fees_usd.values()) for g in gains], delay),
            "empties": self._yearly([g.empties_usd for g in gains], delay),
            "carbon": self._yearly([-sum(g.co2_t.values()) * terms.carbon_usd_t for g in gains], delay),
        }

    @property
    def benefit(self) -> F8:
        """Gross benefit by year."""
        return np.asarray(sum(self.streams[s] for s in ("users", "operators", "fees", "empties", "carbon")), np.float64)

    @property
    def income(self) -> F8:
        """What the project's own lines earn beyond resources, by year."""
        return self._yearly([o.surplus_usd for o in self.own], 0)

    def told(self) -> dict[str, Any]:
        """All measures of this case."""
        terms, plan = self.terms, self.plan
        benefit = self.benefit
        gross = appraisal.npv(benefit, terms.rate)
        half = self._yearly([g.users_half_usd for g in self.gains], 0)
        found: dict[str, Any] = {
            "gross_benefit_usd": gross,
            "users_logsum_usd": appraisal.npv(self.streams["users"], terms.rate),
            "users_rule_of_half_usd": appraisal.npv(half, terms.rate),
            "operators_usd": appraisal.npv(self.streams["operators"], terms.rate),
            "fees_usd": appraisal.npv(self.streams["fees"], terms.rate),
            "empties_usd": appraisal.npv(self.streams["empties"], terms.rate),
            "carbon_usd": appraisal.npv(self.streams["carbon"], terms.rate),
            "own_line_mt": {str(y): o.heaviest_t / MEGATONNE for y, o in zip(self.modelled, self.own, strict=True)},
            "shifted_to_land_mt": {
                str(y): g.shifted_t / MEGATONNE for y, g in zip(self.modelled, self.gains, strict=True)
            },
            "not_valued_mt": {
                str(y): g.newly_served_t / MEGATONNE for y, g in zip(self.modelled, self.gains, strict=True)
            },
            "co2_t": {str(y): sum(g.co2_t.values()) for y, g in zip(self.modelled, self.gains, strict=True)},
            "by_country": self._by_country(),
            "by_commodity_usd": self._by_commodity(),
        }
        found["loss"] = _loss(found)
        if plan.used_usd is None:
            # without a cost only the gross benefit can be told, and how much the project may cost
            return {**found, "npv_usd": None, "break_even_cost_usd": gross}
        net = np.asarray(sum(self.streams.values()), np.float64)
        costs = -(self.streams["capital"] + self.streams["upkeep"] + self.streams["residual"])
        economic = _returns(net, benefit)
        income = self.income
        own_net = self.streams["capital"] + self.streams["upkeep"] + self.streams["residual"] + income
        financial = _returns(own_net, income)
        serving = int(np.argmax(self.years >= plan.opening))
        return {
            **found,
            "npv_usd": appraisal.npv(net, terms.rate),
            "npv_by_rate_usd": {f"{rate:.4g}": appraisal.npv(net, rate) for rate in terms.rates},
            "eirr": list(economic.rates),
            "eirr_status": economic.status,
            "firr": list(financial.rates),
            "firr_status": financial.status,
            "financial_npv_usd": appraisal.npv(own_net, terms.rate),
            "own_income_usd": {str(y): o.surplus_usd for y, o in zip(self.modelled, self.own, strict=True)},
            "cost_present_value_usd": appraisal.npv(costs, terms.rate),
            "bcr": appraisal.bcr(benefit, terms.rate, costs=costs),
            "payback_years": appraisal.payback_years(net),
            "discounted_payback_years": appraisal.payback_years(net, terms.rate),
            "payback_notes": unpaid(net, terms.rate),
            "first_year_rate": appraisal.first_year_rate(float(benefit[serving]), plan.used_usd),
            "opening": self._opening(),
            "switching": appraisal.switching_values(self._grouped(), terms.rate),
            "tornado": self._tornado(),
            "risks": self._risks(),
            "loan": self._loan(),
        }

    def _grouped(self) -> dict[str, F8]:
        s = self.streams
        return {
            "capital": s["capital"] + s["residual"],
            "upkeep": s["upkeep"],
            "gains": s["users"] + s["operators"] + s["fees"] + s["empties"],
            "carbon": s["carbon"],
        }

    def _tornado(self) -> list[dict[str, Any]]:
        plan, terms = self.plan, self.terms
        used = plan.used_usd or 1.0
        ranges = {
            "capital": ((plan.low_usd or used) / used, (plan.high_usd or used) / used),
            "upkeep": terms.upkeep_span,
            "gains": GAIN_SPAN,
        }
        if terms.carbon_usd_t > 0.0:
            low, high = terms.carbon_span
            ranges["carbon"] = (low / terms.carbon_usd_t, high / terms.carbon_usd_t)
        return [
            {"name": s.name, "low": s.low, "high": s.high, "npv_low_usd": s.npv_low, "npv_high_usd": s.npv_high}
            for s in appraisal.tornado(self._grouped(), ranges, terms.rate)
        ]

    def _opening(self) -> dict[str, Any] | None:
        """Best year to open, all else alike: gains by calendar year as modelled, cost in even parts before."""
        plan, terms = self.plan, self.terms
        if plan.there:
            return None
        values = [g.total_usd - sum(g.co2_t.values()) * terms.carbon_usd_t for g in self.gains]
        worth = {}
        for wait in range(LATEST + 1):
            begin = plan.opening + wait
            years = np.arange(plan.first_year, begin + terms.years)
            flows = np.where(years >= begin, between_years(self.modelled, values, years), 0.0)
            cost = plan.used_usd or 0.0
            flows[wait : wait + plan.build_years] -= cost / plan.build_years
            flows[years >= begin] -= cost * terms.upkeep
            flows[-1] += cost * max(0.0, 1.0 - terms.years / terms.life)
            worth[begin] = appraisal.npv(flows, terms.rate)
        best = max(worth, key=lambda year: worth[year])
        return {"planned": plan.opening, "best": best, "latest_tried": max(worth), "npv_usd": worth[best]}

    def _risks(self) -> list[dict[str, Any]]:
        if self.plan.there:
            return []
        told = {
            "npv_usd": appraisal.npv(sum(self.streams.values()), self.terms.rate),
            "capital_usd": appraisal.npv(self._grouped()["capital"], self.terms.rate),
        }

        def late(years: int) -> float:
            return appraisal.npv(sum(self._streams(years).values()), self.terms.rate)

        return risk_rows(self.plan, self.terms.records, told, late)

    def _loan(self) -> dict[str, Any] | None:
        plan = self.plan
        if plan.loan is None:
            return None
        drawing = np.full(plan.build_years, 1.0 / plan.build_years)
        service = appraisal.debt_service(plan.loan, drawing)
        parties = {p: {"paid_usd": [float(v) for v in service.paid * s]} for p, s in plan.servicing.items()}
        spans = {}
        for rate in self.terms.interest_span:
            terms = appraisal.Loan(plan.loan.amount, rate, plan.loan.years, plan.loan.grace_years)
            spans[f"{rate:.4g}"] = float(appraisal.debt_service(terms, drawing).paid.max())
        return {
            "lender": plan.lender,
            "amount_usd": plan.loan.amount,
            "rate": plan.loan.rate,
            "years": plan.loan.years,
            "grace_years": plan.loan.grace_years,
            "largest_payment_usd": float(service.paid.max()),
            "largest_payment_by_rate_usd": spans,
            "interest_total_usd": float(service.interest.sum()),
            "served_by": parties,
            "first_year": plan.first_year,
            "present_value_of_service_usd": appraisal.npv(service.paid, self.terms.rate),
        }

    def _by_country(self) -> dict[str, dict[str, float | None]]:
        """Present values by country: what its users, railways and treasury gain, what it pays, what is left."""
        terms, plan = self.terms, self.plan
        capital = appraisal.npv(self.streams["capital"] + self.streams["residual"], terms.rate)
        upkeep = appraisal.npv(self.streams["upkeep"], terms.rate)
        parts = ("users_usd", "operators_usd", "fees_usd")
        names = sorted({c for g in self.gains for part in parts for c in getattr(g, part)} | set(plan.payers))
        found: dict[str, dict[str, float | None]] = {}
        for country in names:
            row: dict[str, float | None] = {}
            for part in parts:
                values = [getattr(g, part).get(country, 0.0) for g in self.gains]
                row[part] = appraisal.npv(self._yearly(values, 0), terms.rate)
            share = plan.payers.get(country, 0.0)
            row["pays_usd"] = None if plan.used_usd is None else -(capital + upkeep) * share
            gained = sum(v for k, v in row.items() if k != "pays_usd" and v is not None)
            row["gains_usd"] = gained
            row["net_usd"] = None if plan.used_usd is None else gained + (capital + upkeep) * share
            found[country] = row
        return dict(sorted(found.items(), key=lambda pair: -abs(pair[1]["gains_usd"] or 0.0)))

    def _by_commodity(self) -> dict[str, float]:
        names = sorted({k for g in self.gains for k in g.commodities_usd})
        sums = {
            k: appraisal.npv(self._yearly([g.commodities_usd.get(k, 0.0) for g in self.gains], 0), self.terms.rate)
            for k in names
        }
        return dict(sorted(sums.items(), key=lambda pair: -abs(pair[1])))

    def rows(self) -> list[dict[str, Any]]:
        """Yearly sums by stream."""
        modelled = set(self.modelled)
        return [
            {"year": int(year), "stream": name, "usd": float(value), "modelled": int(year) in modelled}
            for name, flows in self.streams.items()
            for year, value in zip(self.years, flows, strict=True)
        ]


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
    base = _Account(plan, terms, years, gains, own)
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


def _returns(net: F8, gains: F8) -> appraisal.Returns:
    """Rates of return; none where nothing is gained: a root then only sets what is left against what was spent."""
    return appraisal.rates_of_return(net) if (gains > 0.0).any() else appraisal.Returns("none", ())


def _rates(account: _Account, factor: float) -> dict[str, Any]:
    """Net present value and rates of return with all gains and all income times a factor."""
    s, terms = account.streams, account.terms
    kept = s["capital"] + s["upkeep"] + s["residual"]
    net = kept + factor * account.benefit
    income = account.income * factor
    return {
        "npv_usd": appraisal.npv(net, terms.rate),
        "eirr": list(_returns(net, account.benefit).rates),
        "financial_npv_usd": appraisal.npv(kept + income, terms.rate),
        "firr": list(_returns(kept + income, income).rates),
    }


def _by_tolls(option: Option, plan: Plan, terms: Terms, tables: Tables, worth: Valuer) -> list[dict[str, Any]]:
    """The project with dearer or cheaper runs on its own lines, solved anew: traffic answers."""
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
    found = []
    for factor in TOLLS:
        step = factor - 1.0
        kind: type[Charge | Subsidise] = Charge if step > 0.0 else Subsidise
        levy = kind(links=links, usd_teu_km=abs(step) * teu, usd_t_km=abs(step) * tonne)
        name = f"{option.id} at {factor:g} times the rates"
        worth.add(Option(name, name, (*option.measures, levy), False))
        chosen = frozenset({name})
        gains = [worth.gains(chosen, y) for y in worth.years]
        own = [worth.own(option.id, chosen, y) for y in worth.years]
        account = _Account(plan, terms, worth.years, gains, own)
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


def _loss(told: Mapping[str, Any]) -> str | None:
    """Why all together lose by a project, none where they do not.

    Shippers choose by prices. A price above resources (a fee, a railway's surplus) is somebody's income, so that cargo
    that leaves a dear way for one nearly as dear to shippers, but with less income in it, is a loss to all: the theory
    of the second best. Where shippers themselves lose it is congestion that does it (Braess).
    """
    gross, users = told["gross_benefit_usd"], told["users_logsum_usd"]
    if gross >= -NOISE_USD:
        return None
    names = {"operators_usd": "railways' surplus", "fees_usd": "fees at borders", "empties_usd": "empty boxes",
             "carbon_usd": "CO2"}  # fmt: skip
    lost = [f"{words} {told[key] / 1e6:,.2f}" for key, words in names.items() if told[key] < 0.0]
    if users >= 0.0:
        return (
            f"shippers gain {users / 1e6:,.2f} million USD, but all together lose {-gross / 1e6:,.2f}: cargo leaves "
            f"ways whose prices hold more income or less carbon ({', '.join(lost)})"
        )
    return (
        f"shippers themselves lose {-users / 1e6:,.2f} million USD: those who take the new way crowd others that they "
        "share with more"
    )


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
