"""Read a data package into checked tables.

Every cell is read as text first and held against the dictionary, so that one reading tells all faults, each with its
file, row, field, what was wanted and what came. Deeper checks (geography, sums, origin of numbers) are in `check`.
"""

from __future__ import annotations

import csv
import hashlib
import json
from functools import lru_cache
from pathlib import Path

import polars as pl

from landbridge.data.dictionary import Column, Dictionary, encoding_fault, read_dictionary
from landbridge.data.tables import DataPackage, Tables
from landbridge.errors import DataError, Fault

__all__ = [
    "ATLAS",
    "CLASS_COLUMNS",
    "LINE",
    "complete",
    "convert",
    "created_on",
    "join_lines",
    "package_hash",
    "read_atlas",
    "read_descriptor",
    "read_frames",
    "read_package",
    "read_table",
    "table_faults",
]

#: The atlas that ships with the package.
ATLAS = Path(__file__).resolve().parents[1] / "atlas"

#: At most this many faults of one kind in one column are spelled out; the rest are counted, not hidden.
SPELLED_OUT = 20

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")

#: Text of the unit ``date`` is one date, which may stop at the year or the month; text of the unit ``dates`` holds
#: dates among words ("n.d.", "about 2024-25", "2022-03/2022-05"); two digits after a year are a month where no word is.
DATE, DAY_IN_WORDS, MONTH_OR_DAY = r"(1[89]|20)\d\d(-\d\d){0,2}", r"\b\d{4}-\d\d-\d\d\b", r"\b\d{4}-\d\d(?:-\d\d)?\b"

#: What links take from their line, and the columns of both tables that `join_lines` needs.
LINE_COLUMNS = (
    "tracks", "traction", "speed_kmh", "capacity_trains_day", "preload_trains_day", "train_length_factor",
    "fixed_usd_teu", "fixed_usd_t", "season_days", "ocean",
)  # fmt: skip
JOINED = {"links": ("line", "length_km", "length_official_km"), "lines": ("id", *LINE_COLUMNS)}

#: What a terminal takes from its class where nothing is known of itself.
CLASS_COLUMNS = ("time_h", "spread_h", "cost_usd_teu", "cost_usd_t", "price_year")


#: Column of a frame that carries the numbers of its rows, where they are not all the rows of a file.
LINE = "#"


def _row_name(frame: pl.DataFrame, index: int) -> str:
    key = f" ({frame['id'][index]})" if "id" in frame.columns and frame["id"][index] else ""
    return f"row {frame[LINE][index] if LINE in frame.columns else index + 2}{key}"


def _spell(frame: pl.DataFrame, table: str, column: str, bad: pl.Series, wanted: str) -> list[Fault]:
    """Faults for the rows where ``bad`` is true."""
    if not bad.any():  # the usual case, and the quickest to find out
        return []
    rows = bad.fill_null(value=False).arg_true().to_list()
    faults = [
        Fault(f"{table}.csv", _row_name(frame, i), column, wanted, repr(frame[column][i] or ""))
        for i in rows[:SPELLED_OUT]
    ]
    if len(rows) > SPELLED_OUT:
        faults.append(Fault(f"{table}.csv", f"{len(rows) - SPELLED_OUT} more rows", column, wanted, "the same fault"))
    return faults


def _first_day(cell: pl.Expr) -> pl.Expr:
    """First day of a date that may stop at the year or the month; null where the calendar has none."""
    length = cell.str.len_chars()
    whole = pl.when(length == len("YYYY")).then(cell + "-01-01").when(length == len("YYYY-MM")).then(cell + "-01")
    return whole.otherwise(cell).str.to_date("%Y-%m-%d", strict=False)


def convert(frame: pl.DataFrame, column: Column) -> tuple[pl.Series, list[Fault]]:
    """Return one text column as its type, with the faults of its cells."""
    raw = frame[column.name]
    text = raw.set(raw.fill_null("") == "", None)
    faults: list[Fault] = []

    def tell(bad: pl.Series, wanted: str) -> None:
        faults.extend(_spell(frame, column.table, column.name, bad, wanted))

    if column.required:
        tell(text.is_null(), "a value")
    value: pl.Series
    if column.type in ("integer", "number"):
        value = text.cast(pl.Float64, strict=False)
        value = value.set(~value.is_finite(), None)
        tell(value.is_null() & text.is_not_null(), "a number")
        if column.type == "integer":
            broken = value != value.round(0)
            tell(broken, "a whole number")
            value = value.set(broken, None).cast(pl.Int64, strict=False)
        if column.minimum is not None:
            tell(value < column.minimum, f"at least {column.minimum:g} {column.unit}".rstrip())
        if column.maximum is not None:
            tell(value > column.maximum, f"at most {column.maximum:g} {column.unit}".rstrip())
    elif column.type == "date":
        value = text.str.to_date("%Y-%m-%d", strict=False)
        tell(value.is_null() & text.is_not_null(), "a date as YYYY-MM-DD")
    elif column.type == "boolean":
        lower = text.str.to_lowercase()
        bad = ~lower.is_in([*TRUE, *FALSE])
        tell(bad, "yes or no")
        value = lower.is_in(TRUE).set(bad, None)
    elif column.type == "choice":
        value = text
        tell(text.is_not_null() & ~text.is_in(list(column.values)), " or ".join(column.values))
    elif column.type == "list":
        parts = text.str.split(";")
        if column.unit == "mm":
            value = parts.list.eval(pl.element().str.strip_chars().cast(pl.Int64, strict=False))
            tell(value.list.eval(pl.element().is_null()).list.any(), "whole numbers divided by ;")
        else:
            value = parts.list.eval(pl.element().str.strip_chars())
            tell(value.list.eval(pl.element() == "").list.any(), "names divided by ;, none of them empty")
            value = value.list.eval(pl.element().filter(pl.element() != ""))
    else:
        value = text
        if column.unit == "date":
            day = text.to_frame("cell").select(_first_day(pl.col("cell"))).to_series()
            fits = text.str.contains(f"^{DATE}$") & day.is_not_null()
            tell(text.is_not_null() & ~fits, "a date as YYYY, YYYY-MM or YYYY-MM-DD")
        elif column.unit == "dates":
            days, months = text.str.extract_all(DAY_IN_WORDS), text.str.extract_all(MONTH_OR_DAY)
            found = months.zip_with(text.str.contains(r"^[\d/-]+$").fill_null(value=False), days)
            wrong = found.list.eval(_first_day(pl.element()).is_null()).list.any()
            tell(wrong.fill_null(value=False), "dates of the calendar")
        if column.type == "id":
            if not column.required:  # else told above
                tell(text.is_null(), "an id")
            tell(text.is_not_null() & text.is_duplicated(), "an id used once")
    return value.rename(column.name), faults


def _ragged(path: Path) -> list[Fault]:
    """Rows with fewer or more cells than the header."""
    faults = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        wanted = f"{len(header)} cells, as in the header"
        for number, cells in enumerate(reader, start=2):
            if cells and len(cells) != len(header):  # an empty line is told by the columns that need a value
                column = header[min(len(cells), len(header) - 1)]
                faults.append(Fault(path.name, f"row {number} ({cells[0]})", column, wanted, f"{len(cells)} cells"))
    if len(faults) > SPELLED_OUT:
        more = Fault(path.name, f"{len(faults) - SPELLED_OUT} more rows", "", wanted, "the same fault")
        return [*faults[:SPELLED_OUT], more]
    return faults


def read_table(path: Path, columns: tuple[Column, ...]) -> tuple[pl.DataFrame, list[Fault]]:
    """Read one CSV file against its columns.

    Parameters
    ----------
    path
        The file.
    columns
        Its columns, from the dictionary.

    Returns
    -------
    frame : polars.DataFrame
        Typed columns in the dictionary's order; cells that are not of the column's type are null.
    faults : list of Fault
        Empty when all is well.
    """
    if not path.is_file():
        return pl.DataFrame(), [Fault(path.name, "", "", "a table", "no such file")]
    wrong = encoding_fault(path, path.name)
    if wrong:
        return pl.DataFrame(), [wrong]
    faults: list[Fault] = []
    try:
        try:
            frame = pl.read_csv(path, infer_schema=False)
            ragged = frame.width > 1 and bool(frame.to_series(-1).is_null().any())  # a short row ends in a null
        except pl.exceptions.ComputeError:  # a row too long, which is told, or worse
            frame, ragged = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True), True
        if ragged:
            faults += _ragged(path)
    except (pl.exceptions.PolarsError, csv.Error) as error:
        message = str(error).splitlines()[0]
        return pl.DataFrame(), [Fault(path.name, "", "", "a header and comma-separated rows", message)]
    names = [column.name for column in columns]
    for name in names:
        if name not in frame.columns:
            faults.append(Fault(path.name, "header", name, "this column", "nothing"))
    for name in frame.columns:
        if name not in names:
            faults.append(Fault(path.name, "header", name, f"a column of the dictionary ({', '.join(names)})", name))
    series = []
    for column in columns:
        if column.name in frame.columns:
            converted, more = convert(frame, column)
            series.append(converted)
            faults.extend(more)
    return pl.DataFrame(series), faults


def table_faults(frames: dict[str, pl.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """References from one table to another that point at nothing."""
    faults = []
    for column in dictionary.columns:
        if column.references is None or column.table not in frames or column.references[0] not in frames:
            continue
        frame, (there, key) = frames[column.table], column.references
        if column.name not in frame.columns or key not in frames[there].columns:
            continue
        known = frames[there][key].drop_nulls().unique().to_list()
        cells = frame[column.name]
        if column.type == "list":
            bad = cells.list.eval(~pl.element().is_in(known)).list.any()
            text = frame.with_columns(cells.list.join(";"))
        else:
            bad = cells.is_not_null() & ~cells.is_in(known)
            text = frame
        faults.extend(_spell(text, column.table, column.name, bad, f"an id of {there}.csv"))
    return faults


def package_hash(folder: Path) -> str:
    """Return a hash over names and contents of a package's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".csv", ".geojson", ".json", ".md"):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_frames(folder: Path) -> tuple[dict[str, pl.DataFrame], Dictionary, list[Fault]]:
    """Read every table of a package, with all faults that the dictionary can find."""
    dictionary = read_dictionary(folder)
    frames: dict[str, pl.DataFrame] = {}
    faults: list[Fault] = []
    for table in dictionary.tables:
        frame, more = read_table(folder / f"{table}.csv", dictionary.of(table))
        frames[table] = frame
        faults.extend(more)
    faults.extend(table_faults(frames, dictionary))
    return frames, dictionary, faults


def read_descriptor(folder: Path) -> tuple[tuple[str, str, str], list[Fault]]:
    """Read ``datapackage.json``.

    Parameters
    ----------
    folder
        The package's folder.

    Returns
    -------
    words : tuple of str
        Name, version and licences of the package; empty where they are not stated.
    faults : list of Fault
        Empty when all is well.
    """
    where = "datapackage.json"
    try:
        meta = json.loads((folder / where).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ("", "", ""), [Fault(where, "", "", "the package's name, version and licence", "no such file")]
    except ValueError as error:
        return ("", "", ""), [Fault(where, "", "", "JSON", str(error))]
    if not isinstance(meta, dict):
        return ("", "", ""), [Fault(where, "", "", "an object", repr(meta)[:40])]
    licences = meta.get("licenses")
    names = [entry.get("name") for entry in licences if isinstance(entry, dict)] if isinstance(licences, list) else []
    words = meta.get("name"), meta.get("version"), ", ".join(str(name) for name in names if name)
    faults = [
        Fault(where, "", field, "a text" if field != "licenses" else "a list of licences with names", repr(got))
        for field, word, got in zip(
            ("name", "version", "licenses"), words, (meta.get("name"), meta.get("version"), licences), strict=True
        )
        if not isinstance(word, str) or not word
    ]
    return (str(words[0] or ""), str(words[1] or ""), words[2]), faults


def created_on(folder: Path) -> str:
    """Return the date that a package's descriptor states, or nothing."""
    try:
        stated = json.loads((folder / "datapackage.json").read_text(encoding="utf-8")).get("created")
    except (OSError, ValueError, AttributeError):
        return ""  # told by `read_descriptor`
    return stated if isinstance(stated, str) else ""


def join_lines(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return frames whose links carry the attributes of their line.

    ``length_km`` becomes the length to use: the official one where it is known, else the measured one; the measured
    length stays as ``length_measured_km``. Charges start at zero.
    """
    lines = frames["lines"].select(pl.col("id").alias("line"), *LINE_COLUMNS)
    links = (
        frames["links"]
        .join(lines, on="line", how="left", maintain_order="left")
        .with_columns(
            pl.col("length_km").alias("length_measured_km"),
            pl.coalesce("length_official_km", "length_km").alias("length_km"),
            *[pl.lit(0.0).alias(f"charge_{unit}") for unit in ("usd_teu", "usd_t", "usd_teu_km", "usd_t_km")],
        )
    )
    return {**frames, "links": links}


def complete(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return frames as they are computed with: links with their line's attributes, terminals with those of their class.

    What a terminal states of itself stands; the frames of a package without such tables are left as they are.
    """
    done = join_lines(frames)
    terminals = frames.get("terminals", pl.DataFrame())
    if "class" in terminals.columns and "id" in frames.get("terminal_classes", pl.DataFrame()).columns:
        of_class = frames["terminal_classes"].select(pl.col("id").alias("class"), *CLASS_COLUMNS)
        done["terminals"] = (
            terminals.join(of_class, on="class", how="left", maintain_order="left", suffix="_class")
            .with_columns(pl.coalesce(name, f"{name}_class").alias(name) for name in CLASS_COLUMNS)
            .select(terminals.columns)
        )
    return done


def read_package(folder: Path) -> Tables:
    """Read and check a data package.

    Parameters
    ----------
    folder
        A folder with ``dictionary.csv``, ``datapackage.json`` and the tables.

    Returns
    -------
    Tables
        Links already carry the attributes of their line.

    Raises
    ------
    DataError
        With every fault that the dictionary can find.
    """
    frames, dictionary, faults = read_frames(folder)
    (name, version, licence), more = read_descriptor(folder)
    faults.extend(more)
    for table, columns in JOINED.items():
        known = {column.name for column in dictionary.of(table)}
        faults.extend(
            Fault("dictionary.csv", table, column, "a row for this column of every package", "none")
            for column in columns
            if column not in known
        )
    if faults:
        raise DataError(f"data package {folder.name}", faults)
    return Tables(
        complete(frames), DataPackage(folder, name, version, licence, package_hash(folder), created_on(folder))
    )


@lru_cache(maxsize=1)
def read_atlas() -> Tables:
    """Read the atlas that ships with Landbridge (once a process; tables are never changed in place)."""
    return read_package(ATLAS)
