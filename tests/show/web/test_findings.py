"""Closures, dependence, bans, programmes, events and sensitivity in a browser: figures on screen are the folders'."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from landbridge.study.appraise import appraise
from landbridge.study.files import read_study
from landbridge.study.invest_files import tables_of, write_investment
from small_run import small_tables
from tests.conftest import watch
from tests.map_server import Server
from tests.show.web.test_map import EXPECTED, Site, in_both_themes, shown

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("built_map")]


@pytest.fixture(scope="module")
def site(browser: Any, browser_context_args: dict[str, Any], server: Server, asked_home: Path) -> Iterator[Site]:
    """One page for the module, which fails on any error in it and any request that leaves this machine."""
    assert asked_home.is_dir()
    context = browser.new_context(**browser_context_args, color_scheme="light", accept_downloads=True)
    page = context.new_page()
    faults = watch(page)
    yield Site(page, server)
    context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


def table(home: Path, folder: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(home / folder / "tables" / f"{name}.parquet")


def test_a_closure_shows_who_loses_and_where_cargo_goes(site: Site, asked_home: Path) -> None:
    site.open("power?pr=stress")
    losses = table(asked_home, "stress", "stress_countries")["trade_loss_usd_yr"]
    bars = shown(site.page, 'main [data-from^="stress_countries.trade_loss_usd_yr"]')
    assert bars == [-v for v in losses.sort(descending=True).to_list() if abs(v) >= 5e3][:14]
    moved = table(asked_home, "stress", "stress_crossings").sort(pl.col("change_tonnes_yr").abs(), descending=True)
    found = shown(site.page, 'main [data-from^="stress_crossings.change_tonnes_yr"]')
    assert found == pytest.approx(moved["change_tonnes_yr"].to_list()[:12])
    ranked = table(asked_home, "stress", "stress_ranking")["rise_usd_yr"].sort(descending=True).to_list()
    assert shown(site.page, 'main [data-from^="stress_ranking.rise_usd_yr"]') == ranked[:15]
    worst = table(asked_home, "stress", "stress_worst")["rise_usd_yr"].to_list()
    assert shown(site.page, 'main [data-from="stress_worst.rise_usd_yr"]') == worst[:8]
    cost = table(asked_home, "stress", "stress_totals")["cost_usd_yr"][0]
    lead = site.page.get_by_test_id("lead")
    expect(lead).to_contain_text("Brest - Malaszewicze")
    expect(lead).to_contain_text(f"{cost / 1e6:,.0f}\u00a0million USD")
    in_both_themes(site.page)


def test_power_shows_whom_a_project_passes_by_and_blocs_with_one_voice(site: Site, asked_home: Path) -> None:
    site.open("power?pr=power")
    rule = table(asked_home, "power", "power_reading")["rule"][0]
    change = table(asked_home, "power", "power_change").filter((pl.col("rule") == rule) & ~pl.col("net_of_cost"))
    index = dict(change["player", "exclusion"].rows())
    called = {"CN": "China", "KZ": "Kazakhstan", "RU": "Russia"}
    assert any(v is not None for v in index.values())
    for place, chosen in (
        ("passed", [called[p] for p, v in index.items() if v is not None and v >= 0.9]),
        ("needed", [called[p] for p, v in index.items() if v is not None and v <= 0.1]),
    ):
        expect(site.page.get_by_test_id(place).locator("dd")).to_have_text(", ".join(chosen) or "nobody")
    blocs = table(asked_home, "power", "power_blocs").filter((pl.col("rule") == rule) & (pl.col("state") == "after"))
    assert blocs["players"].to_list() == ["KZ;RU"]
    assert shown(site.page, 'main [data-from^="power_blocs.as_one_usd_yr"]') == blocs["as_one_usd_yr"].to_list()
    in_both_themes(site.page)


def test_dependence_shows_leverage_and_how_many_ways(site: Site, asked_home: Path) -> None:
    site.open("power?pr=dependence")
    pairs = table(asked_home, "dependence", "dependence").drop_nulls("leverage").sort("leverage", descending=True)
    wanted = [v for v in pairs["leverage"].to_list() if abs(v) >= 5e-5][:14]
    assert shown(site.page, 'main [data-from^="dependence.leverage"]') == wanted
    ways = table(asked_home, "dependence", "diversification")
    found = shown(site.page, 'main [data-from^="diversification.effective_number"]')
    assert found == [v or 0 for v in ways["effective_number"].to_list()]
    expect(site.page.get_by_test_id("lead")).to_contain_text("Kazakhstan")
    in_both_themes(site.page)


def test_a_ban_shows_what_each_side_loses_and_the_answer_in_kind(site: Site, asked_home: Path) -> None:
    site.open("power?pr=exposure")
    rows = table(asked_home, "exposure", "exposure").drop_nulls("trade_loss_usd_yr")
    bans = rows["ban"].unique(maintain_order=True).to_list()
    assert len(bans) == 2
    heads = site.page.locator("main h3", has_text="What each loses")
    expect(heads).to_have_count(2)
    expect(heads.first).to_contain_text("Russia may not cross Kazakhstan")
    wanted = [-v for ban in bans for v in rows.filter(pl.col("ban") == ban)["trade_loss_usd_yr"].to_list()]
    assert shown(site.page, 'main [data-from^="exposure.trade_loss_usd_yr"]') == wanted
    in_both_themes(site.page)


def test_a_programme_shows_when_each_project_is_built_and_what_is_spent(site: Site, asked_home: Path) -> None:
    (project,) = table(asked_home, "programme", "programme").to_dicts()
    assert project["chosen"], "at the user's own price the railway is worth building"
    site.open("invest?f=programme")
    page = site.page
    bar = page.get_by_role("img", name="The programme").locator("rect")
    expect(bar).to_have_count(1)
    assert (bar.get_attribute("data-start"), bar.get_attribute("data-opening")) == (
        str(project["start_year"]),
        str(project["opening_year"]),
    )
    spent = table(asked_home, "programme", "programme_spending").filter(pl.col("payer") == "*")
    assert shown(page, 'main [data-from="programme_spending.spent_usd"]') == spent["spent_usd"].to_list()
    assert spent["spent_usd"].sum() == pytest.approx(project["cost_usd"])
    expect(page.get_by_test_id("lead")).to_contain_text("1 of 1 project makes the programme")
    prices = table(asked_home, "programme", "coordination")["price_usd"].to_list()
    assert shown(page, 'main [data-from^="coordination.price_usd"]') == [-v for v in prices]
    in_both_themes(page)


def test_of_several_projects_the_cost_of_the_chosen_one_is_shared(site: Site, asked_home: Path) -> None:
    """Rules and countries come again with every project: only those of one may stand on the page."""
    site.open("invest?f=several")
    expect(site.page.get_by_test_id("absent")).to_contain_text("No folder several")
    site.open("invest?f=investment")
    expect(site.page.get_by_test_id("absent")).to_have_count(0)
    study = read_study(asked_home / "soon.toml")
    found = appraise(study, small_tables(), ["cku", "trans-afghan"], company=False)
    write_investment(asked_home / "several", "appraisal", found, tables_of(found))
    every = table(asked_home, "several", "sharing")
    payers = dict(every.group_by("project").agg(pl.col("country").n_unique()).iter_rows())
    assert set(payers) == {"cku", "trans-afghan"}
    site.open("invest?f=several")
    # the list that the page may have read before has not this folder: it is asked for again, whatever was shown before
    expect(site.page.locator("#panel select").first).to_have_value("several")
    chosen = site.page.locator("#panel select").nth(1).input_value()
    assert chosen in payers
    heads = site.page.locator("main h3", has_text="Cost shared")
    expect(heads).to_have_count(every.filter(pl.col("project") == chosen)["rule"].n_unique())
    shutil.rmtree(asked_home / "several")


def test_events_show_the_change_beside_what_was_published(site: Site, asked_home: Path) -> None:
    site.open("validation?pr=backtest")
    every = table(asked_home, "backtest", "backtest")
    rows = every.drop_nulls("change_pct")
    assert every["event"].n_unique() == 3
    assert shown(site.page, 'main [data-from^="backtest.change_pct"]') == rows["change_pct"].to_list()
    for event in site.page.locator("main section").all():
        names = event.locator("[role=rowheader]").all_inner_texts()
        assert len(set(names)) == len(names), "one thing asked about twice is told apart by its times"
    published = rows.drop_nulls("published_pct").height
    assert published
    # a number of the event itself, such as trains that waited, stands beside the published one
    levels = every.drop_nulls(["published_level", "with_event"])
    assert levels["indicator"].to_list() == ["queue_trains"]
    assert shown(site.page, 'main [data-from^="backtest.with_event"]') == levels["with_event"].to_list()
    expect(site.page.locator("main section", has_text="trains that wait")).to_contain_text("Brest - Malaszewicze")
    expect(site.page.locator("main section", has_text="trains that wait")).to_contain_text("130 as published")
    expect(site.page.locator("main i.mark")).to_have_count(published + levels.height)
    expect(site.page.get_by_test_id("lead")).to_contain_text("Of 3 events")
    in_both_themes(site.page)


def test_sensitivity_shows_what_moves_a_headline(site: Site, asked_home: Path) -> None:
    swings = table(asked_home, "sensitivity", "swings")
    for headline in ("West Passage 1, Mt", "Alashankou-Dostyk, Mt"):
        site.open(f"validation?pr=sensitivity&id={headline.replace(' ', '+')}")
        rows = swings.filter(pl.col("headline") == headline).sort(pl.col("swing_pct").abs(), descending=True)
        expect(site.page.get_by_test_id("lead")).to_contain_text(headline)
        found = shown(site.page, 'main [data-from^="swings.swing_pct"]')
        assert found == [v or 0 for v in rows["swing_pct"].to_list()]
    in_both_themes(site.page)
