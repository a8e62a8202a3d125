"""Folders of investment results: tables as Parquet, a manifest that says what each column means, and the whole as JSON.

investment.json     what was asked, terms, assumptions, definitions of columns, seconds; and the result itself
tables/*.parquet    one file a table
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from landbridge import __version__
from landbridge.errors import OutputError
from landbridge.study.kept import keeping
from landbridge.study.results import check_output, whole_folder

__all__ = [
    "COLUMNS",
    "MARKER",
    "Investment",
    "check_investment_output",
    "frame_of",
    "keeping",
    "read_investment",
    "tables_of",
    "write_investment",
]

MARKER = "investment.json"
FORMAT = 1

_USD = "USD"
#: Unit and meaning of every column, by table.
COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    "appraisal_projects": {
        "project": ("", "Project or scenario"),
        "name": ("", "Its name"),
        "case": ("", "alone: against none; in_company: last of all, against all others"),
        "opening_year": ("year", "First year of service"),
        "cost_usd": (_USD, "Capital cost used, not discounted"),
        "cost_low_usd": (_USD, "Low end of published costs"),
        "cost_high_usd": (_USD, "High end of published costs"),
        "cost_basis": ("", "published, by kilometre (estimate from other projects), told by the study or unknown"),
        "gross_benefit_usd": (_USD, "Present value of all gains, CO2 included, costs not deducted"),
        "npv_usd": (_USD, "Net present value; empty where the cost is not known"),
        "eirr": ("share a year", "Economic rate of return where there is one; empty where none or several"),
        "eirr_status": ("", "none, one, several or any"),
        "firr": ("share a year", "Financial rate of return of the lines' own income, where there is one"),
        "bcr": ("", "Benefits over costs"),
        "payback_years": ("years", "Until what was paid has come back for good, not discounted; empty: never"),
        "first_year_rate": ("share a year", "Benefit of the first year of service over capital cost"),
        "best_opening_year": ("year", "Opening of largest net present value, up to 20 years later than planned"),
        "own_line_mt": ("Mt/yr", "Tonnes on the project's heaviest link, last modelled year"),
        "company": ("", "complement, substitute or independent: in company against alone"),
    },
    "appraisal_countries": {
        "project": ("", "Project"), "case": ("", "As above"), "country": ("ISO2", "Country"),
        "users_usd": (_USD, "Present value gained by its traders"),
        "operators_usd": (_USD, "By its railways: prices beyond resources (a transfer from users)"),
        "fees_usd": (_USD, "By its treasury or railways at borders (a transfer from users)"),
        "gains_usd": (_USD, "Sum of the three"),
        "pays_usd": (_USD, "Present value of its share of cost"),
        "net_usd": (_USD, "Gains less what it pays"),
    },
    "appraisal_flows": {
        "project": ("", "Project"), "case": ("", "As above"), "year": ("year", "Calendar year"),
        "stream": ("", "capital, upkeep, residual, users, operators, fees, empties or carbon"),
        "usd": (_USD, "Sum of the year, not discounted; below zero: paid"),
        "modelled": ("", "Whether the year was modelled; else interpolated or held"),
    },
    "appraisal_sensitivity": {
        "project": ("", "Project"), "case": ("", "As above"), "assumption": ("", "What is changed, alone"),
        "low": ("factor", "Low factor"), "high": ("factor", "High factor"),
        "npv_low_usd": (_USD, "Net present value at the low factor"),
        "npv_high_usd": (_USD, "Net present value at the high factor"),
        "switching": ("share", "Change of the stream at which the net present value is zero"),
    },
    "appraisal_risks": {
        "project": ("", "Project"), "case": ("", "As above"), "risk": ("", "What may go wrong"),
        "likelihood": ("", "Published likelihood, or unknown"),
        "npv_change_usd": (_USD, "What it does to the net present value"), "basis": ("", "Where it comes from"),
    },
    "appraisal_loans": {
        "project": ("", "Project"), "country": ("ISO2", "Who serves the loan"), "year": ("year", "Calendar year"),
        "paid_usd": (_USD, "Interest and principal paid"),
    },
    "appraisal_commodities": {
        "project": ("", "Project"), "case": ("", "As above"), "commodity": ("", "Commodity"),
        "users_usd": (_USD, "Present value gained by those who ship it"),
    },
    "programme": {
        "project": ("", "Project"), "name": ("", "Its name"), "chosen": ("", "Whether it is in the programme"),
        "start_year": ("year", "First year of construction"), "opening_year": ("year", "First year of service"),
        "cost_usd": (_USD, "Capital cost"), "value_alone_usd": (_USD, "Net present value alone, at that start"),
        "value_in_company_usd": (_USD, "What the programme would lose without it"),
    },
    "programme_spending": {
        "year": ("year", "Calendar year"), "payer": ("ISO2", "Who pays; * all together"),
        "spent_usd": (_USD, "Spent on construction"), "budget_usd": (_USD, "What may be spent; empty: no limit"),
    },
    "sharing": {
        "project": ("", "Project"),
        "rule": ("", "Rule by which the cost is shared"), "country": ("ISO2", "Country"),
        "benefit_usd": (_USD, "Present value gained"), "payment_usd": (_USD, "What it pays; below zero: is paid"),
        "net_usd": (_USD, "Gain less payment"), "share_pct": ("%", "Payment over cost"),
        "individually_rational": ("", "Whether nobody is worse off than without"),
        "budget_balanced": ("", "Whether payments add up to the cost"),
        "in_core": ("", "Whether no coalition could do better by itself"),
    },
    "coordination": {
        "country": ("ISO2", "Country"), "joint_usd": (_USD, "Welfare under the joint optimum"),
        "alone_usd": (_USD, "Welfare in the equilibrium where each decides alone"),
        "price_usd": (_USD, "What not coordinating costs it"),
        "side_payment_usd": (_USD, "What it gets (above zero) or gives so that nobody loses by coordinating"),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Investment:
    """A folder in memory: its manifest and its tables."""

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]


def check_investment_output(folder: Path) -> None:
    """Make sure that results can be put into a folder, before anything is computed; raises OutputError."""
    check_output(folder, marker=MARKER)


def tables_of(found: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Turn an appraisal into its tables.

    Parameters
    ----------
    found
        As `landbridge.study.appraise.appraise` returns it.

    Returns
    -------
    dict of str to DataFrame
    """
    names = [name for name in COLUMNS if name.startswith("appraisal_") or name == "sharing"]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    rows["appraisal_flows"] = list(found["flows"])
    for project in found["projects"]:
        for case in ("alone", "in_company"):
            if case not in project:
                continue
            told, key = project[case], {"project": project["id"], "case": case}
            cost = project["cost_usd"]
            eirr, firr = told.get("eirr", []), told.get("firr", [])
            rows["appraisal_projects"].append(
                {
                    **key,
                    "name": project["name"],
                    "opening_year": project["opening_year"],
                    "cost_usd": cost["used"],
                    "cost_low_usd": cost["low"],
                    "cost_high_usd": cost["high"],
                    "cost_basis": cost["basis"],
                    **{name: told.get(name) for name in (
                        "gross_benefit_usd", "npv_usd", "eirr_status", "bcr", "payback_years", "first_year_rate")},
                    "eirr": eirr[0] if len(eirr) == 1 else None,
                    "firr": firr[0] if len(firr) == 1 else None,
                    "best_opening_year": (told.get("opening") or {}).get("best"),
                    "own_line_mt": list(told["own_line_mt"].values())[-1],
                    "company": project.get("company"),
                }
            )  # fmt: skip
            rows["appraisal_countries"] += [{**key, "country": c, **v} for c, v in told["by_country"].items()]
            rows["appraisal_commodities"] += [
                {**key, "commodity": k, "users_usd": v} for k, v in told["by_commodity_usd"].items()
            ]
            for swing in told.get("tornado", []):
                name = swing["name"]
                row = {**key, "assumption": name, **{k: v for k, v in swing.items() if k != "name"}}
                rows["appraisal_sensitivity"].append({**row, "switching": told["switching"].get(name)})
            rows["appraisal_risks"] += [{**key, **risk} for risk in told.get("risks", [])]
        for share in project.get("sharing", ()):
            cost_of_all = sum(share["payment_usd"].values())
            rows["sharing"] += [
                {
                    "project": project["id"],
                    "country": c,
                    "payment_usd": paid,
                    "net_usd": share["net_usd"][c],
                    "benefit_usd": share["benefit_usd"][c],
                    "share_pct": 100 * paid / cost_of_all if cost_of_all else None,
                    **{k: share[k] for k in ("rule", "individually_rational", "budget_balanced", "in_core")},
                }
                for c, paid in share["payment_usd"].items()
            ]
        loan = project.get("alone", {}).get("loan")
        for country, paid in (loan["served_by"] if loan else {}).items():
            rows["appraisal_loans"] += [
                {"project": project["id"], "country": country, "year": loan["first_year"] + t, "paid_usd": usd}
                for t, usd in enumerate(paid["paid_usd"])
            ]
    return {name: frame_of(name, listed) for name, listed in rows.items()}


def frame_of(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows of one of `COLUMNS` as a frame with its types."""
    whole = {"year", "opening_year", "best_opening_year", "start_year"}
    words = {"project", "name", "case", "country", "stream", "assumption", "risk", "likelihood", "basis", "commodity",
             "cost_basis", "eirr_status", "company", "payer", "rule"}  # fmt: skip
    truth = {"modelled", "chosen", "individually_rational", "budget_balanced", "in_core"}
    schema = {
        c: pl.Int64 if c in whole else pl.String if c in words else pl.Boolean if c in truth else pl.Float64
        for c in COLUMNS[name]
    }
    return pl.DataFrame([{c: row.get(c) for c in schema} for row in rows], schema=schema)


def write_investment(
    folder: Path, kind: str, found: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], study: str = ""
) -> None:
    """Write a folder, whole or not at all.

    Parameters
    ----------
    folder
        Where it shall stand; results of the same kind are replaced.
    kind
        ``appraisal``, ``programme``.
    found
        The result; must be JSON but for infinities.
    tables
        Of `COLUMNS`.
    study
        Text of the study file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    manifest = {
        "format": FORMAT,
        "landbridge": __version__,
        "kind": kind,
        "tables": list(tables),
        "columns": {
            name: {c: {"unit": unit, "meaning": meaning} for c, (unit, meaning) in COLUMNS[name].items()}
            for name in tables
        },
        "result": {k: v for k, v in found.items() if k != "flows"},
    }
    with whole_folder(folder, marker=MARKER) as draft:
        (draft / "tables").mkdir()
        for name, frame in tables.items():
            frame.write_parquet(draft / "tables" / f"{name}.parquet")
        if study:
            (draft / "study.toml").write_text(study, encoding="utf-8")
        text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
        (draft / MARKER).write_text(text + "\n", encoding="utf-8")


def read_investment(folder: Path) -> Investment:
    """Read a folder that `write_investment` made.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    Investment

    Raises
    ------
    OutputError
        If it is another folder, or one of another format.
    """
    path = folder / MARKER
    if not path.is_file():
        raise OutputError(f"{folder}: no {MARKER}; make one with `landbridge appraise STUDY.toml --out DIR`")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest.get("format") != FORMAT:
            raise OutputError(f"{folder}: wanted format {FORMAT}, got {manifest.get('format')}; make it again")
        tables = {name: pl.read_parquet(folder / "tables" / f"{name}.parquet") for name in manifest["tables"]}
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise OutputError(f"{folder}: could not be read: {error}") from error
    return Investment(folder, manifest, tables)
