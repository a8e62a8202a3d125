"""The verbs of flows: networks that anyone brings, and who uses what in a results folder."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import optimize, sparse

from landbridge.data.formats import read_tntp_network, read_tntp_trips, write_gmns
from landbridge.show import cli
from landbridge.study.flow_files import MARKER
from landbridge.study.results import MANIFEST
from landbridge.study.users import KINDS, names_of, users_of
from small_run import small_folder, small_results

# Zone 1 and zone 2 are joined by two roads: 10 + v, which has a toll of 1.5 and a length of 3, and 15 + v / 2.
NETWORK = """<NUMBER OF ZONES> 3
<NUMBER OF NODES> 3
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 2
<END OF METADATA>
~ init term capacity length time b power speed toll type ;
1 2 10 3 10 1 1 0 1.5 1 ;
1 2 30 0 15 1 1 0 0 1 ;
"""
TRIPS = """<NUMBER OF ZONES> 3
<TOTAL OD FLOW> 20
<END OF METADATA>
Origin 1
2 : 20;
"""
# Hand calculations for 20 trips.
EQUAL = 10.0  # 10 + v = 15 + (20 - v) / 2
OPTIMUM = 25 / 3  # 10 + 2 v = 15 + (20 - v)
TOLLED = 9.0  # 11.5 + v = 15 + (20 - v) / 2
WANTED = ("principle", "status", "relative_gap", "iterations", "seconds", "total_travel_time", "beckmann", "unmet",
          "potential")  # fmt: skip


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["landbridge", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Done(code, *(re.sub(r"\x1b\[[0-9;]*m", "", text) for text in capsys.readouterr()))

    return call


def refused(done: Done, told: str) -> None:
    """One message on stderr, and nothing else."""
    assert done.code not in (0, None)
    assert done.out == ""
    assert "Traceback" not in done.err
    assert len([line for line in done.err.splitlines() if line and not line.startswith("  ")]) == 1
    assert re.search(told, done.err), f"{told!r} is not in {done.err!r}"


def files(folder: Path, network: str = NETWORK, trips: str = TRIPS) -> tuple[Path, Path]:
    paths = folder / "two_net.tntp", folder / "two_trips.tntp"
    for path, text in zip(paths, (network, trips), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    return files(tmp_path)


def volumes(folder: Path) -> list[float]:
    with (folder / "links.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["volume"]) for row in csv.DictReader(file)]


# -------------------------------------------------------------------------------------------------------- assign


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ([], EQUAL),
        (["--principle", "ue", "--threads", "1", "--format", "tntp"], EQUAL),
        (["--toll-factor", "1"], TOLLED),
        (["--distance-factor", "0.5"], TOLLED),
        (["--principle", "so"], OPTIMUM),
        (["--principle", "aon"], 20.0),
        (["--principle", "mincost"], 10.0),
        (["--principle", "cue", "--toll-factor", "-1"], 10.0),
    ],
)
def test_two_roads_as_by_hand(
    call: Call, two: tuple[Path, Path], tmp_path: Path, words: list[str], first: float
) -> None:
    told = call("assign", *two, *words, "--json", "--out", tmp_path / "out").json
    assert tuple(told) == WANTED
    assert (told["status"], told["unmet"]) == ("converged", 0.0)
    assert volumes(tmp_path / "out") == pytest.approx([first, 20 - first], abs=1e-5)
    held = json.loads((tmp_path / "out" / MARKER).read_text(encoding="utf-8"))
    assert {name: told[name] for name in WANTED} == {name: held[name] for name in WANTED}
    if words == []:
        assert told["principle"] == "ue"
        assert told["total_travel_time"] == pytest.approx(20 * 20)
        assert told["beckmann"] == pytest.approx(10 * 10 + 50 + 15 * 10 + 25)
        assert told["potential"] is True
    if "aon" in words:
        assert (told["beckmann"], told["potential"]) == (None, False)


def test_stochastic_equilibrium_as_by_hand(call: Call, two: tuple[Path, Path], tmp_path: Path) -> None:
    call("assign", *two, "--principle", "sue", "--scale", 4, "--json", "--out", tmp_path / "out")
    a, b = volumes(tmp_path / "out")
    assert math.log(a / b) == pytest.approx((15 + b / 2 - 10 - a) / 4, abs=1e-6)


def test_a_gmns_folder_gives_the_same(call: Call, two: tuple[Path, Path], tmp_path: Path) -> None:
    write_gmns(tmp_path / "gmns", read_tntp_network(two[0]), read_tntp_trips(two[1]))
    wanted = call("assign", *two, "--json").json
    for words in ([], ["--format", "gmns"], [tmp_path / "gmns" / "demand.csv"]):
        told = call("assign", tmp_path / "gmns", *words, "--json").json
        assert told["beckmann"] == pytest.approx(wanted["beckmann"], rel=1e-12)


def test_what_is_unmet_or_set_apart_is_told(call: Call, tmp_path: Path) -> None:
    two = files(tmp_path, trips=TRIPS.replace("> 20", "> 32").replace("20;", "20; 3 : 5; 1 : 7;"))
    done = call("assign", *two, "--json", "--out", tmp_path / "out")
    assert done.json["unmet"] == 5.0
    assert "7 trips within a zone" in done.err
    assert "no path from zone 1 to zone 3: 5 trips are unmet" in done.err
    assert json.loads((tmp_path / "out" / MARKER).read_text(encoding="utf-8"))["within_zone"] == 7.0
    assert "7 trips within a zone" in (tmp_path / "out" / "changes.csv").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "unmet.csv").read_text(encoding="utf-8").splitlines()[1:] == ["1,3,5.0"]
    out = call("assign", *two).out
    assert "Trips that are unmet" in out
    assert "7 trips within a zone" in out


def test_no_room_is_told(call: Call, tmp_path: Path) -> None:
    two = files(tmp_path, trips=TRIPS.replace("20", "50"))
    assert call("assign", *two, "--principle", "mincost", "--json").json["unmet"] == pytest.approx(10)
    told = call("assign", *two, "--principle", "cue", "--unmet", 100, "--json").json
    assert told["unmet"] == pytest.approx(10, rel=1e-6)


def test_the_table_says_what_the_json_says(call: Call, two: tuple[Path, Path], tmp_path: Path) -> None:
    done = call("assign", *two, "--out", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    plain = re.sub(r"\s+", " ", done.out)
    assert "user equilibrium" in plain
    assert "│ status │ converged │" in plain
    assert "│ beckmann │ 325 │" in plain
    assert f"Link flows are in {tmp_path / 'out'}" in done.out.replace("\n", "")


def test_flows_appear_whole_or_not_at_all(
    call: Call, two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a" / "out"
    assert call("assign", *two, "--out", out).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(before) == {MARKER, "links.csv", "convergence.csv", "unmet.csv", "changes.csv"}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("landbridge.study.flow_files.json.dumps", full)
        refused(call("assign", *two, "--toll-factor", 1, "--out", out), "could not be written: .*No space")
        refused(call("assign", *two, "--out", tmp_path / "b" / "out"), "could not be written")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert not (tmp_path / "b").exists()
    assert call("assign", *two, "--toll-factor", 1, "--out", out).code == 0
    assert volumes(out)[0] == pytest.approx(TOLLED)


def test_foreign_folders_are_left_alone(call: Call, two: tuple[Path, Path], tmp_path: Path) -> None:
    held = tmp_path / "results"
    held.mkdir()
    (held / MANIFEST).write_text("{}", encoding="utf-8")
    refused(call("assign", *two, "--out", held), "left alone")
    refused(call("assign", *two, "--out", two[0]), "got a file")
    assert [path.name for path in held.iterdir()] == [MANIFEST]


def test_a_gap_that_is_not_reached_is_an_error(call: Call, tmp_path: Path) -> None:
    # queues grow without end where nothing may stay unmet
    two = files(tmp_path, trips=TRIPS.replace("20", "50"))
    done = call("assign", *two, "--principle", "cue", "--json", "--out", tmp_path / "out")
    refused(done, r"capacitated user equilibrium: .*\(here: --unmet\)")
    assert not (tmp_path / "out").exists()


def test_wrong_questions_about_networks_are_told(call: Call, two: tuple[Path, Path], tmp_path: Path) -> None:
    net, trips = two
    refused(call("assign", tmp_path / "none.tntp", trips), "none.tntp: no such file")
    refused(call("assign", net, tmp_path / "none.tntp"), "none.tntp: no such file")
    refused(call("assign", net), "wanted a file of trips")
    refused(call("assign", tmp_path, "--format", "tntp", trips), "folder|directory")
    refused(call("assign", tmp_path), "node.csv")
    refused(call("assign", *two, "--principle", "eu"), "unknown principle 'eu'; .*ue")
    refused(call("assign", *two, "--format", "csv"), "unknown format 'csv'; there are tntp, gmns")
    for word in ("0", "-1", "nan", "inf"):
        refused(call("assign", *two, "--gap", word), "--gap: wanted a number greater than 0")
    refused(call("assign", *two, "--toll-factor", "nan"), "--toll-factor: wanted a number, got nan")
    refused(call("assign", *two, "--toll-factor", "-100"), "cost >= 0")
    refused(call("assign", *two, "--principle", "sue"), "sue needs --scale")
    refused(call("assign", *two, "--scale", "1"), "--scale is for sue, not for ue")
    net.write_text(NETWORK.replace("1 2 10 3 10", "1 9 -1 x 10"), encoding="utf-8")
    refused(call("assign", net, trips), "fault")
    assert call("assign", *two, "--threads", 0).code == 2


@pytest.mark.shared
def test_sioux_falls(call: Call, shared: Path, tmp_path: Path) -> None:
    """Figures of Transportation Networks for Research."""
    two = [shared / "tntp" / f"SiouxFalls_{part}.tntp" for part in ("net", "trips")]
    told = call("assign", *two, "--gap", "1e-10", "--json", "--out", tmp_path / "out").json
    assert told["relative_gap"] <= 1e-10
    assert told["beckmann"] == pytest.approx(4_231_335.28711, rel=1e-9)
    assert told["total_travel_time"] == pytest.approx(7_480_225.34, rel=1e-8)
    assert len(volumes(tmp_path / "out")) == 76
    best = call("assign", *two, "--principle", "so", "--json").json
    assert best["total_travel_time"] == pytest.approx(7_194_256.05, rel=1e-8)


# -------------------------------------------------------------------------------------------------------- select


SCENARIOS = ["base", "cku"]


def kept(scenario: str) -> pl.DataFrame:
    return small_results().of("paths", scenario, 2023)


def table(name: str, scenario: str) -> pl.DataFrame:
    return small_results().of(name, scenario, 2023)


def totals_agree(left: pl.DataFrame, right: pl.DataFrame, key: str) -> None:
    """Tonnes by key are the same on both sides; what is missing is zero."""
    both = left.join(right, on=key, how="full", coalesce=True).fill_null(0.0)
    assert both.height > 5
    assert both["tonnes"].to_list() == pytest.approx(both["tonnes_right"].to_list(), rel=1e-9, abs=1e-3)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_paths_add_up_to_the_other_tables(scenario: str) -> None:
    paths = kept(scenario)
    assert (paths["tonnes"] > 0).all()
    tonnes = pl.col("tonnes").sum()
    for one, many, name in (("crossing", "crossings", "crossings"), ("link", "links", "links")):
        met = paths.explode(many).drop_nulls(many).group_by(pl.col(many).alias(one)).agg(tonnes)
        # a link has a row for each country; each has all its tonnes
        held = table(name, scenario)
        if one == "link":
            held = held.group_by("link", "country").agg(tonnes)
            lengths = held.group_by("link").agg(pl.col("tonnes").max() - pl.col("tonnes").min())
            assert lengths["tonnes"].max() < 1.0
            held = held.group_by("link").agg(pl.col("tonnes").max())
        totals_agree(met, held.group_by(one).agg(tonnes), one)
    by_passage = paths.group_by("passage").agg(tonnes)
    totals_agree(by_passage, table("passage_flows", scenario).group_by("passage").agg(tonnes), "passage")
    relations = table("relations", scenario)
    assert relations["relation"].to_list() == list(range(relations.height))
    loaded = paths.drop_nulls("relation").group_by("relation").agg(tonnes)
    totals_agree(loaded, relations.select("relation", pl.col("land_tonnes").alias("tonnes")), "relation")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_users_of_a_crossing_are_those_of_its_table(scenario: str) -> None:
    keys = ["exporter", "importer", "commodity"]
    flows = table("crossing_flows", scenario)
    largest = flows.group_by("crossing").agg(pl.col("tonnes").sum()).sort("tonnes", descending=True)
    for crossing in largest["crossing"].head(8).to_list():
        found = users_of(small_results(), "crossing", crossing, scenario, 2023)
        wanted = flows.filter(pl.col("crossing") == crossing).group_by(keys).agg(pl.col("tonnes").sum())
        both = found.pairs.join(wanted, on=keys, how="full", coalesce=True)
        assert both["tonnes"].to_list() == pytest.approx(both["tonnes_right"].to_list(), rel=1e-9)
        assert found.tonnes == pytest.approx(wanted["tonnes"].sum(), rel=1e-9)
        assert found.empty_tonnes + found.relations["tonnes"].sum() == pytest.approx(found.tonnes, rel=1e-9)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_transit_through_a_country_is_that_of_its_table(scenario: str) -> None:
    countries = pl.read_csv(
        Path(cli.__file__).parents[1] / "atlas" / "countries.csv", columns=["iso2", "iso3"], infer_schema=False
    )
    iso3 = dict(zip(countries["iso2"], countries["iso3"], strict=True))
    for country, transit in table("countries", scenario).select("country", "transit_tonnes").rows():
        found = users_of(small_results(), "country", country, scenario, 2023).relations
        own = iso3.get(country, "")
        through = found.filter((pl.col("exporter") != own) & (pl.col("importer") != own))
        assert through["tonnes"].sum() == pytest.approx(transit, rel=1e-9, abs=1e-3)


def test_shares_of_a_relation_over_all_passages_are_one() -> None:
    results = small_results()
    parts = [users_of(results, "passage", p, "base", 2023).relations for p in names_of(results, "passage")]
    whole = pl.concat(parts).group_by("relation").agg(pl.col("share", "tonnes").sum(), pl.col("land_tonnes").first())
    assert whole["share"].to_list() == pytest.approx([1.0] * whole.height, rel=1e-9)
    used = table("relations", "base").filter(pl.col("land_tonnes") > 0)
    assert sorted(whole["relation"]) == used["relation"].to_list()


@pytest.mark.parametrize("kind", KINDS)
def test_select_tells_what_the_paths_say(call: Call, kind: str) -> None:
    paths = kept("cku")
    column = "passage" if kind == "passage" else KINDS[kind]
    met = paths[column] if kind == "passage" else paths[column].explode().drop_nulls()
    name = met.mode().sort()[0]
    told = call("select", small_folder(), f"--{kind}", name, "--scenario", "cku", "--year", 2023, "--json").json
    using = [row for row in paths.to_dicts() if (row[column] == name if kind == "passage" else name in row[column])]
    assert (told["kind"], told["id"], told["scenario"], told["year"]) == (kind, name, "cku", 2023)
    assert told["tonnes"] == pytest.approx(sum(row["tonnes"] for row in using))
    assert told["land_tonnes"] == pytest.approx(paths["tonnes"].sum())
    assert sum(row["tonnes"] for row in told["pairs"]) == pytest.approx(told["tonnes"])
    assert all(0 < row["share"] <= 1 for row in [*told["pairs"], *told["relations"]])
    assert all(row["tonnes"] == pytest.approx(row["share"] * row["land_tonnes"]) for row in told["relations"])
    assert sum(row["relations"] for row in told["pairs"]) == len(told["relations"])
    done = call("select", small_folder(), f"--{kind}", name, "--scenario", "cku", "--rows", 2)
    assert f"Who uses {kind} {name}, 2023, scenario cku" in re.sub(r"\s+", " ", done.out)
    assert f"{min(2, len(told['pairs']))} of {len(told['pairs'])} rows" in re.sub(r"\s+", " ", done.out)


def test_shares_that_are_not_settled_have_an_interval(call: Call, tmp_path: Path) -> None:
    """Each interval holds the flows at hand, and its ends are those of a program written anew from the table."""
    results = small_results()
    frame = table("alternatives", "cku")
    used = frame.filter(pl.col("tonnes") > 0)
    held = used.group_by("relation").agg(pl.col("tonnes").sum()).drop_nulls()
    land = table("relations", "cku").select("relation", "land_tonnes")
    both = held.join(land, on="relation")
    assert both.height > 5
    assert both["tonnes"].to_list() == pytest.approx(both["land_tonnes"].to_list(), rel=1e-9)
    widths = []
    for country in ("KZ", "MN", "RU"):
        told = call("select", small_folder(), "--country", country, "--scenario", "cku", "--rows", 40, "--json").json
        assert told["tonnes_least"] <= told["tonnes"] * (1 + 1e-12)
        assert told["tonnes_most"] >= told["tonnes"] * (1 - 1e-12)
        for row in told["pairs"][:40]:
            assert 0 <= row["share_least"] <= row["share"] * (1 + 1e-9)
            assert row["share"] * (1 - 1e-9) <= row["share_most"] <= 1
            widths.append(row["share_most"] - row["share_least"])
        assert all(row["share_least"] is None for row in told["pairs"][40:])
    assert 0 <= min(widths) < 1e-9
    # a program of our own, by scipy: the least and the most over paths through Kazakhstan
    counted = np.array(["KZ" in names for names in frame["countries"].to_list()], np.float64)
    group = np.unique(frame["group"].to_numpy(), return_inverse=True)[1]
    owner = np.repeat(np.arange(frame.height), frame["facilities"].list.len().to_numpy())
    facility = np.unique(frame["facilities"].explode().drop_nulls().to_numpy(), return_inverse=True)[1]
    load = frame["trains_day_per_t_yr"].explode().drop_nulls().to_numpy()
    rows = np.concatenate([group, group.max() + 1 + facility])
    columns = np.concatenate([np.arange(frame.height), owner])
    scale = 1e6
    matrix = sparse.coo_matrix((np.concatenate([np.ones(frame.height), load * scale]), (rows, columns))).tocsr()
    now = frame["tonnes"].to_numpy()
    right = matrix @ now
    slack = 1e-7 * np.abs(right).max()
    limits = sparse.vstack([matrix, -matrix]), np.concatenate([right + slack, slack - right])
    told = call("select", small_folder(), "--country", "KZ", "--scenario", "cku", "--json").json
    for sign, end in ((1.0, "tonnes_least"), (-1.0, "tonnes_most")):
        answer = optimize.linprog(sign * counted, A_ub=limits[0], b_ub=limits[1], method="highs-ds")
        wanted = told["tonnes"] - counted @ now + sign * answer.fun
        assert told[end] == pytest.approx(wanted, rel=1e-3)
    old = shutil.copytree(small_folder(), tmp_path / "old")
    (old / "tables" / "alternatives.parquet").unlink()
    manifest = json.loads((old / MANIFEST).read_text(encoding="utf-8"))
    del manifest["tables"]["alternatives"]
    (old / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    told = call("select", old, "--country", "KZ", "--json").json
    assert told["tonnes_least"] is None
    assert "run the study again" in told["interval_note"]
    assert "no interval" in call("select", old, "--country", "KZ").out
    assert results.of("alternatives", "base", 2023).height > 0


def test_a_line_that_is_not_there_yet_has_no_users(call: Call) -> None:
    both = [set(table("links", scenario)["link"]) for scenario in SCENARIOS]
    new = min(both[1] - both[0])
    told = call("select", small_folder(), "--link", new, "--json").json
    assert (told["tonnes"], told["pairs"], told["relations"]) == (0.0, [], [])
    assert call("select", small_folder(), "--link", new).code == 0


def test_wrong_questions_about_users_are_told(call: Call, tmp_path: Path) -> None:
    folder = small_folder()
    assert call("select", folder, "--country", "kz", "--json").json["id"] == "KZ"
    refused(call("select", folder), "wanted one of --link, --crossing, --country and --passage, got none")
    refused(call("select", folder, "--country", "KZ", "--passage", "other"), "got 2")
    refused(call("select", folder, "--crossing", "khorgos"), "did you mean khorgos-altynkol")
    refused(call("select", folder, "--passage", "zz"), "unknown passage 'zz'; there are .*other")
    refused(call("select", folder, "--country", "KAZ"), "unknown country 'KAZ'")
    refused(call("select", folder, "--country", "KZ", "--year", 1999), "unknown year '1999'; there are 2023")
    refused(call("select", folder, "--country", "KZ", "--scenario", "ckuu"), "did you mean cku")
    refused(call("select", tmp_path, "--country", "KZ"), "not a results folder")
    shutil.copytree(folder, tmp_path / "old")
    (tmp_path / "old" / "tables" / "paths.parquet").unlink()
    manifest = json.loads((tmp_path / "old" / MANIFEST).read_text(encoding="utf-8"))
    del manifest["tables"]["paths"]
    (tmp_path / "old" / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    refused(call("select", tmp_path / "old", "--country", "KZ"), "keep no paths; run the study again")


@pytest.mark.parametrize("verb", ["assign", "select"])
def test_help_names_every_option(call: Call, verb: str) -> None:
    done = call(verb, "--help")
    assert done.code == 0
    assert "--json" in done.out
