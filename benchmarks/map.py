"""First view and frames a second of the map, in Chromium without a graphics card.

    python benchmarks/map.py [RESULTS] [--repeats 3] [--seconds 4]

It starts `landbridge serve` on a folder of results and measures in a browser whose WebGL is software:

- first view: from navigation to the first drawn flows, the least of several openings with an empty cache;
- panning: pictures a second while the map is dragged back and forth with all flow lines on it;
- trains: pictures a second of a still map on which trains move, with how many were drawn, and how long drawing one
  picture takes in the page.

Beside them stands what the same browser reaches with nothing to draw, since a busy machine slows that too. The sizes
of the built files follow. The aims: first view under 2 s, panning at least 20, 500 trains at 60 pictures a second, and
under 600 kB of compressed files without the worker.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.map_server import Server  # noqa: E402
from tools import browser  # noqa: E402

#: As in the tests: pages are drawn on the CPU, WebGL in software.
FLAGS = ["--disable-gpu", "--enable-unsafe-swiftshader", "--disable-background-networking", "--no-first-run"]

#: Pictures a second while something is done each time; the page is asked to move the map by a pixel or two.
COUNT = """async ([seconds, act]) => {
  const canvas = document.querySelector('canvas[role=application]');
  const box = canvas.getBoundingClientRect(), x0 = box.x + box.width / 2, y0 = box.y + box.height / 2;
  const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {clientX: x, clientY: y, pointerId: 1, bubbles: true, button: 0}));
  canvas.setPointerCapture = () => {};
  const [across, along] = {pan: [90, 40], far: [0.45 * box.width, 0.4 * box.height]}[act] || [0, 0];
  if (across) send('pointerdown', x0, y0);
  const times = [];
  let n = 0;
  await new Promise(done => {
    const begin = performance.now();
    const step = now => {
      times.push(now);
      if (now - begin > seconds * 1000) return done();
      n++;
      if (across) send('pointermove', x0 + across * Math.sin(n / 12), y0 + along * Math.cos(n / 17));
      if (act === 'zoom') canvas.dispatchEvent(new WheelEvent('wheel', {clientX: x0, clientY: y0, deltaY: 60 * Math.cos(n / 30), bubbles: true, cancelable: true}));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  if (across) send('pointerup', x0, y0);
  const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
  return {rate: (times.length - 1) / ((times[times.length - 1] - times[0]) / 1000), median: gaps[gaps.length >> 1], trains: Number(canvas.dataset.trains || 0)};
}"""  # noqa: E501 (a script for the page)


def opened(page: Page, address: str) -> float:
    """Open the map; seconds to its first drawn flows."""
    page.goto(address)
    page.wait_for_selector("canvas[role=application][data-resting=true]", timeout=120_000)
    return float(page.evaluate("performance.getEntriesByName('first-flows')[0].startTime")) / 1000


def sizes() -> None:
    """Print the sizes of the built files."""
    total = 0
    for path in sorted((ROOT / "web" / "dist").rglob("*")):
        if path.suffix not in (".js", ".css", ".html"):
            continue
        packed = len(gzip.compress(path.read_bytes(), 9))
        worker = "worker" in path.name
        total += 0 if worker else packed
        print(f"  {path.name:<44}{packed / 1000:>9.1f} kB{'  (worker)' if worker else ''}")
    print(f"  {'all but the worker':<44}{total / 1000:>9.1f} kB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "results")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    executable = browser.find(ROOT / ".venv" / "browser")
    if executable is None:
        sys.exit("no Chromium")
    server = Server(options.results.resolve())
    server.start()
    try:
        with sync_playwright() as play:
            chromium = play.chromium.launch(
                executable_path=str(executable), args=FLAGS, chromium_sandbox=os.geteuid() != 0
            )

            def page(**more: Any) -> Page:
                return chromium.new_context(viewport={"width": 1280, "height": 800}, **more).new_page()

            opened(page(), server.address)  # the server's first answers are made then
            first = min(opened(page(), server.address) for _ in range(options.repeats))
            print(f"first view          {first:.2f} s")
            empty = page(reduced_motion="reduce")
            opened(empty, f"{server.address}#/map?trains=")
            for name, act in (("nothing to draw", "rest"), ("panning, all flows", "pan")):
                told = empty.evaluate(COUNT, [options.seconds, act])
                print(f"{name:<20}{told['rate']:.0f} pictures/s, median {told['median']:.1f} ms")
            moving = page()
            opened(moving, f"{server.address}#/map?trains=1")
            told = moving.evaluate(COUNT, [options.seconds, "rest"])
            rate = f"{told['rate']:.0f} pictures/s, median {told['median']:.1f} ms"
            print(f"{'moving trains':<20}{rate}, {told['trains']} trains")
            chromium.close()
    finally:
        server.stop()
    print("compressed files")
    sizes()


if __name__ == "__main__":
    main()
