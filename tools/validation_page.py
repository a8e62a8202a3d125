"""Write docs/validation.md from folders of results: no figure in its tables is written by hand.

Figures in the sentences between them are of the runs that they name.

landbridge validate --out results/validation
landbridge validate --targets examples/studies.csv --out results/studies
landbridge validate --targets examples/passages.csv --out results/passages
python tools/market_access.py results/access
python tools/caspian_edge.py results/edge
landbridge backtest --out results/backtest
landbridge sensitivity --out results/sensitivity
python tools/validation_page.py results
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

PAGE = Path(__file__).parents[1] / "docs" / "validation.md"

HEAD = """# The model held against the world

Made by `python tools/validation_page.py`, after the commands at its head; run them to see today's figures. How a row is
answered, and how a file of your own is made: [below](#how-to-read-it).
"""

HOW = """## How to read it

`landbridge validate [--targets FILE.csv] [--out DIR] [--json]` solves each year, part of a year and scenario that the
file asks for, with the events of the atlas (`event_effects.csv`) on their days, and keeps what it solved by its
content. A row is

- **echo** where the observed number or its equivalent is an input: a cell that the answer is read from names the fact
  as its source or holds the very number, the answer is trade that the atlas states, or a quarter of a flow was set
  from that fact;
- **fitted** where a value of the atlas was calibrated to it (`landbridge calibrate`, years 2016-2021 only), or where
  a quarter of the flow or more is goods whose owners refuse a way by a share that somebody set who knew what had come
  of it, or trade whose share by rail was set so from what was published after the time that the row is about (boxes
  between China and Russia): the column `knew` of a provenance file names the facts that were known;
- **predicted** where neither holds; **not covered** where the model has no such number, with the reason.

The class is computed from provenance, never declared. Beside the model stand two forecasts that need none: the last
earlier observed value of the same thing, and that value grown with China's trade with the countries of the corridors.
Errors are medians of the absolute natural logarithm of modelled over observed; statements (sign, order) count as inside
or not only. The form of a file is that of `src/landbridge/atlas/targets.csv`; every fault of a file is told at once.

What was fitted: the constant of rail between China and Europe (and what it cost more in each year before 2021), the
part of either trade that may choose rail at all, rail's part of boxes between China and Russia before 2022, constants
of the Caspian ferries and of Dostyk, and four values that say how China Railway counts its trains. One run of
`landbridge calibrate --out fit` gives them all, from `BEGIN` in `study/calibrate.py`, the open targets of those years
and fifteen more counts (`study/calibration.csv`); the atlas has them rounded. They are in `parameters.csv` as
`calibrated`; `landbridge atlas why parameters caspian-constant value` names every target behind them. A constant moves
the choice of way and is no money: no price of a route holds it.
"""


EVENTS = """What each event is in the model, and what is missing:

- *October 2021*: both crossings shut on its days (`event_effects.csv`). No size of the stop was found: the 150 trains
  that waited on 26 October are its cause, not what came of it, and China Railway's counts of October (1,306) and
  November (1,246) hold much else.
- *February 2022*: a part of the owners lets no box pass Russia, Belarus or Iran (`refusals.csv`: 58 per cent of boxes
  between China and Europe until 2023, 44 after; 29 per cent of boxes, metals, chemicals and oil products between
  Central Asia and Europe), a premium at the borders, war risk on the Black Sea. The parts are estimates, from
  forecasts of spring 2022 and from what left Russia's ports on the Baltic, made by somebody who knew that transit had
  fallen by a half. Nearly all of the fall to 2023 is theirs in the model (`event alone`), though a box by sea also
  went from 13 000 USD in the first quarter of 2022 to 1 600 a year later (`sea_quotes.csv`).
- *Red Sea*: ships round the Cape, and the price by sea of its days, which the event made. What rose beyond (trade by
  parcel of the platforms) is not there.
- *Red Sea, prices*: a quoted price is of the way that ships take, so that what the price list asks for the longer way
  (200 USD a TEU) is taken off it while Suez is shut; it was counted twice before.
- *October 2024*: more inspections and boxes that are stopped at the western border; what the decree bans by customs
  code and description (batteries, transformers, converters, telecom products, circuits, some clothing, footwear,
  engines) is no ban in the model, since no source tells which part of the goods it is. The eleven months are of all
  land ways together, the half year of the way by Kazakhstan and Russia (`F1160`, `F1166`, `F1167`), and what the
  event alone does stands beside both, since ships were cheap again in 2025, which the sources name first. The
  direction comes out, the size does not. Held against runs: it is not demand, for with China's customs' own growth of
  both years (exports to the EU about +3 per cent in 2024 and +8.4 in 2025, imports about -4 and -0.5; `F1170`,
  `F1171`) in place of the atlas' 3.3 a year the eleven months would fall by 3.8 instead of 6.1 per cent and the half
  year by 0.4 instead of 2.8; nor the works at Alashankou, without which they fall by 6.8 and 3.4. What is left is
  what the decree bans, and that shippers left the train more readily than they had come.
- *September 2025*: Brest, Svislach and the road shut on its thirteen days; trains that wait are those of a mean day
  times the days, which is just under half of what was reported. The crossings of Latvia and Lithuania have room in
  the model for what leaves Brest (trains through Sestokai and Trakiszki grow from 0.43 to 0.60 of its capacity), so
  neither price nor volume moves much; in thirteen days the market found no such room. The Caspian way loses 0.06 per
  cent, against what carriers expected of it (no count of what it won was found): boxes between China and Europe do
  turn to it, but 25 TEU a year's worth, while 1,440 t of trade between the Baltic states and Central Asia, which goes
  round Russia by Poland, leave it as those trains fill Poland's border with Lithuania.
"""


ACCESS = """On the empty network is as the study has it, whose cheapest ways wait for nothing; at flows a line that
fills up is worth no more than the way beside it. Six projects are too few, and three of theirs share the last rank,
so neither correlation says much, but the order of the first two hangs on just this: Tbilisi-Kars makes 265 pairs of
zones cheaper while it is empty (Armenia and Turkey by 173 USD a TEU), and nothing once its trains of 2030 run, when
the way beside it costs no more. That Gwadar-Karachi and Herat-Mazar add nothing is a matter of zones: both spare
something between their own ends, and no pair of zones, since no trade is dealt to Gwadar, Herat or Mazar themselves;
theirs has a thousand cities. Both find that half of the projects or more add nothing when built alone.
Kashgar-Tashkent adds most here and little there, and by which of its inputs was not followed.
"""


EDGE = """The constant lies on a knife edge. Between ways by land every flow takes the cheapest, all of it, and
between -200 and -250 USD a box (a fifteenth of it a tonne of bulk) many flows have two ways of nearly one price. What
comes over there is not what the ministry's series is made of, Kazakh exports to the Caucasus and Turkey, but grain to
Iran, oil products to India, and Russian grain and oil products to the Caucasus: they make up in tonnes for what is
missing. A share of each flow by its price, as between land and sea, would take the edge off; it needs a calibration
of its own and is not there.
"""

RUSSIA = """Through Kazakhstan went 3.8 Mt between China and Russia in 2023 (`F0546`), and by KTZ's count of eleven
months (`index1520-2023-ktz-boxes`) some 372,000 TEU to Russia and 123,000 to China in that year: 7.7 t a TEU. The
model has 2.76 Mt in 318,000 TEU to Russia (8.7 t each), 2.35 Mt in 194,000 TEU to China (12.1 t) and 0.36 Mt in
wagons. With KTZ's boxes each way at the model's weights it would be 4.7 Mt in boxes: so of what is too much some 0.4
Mt are boxes the wrong way, 0.4 wagons, and 0.9 the weight of a box. No source tells the weight of boxes by goods on
this way, and the trains that the weights were taken from (`F0132`, `F0136`, `F0914`) bear 8 t, so they stay as they
are. In 2021 the model has 246,000 TEU there and KTZ counted 69,000 (`F1163`): the way by Kazakhstan was open and no
dearer than that by Zabaikalsk, as far as the atlas knows, and what kept boxes off it is not in the atlas. It is in
the fit, and in the counts of China Railway and of Kazakhstan's transit of that year, which come out too high by it.
"""


def table(head: list[str], rows: list[list[Any]], right: int = 1) -> str:
    """A Markdown table; columns from ``right`` on are set to the right where they hold numbers."""
    numbers = [all(isinstance(r[i], (int, float, type(None))) for r in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "|".join("---:" if n and i >= right else "---" for i, n in enumerate(numbers)) + "|")
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"
    return str(value).replace("|", "\\|")


def read(folder: Path, name: str) -> pl.DataFrame:
    """A table of a folder."""
    return pl.read_parquet(folder / "tables" / f"{name}.parquet")


def scores(frame: pl.DataFrame, by: str) -> str:
    """Scores by class or topic."""
    rows = [
        [r[by], r["n"], r["inside"], None if r["share"] is None else f"{100 * r['share']:.0f} %",
         r["median_abs_log_error"], r["naive_n"], r["model_beside"], r["naive_last"], r["naive_growth"]]
        for r in frame.to_dicts()
    ]  # fmt: skip
    head = [
        by,
        "n",
        "inside",
        "share",
        "median error",
        "with an earlier value",
        "model there",
        "last value",
        "grown value",
    ]
    return table(head, rows)


def subject(row: dict[str, Any]) -> str:
    """A subject with its direction."""
    text = row["subject"].replace("|", " or ")
    return text + ("" if row["direction"] in ("both", "na") else f", {row['direction']}")


def targets(rows: list[dict[str, Any]]) -> str:
    """Rows of targets."""
    return table(
        ["id", "what", "of", "year", "unit", "observed", "band", "modelled", "inside", "class"],
        [[r["id"], r["indicator"], subject(r), str(r["year"]), r["unit"], r["observed"],
          f"{cell(r['low'])} to {cell(r['high'])}", r["modelled"], r["inside"], r["class"]] for r in rows],
    )  # fmt: skip


def main() -> None:
    """Write the page."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    folder = home / "validation"
    manifest = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
    rows = read(folder, "targets")
    answered = rows.drop_nulls("modelled")
    predicted = rows.filter(pl.col("class") == "predicted")
    inside = predicted.filter(pl.col("inside")).height
    atlas = manifest["atlas"]
    parts = [
        HEAD,
        f"Atlas {atlas['version']} ({atlas['content_hash'][:12]}), size {manifest['size']}: "
        f"{rows.height} open targets: {predicted.height} predicted, of which {inside} inside their band "
        f"({inside / max(1, predicted.height):.0%}); {manifest['targets']['not_covered']} not covered.\n",
        blind(rows),
        "## By class\n", scores(read(folder, "by_class"), "class"),
        "## By topic\n", scores(read(folder, "by_topic"), "topic"),
        "## The predicted figures that are missed by most\n",
        table(["id", "of", "year", "observed", "modelled", "why"],
              [[r["id"], subject(r), str(r["year"]), r["observed"], r["modelled"], r["why"]]
               for r in read(folder, "worst").to_dicts()]),
        "## Transit times, lengths and costs against published ones\n",
        targets(answered.filter(pl.col("topic").is_in(["times", "lengths", "prices"])).to_dicts()),
    ]  # fmt: skip
    if (home / "passages").is_dir():
        found = read(home / "passages", "targets").to_dicts()
        parts += [
            "## Lengths, days and prices of the passages\n",
            "Made from `examples/passages.csv`: what somebody published of a way, beside the same way in the model, "
            "from terminal to terminal.\n",
            targets(found),
        ]
    if (home / "studies").is_dir():
        studies = read(home / "studies", "targets").to_dicts()
        parts += [
            "## Published studies, with our own scenario beside each\n",
            "A sign or order is reproduced where `inside` says yes for it. Levels differ since the studies build "
            "ports, roads and lines all over Asia and Africa, and the scenarios here what the atlas holds.\n",
            targets(studies),
        ]
    if (home / "access").is_dir():
        access = pl.read_csv(home / "access" / "access.csv").to_dicts()
        parts += [
            "### Market access of projects\n",
            "Made by `python tools/market_access.py`: the value of each project built alone by Reed and Trubetskoy "
            "(2019), and what the same project adds here to the access of all zones, in per cent, by their product. "
            f"Rank correlation of {len(access)} projects: {access[0]['free_rank_correlation']:.2f} on the empty "
            f"network, {access[0]['loaded_rank_correlation']:.2f} at the flows of 2030.\n",
            table(["published as", "USD million", "here", "access, % (empty)", "access, % (at flows)",
                   "pairs of zones made cheaper", "between its own ends, USD/TEU"],
                  [[r["published"], r["value_usd_mn"], r["project"], r["free_pct"], r["loaded_pct"], r["pairs"],
                    r["ends_usd_teu"]] for r in access]),
            ACCESS,
        ]  # fmt: skip
    if (home / "backtest").is_dir():
        back = read(home / "backtest", "backtest").to_dicts()
        parts += [
            "## The events of 2021 to 2025 run again\n",
            "Per cent. Where a size was published, the change is that between the two times which the source compares, "
            "each with all that is known of it (events, prices by sea of its days, owners who refuse a way), and "
            "`event alone` is what the event does in the later one; else it is the year with the event on all days "
            "against the same year without it. Constants are fitted to 2016-2021 only. "
            "Of trains that wait, the number stands in place of a change. "
            f"Direction right in {sum(bool(r['direction_right']) for r in back)} of "
            f"{sum(r['published_level'] is None for r in back)} changes, size within a factor "
            f"of two in {sum(bool(r['within_factor']) for r in back)} of "
            f"{sum(r['within_factor'] is not None for r in back)} that were published, of "
            f"{len({r['event'] for r in back if r['within_factor']})} of the five events.\n",
            table(["event", "passage", "of", "when", "change", "", "event alone", "direction right", "published",
                   "within a factor of 2"],
                  [[r["name"], r["thing"], r["indicator"], r["when"], *sizes(r)[:2], r["event_pct"],
                    r["direction_right"], sizes(r)[2], r["within_factor"]] for r in back]),
            EVENTS,
        ]  # fmt: skip
    if (home / "edge").is_dir():
        edge = pl.read_csv(home / "edge" / "edge.csv").to_dicts()
        parts += [
            "## Where the model is known to be weak\n", "### The Caspian\n",
            "Made by `python tools/caspian_edge.py`: 2021 at several values of the constant; the atlas has "
            f"{next(r['constant_usd_teu'] for r in edge if r['atlas']):g}. Counted were 0.586 Mt (A30c).\n",
            table(["USD/TEU", "Aktau and Kuryk to Alat, Mt", "what left since the row above, thousand t"],
                  [[f"{r['constant_usd_teu']:g}", r["ferries_mt"], r["left_since_the_row_above_kt"] or ""]
                   for r in edge]),
            EDGE, "### Boxes between China and Russia\n", RUSSIA,
        ]  # fmt: skip
    if (home / "sensitivity").is_dir():
        swings = read(home / "sensitivity", "swings")
        parts += [
            "## What headlines rest on\n",
            "The three inputs that move each most over their ranges, per cent of its value, and how its mode shares "
            "are known, per cent of tonnes.\n",
            table(["headline", "value", "input", "known as", "from", "to", "low", "high"],
                  [[r[c] for c in ("headline", "value", "input", "origin", "low", "high", "low_pct", "high_pct")]
                   for name in swings["headline"].unique(maintain_order=True).to_list()
                   for r in swings.filter(pl.col("headline") == name).head(3).to_dicts()]),
            table(["headline", "estimated", "derived", "reported", "calibrated"],
                  [[r["headline"], *(r[f"{k}_pct"] for k in ("estimate", "derived", "reported", "calibrated"))]
                   for r in read(home / "sensitivity", "estimated").to_dicts()]),
        ]  # fmt: skip
    lost = rows.filter(pl.col("modelled").is_null()).to_dicts()
    parts += [
        "## Every target\n", targets(answered.to_dicts()),
        "Not covered:\n", table(["id", "of", "why"], [[r["id"], subject(r), r["why"]] for r in lost]),
        HOW,
    ]  # fmt: skip
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    print(f"{PAGE.name}: {rows.height} targets")


def blind(rows: pl.DataFrame) -> str:
    """How the share inside would read if rows on values set knowing the outcome counted as predicted."""
    known = rows.filter((pl.col("class") == "fitted") & pl.col("rests_on").str.contains("somebody who knew"))
    both = rows.filter(pl.col("class") == "predicted").vstack(known)
    inside = both.filter(pl.col("inside")).height
    return (
        f"{known.height} more rows ({', '.join(known['id'].to_list())}) count as fitted since they rest on shares that "
        f"were set knowing what had come of them; with them {inside} of {both.height} would be inside "
        f"({inside / max(1, both.height):.0%}).\n"
    )


def sizes(row: dict[str, Any]) -> tuple[float | None, str, float | None]:
    """Change or number of an event, its bar, and what was published of it."""
    if row["published_level"] is not None:
        return row["with_event"], "", row["published_level"]
    return row["change_pct"], bar(row["change_pct"]), row["published_pct"]


def bar(percent: float | None) -> str:
    """A change as a bar."""
    if percent is None:
        return ""
    return ("◂" if percent < 0 else "▸") + "█" * min(20, round(abs(percent) / 5))


if __name__ == "__main__":
    main()
