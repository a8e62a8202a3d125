"""Write the tables of docs/terminals.md that hold the simulation beside published figures, between their markers.

python tools/terminals_page.py            # writes
python tools/terminals_page.py --check    # exits 1 where the page says otherwise

Each row names its source by the id it has in the atlas. Figures that plans were made of are left out, so that nobody
takes an echo for a hit.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from landbridge.data.plans import HANDLERS
from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.model.terminals import Plan
from landbridge.study import terminal as work

PAGE = Path(__file__).parents[1] / "docs" / "terminals.md"
BEGIN, END = "<!-- figures: {} -->\n", "<!-- end of figures -->\n"
RUNS = work.Settings(replications=10)
FEW = work.Settings(replications=3)

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One published figure and how to get its like from the simulation.

    Attributes
    ----------
    plan, changes
        The terminal, with words of ``--set`` that bring it to the volume of the time.
    what, published
        What is compared; the published value or range.
    low, high
        The range that counts as hit.
    sources
        Ids in the atlas.
    why
        What explains a miss, or what the reader must know of a hit.
    without
        Kinds that the figure does not speak of, left out of the plan with the streams that only they can work.
    of
        From what a run tells; None: the volume at which this stream ("" for all) saturates, times ``scale``.
    stream, scale
        See ``of``.
    """

    plan: str
    what: str
    published: str
    low: float
    high: float
    sources: str
    why: str
    changes: Mapping[str, str]
    of: Callable[[Told], float] | None = None
    stream: str = ""
    scale: float = 1.0
    without: tuple[str, ...] = ()

    def plan_of(self, tables: Tables) -> Plan:
        """The plan that is like what the figure speaks of."""
        plan = work.changed(work.plan_of(tables, self.plan), self.changes)
        kept = tuple(r for r in plan.resources if r.kind not in self.without)
        kinds = {r.kind for r in kept}
        streams = tuple(s for s in plan.streams if kinds & set(HANDLERS[s.option]))
        return replace(plan, resources=kept, streams=streams)


def _hours(*stages: str, minutes: bool = False) -> Callable[[Told], float]:
    return lambda told: (60.0 if minutes else 1.0) * sum(told["dwell_h"][stage]["mean"] for stage in stages)


NO_BULK = {"reload-1520.trains_day": "0"}
BRISK = {
    f"boxes-{side}.{word}": value
    for side in ("1520", "1435")
    for word, value in (("direct_share", "1"), ("lead_h", "0"))
}
ROWS = (
    Row("khorgos-gateway", "minutes under the cranes, a train", "55 (47 to 71)", 47, 71, "F0665;F0659;F0661",
        "lifts, cranes and a lift's time elsewhere; no input", {"boxes-1435.trains_day": "11"},
        _hours("handling", minutes=True)),
    Row("khorgos-gateway", "TEU a year at the limit", "540,000 (design)", 432_000, 648_000,
        "F0647;npktrans-2023-gateway",
        "other measure: a design for a year, with its idle hours. It rose to 800,000 by ten sorting tracks and no "
        "crane: sorting and empty wagons bind, which the plan has without end", {}, None, "", 365 * 100),
    Row("khorgos-station", "h until a train is reloaded, wait for the crane counted", "2", 1.5, 2.5,
        "horgos-2025-reload", "input: three cranes a line are an estimate, no count was found; with two it is 2.3 h",
        {"boxes-1520.trains_day": "11", **NO_BULK}, _hours("wait_handling", "handling")),
    Row("alashankou", "h under the cranes, a train", "about 1", 0.8, 1.2, "people-2023-alashankou",
        "four cranes there, three in the plan, which has the newer hall too",
        {"boxes-1520.trains_day": "8.5", **NO_BULK}, _hours("handling")),
    Row("alashankou", "h in the port, inbound boxes", "under 16 (48 to 72 before)", 8, 16, "F0902",
        "stay of a box from the border to its train's departure", {"boxes-1520.trains_day": "8.5", **NO_BULK},
        _hours("total")),
    Row("dostyk", "container trains a day at the limit", "22", 17.6, 26.4, "ktz-dostyk-2022",
        "other measure: what the railway told China that the border would take (it took 14 then); "
        "tracks under the cranes are not told apart from the station's, of which the plan has 12 and 15", {}, None,
        "boxes-1435"),
    Row("dostyk", "trains a day at the limit, TransTerminal alone", "12 to 15", 12, 15, "index1520-2022-dostyk;F0217",
        "its two tracks of each gauge (`railjournal-2021-dostyk`) and six stackers, none of the station: tracks bind",
        {"tracks": "2"}, None, "", 1, ("crane", "bogie", "ramp")),
    Row("zamyn-uud", "boxes a day at the limit, cranes alone", "620", 496, 744, "montsame-2018-zamyn-uud",
        "the two cranes of the logistics centre; with the station's three stackers 864", {}, None, "boxes-1435", 50,
        ("stacker",)),
    Row("manzhouli", "trains in a day, all inbound, at the limit", "20 (28 less 8 outbound)", 20, 40,
        "xinhua-2023-manzhouli", "most seen: a lower bound", {}),
    Row("manzhouli", "TEU a day at the limit, boxes", "840", 672, 1008, "landbridge-2022-manzhouli",
        "other measure: 840 TEU are 6.8 trains, as many as came in (5,001 both ways in 2023): what is done, not what "
        "could be. Six cranes that lift 420 boxes a day lift 3 an hour each", {}, None,
        "boxes-1520", 124),
    Row("zabaikalsk", "container trains a day at the limit", "8 to 10", 8, 12,
        "trcont-2022-zabaikalsk;delo-2024-zabaikalsk;transcontainer-2022-zabaikalsk",
        "model: the terminal could do 12, the railway beyond passes 8 (TransContainer); paths beyond the yard are the "
        "network's, not the plan's. The 12 are 0.45 of what is simulated: a year's design, as at the Gateway", {}, None,
        "boxes-1435"),
    Row("malaszewicze", "broad-gauge train pairs a day at the limit", "17; record 16.5", 15, 19, "rp-2021-malaszewicze",
        "customs of two hours a train and their teams are estimates", {}, None, "", 0.5),
    Row("brest", "h of a box from arrival to departure, wagons ready", "8.5 (with reloading)", 6.8, 10.2,
        "belta-2019-brest-north",
        "other measure: the norm of a train whose wagons stand ready, run so here; called on arrival they make it "
        "11.9, and boxes over the stack 16.4. The norm lies between",
        {"reload-1520.trains_day": "0", "reload-1435.trains_day": "0", "bogie-1520.trains_day": "0",
         "bogie-1435.trains_day": "0", **BRISK}, _hours("total")),
    Row("aktau", "TEU a year at the limit, off ships", "70,000 both ways", 35_000, 70_000, "365info-2025-aktau;F1067",
        "model: all berths and both cranes for boxes alone, ships without end; the six feeders carried 89,000 a year, "
        "and metal and grain go over the same berths", {}, None, "boxes-ferry", 365 * 150),
)  # fmt: skip
#: Events: terminal, event, side where the queue was told of, published queue and days to clear, with sources.
STOPS = (
    ("malaszewicze", "2025-09-poland-belarus-closed", "1520", "more than 130 trains at Brest", "7 to 14, of both",
     "newsby-2025-brest;rp-2025-terespol;ean-2025-malaszewicze;udn-2025-malaszewicze"),
    ("brest", "2025-09-poland-belarus-closed", "1435", "not told",
     "7 to 14, of both", "newsby-2025-brest;rp-2025-terespol"),
    ("dostyk", "2021-10-loading-stop", "1435", "about 150 trains when it began", "not told", "railfreight-2021-stop"),
)  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = "|" + "---|" * len(head)
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(r) + " |" for r in rows)]) + "\n"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def published(tables: Tables) -> str:
    """Simulated and published figures, a row each."""
    known = {*tables.ids("sources"), *tables.ids("facts")}
    rows, hits = [], 0
    for row in ROWS:
        missing = set(row.sources.split(";")) - known
        if missing:
            raise SystemExit(f"not in the atlas: {', '.join(sorted(missing))}")
        plan = row.plan_of(tables)
        if row.of is not None:
            value = row.of(work.ask(plan, RUNS).told)
        else:
            value = row.scale * work.delay_curve(plan, FEW, stream=row.stream).capacity_trains_day
        hit = row.low <= value <= row.high
        hits += hit
        said = f"{'within' if hit else f'{value / ((row.low + row.high) / 2):.1f} times'}: {row.why}"
        rows.append([row.plan, row.what, _figure(value), row.published, f"`{row.sources.replace(';', '`, `')}`", said])
    head = ["terminal", "what", "simulated", "published", "source", ""]
    return _table(head, rows) + f"\n{hits} of {len(ROWS)} within the range.\n"


def stops(tables: Tables) -> str:
    """Queues and days to clear after stops, beside what was told."""
    rows = []
    for name, event, side, queue, days, sources in STOPS:
        plan = work.in_event(tables, work.plan_of(tables, name), event)
        found = work.ask(plan, RUNS, tables=tables, event=event).told["recovery"]
        clear = found["clear_days"]
        took = f"{clear['mean']:.0f} ({clear['low']:.0f} to {clear['high']:.0f})" if found["cleared"] else "–"
        if found["cleared"] < found["replications"]:
            took += f", {found['cleared']} of {found['replications']} runs"
        most = found["outside"][side]["mean"]
        told = f"`{sources.replace(';', '`, `')}`"
        rows.append(
            [
                name,
                event,
                f"{found['stop_days']:g}",
                f"{found['trains_day']:g}",
                f"{most:.0f} on {side} mm",
                queue,
                took,
                days,
                told,
            ]
        )
    head = [
        "terminal",
        "event",
        "days shut",
        "trains a day",
        "most trains outside",
        "told",
        "days to clear",
        "told",
        "source",
    ]
    return _table(head, rows)


def main(*, check: bool) -> None:
    """Write the page, or hold it against what the runs say."""
    tables = read_atlas()
    blocks = {"published": published(tables), "stops": stops(tables)}
    page = old = PAGE.read_text(encoding="utf-8")
    for name, block in blocks.items():
        begin = BEGIN.format(name)
        pattern = re.escape(begin) + ".*?" + re.escape(END)
        if not re.search(pattern, page, flags=re.DOTALL):
            raise SystemExit(f"{PAGE.name}: wanted the markers of {name}")
        page = re.sub(pattern, lambda _, text=f"{begin}\n{block}\n{END}": text, page, flags=re.DOTALL)
    if not check:
        PAGE.write_text(page, encoding="utf-8")
    elif page != old:
        raise SystemExit(f"{PAGE} is stale; run: python tools/terminals_page.py")


if __name__ == "__main__":
    main(check="--check" in sys.argv[1:])
