"""The report: one HTML file from results folders, which opens offline and holds every figure at full precision."""

from landbridge.show.report.collect import report
from landbridge.show.report.page import write_chapters, write_report

__all__ = ["report", "write_chapters", "write_report"]
