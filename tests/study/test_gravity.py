"""Gravity against published and other programs' estimates, to six digits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from landbridge.errors import LandbridgeError
from landbridge.study.gravity import fit_gravity

DATA = Path(__file__).resolve().parents[1] / "data" / "trade"

SIX = 1e-6


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    """The 900 flows that gegravity ships (MIT)."""
    return pl.read_csv(DATA / "gegravity_sample.csv")


def test_the_gegravity_sample(sample: pl.DataFrame) -> None:
    """Its documentation prints these from Stata's ppmlhdfe: -0.3898623 0.891577 0.0326249 0.4711383 -3.412584."""
    names = ["lndist", "contiguity", "common_language", "pta", "international"]
    fit = fit_gravity(sample, "trade", names)
    wanted = [-0.38986231311023906, 0.8915768981263938, 0.03262496673613495, 0.47113830269189427, -3.4125844118659407]
    errors = [0.0756917571691841, 0.13764589387613996, 0.08718035722652878, 0.11164060981211975, 0.22308178848079116]
    np.testing.assert_allclose([fit.coefficient[n] for n in names], wanted, rtol=SIX)
    np.testing.assert_allclose([fit.standard_error[n] for n in names], errors, rtol=1e-4)
    assert (fit.observations, fit.kept) == (900, 900)
    assert sum(fit.dropped.values()) == 0


def test_the_advanced_guide(shared: Path) -> None:
    """Chapter 1, application 1; published: -0.841 0.437 0.247 -0.222 on 28,152 rows."""
    with np.load(DATA / "agtpa_ch1.npz") as z:
        arrays = {name: z[name] for name in z.files}
    assert "CC BY" in str(arrays["credit"])
    n = len(arrays["countries"])
    years, e, i = (v.ravel() for v in np.meshgrid(np.arange(6), np.arange(n), np.arange(n), indexing="ij"))
    keep = e != i
    years, e, i = years[keep], e[keep], i[keep]
    frame = pl.DataFrame(
        {
            "trade": arrays["trade"][years, e, i],
            "ld": np.log(arrays["dist"][e, i]),
            **{name: arrays[name][e, i].astype(float) for name in ("cntg", "lang", "clny")},
            "exporter": e,
            "importer": i,
            "year": years,
            "pair": np.minimum(e, i) * n + np.maximum(e, i),
        }
    )
    fit = fit_gravity(
        frame, "trade", ["ld", "cntg", "lang", "clny"], effects=("exporter^year", "importer^year"), cluster="pair"
    )
    wanted = json.loads((shared / "reference/trade/ppml_anchors.json").read_text())["agtpa_ch1_app1_ppml"]
    for name, value in wanted["coef"].items():
        assert fit.coefficient[name] == pytest.approx(value, rel=SIX)
        assert fit.standard_error[name] == pytest.approx(wanted["se_cluster_pair"][name], rel=1e-4)
    assert fit.observations == wanted["n"]
    assert np.round(list(fit.coefficient.values()), 3).tolist() == [-0.841, 0.437, 0.247, -0.222]


@pytest.mark.shared
@pytest.mark.parametrize("sector", ["all_goods", "food", "fuels", "machinery_transport"])
def test_the_united_nations_matrix_of_2015(shared: Path, sector: str) -> None:
    """84 countries of Eurasia: distance, border, language, colony, and the three unions, against pyfixest's own run."""
    folder = shared / "data/trade"
    wanted = json.loads((shared / "reference/trade/ppml_unctad2015.json").read_text())["results"][sector]
    rows = pl.read_csv(folder / "trade_2015_sitc.csv")
    rows = rows if sector == "all_goods" else rows.filter(pl.col("commodity") == sector)
    keys = ["exporter_iso3", "importer_iso3"]
    flows = rows.group_by(keys).agg(pl.col("value_usd").sum() / 1e6)
    # the Commonwealth as it was in 2015, Ukraine and Turkmenistan included
    cis = (pl.col("cis") == 1) | pl.col("iso3").is_in(["UKR", "TKM"])
    members = pl.read_csv(folder / "countries.csv").select("iso3", "eu", "eaeu", cis.cast(pl.Int64).alias("cis"))
    pairs = pl.read_csv(folder / "dyads_cepii_geodist.csv", null_values=["."], infer_schema_length=None)
    known = set(members["iso3"].to_list()) & set(pairs["exporter_iso3"].to_list())
    assert len(known) == 84
    frame = (
        pairs.filter(pl.col("exporter_iso3").is_in(known) & pl.col("importer_iso3").is_in(known))
        .filter(pl.col("exporter_iso3") != pl.col("importer_iso3"))
        .join(flows, on=keys, how="left")
        .join(members, left_on="exporter_iso3", right_on="iso3")
        .join(members, left_on="importer_iso3", right_on="iso3", suffix="_to")
        .select(
            pl.col("value_usd").fill_null(0.0).alias("trade"),
            pl.col("exporter_iso3").alias("exporter"),
            pl.col("importer_iso3").alias("importer"),
            pl.coalesce("distw", "dist").log().alias("ldist"),
            *(pl.col(c).cast(pl.Float64) for c in ("contig", "comlang_off", "colony")),
            *(
                (pl.col(c) * pl.col(f"{c}_to")).cast(pl.Float64).alias("cis" if c == "cis" else c.upper())
                for c in ("eu", "eaeu", "cis")
            ),
            pl.concat_str(pl.min_horizontal(keys), pl.max_horizontal(keys)).alias("pair"),
        )
    )
    fit = fit_gravity(frame, "trade", list(wanted["coef"]), cluster="pair")
    for name, value in wanted["coef"].items():
        assert fit.coefficient[name] == pytest.approx(value, abs=2e-6), name
        assert fit.standard_error[name] == pytest.approx(wanted["se_cluster_pair"][name], rel=2e-2), name
    assert fit.kept == wanted["n"]


def test_what_does_not_count_is_told(sample: pl.DataFrame) -> None:
    """An exporter that sells nothing has no effect to estimate, and its rows are counted as left out."""
    silent = sample.with_columns(pl.when(pl.col("exporter") == "DNK").then(0).otherwise(pl.col("trade")).alias("trade"))
    fit = fit_gravity(silent, "trade", ["lndist", "pta"])
    assert fit.observations - fit.kept == sum(fit.dropped.values()) == 30


def test_wrong_input_is_told(sample: pl.DataFrame) -> None:
    with pytest.raises(LandbridgeError, match="wanted columns lndistance"):
        fit_gravity(sample, "trade", ["lndistance"])
    with pytest.raises(LandbridgeError, match="below zero in 900 rows"):
        fit_gravity(sample.with_columns(pl.lit(-1).alias("trade")), "trade", ["lndist"])
    with pytest.raises(LandbridgeError, match="no finite"):
        fit_gravity(sample.with_columns(pl.lit(None, pl.Float64).alias("lndist")), "trade", ["lndist"])
    with pytest.raises(LandbridgeError, match="twice cannot be told from"):
        fit_gravity(sample.with_columns(pl.col("lndist").alias("twice")), "trade", ["lndist", "twice"])
