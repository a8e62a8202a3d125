"""The report of an investment folder: rankings, cash flows, who pays against who gains, start years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.errors import OutputError
from landbridge.show.report.charts import gantt, sides, swings, years_chart
from landbridge.show.report.markup import Html, el, join, number, percent
from landbridge.study.invest_files import Investment

__all__ = ["write_investment_report"]

HERE = Path(__file__).parent
MILLION = 1e6
# Projects drawn one by one, and countries in a chart; the tables of the folder hold all.
DRAWN, COUNTRIES = 6, 12
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def write_investment_report(found: Investment, out: Path) -> Path:
    """Write the report.

    Parameters
    ----------
    found
        From `landbridge.study.invest_files.read_investment`.
    out
        The file; in a folder that is there, ``report.html``.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    target = out / "report.html" if out.is_dir() else out
    part = target.with_name(f".{target.name}.part")
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        part.write_text(_page(found), encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: the report could not be written: {error.strerror}") from error
    return target


def _page(found: Investment) -> str:
    told = found.manifest["result"]
    sections = _appraisal(found) if found.manifest["kind"] == "appraisal" else _programme(found)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{told['study']} · Landbridge investment"),
        el("style", Html((HERE / "report.css").read_text(encoding="utf-8"))),
    )
    terms = told["terms"]
    note = (
        f"Present values at {terms['rate']:.3g} a year in million USD; CO2 at {terms['carbon_usd_t']:g} USD a tonne; "
        f"{terms['years_of_service']} years of service; size {told['size']}."
    )
    body = el(
        "body",
        el("header", el("p", "Landbridge", class_="kicker"), el("h1", told["study"]), el("p", note, class_="lead")),
        el(
            "main",
            *sections,
            el("h2", "What is assumed"),
            el("ul", *[el("li", text) for text in told["assumptions"]]),
            class_="page",
            style="display:block",
        ),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    top = el("thead", el("tr", *[el("th", h, scope="col") for h in headings]))
    body = [
        el("tr", *[el("td" if n else "th", c, scope=None if n else "row") for n, c in enumerate(row)]) for row in rows
    ]
    return el("div", el("table", top, el("tbody", *body)), class_="scroll", tabindex="0", style="overflow-x:auto")


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
    parts = [el("h2", "Ranked by what they gain alone"), _table(heads, rows)]
    missing = [p for p in told["projects"] if not p["valued"]]
    if missing:
        parts.append(el("p", "Not valued: " + "; ".join(f"{p['name']}: {p['why']}" for p in missing) + "."))
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
    parts = [el("h2", project["name"])]
    if streams:
        parts += [el("h3", "Year by year"), years_chart(streams, f"{project['name']}: sums by year, million USD")]
    parts += [
        el("h3", "Who pays and who gains"),
        sides(paid, f"{project['name']}: what each country pays and gains, million USD"),
        el("p", f"Payers by {project['payer_basis']}. What railways and border posts get, users have paid."),
    ]
    if told.get("tornado"):
        rows = [(s["name"], s["npv_low_usd"], s["npv_high_usd"]) for s in told["tornado"]]
        parts += [el("h3", "What the net present value hangs on"),
                  swings(rows, told["npv_usd"], f"{project['name']}: net present value by assumption")]  # fmt: skip
        risks = [[r["risk"], r["likelihood"], _mn(r["npv_change_usd"]), r["basis"]] for r in told["risks"]]
        parts.append(_table(["risk", "likelihood", "changes the NPV by", "basis"], risks))
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
        parts += [el("h3", "What each would pay by which rule"), _table(heads, rows_)]
    return parts


def _programme(found: Investment) -> list[Html]:
    told = found.manifest["result"]
    rows = [(r["project"], r["start_year"], r["opening_year"]) for r in told["programme"]]
    last = told["first_year"] + told["horizon_years"]
    table = [
        [r["project"], str(r["start_year"] or ""), str(r["opening_year"] or ""), _mn(r["cost_usd"], 0),
         _mn(r["value_alone_usd"]), _mn(r["value_in_company_usd"])]
        for r in told["programme"]
    ]  # fmt: skip
    proof = "proved" if told["proved"] else f"bound {_mn(told['bound_usd'])}"
    spending: dict[str, dict[int, float]] = {}
    for r in told["spending"]:
        if r["payer"] != "*" and r["spent_usd"]:
            spending.setdefault(r["payer"], {})[r["year"]] = r["spent_usd"]
    parts = [
        el("h2", f"Worth {_mn(told['value_usd'])} million USD ({proof})"),
        gantt(rows, told["first_year"], last, "Construction and service of the programme's projects"),
        _table(["project", "begun", "opens", "cost", "worth alone", "worth in company"], table),
        el("p", told["method"]),
    ]
    if spending:
        parts += [el("h3", "What is spent, by payer"), years_chart(spending, "Spending by payer, million USD")]
    order = told["coordination"]
    if order and "players" in order:
        heads = ["country", "together", "alone", "price of not coordinating", "side payment"]
        keys = ("joint_usd", "alone_usd", "price_usd", "side_payment_usd")
        lines = [[c, *(_mn(order[k][c], 0) for k in keys)] for c in order["players"]]
        stable = "; ".join(", ".join(names) or "nothing" for names in order["equilibria"]) or "no pure equilibrium"
        parts += [
            el("h2", "Each alone and all together"),
            _table(heads, lines),
            join([el("p", f"Stable alone: {stable}. Together: {', '.join(order['joint']) or 'nothing'}.")]),
        ]
    return parts
