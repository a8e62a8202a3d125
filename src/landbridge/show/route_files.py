"""An answer about routes as a folder of files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import OutputError
from landbridge.show.chart import time_cost_chart
from landbridge.show.terminal import plain

if TYPE_CHECKING:
    from landbridge.study.asking import Answer

__all__ = ["write_answer"]

FILES = ("routes.json", "routes.csv", "legs.csv", "chart.svg")


def write_answer(folder: Path, answer: Answer, told: Mapping[str, Any], title: str, unit: str) -> None:
    """Write an answer into a new folder, or over the files of an older answer.

    Parameters
    ----------
    folder
        Made if it is not there; one that holds other files is left alone.
    answer
        With at least one route.
    told
        The answer as `landbridge.show.answers.answer_json` returns it.
    title, unit
        For the chart.

    Raises
    ------
    OutputError
        If the folder holds anything else, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
        if strangers:
            raise OutputError(f"{folder}: wanted an empty folder or an older answer, found {', '.join(strangers[:4])}")
        routes = [{"route": i + 1, **route} for i, route in enumerate(told["routes"])]
        legs = [{"route": r["route"], "leg": i + 1, **leg} for r in routes for i, leg in enumerate(r["legs"])]
        summaries = [{key: value for key, value in route.items() if key != "legs"} for route in routes]
        (folder / "routes.json").write_text(
            json.dumps(plain(told), indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8"
        )
        _write(folder / "routes.csv", summaries)
        _write(folder / "legs.csv", legs)
        (folder / "chart.svg").write_text(time_cost_chart(answer.routes, title, unit), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: the answer could not be written: {error}") from error


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    lines = [{k: ";".join(map(str, v)) if isinstance(v, (list, tuple)) else v for k, v in row.items()} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
