"""The verbs of investment: cash flows, links to build, projects and their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.invest_words import coordination
from landbridge.show.running import RESUME_NEEDS_OUT, ClusterAddress, Resume, Workers
from landbridge.show.terminal import (
    FREE,
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    print_table,
    progress_bar,
    read_checked,
    split_commas,
)

if TYPE_CHECKING:
    from landbridge.data.tables import Tables
    from landbridge.study.files import Study
    from landbridge.study.runner import Where

__all__ = ["appraise", "cashflow", "design", "plan"]

MILLION = 1e6
# Projects whose countries are printed, and countries of each; the files of --out hold all.
FEW, MOST_COUNTRIES = 3, 12

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="A study file.", show_default=False)]
Size = Annotated[str | None, typer.Option(help="full, corridor or reduced; default the study's.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
Rate = Annotated[str, typer.Option(help="Discount rate, as 9% or 0.09.")]


def cashflow(
    path: Annotated[
        Path, typer.Argument(metavar="FLOWS.csv", help="CSV with the columns year and flow.", show_default=False)
    ],
    rate: Rate = "9%",
    as_json: Json = False,
) -> None:
    """Tell what a row of yearly sums is worth: NPV, every rate of return, benefits over costs, payback.

    The first year is not discounted. Benefits over costs: present value of the years above zero over that of the years
    below it. Payback counts from the first year to the last time that the sum comes back to zero; never where it ends
    below.
    """
    if not path.is_file():
        raise LandbridgeError(f"{path}: {'a folder, wanted a CSV file' if path.is_dir() else 'no such file'}")
    from landbridge.study.cashflow import cash_flow, rate_of

    found = cash_flow(path, rate_of(rate))
    if as_json:
        print_json(found)
        return
    rates = ", ".join(f"{value:.4%}" for value in found["eirr"]) or "none"
    print_table(
        f"What {path.name} is worth at {found['rate']:.4g}",
        [("measure", 0), ("value", FREE)],
        [
            ["net present value", found["npv"]],
            ["rates of return", rates],
            ["benefits over costs", found["bcr"]],
            ["payback", _years(found["payback_years"])],
            ["discounted payback", _years(found["discounted_payback_years"])],
        ],
        " ".join(f"{note[0].upper()}{note[1:]}." for note in found["notes"]),
    )


def design(
    network: Annotated[Path, typer.Argument(metavar="NET.tntp", help="A TNTP network.", show_default=False)],
    trips: Annotated[Path, typer.Argument(metavar="TRIPS.tntp", help="Its trips.", show_default=False)],
    candidates: Annotated[
        Path,
        typer.Argument(
            metavar="CANDIDATES.csv",
            help="Links that may be built: from, to, capacity, free_flow_time (or fft), cost; b, power, length, toll.",
            show_default=False,
        ),
    ],
    budget: Annotated[float, typer.Option(help="What they may cost together.", show_default=False)],
    seconds: Annotated[
        float, typer.Option(help="CPU seconds after which the best so far is told with its bound.", min=0.0)
    ] = 600.0,
    demand: Annotated[float, typer.Option(help="Factor on all trips.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Choose the links whose building lets all trips together take the least time, users choosing their own paths.

    Branch and bound on user equilibria with the system optimum as bound: the design is proved to be the best unless
    the seconds run out, and then its distance from the bound is told.
    """
    for path in (network, trips, candidates):
        if not path.is_file():
            raise LandbridgeError(f"{path}: {'a folder, wanted a file' if path.is_dir() else 'no such file'}")
    from landbridge.study.design import design_files

    def tell(text: str) -> None:
        typer.echo(f"{text[0].upper()}{text[1:]}.", err=True)

    found = design_files(network, trips, candidates, budget=budget, seconds=seconds, demand=demand, tell=tell)
    if as_json:
        print_json(found)
        return
    best = "proved to be the least" if found["proved"] else f"at most {found['gap']:.2%} above the least"
    rows = [
        ["built", ", ".join("-".join(pair) for pair in found["built"]) or "nothing"],
        ["cost", found["cost"]],
        ["total travel time", found["total_travel_time"]],
        ["no less than", found["lower_bound"]],
        ["without any", found["without"]],
        ["with all", found["all_built"]],
    ]
    caption = (
        f"{best[0].upper()}{best[1:]}: {found['nodes']} nodes, {found['equilibria']} equilibria, "
        f"{found['optima']} optima, {found['seconds_cpu']:.1f} CPU seconds, and "
        f"{found['seconds_cpu_compiling']:.1f} before them on code that was not compiled yet."
    )
    print_table(f"What to build for {budget:g}", [("", 0), ("value", FREE)], rows, caption)


def _read(study: Path, atlas: Path | None, overlay: Path | None, size: str | None) -> tuple[Study, Tables]:
    from dataclasses import replace

    read, tables = read_checked(study, atlas, overlay)
    if size is not None:
        known("size", size, ("full", "corridor", "reduced"))
        read = replace(read, size=size)  # type: ignore[arg-type]  # one of the three, as just checked
    return read, tables


def appraise(
    study: StudyFile,
    project: Annotated[
        list[str] | None,
        typer.Option(
            "--project",
            help="Project, or scenario of the study; may be given again; all: every project that is not there yet. "
            "Default: all that the study builds.",
        ),
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Only alone, not in company with the others.")] = False,
    size: Size = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the tables and investment.json; stopped, the same command goes on."),
    ] = None,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    resume: Resume = False,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Appraise projects: with against without, from the flows of the study's years; who pays and who gains.

    Each is valued alone and in company with the others. Terms stand in the study's table 'appraisal' or come from the
    atlas; costs, dates and payers come from the atlas' projects.
    """
    from landbridge.study.appraise import appraise as solve
    from landbridge.study.invest_files import check_investment_output, keeping, tables_of, write_investment

    where = _where(workers, cluster, resume=resume, out=out)
    if out is not None:
        check_investment_output(out)
    read, tables = _read(study, atlas, overlay, size)
    names = [name for given in project or () for name in split_commas(given)]
    with keeping(out) as kept:
        with progress_bar(quiet=quiet or as_json) as progress:
            found = solve(read, tables, names, company=not alone, tell=_steps(progress), kept=kept, where=where)
        if out is not None:
            write_investment(out, "appraisal", found, tables_of(found), study.read_text(encoding="utf-8"))
    if as_json:
        print_json({k: v for k, v in found.items() if k != "flows"})
        return
    rate = found["terms"]["rate"]
    rows = []
    ranked = sorted(found["projects"], key=lambda p: -p.get("alone", {}).get("gross_benefit_usd", float("-inf")))
    for p in ranked:
        one = p.get("alone", {})
        two = p.get("in_company", {})
        eirr = ", ".join(f"{r:.2%}" for r in one.get("eirr", ())) or one.get("eirr_status", "")
        rows.append([
            p["id"], p["opening_year"], _mn(p["cost_usd"]["used"]), p["cost_usd"]["basis"],
            _mn(one.get("gross_benefit_usd")), _mn(one.get("npv_usd")), eirr, one.get("bcr"),
            _mn(two.get("gross_benefit_usd")), p.get("company", "" if p["valued"] else "not in the network"),
        ])  # fmt: skip
    print_table(
        f"{found['study']}: what projects are worth at {rate:.3g}, million USD",
        [("project", 0), ("opens", 0), ("cost", 0), ("basis", 0), ("gains alone", 1), ("NPV", 0), ("EIRR", 0),
         ("BCR", 3), ("gains in company", 1), ("with the others it is a", 0)],
        rows,
        " ".join(f"{note[0].upper()}{note[1:]}." for note in found["assumptions"]),
        whole=("project",),
    )  # fmt: skip
    for p in ranked:
        if not p["valued"]:
            typer.echo(f"Not valued: {p['id']}: {p['why']}")
        elif p["alone"]["loss"]:
            typer.echo(f"{p['id']}: {p['alone']['loss']}.")
    for p in ranked[:FEW]:
        if p["valued"]:
            _print_measures(p, rate)
            _print_countries(p)
            if p["sharing"]:
                _print_sharing(p)
            if p.get("tonnes"):
                _print_other(p)
    if out is not None:
        typer.echo(f"Tables are in {out}")


def _where(workers: int, cluster: str | None, *, resume: bool, out: Path | None) -> Where:
    """Who solves; what an earlier run has kept is used in any case."""
    from landbridge.study.runner import where_of

    if resume and out is None:
        raise LandbridgeError(RESUME_NEEDS_OUT.format("what --out"))
    return where_of(workers, cluster)


def _years(count: float | None) -> str:
    """A payback."""
    return "never" if count is None else f"{count:.1f} years"


def _print_measures(project: Mapping[str, Any], rate: float) -> None:
    """Returns, timing, what the answer hangs on, risks and the loan of one project, alone."""
    told = project["alone"]
    if told["npv_usd"] is None:
        most = told["break_even_cost_usd"]
        worth = f"it may cost up to {_mn(most):,.0f} million USD" if most > 0.0 else "it would not pay at any"
        typer.echo(f"{project['id']}: no cost is known; {worth}.")
        return
    opening = told["opening"]
    rows: list[list[Any]] = [
        ["net present value", _mn(told["npv_usd"]), f"million USD at {rate:.3g}"],
        *([f"net present value at {float(r):.3g}", _mn(v), "million USD"] for r, v in told["npv_by_rate_usd"].items()),
        ["economic return", _rates(told, "eirr"), told["eirr_status"]],
        ["financial return of its lines", _rates(told, "firr"), told["firr_status"]],
        ["payback", _years(told["payback_years"]), "not discounted"],
        ["discounted payback", _years(told["discounted_payback_years"]), ""],
        ["return of the first year", f"{told['first_year_rate']:.2%}", "of the cost"],
        ["best opening", opening["best"], f"{opening['planned']} planned, up to {opening['latest_tried']} tried"]
        if opening
        else ["opened", project["opening_year"], "in service: neither its opening nor its cost is at risk any more"],
    ]
    for swing in told["tornado"]:
        at = told["switching"].get(swing["name"])
        zero = "never zero" if at is None else f"zero at {at:+.0%}"
        span = f"NPV with {swing['name']} times {swing['low']:.2g} to {swing['high']:.2g}"
        rows.append([span, f"{_mn(swing['npv_low_usd']):,.0f} to {_mn(swing['npv_high_usd']):,.0f}", zero])
    rows += [[f"if it {risk['risk']}" if risk["risk"].startswith(("opens", "costs", "is ")) else risk["risk"],
              f"{_mn(risk['npv_change_usd']):+,.0f}", risk["likelihood"]] for risk in told["risks"]]  # fmt: skip
    if told["loan"]:
        loan = told["loan"]
        rows.append([
            f"loan of {loan['lender']} over {loan['years']} years", f"{_mn(loan['amount_usd']):,.0f}",
            f"at most {_mn(loan['largest_payment_usd']):,.0f} a year, interest of {loan['rate']:.3g} in all "
            f"{_mn(loan['interest_total_usd']):,.0f}",
        ])  # fmt: skip
    print_table(
        f"{project['id']}: returns, timing, what the answer hangs on",
        [("measure", 0), ("value", 0), ("", 0)],
        rows,
        "Changes of the net present value in million USD. Likelihoods are records of others, not this project's.",
    )


def _print_countries(project: Mapping[str, Any]) -> None:
    told = project["alone"]["by_country"]
    parts = ("users_usd", "operators_usd", "fees_usd", "gains_usd", "pays_usd", "net_usd")
    rows = [[c, *(_mn(v[part]) for part in parts)] for c, v in list(told.items())[:MOST_COUNTRIES]]
    print_table(
        f"{project['id']}: who gains and who pays, present values, million USD",
        [("country", 0), ("users", 1), ("railways", 1), ("fees", 1), ("gains", 1), ("pays", 1), ("net", 1)],
        rows,
        f"Payers by {project['payer_basis']}. What railways and fees get, users have paid: a transfer, shown with who "
        f"gets it. {max(len(told) - MOST_COUNTRIES, 0)} more countries.",
    )


def _print_other(project: Mapping[str, Any]) -> None:
    rows = [
        [row["basis"], row["mt"], _mn(row.get("npv_usd")), _rates(row, "eirr"), _rates(row, "firr")]
        for row in project["tonnes"]
    ]
    last = list(project["alone"]["own_line_mt"])[-1]
    rows += [
        [f"tolls on its lines times {row['factor']:g}", row["own_line_mt"][last], _mn(row["npv_usd"]),
         _rates(row, "eirr"), _rates(row, "firr")]
        for row in project["tolls"]
    ]  # fmt: skip
    print_table(
        f"{project['id']}: at other tonnes and tolls",
        [("if", 0), (f"Mt in {last}", 2), ("NPV, million USD", 0), ("EIRR", 0), ("FIRR", 0)],
        rows,
        "Other tonnes: gains and income in proportion, not solved again. Tolls: solved again, traffic answers.",
    )
    for told in project["published"]:
        typer.echo(
            f"Published: {told['subject']}, {told['quantity']}: {told['value']:g} {told['unit']} "
            f"({told['source_title']}; {told['id']}). {told['note'] or ''}"
        )


def _rates(row: Mapping[str, Any], name: str) -> str:
    return ", ".join(f"{rate:.2%}" for rate in row.get(name, ())) or "none"


def _print_sharing(project: Mapping[str, Any]) -> None:
    players = list(project["payers"])
    rows = [
        [share["rule"], *(_mn(share["payment_usd"][c]) for c in sorted(players)),
         *("yes" if share[flag] else "no" for flag in ("individually_rational", "budget_balanced", "in_core"))]
        for share in project["sharing"]
    ]  # fmt: skip
    print_table(
        f"{project['id']}: what each would pay by which rule, present values, million USD",
        [("rule", 0), *((f"{c} pays", 0) for c in sorted(players)), ("nobody worse off", 0), ("balanced", 0),
         ("in the core", 0)],
        rows,
        "None can build it without the others, so a coalition of fewer has nothing."
        + "".join(f" {s['rule'].capitalize()}: {s['basis']}." for s in project["sharing"] if s["basis"]),
    )  # fmt: skip


def _mn(value: float | None) -> float | None:
    return None if value is None else value / MILLION


def _steps(progress: Any) -> Callable[[str], None]:
    """Count what is being solved, where somebody watches."""
    done = count(1)
    return lambda text: progress(next(done), None, text) if progress is not None else None


def plan(
    study: StudyFile,
    budget: Annotated[str, typer.Option(help="What may be spent in all: 10bn, 500mn, 2e9.", show_default=False)],
    yearly: Annotated[str | None, typer.Option(help="What may be spent each year.")] = None,
    payer: Annotated[
        list[str] | None, typer.Option("--payer", help="Largest share of the budgets of a country: CN:51%; again.")
    ] = None,
    project: Annotated[
        list[str] | None, typer.Option("--project", help="Project; may be given again. Default: all the study builds.")
    ] = None,
    before: Annotated[list[str] | None, typer.Option(help="A:B, A complete before B is begun; again.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A:B, at most one of the two; again.")] = None,
    carry_over: Annotated[bool, typer.Option("--carry-over", help="What a year leaves may be spent later.")] = False,
    first_year: Annotated[
        int | None, typer.Option("--from", help="First year; default the year after the atlas.")
    ] = None,
    years: Annotated[int, typer.Option(help="Years in which projects must be complete.", min=1, max=60)] = 10,
    welfare: Annotated[
        str | None,
        typer.Option(
            help="Countries whose gains and payments count, by commas, with weights as KG:2; *:1 for all others. "
            "Default the world's."
        ),
    ] = None,
    fairest: Annotated[
        bool, typer.Option("--fairest", help="Make the least net gain of the --welfare countries the largest.")
    ] = False,
    exact: Annotated[
        bool | None, typer.Option("--exact/--climb", help="Prove it, or climb; default: prove it for few projects.")
    ] = None,
    size: Size = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the tables and investment.json; stopped, the same command goes on."),
    ] = None,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    resume: Resume = False,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Find a programme: which projects to begin when under budgets, what each is worth alone and in company.

    Costs, payers and years of construction are the atlas'; what sets of projects are worth comes from the flows with
    them. Beside it: what each country would do alone, and the side payments that would mend it.
    """
    from landbridge.study.cashflow import money_of, rate_of
    from landbridge.study.invest_files import check_investment_output, keeping, write_investment
    from landbridge.study.plan import ANY, Limits, plan_tables
    from landbridge.study.plan import plan as solve

    where = _where(workers, cluster, resume=resume, out=out)
    if out is not None:
        check_investment_output(out)
    read, tables = _read(study, atlas, overlay, size)
    countries = tables["countries"]["iso2"].to_list()
    shares = {}
    for text in payer or ():
        country, _, share = text.partition(":")
        name = known("country", country.strip().upper(), countries)
        if name in shares:
            raise LandbridgeError(f"--payer: wanted each country once, got {name} again")
        shares[name] = rate_of(share, f"--payer {text}")
    weights = _weights(welfare, countries)
    limits = Limits(
        total_usd=money_of(budget, "--budget"),
        yearly_usd=float("inf") if yearly is None else money_of(yearly, "--yearly"),
        payers=shares,
        carry_over=carry_over,
        before=tuple(_pair(text, "--before") for text in before or ()),
        exclusive=tuple(_pair(text, "--exclude") for text in exclude or ()),
        first_year=first_year,
        horizon=years,
        welfare=() if ANY in weights else tuple(weights),
        weights=weights if any(weight != 1.0 for weight in weights.values()) else {},
        fairest=fairest,
    )
    names = [name for given in project or () for name in split_commas(given)]
    with keeping(out) as kept:
        with progress_bar(quiet=quiet or as_json) as progress:
            found = solve(read, tables, limits, names, exact=exact, tell=_steps(progress), kept=kept, where=where)
        if out is not None:
            write_investment(out, "programme", found, plan_tables(found), study.read_text(encoding="utf-8"))
    if as_json:
        print_json(found)
        return
    rows = [
        [r["project"], r["start_year"], r["opening_year"], _mn(r["cost_usd"]), r["cost_basis"],
         _mn(r["value_alone_usd"]), _mn(r["value_in_company_usd"])]
        for r in found["programme"]
    ]  # fmt: skip
    proof = "proved" if found["proved"] else f"at most {_mn(found['bound_usd']):,.0f} by the bound"
    print_table(
        f"{found['study']}: programme worth {_mn(found['value_usd']):,.1f} million USD ({proof})",
        [("project", 0), ("begun", 0), ("opens", 0), ("cost", 0), ("basis", 0), ("worth alone", 1),
         ("worth in company", 1)],
        rows,
        f"{found['method'][0].upper()}{found['method'][1:]}. Welfare: {found['welfare']}. "
        + " ".join(f"{note[0].upper()}{note[1:]}." for note in found["assumptions"])
        + "".join(f" Left out: {name}, {why}." for name, why in found["left_out"].items()),
        whole=("project",),
    )  # fmt: skip
    if found["fairest_usd"] is not None:
        told = ", ".join(f"{c} {_mn(usd):,.0f}" for c, usd in found["fairest_usd"].items())
        typer.echo(f"The least net gain is as large as it can be: {told} million USD.")
    if "players" in found["coordination"]:
        _print_coordination(found["coordination"])
    else:
        typer.echo(f"Each alone against all together is not told: {found['coordination']['why_not']}.")
    if out is not None:
        typer.echo(f"Tables are in {out}")


def _print_coordination(told: Mapping[str, Any]) -> None:
    parts = ("joint_usd", "alone_usd", "price_usd", "side_payment_usd")
    print_table(
        "Each alone and all together, present values, million USD",
        [("country", 0), ("together", 0), ("alone", 0), ("price of not coordinating", 0), ("side payment", 0)],
        [[c, *(_mn(told[part][c]) for part in parts)] for c in told["players"]],
        coordination(told),
    )


def _weights(text: str | None, countries: Sequence[str]) -> dict[str, float]:
    """What a dollar of each country counts, as KG:2,UZ,*:0.5."""
    found: dict[str, float] = {}
    for part in split_commas(text):
        name, colon, number = part.partition(":")
        name = name.strip().upper()
        try:
            weight = float(number) if colon else 1.0
        except ValueError:
            weight = float("nan")
        if not 0.0 <= weight < float("inf"):
            raise LandbridgeError(f"--welfare {part}: wanted a weight of at least 0, as KG:2, got {number!r}")
        country = name if name == "*" else known("country", name, countries)
        if country in found:
            raise LandbridgeError(f"--welfare: wanted each country once, got {country} again")
        found[country] = weight
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    one, colon, other = text.partition(":")
    if not colon or not one.strip() or not other.strip():
        raise LandbridgeError(f"{option}: wanted two projects as A:B, got {text!r}")
    return one.strip(), other.strip()
