"""Answers about routes as tables for people and as values for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import print_table

if TYPE_CHECKING:
    from landbridge.study.asking import Answer
    from landbridge.study.grants import Grant

__all__ = ["answer_json", "hours_of", "print_answer", "print_legs"]


def hours_of(text: str | None) -> float | None:
    """Read a span of time: ``20d``, ``480h``, or a bare number of days."""
    if text is None:
        return None
    number, scale = text.strip().lower(), 24.0
    if number.endswith(("d", "h")):
        number, scale = number[:-1], 24.0 if number.endswith("d") else 1.0
    try:
        hours = float(number) * scale
    except ValueError:
        hours = -1.0
    if not 0 < hours < float("inf"):
        raise LandbridgeError(f"deadline: wanted days or hours as 20d or 480h, got {text!r}")
    return hours


#: How CO2 is counted, for whoever reads a figure without its documentation.
CO2_METHOD = (
    "Well-to-wheel, in the manner of ISO 14083 and the GLEC framework: tonnes times kilometres times a factor by mode, "
    "traction and country (emissions.csv); the box's own weight is in, yards and terminals are not."
)


def answer_json(answer: Answer, box: str, unit: str) -> dict[str, Any]:
    """Return an answer as a program reads it; money and CO2 are for one ``unit``, the box or a tonne of bulk."""
    told = answer.as_dict()
    for route in (*told["routes"], *([told["free"]] if told["free"] else [])):
        route["legs"] = [
            {{"from_place": "from", "to_place": "to"}.get(key, key): value for key, value in leg.items()}
            for leg in route["legs"]
        ]
    return {"box": box, "unit": unit, **told, "co2_method": CO2_METHOD}


def print_answer(answer: Answer, title: str, unit: str, caption: str) -> None:
    """Print routes, and what the conditions cost."""
    late = any(route.on_time is not None for route in answer.routes)
    columns = [("passage", 0), ("days", 1), ("door days", 1), ("p50", 1), ("p90", 1)]
    columns += [("on time %", 0)] if late else []
    columns += [(f"USD/{unit}", 0), (f"kg CO2/{unit}", 0), ("km", 0), ("borders", 0), ("gauge changes", 0)]
    columns += [("countries", 0)]
    rows = [
        [r.passage, r.transit_days, r.time_h / 24, r.time_p50_h / 24, r.time_p90_h / 24,
         *([100 * (r.on_time or 0.0)] if late else []), r.cost_usd, r.co2_kg, r.length_km, len(r.borders),
         r.gauge_changes, r.countries]
        for r in answer.routes
    ]  # fmt: skip
    print_table(
        title,
        columns,
        rows,
        f"{caption} Days from terminal to terminal, door days with the way to and from them; half of all boxes take no "
        f"more door days than p50, nine in ten no more than p90. {answer.rule}",
    )
    if answer.effects:
        print_table(
            "What each condition costs the best route by generalised cost",
            [("condition", 0), ("generalised USD", 0), ("USD", 0), ("days", 1), ("why nothing", 0)],
            [
                [
                    f"{e.kind} {e.name}",
                    e.generalised_usd,
                    e.cost_usd,
                    None if e.time_h is None else e.time_h / 24,
                    e.note,
                ]
                for e in answer.effects
            ],
            f"How much less it would be without that one condition, USD per {unit}.",
        )


def _grant(grant: Grant) -> str:
    """What others pay, in a sentence."""
    if grant.usd is None:
        return f"Prices are gross: {grant.payer} pay towards such trains an amount that is not published ({grant.row})."
    most = "at most " if grant.known == "at most" else ""
    return (
        f"Prices are gross: towards the freight by rail {grant.payer} pay {most}{grant.usd:,.0f} USD ({grant.row}), of "
        "which what reaches the shipper is not known."
    )


def print_legs(answer: Answer) -> None:
    """Print the legs of the first route; payers and subsidies where the shipper does not pay all by himself."""
    first = answer.routes[0]
    legs = first.legs
    granted = any(leg.grant_usd for leg in legs)
    helped = any(leg.subsidy_usd or leg.payer != "shipper" for leg in legs)
    columns = [("type", 0), ("from", 0), ("to", 0), ("mode", 0), ("gauge", 0), ("option", 0), ("country", 0), ("km", 0),
               ("hours", 1), ("spread h", 1), ("USD", 0), ("kg CO2", 0), ("prices", 0)]  # fmt: skip
    columns += [("payer", 0), ("subsidy", 0), ("paid by", 0)] if helped else []
    columns += [("granted", 0)] if granted else []
    print_table(
        "Legs of the first route",
        columns,
        [[leg.type, leg.from_place, leg.to_place, leg.mode, leg.gauge_mm or "", leg.option, leg.country,
          leg.length_km, leg.time_h, leg.spread_h, leg.cost_usd, leg.co2_kg, str(leg.price_year or ""),
          *([leg.payer, leg.subsidy_usd or None, leg.subsidy_by] if helped else []),
          *([leg.grant_usd or None] if granted else [])] for leg in legs],
        ("" if helped or first.grants else "The shipper pays all legs. ")
        + "".join(f"{told} " for told in map(_grant, first.grants))
        + "Prices are of the year told; --json and --out name the rows of the atlas on which they rest.",
    )  # fmt: skip
