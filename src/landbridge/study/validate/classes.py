"""On what a number of the model rests: on the observed figure itself, on a calibration to it, or on neither.

The class of a row is computed, never declared:

echo        the observed number or its equivalent is an input: a cell that the answer is read from names the fact as its
            source or holds the very number; the answer is input trade; or a good part of the flow is trade whose
            tonnes or shares were set from that fact
fitted      a value of the atlas was calibrated to the row; or a good part of the flow is goods whose owners refuse a
            way by a share that somebody set who knew what had come of it, or trade whose tonnes or shares of the base
            year were set so (``knew`` in their provenance) from what was published after the time that the row is about
predicted   neither
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from landbridge.data.provenance import Origin, Origins, read_origins
from landbridge.data.read import ATLAS
from landbridge.data.tables import Tables
from landbridge.study.validate.words import Answer, Cell, days_of

__all__ = ["ECHO", "FITTED", "PREDICTED", "Classes"]

ECHO, FITTED, PREDICTED = "echo", "fitted", "predicted"
#: Tables that make flows what they are.
DRIVERS = ("mode_shares", "trade_overrides", "trade", "zone_shares", "past_totals")
#: Part of a flow that must be trade set from a fact before the flow is that fact's echo.
ECHO_PART = 0.25
#: The table of shares that hold on some days only; its rows name two ends, either way, and goods.
DATED = "refusals"
#: A cell holds the observed number when they differ by less than this part.
SAME = 1e-4
NOT_MODEL = ("targets", "facts", "sources", "events", "agreements", "projects")


@lru_cache(maxsize=4)
def _read(folder: Path, _content_hash: str) -> dict[str, Origins]:
    """Origins of the tables of the model; read once for a state of a package."""
    stems = sorted(path.stem for path in (folder / "provenance").glob("*.csv"))
    return {s: read_origins(folder, s)[0] for s in stems if s not in NOT_MODEL}


class Classes:
    """Classifies answers; built once for a package.

    Parameters
    ----------
    tables
        The atlas.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        package = tables.package
        self.origins = _read(package.folder if package else ATLAS, package.content_hash if package else "")
        self._of = lru_cache(maxsize=None)(self._origin)
        self.blocs: dict[str, set[str]] = {}
        self.iso3 = {a: b for a, b in tables["countries"].select("iso2", "iso3").iter_rows() if a}
        for bloc, iso2 in tables["blocs"].select("bloc", "iso2").iter_rows():
            self.blocs.setdefault(self.iso3.get(iso2, iso2), set()).add(bloc)
        self._rows = {
            name: tables[name].select("id", "exporter", "importer", "commodity").rows()
            for name in DRIVERS
            if name in tables and {"id", "exporter", "importer", "commodity"} <= set(tables[name].columns)
        }
        #: Facts and targets that a value of the atlas was fitted to.
        self.fitted_to: set[str] = {
            source for o in self.origins.values() for origin in o.all if origin.kind == "calibrated"
            for source in origin.sources
        }  # fmt: skip
        self._seen = self._known_shares()
        self._seen_rows = self._known_rows()
        self._fitted_keys = {
            _key(row)
            for row in (tables["targets"].to_dicts() if "targets" in tables else ())
            if set(row["fact_id"] or ()) & self.fitted_to
        }

    def _origin(self, cell: Cell) -> Origin | None:
        origins = self.origins.get(cell.table)
        return origins.of(cell.row, cell.column) if origins else None

    def rows_of(self, table: str) -> list[tuple[str, str, str, str]]:
        """Id, exporter, importer and commodity of the rows of a table of rules."""
        return self._rows.get(table, [])

    def origin(self, cell: Cell) -> Origin | None:
        """How a cell is known."""
        return self._of(cell)

    def of(self, row: Mapping[str, Any], answer: Answer) -> tuple[str, str]:
        """Class of a row, and on what that rests.

        Parameters
        ----------
        row
            The target.
        answer
            The model's number for it.
        """
        facts = set(row["fact_id"] or ())
        if answer.given:
            return ECHO, "the trade of that year is an input"
        behind = self._read(answer, facts)
        one_row = len({c.row for c in answer.cells}) == 1 and not answer.parts
        if not behind and one_row and _same(answer.value, row["observed"]):
            # a number that is nothing but one row of the atlas, and the same as the observed one
            behind = [f"{c.table}.{c.column} of {c.row}, which holds the same number" for c in answer.cells[:1]]
        if behind:
            return ECHO, f"the figure is a source of {_some(behind)}"
        driven = self._driven(answer, facts)
        if driven:
            return ECHO, f"the figure is a source of {_some(driven)}"
        if facts & self.fitted_to or _key(row) in self._fitted_keys:
            return FITTED, "a value of the atlas was calibrated to it"
        if seen := self._not_blind(row, answer):
            return FITTED, f"rests on {_some(seen)}, set by somebody who knew what had come of it"
        return PREDICTED, ""

    def _known_shares(self) -> list[dict[str, Any]]:
        """Rows of shares in the atlas that were set knowing what came of it."""
        origins = self.origins.get(DATED)
        if DATED not in self.tables or origins is None:
            return []
        return [r for r in self.tables[DATED].to_dicts() if (o := origins.of(r["id"], "share")) and o.knew]

    def _known_rows(self) -> list[tuple[str, str, str, str, str]]:
        """Rows of the base year that were set knowing what came of them: name, ends, goods, day of the last source."""
        days = dict(self.tables["sources"].select("id", "date").iter_rows()) if "sources" in self.tables else {}
        return [
            (f"{table} {name}", *ends, max((days.get(s) or "" for s in origin.sources), default=""))
            for table, rows in self._rows.items()
            if table in self.origins
            for name, *ends in rows
            if (origin := next((o for o in self.origins[table].all if o.knew and fnmatchcase(name, o.row)), None))
        ]

    def _rests_on(self, first_day: str, exporter: str, importer: str, commodity: str) -> list[str]:
        """Rows of the base year, set knowing what came of them and after a day, that a flow rests on."""

        def bears(e: str, i: str) -> bool:
            return self.means(e, exporter) and self.means(i, importer)

        near = [(name, c) for name, e, i, c, day in self._seen_rows if first_day < day and bears(e, i)]
        if not near:
            return []
        # a row of all goods says nothing of goods that have a row of their own
        own = {t for t, rows in self._rows.items() for _, e, i, c in rows if c == commodity and bears(e, i)}
        return [name for name, c in near if c == commodity or (c == "*" and name.partition(" ")[0] not in own)]

    def _not_blind(self, row: Mapping[str, Any], answer: Answer) -> list[str]:
        """Shares set knowing what came of them, where they bear on a good part of a flow in the days asked about."""
        span, total = days_of(row["year"], row.get("period") or "year"), sum(p[3] for p in answer.parts)
        if span is None or not total:
            return []
        found: list[str] = []
        part = 0.0
        for exporter, importer, commodity, tonnes in answer.parts:
            rests = [
                f"{DATED} {share['id']}"
                for share in self._seen
                if share["date_from"] <= span[1]
                and (share["date_to"] or span[1]) >= span[0]
                and (not share["goods"] or commodity in share["goods"])
                and not {exporter, importer} & {self.iso3.get(c, c) for c in share["countries"]}
                and any(
                    self.means(share["one"], a) and self.means(share["other"], b)
                    for a, b in ((exporter, importer), (importer, exporter))
                )
            ]
            rests += self._rests_on(span[0].isoformat(), exporter, importer, commodity)
            found += rests
            part += tonnes if rests else 0.0
        return list(dict.fromkeys(found)) if part / total >= ECHO_PART else []

    def _read(self, answer: Answer, facts: Iterable[str]) -> list[str]:
        """Cells that the answer was read from and that rest on one of the facts."""
        wanted = set(facts)
        found = []
        for cell in answer.cells:
            origin = self._of(cell)
            if origin and origin.kind != "calibrated" and wanted & set(origin.sources):
                found.append(f"{cell.table}.{cell.column} of {cell.row}")
        return list(dict.fromkeys(found))

    def _driven(self, answer: Answer, facts: Iterable[str]) -> list[str]:
        """Rows of the tables that make flows which rest on one of the facts, where they make a good part of it."""
        wanted, total = set(facts), sum(p[3] for p in answer.parts)
        if not wanted or not total:
            return []
        found: list[str] = []
        touched = [False] * len(answer.parts)
        for table, rows in self._rows.items():
            cited = [o for o in self.origins[table].all if wanted & set(o.sources) and o.kind != "calibrated"]
            if not cited:
                continue
            for name, exporter, importer, commodity in rows:
                if not any(fnmatchcase(name, o.row) for o in cited):
                    continue
                for i, (e, m, c, _) in enumerate(answer.parts):
                    if self.means(exporter, e) and self.means(importer, m) and commodity in ("*", c):
                        touched[i] = True
                        found.append(f"{table} {name}")
        part = sum(p[3] for p, hit in zip(answer.parts, touched, strict=True) if hit) / total
        return list(dict.fromkeys(found)) if part >= ECHO_PART else []

    def means(self, name: str, country: str) -> bool:
        """Whether a name of a rule means a country: itself, a bloc that it belongs to, or any."""
        return name in ("*", country) or name in self.blocs.get(country, ())


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["indicator"], row["subject"], row["direction"], row["year"], row["period"]


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= SAME * max(abs(a), abs(b))


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
