"""Which curve each type of facility follows: from the study file into the equilibrium."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.errors import StudyError
from landbridge.model import flows
from landbridge.model.network import ArcKind
from landbridge.scenario.apply import apply
from landbridge.study.curves import curves_of
from landbridge.study.files import fingerprint, read_study
from landbridge.study.solve import Settings, Solution, equilibrium, prepare, solve

PLAIN = Settings(size="reduced")
STUDY = 'name = "n"\nyears = [2023]\n{}\n[[scenario]]\nid = "base"\n'


@pytest.fixture(scope="module")
def tables() -> Tables:
    return apply(read_atlas(), (), 2023).tables


@pytest.fixture(scope="module")
def power(tables: Tables) -> Solution:
    return solve(tables, year=2023, settings=PLAIN)


def test_a_study_names_families(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(STUDY.format(""))
    plain = read_study(file)
    file.write_text(STUDY.format('curves = { line = "conical", yard = "power" }'))
    study = read_study(file)
    assert (plain.curves, study.curves) == ((), (("line", "conical"),))
    assert fingerprint(plain) != fingerprint(study)
    file.write_text(STUDY.format('curves = { line = "straight", road = "power" }'))
    with pytest.raises(StudyError) as error:
        read_study(file)
    assert "curves.line" in str(error.value)
    assert "curves.road" in str(error.value)


def test_only_facilities_of_that_type_follow_the_family(power: Solution) -> None:
    net = power.prepared.network
    assert curves_of(net, {"line": "power"}) == {}
    for name, kinds in (("line", {ArcKind.MOVE}), ("crossing", {ArcKind.BORDER})):
        made = curves_of(net, {name: "conical"})
        assert {ArcKind(int(net.kind[net.facility_arc[f]])) for f in made} == kinds
        for f, curve in made.items():
            assert isinstance(curve, flows.Conical)
            assert (curve.delay_h, curve.alpha) == (net.delay_h[f], net.power[f])


def test_conical_lines_delay_as_much_when_full_and_less_beyond(tables: Tables, power: Solution) -> None:
    conical = Settings(size="reduced", curves=(("line", "conical"),))
    prepared = prepare(tables, year=2023, settings=conical, like=power.prepared)
    assert prepared.network is power.prepared.network
    found = equilibrium(tables, prepared, settings=conical, start=power)
    assert found.equilibrium.convergence.relative_gap <= conical.gap
    net, volume = prepared.network, found.equilibrium.facility_trains_day
    arcs = np.flatnonzero((net.kind == ArcKind.MOVE) & (net.facility >= 0))
    some = arcs[np.isin(net.facility[arcs], list(prepared.curves))]
    f = net.facility[some]
    x = (volume[f] + net.preload_trains_day[f]) / net.capacity_trains_day[f]
    alpha = net.power[f]
    beta = (2 * alpha - 1) / (2 * alpha - 2)
    spiess = np.sqrt(alpha**2 * (1 - x) ** 2 + beta**2) - alpha * (1 - x) - beta + 1
    assert np.allclose(found.equilibrium.time_h[some], net.time_h[some] + net.delay_h[f] * spiess)
    x0 = net.preload_trains_day[f] / net.capacity_trains_day[f]
    spiess = np.sqrt(alpha**2 * (1 - x0) ** 2 + beta**2) - alpha * (1 - x0) - beta + 1
    assert np.allclose(prepared.free_h[some], net.time_h[some] + net.delay_h[f] * spiess)
