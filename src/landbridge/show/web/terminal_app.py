"""The part of the interface that is about terminals: plans, runs as jobs, films and tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi import Path as InPath

from landbridge.show.web import shapes, terminal_views
from landbridge.show.web.desk import TERMINAL
from landbridge.show.web.files import as_csv, as_xlsx
from landbridge.show.web.interface import BUSY, FILES, XLSX, IdPath, OnDesk, as_file, job_out

__all__ = ["add_terminals"]

Number = Annotated[int, Query(ge=0, le=9)]


def add_terminals(app: FastAPI) -> None:
    """Add what the page of terminals asks for."""

    @app.get("/api/terminals", tags=["terminals"])
    def get_terminals(desk: OnDesk) -> shapes.Terminals:
        """Plans of the atlas, with what stands there."""
        return desk.terminals

    @app.get("/api/terminals/runs", tags=["terminals"])
    def get_terminal_runs(desk: OnDesk) -> list[shapes.JobOut]:
        """Runs of terminals, the newest first."""
        return [job_out(job) for job in desk.jobs(TERMINAL)]

    @app.post("/api/terminals/runs", tags=["terminals"], status_code=202, responses=BUSY)
    def post_terminal_run(desk: OnDesk, asked: shapes.AskedTerminal) -> shapes.JobOut:
        """Ask for a run; it is checked at once and run as a job (see /api/jobs)."""
        return job_out(desk.ask_terminal(asked))

    @app.get("/api/terminals/runs/{job}", tags=["terminals"])
    def get_terminal_run(desk: OnDesk, job: IdPath) -> shapes.TerminalRun:
        """A finished run: summary and queue of each variant."""
        folder = desk.terminal_run(job)
        record = desk.job(job)
        return terminal_views.run(folder, record.title, dict(record.asked))

    @app.get("/api/terminals/runs/{job}/film", tags=["terminals"], response_model=dict[str, Any])
    def get_terminal_film(desk: OnDesk, job: IdPath, variant: Number = 0) -> Response:
        """The first replication, to be played back."""
        return Response(terminal_views.film(desk.terminal_run(job), variant), media_type="application/json")

    @app.get(
        "/api/terminals/runs/{job}/tables/{name}/file",
        tags=["terminals"],
        response_class=Response,
        responses=FILES,
    )
    def get_terminal_file(
        desk: OnDesk,
        job: IdPath,
        name: Annotated[str, InPath(min_length=1, max_length=40)],
        variant: Number = 0,
        form: Literal["csv", "xlsx"] = "csv",
    ) -> Response:
        """Every train, or the queue by the hour, of all replications."""
        frame = terminal_views.table(desk.terminal_run(job), variant, name)
        title = f"{job}-{variant}-{name}"
        if form == "csv":
            return as_file(as_csv(frame), "text/csv; charset=utf-8", f"{title}.csv")
        return as_file(as_xlsx(frame, name, {"run": desk.job(job).title}), XLSX, f"{title}.xlsx")
