"""The part of the interface that is about power, investment and validation: their folders and tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Response
from fastapi import Path as InPath

from landbridge.data.tables import Tables
from landbridge.show.web import results_views, shapes
from landbridge.show.web.files import as_csv, as_xlsx
from landbridge.show.web.findings import Finding
from landbridge.show.web.interface import FILES, XLSX, IdPath, OnDesk, as_file

__all__ = ["add_findings"]

Kind = Annotated[str, InPath(min_length=1, max_length=40)]


def _out(found: Finding, atlas: Tables) -> shapes.FindingOut:
    made_from, package = found.told.get("atlas"), atlas.package
    current = not isinstance(made_from, dict) or package is None or made_from["content_hash"] == package.content_hash
    return shapes.FindingOut(
        kind=found.kind, id=found.id, title=found.title, made=found.made, current=current, usual=found.usual,
        tables=found.tables,
    )  # fmt: skip


def _moment(found: shapes.FindingOut) -> datetime:
    made = datetime.fromisoformat(found.made)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def add_findings(app: FastAPI) -> None:
    """Add what the pages of power, investment and validation ask for."""

    @app.get("/api/findings/{kind}", tags=["findings"])
    def get_findings(desk: OnDesk, kind: Kind) -> list[shapes.FindingOut]:
        """Folders of a kind: power, dependence, stress, exposure, investment, validation, backtest or sensitivity.

        The first is what a page opens on: of the atlas at hand, of the usual question, the newest.
        """
        newest = sorted((_out(found, desk.atlas) for found in desk.findings.all(kind)), key=_moment, reverse=True)
        return sorted(newest, key=lambda found: (not found.current, not found.usual))

    @app.get("/api/findings/{kind}/{name}", tags=["findings"])
    def get_finding(desk: OnDesk, kind: Kind, name: IdPath) -> dict[str, Any]:
        """What a folder says of itself: what was asked, under which assumptions, and what came out."""
        return results_views.plain([dict(desk.findings.get(kind, name).told)])[0]

    @app.get("/api/findings/{kind}/{name}/tables/{table}", tags=["findings"])
    def get_finding_table(desk: OnDesk, kind: Kind, name: IdPath, table: IdPath) -> shapes.Frame:
        """One of its tables, each column with its unit and meaning."""
        found = desk.findings.get(kind, name)
        frame, said = results_views.framed(table, "", found.table(table)), found.meanings(table)
        for column in frame.columns:
            if column["name"] in said:
                column["unit"], column["meaning"] = said[column["name"]]
        return frame

    @app.get(
        "/api/findings/{kind}/{name}/tables/{table}/file", tags=["findings"], response_class=Response, responses=FILES
    )
    def get_finding_file(
        desk: OnDesk, kind: Kind, name: IdPath, table: IdPath, form: Literal["csv", "xlsx"] = "csv"
    ) -> Response:
        """One of its tables as a file."""
        found = desk.findings.get(kind, name)
        frame = found.table(table)
        if form == "csv":
            return as_file(as_csv(frame), "text/csv; charset=utf-8", f"{name}-{table}.csv")
        notes = {"table": table, "folder": found.id, "made": found.made}
        notes |= {
            f"column {column}": f"{told} {unit}".strip() for column, (unit, told) in found.meanings(table).items()
        }
        return as_file(as_xlsx(frame, table, notes), XLSX, f"{name}-{table}.xlsx")
