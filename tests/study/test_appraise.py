"""Appraisals on the reduced corridors: null projects, transfers, time and trade, the CKU railway with its loan."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from landbridge.errors import LandbridgeError, StudyError, UnknownName
from landbridge.model import appraisal
from landbridge.scenario.measures import Charge, Ease
from landbridge.show.report import report
from landbridge.study.account import Account, Terms, between_years, loss_of
from landbridge.study.appraisal_terms import Appraising
from landbridge.study.appraise import appraise
from landbridge.study.appraising import Option, options_of, plan_of
from landbridge.study.files import Study, check_study, read_study
from landbridge.study.gains import Gains
from landbridge.study.invest_files import COLUMNS, keeping, read_investment, tables_of, write_investment
from landbridge.study.plan import Limits, plan, plan_tables
from landbridge.study.valuer import Valuer, _used
from tests.small_run import small_tables

STUDY = """\
name = "Small"
years = [2030]
size = "reduced"

[appraisal]
cost = "high"

[[scenario]]
id = "base"

[[scenario]]
id = "half"
extends = "base"

[[scenario.measure]]
kind = "ease"
everywhere = true
time_factor = 0.5
waiting_factor = 0.5

[[scenario]]
id = "toll"
extends = "base"

[[scenario.measure]]
kind = "charge"
countries = ["KZ"]
modes = ["rail"]
usd_teu_km = 0.01
"""
NAMES = ("cku", "half", "rail-baltica", "crk-selyatino")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path = tmp_path_factory.mktemp("invest") / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return read_study(path)


@pytest.fixture(scope="module")
def valuer(study: Study) -> Valuer:
    cheaper = Ease(crossings=("alashankou-dostyk",), cost_factor=0.9)
    options = [*options_of(study, small_tables(), NAMES), Option("cheaper", "Lower fees", (cheaper,), False)]
    return Valuer(study, small_tables(), options)


@pytest.fixture(scope="module")
def found(study: Study, valuer: Valuer) -> dict[str, Any]:
    return appraise(study, small_tables(), NAMES, valuer=valuer)


def project(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = (p for p in found["projects"] if p["id"] == name)
    return dict(one)


def test_a_project_off_every_used_path_costs_what_it_costs(found: dict[str, Any]) -> None:
    null = project(found, "rail-baltica")
    for case in ("alone", "in_company"):
        told = null[case]
        assert abs(told["gross_benefit_usd"]) <= 1e-9
        assert told["own_line_mt"] == {"2030": 0.0}
        assert told["npv_usd"] == pytest.approx(-told["cost_present_value_usd"], rel=1e-12)
        assert told["bcr"] == 0.0
        # what is left at the end against what was spent has a root, but nothing came back
        assert (told["eirr"], told["eirr_status"], told["firr"]) == ([], "none", [])
    assert null["company"] == "independent"


def test_rounding_of_an_outside_option_is_no_gain(valuer: Valuer) -> None:
    """A project adds a sea leg that nobody uses: costs found anew may differ in the last digit, which is no change."""
    before = valuer.solution(frozenset(), 2030)
    outside = before.prepared.outside_usd_t

    def after(usd_t: Any) -> Any:
        return replace(before, prepared=replace(before.prepared, outside_usd_t=usd_t))

    assert not _used(before, after(np.nextafter(outside, np.inf)))
    assert _used(before, after(outside * (1.0 + 1e-9)))


def test_what_the_network_does_not_know_is_said_not_guessed(found: dict[str, Any]) -> None:
    unknown = project(found, "crk-selyatino")
    assert unknown["valued"] is False
    assert "No capacity of the terminal is published" in unknown["why"]
    assert "alone" not in unknown


def test_a_project_that_no_flow_values_is_refused_with_its_reason(study: Study) -> None:
    with pytest.raises(LandbridgeError, match="power-of-siberia-1: Pipeline"):
        appraise(study, small_tables(), ["power-of-siberia-1"])


def test_parts_add_up(found: dict[str, Any]) -> None:
    told = project(found, "cku")["alone"]
    parts = ("users_logsum_usd", "operators_usd", "fees_usd", "empties_usd", "carbon_usd")
    assert told["gross_benefit_usd"] == pytest.approx(sum(told[part] for part in parts), rel=1e-9)
    rows = told["by_country"].values()
    for part, total in (
        ("users_usd", "users_logsum_usd"),
        ("operators_usd", "operators_usd"),
        ("fees_usd", "fees_usd"),
    ):
        assert sum(row[part] for row in rows) == pytest.approx(told[total], rel=1e-6, abs=1.0)
    assert sum(told["by_commodity_usd"].values()) == pytest.approx(told["users_logsum_usd"], rel=1e-9)
    assert sum(row["pays_usd"] for row in rows) == pytest.approx(told["cost_present_value_usd"], rel=1e-9)
    flows = [r for r in found["flows"] if r["project"] == "cku" and r["case"] == "alone"]
    years = sorted({r["year"] for r in flows})
    net = [sum(r["usd"] for r in flows if r["year"] == year) for year in years]
    assert told["npv_usd"] == pytest.approx(appraisal.npv(net, 0.09), rel=1e-9)
    assert told["eirr"] == pytest.approx(list(appraisal.rates_of_return(net).rates))


def test_rule_of_half_and_logsum_agree_on_small_changes(found: dict[str, Any]) -> None:
    told = project(found, "cku")["alone"]
    assert told["users_rule_of_half_usd"] == pytest.approx(told["users_logsum_usd"], rel=1e-3)
    assert told["users_logsum_usd"] > 0


def test_fees_are_transfers(valuer: Valuer) -> None:
    """A tenth off the fees at one crossing: users win what treasuries lose, but for crowding by what is drawn there."""
    gains = valuer.gains(frozenset({"cheaper"}), 2030)
    users = sum(gains.users_usd.values())
    assert users > 1e5
    assert abs(gains.total_usd) < 0.3 * users
    assert sum(gains.fees_usd.values()) < -0.5 * users


def test_halved_hours_at_borders_beat_the_railway(found: dict[str, Any]) -> None:
    """As a published outlook for the region has it; by how much is this data's."""
    half, cku = (project(found, name)["alone"]["gross_benefit_usd"] for name in ("half", "cku"))
    assert half > 3 * cku > 0


def test_what_is_in_service_has_neither_an_opening_nor_risks_ahead(study: Study) -> None:
    tables = small_tables()
    (line,) = options_of(study, tables, ["kti-railway"])
    plan = plan_of(line, tables, Appraising(), 2030)
    assert plan.there
    none = SimpleNamespace(heaviest_t=0.0, surplus_usd=0.0)
    told = {
        there: Account(replace(plan, there=there), Terms(study, tables), [2030], [Gains()], [none]).told()  # type: ignore[list-item]
        for there in (True, False)
    }
    assert told[True]["opening"] is None
    assert told[True]["risks"] == []
    assert told[False]["opening"]["planned"] == plan.opening
    assert len(told[False]["risks"]) >= 3


def test_cku_with_its_loan_and_payers(found: dict[str, Any]) -> None:
    cku = project(found, "cku")
    assert cku["cost_usd"] == {"low": 4.665e9, "used": 8e9, "high": 8e9, "basis": "published"}
    assert cku["payer_basis"] == "financing"
    assert sum(cku["payers"].values()) == pytest.approx(1.0)
    loan = cku["alone"]["loan"]
    assert (loan["lender"], loan["amount_usd"], loan["years"]) == ("CN", 2.332e9, 35)
    paid = {country: sum(told["paid_usd"]) for country, told in loan["served_by"].items()}
    assert paid["CN"] / sum(paid.values()) == pytest.approx(0.51)
    assert sum(paid.values()) == pytest.approx(loan["amount_usd"] + loan["interest_total_usd"])
    assert cku["alone"]["npv_usd"] < 0
    assert cku["alone"]["by_country"]["KG"]["gains_usd"] > 0 > cku["alone"]["by_country"]["KZ"]["gains_usd"]
    risks = {risk["risk"]: risk for risk in cku["alone"]["risks"]}
    late = risks["opens 3 years late, money spent as planned"]
    assert late["likelihood"] == "7 of 12 announced openings of the region"
    assert "(announced 2 to 9 years ahead)" in late["basis"]
    # three years without gains and upkeep, and three more years of life left at the end
    rows = [r for r in found["flows"] if r["project"] == "cku" and r["case"] == "alone"]
    first, last, opens = min(r["year"] for r in rows), max(r["year"] for r in rows), cku["opening_year"]
    lost = [r for r in rows if opens <= r["year"] < opens + 3 and r["stream"] not in ("capital", "residual")]
    left = 8e9 * 3 / 60 / 1.09 ** (last - first)
    change = left - sum(r["usd"] / 1.09 ** (r["year"] - first) for r in lost)
    assert late["npv_change_usd"] == pytest.approx(change, rel=1e-9)
    assert "9 of 10 of all cost more" in risks["costs 45% more than is used here"]["likelihood"]


def test_what_each_rule_would_let_cku_cost(found: dict[str, Any]) -> None:
    cku = project(found, "cku")
    shares = {share["rule"]: share for share in cku["sharing"]}
    assert set(shares) == {
        "equal", "by length", "by territory", "by benefit", "as financed", "51/24.5/24.5", "Shapley", "nucleolus",
        "Nash",
    }  # fmt: skip
    cost = cku["alone"]["cost_present_value_usd"]
    for share in shares.values():
        assert share["budget_balanced"]
        assert sum(share["payment_usd"].values()) == pytest.approx(cost, rel=1e-9)
        # together they lose by it at these gains, so that no rule leaves all of them better off
        assert not share["individually_rational"]
        assert not share["in_core"]
    assert shares["51/24.5/24.5"]["payment_usd"]["CN"] == pytest.approx(0.51 * cost)
    # the agreement's kilometres: the last 50 are in Uzbekistan, though the links of the atlas end at Jalal-Abad
    km = {"CN": 213, "KG": 260, "UZ": 50}
    assert shares["by length"]["payment_usd"] == pytest.approx({c: cost * part / 523 for c, part in km.items()})
    assert "UZ 50 (F0524)" in shares["by length"]["basis"]
    ground = shares["by territory"]["payment_usd"]
    assert ground["KG"] / cost == pytest.approx(4665 / 8000, rel=1e-3)
    left = set(map(round, shares["Shapley"]["net_usd"].values()))
    assert max(left) - min(left) <= 1  # all are needed: the loss is shared evenly


@pytest.fixture(scope="module")
def single(study: Study) -> dict[str, Any]:
    """The CKU railway by itself, at other tonnes and tolls too."""
    return project(appraise(study, small_tables(), ["cku"]), "cku")


def test_cku_at_other_tonnes_and_tolls(single: dict[str, Any]) -> None:
    ours, *claims = single["tonnes"]
    assert ours["npv_usd"] == pytest.approx(single["alone"]["npv_usd"], rel=1e-9)
    assert ours["eirr"] == pytest.approx(single["alone"]["eirr"])
    assert {claim["mt"] for claim in claims} == {13.5, 15.0}
    for claim in claims:
        assert claim["factor"] == pytest.approx(claim["mt"] / ours["mt"])
        assert claim["npv_usd"] > ours["npv_usd"]
    carried = [toll["own_line_mt"]["2030"] for toll in single["tolls"]]
    assert carried == sorted(carried, reverse=True)
    assert carried[0] > single["alone"]["own_line_mt"]["2030"] > carried[-1]
    low = next(fact for fact in single["published"] if fact["id"] == "F1130")
    assert (low["value"], low["unit"]) == (1.2, "USD mn")


def test_a_toll_is_earned_by_who_takes_it(study: Study) -> None:
    """Dearer runs on the line of a country: users lose, its railways win, and most of it only changes hands."""
    links = small_tables()["links"].filter(pl.col("line") == "kz-aktogay-moyynty")["id"].to_list()
    toll = Charge(links=tuple(links), usd_teu_km=0.01)
    worth = Valuer(study, small_tables(), [Option("toll", "A toll", (toll,), False)])
    gains = worth.gains(frozenset({"toll"}), 2030)
    users = sum(gains.users_usd.values())
    assert users < 0 < gains.operators_usd["KZ"]
    assert abs(gains.total_usd) < abs(users)


def test_report_draws_what_the_folder_holds(single: dict[str, Any], found: dict[str, Any], tmp_path: Path) -> None:
    write_investment(tmp_path / "out", "appraisal", {**found, "projects": [single]}, tables_of(found), STUDY)
    path = report(tmp_path / "out")
    page = path.read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    pays = single["alone"]["by_country"]["KG"]["pays_usd"]
    assert f'data-value="{pays!r}"' in page
    for share in single["sharing"]:
        assert f">{share['rule']}</th>" in page
    assert page.count("<script") == 1
    # one project by itself: other tonnes and tolls, and what others published, as page and command have them
    for words in ("At other tonnes and tolls", "tolls on its lines times 1.25", "What others found", "F1130"):
        assert words in page
    for row in single["tonnes"]:
        assert f">{row['basis']}</th>" in page


def test_the_time_line_names_projects(tmp_path: Path, study: Study, planning: Valuer) -> None:
    found = planned(study, planning)
    write_investment(tmp_path / "out", "programme", found, plan_tables(found), STUDY)
    page = report(tmp_path / "out").read_text(encoding="utf-8")
    assert "<title>China-Kyrgyzstan-Uzbekistan railway (CKU)</title>" in page
    assert "Stable alone: " in page
    assert "Within the programme&#x27;s budgets" in page or "Within the programme's budgets" in page


def test_trade_is_never_added_to_time(found: dict[str, Any]) -> None:
    assert any("no gain of trade added" in note for note in found["assumptions"])


def test_what_cannot_be_valued_is_refused(study: Study) -> None:
    with pytest.raises(LandbridgeError, match="charge"):
        options_of(study, small_tables(), ["toll"])
    with pytest.raises(UnknownName):
        options_of(study, small_tables(), ["ckx"])


def test_all_names_what_flows_can_value_and_is_not_there_yet(study: Study) -> None:
    names = {option.id for option in options_of(study, small_tables(), ["all", "half"])}
    assert {"half", "cku", "aktau-container-hub", "baku-port-2", "malaszewicze-park", "digital-borders"} <= names
    assert not names & {"dostyk-moyynty-2", "crk-selyatino", "domodedovo-dry-port", "power-of-siberia-2"}


def test_years_between_are_interpolated_and_held_outside() -> None:
    assert between_years([2030, 2040], [10.0, 20.0], [2025, 2030, 2033, 2040, 2055]) == pytest.approx(
        np.array([10.0, 10.0, 13.0, 20.0, 20.0])
    )


def test_folder_says_what_its_columns_mean(found: dict[str, Any], tmp_path: Path) -> None:
    write_investment(tmp_path / "out", "appraisal", found, tables_of(found), STUDY)
    read = read_investment(tmp_path / "out")
    assert set(read.tables) == {name for name in COLUMNS if name.startswith("appraisal_") or name == "sharing"}
    for name, frame in read.tables.items():
        assert frame.columns == list(read.manifest["columns"][name])
        assert frame.height > 0, name
    assert json.loads((tmp_path / "out" / "investment.json").read_text(encoding="utf-8"))["kind"] == "appraisal"


# ---------------------------------------------------------------------------------------------------- programmes

PLANNED = ("cku", "ayagoz-bakhty")


@pytest.fixture(scope="module")
def planning(study: Study) -> Valuer:
    return Valuer(study, small_tables(), options_of(study, small_tables(), [*PLANNED, "crk-selyatino"]))


def planned(study: Study, planning: Valuer, **limits: Any) -> dict[str, Any]:
    given = {"total_usd": 2e10, "yearly_usd": 5e9, **limits}
    return plan(study, small_tables(), Limits(**given), [*PLANNED, "crk-selyatino"], valuer=planning)


def test_a_programme_only_builds_what_pays(study: Study, planning: Valuer) -> None:
    found = planned(study, planning)
    assert found["proved"]
    told = small_tables()["unvalued"].filter(pl.col("id") == "crk-selyatino")["reason"].item()
    assert found["left_out"] == {"crk-selyatino": told}
    assert found["value_usd"] >= 0
    for row in found["programme"]:
        if not row["chosen"]:
            continue
        assert row["value_in_company_usd"] >= 0
    together = sum(r["value_in_company_usd"] or 0.0 for r in found["programme"])
    assert together == 0 or found["value_usd"] > 0


def test_gains_large_enough_fill_the_budget_and_more_never_hurts(study: Study, planning: Valuer) -> None:
    """At a discount rate of nothing and costs at their low end something pays; budgets then decide."""
    cheap = replace(study, appraisal=Appraising(rate=0.0, cost="low", years=200))
    last = -1.0
    for total in (1e9, 3e9, 1e10):
        found = plan(cheap, small_tables(), Limits(total_usd=total), PLANNED, valuer=planning)
        spent = sum(r["spent_usd"] for r in found["spending"] if r["payer"] == "*")
        assert spent <= total * (1 + 1e-9)
        assert found["value_usd"] >= last
        last = found["value_usd"]
    assert last > 0


def test_alone_and_together(study: Study, planning: Valuer) -> None:
    told = planned(study, planning)["coordination"]
    assert told["players"] == ["CN", "KG", "KZ", "UZ"]
    assert told["equilibria"]
    assert sum(told["side_payment_usd"].values()) == pytest.approx(0.0, abs=1.0)
    joint, alone = sum(told["joint_usd"].values()), sum(told["alone_usd"].values())
    assert joint >= alone


def test_coordination_is_about_the_budget_of_the_programme(study: Study, planning: Valuer) -> None:
    """What the budget shuts is open to nobody, and what all payers would do is the programme of their welfare."""
    cheap = replace(study, appraisal=Appraising(rate=0.0, cost="low", years=200))
    payers = ("CN", "KG", "KZ", "UZ")
    for total in (1e9, 3e9, 1e10):
        found = plan(cheap, small_tables(), Limits(total_usd=total, welfare=payers), PLANNED, valuer=planning)
        told = found["coordination"]
        cost = {r["project"]: r["cost_usd"] for r in found["programme"]}
        for names in [told["joint"], *told["equilibria"]]:
            assert sum(cost[name] for name in names) <= total * (1 + 1e-9)
        for names in told["not_allowed"]:
            assert sum(cost[name] for name in names) > total
        assert sum(told["joint_usd"].values()) == pytest.approx(found["value_usd"], rel=1e-9, abs=1.0)
        assert told["joint"] == sorted(r["project"] for r in found["programme"] if r["chosen"])
        assert told["joint_start_years"] == {
            r["project"]: r["start_year"] for r in found["programme"] if r["chosen"]
        }  # fmt: skip
    assert told["joint"]


def test_why_coordination_is_not_told(study: Study, tmp_path: Path) -> None:
    found = plan(study, small_tables(), Limits(total_usd=1e9), ["almaty-bypass"])
    assert found["coordination"] == {"why_not": "KZ alone pays for everything"}
    assert "coordination" not in plan_tables(found)
    write_investment(tmp_path / "out", "programme", found, plan_tables(found), STUDY)
    page = report(tmp_path / "out").read_text(encoding="utf-8")
    assert "Each alone against all together is not told: KZ alone pays for everything." in page


def test_national_welfare_counts_what_the_nation_pays(study: Study, planning: Valuer) -> None:
    """For Kyrgyzstan alone CKU costs its own share; for the fairest programme nobody may be left below nothing."""
    cheap = replace(study, appraisal=Appraising(rate=0.0, cost="low", years=200))
    limits = Limits(total_usd=1e10, welfare=("KG",))
    national = plan(cheap, small_tables(), limits, PLANNED, valuer=planning)
    world = plan(cheap, small_tables(), Limits(total_usd=1e10), PLANNED, valuer=planning)
    alone = {row["project"]: row["value_alone_usd"] for row in national["programme"]}
    everyone = {row["project"]: row["value_alone_usd"] for row in world["programme"]}
    assert everyone["cku"] < alone["cku"]  # a part of the cost, fees and railways of its own, losses of others left out
    assert abs(alone["ayagoz-bakhty"]) < 0.2 * 7e8  # a small gain or loss: none of its cost is Kyrgyzstan's
    fair = plan(cheap, small_tables(), replace(limits, welfare=("CN", "KZ"), fairest=True), PLANNED, valuer=planning)
    assert min(fair["fairest_usd"].values()) >= 0.0
    with pytest.raises(LandbridgeError, match="at least two countries"):
        plan(cheap, small_tables(), replace(limits, fairest=True), PLANNED, valuer=planning)


def test_weights_count_what_each_country_gains_and_pays(study: Study, planning: Valuer) -> None:
    """Nothing may be spent, so that all values are of the same first year; they are then linear in the weights."""

    def alone(**limits: Any) -> dict[str, float]:
        found = plan(study, small_tables(), Limits(total_usd=0.0, **limits), PLANNED, valuer=planning)
        return {row["project"]: row["value_alone_usd"] for row in found["programme"]}

    china, kyrgyzstan = alone(welfare=("CN",)), alone(welfare=("KG",))
    both = alone(welfare=("CN", "KG"), weights={"KG": 3.0})
    every, others = alone(weights={"CN": 2.0, "*": 1.0}), alone(weights={"CN": 1.0, "*": 1.0})
    for name in PLANNED:
        assert both[name] == pytest.approx(china[name] + 3.0 * kyrgyzstan[name], rel=1e-9)
        assert every[name] == pytest.approx(others[name] + china[name], rel=1e-9)
    with pytest.raises(LandbridgeError, match="got weights"):
        alone(welfare=("CN", "KG"), weights={"KG": 3.0}, fairest=True)


def test_what_was_found_is_kept_until_the_folder_is_whole(study: Study, tmp_path: Path) -> None:
    """Stopped after it has solved, the same appraisal solves nothing again; other terms of the flows do."""
    out = tmp_path / "out"
    with suppress(KeyboardInterrupt), keeping(out) as kept:
        first = appraise(study, small_tables(), ["rail-baltica"], company=False, kept=kept)
        raise KeyboardInterrupt
    assert first["solved"] > 0
    with keeping(out) as kept:
        again = appraise(study, small_tables(), ["rail-baltica"], company=False, kept=kept)
        assert again["solved"] == 0
        assert again["projects"][0]["alone"] == first["projects"][0]["alone"]
        other = Valuer(
            replace(study, gap=1e-3), small_tables(), options_of(study, small_tables(), ["rail-baltica"]), kept=kept
        )
        assert other.gains(frozenset({"rail-baltica"}), 2030) == Gains()
        assert other.solved == 2
    with keeping(out) as kept:
        assert kept is not None
        assert not kept.folder.exists() or not any(kept.folder.glob("??"))


def test_a_programme_that_was_stopped_goes_on_to_the_same_end(study: Study, tmp_path: Path) -> None:
    """Stopped in its midst and begun again it solves only what is missing, and tells what a fresh run tells."""
    limits = Limits(total_usd=2e10, yearly_usd=5e9)
    fresh = plan(study, small_tables(), limits, PLANNED)
    asked: list[str] = []

    def stop_at_the_third(what: str) -> None:
        asked.append(what)
        if len(asked) == 3:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with suppress(KeyboardInterrupt), keeping(out) as kept:
        plan(study, small_tables(), limits, PLANNED, tell=stop_at_the_third, kept=kept)
    assert len(asked) == 3
    with keeping(out) as kept:
        assert kept is not None
        assert any(kept.folder.glob("??"))
        resumed = plan(study, small_tables(), limits, PLANNED, kept=kept)
    assert 0 < resumed.pop("solved") < fresh.pop("solved")
    assert resumed == fresh


def test_why_all_lose_by_a_project_is_told() -> None:
    """Income that cargo leaves behind, or shippers who crowd each other; nothing where all gain, or lose only noise."""
    told = {
        "users_logsum_usd": 1.4e6,
        "operators_usd": 1.5e6,
        "fees_usd": -19.2e6,
        "empties_usd": 0.0,
        "carbon_usd": 0.0,
    }
    told["gross_benefit_usd"] = sum(told.values())
    why = loss_of(told)
    assert why is not None
    assert why.startswith("shippers gain 1.40 million USD, but all together lose 16.30")
    assert "(fees at borders -19.20)" in why
    crowded = loss_of({**told, "users_logsum_usd": -1e7})
    assert crowded is not None
    assert crowded.startswith("shippers themselves lose 10.00")
    assert loss_of({**told, "gross_benefit_usd": 1.0}) is None
    assert loss_of({**told, "gross_benefit_usd": -1e4}) is None


def test_the_line_to_kars_takes_income_from_ways_over_iran(study: Study) -> None:
    """With less income at borders all may lose by it though shippers gain, and then the answer says so."""
    found = appraise(study, small_tables(), ["btk-modernisation"], company=False)["projects"][0]["alone"]
    assert found["users_logsum_usd"] > 0.0
    assert (found["loss"] is not None) == (found["gross_benefit_usd"] < -1e5)


OUTLAY = """
[appraisal.scenarios.half]
cost_usd_mn = 300
low_usd_mn = 100
high_usd_mn = 500
build_years = 2
opening = 2028
payers = { KZ = 1.0, CN = 3.0 }
"""


def test_a_scenario_costs_what_the_study_tells(study: Study, valuer: Valuer, tmp_path: Path) -> None:
    """The same gains, from 2028 on and with a cost, in an appraisal and in a programme."""
    path = tmp_path / "own.toml"
    path.write_text(STUDY + OUTLAY, encoding="utf-8")
    costly = read_study(path)
    found = project(appraise(costly, small_tables(), ["half"], company=False, valuer=valuer), "half")
    assert found["cost_usd"] == {"low": 1e8, "used": 5e8, "high": 5e8, "basis": "told by the study"}  # cost = "high"
    assert found["payers"] == {"KZ": 0.25, "CN": 0.75}
    assert (found["first_year"], found["opening_year"]) == (2026, 2028)
    told = found["alone"]
    rate = Terms(costly, small_tables()).rate
    spent = 2.5e8 + 2.5e8 / (1 + rate)
    upkeep_and_rest = told["cost_present_value_usd"] - spent
    assert told["npv_usd"] == pytest.approx(told["gross_benefit_usd"] - spent - upkeep_and_rest, rel=1e-9)
    free = project(appraise(study, small_tables(), ["half"], company=False, valuer=valuer), "half")["alone"]
    assert free["npv_usd"] is None
    # opened two years after the first year of the account in place of one after it
    years = Terms(costly, small_tables()).years
    waits = sum((1 + rate) ** -t for t in range(2, years + 2)) / sum((1 + rate) ** -t for t in range(1, years + 1))
    assert told["gross_benefit_usd"] == pytest.approx(free["gross_benefit_usd"] * waits, rel=1e-9)
    assert {"by length", "by territory"}.isdisjoint({row["rule"] for row in found["sharing"]})
    assert "range told by the study" not in {row["basis"] for row in told["risks"]}  # the highest end is in use
    programme = plan(costly, small_tables(), Limits(total_usd=1e9), ["half"], valuer=valuer)
    assert programme["programme"][0]["cost_usd"] == 5e8
    assert programme["programme"][0]["chosen"] == (programme["value_usd"] > 0)
    with pytest.raises(LandbridgeError, match="no cost is known"):
        plan(study, small_tables(), Limits(total_usd=1e9), ["half"], valuer=valuer)


def test_faults_in_what_scenarios_cost(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(STUDY + OUTLAY.replace("low_usd_mn = 100", "low_usd_mn = 400") + OUTLAY.replace("half", "haff"))
    with pytest.raises(StudyError) as error:
        read_study(path)
    assert len(error.value.faults) == 2
    assert "did you mean half" in str(error.value)
    assert "low_usd_mn <= cost_usd_mn <= high_usd_mn, got 400, 300, 500" in str(error.value)
    path.write_text(STUDY + OUTLAY.replace("KZ = 1.0", "KX = 1.0"))
    with pytest.raises(StudyError, match="known country, got 'KX'"):
        check_study(read_study(path), small_tables())
    path.write_text(STUDY + OUTLAY.replace("cost_usd_mn = 300", "cost_usd_mn = 0"))
    with pytest.raises(StudyError, match="cost_usd_mn"):
        read_study(path)
