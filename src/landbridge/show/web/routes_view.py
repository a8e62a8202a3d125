"""Routes for the map: a question in, the efficient set with the drawing of every leg out."""

from __future__ import annotations

from typing import Any

from landbridge.show.web import shapes
from landbridge.show.web.desk import Desk
from landbridge.show.web.library import Point
from landbridge.show.web.results_views import plain
from landbridge.study.asking import ask
from landbridge.study.at_flows import loaded_hours, scenario_of
from landbridge.study.questions import question

__all__ = ["answer_routes"]

HOURS_A_DAY = 24.0


def answer_routes(desk: Desk, asked: shapes.AskedRoutes) -> shapes.Answered:
    """Answer a question about routes on the network of a solution, or of the atlas as it stands.

    Raises
    ------
    UnknownName
        For a place, country, crossing or commodity that is not there.
    NoRoute
        If both ends are the same place; where the network or the conditions leave no route, the answer says so.
    """
    tables = desk.atlas
    terms: dict[str, Any] = {"held": frozenset({"cku"})}
    told = "free flow, with the trains that are there already"
    if asked.result is not None:
        results = desk.library[asked.result]
        scenario = asked.scenario or results.scenarios[0]
        tables = desk.library.tables(asked.result, tables)
        terms["measures"], terms["held"] = scenario_of(results, scenario, tables)
        if asked.loaded:
            desk.library.check(Point(asked.result, scenario, asked.year))
            terms["hours"] = loaded_hours(results, scenario, asked.year)
            told = "at the flows of this solution; yards and terminals at free flow"
    asking = question(
        tables,
        asked.start,
        asked.end,
        commodity=asked.commodity,
        objectives=tuple(asked.objectives),
        avoid=asked.avoid,
        modes=asked.modes,
        only_borders=asked.only_borders,
        via=asked.via,
        max_borders=asked.max_borders,
        max_gauge_changes=asked.max_gauge_changes,
        deadline_h=asked.deadline_days * HOURS_A_DAY if asked.deadline_days else None,
        count=asked.count,
    )
    answer = ask(tables, asking, year=asked.year, **terms)
    values = answer.as_dict()
    forms = dict(tables["commodities"].select("id", "form").rows())
    return shapes.Answered(
        status=answer.status,
        reason=answer.reason,
        rule=answer.rule,
        unit="FEU" if forms.get(asked.commodity) == "container" else "t",
        year=asked.year,
        hours=told,
        routes=plain(values["routes"]),
        effects=plain(values["effects"]),
    )
