"""The chapter on investment: rankings, cash flows, who pays against who gains, start years."""

from __future__ import annotations

from landbridge.show.report.folders import Folder
from landbridge.show.report.investment import investment_parts
from landbridge.show.report.markup import Html, join
from landbridge.study.invest_files import read_investment

__all__ = ["investment"]


def investment(folder: Folder) -> Html:
    """Show an appraisal or a programme."""
    return join(investment_parts(read_investment(folder.path)))
