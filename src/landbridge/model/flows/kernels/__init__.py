"""Inner loops of the solvers: delays, sweeps over relations, lists of paths.

What they solve is told in `equilibrium`, `optimum`, `queues` and `stochastic`.
"""

from landbridge.model.flows.kernels.costs import add_up, arcs_of, class_costs, lay_costs, spent
from landbridge.model.flows.kernels.dispersion import disperse, dispersion_residual, path_sizes
from landbridge.model.flows.kernels.facilities import clear_volumes, evaluate, update
from landbridge.model.flows.kernels.known import (
    LOG_ODDS_BOUND,
    appraise,
    first_tonnes,
    load,
    load_first,
    measure,
    price_known,
    renew,
    restock,
    restore,
    worth_keeping,
)
from landbridge.model.flows.kernels.layout import (
    CONICAL,
    QUEUEING,
    TABULATED,
    AnyFacilities,
    Curves,
    Facilities,
    Longs,
    Pairs,
    Places,
    PlainFacilities,
    Problem,
    Stock,
)
from landbridge.model.flows.kernels.sweeps import appraise_rivals, level, rivals_of

__all__ = [
    "CONICAL",
    "LOG_ODDS_BOUND",
    "QUEUEING",
    "TABULATED",
    "AnyFacilities",
    "Curves",
    "Facilities",
    "Longs",
    "Pairs",
    "Places",
    "PlainFacilities",
    "Problem",
    "Stock",
    "add_up",
    "appraise",
    "appraise_rivals",
    "arcs_of",
    "class_costs",
    "clear_volumes",
    "disperse",
    "dispersion_residual",
    "evaluate",
    "first_tonnes",
    "lay_costs",
    "level",
    "load",
    "load_first",
    "measure",
    "path_sizes",
    "price_known",
    "renew",
    "restock",
    "restore",
    "rivals_of",
    "spent",
    "update",
    "worth_keeping",
]
