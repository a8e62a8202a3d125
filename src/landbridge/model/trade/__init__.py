"""Trade that answers to cost: equilibrium in one and many sectors, mode choice, trade cost from the network, access."""

from landbridge.model.trade.access import Access, market_access
from landbridge.model.trade.choice import Choice, binary_composite, elasticities, logit
from landbridge.model.trade.costs import TimeCounted, cell_change, freight_share, tau_change
from landbridge.model.trade.hat import Deficits, Response, acr_welfare, conditional, partial, refuse, solve
from landbridge.model.trade.routing import RoutedTrade, congested_equilibrium, route_cost, routed_equilibrium
from landbridge.model.trade.sectors import Economy, Outcome, WelfareParts, cap_elasticities, rebased, welfare_parts
from landbridge.model.trade.sectors import solve as solve_sectors

__all__ = [
    "Access",
    "Choice",
    "Deficits",
    "Economy",
    "Outcome",
    "Response",
    "RoutedTrade",
    "TimeCounted",
    "WelfareParts",
    "acr_welfare",
    "binary_composite",
    "cap_elasticities",
    "cell_change",
    "conditional",
    "congested_equilibrium",
    "elasticities",
    "freight_share",
    "logit",
    "market_access",
    "partial",
    "rebased",
    "refuse",
    "route_cost",
    "routed_equilibrium",
    "solve",
    "solve_sectors",
    "tau_change",
    "welfare_parts",
]
