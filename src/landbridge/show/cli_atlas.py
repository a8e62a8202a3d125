"""The verbs of the atlas: facts, check, sources, why, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import (
    AtlasDir,
    Json,
    OverlayPath,
    frame_json,
    known,
    print_json,
    print_table,
    read_tables,
    users_values,
)

if TYPE_CHECKING:
    from landbridge.data.diff import PackageDiff
    from landbridge.data.registry import History

__all__ = ["atlas_app", "facts"]

#: Countries outside the atlas that a reading of trade names; the file has all.
TOLD = 20

#: A leg that rests on published lengths of links for less than this is a test of the traced ones.
HALF = 0.5

atlas_app = typer.Typer(
    help="The atlas: check it, list its sources, ask where a value comes from, compare two.", no_args_is_help=True
)


def facts(
    words: Annotated[
        list[str],
        typer.Argument(metavar="QUERY", help="Words and numbers, as: CKU 523, or 47 agreements.", show_default=False),
    ],
    topic: Annotated[
        str | None, typer.Option(help="Facts of one topic, or one of projects, agreements and events.")
    ] = None,
    limit: Annotated[int, typer.Option(help="The most findings.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Search facts, projects, agreements and events; the name of a project shows its history.

    A row must have every part of the query; where none has, those that have the most are shown.
    """
    query = " ".join(words)
    tables = read_tables()
    from landbridge.data.registry import history, named_project, search

    found = search(tables, query, topic=topic, limit=limit)
    project = None if topic else named_project(tables, query)
    told = history(tables, project) if project else None
    if as_json:
        rows = [finding.as_dict() for finding in found]
        print_json({"query": query, "findings": rows, "project": told.as_dict() if told else None})
        return
    if not found:
        raise LandbridgeError(f"nothing is known of {query!r}; try fewer or other words")
    if told:
        _history(told)
    lacks = list(dict.fromkeys(part for finding in found for part in finding.lacks))
    apart = len({finding.lacks for finding in found}) > 1  # rows that lack different parts say which
    none = "each lacks one or more of these" if apart else "these lack"
    print_table(
        f"{query}: what is known",
        [("id", 0), ("subject", 0), ("what", 0), ("value", 0), ("year", 0), ("where", 0), ("confidence", 0),
         ("source", 0), *([("lacks", 0)] if apart else [])],
        [[f.id, f.subject, f.quantity, f"{f.value} {f.unit}".strip(), f.year, f.place, f.confidence, f.source,
          *([", ".join(f.lacks)] if apart else [])]
         for f in found],
        (f"No row has all of it; {none}: {', '.join(lacks)}. " if lacks else "")
        + "Addresses of the sources, notes and scores: --json. The id of a project as the query shows its history.",
        whole=("confidence", "year"),
    )  # fmt: skip


def _history(told: History) -> None:
    """Print a project: what happened to it, then what of the atlas belongs to it."""
    row = told.project
    print_table(
        f"{row['name']} ({row['id']}), {row['status'].replace('_', ' ')}: its history",
        [("date", 0), ("from", 0), ("id", 0), ("what", 0), ("value", 0), ("source", 0)],
        [[m.date or None, m.table, m.id, m.what, m.value, m.source] for m in told.moments],
        row["note"] or "",
        whole=("date",),
    )
    print_table(
        f"{row['id']}: what belongs to it in the atlas",
        [("table", 0), ("id", 0), ("name", 0), ("what", 0)],
        [[e.table, e.id, e.name, e.what] for e in told.atlas],
        f"Why no flow can tell what it is worth: {told.unvalued}" if told.unvalued else "",
    )


@atlas_app.command("check")
def atlas_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A data package; default the atlas that ships.", show_default=False)
    ] = None,
    overlay: OverlayPath = None,
    columns: Annotated[bool, typer.Option("--columns", help="How numbers are known by column, not by table.")] = False,
    as_json: Json = False,
) -> None:
    """Check a whole data package and tell all faults at once; with --overlay also your own values over it."""
    from landbridge.data.check import check_package
    from landbridge.data.read import ATLAS, created_on, package_hash, read_descriptor

    where = folder or ATLAS
    if not where.is_dir():
        raise LandbridgeError(
            f"{where}: wanted the folder of a data package, got {'a file' if where.exists() else 'nothing'}"
        )
    faults, shares = check_package(where)
    own = read_tables(folder, overlay).overlay if overlay is not None and not faults else None
    if as_json:
        stamp = own.stamp() if own else None
        told = {"folder": where.name, "overlay": stamp, "faults": [vars(f) for f in faults]}
        print_json({**told, "origins": shares.to_dicts()})
    else:
        for fault in faults:
            typer.echo(str(fault), err=True)
        import polars as pl

        name = pl.concat_str("table", "column", separator=".") if columns else pl.col("table")
        named = shares.select(name.alias("name"), "kind", "cells")
        wide = named.group_by("name", "kind").agg(pl.col("cells").sum())
        kinds = ("reported", "derived", "estimate", "calibrated", "unknown", "none")
        rows = []
        for which in named["name"].unique(maintain_order=True).to_list():
            counts = dict(wide.filter(pl.col("name") == which).select("kind", "cells").rows())
            total = sum(counts.values())
            rows.append([which, total, *(100.0 * counts.get(k, 0) / total for k in kinds)])
        print_table(
            "How the atlas' numbers are known, per cent of number cells",
            [("column" if columns else "table", 0), ("cells", 0), *((k, 1) for k in kinds)],
            rows,
        )
        (package, version, _), _ = read_descriptor(where)
        mark = f"{package} {version} of {created_on(where) or 'no date'}, {package_hash(where)[:12]}"
        if not faults:
            typer.echo(f"{where.name}: no faults ({mark})")
        if own:
            typer.echo(users_values(own))
    if faults:
        typer.echo(f"landbridge: {where}: {len(faults)} fault{'s' if len(faults) > 1 else ''}", err=True)
        raise typer.Exit(1)


@atlas_app.command("lengths")
def atlas_lengths(
    folder: Annotated[Path | None, typer.Argument(help="A data package; by default the atlas.")] = None,
    as_json: Json = False,
) -> None:
    """Compare the network's lengths with published ones; more than 6 per cent without an explanation is a fault."""
    from landbridge.data.lengths import compare_lengths, length_faults, median_error_pct
    from landbridge.data.read import ATLAS, read_frames
    from landbridge.errors import DataError

    frames, _, faults = read_frames(folder or ATLAS)
    if faults:
        raise DataError(f"data package {(folder or ATLAS).name}", faults)
    legs, wrong = compare_lengths(frames), list(length_faults(frames))
    middle = median_error_pct(legs)
    if as_json:
        told = [leg.as_dict() for leg in legs]
        print_json({"median_error_pct": middle, "legs": told, "faults": [vars(fault) for fault in wrong]})
    else:
        print_table(
            "Lengths against published ones",
            [("leg", 0), ("published km", 0), ("network km", 0), ("error %", 1), ("traced km", 0),
             ("known by publication %", 0), ("explanation", 0)],
            [[leg.name, leg.published_km, leg.built_km, leg.error_pct, leg.traced_km, 100 * leg.official_share,
              leg.explanation] for leg in legs],
        )  # fmt: skip
        free = [leg for leg in legs if leg.official_share < HALF]
        typer.echo(
            f"Median error of {len(legs)} legs: {middle:.2f} per cent with published lengths of links in use; of the "
            f"{len(free)} that rest on traced lengths for the most part: {median_error_pct(free):.2f} per cent."
        )
        for fault in wrong:
            typer.echo(str(fault), err=True)
    if wrong:
        raise typer.Exit(1)


@atlas_app.command("past")
def atlas_past(atlas: AtlasDir = None, overlay: OverlayPath = None, as_json: Json = False) -> None:
    """Hold the trade of past years, which is an estimate, against published totals; those in use are left out."""
    from landbridge.study.past import held_against, median_error
    from landbridge.study.solve import Settings

    totals = held_against(read_tables(atlas, overlay), Settings().base_year)
    middle = 100 * median_error(totals)
    if as_json:
        print_json({"median_error_pct": middle, "totals": [vars(total) for total in totals]})
        return
    print_table(
        "Trade of past years against published totals, bn USD",
        [("total", 0), ("year", 0), ("published", 2), ("estimate", 2), ("error %", 0), ("", 0)],
        [[t.id, str(t.year), t.published_usd / 1e9, t.estimated_usd / 1e9,
          100 * (t.estimated_usd / t.published_usd - 1), "in use" if t.used else "kept aside"] for t in totals],
        f"Median error {middle:.1f} per cent. A total in use is left out of its own estimate.",
    )  # fmt: skip


@atlas_app.command("import-trade")
def atlas_import_trade(
    file: Annotated[
        Path,
        typer.Argument(
            help="BACI's CSV (t, i, j, k, v, q), or Comtrade's CSV or JSON (refYear or "
            "period, reporterISO, partnerISO, flowCode, cmdCode, primaryValue, netWgt).",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the overlay; empty, or not there yet.")],
    kind: Annotated[str, typer.Option("--format", help="baci or comtrade.")] = "baci",
    year: Annotated[int, typer.Option(help="Year to take; the model starts from 2023.")] = 2023,
    countries: Annotated[
        Path | None, typer.Option(help="BACI's country_codes_V*.csv; by default the one beside the file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an overlay of a full trade file: its trade in place of the atlas' own, every dropped row told."""
    from landbridge.data.formats.trade_files import FORMATS, read_trade_file, summary, write_overlay
    from landbridge.study.solve import Settings

    known("format", kind, FORMATS)
    tables = read_tables()
    found = read_trade_file(file, tables, kind=kind, year=year, countries=countries)
    write_overlay(found, tables, out)
    told = {**summary(found), "overlay": str(out)}
    if as_json:
        print_json(told)
        return
    print_table(
        f"Rows of {file.name} that were dropped",
        [("reason", 0), ("rows", 0)],
        [[reason, count] for reason, count in told["dropped"].items()],
        f"Each with its line in {out / 'report' / 'dropped.csv'}.",
    )
    if told["rest_of_world"]:
        print_table(
            "Countries that the atlas has not: booked as the rest of the world (ROW)",
            [("code", 0), ("rows", 0), ("value, million USD", 3)],
            [[code, one["rows"], one["value_usd"] / 1e6] for code, one in [*told["rest_of_world"].items()][:TOLD]],
            f"{len(told['rest_of_world'])} in all; each in {out / 'report' / 'rest_of_world.csv'}.",
        )
    typer.echo(
        f"{told['kept']} of {told['rows']} rows taken: {told['cells']} cells of trade worth "
        f"{told['value_usd'] / 1e9:.3f} bn USD, {told['zeros']} explicit zeros, "
        f"{told['bulk_records']} records of bulk goods; "
        f"{told['weighed_usd'] / 1e9:.3f} bn USD without mass were weighed as their group."
    )
    if year != Settings().base_year:
        typer.echo(f"The model starts from {Settings().base_year}: trade of {year} changes no result yet.", err=True)
    typer.echo(f"Use it with --overlay {out}")


@atlas_app.command("sources")
def atlas_sources(as_json: Json = False) -> None:
    """List the sources with their licences, how many rows of provenance rest on each, and statements kept besides."""
    from landbridge.data.read import ATLAS
    from landbridge.data.why import source_use

    frame = source_use(ATLAS, read_tables())
    if as_json:
        frame_json(frame)
        return
    columns = ("id", "publisher", "title", "date", "licence", "confidence", "rests_on", "kept_besides")
    print_table("Sources", [(c, 0) for c in columns], [[r[c] for c in columns] for r in frame.to_dicts()])


@atlas_app.command("why")
def atlas_why(
    table: Annotated[str, typer.Argument(help="Table.", show_default=False)],
    row: Annotated[str, typer.Argument(metavar="ID", help="Row id.", show_default=False)],
    column: Annotated[str, typer.Argument(help="Column.", show_default=False)],
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Show one value, how it is known, on which sources it rests, the reasoning, and what other sources say."""
    from landbridge.data.read import ATLAS
    from landbridge.data.why import explain

    answer = explain(atlas or ATLAS, read_tables(atlas, overlay), table, row, column)
    if as_json:
        print_json(answer)
        return
    for key, value in answer.items():
        if key == "sources":
            for source in value:
                typer.echo(f"  source: {source}")
        elif key != "alternatives" and (value or key not in ("as_of", "confidence")):
            typer.echo(f"{key}: {value}")
    if answer["alternatives"]:
        print_table(
            "What is said of it",
            [("value", 0), ("in use", 0), ("kind", 0), ("sources", 0), ("as of", 0), ("confidence", 0), ("why", 0)],
            [
                [one["value"], "yes" if one["in_use"] else "", one["kind"], ", ".join(one["sources"]), one["as_of"],
                 one["confidence"], one["why"]]
                for one in answer["alternatives"]
            ],
            whole=("value", "as of", "confidence"),
        )  # fmt: skip


@atlas_app.command("diff")
def atlas_diff(
    old: Annotated[Path, typer.Argument(help="Folder of a data package.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="Folder of another.", show_default=False)],
    rows: Annotated[int, typer.Option(help="Values and rows printed for each table.", min=1)] = 25,
    as_json: Json = False,
) -> None:
    """Show what changed from one data package to another: rows, values, and how values are known."""
    from landbridge.data.diff import diff_packages

    found = diff_packages(old, new)
    if as_json:
        print_json(found.as_dict())
        return
    _diff(found, rows)


def _diff(found: PackageDiff, rows: int) -> None:
    from landbridge.data.keys import cell as data_cell

    stamps = [
        f"{s.folder}: {s.name} {s.version} of {s.created or 'no date'}, {s.content_hash[:12]}"
        for s in (found.old, found.new)
    ]
    typer.echo("\n".join(stamps))
    if not (found.tables or found.tables_added or found.tables_removed or found.files):
        typer.echo("No difference.")
        return
    for word, names in (("Tables added", found.tables_added), ("Tables removed", found.tables_removed),
                        ("Other files that differ", found.files)):  # fmt: skip
        if names:
            typer.echo(f"{word}: {', '.join(names)}")
    print_table(
        "Changes by table",
        [("table", 0), ("rows added", 0), ("rows removed", 0), ("values changed", 0),
         ("origins changed", 0), ("columns changed", 0)],
        [
            [t.table, len(t.added), len(t.removed), len(t.changed), len(t.origins),
             " ".join([*(f"+{c}" for c in t.columns_added), *(f"-{c}" for c in t.columns_removed)])]
            for t in found.tables
        ],
    )  # fmt: skip
    for table in found.tables:
        lines: list[list[Any]] = [["added", r.row, "", "", "", "", ""] for r in table.added]
        lines += [["removed", r.row, "", "", "", "", ""] for r in table.removed]
        lines += [
            ["changed", c.row, c.column, data_cell(c.old) or None, c.old_kind, data_cell(c.new) or None, c.new_kind]
            for c in table.changed
        ]
        if table.origins:
            print_table(
                f"{table.table}: provenance",
                [("row", 0), ("column", 0), ("old", 0), ("new", 0)],
                [[o.row, o.column, o.old or None, o.new or None] for o in table.origins[:rows]],
                f"{rows} of {len(table.origins)}; all with --json" if len(table.origins) > rows else "",
            )
        if lines:
            print_table(
                table.table,
                [("", 0), ("row", 0), ("column", 0), ("old", 0), ("known", 0), ("new", 0), ("known", 0)],
                lines[:rows],
                f"{rows} of {len(lines)}; all with --json" if len(lines) > rows else "",
            )
