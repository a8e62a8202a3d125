"""Seconds to value every project of the atlas alone and in company, from true flows.

    python benchmarks/projects.py [--size corridor] [--years 2030] [--only 5]

All projects that the network knows of (lines or upgrades) are valued against none and as the last one added to all
others; each set is solved once, warm from the solution without any. Printed: seconds (wall and CPU), equilibria, and
what each project gains a year. A published study of 71 projects, each alone and as a complement, took 50 hours by its
own account (Reed and Trubetskoy 2019, `run_all_projects`), on shortest paths without congestion; networks, sizes and
machines differ, so that only the order of magnitude can be compared.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from landbridge.data.read import read_atlas
from landbridge.scenario.measures import Build
from landbridge.scenario.scenarios import Scenario
from landbridge.study.appraising import Option
from landbridge.study.files import GAP, Study
from landbridge.study.valuer import Valuer

MILLION = 1e6


def main() -> None:
    """Value all projects and print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("reduced", "corridor", "full"), default="corridor")
    parser.add_argument("--years", type=int, nargs="+", default=[2030])
    parser.add_argument("--only", type=int, help="the first so many projects")
    parser.add_argument("--out", type=Path, help="CSV of the gains")
    args = parser.parse_args()

    tables = read_atlas()
    rows = tables["projects"].select("id", "name").rows()
    study = Study("all projects", tuple(args.years), (Scenario("base", "base"),), "base", size=args.size, gap=GAP)
    options = [Option(name, title, (Build(project=name),), True) for name, title in rows]
    known = Valuer(study, tables, options)
    options = [o for o in options if known.changes_network(o.id)]
    without, options = len(rows) - len(options), options[: args.only]

    wall, cpu = time.perf_counter(), time.process_time()
    worth = Valuer(study, tables, options)
    everything = frozenset(o.id for o in options)
    found: list[tuple[str, int, float, float]] = []
    for year in study.years:
        worth.solution(frozenset(), year)
        print(f"{year}: base {time.process_time() - cpu:.1f} CPU s", flush=True)
        worth.solution(everything, year)
        for option in options:
            alone, others = frozenset({option.id}), everything - {option.id}
            one = worth.gains(alone, year).total_usd
            last = worth.gains(everything, year, without=others).total_usd
            worth.forget(alone)
            worth.forget(others)
            found.append((option.id, year, one, last))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{'project':34s} {'year':>4s} {'alone':>10s} {'in company':>11s}  million USD a year, CO2 not counted")
    for name, year, one, last in sorted(found, key=lambda row: (row[1], -row[2])):
        print(f"{name:34s} {year:4d} {one / MILLION:10.2f} {last / MILLION:11.2f}")
    print(
        f"{len(options)} projects ({without} more are not in the network), {args.size}, {len(study.years)} year(s): "
        f"{worth.solved} equilibria in {wall:.0f} s, {cpu:.0f} CPU s; {cpu / worth.solved:.2f} CPU s each"
    )
    if args.out is not None:
        lines = [f"{name},{year},{one:.0f},{last:.0f}" for name, year, one, last in found]
        args.out.write_text("\n".join(["project,year,alone_usd,in_company_usd", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
