"""First view and frames a second of the map, in Chromium without a graphics card.

    python benchmarks/map.py [RESULTS] [--repeats 3] [--seconds 4]

It starts `landbridge serve` on a folder of results and measures in a browser whose WebGL is software:

- first view: from navigation to the first drawn flows, the least of several openings with an empty cache;
- panning: pictures a second while the map is dragged back and forth with all flow lines and names on it, by a little,
  across its whole window, and near by; and while it is zoomed;
- trains: pictures a second of a still map on which trains move, with how many were drawn, and with panning besides.

Beside each stands the CPU time that all processes of the browser took for a picture, which other work on the machine
does not change. Beside them stands what the same browser reaches with nothing to draw, since a busy machine slows that
too. The sizes of the built files follow. The aims: first view under 2 s, panning at least 20, 500 trains at 60 pictures
a second, and under 600 kB of compressed files without the worker.
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

#: What is measured: name, view, what is done to the map, and whether the page's own movements are wanted.
RUNS = (
    ("nothing to draw", "trains=", "rest", "reduce"),
    ("panning, all flows", "trains=", "pan", "reduce"),
    ("panning far", "trains=", "far", "reduce"),
    ("panning far, near by", "trains=&v=72,44,4.5", "far", "reduce"),
    ("zooming", "trains=", "zoom", "reduce"),
    ("moving trains", "trains=1", "rest", "no-preference"),
    ("panning, trains", "trains=1", "pan", "no-preference"),
)

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
            print(f"first view            {first:.2f} s")
            inside = chromium.new_browser_cdp_session()

            def seconds() -> float:
                return float(sum(p["cpuTime"] for p in inside.send("SystemInfo.getProcessInfo")["processInfo"]))

            for name, view, act, motion in RUNS:
                shown = page(reduced_motion=motion)
                opened(shown, f"{server.address}#/map?{view}")
                shown.wait_for_timeout(500)
                before = seconds()
                told = shown.evaluate(COUNT, [options.seconds, act])
                each = (seconds() - before) / (told["rate"] * options.seconds)
                trains = f", {told['trains']} trains" if told["trains"] else ""
                rate = f"{told['rate']:>3.0f} pictures/s, median {told['median']:.1f} ms, CPU {1000 * each:.1f} ms each"
                print(f"{name:<22}{rate}{trains}")
                shown.context.close()
            chromium.close()
    finally:
        server.stop()
    print("compressed files")
    sizes()


if __name__ == "__main__":
    main()
