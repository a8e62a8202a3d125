"""The verbs of investment: cash flows, links to build, projects and their order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import FREE, Json, print_json, print_table

__all__ = ["cashflow"]

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
    below it. Payback counts from the first year.
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
            ["payback, years", found["payback_years"]],
            ["discounted payback, years", found["discounted_payback_years"]],
        ],
        " ".join(f"{note[0].upper()}{note[1:]}." for note in found["notes"]),
    )
