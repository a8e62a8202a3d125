"""The gallery: examples are sound studies, pages name their study and its scenarios, and one of them runs small."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from landbridge.data.read import read_atlas
from landbridge.show.cli import app
from landbridge.study.files import read_study
from landbridge.study.results import Results, read_results

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
PAGES = sorted(p for p in (ROOT / "docs" / "gallery").glob("*.md") if p.name != "README.md")
HEADINGS = ("## The study", "## The answer", "## What it rests on", "## What not to read into it")


@pytest.mark.parametrize("study", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_has_no_faults(study: Path) -> None:
    result = CliRunner().invoke(app, ["study", "check", str(study)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_is_of_its_study(page: Path) -> None:
    text = page.read_text()
    found = re.search(r"landbridge run (examples/[\w-]+\.toml) --out results/[\w-]+", text)
    assert found, "no command"
    study = read_study(ROOT / found.group(1))
    assert [h for h in HEADINGS if h not in text] == []
    assert re.search(r"^> .+\?$", text, re.MULTILINE), "no question"
    figures = text.split("<!-- figures: made by tools/gallery.py -->")[1].split("<!-- end of figures -->")[0]
    assert [s.id for s in study.scenarios if f"`{s.id}`" not in figures] == []
    assert [y for y in study.years if f"Freight in {y}" not in figures] == []
    answer = text.split("## The answer")[1].split("<!-- figures")[0]
    told = re.findall(r"\*\*(.+?)\*\*", answer, re.DOTALL)[0]
    assert [n for n in re.findall(r"\d+\.\d+", told) if n not in figures] == []
    assert f"({page.name})" in (page.parent / "README.md").read_text()


def test_the_index_names_pages_that_are_there() -> None:
    text = (ROOT / "docs" / "gallery" / "README.md").read_text()
    assert sorted(re.findall(r"\]\(([\w-]+\.md)\)", text)) == [p.name for p in PAGES]
    assert "docs/gallery/README.md" in (ROOT / "README.md").read_text()


def test_shut_ferries_move_freight_to_the_south(tmp_path: Path) -> None:
    """On the small size: barred from Russia, freight takes ways round it; with the ferries shut they carry nothing."""
    text = (ROOT / "examples" / "middle-or-south.toml").read_text()
    study = tmp_path / "small.toml"
    study.write_text(text.replace('compare = "base"', 'compare = "base"\nsize = "reduced"'))
    result = CliRunner().invoke(app, ["run", str(study), "--quiet", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    results = read_results(tmp_path / "out")
    assert results.scenarios == ["base", "barred", "no-caspian", "no-iran"]
    assert results["totals"]["status"].to_list() == ["converged"] * 4

    def crossed(scenario: str, country: str) -> float:
        """Tonnes between China and the Union on paths that touch a country."""
        relations = results.of("relations", scenario, 2023)
        eu = read_atlas()["blocs"].filter(pl.col("bloc") == "eu").select("iso2")
        codes = read_atlas()["countries"].join(eu, on="iso2")["iso3"].to_list()
        pairs = relations.filter(
            (pl.col("exporter") == "CHN") & pl.col("importer").is_in(codes)
            | (pl.col("importer") == "CHN") & pl.col("exporter").is_in(codes)
        )
        paths = results.of("paths", scenario, 2023).join(pairs.select("relation"), on="relation")
        return float(paths.filter(pl.col("countries").list.contains(country))["tonnes"].sum())

    assert crossed("base", "RU") > 0
    assert crossed("barred", "RU") == crossed("barred", "BY") == 0
    ferries = ["ferry:kz-aktau:az-alat", "ferry:kz-kuryk:az-alat"]
    for scenario, some in (("base", True), ("no-caspian", False)):
        sailed = results.of("links", scenario, 2023).filter(pl.col("link").is_in(ferries))["tonnes"].sum()
        assert (sailed > 0) is some


def test_the_figures_are_those_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row's numbers are read from its own columns: one known row, told as the page tells it."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    sys.modules.pop("gallery", None)
    import gallery  # type: ignore[import-not-found]

    assert gallery.aligned(["way", "Mt"], [["a", "1.00"]]) == "| way | Mt |\n|---|---:|\n| a | 1.00 |\n"
    assert sorted(gallery.GALLERY) == sorted(p.stem for p in PAGES)

    def told(frames: dict[str, pl.DataFrame]) -> Results:
        study = {"scenarios": [{"id": "shut", "name": "Shut"}, {"id": "open", "name": "Open"}], "years": [2025]}
        return Results(tmp_path, {"study": {**study, "compare": "shut"}}, frames)

    totals = {"scenario": ["shut", "open"], "year": [2025] * 2, "land_tonnes": [7.3e6, 3.65e6], "land_teu": [73e3, 0.0]}
    page = gallery.Page("a", (), season="sea-nsr")
    days = read_atlas()["lines"].filter(pl.col("id") == "sea-nsr")["season_days"][0]
    text = gallery.in_season(page, told({"totals": pl.DataFrame(totals)}), 2025)
    assert f"| `open` | 3.65 | {days / 100:.2f} | {0.2 * days:.1f} |" in text  # a 365th of each, times the days

    keys = {"exporter": ["CHN", "RUS"], "importer": ["RUS", "CHN"], "commodity": ["machinery", "machinery"]}
    flows = pl.DataFrame(
        {"passage": "crk", **keys, "tonnes": [2e6, 1e6], "teu": [1e5, 1e5]}
    )  # 0.05 and 0.1 TEU a tonne
    relations = pl.DataFrame(
        {
            "relation": [1, 2, 3],
            "origin_zone": ["cn-xian", "cn-xian", "ru-moscow"],
            "destination_zone": ["ru-moscow", "ru-samara", "cn-xian"],
            **{name: [values[0], values[0], values[1]] for name, values in keys.items()},
        }
    )
    paths = pl.DataFrame(
        {"relation": [1, 1, 2, 3], "passage": ["crk", "other", "crk", "crk"], "tonnes": [1e6, 9e6, 5e6, 2e5]}
    )
    page = gallery.Page("a", (), terminal=("crk", "ru-moscow", "block-ru-selyatino"))
    empty = {n: f.clear() for n, f in (("passage_flows", flows), ("relations", relations), ("paths", paths))}
    both = {n: pl.concat([with_scenario(f, "open"), with_scenario(empty[n], "shut")]) for n, f in
            (("passage_flows", flows), ("relations", relations), ("paths", paths))}  # fmt: skip
    text = gallery.at_terminal(page, told(both), 2025)
    assert f"| `open` | 1.20 | 50.0 | 20.0 | {50e3 / 110 / 52:.1f} |" in text
    assert "| `shut` | 0.00 | 0.0 | 0.0 | 0.0 |" in text


def with_scenario(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """A table of one scenario in 2025."""
    return frame.select(pl.lit(name).alias("scenario"), pl.lit(2025, dtype=pl.Int64).alias("year"), pl.all())
