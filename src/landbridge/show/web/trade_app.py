"""The part of the interface that is about trade."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query

from landbridge.show.web import shapes, trade_views
from landbridge.show.web.interface import IdPath, OnDesk, Word
from landbridge.show.web.library import Point
from landbridge.show.web.results_views import framed

__all__ = ["add_trade"]


def add_trade(app: FastAPI) -> None:
    """Add what the page of trade asks for."""

    @app.get("/api/trade/countries", tags=["trade"])
    def get_trade_countries(desk: OnDesk) -> shapes.Frame:
        """What each country sells and buys abroad, in the atlas' last year of trade."""
        return framed("trade_countries", "Exports and imports of goods", trade_views.countries(desk.atlas))

    @app.get("/api/trade/partners/{country}", tags=["trade"])
    def get_trade_partners(desk: OnDesk, country: IdPath) -> shapes.Frame:
        """What a country trades with whom, by group of goods."""
        return framed("trade_partners", f"Trade of {country}", trade_views.partners(desk.atlas, country))

    @app.post("/api/trade/shock", tags=["trade"])
    def post_shock(desk: OnDesk, asked: shapes.AskedShock) -> shapes.Shock:
        """What trade and welfare answer to a change of cost; see `landbridge trade shock --help`."""
        return trade_views.shock(desk.atlas, asked)

    @app.get("/api/results/{result}/trade", tags=["trade"])
    def get_trade_answer(
        desk: OnDesk,
        result: IdPath,
        scenario: Word,
        year: Annotated[int, Query(ge=1990, le=2100)],
    ) -> shapes.TradeAnswer:
        """Who gains by a scenario's trade, which sectors give way, what zones come nearer to markets."""
        return trade_views.answered(desk.library, Point(result, scenario, year), desk.atlas)

    @app.get("/api/results/{result}/trade/questions", tags=["trade"])
    def get_trade_questions(desk: OnDesk, result: IdPath) -> list[shapes.TradeQuestion]:
        """The questions, answered from the results of examples/trade.toml."""
        return trade_views.questions(desk.library, result)
