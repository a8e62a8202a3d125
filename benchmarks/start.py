"""How long the command line takes to start, beside Python itself.

    python benchmarks/start.py [--runs 15]

Seconds differ between machines and with load, so each command is also told as a multiple of ``python -c pass``,
measured in turn with it. The aim: ``landbridge --help`` under 0.5 s on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "landbridge --version": ["-m", "landbridge", "--version"],
    "landbridge --help": ["-m", "landbridge", "--help"],
}


def seconds(command: list[str]) -> float:
    """Run Python once and return the time it took."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure in turn, so that other load falls on all commands alike, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command, after one that is not counted")
    runs = parser.parse_args().runs
    for command in COMMANDS.values():
        seconds(command)
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    base = statistics.median(taken["python -c pass"])
    print(f"{'command':<24}{'median s':>10}{'least s':>10}{'x python':>10}")
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name:<24}{middle:>10.3f}{min(times):>10.3f}{middle / base:>10.1f}")


if __name__ == "__main__":
    main()
