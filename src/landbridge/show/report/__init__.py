"""The report: one HTML file from a results folder, which opens offline and holds every figure at full precision."""

from landbridge.show.report.investment import write_investment_report
from landbridge.show.report.page import write_report

__all__ = ["write_investment_report", "write_report"]
