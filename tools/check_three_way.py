"""Check the three-way gravity estimate of the European Union's enlargement, on data that is not shipped.

    python tools/check_three_way.py GE_gravity_example_data.dta

The file is the example of Stata's `ge_gravity` (T. Zylkin; github.com/VKudlay/GEGravity, GPL-3; trade of 44 countries
in 2000, 2005, 2010 and 2014 from the World Input-Output Database). Effects of exporter and importer by year and of each
pair, errors by pair. Published: 0.224249 for new pairs of the union.
"""

from __future__ import annotations

import sys

import pandas as pd
import polars as pl

from landbridge.study.gravity import fit_gravity

PUBLISHED = 0.224249


def main(path: str) -> int:
    """Print the estimate; return whether it misses the published one."""
    rows = pd.read_stata(path)
    names = ["exporter", "importer", "year", "trade", "eu_enlargement", "other_fta"]
    frame = pl.DataFrame({name: rows[name].to_list() for name in names}).filter(
        pl.col("exporter") != pl.col("importer")
    )
    frame = frame.with_columns(pl.concat_str("exporter", "importer").alias("pair"))
    effects = ("exporter^year", "importer^year", "pair")
    fit = fit_gravity(frame, "trade", ["eu_enlargement", "other_fta"], effects=effects, cluster="pair")
    for name, value in fit.coefficient.items():
        print(f"{name:16} {value:10.6f}  standard error {fit.standard_error[name]:.6f}")
    missed = abs(fit.coefficient["eu_enlargement"] - PUBLISHED) > 1e-6
    print(f"{fit.kept} of {fit.observations} rows; published {PUBLISHED}: {'MISSED' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
