"""Events a second of the terminal simulation, beside SimPy and Ciw, on the same models in one run.

    python benchmarks/terminals.py [--peers PYTHON] [--repeats 5] [--replications 200] [--workers 2]

Two models: M/M/10 at a load of 0.9, and a yard in which trains of 30 to 60 boxes hold one of 60 tracks while they are
inspected (3 teams), reloaded (2 crane groups, 3 minutes a box) and taken out (2 locomotives). An event is an arrival or
the end of a service: 2 a customer, 4 a train, whatever a program does inside. Ours runs the whole way from a plan:
draws, event loop, all times of all trains kept. SimPy and Ciw run in another Python that has them (``--peers``, default
this one) with their drawing of numbers included; Ciw knows no tracks, which never bind here. Means are printed beside,
for programs that disagree do not do the same work. CPU seconds, in turn, the least of the repeats; ratios in one run.

The aims: at least 50 times SimPy's events a second; 90 days of Khorgos Gateway under 0.5 s warm; and 200 replications
through the runner, told in wall seconds with one worker and with several.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from importlib import import_module  # a peer's Python has no landbridge, ours no peers
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
MMC = {"lam": 9.0, "mu": 1.0, "c": 10}
YARD = {"gap": 1.6, "teams": 3, "groups": 2, "locomotives": 2, "tracks": 60, "box_h": 0.05}


# ------------------------------------------------------------------------------------------------------ the peers


def simpy_mmc(count: int, seed: int) -> float:
    """Mean wait of M/M/c in SimPy."""
    simpy = import_module("simpy")
    draw, env = random.Random(seed), simpy.Environment()  # noqa: S311 - chance, not secrets
    servers, waits = simpy.Resource(env, int(MMC["c"])), [0.0]

    def customer() -> Any:
        came = env.now
        with servers.request() as turn:
            yield turn
            waits[0] += env.now - came
            yield env.timeout(draw.expovariate(MMC["mu"]))

    def source() -> Any:
        for _ in range(count):
            yield env.timeout(draw.expovariate(MMC["lam"]))
            env.process(customer())

    env.process(source())
    env.run()
    return waits[0] / count


def simpy_yard(count: int, seed: int) -> float:
    """Mean stay of a train in SimPy."""
    simpy = import_module("simpy")
    draw, env = random.Random(seed), simpy.Environment()  # noqa: S311 - chance, not secrets
    tracks = simpy.Resource(env, int(YARD["tracks"]))
    teams, groups = simpy.Resource(env, int(YARD["teams"])), simpy.Resource(env, int(YARD["groups"]))
    locomotives, stays = simpy.Resource(env, int(YARD["locomotives"])), [0.0]

    def train() -> Any:
        came, boxes = env.now, draw.randint(30, 60)
        with tracks.request() as track:
            yield track
            for who, hours in (
                (teams, draw.expovariate(1.0)),
                (groups, boxes * YARD["box_h"]),
                (locomotives, draw.expovariate(2.0)),
            ):
                with who.request() as turn:
                    yield turn
                    yield env.timeout(hours)
        stays[0] += env.now - came

    def source() -> Any:
        for _ in range(count):
            yield env.timeout(draw.expovariate(1.0 / YARD["gap"]))
            env.process(train())

    env.process(source())
    env.run()
    return stays[0] / count


def ciw_mmc(count: int, seed: int) -> float:
    """Mean wait of M/M/c in Ciw."""
    ciw = import_module("ciw")
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=MMC["lam"])],
        service_distributions=[ciw.dists.Exponential(rate=MMC["mu"])],
        number_of_servers=[int(MMC["c"])],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(count)
    waits = [record.waiting_time for record in simulation.get_all_records()]
    return float(sum(waits) / len(waits))


def ciw_yard(count: int, seed: int) -> float:
    """Mean stay of a train in Ciw, without tracks."""
    ciw = import_module("ciw")
    ciw.seed(seed)
    lifts = [n * YARD["box_h"] for n in range(30, 61)]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=1.0 / YARD["gap"]), None, None],
        service_distributions=[
            ciw.dists.Exponential(rate=1.0),
            ciw.dists.Pmf(lifts, [1 / len(lifts)] * len(lifts)),
            ciw.dists.Exponential(rate=2.0),
        ],
        number_of_servers=[int(YARD["teams"]), int(YARD["groups"]), int(YARD["locomotives"])],
        routing=[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(count)
    total = sum(r.waiting_time + r.service_time for r in simulation.get_all_records())
    return float(total / count)


PEERS = {"simpy": (simpy_mmc, simpy_yard), "ciw": (ciw_mmc, ciw_yard)}
SIZES = {"simpy": (60_000, 20_000), "ciw": (20_000, 6_000)}


def child(name: str, seed: int) -> None:
    """Run one peer in this Python and print what it took."""
    told = {}
    for model, run, size in zip(("mmc", "yard"), PEERS[name], SIZES[name], strict=True):
        start = time.process_time()
        mean = run(size, seed)
        seconds = time.process_time() - start
        told[model] = {"events_s": size * (2 if model == "mmc" else 4) / seconds, "mean": mean}
    print(json.dumps(told))


# ------------------------------------------------------------------------------------------------------------- ours


def ours(seed: int) -> dict[str, dict[str, float]]:
    """Run both models through the simulation of terminals."""
    np, terminals = import_module("numpy"), import_module("landbridge.model.terminals")

    def plan(resources: list[dict[str, Any]], **stream: Any) -> Any:
        row = {"id": "s", "arrives": "1435", **stream}
        return terminals.make_plan({"id": "b", "side_a": "1435", "side_b": "1520"}, resources, [row])

    queue = plan(
        [{"kind": "track"}, {"kind": "crane", "count": MMC["c"], "minutes_train": 60 / MMC["mu"], "variation": 1}],
        trains_day=24 * MMC["lam"],
    )
    yard = plan(
        [
            {"kind": "track", "count": YARD["tracks"]},
            {"kind": "customs", "count": YARD["teams"], "minutes_train": 60, "variation": 1},
            {"kind": "crane", "count": YARD["groups"], "minutes_unit": 60 * YARD["box_h"]},
            {"kind": "locomotive", "count": YARD["locomotives"], "minutes_train": 30, "variation": 1},
        ],
        trains_day=24 / YARD["gap"],
    )
    told: dict[str, dict[str, float]] = {}
    for model, tried, size in (("mmc", queue, 500_000), ("yard", yard, 250_000)):
        start = time.process_time()
        if model == "mmc":
            run = terminals.simulate(tried, days=size / MMC["lam"] / 24, seed=seed)
            begun = run.log.start_h[: run.arrived, 0]
            mean = float(np.nanmean(begun - run.drawn.trains.arrive_h))
        else:
            rng = np.random.default_rng(seed)
            hours = np.cumsum(rng.standard_exponential(size)) * YARD["gap"]
            loads = rng.integers(30, 61, size)
            trace = (hours, np.zeros(size, np.int64), loads)
            run = terminals.simulate(tried, days=1, seed=seed, arrivals=trace, until_empty=True)
            mean = float((run.log.done_h - hours).mean())
        seconds = time.process_time() - start
        told[model] = {"events_s": run.log.counts[0] / seconds, "mean": mean}
    return told


def _cpu_s() -> float:
    """CPU of this process and of those it has started and seen end."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_utime for who in whose)


def gateway(replications: int, workers: int) -> None:
    """Time the Gateway: one run, and many through the runner."""
    terminals, work = import_module("landbridge.model.terminals"), import_module("landbridge.study.terminal")
    plan = work.plan_of(import_module("landbridge.data.read").read_atlas(), "khorgos-gateway")
    one = work.Settings(days=90, replications=1)
    terminals.summarise(work.replicate(plan, one))
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        terminals.summarise(work.replicate(plan, one))
        taken.append(time.perf_counter() - start)
    print(f"\nKhorgos Gateway, 90 days, warm, with its summary: {min(taken):.3f} s (aim 0.5)")
    for count in dict.fromkeys((1, workers)):
        start, spent = time.perf_counter(), _cpu_s()
        runs = work.replicate(plan, work.Settings(days=90, replications=replications, workers=count))
        spent = _cpu_s() - spent
        summary = terminals.summarise(runs)
        seconds = time.perf_counter() - start
        stay = summary.dwell_h["total"]["mean"]
        print(
            f"{replications} replications, {count} worker{'s' if count > 1 else ''}: {spent:.2f} s CPU, "
            f"{seconds:.1f} s wall; mean stay {stay.mean:.3f} h ({stay.low:.3f} to {stay.high:.3f})"
        )


def main() -> None:
    """Measure in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="a Python that has simpy and ciw")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--child", choices=tuple(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.seed)
        return
    ours(0)  # compiles
    rates: dict[str, dict[str, list[float]]] = {}
    means: dict[str, dict[str, list[float]]] = {}
    for repeat in range(given.repeats):
        for name in ("ours", *PEERS):
            told: dict[str, dict[str, float]]
            if name == "ours":
                told = ours(repeat)
            else:
                words = [given.peers, str(HERE), "--child", name, "--seed", str(repeat)]
                done = subprocess.run(words, capture_output=True, text=True, check=False)
                if done.returncode:
                    sys.exit(f"{name}: {done.stderr.strip().splitlines()[-1]}; name a Python that has it with --peers")
                told = json.loads(done.stdout)
            for model, values in told.items():
                rates.setdefault(model, {}).setdefault(name, []).append(values["events_s"])
                means.setdefault(model, {}).setdefault(name, []).append(values["mean"])
    print(f"{'model':<8}{'program':<8}{'events/s, most':>16}{'ours / it':>12}{'mean h':>10}")
    for model, by_name in rates.items():
        for name, each in by_name.items():
            ratio = max(by_name["ours"]) / max(each)
            mean = sum(means[model][name]) / len(each)
            print(f"{model:<8}{name:<8}{max(each):>16,.0f}{ratio:>12.1f}{mean:>10.3f}")
    gateway(given.replications, given.workers)


if __name__ == "__main__":
    main()
