"""Time general equilibrium of trade beside gegravity 0.3, on the same data in one run, and show how far apart they are.

    python -m venv peers && peers/bin/pip install gegravity==0.3
    python benchmarks/trade.py --peer peers/bin/python [--sizes 30 60 120] [--sample sample_data_set.dlm]

Worlds of structural gravity with 30, 60 and 120 countries (distances on a plane, a border, lognormal sizes, spending as
output): an agreement between two of them, elasticity of substitution 5. The peer is told the equation, ours the flows
that it implies, so that both answer one question. Times are of the CPU of one process with one thread: the peer's
baseline, experiment and simulation once, without start-up and data frames; ours as the median of many solves in the
same run. What the peer answers is not the exact solution (it keeps the old shares of output and spending in its
resistances); the table shows the gain of the country that gains most in both, and the largest difference. With
`--sample` its own example is run too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.model import trade

F8 = npt.NDArray[np.float64]

SIGMA = 5.0
THETA = SIGMA - 1
DISTANCE, BORDER, AGREEMENT = -0.9, -2.0, 0.5
REPEATS = 31
SEED = 20231

#: What the peer's interpreter runs: a world as JSON in, its answer and seconds as JSON out.
PEER = r"""
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import gegravity as ge, pandas as pd
data = json.load(open(sys.argv[1]))
frame = pd.DataFrame(data["rows"])
coefficients = pd.DataFrame(data["coefficients"], columns=["var", "beta", "stderr"])
start = time.process_time()
base = ge.BaselineData(frame, imp_var_name="importer", exp_var_name="exporter", year_var_name="year",
                       trade_var_name="trade", expend_var_name="E", output_var_name="Y")
costs = ge.CostCoeffs(estimates=coefficients, identifier_col="var", coeff_col="beta", stderr_col="stderr")
model = ge.OneSectorGE(baseline=base, cost_coeff_values=costs, cost_variables=list(coefficients["var"]),
                       year=data["year"], reference_importer=data["reference"], sigma=data["sigma"])
model.build_baseline(omr_rescale=data["rescale"])
changed = model.baseline_data.copy()
a, b = data["pair"]
changed.loc[(changed.exporter == a) & (changed.importer == b), "pta"] = 1
changed.loc[(changed.exporter == b) & (changed.importer == a), "pta"] = 1
model.define_experiment(changed)
model.simulate()
seconds = time.process_time() - start
json.dump({"seconds": seconds, "welfare": {k: float(v) for k, v in model.country_results["welfare statistic"].items()}},
          open(sys.argv[2], "w"))
"""


def world(n: int) -> tuple[dict[str, Any], F8]:
    """A world of structural gravity: what the peer is told, and the flows that it implies."""
    rng = np.random.default_rng(SEED + n)
    names = [f"C{i:03d}" for i in range(n)]
    place = rng.random((n, 2))
    distance = np.log(0.05 + np.hypot(*(place[:, None, :] - place[None, :, :]).transpose(2, 0, 1)))
    output = rng.lognormal(0, 1.2, n) * 1e5
    abroad = 1.0 - np.eye(n)
    closeness = np.exp(DISTANCE * distance + BORDER * abroad)
    start = output[:, None] * output[None, :]
    flows = trade.conditional(start / output.sum(), closeness)
    rows = [
        {
            "exporter": names[i], "importer": names[j], "year": 2020, "trade": flows[i, j], "Y": output[i],
            "E": output[j], "lndist": distance[i, j], "international": abroad[i, j], "pta": 0, "constant": 1,
        }
        for i in range(n)
        for j in range(n)
    ]  # fmt: skip
    told = {
        "rows": rows,
        "coefficients": [
            ("lndist", DISTANCE, 0.0),
            ("international", BORDER, 0.0),
            ("pta", AGREEMENT, 0.0),
            # the peer fails without a constant of about this size
            ("constant", float(np.log(output.sum())), 0.0),
        ],
        "year": "2020",
        "reference": names[0],
        "sigma": SIGMA,
        "rescale": 1,
        "pair": [names[1], names[2]],
        "names": names,
        "agreement": AGREEMENT,
    }
    return told, flows


def sample(path: Path) -> tuple[dict[str, Any], F8]:
    """The peer's own example: 30 countries, an agreement of Canada and Japan; spending rescaled to add up to output."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows: list[dict[str, Any]] = [dict(row) for row in csv.DictReader(stream)]
    names = sorted({row["exporter"] for row in rows})
    number = {name: i for i, name in enumerate(names)}
    output, spending = np.zeros(len(names)), np.zeros(len(names))
    for row in rows:
        for key in row:
            if key not in ("exporter", "importer"):
                row[key] = float(row[key] or 0)
        row["year"], row["constant"] = int(row["year"]), 1
        output[number[row["exporter"]]], spending[number[row["importer"]]] = row["Y"], row["E"]
    spending *= output.sum() / spending.sum()
    coefficients = [
        ("lndist", -0.3898623, 0.0), ("contiguity", 0.891577, 0.0), ("common_language", 0.0326249, 0.0),
        ("pta", 0.4711383, 0.0), ("international", -3.412584, 0.0), ("constant", 16.32434, 0.0),
    ]  # fmt: skip
    closeness = np.zeros((len(names), len(names)))
    for row in rows:
        row["E"] = spending[number[row["importer"]]]
        utility = sum(beta * row[name] for name, beta, _ in coefficients if name != "constant")
        closeness[number[row["exporter"]], number[row["importer"]]] = np.exp(utility)
    flows = trade.conditional(np.outer(output, spending) / output.sum(), closeness)
    told = {
        "rows": rows, "coefficients": coefficients, "year": "2006", "reference": "DEU", "sigma": SIGMA, "rescale": 1,
        "pair": ["CAN", "JPN"], "names": names, "agreement": 0.4711383,
    }  # fmt: skip
    return told, flows


def ours(told: dict[str, Any], flows: F8) -> tuple[float, F8]:
    """Median CPU seconds of a solve, and the change of real wages."""
    n = len(flows)
    i, j = (told["names"].index(name) for name in told["pair"])
    tau = np.ones((n, n))
    tau[i, j] = tau[j, i] = np.exp(-told["agreement"] / THETA)
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        found = trade.solve(flows, tau, THETA, deficits="multiplicative")
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), found.real_wage


def theirs(peer: Path, told: dict[str, Any]) -> tuple[float, F8]:
    """CPU seconds of the peer and its change of welfare."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer, script = (Path(folder) / name for name in ("world.json", "answer.json", "peer.py"))
        given.write_text(json.dumps(told), encoding="utf-8")
        script.write_text(PEER, encoding="utf-8")
        subprocess.run([peer, script, given, answer], check=True, stdout=subprocess.DEVNULL)
        found = json.loads(answer.read_text(encoding="utf-8"))
    # its statistic is the old over the new
    return found["seconds"], 1 / np.array([found["welfare"][name] for name in told["names"]])


def main() -> None:
    """Print the table."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        # libraries read it when they are loaded, so begin again
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        sys.exit(subprocess.run([sys.executable, *sys.argv], env={**os.environ, **threads}, check=False).returncode)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, help="a Python that has gegravity")
    parser.add_argument("--sizes", type=int, nargs="+", default=[30, 60, 120])
    parser.add_argument("--sample", type=Path, help="the peer's sample_data_set.dlm")
    options = parser.parse_args()
    worlds = [(f"{n} countries", *world(n)) for n in options.sizes]
    if options.sample:
        worlds.append(("the peer's sample", *sample(options.sample)))
    print(
        f"{'world':20} {'ours ms':>9} {'peer ms':>10} {'ratio':>8} {'exact gain %':>13} {'peer gain %':>12} "
        f"{'worst diff':>11}"
    )
    for label, told, flows in worlds:
        own_seconds, exact = ours(told, flows)
        best = int(np.argmax(exact))
        if options.peer is None:
            print(f"{label:20} {own_seconds * 1e3:9.2f} {'no peer':>10} {'':>8} {100 * (exact[best] - 1):13.5f}")
            continue
        seconds, approximate = theirs(options.peer, told)
        print(
            f"{label:20} {own_seconds * 1e3:9.2f} {seconds * 1e3:10.0f} {seconds / own_seconds:8.0f} "
            f"{100 * (exact[best] - 1):13.5f} {100 * (approximate[best] - 1):12.5f} "
            f"{np.abs(approximate - exact).max():11.1e}"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
