"""The account of one project in one case: its years by stream, and every measure of what it is worth to whom.

    gains of modelled years, cost, upkeep -> a row of years by stream -> present values, rates of return, timing, risks

Years between modelled ones are interpolated in a straight line; before the first and after the last modelled year gains
are those of that year. A net present value is as of the first year of construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model import appraisal
from landbridge.study.appraisal_terms import Appraising
from landbridge.study.appraising import Plan
from landbridge.study.cashflow import unpaid
from landbridge.study.files import Study
from landbridge.study.gains import Gains
from landbridge.study.risks import records_of, risk_rows
from landbridge.study.settings import parameter
from landbridge.study.valuer import Own

__all__ = ["MEGATONNE", "NOISE_USD", "Account", "Terms", "between_years", "loss_of", "returns_of"]

F8 = npt.NDArray[np.float64]

# Changes of the users' gain that the tornado shows: nothing published bounds it, so the span is a convention.
GAIN_SPAN = (0.5, 1.5)
#: Present values that differ by less than this are the same: about what a gap of 1e-8 leaves open.
NOISE_USD = 1e5
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


class Account:
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
        found["loss"] = loss_of(found)
        if plan.used_usd is None:
            # without a cost only the gross benefit can be told, and how much the project may cost
            return {**found, "npv_usd": None, "break_even_cost_usd": gross}
        net = np.asarray(sum(self.streams.values()), np.float64)
        costs = -(self.streams["capital"] + self.streams["upkeep"] + self.streams["residual"])
        economic = returns_of(net, benefit)
        income = self.income
        own_net = self.streams["capital"] + self.streams["upkeep"] + self.streams["residual"] + income
        financial = returns_of(own_net, income)
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


def returns_of(net: F8, gains: F8) -> appraisal.Returns:
    """Rates of return; none where nothing is gained: a root then only sets what is left against what was spent."""
    return appraisal.rates_of_return(net) if (gains > 0.0).any() else appraisal.Returns("none", ())


def loss_of(told: Mapping[str, Any]) -> str | None:
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
