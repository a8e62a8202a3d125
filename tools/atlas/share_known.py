"""Print how much of the seven passages' borders, yards and terminals is known rather than judged.

A value is known when its origin is ``reported`` or ``derived``. Only rows on the passages count: the lists below name
the crossings, and the places whose gauge-change yards and terminals belong to them. The issue asks for 60 per cent of
the crossing and terminal values.

A terminal states only what is known or judged of itself; the rest it takes from its class. The last line counts these
values too, once for each terminal that uses them, so that nothing is hidden by where it stands.

    python tools/atlas/share_known.py [DIR] [--cells]
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import polars as pl

from landbridge.data.dictionary import Dictionary
from landbridge.data.provenance import read_origins
from landbridge.data.read import CLASS_COLUMNS, read_frames

ATLAS = Path(__file__).resolve().parents[2] / "src" / "landbridge" / "atlas"
KNOWN = ("reported", "derived")

CROSSINGS = """
alashankou-dostyk khorgos-altynkol torugart-makmal kashgar-osh-road erenhot-zamyn-uud naushki-sukhbaatar
manzhouli-zabaikalsk suifenhe-grodekovo hunchun-kamyshovaya brest-malaszewicze kaliningrad mamonovo-braniewo
saryagash-keles bolashak-incheburun akyayla-incheboroun sarakhs kapikoy-razi alat-farap
semiglavymar-ozinki iletsk-zhaysan isilkul-petropavl petropavl-petukhovo krasnoye-osinovka
boyukkesik-gardabani akhalkalaki
""".split()

YARDS = """
cn-alashankou kz-dostyk cn-khorgos kz-altynkol kz-khorgosgateway kg-makmal cn-erenhot mn-zamyn-uud
cn-manzhouli ru-zabaikalsk cn-suifenhe ru-grodekovo cn-hunchun ru-kamyshovaya by-brest pl-malaszewicze
ru-kaliningrad ru-mamonovo pl-braniewo tm-akyayla ir-incheboroun tm-sarakhs ir-sarakhs ge-akhalkalaki
""".split()

TERMINALS = """
cn-alashankou kz-dostyk cn-khorgos kz-khorgosgateway cn-kashgar kg-osh cn-erenhot cn-manzhouli cn-suifenhe cn-hunchun
pl-malaszewicze ru-kaliningrad ru-baltiysk kz-aktau kz-kuryk az-alat tm-turkmenbashi ge-poti ge-batumi ro-constanta
ru-vladivostok ru-vostochny ru-belyrast ru-selyatino cn-xian
kz-altynkol mn-zamyn-uud ru-zabaikalsk ru-grodekovo by-brest ir-sarakhs
""".split()

ROWS = {"crossings": ("id", CROSSINGS), "gauge_changes": ("place", YARDS), "terminals": ("place", TERMINALS)}


def kinds(folder: Path) -> dict[str, Counter[tuple[str, str]]]:
    """Count the number cells of the passages' rows by table, column and kind of origin.

    Parameters
    ----------
    folder : pathlib.Path
        An atlas.

    Returns
    -------
    dict of str to collections.Counter
        By table; the counter's key is (column, kind).
    """
    frames, dictionary, faults = read_frames(folder)
    if faults:
        sys.exit("\n".join(str(fault) for fault in faults))
    return {table: _kinds_of(folder, table, frames[table], dictionary) for table in ROWS}


def _kinds_of(folder: Path, table: str, frame: pl.DataFrame, dictionary: Dictionary) -> Counter[tuple[str, str]]:
    """Count one table's cells."""
    key, wanted = ROWS[table]
    rows = frame.to_dicts()
    missing = set(wanted) - {row[key] for row in rows}
    if missing:
        sys.exit(f"{table}.csv has no {key} {', '.join(sorted(missing))}")
    origins, _ = read_origins(folder, table)
    columns = [column.name for column in dictionary.of(table) if column.is_number]
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row[key] in wanted:
            for column in columns:
                if row[column] is not None:
                    origin = origins.of(row["id"], column)
                    found[column, origin.kind if origin else "none"] += 1
    return found


def as_used(folder: Path, frames: dict[str, pl.DataFrame], found: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Return the terminals' cells with those that they take from their class."""
    origins, _ = read_origins(folder, "terminal_classes")
    classes = {row["id"]: row for row in frames["terminal_classes"].to_dicts()}
    used = Counter(found)
    for row in frames["terminals"].filter(pl.col("place").is_in(TERMINALS)).to_dicts():
        for column in CLASS_COLUMNS:
            if row[column] is None and classes[row["class"]][column] is not None:
                origin = origins.of(row["class"], column)
                used[column, origin.kind if origin else "none"] += 1
    return used


def share(found: Counter[tuple[str, str]], column: str | None = None) -> tuple[int, int]:
    """Return the known cells and all cells, of one column or of all."""
    cells = {key: number for key, number in found.items() if column in (None, key[0])}
    return sum(number for (_, kind), number in cells.items() if kind in KNOWN), sum(cells.values())


def main() -> None:
    """Print the shares by table, and with ``--cells`` by column."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--cells"]
    by_table = kinds(Path(arguments[0]) if arguments else ATLAS)
    total = [0, 0]
    for table, found in by_table.items():
        known, cells = share(found)
        total = [total[0] + known, total[1] + cells]
        print(f"{table:<16}{known:>6} of {cells:>5}{known / cells:>9.1%}")
        if "--cells" in sys.argv:
            for column in dict.fromkeys(column for column, _ in sorted(found)):
                known, cells = share(found, column)
                print(f"  {column:<26}{known:>4} of {cells:>4}{known / cells:>9.1%}")
    folder = Path(arguments[0]) if arguments else ATLAS
    known, cells = share(as_used(folder, read_frames(folder)[0], by_table["terminals"]))
    print(f"{'together':<16}{total[0]:>6} of {total[1]:>5}{total[0] / total[1]:>9.1%}")
    print(f"terminals with the values of their class {known} of {cells}{known / cells:>9.1%}")


if __name__ == "__main__":
    main()
