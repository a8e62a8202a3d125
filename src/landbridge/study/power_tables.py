"""The tables of answers about power, dependence, sanctions and closures, and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from landbridge.study.dependence import KINDS

__all__ = ["COLUMNS", "TABLES", "frames_of"]

#: Tables by name, with what they hold.
TABLES = {
    "stress_totals": "One row: what a closure costs all together",
    "stress_countries": "Who loses by a closure, by country",
    "stress_crossings": "Where the cargo of a closure goes, by crossing",
    "stress_recovery": "Backlog after a closure of some days",
    "stress_worst": "The worst closures of each number, every set that reaches the most",
    "stress_ranking": "Each element closed alone",
    "stress_robustness": "Network robustness index: what all pay in an equilibrium without each",
    "stress_short_run": "How cargo on its way comes through a closure of some days, by the room elsewhere",
    "stress_reported": "What was reported of an event beside what the model says",
    "stress_chance": "Expected cost of closures and of slow borders by chance",
    "dependence": "Country by partner: how much of its freight must and does cross it, and what losing it costs",
    "diversification": "Country by year: how many partners and gateways its trade, transit, energy and loans rest on",
    "multi_vector": "Country by year: effective numbers of partners and ways, a column each",
    "exposure": "What two countries lose when the cargo of one may not cross the other",
    "power_reading": "What must be known to read the game: players, rules, outside option, principle, core",
    "power_values": "Solutions of the corridor game by player",
    "power_change": "What an investment changes for each player",
    "power_blocs": "Blocs with one voice against their members apart",
    "power_coalitions": "Smallest coalitions that gain from an investment by themselves",
}

#: Columns by name: unit and meaning; a column means the same in every table.
COLUMNS: dict[str, tuple[str, str]] = {
    "year": ("", "year"),
    "closed": ("", "what is closed"),
    "country": ("ISO2", "country"),
    "partner": ("ISO2", "country that is crossed, or traded with"),
    "crossing": ("", "crossing"),
    "at": ("", "direction of the crossing (from-to), or plan of the terminal"),
    "by": ("", "how it was found"),
    "id": ("", "crossing, ferry, link or country"),
    "among": ("", "what was closed in turn"),
    "r": ("", "number of things closed at once"),
    "what": ("", "what comes by chance"),
    "all_cost_before_usd_yr": ("USD a year", "what all relations pay without the closure"),
    "cost_usd_yr": ("USD a year", "rise of what all relations pay that are served on both sides"),
    "demand_tonnes_yr": ("t a year", "all tonnes that may go by land"),
    "land_tonnes_before_yr": ("t a year", "tonnes by land without the closure"),
    "lost_land_tonnes_yr": ("t a year", "tonnes that leave the land"),
    "to_outside_tonnes_yr": ("t a year", "tonnes that go by sea or truck in place of the land network"),
    "unserved_tonnes_yr": ("t a year", "tonnes that nobody carries any more"),
    "trade_loss_usd_yr": ("USD a year", "rise of what its trade pays; each relation's is shared by its two ends"),
    "transit_tonnes_yr": ("t a year", "change of the tonnes that cross it between others"),
    "paid_usd_yr": ("USD a year", "change of what is paid for lines, borders and yards there"),
    "tonnes_before_yr": ("t a year", "tonnes before"),
    "tonnes_after_yr": ("t a year", "tonnes after"),
    "change_tonnes_yr": ("t a year", "change of tonnes"),
    "trains_day": ("trains a day", "trains that come, preload included"),
    "backlog_trains": ("trains", "trains that wait when it opens again"),
    "clearing_days": ("days", "days until the backlog is gone; empty: never"),
    "cleared_share": ("1", "share of simulated runs in which it was gone before their end"),
    "rise_usd_yr": ("USD a year", "rise of the least cost of all relations"),
    "tonnes_yr": ("t a year", "tonnes carried"),
    "cut": ("1", "share of its capacity that is taken; 1: closed"),
    "index_usd_yr": ("USD a year", "rise of what all pay in the equilibrium"),
    "index_percent": ("%", "the same as a part of what all pay"),
    "spare": ("1", "share of the room that others leave elsewhere which can be taken up within the days; assumed"),
    "waits": ("1", "share of the cargo on its way that waits until it opens"),
    "diverted": ("1", "share that goes another way"),
    "outside": ("1", "share that takes its outside option"),
    "cost_usd_t": ("USD per t", "mean rise of cost of a tonne, time included"),
    "cost_percent": ("%", "the same as a part of the freight that was paid"),
    "price_percent": ("%", "rise of what the last tonne costs, as a part of the freight that was paid"),
    "cost_of_days_usd": ("USD", "what the days cost all that was on its way"),
    "delay_h": ("h", "mean wait of a train that waits"),
    "what_reported": ("", "what was reported"),
    "value": ("", "reported value, in its unit"),
    "low": ("", "its lower end"),
    "high": ("", "its upper end"),
    "modelled_year": ("", "by the model, for an equilibrium that lasts all year"),
    "modelled_least": ("", "by the model, for the days: the least over the shares of room"),
    "modelled_most": ("", "by the model, for the days: the most"),
    "fact": ("", "fact of the atlas"),
    "source": ("", "where it was reported"),
    "mean_usd_yr": ("USD a year", "expected rise of cost"),
    "standard_error_usd_yr": ("USD a year", "standard error of the expected rise; zero where all states were listed"),
    "std_usd_yr": ("USD a year", "standard deviation over states"),
    "quantile_95_usd_yr": ("USD a year", "not exceeded in 95 % of states"),
    "most_usd_yr": ("USD a year", "the most met"),
    "scenario": ("", "scenario"),
    "third_tonnes_yr": ("t a year", "tonnes of the country's trade with third countries that can go by land"),
    "must_cross": ("1", "share of these that has no way by land without the partner"),
    "actual": ("1", "share of what goes by land that crosses the partner; empty: nothing goes"),
    "actual_least": ("1", "the least over flows that are as good"),
    "actual_most": ("1", "the most over flows that are as good"),
    "free_usd_yr": ("USD a year", "what it costs that none of it may cross the partner, nothing being full"),
    "free_percent": ("%", "the same as a part of what it costs"),
    "capacity_usd_yr": ("USD a year", "the same for all together, with hard capacities"),
    "loss_of_partner_usd_yr": (
        "USD a year",
        "the same the other way round: the partner's cargo kept out of the country",
    ),
    "leverage": ("1", "of the partner over the country: loss over trade of one less that of the other (Hirschman)"),
    "trade_usd_yr": ("USD a year", "trade of the two with each other"),
    "trade_share": ("1", "the same as a share of all trade of the country, by value"),
    "kind": ("", "what is counted: trade, gateways, transit, energy or loans"),
    "amount": ("see unit", "sum over all ways"),
    "unit": ("", "unit of the amount"),
    "hhi": ("1", "sum of squared shares"),
    "effective_number": ("1", "number of equal ways that would be as concentrated; for trade the multi-vector index"),
    "normalised_hhi": ("1", "0: all ways equal, 1: all on one"),
    "ways": ("1", "ways that carry something"),
    **{
        kind: ("1", f"effective number, {meaning}; empty: the atlas knows of none, or nothing goes")
        for kind, (_, meaning) in KINDS.items()
    },
    "largest": ("", "the largest way"),
    "largest_share": ("1", "its share"),
    "ban": ("", "whose cargo may not cross whom"),
    "step": ("", "stuck (outside option only), re-routed, or with trade that answers"),
    "lost_takings_usd_yr": ("USD a year", "gross takings on lines and at borders that are lost"),
    "land_change_tonnes_yr": ("t a year", "change of its tonnes by land; a relation's are shared by its two ends"),
    "trade_change_tonnes_yr": ("t a year", "change of its traded tonnes, likewise"),
    "rule": ("", "whether shippers bargain with their countries, or take prices"),
    "state": ("", "before or after the investment"),
    "players": ("", "who bargains; all other countries let everything pass"),
    "outside_option": ("", "what cargo does that does not go by land"),
    "investment_options": ("", "what may be built"),
    "consent_to_build": ("", "players whose consent building takes; empty: nobody's"),
    "principle": ("", "what the worth of a coalition is"),
    "superadditive": (
        "",
        "whether two disjoint coalitions are never worth less together; empty: not known, orders drawn",
    ),
    "core_empty": ("", "whether no sharing keeps every coalition; empty: not known, orders drawn"),
    "core_proof": ("", "balanced coalitions that are worth more than all together, where the core is empty"),
    "least_core_excess_usd_yr": ("USD a year", "most that a coalition gains by leaving under the best sharing"),
    "worth_of_all_usd_yr": ("USD a year", "what all together save over the outside options"),
    "worth_without_players_usd_yr": ("USD a year", "saved without any player's consent; not part of the game"),
    "without_outside_option_tonnes_yr": (
        "t a year",
        "tonnes left out, as nothing says what their way by land is worth",
    ),
    "annuity_usd_yr": ("USD a year", "cost of building counted in the worths after; empty: not counted"),
    "sampled_orders": ("1", "orders of arrival drawn; empty: all coalitions were solved"),
    "player": ("", "country (ISO2) or bloc"),
    "solution": ("", "shapley, banzhaf, nucleolus, nash, owen, weighted_shapley, myerson, marginal"),
    "value_usd_yr": ("USD a year", "what it gives to the player"),
    "standard_error_value_usd_yr": ("USD a year", "standard error where orders were drawn, else empty"),
    "core_least_usd_yr": ("USD a year", "least that the player gets in the core; empty where the core is"),
    "core_most_usd_yr": ("USD a year", "most that the player gets in the core; empty where the core is"),
    "hold_up": ("1", "what all lose without the player, over what all are worth"),
    "veto": ("", "whether nothing is earned without the player"),
    "net_of_cost": ("", "whether the cost of building is counted"),
    "shapley_change_usd_yr": ("USD a year", "change of the Shapley value"),
    "nucleolus_change_usd_yr": ("USD a year", "change of the nucleolus"),
    "exclusion": ("1", "what it adds without the player over what it adds with all: about 1 or more works without"),
    "wants": ("", "whether the player should want it, by the Shapley value"),
    "blocks": ("", "whether the player should block it"),
    "list": ("", "alone: gains by itself; pays_for: its members gain more power than building costs"),
    "gain_usd_yr": ("USD a year", "what the coalition gains"),
    "apart_usd_yr": ("USD a year", "sum of the members' Shapley values when each speaks for itself"),
    "as_one_usd_yr": ("USD a year", "Shapley value of the bloc that speaks with one voice"),
}


def frames_of(found: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Make the tables of an answer.

    Parameters
    ----------
    found
        The answer, with its ``question``.

    Returns
    -------
    dict
        Frames by name, a key of `TABLES` each; only those that there is something for.
    """
    make = {"power": _power, "stress": _stress, "dependence": _dependence, "exposure": _exposure}
    return {name: frame for name, frame in make[found["question"]](found).items() if not frame.is_empty()}


def _rows(rows: list[dict[str, Any]], columns: str, **more: Any) -> pl.DataFrame:
    """A frame of some columns of rows, others constant in front."""
    names = columns.split()
    data = [{**more, **{name: row.get(name) for name in names}} for row in rows]
    return pl.DataFrame(data, infer_schema_length=None) if data else pl.DataFrame()


def _stress(found: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    year = found["year"]
    frames: dict[str, pl.DataFrame] = {}
    if closed := found["closed"]:
        names = ";".join(t["id"] for t in closed["closed"])
        told = {"year": year, "closed": names}
        frames["stress_totals"] = _rows(
            [closed],
            "all_cost_before_usd_yr cost_usd_yr demand_tonnes_yr land_tonnes_before_yr lost_land_tonnes_yr "
            "to_outside_tonnes_yr unserved_tonnes_yr",
            **told,
        )
        frames["stress_countries"] = _rows(
            closed["countries"],
            "country trade_loss_usd_yr lost_land_tonnes_yr unserved_tonnes_yr transit_tonnes_yr paid_usd_yr",
            **told,
        )
        frames["stress_crossings"] = _rows(
            closed["crossings"], "crossing tonnes_before_yr tonnes_after_yr change_tonnes_yr", **told
        )
        frames["stress_recovery"] = _rows(
            closed.get("recovery", []),
            "crossing at by trains_day backlog_trains clearing_days cleared_share",
            **told,
        )
        frames["stress_short_run"] = _rows(
            closed.get("short_run", {}).get("cases", []),
            "spare waits diverted outside cost_usd_t cost_percent price_percent cost_of_days_usd delay_h "
            "backlog_trains clearing_days",
            **told,
        )
        frames["stress_reported"] = _rows(
            [{**row, "what_reported": row["what"]} for row in closed.get("reported", [])],
            "what_reported unit value low high modelled_year modelled_least modelled_most by fact source",
            **told,
        )
    if index := found["robustness"]:
        frames["stress_robustness"] = _rows(
            index["rows"], "id index_usd_yr index_percent tonnes_yr unserved_tonnes_yr", year=year,
            among=index["among"], cut=index["cut"],
        )  # fmt: skip
    if worst := found["worst"]:
        told = {"year": year, "among": worst["among"]}
        sets = [
            {"r": size["r"], "closed": ";".join(s["closed"]), "rise_usd_yr": size["rise_usd_yr"],
                "lost_land_tonnes_yr": s["lost_land_tonnes_yr"]
            }
            for size in worst["worst"]
            for s in size["sets"]
        ]  # fmt: skip
        frames["stress_worst"] = _rows(sets, "r closed rise_usd_yr lost_land_tonnes_yr", **told)
        frames["stress_ranking"] = _rows(worst["ranking"], "id rise_usd_yr tonnes_yr", **told)
    if chance := found["chance"]:
        kinds = [k for k in ("closures", "closures_and_delays") if k in chance]
        rows = [
            {
                "what": kind,
                **{
                    f"{key}_usd_yr": chance[kind][key]
                    for key in ("mean", "standard_error", "std", "quantile_95", "most")
                },
            }
            for kind in kinds
        ]
        frames["stress_chance"] = _rows(
            rows, "what mean_usd_yr standard_error_usd_yr std_usd_yr quantile_95_usd_yr most_usd_yr", year=year
        )
    return frames


def _dependence(found: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    return {
        "dependence": _rows(
            found["pairs"],
            "country partner third_tonnes_yr must_cross actual actual_least actual_most free_usd_yr free_percent "
            "capacity_usd_yr loss_of_partner_usd_yr leverage trade_usd_yr trade_share",
            scenario=found["scenarios"][-1],
            year=found["years"][-1],
        ),
        "multi_vector": _rows(found["multi_vector"], f"scenario year country {' '.join(KINDS)}"),
        "diversification": _rows(
            found["diversification"],
            "scenario year country kind amount unit hhi effective_number normalised_hhi ways largest largest_share",
        ),
    }


def _exposure(found: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    return {
        "exposure": _rows(
            found["steps"],
            "ban step country trade_loss_usd_yr lost_takings_usd_yr land_change_tonnes_yr trade_change_tonnes_yr",
            year=found["year"],
        )
    }


SOLUTIONS = ("shapley", "banzhaf", "nucleolus", "nash", "owen", "weighted_shapley", "myerson", "marginal")


def _power(found: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    reading: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    coalitions: list[dict[str, Any]] = []
    blocs: list[dict[str, Any]] = []
    cost = found["build_cost"]
    for rule, told in found["rules"].items():
        for state in ("before", "after"):
            if state not in told:
                continue
            solved = told[state]
            core = solved["core"]
            reading.append(
                {
                    "rule": rule,
                    "state": state,
                    "scenario": found[state],
                    "players": ";".join(found["players"]),
                    "outside_option": found["outside_option"],
                    "investment_options": ";".join(found["investment_options"]),
                    "consent_to_build": ";".join(found["consent_to_build"] or []),
                    "principle": found["principle"],
                    "superadditive": solved["superadditive"],
                    "core_empty": None if core is None else core["empty"],
                    "core_proof": None if core is None or not core["empty"] else " + ".join(
                        f"{w:.6g} {{{s}}}" for s, w in core["certificate"].items()
                    ),
                    "least_core_excess_usd_yr": None if core is None else solved["least_core"]["excess"],
                    "worth_of_all_usd_yr": solved["worth_of_all"],
                    "worth_without_players_usd_yr": solved["worth_without_players_usd_yr"],
                    "without_outside_option_tonnes_yr": solved["without_outside_option_tonnes_yr"],
                    "annuity_usd_yr": cost["annuity_usd_yr"] if cost and state == "after" else None,
                    "sampled_orders": found["sampled_orders"],
                }
            )  # fmt: skip
            for each in solved.get("as_one", []):
                blocs.append(
                    {"rule": rule, "state": state, "scenario": found[state], "players": ";".join(each["players"]),
                     "apart_usd_yr": each["apart_usd_yr"], "as_one_usd_yr": each["as_one_usd_yr"]}
                )  # fmt: skip
            ranges = core["ranges"] if core else None
            for solution in SOLUTIONS:
                for player, value in (solved.get(solution) or {}).items():
                    values.append(
                        {
                            "rule": rule,
                            "state": state,
                            "scenario": found[state],
                            "player": player,
                            "solution": solution,
                            "value_usd_yr": value,
                            "standard_error_value_usd_yr": solved["standard_error"][player]
                            if solution == "shapley" and "standard_error" in solved
                            else None,
                            "core_least_usd_yr": ranges[player][0] if ranges else None,
                            "core_most_usd_yr": ranges[player][1] if ranges else None,
                            "hold_up": solved["hold_up"][player],
                            "veto": player in solved["veto"],
                        }
                    )
        for key in ("change", "change_before_cost"):
            change = told.get(key)
            if not change:
                continue
            net = bool(cost) and key == "change"
            for player, value in change["shapley"].items():
                changes.append(
                    {
                        "rule": rule,
                        "net_of_cost": net,
                        "player": player,
                        "shapley_change_usd_yr": value,
                        "nucleolus_change_usd_yr": change.get("nucleolus", {}).get(player),
                        "exclusion": change.get("exclusion", {}).get(player),
                        "wants": player in change["wants"] if "wants" in change else None,
                        "blocks": player in change["blocks"] if "blocks" in change else None,
                        "standard_error_value_usd_yr": change.get("standard_error", {}).get(player),
                    }
                )
        named = (("alone", told.get("change", {}).get("alone", [])), ("pays_for", told.get("pays_for", [])))
        for name, rows in named:
            for row in rows:
                coalitions.append(
                    {"rule": rule, "list": name, "players": ";".join(row["players"]), "gain_usd_yr": row["gain_usd_yr"]}
                )
    year = found["year"]
    made = {"power_reading": reading, "power_values": values, "power_change": changes, "power_coalitions": coalitions,
            "power_blocs": blocs}  # fmt: skip
    return {name: _rows(rows, " ".join(rows[0]) if rows else "", year=year) for name, rows in made.items()}
