"""Time of a coalition of the corridor game: cold, with what neighbours know, and as a plain program over arcs.

    python benchmarks/coalitions.py [--size reduced] [--players CN,KZ,...] [--arcs 3] [--sample 12] [--whole]

Three ways to the same worths, on the atlas of one year:

    cold       efficient paths found anew, then column generation from nothing but them
    re-use     coalitions of one row one after another, as `landbridge power` solves them
    arcs       one linear program over arcs and relations in HiGHS, a flow a relation; the worths must be equal to 1e-6

``--whole`` solves all coalitions with two workers and prints wall and CPU time. A ratio holds within one run only.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from landbridge.data.read import read_atlas
from landbridge.model.flows.mincost import need_highs
from landbridge.model.leverage import corridor
from landbridge.scenario.apply import apply
from landbridge.study.players import players_of
from landbridge.study.runner import Processes
from landbridge.study.solve import Settings
from landbridge.study.worth import RULES, corridors, solve_worths

PLAYERS = "CN,KZ,RU,BY,KG,UZ,AZ,eu,TM,IR,TR,MN"


def by_arcs(game: corridor.CorridorGame, coalition: int) -> tuple[float, float]:
    """Worth by one program over arcs, and the CPU seconds that HiGHS took.

    Relations of one origin, class and set of spared consents share a flow, which loses nothing: outflow by
    destination stays apart as what each relation draws.
    """
    highs = need_highs()
    m, n = game.consent.size, game.graph.node_count
    keys = np.stack([game.origin, game.class_index, game.own])
    groups, which = np.unique(keys, axis=1, return_inverse=True)
    which = which.reshape(-1)
    count, flows = game.tonnes_yr.size, groups.shape[1]
    columns = flows * m + count
    gain, upper = np.zeros(columns), np.full(columns, np.inf)
    rows_i: list[Any] = []
    rows_j: list[Any] = []
    values: list[Any] = []
    limited = np.flatnonzero(np.isfinite(game.room))
    row_of = np.full(game.room.size + 1, -1)
    row_of[limited] = flows * n + np.arange(limited.size)
    for g in range(flows):
        _, k, own = groups[:, g]
        at = g * m + np.arange(m)
        closed = np.append((game.room <= 0.0) & (game.load[k] > 0.0), False)[game.facility]
        barred = (game.consent & ~(coalition | own) != 0) | np.isinf(game.cost_usd_t[k]) | closed
        gain[at] = np.where(barred, 0.0, game.cost_usd_t[k])
        upper[at] = np.where(barred, 0.0, np.inf)
        open_arcs = np.flatnonzero(~barred)
        rows_i += [g * n + game.graph.tail[open_arcs], g * n + game.graph.head[open_arcs]]
        rows_j += [at[open_arcs], at[open_arcs]]
        values += [np.ones(open_arcs.size), -np.ones(open_arcs.size)]
        used = open_arcs[row_of[game.facility[open_arcs]] >= 0]
        rows_i.append(row_of[game.facility[used]])
        rows_j.append(at[used])
        values.append(game.load[k, game.facility[used]])
    at = flows * m + np.arange(count)
    gain[at], upper[at] = -game.outside_usd_t, game.tonnes_yr
    rows_i += [which * n + game.origin, which * n + game.destination]
    rows_j += [at, at]
    values += [-np.ones(count), np.ones(count)]
    i, j, v = np.concatenate(rows_i), np.concatenate(rows_j), np.concatenate(values)
    order = np.lexsort((i, j))
    program = highs.HighsLp()
    program.num_col_, program.num_row_ = columns, flows * n + limited.size
    program.col_cost_, program.col_lower_, program.col_upper_ = gain, np.zeros(columns), upper
    program.row_lower_ = np.append(np.zeros(flows * n), np.full(limited.size, -np.inf))
    program.row_upper_ = np.append(np.zeros(flows * n), game.room[limited])
    program.a_matrix_.format_ = highs.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.searchsorted(j[order], np.arange(columns + 1))
    program.a_matrix_.index_, program.a_matrix_.value_ = i[order].astype(np.int32), v[order]
    solver = highs.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    began = time.process_time()
    solver.run()
    taken = time.process_time() - began
    if solver.getModelStatus() != highs.HighsModelStatus.kOptimal:
        raise SystemExit(f"HiGHS: {solver.modelStatusToString(solver.getModelStatus())}")
    return -float(solver.getInfo().objective_function_value), taken


def cpu() -> float:
    """CPU seconds of this process and of the workers that have ended."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="reduced", choices=["reduced", "corridor", "full"])
    parser.add_argument("--players", default=PLAYERS)
    parser.add_argument("--year", type=int, default=2023)
    parser.add_argument("--arcs", type=int, default=3, help="coalitions solved over arcs")
    parser.add_argument("--sample", type=int, default=12, help="coalitions solved cold")
    parser.add_argument("--rows", type=int, default=2, help="rows solved with re-use")
    parser.add_argument("--whole", action="store_true", help="all coalitions, two workers")
    asked = parser.parse_args()

    tables = read_atlas()
    players = players_of(tables, asked.players.split(","), asked.year)
    applied = apply(tables, (), asked.year, held=frozenset({"cku"})).tables
    settings = Settings(size=asked.size)
    game = corridors(applied, players, rule=RULES[0], year=asked.year, settings=settings).game
    paths = corridor.efficient_paths(game)  # compiles
    corridor.Row(game, paths).solve(0)
    print(
        f"{asked.size} {asked.year}: {game.tonnes_yr.size} relations, {game.consent.size} arcs, "
        f"{game.player_count} players, {paths.relation.size} efficient paths"
    )

    every = corridor.blocks(game.player_count)
    rows = [every[i] for i in np.linspace(len(every) - 1, 0, asked.rows).astype(int)]
    began, solved, visited = time.process_time(), 0, 0
    known: dict[int, float] = {}
    for row in rows:
        found, number = corridor.row_worths(corridor.Row(game, paths), row)
        known |= dict(zip(row, found.tolist(), strict=True))
        solved, visited = solved + number, visited + len(row)
    reuse = (time.process_time() - began) / visited
    print(f"re-use  {1e3 * reuse:9.1f} ms a coalition ({visited} visited, {solved} solved, the others proved equal)")

    random = np.random.default_rng(0)
    chosen = random.choice(list(known), min(asked.sample, len(known)), replace=False).tolist()
    began = time.process_time()
    for coalition in chosen:
        worth = corridor.worths(game, corridor.efficient_paths(game), [coalition])[0].worth_usd_yr
        differs("cold", coalition, worth, known[coalition])
    cold = (time.process_time() - began) / len(chosen)
    print(f"cold    {1e3 * cold:9.1f} ms a coalition, {cold / reuse:.1f} times re-use")

    if asked.arcs:
        took = []
        largest = max(known)
        for coalition in [largest, *(c for c in chosen if c != largest)][: asked.arcs]:
            worth, seconds = by_arcs(game, coalition)
            differs("arcs", coalition, worth, known[coalition])
            took.append(seconds)
        arcs = float(np.mean(took))
        print(f"arcs    {1e3 * arcs:9.1f} ms a coalition in HiGHS alone, {arcs / reuse:.1f} times re-use; equal worths")

    if asked.whole:
        with TemporaryDirectory() as folder:
            began, used = time.perf_counter(), cpu()
            worths = solve_worths(game, where=Processes(2), cache=Path(folder))
            wall, used = time.perf_counter() - began, cpu() - used
            again = time.perf_counter()
            same = solve_worths(game, where=Processes(2), cache=Path(folder))
            again = time.perf_counter() - again
        if not np.array_equal(worths, same):
            raise SystemExit("the worths that were kept are not those that were found")
        print(
            f"whole   {worths.size} coalitions: {wall:.0f} s wall, {used:.0f} s CPU with two workers "
            f"({used / 2:.0f} s on two idle cores); {again:.2f} s from what was kept"
        )


def differs(way: str, coalition: int, worth: float, known: float) -> None:
    """Stop when two ways to one worth do not meet."""
    if abs(worth - known) > 1e-6 * max(abs(known), 1.0):
        raise SystemExit(f"coalition {coalition:b}: {way} says {worth!r}, re-use {known!r}")


if __name__ == "__main__":
    main()
