"""How the results were computed, in the order of the work, with what this run chose.

What a run chose is read from its manifest; the rest is what the code does, told once.
"""

from __future__ import annotations

from landbridge.show.report.context import Context
from landbridge.show.report.markup import ABSENT, Html, el, join

__all__ = ["methods"]

DEMAND = {
    "frozen": "Trade is frozen: a scenario moves it between ways and creates none.",
    "elasticity": "Trade of each pair answers to its own cost with a constant elasticity.",
    "gravity": "Trade answers to cost by a structural gravity model (shares of importers' spending).",
    "ge": "Trade, wages and prices answer to cost in a general equilibrium of many sectors (exact hat algebra).",
}

PRINCIPLES = {
    "user equilibrium": "no shipment can be made cheaper by taking another way at the times that result (Wardrop)",
    "system optimum": "the sum of what all pay and wait for is the least; each pays for the delay it causes others",
    "stochastic user equilibrium": "ways are chosen by a logit of their cost as shippers see it, which varies",
    "capacitated minimum cost": "the sum of what all pay is the least with capacities that cannot be exceeded",
    "capacitated user equilibrium": "no shipment can be made cheaper, and queues hold flows to capacities",
}


def methods(context: Context) -> Html:
    """Say in which steps the results came about."""
    manifest, study = context.results.manifest, context.study
    settings = manifest.get("settings") or {}
    demand = study.get("demand") or {}
    used = list(dict.fromkeys(str(row["principle"]) for row in manifest.get("solved", []) if row.get("principle")))
    principle = "; ".join(f"{name}: {PRINCIPLES.get(name, 'see docs/flows.md')}" for name in used) or ABSENT
    terminals = (
        "Delay at terminals comes from a simulation of their plans, iterated with the volumes."
        if study.get("terminals") == "simulated"
        else "Delay at yards and terminals follows hours and capacities of the atlas."
    )
    curves = ", ".join(f"{kind} {family}" for kind, family in settings.get("curves") or ()) or "power everywhere"
    steps = [
        (
            "Tables of a year",
            "Lines open in that year, upgrades in service, closures by date; then the scenario's measures in order.",
        ),
        (
            "Network",
            "Each place is split by mode and gauge; running, borders, changes of gauge, transfers and waits are arcs "
            "with hours, price, CO₂ and capacity in trains a day.",
        ),
        (
            "Demand",
            f"Trade by pair and commodity, grown to the year (path: {settings.get('growth', ABSENT)}), split into what "
            f"is fixed to a mode and what can choose. Size {settings.get('size', ABSENT)}. "
            + DEMAND.get(str(demand.get("mode", "frozen")), ""),
        ),
        (
            "Cost of an arc for a commodity",
            "money + value of time × (time + buffer × spread) + carbon price × CO₂, in USD a tonne. Time grows with "
            "use: free time + delay × ((modelled trains + trains there already) ÷ capacity) to a power; families of "
            f"curves: {curves}. {terminals}",
        ),
        (
            "Land or not",
            "Between the land network and the way outside it (deep sea, or truck all the way) a logit of the two costs "
            "decides, with a spread by commodity.",
        ),
        (
            "Flows",
            f"Principle: {principle}. Solved until the relative gap is below {settings.get('gap', ABSENT)} or refused "
            f"after {settings.get('max_iterations', ABSENT)} rounds; the gap reached is in the table below.",
        ),
        (
            "Empty boxes",
            "A part of the imbalance of boxes between two countries comes back empty by land and takes room; flows and "
            "empty boxes are iterated until both agree.",
        ),
        (
            "Outcomes",
            "Sums over the ways taken: by crossing and direction with transit apart, passage, link, country, choke "
            "point. A difference between scenarios is the difference of two such sums in one year.",
        ),
    ]
    listed = el("dl", *[join([el("dt", name), el("dd", text)]) for name, text in steps], class_="steps")
    return join([listed, el("p", "More, with sources: docs/model.md and docs/flows.md.", class_="note")])
