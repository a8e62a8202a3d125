"""Make tests/data/trade/nafta_cp2015.npz from the R package cp2015 (MIT), which holds Caliendo and Parro's data set.

The package's file `data/cp2015_nafta.rda` lists long tables; the arrays here are theirs, sorted by the package's order
of regions and sectors, in single precision (seven digits), which is far finer than the two digits that are published.

    pip install rdata
    python tools/convert_nafta.py CP2015_FOLDER/data/cp2015_nafta.rda
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "tests" / "data" / "trade" / "nafta_cp2015.npz"
CREDIT = (
    "Caliendo and Parro (2015), Estimates of the Trade and Welfare Effects of NAFTA, REStud 82(1), as redistributed in "
    "the R package cp2015 by Paulo Felipe Alencar de Oliveira, MIT licence"
)


def main() -> None:
    """Read the package's file and write the arrays."""
    import rdata  # noqa: PLC0415 - not a dependency of the project

    data = rdata.read_rda(sys.argv[1])["cp2015_nafta"]
    regions = [str(v) for v in data["sets"]["regions"]]
    sectors = [str(v) for v in data["sets"]["sectors"]]
    index = {"region": regions, "importer": regions, "exporter": regions, "sector": sectors, "input": sectors}

    def array(table: str, axes: list[str], value: str = "value") -> np.ndarray:
        frame = data[table]
        out = np.zeros([len(index[a]) for a in axes])
        where = tuple(np.array([index[a].index(str(v)) for v in frame[a]]) for a in axes)
        np.add.at(out, where, np.asarray(frame[value], float))
        return out

    pair = ["sector", "exporter", "importer"]
    arrays = {
        "trade": array("trade", pair),
        "tariff": array("trade", pair, "tariff"),
        "tariff_base": array("trade", pair, "tariff_bln"),
        "tariff_after": array("trade", pair, "tariff_cfl"),
        "intermediate": array("intermediate_consumption", ["region", "input", "sector"]),
        "value_added": array("value_added", ["region", "sector"]),
        "final": array("final_consumption", ["region", "sector"]),
        "deficit": array("deficit", ["region"], "D"),
        "theta": array("theta", ["sector"]),
    }
    np.savez_compressed(
        TARGET,
        regions=np.array(regions),
        sectors=np.array(sectors),
        credit=np.array(CREDIT),
        **{name: values.astype(np.float32) for name, values in arrays.items()},
    )
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:,.0f} kB, {len(regions)} regions, {len(sectors)} sectors")


if __name__ == "__main__":
    main()
