from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from landbridge.data.formats import (
    NetworkFile,
    read_gmns,
    read_gmns_trips,
    read_tntp_flows,
    read_tntp_network,
    read_tntp_trips,
    write_gmns,
)
from landbridge.errors import DataError, OutputError, UnknownName
from landbridge.study import assign

# Two zones, joined by a road through node 3 and by a straight one; no trip passes through the zones.
NETWORK = """<NUMBER OF ZONES>\t2
<NUMBER OF NODES> 3   ~ all of them
<first  thru node> 3
<NUMBER OF LINKS> 6
<TOLL FACTOR> 0.5
<END OF METADATA>

~ \tinit\tterm\tcapacity\tlength\tfree flow time\tb\tpower\tspeed\ttoll\ttype\t;
\t1\t3\t10\t1\t 1\t0\t0\t0\t0\t1\t;
   3 2   10 1 2 1.0 1 0 0 1 ;   ~ half of the way
2 3 10 1 1 0 0 0 0 1
3\t1\t10\t1\t2\t1\t1\t0\t0\t1;
1 2 8 4 5 0.15 4 0 2 1 ;
2 1 8 4 5 0.15 4 0 2 1 ;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 15.5
<END OF METADATA>
~ a comment

Origin \t1
    1 :   1.5;     2 :   10.0; ~ and more
ORIGIN 2
1:4;2 : 0.0;
"""
NODES = "node_id,x_coord,y_coord,node_type,zone_id\na,0,0,,west\nb,1,0,,\nc,2,0,Centroid,east\n"
LINKS = (
    "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,lanes,toll\n"
    "ab,a,b,0,10,50,900,2,0\n"
    "bc,b,c,true,5,50,1000,1,1.5\n"
    "cb,c,b,1,5,50,1000,1,\n"
)
CONFIG = "dataset_name,long_length,speed\nsmall,mile,mph\n"
DEMAND = "o_zone_id,d_zone_id,volume\nwest,east,100\neast,west,40\nwest,west,7\nwest,east,1\neast,east,0\n"


def tntp(folder: Path, network: str = NETWORK, trips: str = TRIPS) -> tuple[Path, Path]:
    paths = folder / "small_net.tntp", folder / "small_trips.tntp"
    for path, text in zip(paths, (network, trips), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def gmns(folder: Path, **files: str) -> Path:
    for name, text in {"node": NODES, "link": LINKS, "config": CONFIG, "demand": DEMAND, **files}.items():
        if text:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def told(error: pytest.ExceptionInfo[DataError]) -> list[tuple[str, str, str]]:
    return [(fault.where, fault.row, fault.field) for fault in error.value.faults]


def same(a: NetworkFile, b: NetworkFile) -> None:
    for field in ("node_name", "zone_name", "link_name", "first_thru_node", "toll_factor", "distance_factor"):
        assert getattr(a, field) == getattr(b, field), field
    for field in ("tail", "head", "zone_node", "node_x", "free_flow_time", "capacity", "b", "power", "length", "toll"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field), err_msg=field)


# --------------------------------------------------------------------------------------------------------- TNTP


def test_tntp_network(tmp_path: Path) -> None:
    network = read_tntp_network(tntp(tmp_path)[0])
    assert network.node_name == ("1", "2", "3")
    assert network.zone_name == ("1", "2")
    assert network.zone_node.tolist() == [0, 1]
    assert network.first_thru_node == 2
    assert network.tail.tolist() == [0, 2, 1, 2, 0, 1]
    assert network.head.tolist() == [2, 1, 2, 0, 1, 0]
    assert network.free_flow_time.tolist() == [1, 2, 1, 2, 5, 5]
    assert network.capacity.tolist() == [10, 10, 10, 10, 8, 8]
    assert network.b.tolist() == [0, 1, 0, 1, 0.15, 0.15]
    assert network.toll.tolist() == [0, 0, 0, 0, 2, 2]
    assert (network.toll_factor, network.distance_factor) == (0.5, 0.0)
    assert network.link_name == ("1", "2", "3", "4", "5", "6")
    assert network.changes == ()


def test_tntp_trips(tmp_path: Path) -> None:
    trips = read_tntp_trips(tntp(tmp_path)[1])
    assert trips.origin.tolist() == [0, 0, 1]
    assert trips.destination.tolist() == [0, 1, 0]
    assert trips.volume.tolist() == [1.5, 10.0, 4.0]
    assert [str(change) for change in trips.changes] == [
        "small_trips.tntp, 1 rows, volume: dropped: no trips between the zones"
    ]


def test_tntp_changes_are_told(tmp_path: Path) -> None:
    rows = "1 1 10 1 1 0 0 0 0 1;\n1 2 0 1 5 0 0;\n1 2 0 1 0 0.15 4 0 0 1;\n2 1 9 1 1 0 0 0 0 1;\n"
    head = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<END OF METADATA>\n"
    trips = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 9\n<END OF METADATA>\nOrigin 1\n2 : 1; 2 : 3;\n"
    files = tntp(tmp_path, head + rows, trips)
    network, table = read_tntp_network(files[0]), read_tntp_trips(files[1])
    assert network.tail.tolist() == [0, 0, 1]
    assert network.capacity.tolist() == [np.inf, np.inf, 9.0]
    assert network.link_name == ("2", "3", "4")
    assert [(change.row, change.field, change.action) for change in network.changes] == [
        ("", "FIRST THRU NODE", "changed"),
        ("line 4", "", "dropped"),
        ("line 5", "toll", "changed"),
        ("line 5", "capacity", "changed"),
        ("line 6", "capacity", "changed"),
    ]
    assert table.volume.tolist() == [4.0]
    assert [(change.row, change.field) for change in table.changes] == [
        ("2 rows", "volume"),
        ("line 2", "TOTAL OD FLOW"),
    ]
    first = read_tntp_network(files[0], parallel="first")
    assert first.link_name == ("2", "4")
    assert first.changes[-1].reason == "another link from node 1 to node 2"


def test_tntp_faults_come_all_at_once(tmp_path: Path) -> None:
    network = (
        "<NUMBER OF ZONES> 4\n<NUMBER OF NODES> 3\n<NUMBER OF LINKS> 9\n<TOLL FACTOR> much\n<END OF METADATA>\n"
        "1 2 10 1 1 0\n1 7 10 1 1 0 0;\n1 2 ten 1 -1 0 0;\n1 2 0 1 1 0.15 4;\n1.5 2 1 1 nan 0 0;\n"
    )
    trips = (
        "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> all\n<END OF METADATA>\n1 : 3;\n"
        "Origin 3\n1 : 2;\nOrigin 1\n2 5; 3 : 1; 2 : -1; x : 1; 1 : 1e999;\n"
    )
    files = tntp(tmp_path, network, trips)
    with pytest.raises(DataError) as error:
        read_tntp_network(files[0])
    assert sorted(told(error)) == sorted(
        [
            ("small_net.tntp", "line 1", "NUMBER OF ZONES"),
            ("small_net.tntp", "line 3", "NUMBER OF LINKS"),
            ("small_net.tntp", "line 4", "TOLL FACTOR"),
            ("small_net.tntp", "line 6", ""),
            ("small_net.tntp", "line 7", "term_node"),
            ("small_net.tntp", "line 8", "capacity"),
            ("small_net.tntp", "line 8", "free_flow_time"),
            ("small_net.tntp", "line 9", "capacity"),
            ("small_net.tntp", "line 10", "init_node"),
            ("small_net.tntp", "line 10", "free_flow_time"),
        ]
    )
    assert "line 8, capacity: wanted a number, got ten" in str(error.value)
    with pytest.raises(DataError) as error:
        read_tntp_trips(files[1])
    assert [fault.row for fault in error.value.faults].count("line 8") == 5
    assert {("small_trips.tntp", "line 4", "origin"), ("small_trips.tntp", "line 5", "origin")} <= set(told(error))
    assert ("small_trips.tntp", "line 2", "TOTAL OD FLOW") in told(error)


@pytest.mark.parametrize("text", ["", "1 2 3\n", "<NUMBER OF ZONES> none\n<END OF METADATA>\n"])
def test_tntp_without_metadata(tmp_path: Path, text: str) -> None:
    files = tntp(tmp_path, text, text)
    with pytest.raises(DataError, match="NUMBER OF NODES"):
        read_tntp_network(files[0])
    with pytest.raises(DataError, match="NUMBER OF ZONES"):
        read_tntp_trips(files[1])
    with pytest.raises(DataError, match="a file that can be read"):
        read_tntp_network(tmp_path / "none.tntp")


def test_many_faults_of_one_kind_are_counted(tmp_path: Path) -> None:
    head = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<END OF METADATA>\n"
    with pytest.raises(DataError) as error:
        read_tntp_network(tntp(tmp_path, head + "1 2 x 1 1 0 0;\n" * 50)[0])
    assert len(error.value.faults) == 21
    assert error.value.faults[-1].row == "30 more rows"


def test_tntp_flows(tmp_path: Path) -> None:
    network = read_tntp_network(tntp(tmp_path)[0])
    path = tmp_path / "small_flow.tntp"
    rows = [f"{network.node_name[network.tail[i]]} {network.node_name[network.head[i]]}" for i in range(6)]
    path.write_text("From To Volume Cost\n" + "".join(f"{row} {i}.5 {i}\n" for i, row in enumerate(rows)))
    found = read_tntp_flows(path, network)
    assert found.volume.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert found.cost.tolist() == [0, 1, 2, 3, 4, 5]
    old = "~ head : \n<END OF METADATA>\n" + "".join(f"{row} : {i} ;\n" for i, row in enumerate(reversed(rows)))
    path.write_text(old)
    found = read_tntp_flows(path, network)
    assert found.volume.tolist() == [5, 4, 3, 2, 1, 0]
    assert np.isnan(found.cost).all()
    path.write_text(f"{rows[0]} 1\n{rows[0]} 1\n{rows[1]} one\n")
    with pytest.raises(DataError) as error:
        read_tntp_flows(path, network)
    assert [fault.row for fault in error.value.faults] == ["line 2", "line 3", *(f"link {i}" for i in range(2, 7))]


# --------------------------------------------------------------------------------------------------------- GMNS


def test_gmns_network(tmp_path: Path) -> None:
    """Node c, a centroid, comes first; the link that is not directed becomes two."""
    network = read_gmns(gmns(tmp_path))
    assert network.node_name == ("c", "a", "b")
    assert network.node_x.tolist() == [2, 0, 1]
    assert network.first_thru_node == 1
    assert dict(zip(network.zone_name, network.zone_node.tolist(), strict=True)) == {"west": 1, "east": 0}
    assert network.link_name == ("ab", "ab back", "bc", "cb")
    assert network.tail.tolist() == [1, 2, 2, 0]
    assert network.head.tolist() == [2, 1, 0, 2]
    np.testing.assert_allclose(network.free_flow_time, [12, 12, 6, 6], rtol=1e-15)
    assert network.capacity.tolist() == [1800, 1800, 1000, 1000]
    assert network.toll.tolist() == [0, 0, 1.5, 0]
    assert set(network.b) == {0.15}
    assert set(network.power) == {4.0}
    assert [(change.where, change.row, change.field) for change in network.changes] == [
        ("link.csv", "", "vdf_alpha"),
        ("link.csv", "", "vdf_beta"),
        ("link.csv", "line 2", "directed"),
    ]


def test_gmns_trips(tmp_path: Path) -> None:
    network = read_gmns(gmns(tmp_path))
    trips = read_gmns_trips(tmp_path / "demand.csv", network)
    assert trips.origin.tolist() == [0, 1, 1]  # zones in the order of their nodes
    assert trips.destination.tolist() == [1, 0, 1]
    assert trips.volume.tolist() == [40, 101, 7]
    assert [change.action for change in trips.changes] == ["changed", "dropped"]
    (tmp_path / "demand.csv").write_text("o_zone_id,d_zone_id,volume\nwest,north,1\nwest,,x\neast,west,-1\n")
    with pytest.raises(DataError) as error:
        read_gmns_trips(tmp_path / "demand.csv", network)
    assert [(fault.row, fault.field) for fault in error.value.faults] == [
        ("line 2", "d_zone_id"),
        ("line 3", "d_zone_id"),
        ("line 3", "volume"),
        ("line 4", "volume"),
    ]


def test_gmns_times_and_curves_that_are_told(tmp_path: Path) -> None:
    links = (
        "\ufefflink_id,from_node_id,to_node_id,DIRECTED,length,capacity,lanes,VDF_fftt1,VDF_alpha1,VDF_beta1\n"
        '"1",a,b,1,3,900,,2.5,0.2,\n2,b,c,1,3,,2,4,1,2\n3,c,b,1,3,0,2,4,1,2\n4,b,b,1,3,9,2,4,1,2\n'
    )
    network = read_gmns(gmns(tmp_path, link=links, config=""))
    assert network.free_flow_time.tolist() == [2.5, 4]
    assert network.capacity.tolist() == [900, np.inf]
    assert network.b.tolist() == [0.2, 1]
    assert network.power.tolist() == [4, 2]
    assert [(change.row, change.field, change.action) for change in network.changes] == [
        ("line 2", "lanes", "changed"),
        ("line 2", "vdf_beta1", "changed"),
        ("line 3", "capacity", "changed"),
        ("line 4", "capacity", "dropped"),
        ("line 5", "", "dropped"),
    ]


def test_gmns_units(tmp_path: Path) -> None:
    for config, minutes in ((CONFIG, 12.0), ("long_length,speed\nmile,km/h\n", 12 * 1.609344), ("", 12.0)):
        (tmp_path / "config.csv").unlink(missing_ok=True)
        network = read_gmns(gmns(tmp_path, config=config))
        assert network.free_flow_time[0] == pytest.approx(minutes, rel=1e-12)
    assert "config.csv" in {change.where for change in network.changes}
    with pytest.raises(DataError, match=r"config\.csv, line 2, speed"):
        read_gmns(gmns(tmp_path, config="long_length,speed\nmile,knot\n"))


def test_gmns_uses(tmp_path: Path) -> None:
    head, *rows = LINKS.splitlines()
    uses = ["", '"auto,truck"', "WALK"]
    links = "\n".join([head + ",allowed_uses", *(f"{row},{use}" for row, use in zip(rows, uses, strict=True))])
    folder = gmns(tmp_path, link=links)
    assert read_gmns(folder, use="auto").link_name == ("ab", "ab back", "bc")
    everything = read_gmns(folder)
    assert everything.link_name == ("ab", "ab back", "bc", "cb")
    assert everything.changes[-1].field == "allowed_uses"
    (folder / "movement.csv").write_text("mvmt_id\n1\n")
    assert read_gmns(folder).changes[0].where == "movement.csv"


def test_gmns_zone_of_several_nodes(tmp_path: Path) -> None:
    nodes = "node_id,x_coord,y_coord,zone_id\na,0,0,1.0\nb,2,0,1\nc,9,0,2\n"
    network = read_gmns(gmns(tmp_path, node=nodes))
    assert network.node_name == ("zone 1", "a", "b", "c")
    assert network.node_x[0] == 1.0
    assert network.zone_node.tolist() == [0, 3]
    assert network.first_thru_node == 1
    assert network.free_flow_time[:4].tolist() == [0, 0, 0, 0]
    assert network.tail[:4].tolist() == [0, 1, 0, 2]
    assert network.changes[0].action == "added"
    own = "node_id,x_coord,y_coord,zone_id,node_type\na,0,0,1,\nb,2,0,1,centroid\nc,9,0,2,\n"
    network = read_gmns(gmns(tmp_path, node=own))
    assert network.node_name == ("b", "a", "c")
    assert network.zone_node.tolist() == [0, 2]


def test_gmns_faults_come_all_at_once(tmp_path: Path) -> None:
    nodes = "node_id,x_coord,y_coord,zone_id\na,zero,0,1\na,0,0,\n,0,0,\nb,0,0,2\n"
    links = (
        "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,vdf_type,vdf_plf\n"
        "1,a,x,maybe,1,50,900,,\n1,a,b,1,,50,900,conical,2\n2,a,b,1,1,0,-9,0,1\n"
    )
    with pytest.raises(DataError) as error:
        read_gmns(gmns(tmp_path, node=nodes, link=links))
    assert told(error) == [
        ("node.csv", "line 2", "x_coord"),
        ("node.csv", "line 3", "node_id"),
        ("node.csv", "line 4", "node_id"),
        ("link.csv", "line 2", "to_node_id"),
        ("link.csv", "line 2", "directed"),
        ("link.csv", "line 3", "link_id"),
        ("link.csv", "line 3", "vdf_type"),
        ("link.csv", "line 3", "vdf_plf"),
        ("link.csv", "line 3", "vdf_fftt"),
        ("link.csv", "line 4", "capacity"),
        ("link.csv", "line 4", "free_speed"),
    ]
    ragged = gmns(tmp_path, node="node_id,zone_id\na,1\nb\n", link="from_node_id,from_node_id\n", config="speed\n")
    with pytest.raises(DataError) as error:
        read_gmns(ragged)
    assert {("node.csv", "line 3", ""), ("link.csv", "line 1", "link_id"), ("config.csv", "", "")} <= set(told(error))
    with pytest.raises(DataError, match=r"node\.csv: wanted a CSV file"):
        read_gmns(tmp_path / "none")


def test_gmns_needs_zones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a zone at some node"):
        read_gmns(gmns(tmp_path, node="node_id,x_coord,y_coord\na,0,0\nb,0,0\nc,0,0\n"))


def test_gmns_round_trip(tmp_path: Path) -> None:
    network = read_gmns(gmns(tmp_path))
    trips = read_gmns_trips(tmp_path / "demand.csv", network)
    assert write_gmns(tmp_path / "again", network, trips) == ()
    again = read_gmns(tmp_path / "again")
    same(network, again)
    assert again.changes == ()
    np.testing.assert_array_equal(read_gmns_trips(tmp_path / "again" / "demand.csv", again).volume, trips.volume)


def test_tntp_to_gmns_and_back(tmp_path: Path) -> None:
    files = tntp(tmp_path)
    network, trips = read_tntp_network(files[0]), read_tntp_trips(files[1])
    changes = write_gmns(tmp_path / "gmns", network, trips)
    assert [change.field for change in changes] == ["x_coord"]
    again = read_gmns(tmp_path / "gmns")
    same(network, again)
    back = read_gmns_trips(tmp_path / "gmns" / "demand.csv", again)
    for field in ("origin", "destination", "volume"):
        np.testing.assert_array_equal(getattr(back, field), getattr(trips, field))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_gmns(tmp_path / "file", network)


# --------------------------------------------------------------------------------------------------- assignment


def test_two_routes_by_hand(tmp_path: Path) -> None:
    """From 1 to 2: through node 3 in 1 + 2 (1 + v / 10), straight in 5 (1 + 0.15 (w / 8) ** 4) + 0.5 * 2."""
    network, trips = assign.read_files(*tntp(tmp_path))
    found = assign.assign(network, trips, gap=1e-12)
    v = found.volume[1]
    w = found.volume[4]
    assert v + w == pytest.approx(10.0, abs=1e-9)
    assert w == pytest.approx(0.0, abs=1e-9)  # 3 + 2 at most on the way through node 3, 6 on the straight one
    assert found.cost[4] == pytest.approx(6.0)
    free = assign.assign(network, trips, gap=1e-12, toll_factor=-0.5)
    v, w = free.volume[1], free.volume[4]
    assert v + w == pytest.approx(10.0, abs=1e-9)
    assert 3 + v / 5 == pytest.approx(4 + 0.75 * (w / 8) ** 4, abs=1e-6)
    assert found.within_zone == 1.5
    assert any("set apart" in change.reason for change in found.changes)
    assert found.total_travel_time == pytest.approx(10 * 5.0 + 4 * (1 + 2 * 1.4))
    summary = found.summary()
    assert json.loads(json.dumps(summary)) == summary
    assert {
        "principle", "status", "relative_gap", "iterations", "seconds", "total_travel_time", "beckmann", "unmet",
        "potential",
    } <= set(summary)  # fmt: skip


def test_other_principles_on_two_routes(tmp_path: Path) -> None:
    """10 trips over routes of 1 + v and 4: selfish 3 and 7; at least total cost, where 1 + 2 v = 4, 1.5 and 8.5."""
    head = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<FIRST THRU NODE> 1\n<END OF METADATA>\n"
    trips = "<NUMBER OF ZONES> 2\n<END OF METADATA>\nOrigin 1\n2 : 10;\n"
    network, table = assign.read_files(*tntp(tmp_path, head + "1 2 1 1 1 1 1;\n1 2 1 1 4 0 0;\n", trips))
    for principle, volume in (("ue", 3.0), ("so", 1.5), ("aon", 10.0)):
        found = assign.assign(network, table, principle=principle, gap=1e-12)
        assert found.principle == principle
        assert found.volume == pytest.approx([volume, 10 - volume], abs=1e-6)
        assert found.total_travel_time == pytest.approx(volume * (1 + volume) + 4 * (10 - volume), abs=1e-5)
        assert found.beckmann == pytest.approx(volume + volume**2 / 2 + 4 * (10 - volume), abs=1e-5)


def test_the_judge_agrees_and_sees_what_is_wrong(tmp_path: Path) -> None:
    network, trips = assign.read_files(*tntp(tmp_path))
    found = assign.assign(network, trips, gap=1e-12, toll_factor=-0.5, distance_factor=0.1)
    factors = {"toll_factor": -0.5, "distance_factor": 0.1}
    verdict = assign.evaluate(network, trips, found.volume, **factors)
    assert verdict.relative_gap < 1e-11
    assert verdict.objective == pytest.approx(found.beckmann, rel=1e-14)
    assert verdict.total_cost == pytest.approx(found.total_cost, rel=1e-14)
    assert verdict.lower_bound <= verdict.objective * (1 + 1e-14)
    assert verdict.conservation < 1e-9
    assert verdict.trips == 14.0
    lost = found.volume.copy()
    lost[0] -= 1.0
    assert assign.evaluate(network, trips, lost, **factors).conservation == pytest.approx(1.0)
    worse = found.volume + np.array([-1, -1, 0, 0, 1, 0])
    verdict = assign.evaluate(network, trips, worse, **factors)
    assert verdict.relative_gap > 1e-3
    assert verdict.lower_bound < found.beckmann < verdict.objective
    through = found.volume + np.array([1.0, 0, 0, 1, 0, 0])  # a turn at zone 1 that no trip begins or ends
    assert assign.evaluate(network, trips, through, **factors).conservation == pytest.approx(1.0)


def test_no_trip_passes_through_a_zone(tmp_path: Path) -> None:
    """Zones 1, 2, 3 in a row; the way from 1 to 3 leads through 2 and is barred."""
    head = "<NUMBER OF ZONES> 3\n<NUMBER OF NODES> 3\n<FIRST THRU NODE> {}\n<END OF METADATA>\n"
    rows = "1 2 9 1 1 0 0;\n2 3 9 1 1 0 0;\n"
    trips = "<NUMBER OF ZONES> 3\n<END OF METADATA>\nOrigin 1\n2 : 5; 3 : 7;\n"
    network, table = assign.read_files(*tntp(tmp_path, head.format(1) + rows, trips))
    assert assign.assign(network, table).volume.tolist() == [12, 7]
    network, table = assign.read_files(*tntp(tmp_path, head.format(4) + rows, trips))
    found = assign.assign(network, table)
    assert found.volume.tolist() == [5, 0]
    assert (found.unmet, found.unmet_relations) == (7.0, (("1", "3", 7.0),))
    assert found.conservation == 0.0
    assert "no path from zone 1 to zone 3" in found.changes[-1].reason
    verdict = assign.evaluate(network, table, found.volume)
    assert (verdict.unmet, verdict.trips, verdict.conservation) == (7.0, 5.0, 0.0)


def test_parallel_links_are_judged_one_by_one(tmp_path: Path) -> None:
    head = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<FIRST THRU NODE> 1\n<END OF METADATA>\n"
    trips = "<NUMBER OF ZONES> 2\n<END OF METADATA>\nOrigin 1\n2 : 6;\n"
    network, table = assign.read_files(
        *tntp(tmp_path, head + "1 2 1 1 1 1 1;\n1 2 1 1 2 1 0;\n1 2 1 1 0 1 4;\n", trips)
    )
    found = assign.assign(network, table, gap=1e-12)
    assert found.volume.tolist() == [0, 0, 6]  # the last takes no time, however full
    verdict = assign.evaluate(network, table, np.array([3.0, 3.0, 0.0]))
    assert verdict.shortest_cost == pytest.approx(0.0)
    assert verdict.total_cost == pytest.approx(3 * 4 + 3 * 4)


def test_gmns_folder_is_assigned(tmp_path: Path) -> None:
    network, trips = assign.read_files(gmns(tmp_path))
    found = assign.assign(network, trips)
    assert found.volume.tolist() == [101, 40, 101, 40]
    assert found.within_zone == 7.0


def test_what_does_not_fit_together(tmp_path: Path) -> None:
    files = tntp(tmp_path, trips=TRIPS.replace("ZONES> 2", "ZONES> 3"))
    network, trips = assign.read_files(*files)
    with pytest.raises(DataError, match=r"number of zones: wanted 2, as in .*, got 3"):
        assign.assign(network, trips)
    concave = NETWORK.replace("5 0.15 4", "5 0.15 0.5")
    network, trips = assign.read_files(*tntp(tmp_path, concave))
    with pytest.raises(DataError) as error:
        assign.assign(network, trips, toll_factor=-9.0)
    assert [(fault.row, fault.field) for fault in error.value.faults] == [
        (f"link {i}", field) for field in ("power", "toll") for i in (5, 6)
    ]
    with pytest.raises(DataError, match="trips beside it"):
        assign.read_files(files[0])
    with pytest.raises(UnknownName, match="unknown format"):
        assign.read_files(files[0], kind="tnpt")
    with pytest.raises(UnknownName, match="unknown principle"):
        assign.assign(network, trips, principle="eu")
    head = "<NUMBER OF ZONES> 2\n<END OF METADATA>\nOrigin 1\n1 : 6;\n"
    network, trips = assign.read_files(*tntp(tmp_path, trips=head))
    with pytest.raises(DataError, match="trips between zones"):
        assign.assign(network, trips)


# Objectives as published with the networks; Berlin Center's is for the links that are no parallel of an earlier one.
@pytest.mark.shared
@pytest.mark.parametrize(
    ("stem", "toll", "distance", "objective"),
    [
        ("SiouxFalls", 0.0, 0.0, 4_231_335.28710744),
        ("Anaheim", 0.0, 0.0, 1_286_032.1711),
        ("Barcelona", 0.0, 0.0, 1_265_654.92203176),
        ("Winnipeg", 0.0, 0.0, 827_911.494629963),
        ("ChicagoSketch", 0.02, 0.04, 17_313_018.7387477),
        ("berlin-center", 0.0, 0.0, 20_817_218.443),
    ],
)
def test_published_objectives(shared: Path, stem: str, toll: float, distance: float, objective: float) -> None:
    folder = shared / "tntp"
    network = read_tntp_network(folder / f"{stem}_net.tntp", parallel="first")
    trips = read_tntp_trips(folder / f"{stem}_trips.tntp")
    factors = {"toll_factor": toll, "distance_factor": distance}
    found = assign.assign(network, trips, gap=1e-10, **factors)
    verdict = assign.evaluate(network, trips, found.volume, **factors)
    assert verdict.objective == pytest.approx(objective, rel=1e-9)
    assert verdict.relative_gap <= 1.01e-10
    assert verdict.objective - verdict.lower_bound <= 2e-10 * verdict.objective
    assert verdict.conservation <= 1e-9 * verdict.trips
    assert verdict.unmet == found.unmet == 0.0
    if stem == "SiouxFalls":
        # times follow the square root of the gap, and the published one has ten digits
        closer = assign.assign(network, trips, gap=1e-12)
        assert closer.total_travel_time == pytest.approx(7_480_225.34, abs=0.01)
        best = assign.assign(network, trips, principle="so", gap=1e-10)
        assert best.total_travel_time == pytest.approx(7_194_256.05, abs=0.01)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("stem", "toll", "distance"), [("SiouxFalls", 0.0, 0.0), ("Anaheim", 0.0, 0.0), ("ChicagoSketch", 0.02, 0.04)]
)
def test_published_flows_are_read_and_judged(shared: Path, stem: str, toll: float, distance: float) -> None:
    folder = shared / "tntp"
    network = read_tntp_network(folder / f"{stem}_net.tntp")
    trips = read_tntp_trips(folder / f"{stem}_trips.tntp")
    published = read_tntp_flows(folder / f"{stem}_flow.tntp", network)
    verdict = assign.evaluate(network, trips, published.volume, toll_factor=toll, distance_factor=distance)
    assert abs(verdict.relative_gap) < 1e-7
    assert verdict.conservation < 1e-6 * verdict.trips


@pytest.mark.shared
def test_sioux_falls_goes_to_gmns_and_back(shared: Path, tmp_path: Path) -> None:
    network, trips = assign.read_files(
        shared / "tntp" / "SiouxFalls_net.tntp", shared / "tntp" / "SiouxFalls_trips.tntp"
    )
    write_gmns(tmp_path, network, trips)
    again, trips_again = assign.read_files(tmp_path)
    same(network, again)
    np.testing.assert_array_equal(trips_again.volume, trips.volume)
