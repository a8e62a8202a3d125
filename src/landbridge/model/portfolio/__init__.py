"""Which projects, in what order, who pays and who gains."""

from landbridge.model.portfolio.design import Design, design
from landbridge.model.portfolio.selection import Relaxation, Selection, select_set

__all__ = ["Design", "Relaxation", "Selection", "design", "select_set"]
