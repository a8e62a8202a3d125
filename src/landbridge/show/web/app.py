"""The server: one typed interface over results, atlas, routes and what-ifs, and the files of the map."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from landbridge import __version__
from landbridge.errors import FaultList, LandbridgeError, NoRoute, UnknownName
from landbridge.show.web import atlas_views, results_views, shapes
from landbridge.show.web.desk import Desk, TooMany
from landbridge.show.web.files import as_csv, as_xlsx
from landbridge.show.web.findings_app import add_findings
from landbridge.show.web.guards import Guards
from landbridge.show.web.interface import BUSY, FILES, NAME_LENGTH, XLSX, IdPath, OnDesk, Word, as_file, job_out
from landbridge.show.web.library import Point
from landbridge.show.web.routes_view import answer_routes
from landbridge.show.web.terminal_app import add_terminals
from landbridge.show.web.trade_app import add_trade
from landbridge.study.results import STUDY

__all__ = ["create_app"]

#: Seconds between two looks at a job while a browser listens.
LISTEN_S = 0.05

# ------------------------------------------------------------------------------------------------- dependencies


ScenarioQuery = Annotated[str, Query(min_length=1, max_length=NAME_LENGTH)]
YearQuery = Annotated[int, Query(ge=1990, le=2100)]


def _point(result: IdPath, scenario: ScenarioQuery, year: YearQuery) -> Point:
    return Point(result, scenario, year)


def _sides(
    result: Word, scenario: ScenarioQuery, year: YearQuery, against: Word, against_scenario: ScenarioQuery,
    against_year: YearQuery,
) -> tuple[Point, Point]:  # fmt: skip
    return Point(against, against_scenario, against_year), Point(result, scenario, year)


AtPoint = Annotated[Point, Depends(_point)]
Sides = Annotated[tuple[Point, Point], Depends(_sides)]

REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": shapes.Problem, "description": "Not a request that can be read"},
    403: {"model": shapes.Problem, "description": "From elsewhere than this machine or the map's own page"},
    404: {"model": shapes.Problem, "description": "A name that is not there"},
    413: {"model": shapes.Problem, "description": "Too large"},
    422: {"model": shapes.Problem, "description": "Values that do not fit, each fault told"},
}


# ------------------------------------------------------------------------------------------------------- errors


def _problem(status: int, kind: str, message: str, faults: list[dict[str, str]] | None = None) -> JSONResponse:
    return JSONResponse({"kind": kind, "message": message, "faults": faults or []}, status_code=status)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, UnknownName):
        return _problem(404, "name", str(error))
    if isinstance(error, TooMany):
        return _problem(409, "busy", str(error))
    if isinstance(error, FaultList):
        faults = [
            {"row": f.row if f.field else "", "where": f.field or f.row or f.where, "wanted": f.wanted, "got": f.got}
            for f in error.faults
        ]
        return _problem(422, "faults", error.subject, faults)
    kind = "route" if isinstance(error, NoRoute) else "refused"
    return _problem(422, kind, str(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for it)
    faults = []
    for each in error.errors():
        got = each.get("input")
        text = json.dumps(got, default=str, ensure_ascii=False)[:80] if each["type"] != "missing" else "nothing"
        faults.append({"where": ".".join(str(part) for part in each["loc"]), "wanted": each["msg"], "got": text})
    return _problem(422, "faults", "the request", faults)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for it)
    answer = _problem(error.status_code, "request", str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


# --------------------------------------------------------------------------------------------------- the server


def create_app(
    folder: Path, *, workspace: Path | None = None, static: Path | None = None, atlas: Path | None = None
) -> FastAPI:
    """Make the server.

    Parameters
    ----------
    folder
        A results folder, or a folder that holds some; only read.
    workspace
        Folder for the server's own records and the results of what-ifs; without one there are no what-ifs.
    static
        Folder with the built map; without one there is the interface only.
    atlas
        Folder of a data package in place of the atlas that ships.

    Returns
    -------
    FastAPI
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.desk = desk = Desk(folder, workspace, atlas)
        # the first page then finds the map's data ready
        threading.Thread(target=desk.warm, daemon=True).start()
        yield
        desk.close()

    app = FastAPI(
        title="Landbridge", version=__version__, lifespan=life, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", responses=REFUSED,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={
            LandbridgeError: _ours, RequestValidationError: _invalid, HTTPException: _http,
        },
    )  # fmt: skip
    _atlas(app)
    _results(app)
    _compare(app)
    _jobs(app)
    add_findings(app)
    add_terminals(app)
    add_trade(app)
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=4)
    app.add_middleware(Guards)
    if static is not None and (static / "index.html").is_file():
        app.mount("/", _Files(directory=static, html=True))
    return app


class _Files(StaticFiles):
    """The map's files: those named by their content are kept for good, the page itself is asked for each time."""

    async def get_response(self, path: str, scope: Any) -> Response:
        answer = await super().get_response(path, scope)
        lasting = path.replace("\\", "/").startswith("assets/")
        answer.headers["cache-control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return answer


def _kept(request: Request, tag: str, make: Callable[[], bytes], kind: str = "application/json") -> Response:
    """An answer that a browser may keep as long as its tag is the same."""
    headers = {"etag": f'"{tag}"', "cache-control": "no-cache"}
    if request.headers.get("if-none-match", "").removeprefix("W/") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(make(), media_type=kind, headers=headers)


def _atlas(app: FastAPI) -> None:
    @app.get(
        "/api/atlas/map", tags=["atlas"], response_model=shapes.MapData, responses={304: {"description": "As before"}}
    )
    def get_map(request: Request, desk: OnDesk) -> Response:
        """Places, links with their drawing, crossings, and names."""
        return _kept(request, desk.tag("map"), lambda: desk.map_json)

    @app.get(
        "/api/atlas/borders",
        tags=["atlas"],
        response_model=dict[str, Any],
        responses={304: {"description": "As before"}},
    )
    def get_borders(request: Request, desk: OnDesk) -> Response:
        """Countries and disputed areas as GeoJSON."""
        return _kept(request, desk.tag("borders"), lambda: desk.borders_json)

    @app.get("/api/atlas/records/{table}/{name:path}", tags=["atlas"])
    def get_record(
        desk: OnDesk, table: IdPath, name: Annotated[str, InPath(min_length=1, max_length=NAME_LENGTH)],
        column: Annotated[str | None, Query(max_length=NAME_LENGTH)] = None,
    ) -> shapes.RecordOut:  # fmt: skip
        """One row of the atlas and how each number is known; with sources and reasoning for one column."""
        return atlas_views.record(desk.atlas, table, name, column or None)

    @app.get("/api/atlas/search", tags=["atlas"])
    def get_search(
        desk: OnDesk, query: Annotated[str, Query(min_length=1, max_length=200)],
        topic: Annotated[str | None, Query(max_length=NAME_LENGTH)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 40,
    ) -> shapes.Search:  # fmt: skip
        """Facts, projects, agreements and events by words and numbers."""
        return desk.search(query, topic or None, limit)

    @app.get("/api/atlas/list/{table}", tags=["atlas"])
    def get_list(desk: OnDesk, table: Literal["facts", "projects", "agreements", "events", "sources"]) -> shapes.Frame:
        """A whole table of the registry."""
        return results_views.framed(table, "", desk.atlas[table])

    @app.get("/api/atlas/projects/{name}", tags=["atlas"])
    def get_project(desk: OnDesk, name: IdPath) -> shapes.Project:
        """A project with its history."""
        return desk.project(name)

    @app.get("/api/atlas/countries/{name}", tags=["atlas"])
    def get_country(desk: OnDesk, name: IdPath) -> list[shapes.Row]:
        """Rows of the atlas that say something of a country."""
        return atlas_views.country_rows(desk.atlas, name)

    @app.get("/api/atlas/coverage", tags=["atlas"])
    def get_coverage(desk: OnDesk) -> shapes.Frame:
        """How the atlas' numbers are known, by table and kind of origin."""
        return results_views.framed("coverage", "Number cells by table and how they are known", desk.coverage)

    @app.get("/api/measures", tags=["what-ifs"])
    def get_measures(desk: OnDesk) -> shapes.Measures:
        """Every kind of measure with its fields, and the names they take."""
        return atlas_views.measures(desk.atlas)

    @app.post("/api/routes", tags=["routes"])
    def post_routes(desk: OnDesk, asked: shapes.AskedRoutes) -> shapes.Answered:
        """Routes between two places, or why there are none."""
        return answer_routes(desk, asked)


def _results(app: FastAPI) -> None:
    @app.get("/api/results", tags=["results"])
    def get_results(desk: OnDesk) -> list[shapes.ResultsOut]:
        """All results that can be read; those made from the atlas at hand come first."""
        return [results_views.described(desk.library, name, desk.atlas) for name in desk.listed()]

    @app.get("/api/unread", tags=["results"])
    def get_unread(desk: OnDesk) -> list[shapes.Unread]:
        """Folders that look like results and cannot be read, and why."""
        return [shapes.Unread(id=name, why=why) for name, why in desk.library.unread().items()]

    @app.get("/api/results/{result}", tags=["results"])
    def get_result(desk: OnDesk, result: IdPath) -> shapes.ResultsOut:
        """Some results."""
        return results_views.described(desk.library, result, desk.atlas)

    @app.get("/api/results/{result}/run", tags=["results"])
    def get_run(desk: OnDesk, at: AtPoint) -> shapes.Run:
        """What one solution comes to: totals, flows of links, crossings, countries, passages."""
        return desk.run(at)

    @app.get("/api/results/{result}/crossings/{name}", tags=["results"])
    def get_crossing(desk: OnDesk, at: AtPoint, name: IdPath) -> shapes.CrossingCard:
        """A crossing."""
        return results_views.crossing_card(desk.library, at, name, desk.atlas)

    @app.get("/api/results/{result}/links/{name:path}", tags=["results"])
    def get_link(desk: OnDesk, at: AtPoint, name: IdPath) -> shapes.LinkCard:
        """A link."""
        return results_views.link_card(desk.library, at, name, desk.atlas)

    @app.get("/api/results/{result}/users", tags=["results"])
    def get_users(
        desk: OnDesk, at: AtPoint, kind: Literal["link", "crossing", "country", "passage"], name: Word
    ) -> shapes.Users:
        """Who uses a link, crossing, country or passage."""
        return results_views.users(desk.library, at, kind, name)

    @app.get("/api/results/{result}/choke", tags=["results"])
    def get_choke(desk: OnDesk, result: IdPath) -> shapes.Choke:
        """V/C of crossings in every scenario and year."""
        return results_views.choke(desk.library, result)

    @app.get("/api/results/{result}/study", tags=["results"], response_class=Response, responses={
        200: {"content": {"application/toml": {"schema": {"type": "string"}}}}})  # fmt: skip
    def get_study(desk: OnDesk, result: IdPath) -> Response:
        """The study file, to run on the command line."""
        desk.library[result]
        text = (desk.library[result].folder / STUDY).read_bytes()
        return as_file(text, "application/toml", f"{result}.toml")

    @app.get("/api/results/{result}/tables/{name}", tags=["results"])
    def get_table(desk: OnDesk, at: AtPoint, name: IdPath) -> shapes.Frame:
        """A table."""
        return results_views.framed(name, results_views.about(name), results_views.table(desk.library, at, name))

    @app.get("/api/results/{result}/tables/{name}/file", tags=["results"], response_class=Response, responses=FILES)
    def get_table_file(desk: OnDesk, at: AtPoint, name: IdPath, form: Literal["csv", "xlsx"] = "csv") -> Response:
        """A table as a file."""
        frame = results_views.table(desk.library, at, name)
        return _table_file(desk, frame, name, form, f"{at.result}-{name}-{at.scenario}-{at.year}", [at])

    @app.patch("/api/results/{result}", tags=["what-ifs"], responses=BUSY)
    def patch_result(desk: OnDesk, result: IdPath, asked: shapes.AskedName) -> shapes.ResultsOut:
        """Give a what-if another name."""
        desk.rename(result, asked.title)
        return results_views.described(desk.library, result, desk.atlas)


def _table_file(desk: Desk, frame: Any, name: str, form: str, file: str, points: list[Point]) -> Response:
    if form == "csv":
        return as_file(as_csv(frame), "text/csv; charset=utf-8", f"{file}.csv")
    notes = {"table": name}
    for label, at in zip(("solution", "after") if len(points) == 1 else ("before", "after"), points, strict=False):
        made = desk.library[at.result].manifest
        notes[label] = f"{desk.library.title(at.result)}, scenario {at.scenario}, {at.year}"
        notes[f"{label}, made"] = f"{made['made']} by Landbridge {made['landbridge']}"
    book = as_xlsx(frame, name, notes)
    return as_file(book, XLSX, f"{file}.xlsx")


def _compare(app: FastAPI) -> None:
    @app.get("/api/compare/{name}", tags=["results"])
    def get_comparison(desk: OnDesk, name: IdPath, sides: Sides) -> shapes.Frame:
        """What changes from one solution to another."""
        frame = results_views.compared(desk.library, name, *sides)
        return results_views.framed(name, "What changes from one solution to another", frame)

    @app.get("/api/compare/{name}/file", tags=["results"], response_class=Response, responses=FILES)
    def get_comparison_file(desk: OnDesk, name: IdPath, sides: Sides, form: Literal["csv", "xlsx"] = "csv") -> Response:
        """What changes, as a file."""
        frame = results_views.compared(desk.library, name, *sides)
        return _table_file(desk, frame, f"{name} compared", form, f"compare-{name}", list(sides))


def _jobs(app: FastAPI) -> None:
    @app.get("/api/jobs", tags=["what-ifs"])
    def get_jobs(desk: OnDesk) -> list[shapes.JobOut]:
        """All jobs, the newest first."""
        return [job_out(job) for job in desk.jobs()]

    @app.post("/api/jobs", tags=["what-ifs"], status_code=202, responses=BUSY)
    def post_job(desk: OnDesk, asked: shapes.AskedWhatIf) -> shapes.JobOut:
        """Ask for a what-if; it is checked at once and solved as a job."""
        return job_out(desk.ask(asked))

    @app.post("/api/jobs/study", tags=["what-ifs"], response_class=Response, responses={
        200: {"content": {"application/toml": {"schema": {"type": "string"}}}}})  # fmt: skip
    def post_study(desk: OnDesk, asked: shapes.AskedWhatIf) -> Response:
        """The study file of a what-if, without solving it."""
        return as_file(desk.study_of(asked).encode(), "application/toml", "what-if.toml")

    @app.post("/api/jobs/ready", tags=["what-ifs"], status_code=204, responses=BUSY)
    def post_ready(desk: OnDesk, asked: shapes.AskedReady | None = None) -> None:
        """Get ready for jobs; solve ahead what what-ifs will start from, where that is told."""
        desk.ready(asked)

    @app.get("/api/jobs/{job}", tags=["what-ifs"])
    def get_job(desk: OnDesk, job: IdPath) -> shapes.JobOut:
        """A job."""
        return job_out(desk.job(job))

    @app.delete("/api/jobs/{job}", tags=["what-ifs"], responses=BUSY)
    def delete_job(desk: OnDesk, job: IdPath) -> shapes.JobOut:
        """Stop a job that waits or runs."""
        return job_out(desk.cancel(job))

    @app.get("/api/jobs/{job}/events", tags=["what-ifs"], response_class=StreamingResponse, responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}})  # fmt: skip
    async def get_events(desk: OnDesk, job: IdPath) -> StreamingResponse:
        """How a job goes on, as server-sent events, until it has ended."""
        desk.job(job)

        async def told() -> AsyncIterator[str]:
            last = ""
            while True:
                state = desk.job(job)
                text = job_out(state).model_dump_json()
                if text != last:
                    last = text
                    yield f"data: {text}\n\n"
                if state.has_ended:
                    return
                await asyncio.sleep(LISTEN_S)

        return StreamingResponse(told(), media_type="text/event-stream", headers={"cache-control": "no-store"})
