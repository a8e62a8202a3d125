"""Rules of terminal plans: one place for the check of a package, an overlay and the simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from landbridge.data.dictionary import read_dictionary
from landbridge.data.overlay import read_overlay
from landbridge.data.plans import HANDLERS, KINDS, PLAN_TABLES, plan_faults, plan_table_faults
from landbridge.data.read import ATLAS, read_frames
from landbridge.errors import DataError
from landbridge.model.terminals.plans import OPTIONS
from landbridge.study.terminal import plan_from


def test_all_faults_of_a_plan_at_once() -> None:
    faults = plan_faults(
        {"id": "bad", "side_a": "1435", "side_b": "1520", "stack_teu": 10},
        [
            {"id": "tracks", "kind": "track", "side": "1435", "count": 1},
            {"id": "customs", "kind": "customs", "count": 0, "minutes_train": -5},
            {"id": "robot", "kind": "robot"},
        ],
        [
            {"id": "indian", "arrives": "1676", "trains_day": 1},
            {"id": "west", "arrives": "1435", "trains_day": -3, "units_out": 50, "stack_teu_unit": 2},
            {"id": "coal", "arrives": "1435", "option": "reload", "cargo": "bulk", "pattern": "at whim"},
        ],
    )
    told = "\n".join(map(str, faults))
    for words in (
        "indian, arrives: wanted a side with tracks it fits (1435 or 1520), got 1676",
        "west, trains_day: wanted a number at least 0, at most 10000, got -3",
        "west, option: wanted a crane or stacker for transfer, got a plan with no crane or stacker",
        "west, track 1520: wanted tracks that its wagons fit, got none",
        "coal, pattern: wanted poisson or timetable or renewal, got 'at whim'",
        "customs, count: wanted a whole number at least 1",
        "customs, minutes_train: wanted a number at least 0",
        "robot, kind: wanted track or",
        "stack_teu: wanted at least",
    ):
        assert words in told
    assert len(faults) == len(set(faults))


def test_rules_and_model_mean_the_same() -> None:
    """Who handles what, and the kinds that rows may have, are said in each room: they agree."""
    assert dict(HANDLERS) == OPTIONS
    (column,) = [c for c in read_dictionary(ATLAS).of("terminal_resources") if c.name == "kind"]
    assert column.values == KINDS


def test_what_the_simulation_refuses_the_check_refuses(tmp_path: Path) -> None:
    """The same fault of the same plan, by the same words, whoever reads it."""
    frames = dict(read_frames(ATLAS)[0])
    assert plan_table_faults(frames) == []
    head, resources, streams = (frames[table].to_dicts() for table in PLAN_TABLES)
    head[0]["stack_teu"] = 10.0
    own = [[row for row in rows if row["plan"] == head[0]["id"]] for rows in (resources, streams)]
    with pytest.raises(DataError) as caught:
        plan_from(head[0], *own, where="terminal_plans.csv")
    (tmp_path / "terminal_plans.csv").write_text("id,stack_teu\nkhorgos-gateway,10\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        read_overlay(tmp_path)
    (ours,), (theirs,) = caught.value.faults, refused.value.faults
    assert (ours.field, ours.wanted, ours.got) == (theirs.field, theirs.wanted, theirs.got)
    assert (theirs.where, theirs.row) == ("terminal_plans.csv", "row 2 (khorgos-gateway)")


GATEWAY, STREAM = "khorgos-gateway", "khorgos-gateway:boxes-1435"

#: What is planted in an overlay, and the fault: file, row, field, words of what was wanted and came.
OVERLAID: dict[str, tuple[dict[str, str], tuple[str, str, str, str, str]]] = {
    "supply that names nothing": (
        {"terminal_streams": f"id,supply\n{STREAM},kz-khorgosgatway:1435-1520:transfer-container\n"},
        ("terminal_streams.csv", f"row 2 ({STREAM})", "supply", "did you mean kz-khorgosgateway:", "gatway")),
    "supply elsewhere": (
        {"terminal_streams": f"id,supply\n{STREAM},kz-dostyk:1435-1520:transfer-container\n"},
        ("terminal_streams.csv", f"row 2 ({STREAM})", "supply", "with place kz-khorgosgateway, as the", "kz-dostyk")),
    "supply of another cargo": (
        {"terminal_streams": f"id,cargo\n{STREAM},bulk\n"},
        ("terminal_streams.csv", f"row 2 ({STREAM})", "supply", "with cargo bulk", "transfer-container")),
    "year of two figures": (
        {"terminal_streams": f"id,year\n{STREAM},1;2\n"},
        ("terminal_streams.csv", f"row 2 ({STREAM})", "year", "12 factors >= 0", "['1', '2']")),
    "failures that nobody mends": (
        {"terminal_resources": "id,failure_every_h\nkhorgos-gateway:shunter,200\n"},
        ("terminal_resources.csv", "row 2 (khorgos-gateway:shunter)", "failure_every_h, failure_h", "both", "one")),
    "train that fits no track": (
        {"terminal_streams": f"id,arrives,supply\n{STREAM},1676,(empty)\n"},
        ("terminal_streams.csv", f"row 2 ({STREAM})", "arrives", "(1435 or 1520)", "1676")),
    "one side only": (
        {"terminal_plans": f"id,side_b\n{GATEWAY},1435\n"},
        ("terminal_plans.csv", f"row 2 ({GATEWAY})", "side_a, side_b", "two different sides", "1435 and 1435")),
    "fuller trains than the stack takes": (
        {"terminal_streams": f"id,units_out\n{STREAM},900\n", "terminal_plans": f"id,stack_teu\n{GATEWAY},1500\n"},
        ("terminal_plans.csv", f"row 2 ({GATEWAY})", "stack_teu", "the yard can lock itself", "1500")),
    "stop of what does not work there": (
        {"terminal_stops": "id,kind\noctober-2021-zamyn-uud,ramp\n",
         "terminal_resources": "id,kind\nzamyn-uud:ramp,release\n"},
        ("terminal_stops.csv", "row 2 (october-2021-zamyn-uud)", "kind", "what works at zamyn-uud", "'ramp'")),
    "stop on a side that is not there": (
        {"terminal_stops": "id,side\noctober-2021-zamyn-uud,1676\n"},
        ("terminal_stops.csv", "row 2 (october-2021-zamyn-uud)", "side", "1435 or 1520", "1676")),
    "one event with two volumes": (
        {"terminal_stops": "id,trains_day\npoland-2025-brest-in,12\n"},
        ("terminal_stops.csv", "row 2 (poland-2025-brest-in)", "trains_day", "6.7, as in the first stop", "12")),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERLAID)
def test_a_fault_of_a_users_plan_is_told_at_once_at_its_row(tmp_path: Path, name: str) -> None:
    files, (where, row, field, wanted, got) = OVERLAID[name]
    for table, text in files.items():
        (tmp_path / f"{table}.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_overlay(tmp_path)
    faults = caught.value.faults
    found = [f for f in faults if (f.where, f.row, f.field) == (where, row, field) and wanted in f.wanted]
    assert len(found) == 1, "\n".join(map(str, faults))
    assert got in found[0].got
