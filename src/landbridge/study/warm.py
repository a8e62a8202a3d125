"""What-ifs from bases that are kept: a scenario that others start from is solved once, and then held by its content.

A base is named by all that it depends on (the tables, its measures, the projects held back, the year and the settings)
and never by what was solved before. It is solved from nothing, so that an answer is the same whether its base was held
or not, and the same that `landbridge run` gives for the same study.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from landbridge.data.tables import Tables
from landbridge.scenario.measures import to_dict
from landbridge.study.content import content_of
from landbridge.study.files import Study, check_study, held_projects
from landbridge.study.results import Results, check_output
from landbridge.study.run import One, Progress, Shared, Solved, run_study, settings_of, solve_one, write_solved

__all__ = ["Warm"]

#: Bases that are held; each takes some tens of megabytes.
HELD = 4


class Warm:
    """Bases in memory, and answers to what-ifs that start from them; for one process that lives long."""

    def __init__(self) -> None:
        self._bases: OrderedDict[str, Solved] = OrderedDict()

    def ready(self, study: Study, tables: Tables) -> None:
        """Solve ahead the scenario that a study compares with, in each of its years.

        Parameters
        ----------
        study
            As for `run`.
        tables
            The atlas.

        Raises
        ------
        StudyError, NotConverged
            As for `run_study`.
        """
        check_study(study, tables)
        if _starts(study):
            shared = _shared(study, tables)
            for year in study.years:
                self._base(shared, year)

    def run(self, study: Study, tables: Tables, out: Path, *, progress: Progress | None = None) -> Results:
        """Solve a study and write its results, as `run_study` does, but for bases that are held.

        Parameters
        ----------
        study
            What to run.
        tables
            The atlas.
        out
            Folder for the results.
        progress
            Called as the work goes on.

        Returns
        -------
        Results

        Raises
        ------
        StudyError, DataError, NotConverged, OutputError
            As for `run_study`.
        """
        if not _starts(study):
            return run_study(study, tables, out, progress=progress)
        check_output(out)
        check_study(study, tables)
        show = progress or (lambda _done, _all, _text: None)
        shared, began = _shared(study, tables), time.perf_counter()
        tasks = [(number, year) for number in range(len(study.scenarios)) for year in study.years]
        compared = next(i for i, scenario in enumerate(study.scenarios) if scenario.id == study.compare)
        solved = {}
        for done, (number, year) in enumerate(tasks):
            show(done, len(tasks), f"{study.scenarios[number].id} {year}")
            base = self._base(shared, year)
            needed: Mapping[str, Solved] = {study.compare: base}
            solved[number, year] = base if number == compared else solve_one(shared, One(number, year), needed)
        show(len(tasks), len(tasks), "writing")
        return write_solved(shared, [solved[task] for task in tasks], out, seconds=time.perf_counter() - began)

    def _base(self, shared: Shared, year: int) -> Solved:
        """Return the scenario that a study compares with, from memory or solved now."""
        study, tables = shared.study, shared.tables
        number = next(i for i, scenario in enumerate(study.scenarios) if scenario.id == study.compare)
        facts = tables.package.content_hash if tables.package else dict(tables.frames)
        own = tables.overlay.content_hash if tables.overlay else None
        measures = [to_dict(measure) for measure in study.scenarios[number].measures]
        key = content_of(facts, own, study.compare, measures, sorted(held_projects(study)), year, shared.settings)
        if key not in self._bases:
            self._bases[key] = solve_one(shared, One(number, year), {})
            while len(self._bases) > HELD:
                self._bases.popitem(last=False)
        self._bases.move_to_end(key)
        return self._bases[key]


def _shared(study: Study, tables: Tables) -> Shared:
    return Shared(tables, settings_of(study), replace(study, lines={}, positions=()))


def _starts(study: Study) -> bool:
    """Whether all that a scenario depends on stands in its base's key: trade that answers and terminals do not."""
    return study.demand is None and study.terminals != "simulated" and len(study.scenarios) > 1
