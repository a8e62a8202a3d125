"""What the server works with: the atlas, the library of results, the records of jobs, and who solves them."""

from __future__ import annotations

import hashlib
import threading
from functools import cached_property
from pathlib import Path

import polars as pl

from landbridge.data.check import check_package
from landbridge.data.read import ATLAS, read_atlas, read_package
from landbridge.data.registry import history, search, topics
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, OutputError, StudyError, UnknownName
from landbridge.scenario.read import read_measures
from landbridge.show.store import Job, JobStore
from landbridge.show.web import atlas_views, results_views, shapes, terminal_views
from landbridge.show.web.findings import Findings
from landbridge.show.web.library import Library, Point
from landbridge.show.web.worker import Ready, Task, TerminalTask, Worker
from landbridge.study.files import check_study, read_study
from landbridge.study.results import is_current, run_again
from landbridge.study.whatif import whatif_toml

__all__ = ["TERMINAL", "Desk", "TooMany"]

#: Jobs that may wait or run at once, and records that are kept.
MOST_WAITING = 20
MOST_JOBS = 2000
#: Kinds of jobs.
WHAT_IF, TERMINAL = "whatif", "terminal"
#: Solutions whose answer is kept ready.
READY = 24
#: Name of the study that solves a base ahead; nobody sees it.
READY_TITLE = "Ready"


class TooMany(LandbridgeError):
    """Something that cannot be had as things stand."""


class Desk:
    """All that the server holds; see `landbridge.show.web.app.create_app`."""

    def __init__(self, folder: Path, workspace: Path | None, atlas: Path | None) -> None:
        self._atlas_folder = atlas
        self._lock = threading.Lock()
        self._runs: dict[tuple[Point, str], shapes.Run] = {}
        self.workspace = workspace
        self.store: JobStore | None = None
        self.worker: Worker | None = None
        if workspace is not None:
            self.store = JobStore(workspace / "jobs.sqlite")
            self.store.interrupt()
            self._sweep(workspace)
            self.worker = Worker(self.store)
        self.findings = Findings(folder)
        self.library = Library(folder, workspace / "results" if workspace else None, self._titles)

    @staticmethod
    def _sweep(workspace: Path) -> None:
        """Remove what a server that was killed left half written."""
        import shutil

        for place in ("results", "terminals"):
            for draft in (workspace / place).glob(".*"):
                shutil.rmtree(draft, ignore_errors=True)
        for ahead in (workspace / "studies").glob("ready-*.toml"):
            ahead.unlink(missing_ok=True)

    def close(self) -> None:
        """End what is going on."""
        if self.worker:
            self.worker.close()
        if self.store:
            self.store.close()

    # ------------------------------------------------------------------------------------------------- the atlas

    @cached_property
    def atlas(self) -> Tables:
        """The atlas."""
        with self._lock:
            return read_package(self._atlas_folder) if self._atlas_folder else read_atlas()

    @cached_property
    def map_json(self) -> bytes:
        """What stands on the map whatever was solved."""
        return atlas_views.map_data(self.atlas).model_dump_json().encode()

    @cached_property
    def borders_json(self) -> bytes:
        """Countries as GeoJSON."""
        return atlas_views.borders(self._atlas_folder or ATLAS)

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """How the atlas' numbers are known."""
        shares = check_package(self._atlas_folder or ATLAS)[1]
        return shares.group_by("table", "kind", maintain_order=True).agg(pl.col("cells").sum())

    @cached_property
    def terminals(self) -> shapes.Terminals:
        """Plans of terminals."""
        return terminal_views.plans(self.atlas)

    def warm(self) -> None:
        """Make what the first page asks for."""
        _ = self.map_json, self.borders_json
        for name in self.listed()[:1]:
            results = self.library[name]
            self.run(Point(name, results.scenarios[0], results.years[0]))

    def tag(self, what: str) -> str:
        """A name that changes when the atlas does."""
        package = self.atlas.package
        return f"{what}-{package.content_hash[:16] if package else 'memory'}"

    def search(self, query: str, topic: str | None, limit: int) -> shapes.Search:
        """Search the registry."""
        found = search(self.atlas, query, topic=topic, limit=limit)
        return shapes.Search(findings=[finding.as_dict() for finding in found], topics=topics(self.atlas))

    def project(self, name: str) -> shapes.Project:
        """A project with its history."""
        if name not in self.atlas.ids("projects"):
            raise UnknownName("project", name, self.atlas.ids("projects"))
        told = history(self.atlas, name)
        return shapes.Project(
            row=results_views.plain([dict(told.project)])[0],
            moments=[
                {key: str(getattr(m, key) or "") for key in ("date", "table", "id", "what", "value", "source")}
                for m in told.moments
            ],
            atlas=[{key: str(getattr(e, key) or "") for key in ("table", "id", "name", "what")} for e in told.atlas],
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------------- results

    def listed(self) -> list[str]:
        """Return the ids of results that can be read, those made from the atlas at hand first."""
        unread = self.library.unread()
        names = [name for name in self.library.ids() if name not in unread]
        return sorted(names, key=lambda name: not is_current(self.library.head(name), self.atlas))

    def run(self, at: Point) -> shapes.Run:
        """What one solution comes to; kept as long as the results stay the same."""
        made = str(self.library.check(at).manifest["made"])
        if (at, made) not in self._runs:
            found = results_views.run(self.library, at, self.library.tables(at.result, self.atlas))
            with self._lock:
                self._runs[at, made] = found
                while len(self._runs) > READY:
                    self._runs.pop(next(iter(self._runs)))
        return self._runs[at, made]

    # ------------------------------------------------------------------------------------------------------ jobs

    def _titles(self) -> dict[str, str]:
        return {job.id: job.title for job in self.jobs() if job.status == "finished"}

    def _need(self) -> tuple[JobStore, Worker, Path]:
        if self.store is None or self.worker is None or self.workspace is None:
            raise TooMany("this server was started without a workspace, so that it computes nothing")
        return self.store, self.worker, self.workspace

    def ready(self, asked: shapes.AskedReady | None) -> None:
        """Start the process that solves jobs, and let it solve what what-ifs start from."""
        _, worker, workspace = self._need()
        if asked is None:
            worker.warm()
            return
        results = self.library[asked.result]
        text = whatif_toml(results, asked.scenario, [], title=READY_TITLE, years=sorted(set(asked.years)))
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        study = workspace / "studies" / f"ready-{name}.toml"
        try:
            study.parent.mkdir(parents=True, exist_ok=True)
            study.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"the study could not be written down: {error}") from error
        worker.warm()
        worker.ready(Ready(study, results.folder if results.manifest.get("overlay") else None))

    def jobs(self, kind: str = WHAT_IF) -> list[Job]:
        """All jobs of a kind, the newest first."""
        return [job for job in self.store.all() if job.id.startswith(f"{kind}-")] if self.store else []

    def job(self, name: str) -> Job:
        """A job by its id."""
        try:
            if self.store:
                return self.store[name]
        except KeyError:
            pass
        raise UnknownName("job", name, [job.id for job in self.store.all()] if self.store else [])

    def study_of(self, asked: shapes.AskedWhatIf) -> str:
        """The study file of a what-if.

        Raises
        ------
        StudyError
            With every fault of its measures and years.
        """
        results = self.library[asked.result]
        measures = read_measures(asked.measures)
        return whatif_toml(results, asked.scenario, measures, title=asked.title, years=sorted(set(asked.years)))

    def ask(self, asked: shapes.AskedWhatIf) -> Job:
        """Check a what-if and put it into the line.

        Raises
        ------
        StudyError
            With every fault.
        TooMany
            If too many wait already.
        """
        store, worker, workspace = self._need()
        text = self.study_of(asked)
        self._room(store)
        results = self.library[asked.result]
        tables = self.library.tables(asked.result, self.atlas)
        if not is_current(results, tables):
            again = run_again(results) or "run its study again first"
            raise OutputError(f"{asked.result}: made from another state of the atlas; make it anew: {again}")
        with self._lock:
            job = store.add(asked.title, asked.model_dump())
        study = workspace / "studies" / f"{job.id}.toml"
        try:
            study.parent.mkdir(parents=True, exist_ok=True)
            study.write_text(text, encoding="utf-8")
            check_study(read_study(study), tables)
        except StudyError as error:
            study.unlink(missing_ok=True)
            store.remove(job.id)
            raise StudyError("the what-if", error.faults) from None
        except OSError as error:
            store.remove(job.id)
            raise OutputError(f"the what-if could not be written down: {error}") from error
        overlay = results.folder if results.manifest.get("overlay") else None
        worker.submit(Task(job.id, study, workspace / "results" / job.id, overlay))
        return job

    @staticmethod
    def _room(store: JobStore) -> None:
        """Make sure that another job may be added."""
        if sum(not job.has_ended for job in store.all()) >= MOST_WAITING:
            raise TooMany(f"{MOST_WAITING} jobs are waiting already; stop some or wait")
        if len(store.all()) >= MOST_JOBS:
            raise TooMany(f"this workspace holds {MOST_JOBS} jobs; start the server on another")

    def ask_terminal(self, asked: shapes.AskedTerminal) -> Job:
        """Check what is asked of a terminal and put it into the line.

        Raises
        ------
        LandbridgeError
            For names that are not there, and terminals that could not work: all that is wrong at once.
        TooMany
            If too many wait already.
        """
        store, worker, workspace = self._need()
        question, settings = terminal_views.question(asked)
        terminal_views.check(self.atlas, question, settings)
        self._room(store)
        with self._lock:
            job = store.add(asked.title, asked.model_dump(), kind=TERMINAL)
        folder = workspace / "terminals"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            store.remove(job.id)
            raise OutputError(f"the run could not be kept: {error}") from error
        worker.submit(TerminalTask(job.id, question, settings, folder / job.id))
        return job

    def terminal_run(self, name: str) -> Path:
        """The folder of a finished run of a terminal."""
        done = [job.id for job in self.jobs(TERMINAL) if job.status == "finished"]
        if name not in done or self.workspace is None:
            raise UnknownName("finished run of a terminal", name, done)
        return self.workspace / "terminals" / name

    def cancel(self, name: str) -> Job:
        """Stop a job."""
        _, worker, _ = self._need()
        job = self.job(name)
        if job.has_ended:
            raise TooMany(f"{name} has ended already ({job.status})")
        worker.cancel(name)
        return self.job(name)

    def rename(self, name: str, title: str) -> None:
        """Give a what-if another title; what a study file named keeps its name."""
        results = self.library[name]
        if not self.library.is_whatif(name) or self.store is None:
            raise TooMany(f"{results.manifest['study']['name']} is named by its study file and only read here")
        self.store.rename(name, title)
