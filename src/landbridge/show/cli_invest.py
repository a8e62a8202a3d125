"""The verbs of investment: cash flows, links to build, projects and their order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import FREE, Json, print_json, print_table

__all__ = ["cashflow", "design"]

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

    found = design_files(network, trips, candidates, budget=budget, seconds=seconds, demand=demand)
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
        f"{found['optima']} optima, {found['seconds_cpu']:.1f} CPU seconds."
    )
    print_table(f"What to build for {budget:g}", [("", 0), ("value", FREE)], rows, caption)
