"""What the report says of an investment folder: rankings, cash flows, who pays against who gains, start years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from landbridge.show.invest_words import coordination
from landbridge.show.report.charts import gantt, sides, swings, years_chart
from landbridge.show.report.markup import Column, Html, el, head, number, percent, table, text_cell
from landbridge.study.invest_files import Investment

__all__ = ["investment_parts"]

MILLION = 1e6
# Projects drawn one by one, and countries in a chart; the tables of the folder hold all.
DRAWN, COUNTRIES = 6, 12
PROGRAMME = ("project", "begun", "opens", "cost", "worth alone", "worth in company")


def investment_parts(found: Investment) -> list[Html]:
    """Return what is to be said of an investment folder.

    Parameters
    ----------
    found
        From `landbridge.study.invest_files.read_investment`.
    """
    told = found.manifest["result"]
    sections = _appraisal(found) if found.manifest["kind"] == "appraisal" else _programme(found)
    terms = told["terms"]
    note = (
        f"Present values at {terms['rate']:.3g} a year in million USD; CO2 at {terms['carbon_usd_t']:g} USD a tonne; "
        f"{terms['years_of_service']} years of service; size {told['size']}."
    )
    assumed = el("ul", *[el("li", text) for text in told["assumptions"]])
    return [el("p", note), *sections, el("h3", "What is assumed"), assumed]


def _table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    columns = [Column(h[0].upper() + h[1:], text=not n) for n, h in enumerate(headings)]
    body = [[head(c) if not n else el("td", c, class_="n") for n, c in enumerate(row)] for row in rows]
    return table(caption, columns, body)


def _mn(value: float | None, places: int = 1) -> str:
    return number(None if value is None else value / MILLION, places)


def _appraisal(found: Investment) -> list[Html]:
    told, tables = found.manifest["result"], found.tables
    valued = [p for p in told["projects"] if p["valued"]]
    ranked = sorted(valued, key=lambda p: -p["alone"]["gross_benefit_usd"])
    rows = []
    for p in ranked:
        one, two = p["alone"], p.get("in_company", {})
        rates = ", ".join(f"{100 * r:.2f} %" for r in one.get("eirr", ())) or one.get("eirr_status", "")
        rows.append([
            p["name"], str(p["opening_year"]), _mn(p["cost_usd"]["used"], 0), p["cost_usd"]["basis"],
            _mn(one["gross_benefit_usd"]), _mn(two.get("gross_benefit_usd")), p.get("company", ""),
            _mn(one["npv_usd"], 0), rates, number(one.get("bcr"), 3),
        ])  # fmt: skip
    heads = ["project", "opens", "cost", "basis", "gains alone", "in company", "is a", "NPV", "EIRR", "benefits/cost"]
    parts = [el("h3", "Ranked by what they gain alone"), _table("Projects, million USD", heads, rows)]
    missing = [p for p in told["projects"] if not p["valued"]]
    if missing:
        parts.append(el("p", "Not valued: " + "; ".join(f"{p['name']}: {p['why']}" for p in missing) + "."))
    parts += [el("p", f"{p['name']}: {p['alone']['loss']}.") for p in ranked if p["alone"].get("loss")]
    for p in ranked[:DRAWN]:
        parts += _one(p, tables)
    return parts


def _one(project: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> list[Html]:
    told = project["alone"]
    mine = (pl.col("project") == project["id"]) & (pl.col("case") == "alone")
    streams: dict[str, dict[int, float]] = {}
    for row in tables["appraisal_flows"].filter(mine).iter_rows(named=True):
        if row["usd"]:
            streams.setdefault(row["stream"], {})[row["year"]] = row["usd"]
    countries = list(told["by_country"].items())[:COUNTRIES]
    paid = [(c, v["pays_usd"] or 0.0, v["gains_usd"] or 0.0) for c, v in countries]
    parts = [el("h3", project["name"])]
    if streams:
        parts += [el("h4", "Year by year"), years_chart(streams, f"{project['name']}: sums by year, million USD")]
    parts += [
        el("h4", "Who pays and who gains"),
        sides(paid, f"{project['name']}: what each country pays and gains, million USD"),
        el("p", f"Payers by {project['payer_basis']}. What railways and border posts get, users have paid."),
    ]
    if told.get("tornado"):
        rows = [(s["name"], s["npv_low_usd"], s["npv_high_usd"]) for s in told["tornado"]]
        parts += [el("h4", "What the net present value hangs on"),
                  swings(rows, told["npv_usd"], f"{project['name']}: net present value by assumption")]  # fmt: skip
        risks = [[r["risk"], r["likelihood"], _mn(r["npv_change_usd"]), r["basis"]] for r in told["risks"]]
        parts.append(
            _table(
                f"{project['name']}: risks, million USD", ["risk", "likelihood", "changes the NPV by", "basis"], risks
            )
        )
    if told.get("loan"):
        loan = told["loan"]
        parts.append(el("p", (
            f"Loan of {_mn(loan['amount_usd'], 0)} million USD from {loan['lender']} over {loan['years']} years, "
            f"{loan['grace_years']} of grace, at {percent(loan['rate'], 1.0)}: at most "
            f"{_mn(loan['largest_payment_usd'])} million a year."
        )))  # fmt: skip
    if project["sharing"]:
        players = sorted(project["sharing"][0]["payment_usd"])
        rows_ = [
            [s["rule"], *(_mn(s["payment_usd"][c], 0) for c in players), *(_mn(s["net_usd"][c], 0) for c in players),
             *("yes" if s[f] else "no" for f in ("individually_rational", "budget_balanced", "in_core"))]
            for s in project["sharing"]
        ]  # fmt: skip
        heads = ["rule", *(f"{c} pays" for c in players), *(f"{c} is left" for c in players), "nobody worse off",
                 "balanced", "in the core"]  # fmt: skip
        parts += [el("h4", "What each would pay by which rule"), _table("Rules of sharing, million USD", heads, rows_)]
    return [*parts, *_other(project)]


def _other(project: Mapping[str, Any]) -> list[Html]:
    """The project at other tonnes and tolls, and what others found it to be worth; where it was asked for."""
    parts: list[Html] = []
    if project.get("tonnes"):
        last = list(project["alone"]["own_line_mt"])[-1]
        rows = [[row["basis"], row["mt"], row] for row in project["tonnes"]]
        rows += [[f"tolls on its lines times {row['factor']:g}", row["own_line_mt"][last], row]
                 for row in project["tolls"]]  # fmt: skip
        listed = [
            [words, number(mt, 2), _mn(row.get("npv_usd"), 0), _rates(row, "eirr"), _rates(row, "firr")]
            for words, mt, row in rows
        ]
        parts += [
            el("h4", "At other tonnes and tolls"),
            _table(f"{project['name']}: if", ["if", f"Mt in {last}", "NPV, million USD", "EIRR", "FIRR"], listed),
            el("p", "Other tonnes: gains and income in proportion, not solved again. Tolls: solved again, traffic "
               "answers."),
        ]  # fmt: skip
    if project.get("published"):
        told = [
            [f"{r['subject']}, {r['quantity']}", f"{r['value']:g} {r['unit']}", r["source_title"], r["id"],
             r["note"] or ""]
            for r in project["published"]
        ]  # fmt: skip
        columns = [Column(name, text=True) for name in ("What", "Published", "Source", "Fact", "Note")]
        body = [[head(row[0]), *(text_cell(cell) for cell in row[1:])] for row in told]
        parts += [el("h4", "What others found"), table(f"{project['name']}: published figures", columns, body)]
    return parts


def _rates(row: Mapping[str, Any], name: str) -> str:
    return ", ".join(f"{100 * rate:.2f} %" for rate in row.get(name, ())) or "none"


def _programme(found: Investment) -> list[Html]:
    told = found.manifest["result"]
    names = {r["project"]: r.get("name") or r["project"] for r in told["programme"]}
    rows = [(names[r["project"]], r["start_year"], r["opening_year"]) for r in told["programme"]]
    last = told["first_year"] + told["horizon_years"]
    listed = [
        [names[r["project"]], str(r["start_year"] or ""), str(r["opening_year"] or ""), _mn(r["cost_usd"], 0),
         _mn(r["value_alone_usd"]), _mn(r["value_in_company_usd"])]
        for r in told["programme"]
    ]  # fmt: skip
    proof = "proved" if told["proved"] else f"bound {_mn(told['bound_usd'])}"
    spending: dict[str, dict[int, float]] = {}
    for r in told["spending"]:
        if r["payer"] != "*" and r["spent_usd"]:
            spending.setdefault(r["payer"], {})[r["year"]] = r["spent_usd"]
    parts = [
        el("h3", f"Worth {_mn(told['value_usd'])} million USD ({proof})"),
        gantt(rows, told["first_year"], last, "Construction and service of the programme's projects"),
        _table("The programme, million USD", PROGRAMME, listed),
        el("p", told["method"]),
    ]
    if spending:
        parts += [el("h4", "What is spent, by payer"), years_chart(spending, "Spending by payer, million USD")]
    order = told["coordination"]
    if order and "players" in order:
        heads = ["country", "together", "alone", "price of not coordinating", "side payment"]
        keys = ("joint_usd", "alone_usd", "price_usd", "side_payment_usd")
        lines = [[c, *(_mn(order[k][c], 0) for k in keys)] for c in order["players"]]
        parts += [
            el("h3", "Each alone and all together"),
            _table("Countries alone and together, million USD", heads, lines),
            el("p", coordination(order, names)),
        ]
    elif order:
        parts.append(el("p", f"Each alone against all together is not told: {order['why_not']}."))
    return parts
