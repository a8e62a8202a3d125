"""Write what the dictionary says in other forms: docs/atlas.md, the schema in datapackage.json, and the tooltips.

The page says what every column of the atlas means and how much of it is estimate. Everything comes from the dictionary,
the tables and their provenance; a test says that it is up to date.

    python tools/atlas/describe.py
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from landbridge.data.dictionary import Column, Dictionary, read_dictionary
from landbridge.data.keys import key_columns
from landbridge.data.provenance import KINDS, coverage
from landbridge.data.read import ATLAS, read_frames
from landbridge.data.schema import write_schema
from landbridge.errors import DataError

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a script's path holds its own folder alone
from tools.atlas import share_known

DOCS = Path(__file__).resolve().parents[2] / "docs" / "atlas.md"

HEAD = """\
# The atlas, column by column

This page is written by `python tools/atlas/describe.py` from `dictionary.csv`, the tables and their provenance; change
those, not this page.

Every number has an origin in `provenance/<table>.csv`: **reported** stands in a source as it stands here; **derived**
is computed by the formula given, from sources or from other values of the atlas; **estimate** is a judgement with its
reasoning; **calibrated** was fitted to observations; **unknown** was looked for and not found. Where sources contradict
each other, the value in use and the others stand in [alternatives](#alternatives) with the reason.

```sh
landbridge atlas why crossings khorgos-altynkol waiting_ab_h   # one value: source, kind, reasoning
landbridge atlas why projects cku length_km                    # and what other sources say of it
landbridge atlas check --columns                               # the shares below, as they are now
landbridge atlas sources                                       # licences, and what rests on each source
landbridge atlas lengths                                       # the network's lengths against published ones
landbridge atlas diff OLD NEW                                  # what changed between two packages
landbridge facts "CKU 523"                                     # facts, projects, agreements, events
```

## Your own values

A folder of CSV files named as the tables puts your values over the atlas, for one question or a whole study:

```sh
landbridge routes Xian Moscow --overlay tariffs
landbridge run study.toml --overlay tariffs     # or in the study file: overlay = "tariffs"
landbridge atlas why rates rail-kz usd_teu_km --overlay tariffs
```

`tariffs/rates.csv` holds the columns that name a row, told below for each table, and the columns that change, and only
the rows that change:

```csv
id,usd_teu_km
rail-kz,0.31
```

An empty cell keeps the value of the atlas, `(empty)` takes it away, and a row that the atlas does not have must be
whole. One file in place of the folder will do: `--overlay rates.csv`. `landbridge atlas import-trade FILE --out DIR`
makes an overlay of a full trade file of one year: of BACI (`t,i,j,k,v,q`, its `country_codes_V*.csv` beside it), or
with `--format comtrade` of UN Comtrade (CSV or JSON with refYear or period, reporterISO, partnerISO, flowCode, cmdCode,
primaryValue, netWgt; annual records). Pairs that the file covers and does not name become zeros, countries that the
atlas has not become its rest of the world, and the folder `report` holds every row that was dropped, with the reason,
and each country that was booked as the rest of the world. The checks are those of the atlas, but that sizes and ranges
are yours to assume (what a price or a speed can be is held only against a whole atlas): all faults are told at once,
each with file, row and field, and with a single fault nothing of the overlay is used. A value of yours is of the kind
**user** wherever its origin is told; results keep the files in their folder `overlay` and name them, with their
hash and the number of values that differ, in `manifest.json`, in tables and in the report.

"""


def percent(part: int, whole: int) -> str:
    """A share as text; nothing where there is no whole, and never 0 or 100 by rounding alone."""
    if not whole:
        return ""
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1"
    return ">99" if 99 < share < 100 else f"{share:.0f}"


def line(cells: Iterable[str]) -> str:
    """One row of a table in Markdown."""
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def held(column: Column) -> str:
    """What a cell may hold: its type, its choices or bounds, and what it names."""
    told = column.type
    if column.values:
        told += f": {', '.join(column.values)}"
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        told += f" {low:g} to {high:g}"
    elif low is not None:
        told += f" from {low:g}"
    elif high is not None:
        told += f" to {high:g}"
    if column.references:
        told += f" of `{'.'.join(column.references)}`"
    return told


def summary(dictionary: Dictionary, heights: Mapping[str, int], cells: Counter[tuple[str, str, str]]) -> list[str]:
    """How the numbers of each table are known."""
    lines = [
        "## How the numbers are known",
        "",
        "Per cent of the number cells of each table.",
        "",
        line(["table", "rows", "numbers", *KINDS]),
        line(["---", *["---:"] * (2 + len(KINDS))]),
    ]
    for table in dictionary.tables:
        counts = Counter[str]()
        for (where, _, kind), n in cells.items():
            if where == table:
                counts[kind] += n
        total = counts.total()
        shares = [percent(counts[kind], total) for kind in KINDS]
        lines.append(line([f"[{table}](#{table})", f"{heights[table]}", f"{total}", *shares]))
    return [*lines, ""]


def passages(folder: Path, frames: Mapping[str, pl.DataFrame]) -> list[str]:
    """How much of the borders, yards and terminals of the seven passages is known."""
    found = share_known.kinds(folder)
    rows = {
        "crossings": found["crossings"],
        "changes of gauge": found["gauge_changes"],
        "terminals, values of their own": found["terminals"],
        "terminals, with the values that they take from their class": share_known.as_used(
            folder, dict(frames), found["terminals"]
        ),
    }
    lines = [
        "On the seven passages, counted by `python tools/atlas/share_known.py` (`--cells`: by column):",
        "",
        line(["values of", "reported or derived", "of", "%"]),
        line(["---", "---:", "---:", "---:"]),
    ]
    for name, counts in rows.items():
        known, total = share_known.share(counts)
        lines.append(line([name, f"{known}", f"{total}", f"{100 * known / total:.1f}"]))
    lines += [
        "",
        "A derived value may be taken over from a neighbour or be a lower bound; `atlas why` says so. Weather at the",
        "ports of the Caspian is such a bound, and the hours of a class stand for each terminal that states none.",
    ]
    return [*lines, ""]


def described(dictionary: Dictionary, table: str, cells: Counter[tuple[str, str, str]]) -> list[str]:
    """One table: its columns with unit, meaning, and the share of its numbers that is estimate."""
    keys = ", ".join(f"`{name}`" for name in key_columns(dictionary, table))
    lines = [
        f"### {table}",
        "",
        f"A row is named by {keys}. Columns in bold are never empty.",
        "",
        line(["column", "holds", "unit", "numbers", "estimate %", "meaning"]),
        line(["---", "---", "---", "---:", "---:", "---"]),
    ]
    for column in dictionary.of(table):
        counts = {kind: n for (where, name, kind), n in cells.items() if (where, name) == (table, column.name)}
        total = sum(counts.values())
        name = f"**{column.name}**" if column.required else column.name
        numbers = [f"{total}", percent(counts.get("estimate", 0), total)] if column.is_number else ["", ""]
        lines.append(line([name, held(column), column.unit, *numbers, column.meaning]))
    return [*lines, ""]


def render(folder: Path = ATLAS) -> str:
    """Return the page for a data package.

    Raises
    ------
    DataError
        If the package cannot be read.
    """
    frames, dictionary, faults = read_frames(folder)
    if faults:
        raise DataError(f"data package {folder.name}", faults)
    shares = coverage(folder, frames, dictionary)
    cells = Counter({(table, column, kind): n for table, column, kind, n in shares.rows()})
    heights = {table: frame.height for table, frame in frames.items()}
    lines = summary(dictionary, heights, cells) + passages(folder, frames)
    lines += ["## Tables and columns", ""]
    for table in dictionary.tables:
        lines += described(dictionary, table, cells)
    return HEAD + "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page, the schema and the tooltips."""
    write_schema(ATLAS, read_dictionary(ATLAS))
    DOCS.write_text(render(), encoding="utf-8")
    print(f"{DOCS.name}: {DOCS.read_text(encoding='utf-8').count(chr(10))} lines")


if __name__ == "__main__":
    main()
