"""A GMNS network with a million links: read, assigned and written in bounded memory, or refused with a clear error.

    python benchmarks/large_gmns.py                  a street grid of 1,000,000 links, trips between 30 zones
    python benchmarks/large_gmns.py --links 200000   a smaller one

The network is made at run time with numpy's seed 1 and thrown away. Printed are seconds, CPU seconds, and the largest
resident set of the process that read and assigned it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ZONES = 30


def make(folder: Path, links: int) -> int:
    """Write a street grid, both ways, as node.csv, link.csv and demand.csv.

    Parameters
    ----------
    folder
        Where.
    links
        How many at least.

    Returns
    -------
    int
        Links.
    """
    side = int((links / 4) ** 0.5) + 2
    node = np.arange(side * side)
    x, y = node % side, node // side
    zones = np.linspace(0, node.size - 1, ZONES).astype(int)
    zone: list[int | None] = [None] * node.size
    for name, place in enumerate(zones.tolist(), start=1):
        zone[place] = name
    pl.DataFrame(
        {"node_id": node + 1, "x_coord": x * 0.01, "y_coord": y * 0.01, "zone_id": pl.Series(zone, dtype=pl.Int64)}
    ).write_csv(folder / "node.csv")
    steps = []
    for right, up in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        inside = (x + right >= 0) & (x + right < side) & (y + up >= 0) & (y + up < side)
        steps.append(np.column_stack([node[inside], node[inside] + right + up * side]))
    ends = np.vstack(steps)
    random = np.random.default_rng(1)
    pl.DataFrame(
        {
            "link_id": np.arange(len(ends)) + 1,
            "from_node_id": ends[:, 0] + 1,
            "to_node_id": ends[:, 1] + 1,
            "directed": np.ones(len(ends), np.int64),
            "length": random.uniform(0.5, 2, len(ends)).round(3),
            "free_speed": np.full(len(ends), 60.0),
            "capacity": random.uniform(500, 2000, len(ends)).round(),
            "lanes": np.ones(len(ends), np.int64),
        }
    ).write_csv(folder / "link.csv")
    pairs = [(a, b, 3) for a in range(1, ZONES + 1) for b in range(1, ZONES + 1) if a != b]
    pl.DataFrame(pairs, schema=["o_zone_id", "d_zone_id", "volume"], orient="row").write_csv(folder / "demand.csv")
    return len(ends)


def main() -> None:
    """Make, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "net"
        folder.mkdir()
        links = make(folder, asked.links)
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        began = time.perf_counter()
        call = [sys.executable, "-m", "landbridge", "assign", str(folder), "--gap", "1e-4", "--threads", "1"]
        done = subprocess.run([*call, "--out", str(Path(place) / "out")], check=False, capture_output=True, text=True)
        wall = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{links:,} links, {size:.0f} MB of text: exit code {done.returncode}")
        print(f"wall {wall:.1f} s, CPU {used.ru_utime + used.ru_stime:.1f} s, peak {used.ru_maxrss / 1024:.0f} MB")
        print(done.stdout if done.returncode == 0 else done.stderr)


if __name__ == "__main__":
    main()
