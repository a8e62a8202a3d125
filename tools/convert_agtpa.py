"""Make tests/data/trade/agtpa_ch1.npz from the data set of the R package tradepolicy (data under CC BY 4.0).

The rows of chapter 1, application 1 of An Advanced Guide to Trade Policy Analysis: 69 countries, every fourth year from
1986 to 2006, trade of manufactures in million USD, as arrays by year, exporter and importer.

    pip install rdata
    python tools/convert_agtpa.py TRADEPOLICY_FOLDER/data/agtpa_applications.rda
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "tests" / "data" / "trade" / "agtpa_ch1.npz"
CREDIT = (
    "Yotov, Piermartini, Monteiro and Larch (2016), An Advanced Guide to Trade Policy Analysis, WTO and UNCTAD, as "
    "redistributed in the R package tradepolicy by Mauricio Vargas Sepulveda, CC BY 4.0"
)
YEARS = tuple(range(1986, 2007, 4))


def main() -> None:
    """Read the package's file and write the arrays."""
    import rdata  # noqa: PLC0415 - not a dependency of the project

    data = rdata.read_rda(sys.argv[1])["agtpa_applications"]
    data = data[data["year"].isin(YEARS)]
    countries = sorted({str(v) for v in data["exporter"]})
    number = {c: i for i, c in enumerate(countries)}
    where = (
        np.array([YEARS.index(int(y)) for y in data["year"]]),
        np.array([number[str(v)] for v in data["exporter"]]),
        np.array([number[str(v)] for v in data["importer"]]),
    )
    arrays = {}
    for name, kind in (
        ("trade", np.float64),
        ("dist", np.float64),
        ("cntg", np.int8),
        ("lang", np.int8),
        ("clny", np.int8),
    ):
        values = np.zeros((len(YEARS), len(countries), len(countries)))
        values[where] = np.asarray(data[name], float)
        arrays[name] = (values[0] if name != "trade" else values).astype(kind)
    np.savez_compressed(TARGET, countries=np.array(countries), years=np.array(YEARS), credit=np.array(CREDIT), **arrays)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:,.0f} kB, {len(countries)} countries")


if __name__ == "__main__":
    main()
