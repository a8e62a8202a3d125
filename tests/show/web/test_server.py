"""The server's interface: what it answers stands in the results folder; what must be refused is, with its reason."""

from __future__ import annotations

import io
import json
import socket
import time
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.errors import LandbridgeError
from landbridge.scenario.measures import KINDS
from landbridge.show.store import JobStore
from landbridge.show.web.files import as_csv
from landbridge.show.web.library import Point
from landbridge.show.web.results_views import flows
from landbridge.show.web.serve import serve
from landbridge.study.results import read_results
from tests.map_server import Server, ask

AT = "scenario=base&year=2023"


def wait(server: Server, job: str) -> dict[str, Any]:
    """Follow a job over server-sent events until it has ended."""
    with urllib.request.urlopen(f"{server.address}api/jobs/{job}/events", timeout=180) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line.decode()[5:]) for line in stream if line.startswith(b"data:")]
    return dict(told[-1])


def whatif(**change: Any) -> dict[str, Any]:
    asked = {"title": "Khorgos shut", "result": "small", "scenario": "base", "years": [2023]}
    return {**asked, "measures": [{"kind": "close", "crossings": ["khorgos-altynkol"]}], **change}


# ------------------------------------------------------------------------------------------------------ results


def test_flows_of_links_are_those_of_the_folder(results_home: Path) -> None:
    results = read_results(results_home / "small")
    found = flows(results, Point("small", "base", 2023), read_atlas())
    rows = results.of("links", "base", 2023)
    sections = rows.group_by("link", "direction", "country").agg(pl.col("tonnes").sum())
    wanted = {(a, b): t for a, b, t in sections.group_by("link", "direction").agg(pl.col("tonnes").max()).rows()}
    assert {(a, b): t for a, b, t in zip(found.link, found.direction, found.tonnes, strict=True)} == wanted
    used = [i for i, t in enumerate(found.tonnes) if t]
    assert used
    assert all(found.passage[i] for i in used if (found.tonnes[i] or 0) > 1)
    for shares in (found.passage_share, found.group_share):
        assert all(0 < (share or 1) <= 1 + 1e-9 for share in shares)


def test_directions_of_paths_are_those_of_the_flows(results_home: Path) -> None:
    results = read_results(results_home / "small")
    steps = (
        results.of("paths", "base", 2023)
        .select("tonnes", link="links", direction="directions")
        .filter(pl.col("link").list.len() > 0)
        .explode("link", "direction")
    )
    along = {(a, b): t for a, b, t in steps.group_by("link", "direction").agg(pl.col("tonnes").sum()).rows()}
    rows = results.of("links", "base", 2023)
    alone = rows.group_by("link").agg(pl.col("country").n_unique()).filter(pl.col("country") == 1)["link"].to_list()
    carried = rows.filter(pl.col("link").is_in(alone)).group_by("link", "direction").agg(pl.col("tonnes").sum())
    wanted = {(a, b): t for a, b, t in carried.rows() if t > 1e-6}
    assert len(wanted) > 100
    assert {key: along.get(key, 0.0) for key in wanted} == pytest.approx(wanted, rel=1e-9)
    assert not {key for key in along if key[0] in alone} - set(wanted)


def test_a_solution_is_told_as_it_stands_in_the_folder(server: Server, results_home: Path) -> None:
    status, told = ask(server, "GET", f"api/results/small/run?{AT}")
    results = read_results(results_home / "small")
    assert status == 200
    for name in ("crossings", "countries"):
        assert told[name] == json.loads(json.dumps(results.of(name, "base", 2023).to_dicts()))
    assert told["totals"]["land_tonnes"] == results.of("totals", "base", 2023)["land_tonnes"][0]
    carried = results.of("passage_flows", "base", 2023).group_by("passage").agg(pl.col("tonnes").sum())
    assert {p["passage"]: p["tonnes"] for p in told["passages"] if p["tonnes"]} == pytest.approx(dict(carried.rows()))


def test_a_comparison_is_that_of_the_command_line(server: Server, results_home: Path) -> None:
    from landbridge.study.compare import Side, compare

    ends = "result=small&scenario=cku&year=2023&against=small&against_scenario=base&against_year=2023"
    path = f"api/compare/crossings?{ends}"
    status, told = ask(server, "GET", path)
    assert status == 200
    wanted = compare(read_results(results_home / "small"), "crossings", Side("base", 2023), Side("cku", 2023))
    at = [c["name"] for c in told["columns"]]
    rows = {(r[at.index("crossing")], r[at.index("direction")]): r[at.index("tonnes_change")] for r in told["rows"]}
    assert rows == {(a, b): c for a, b, c in wanted.select("crossing", "direction", "tonnes_change").rows()}


def test_tables_come_as_csv_and_excel_with_their_meaning(server: Server, results_home: Path) -> None:
    wanted = read_results(results_home / "small").of("crossings", "base", 2023)
    status, text = ask(server, "GET", f"api/results/small/tables/crossings/file?{AT}&form=csv")
    assert status == 200
    assert pl.read_csv(io.BytesIO(text))["tonnes"].to_list() == pytest.approx(wanted["tonnes"].to_list(), rel=1e-12)
    status, book = ask(server, "GET", f"api/results/small/tables/crossings/file?{AT}&form=xlsx")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        words = file.read("xl/sharedStrings.xml").decode()
        assert "Tonnes a year" in words
        assert "khorgos-altynkol" in words
        assert file.read("xl/worksheets/sheet1.xml").decode().count("<row ") == wanted.height + 1


def test_a_spreadsheet_runs_no_text() -> None:
    frame = pl.DataFrame({"name": ["=1+1", "+cmd", "@x", "plain"], "list": [["a", "b"], [], None, ["-c"]]})
    assert as_csv(frame).decode().splitlines() == ["name,list", "'=1+1,a;b", '\'+cmd,""', "'@x,", "plain,'-c"]


def test_every_measure_has_its_controls(server: Server) -> None:
    status, told = ask(server, "GET", "api/measures")
    assert status == 200
    assert [m["kind"] for m in told["measures"]] == list(KINDS)
    for measure in told["measures"]:
        for field in measure["fields"]:
            assert field["meaning"]
            if field["kind"] in ("names", "name"):
                assert told["names"][field["names"]], field


def test_a_value_tells_its_source(server: Server) -> None:
    status, told = ask(server, "GET", "api/atlas/records/crossings/khorgos-altynkol?column=capacity_ab_trains_day")
    assert status == 200
    (cell,) = told["cells"]
    assert cell["kind"] in ("reported", "derived", "estimate", "calibrated")
    assert cell["sources"] or cell["reasoning"]
    assert cell["unit"]


def test_routes_without_a_country(server: Server) -> None:
    asked = {"start": "Xi'an", "end": "Istanbul", "avoid": ["RU"], "objectives": ["time", "cost"], "result": "small"}
    status, told = ask(server, "POST", "api/routes", {**asked, "scenario": "base", "deadline_days": 30})
    assert status == 200
    assert told["status"] == "found"
    assert all(route["countries"][0] == "CN" and "RU" not in route["countries"] for route in told["routes"])
    assert all(leg["links"] for route in told["routes"] for leg in route["legs"] if leg["type"] == "move")
    assert all(0 <= route["on_time"] <= 1 for route in told["routes"])
    times = [(r["time_h"], r["cost_usd"]) for r in told["routes"]]
    assert not any(a[0] < b[0] - 1e-9 and a[1] < b[1] - 1e-9 for a in times for b in times), "one beats another"


def test_folders_of_each_kind_are_told_apart(tmp_path: Path) -> None:
    from landbridge.errors import OutputError, UnknownName
    from landbridge.show.web.findings import KINDS, Findings
    from landbridge.show.web.library import Library

    for name, file, told in (
        ("a-power", "manifest.json", {"kind": "power", "study": {"name": "Game"}, "tables": {"t": "A table"}}),
        ("b-events", "validation.json", {"kind": "backtest", "tables": {"t": {"year": "The year"}}}),
        ("c-worth", "investment.json", {"kind": "appraisal", "result": {"study": "Worth"}, "tables": ["t"]}),
    ):
        (tmp_path / name / "tables").mkdir(parents=True)
        (tmp_path / name / file).write_text(json.dumps(told), encoding="utf-8")
        pl.DataFrame({"year": [2030]}).write_parquet(tmp_path / name / "tables" / "t.parquet")
    findings = Findings(tmp_path)
    found = {kind: [(f.id, f.title) for f in findings.all(kind)] for kind in KINDS}
    assert {kind: names for kind, names in found.items() if names} == {
        "power": [("a-power", "Game")],
        "backtest": [("b-events", "b-events")],
        "investment": [("c-worth", "Worth")],
    }
    assert Library(tmp_path, None, dict).ids() == [], "none of them is the results of a study"
    events = findings.get("backtest", "b-events")
    assert events.meanings("t") == {"year": ("", "The year")}
    assert events.table("t")["year"].to_list() == [2030]
    for kind, name in (("power", "b-events"), ("power", "../a-power"), ("nothing", "a-power")):
        with pytest.raises(UnknownName):
            findings.get(kind, name)
    with pytest.raises(UnknownName):
        events.table("../t")
    (tmp_path / "c-worth" / "investment.json").write_text("{", encoding="utf-8")
    with pytest.raises(OutputError, match="could not be read"):
        findings.all("investment")


# ----------------------------------------------------------------------------------------------------- what-ifs


def test_a_what_if_is_the_study_that_it_hands_out(server: Server, tmp_path: Path) -> None:
    status, job = ask(server, "POST", "api/jobs", whatif())
    assert status == 202
    assert wait(server, job["id"])["status"] == "finished"
    status, told = ask(server, "GET", f"api/results/{job['id']}/run?scenario=what-if&year=2023")
    assert status == 200
    assert "khorgos-altynkol" not in {row["crossing"] for row in told["crossings"]}
    # the base of the what-if is that of the results it stands on, projects held back included
    base = ask(server, "GET", f"api/results/{job['id']}/run?{AT}")[1]
    wanted = ask(server, "GET", f"api/results/small/run?{AT}")[1]
    assert base["totals"]["land_tonnes"] == pytest.approx(wanted["totals"]["land_tonnes"], rel=1e-6)
    text = ask(server, "GET", f"api/results/{job['id']}/study")[1]
    study = tomllib.loads(text.decode())
    assert study["hold"] == ["cku"]
    (tmp_path / "same.toml").write_bytes(text)
    from landbridge.study.files import read_study
    from landbridge.study.run import run_study

    again = run_study(read_study(tmp_path / "same.toml"), read_atlas(), tmp_path / "same")
    mine = again.of("crossings", "what-if", 2023).sort("crossing", "direction")["tonnes"].to_list()
    theirs = sorted(told["crossings"], key=lambda row: (row["crossing"], row["direction"]))
    assert [row["tonnes"] for row in theirs] == pytest.approx(mine, rel=1e-3, abs=50)
    assert told["totals"]["potential"] == pytest.approx(again.of("totals", "what-if", 2023)["potential"][0], rel=1e-7)


def test_faults_of_a_what_if_are_all_told(server: Server) -> None:
    measures = [{"kind": "close", "crossings": ["korgos"]}, {"kind": "ease", "everywhere": True}]
    status, told = ask(server, "POST", "api/jobs", whatif(measures=measures))
    assert status == 422
    assert {"measure" in fault["where"] for fault in told["faults"]} == {True}
    before = {job["id"] for job in ask(server, "GET", "api/jobs")[1]}
    status, told = ask(server, "POST", "api/jobs", whatif(measures=[{"kind": "close", "crossings": ["nowhere"]}]))
    assert status == 422
    assert "nowhere" in told["faults"][0]["got"]
    assert {job["id"] for job in ask(server, "GET", "api/jobs")[1]} == before, "a refused what-if leaves no trace"


def test_a_base_solved_ahead_is_not_a_job(server: Server) -> None:
    before = ask(server, "GET", "api/jobs")[1]
    assert ask(server, "POST", "api/jobs/ready", {"result": "small", "scenario": "base", "years": [2023]})[0] == 204
    assert ask(server, "GET", "api/jobs")[1] == before
    assert ask(server, "POST", "api/jobs/ready", {"result": "small", "scenario": "nobody", "years": [2023]})[0] == 404


def test_a_job_can_be_stopped(server: Server) -> None:
    first = ask(server, "POST", "api/jobs", whatif(title="one"))[1]["id"]
    second = ask(server, "POST", "api/jobs", whatif(title="two"))[1]["id"]
    status, told = ask(server, "DELETE", f"api/jobs/{second}")
    assert (status, told["status"]) == (200, "cancelled")
    ask(server, "DELETE", f"api/jobs/{first}")
    assert wait(server, first)["status"] in ("cancelled", "finished")
    third = ask(server, "POST", "api/jobs", whatif(title="three"))[1]["id"]
    assert wait(server, third)["status"] == "finished", "after a stop the next job is solved"
    assert ask(server, "DELETE", f"api/jobs/{third}")[0] == 409


def test_a_script_in_a_title_stays_text(server: Server) -> None:
    title = "<script>alert(1)</script> \"'\\ \x7f"
    text = ask(server, "POST", "api/jobs/study", whatif(title=title))[1]
    assert tomllib.loads(text.decode())["name"] == title


def test_after_a_kill_a_job_counts_as_interrupted(results_home: Path, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "killed"
    shutil.copytree(results_home / "small", home / "small")
    server = Server(home)
    server.start()
    try:
        done = ask(server, "POST", "api/jobs", whatif(title="before"))[1]["id"]
        assert wait(server, done)["status"] == "finished"
        slow = whatif(title="under way", measures=[{"kind": "grow", "factor": 1.3}])
        cut = ask(server, "POST", "api/jobs", slow)[1]["id"]
        server.kill()
        server.start()
        states = {job["id"]: job["status"] for job in ask(server, "GET", "api/jobs")[1]}
        assert states == {done: "finished", cut: "interrupted"}
        assert [r["id"] for r in ask(server, "GET", "api/results")[1]] == ["small", done]
        assert ask(server, "GET", f"api/results/{done}/run?scenario=what-if&year=2023")[0] == 200
    finally:
        server.stop()


def test_a_job_that_has_ended_stays_as_it_ended(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    job = store.add("a", {"x": [1]})
    store.set(job.id, "running", "going", done=1, total=2)
    store.set(job.id, "cancelled", "stopped")
    store.set(job.id, "finished", "too late")
    found = store[job.id]
    assert (found.status, found.message, found.done, dict(found.asked)) == ("cancelled", "stopped", 1, {"x": [1]})
    assert found.started
    assert found.ended
    assert store.interrupt() == 0


# ------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("api/results/..%2f..%2fetc", 404),
        (f"api/results/%2e%2e/run?{AT}", 404),
        (f"api/results/small/tables/..%2fmanifest?{AT}", 404),
        ("api/results/small/run?scenario=nobody&year=2023", 404),
        ("api/results/small/run?scenario=base&year=1066", 422),
        ("api/atlas/records/places/nowhere", 404),
        ("api/atlas/search?query=%20", 422),
        ("..%2f..%2fpyproject.toml", 404),
    ],
)
def test_names_that_are_not_there_are_refused_with_a_reason(server: Server, path: str, status: int) -> None:
    found, told = ask(server, "GET", path)
    assert found == status
    assert told["message"] or told["faults"]


def test_a_body_of_a_hundred_megabytes_is_refused(server: Server) -> None:
    host, port = server.address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        head = f"POST /api/routes HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000000\r\n\r\n"
        line.sendall(head.encode() + b'{"start": "')
        assert b"413" in line.recv(200)
    status, told = ask(server, "POST", "api/routes", b" " * 300_000)
    assert (status, told["kind"]) == (413, "size")


def test_a_body_without_a_length_is_measured_as_it_comes(server: Server) -> None:
    host, port = server.address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(f"POST /api/routes HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        answer = b""
        try:
            for _ in range(40):
                line.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        except OSError:
            pass  # the server hung up
        line.settimeout(5)
        answer = line.recv(200)
        assert b"413" in answer


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_other_pages_cannot_use_the_server(server: Server, header: dict[str, str]) -> None:
    status, told = ask(server, "POST", "api/jobs", whatif(), **header)
    assert (status, told["kind"]) == (403, next(iter(header)).lower())


def test_answers_keep_pages_in(server: Server) -> None:
    with urllib.request.urlopen(f"{server.address}api/results", timeout=30) as answer:
        policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "http:" not in policy


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])  # noqa: S104 (these are refused)
def test_only_this_machine_is_served(host: str, results_home: Path) -> None:
    with pytest.raises(LandbridgeError, match="this machine only"):
        serve(results_home, host=host, port=0)


def test_results_are_only_read(server: Server, results_home: Path) -> None:
    def state() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in sorted((results_home / "small").rglob("*"))}

    before = state()
    ask(server, "GET", f"api/results/small/choke?{AT}")
    assert ask(server, "PATCH", "api/results/small", {"title": "mine"})[0] == 409
    time.sleep(0.01)
    assert state() == before


def test_calls_by_the_servers_own_description(server: Server) -> None:
    """Schemathesis: no answer 5xx, none that the description does not tell."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    schema = schemathesis.openapi.from_url(f"{server.address}api/openapi.json")
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=4, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            answer = case.call(timeout=60)
            case.validate_response(answer, checks=checks)

        call()
        tried += 1
    assert tried > 24
    for job in ask(server, "GET", "api/jobs")[1]:  # made-up what-ifs that were taken on
        if job["status"] in ("waiting", "running"):
            ask(server, "DELETE", f"api/jobs/{job['id']}")


def test_the_description_tells_the_real_answers_of_jobs_and_their_events(server: Server) -> None:
    """What made-up calls never reach: a job that is taken on, followed to its end, and what is then refused."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

    schema = schemathesis.openapi.from_url(f"{server.address}api/openapi.json")
    checks = [not_a_server_error, status_code_conformance, content_type_conformance]

    def call(method: str, path: str, status: int, **more: Any) -> Any:
        case = schema[path][method].Case(**more)
        answer = case.call(timeout=120)
        assert answer.status_code == status, answer.text
        case.validate_response(answer, checks=checks)
        return answer

    body = whatif(title="As described")
    job = call("POST", "/api/jobs", 202, body=body, media_type="application/json").json()
    told = call("GET", "/api/jobs/{job}/events", 200, path_parameters={"job": job["id"]})
    assert told.text.rstrip().splitlines()[-1].startswith("data:")
    assert '"finished"' in told.text
    call("DELETE", "/api/jobs/{job}", 409, path_parameters={"job": job["id"]})
    call("GET", "/api/jobs/{job}/events", 404, path_parameters={"job": "none"})
    wrong = whatif(measures=[{"kind": "close", "crossings": ["nowhere"]}])
    call("POST", "/api/jobs", 422, body=wrong, media_type="application/json")
