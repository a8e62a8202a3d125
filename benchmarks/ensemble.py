"""A thousand scenarios: two scenarios of examples/cku-ensemble.toml in 500 futures, corridor size, one year.

    python benchmarks/ensemble.py                1,000 scenarios with 2 workers; prints seconds, overhead, memory
    python benchmarks/ensemble.py --futures 40   fewer, with 1, 2 and 4 workers and the same bits from each

Overhead is what a task costs beside its work: wall time times workers, less the seconds inside tasks, by task; the
start of the workers and the base solutions are in it. Memory is the largest resident set of a worker.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from landbridge.data.read import read_atlas
from landbridge.study.ensemble import run_ensemble
from landbridge.study.files import read_study
from landbridge.study.runner import Here, Processes, Where
from landbridge.study.uncertain import EnsemblePlan

STUDY = Path(__file__).parents[1] / "examples" / "cku-ensemble.toml"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--futures", type=int, default=500)
    parser.add_argument("--size", default="corridor", choices=["corridor", "reduced", "full"])
    asked = parser.parse_args()
    study, tables = read_study(STUDY), read_atlas()
    plan = replace(study.ensemble or EnsemblePlan(), points=asked.futures)
    study = replace(study, size=asked.size, ensemble=plan)
    few = asked.futures < 100
    hashes = set()
    print(f"{2 * asked.futures} scenarios, {asked.size} size, {len(study.uncertain)} inputs, {os.cpu_count()} cores")
    heads = ["workers", "wall s", "CPU s a scenario", "inside tasks s", "overhead ms/task", "peak MB"]
    print("".join(f"{head:>18}" for head in heads))
    for workers in (1, 2, 4) if few else (2,):
        where: Where = Here() if workers == 1 else Processes(workers)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            told = run_ensemble(study, tables, Path(folder) / "out", where=where)
            wall = time.perf_counter() - began
        inside = told["seconds_a_future"] * asked.futures
        overhead = 1000 * (wall * min(workers, os.cpu_count() or 1) - inside) / asked.futures
        cpu = told["cpu_seconds_a_future"] / 2
        print(f"{workers:>18}{wall:18.1f}{cpu:18.3f}{inside:18.1f}{overhead:18.1f}{told['peak_mb']:18.0f}")
        hashes.add(told["content"]["runs"])
    if few:
        print("the same bits from each" if len(hashes) == 1 else "DIFFERENT BITS")


if __name__ == "__main__":
    main()
