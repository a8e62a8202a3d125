"""What the columns of results tables mean, in words and units; tables on screen and in files carry them."""

from __future__ import annotations

__all__ = ["COLUMNS", "meaning"]

#: Column: unit, meaning.
COLUMNS: dict[str, tuple[str, str]] = {
    "tonnes": ("t/yr", "Tonnes a year, the weight of boxes not included"),
    "teu": ("TEU/yr", "Twenty-foot equivalents a year, loaded"),
    "empty_teu": ("TEU/yr", "Empty boxes that return, in twenty-foot equivalents a year"),
    "trains": ("trains/yr", "Trains a year that the model's freight fills"),
    "trains_day": ("trains/day", "The model's freight trains a day"),
    "preload_trains_day": ("trains/day", "Trains a day that are there already: passengers, domestic freight"),
    "capacity_trains_day": ("trains/day", "Trains a day that can pass in this direction"),
    "use": ("", "V/C: trains of the model and those there already, over capacity"),
    "free_h": ("h", "Hours when the model puts nothing on it"),
    "time_h": ("h", "Hours at these flows"),
    "delay_h": ("h", "Hours that waiting for a free path adds at these flows"),
    "length_km": ("km", "Length in this country"),
    "gauge_mm": ("mm", "Track gauge"),
    "tonne_km": ("tkm/yr", "Tonne-kilometres a year"),
    "transit_tonnes": ("t/yr", "Tonnes a year that only pass through"),
    "transit_teu": ("TEU/yr", "Boxes a year that only pass through"),
    "paid_on_lines_usd": ("USD/yr", "Money paid for haulage on the country's lines"),
    "paid_at_borders_usd": ("USD/yr", "Fees paid on entering the country"),
    "paid_at_yards_usd": ("USD/yr", "Money paid for changes of gauge and mode in the country"),
    "border_tonne_h_in": ("t h/yr", "Tonne-hours spent at crossings into the country"),
    "co2_t": ("t/yr", "Tonnes of CO2 a year from haulage on the country's lines"),
    "km": ("km", "Kilometres of the standard relation's route"),
    "days": ("days", "Days from terminal to terminal, free flow"),
    "usd_feu": ("USD/FEU", "Price for a 40-foot box of machinery from terminal to terminal"),
    "co2_kg_feu": ("kg/FEU", "CO2 for a 40-foot box"),
    "borders": ("", "Borders passed"),
    "gauge_changes": ("", "Changes of gauge"),
    "demand_tonnes": ("t/yr", "Tonnes a year that have a choice or are bound to rail"),
    "land_tonnes": ("t/yr", "Tonnes a year on the land network"),
    "outside_tonnes": ("t/yr", "Tonnes a year by deep sea or all the way by truck"),
    "unserved_tonnes": ("t/yr", "Tonnes a year for which no way is open"),
    "fixed_tonnes": ("t/yr", "Tonnes a year by a mode that is taken as given"),
    "left_out_tonnes": ("t/yr", "Tonnes a year of relations that this size of run leaves out"),
    "left_out_relations": ("", "Relations that this size of run leaves out"),
    "within_zone_tonnes": ("t/yr", "Tonnes a year between places of one zone, which the network does not carry"),
    "without_zone_tonnes": ("t/yr", "Tonnes a year of traders that have no zone"),
    "relations": ("", "Relations: pairs of zones by commodity and traders"),
    "paths": ("", "Ways in use, all relations together"),
    "land_teu": ("TEU/yr", "Loaded boxes a year on the land network"),
    "relative_gap": ("", "How far the equilibrium is from exact: the part of total cost that could still be saved"),
    "iterations": ("", "Rounds until the gap was reached"),
    "transit": ("", "Whether exporter and importer are other countries than those of the crossing"),
    "direction": ("", "ab: from place a to place b of the atlas; ba: back"),
    "land_usd_t": ("USD/t", "Generalised cost by land"),
    "outside_sea_share": ("", "Part of what goes outside the land network that goes by sea"),
    "group": ("", "Relation, those of empty boxes numbered after the loaded ones"),
    "facilities": ("", "Facilities of settled volume that this path loads otherwise than the relation's other paths"),
    "trains_day_per_t_yr": ("trains/day per t/yr", "What a tonne a year on the path puts on each of these facilities"),
    "outside_usd_t": ("USD/t", "Generalised cost of the alternative outside the land network"),
    "land_h": ("h", "Mean hours by land"),
    "land_km": ("km", "Mean kilometres by land"),
    "land_co2_kg_t": ("kg/t", "CO2 by land"),
    "party": ("", "Country that is paid the charge or pays the subsidy, where the measure names one"),
    "per": ("", "What the rate is paid on"),
    "rate_usd": ("USD", "Charge, or subsidy (below zero), per TEU, tonne, TEU-km or tonne-km"),
    "quantity": ("a year", "Loaded boxes or tonnes (times kilometres) a year that pay it"),
    "paid_usd": ("USD/yr", "What it comes to in a year; below zero where freight is paid for"),
    "cost_hat": ("", "Cost of this trade by the network, over what it was"),
    "friction": ("", "What payments under sanctions add to its cost, as a factor"),
    "share_left": ("", "Part of the trade that sanctions allow"),
    "tariff_before_pct": ("%", "Tariff before, per cent of value"),
    "tariff_pct": ("%", "Tariff, per cent of value"),
    "volume_hat": ("", "Volume over what it was"),
    "value_before_usd": ("USD/yr", "Value of the trade before it answers"),
    "value_usd": ("USD/yr", "Value of the trade that answers"),
    "welfare_pct": ("%", "Change of the country's real spending in general equilibrium"),
    "real_wage_pct": ("%", "Change of real wages in general equilibrium"),
    "exports_t": ("t/yr", "Exports of goods, tonnes a year"),
    "imports_t": ("t/yr", "Imports of goods, tonnes a year"),
    "exports_before_usd": ("USD/yr", "Exports of goods before"),
    "exports_usd": ("USD/yr", "Exports of goods"),
    "imports_before_usd": ("USD/yr", "Imports of goods before"),
    "imports_usd": ("USD/yr", "Imports of goods"),
    "home_share_before": ("", "Part of what the country uses that it makes itself, before"),
    "home_share": ("", "Part of what the country uses that it makes itself; a fall is import competition"),
    "output_before_usd": ("USD/yr", "Output of the sector before"),
    "output_usd": ("USD/yr", "Output of the sector"),
    "to_buyers": ("", "Access to buyers: product of all markets, weighted by closeness"),
    "to_sellers": ("", "Access to sellers, weighted by closeness"),
    "access": ("", "Market access: both together (Donaldson and Hornbeck)"),
    "delivered_usd_teu": ("USD/TEU", "Mean cost of a delivered box to all markets, weighted by their size"),
}

SIDES = {
    "first": "before",
    "second": "after",
    "change": "after minus before",
    "percent": "change in per cent of before",
    "per_km": "change divided by the kilometres of the section",
}


def meaning(column: str) -> tuple[str, str]:
    """Return the unit and the meaning of a column, also of one of a comparison; empty where there is none."""
    if column in COLUMNS:
        return COLUMNS[column]
    for side, words in SIDES.items():
        stem = column.removesuffix(f"_{side}")
        if stem != column and stem in COLUMNS:
            unit, told = COLUMNS[stem]
            return ("%" if side == "percent" else f"{unit}/km" if side == "per_km" else unit), f"{told}; {words}"
    return "", ""
