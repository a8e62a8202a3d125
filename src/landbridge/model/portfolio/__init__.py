"""Which projects, in what order, who pays and who gains.

`selection` takes things under budgets by branch and bound, `design` does so for links of a network whose users choose
their own paths, `programme` finds start years, `sharing` splits a cost, `coordination` holds what each would do alone
against what all would do together. What sets of projects are worth comes from outside.
"""

from landbridge.model.portfolio.coordination import MOST_PROFILES, Coordination, coordinate
from landbridge.model.portfolio.design import Design, design
from landbridge.model.portfolio.programme import (
    EXACT,
    Candidate,
    Programme,
    ProgrammeTerms,
    best_starts,
    fairest_programme,
    plan_programme,
    programme_value,
    told_programme,
)
from landbridge.model.portfolio.selection import Relaxation, Selection, select_set
from landbridge.model.portfolio.sharing import Share, all_needed, share_cost

__all__ = [
    "EXACT",
    "MOST_PROFILES",
    "Candidate",
    "Coordination",
    "Design",
    "Programme",
    "ProgrammeTerms",
    "Relaxation",
    "Selection",
    "Share",
    "all_needed",
    "best_starts",
    "coordinate",
    "design",
    "fairest_programme",
    "plan_programme",
    "programme_value",
    "select_set",
    "share_cost",
    "told_programme",
]
