"""Tables as files: CSV, and Excel with the meaning of each column on a sheet of its own."""

from __future__ import annotations

import io

import polars as pl

from landbridge.show.web.columns import meaning

__all__ = ["as_csv", "as_xlsx"]

#: A text that begins so would be run as a formula by a spreadsheet; an apostrophe in front keeps it a text.
FORMULA = r"^([=+\-@\t\r])"


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists as text divided by semicolons, and no text that a spreadsheet would run."""
    lists = [c for c, kind in frame.schema.items() if isinstance(kind, pl.List)]
    frame = frame.with_columns(pl.col(c).cast(pl.List(pl.String)).list.join(";") for c in lists)
    return frame.with_columns(pl.col(pl.String).str.replace(FORMULA, r"'$1"))


def as_csv(frame: pl.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8."""
    return _flat(frame).write_csv().encode()


def as_xlsx(frame: pl.DataFrame, name: str, notes: dict[str, str]) -> bytes:
    """Return a table as an Excel file, with notes on where it comes from."""
    import xlsxwriter

    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(stream, options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(name[:31])
        flat = _flat(frame)
        sheet.write_row(0, 0, flat.columns, bold)
        for number, row in enumerate(flat.iter_rows(), start=1):
            sheet.write_row(number, 0, row)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(flat.height, 1), max(flat.width - 1, 0))
        told = book.add_worksheet("about")
        lines = [*notes.items(), ("", "")]
        for number, line in enumerate(lines):
            told.write_row(number, 0, line)
        told.write_row(len(lines), 0, ("column", "meaning", "unit"), bold)
        for number, column in enumerate(flat.columns, start=len(lines) + 1):
            unit, words = meaning(column)
            told.write_row(number, 0, (column, words, unit))
        told.set_column(0, 0, 28)
        told.set_column(1, 1, 70)
    return stream.getvalue()
