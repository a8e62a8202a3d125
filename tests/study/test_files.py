"""Study files: reading, telling faults by line and position, and checking against tables."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.data.overlay import read_overlay
from landbridge.data.read import read_atlas
from landbridge.data.tables import Overlay, Tables
from landbridge.errors import StudyError
from landbridge.scenario.measures import Build, Close, Subsidise
from landbridge.scenario.scenarios import Scenario
from landbridge.study.files import Study, check_study, fingerprint, held_projects, read_study
from landbridge.study.positions import key_lines, line_of
from landbridge.study.study_diff import differences
from small_atlas import small_atlas

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

GOOD = """\
name = "A pass"
years = [2023, 2030]

[[scenario]]
id = "base"

[[scenario]]
id = "pass"
name = "With the pass"
extends = "base"

[[scenario.measure]]
kind = "build"
project = "pass"
"""


@pytest.fixture
def tables() -> Tables:
    return small_atlas()


def write(folder: Path, text: str | bytes, name: str = "study.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(StudyError) as caught:
        read_study(write(folder, text))
    return [str(fault).replace(str(folder / "study.toml"), "FILE") for fault in caught.value.faults]


# ----------------------------------------------------------------------------------------------------- reading


def test_a_study(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, GOOD))
    assert study == Study(
        name="A pass",
        years=(2023, 2030),
        scenarios=(Scenario("base", "base"), Scenario("pass", "With the pass", (Build(project="pass"),))),
        compare="base",
    )
    assert (study.size, study.gap, study.max_iterations) == ("corridor", 1e-8, 500)
    assert study.scenario("pass").measures == (Build(project="pass"),)
    with pytest.raises(KeyError, match="there are base, pass"):
        study.scenario("nowhere")
    hash(study)


def test_an_overlay_is_named_as_seen_from_the_study(tmp_path: Path, tables: Tables) -> None:
    (tmp_path / "mine").mkdir()
    study = read_study(write(tmp_path, 'overlay = "mine"\n' + GOOD))
    assert study.overlay == str(tmp_path / "mine")
    assert read_study(write(tmp_path, GOOD)).overlay == ""
    with pytest.raises(StudyError, match=r"study\.toml:1, overlay: wanted tables with the values of .*mine"):
        check_study(study, tables)
    told = Tables(tables.frames, overlay=Overlay("mine", "", {}, {}))
    check_study(study, told)


@pytest.mark.parametrize(("named", "got"), [('"gone"', "'gone', which is not there"), ('""', ""), ("3", "3")])
def test_an_overlay_that_is_none_is_told(tmp_path: Path, named: str, got: str) -> None:
    (fault,) = faults(tmp_path, f"overlay = {named}\n" + GOOD)
    assert fault.startswith("FILE:1, overlay: wanted ")
    assert got in fault


def test_fingerprint_knows_neither_place_nor_words(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    here = read_study(write(tmp_path, GOOD))
    there = read_study(write(tmp_path / "elsewhere", "# words\n" + GOOD.replace("A pass", "Another name"), "b.toml"))
    assert fingerprint(here) == fingerprint(there)
    for old, new in (("2023, ", ""), ('"pass"\n', '"other"\n'), ("years", "gap = 1e-6\nyears")):
        assert fingerprint(read_study(write(tmp_path, GOOD.replace(old, new)))) != fingerprint(here)


def test_three_faults_are_told_with_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("years = [2023, 2030]", 'yaers = [2023]\nsize = "huge"\nyears = [2023]')
    text = text.replace('kind = "build"\nproject = "pass"', 'kind = "close"\ncrossings = [\n  "gate", # well\n  7,\n]')
    assert faults(tmp_path, text) == [
        "FILE:2, yaers: wanted a known key (did you mean years?), got 'yaers'",
        "FILE:3, size: wanted 'full', 'corridor' or 'reduced', got 'huge'",
        "FILE:18, scenario[1].measure[0].crossings[1]: wanted a valid string, got 7",
    ]


def test_head_and_scenarios_are_told_together(tmp_path: Path) -> None:
    text = """\
gap = 0
max_iterations = 1.5
years = [2030, 2030, 1066, "2040"]
compare = "bass"
[[scenario]]
id = "base"
extends = "nothing"
[[scenario]]
id = "base"
[[scenario.measure]]
kind = "grow"
"""
    told = faults(tmp_path, text)
    assert [line.split(": wanted")[0] for line in told] == [
        "FILE, name",
        "FILE:1, gap",
        "FILE:2, max_iterations",
        "FILE:3, years[2]",
        "FILE:3, years[3]",
        "FILE:4, compare",
        "FILE:7, scenario[0].extends",
        "FILE:9, scenario[1].id",
        "FILE:10, scenario[1].measure[0]",
    ]
    assert "did you mean base" in told[5]
    assert "2031" not in "".join(told)
    out_of_order = faults(tmp_path, GOOD.replace("2023, 2030", "2030, 2023"))
    assert out_of_order == ["FILE:2, years[1]: wanted a year after 2030, got 2023"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "wanted a value, got nothing"),
        ("name = \n", "FILE:1: wanted TOML"),
        ("a = 1\n\nb = [1,\n", "wanted TOML"),
        (b"name = '\xff'\n", "FILE:1: wanted UTF-8 text, got byte 0xff"),
        (b"\x00\x01", "wanted TOML"),
        ("a = " + "[" * 100_000, "wanted TOML"),
        ("a = " + "9" * 10_000, "wanted TOML"),
        ("scenario = 3\nname='a'\nyears=[2023]", "FILE:1, scenario: wanted a valid list, got 3"),
        ("scenario = [3]\nname='a'\nyears=[2023]", "FILE:1, scenario[0]: wanted a table, got 3"),
        ("scenario = []\nname='a'\nyears=[]", "FILE:1, scenario: wanted"),
        ("[scenario]\nid='a'\n", "FILE:1, scenario: wanted a valid list"),
    ],
)
def test_what_is_no_study(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in "\n".join(faults(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such file"):
        read_study(tmp_path / "nothing.toml")
    with pytest.raises(StudyError, match="a folder"):
        read_study(tmp_path)
    with pytest.raises(StudyError, match="can be read"):
        read_study("a\x00b")
    with pytest.raises(StudyError, match="at most 10 MB"):
        read_study(write(tmp_path, b"#" * 10_000_001))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200) | st.text(alphabet='[]{}=."\n#ai, scenarioyear', max_size=200).map(str.encode))
def test_random_bytes_are_a_study_error(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(StudyError):
        read_study(write(tmp_path, raw))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(GOOD) - 1), new=st.sampled_from([*'[]{}="\n#x7,.', ""]))
def test_one_wrong_letter_is_told_or_harmless(tmp_path: Path, at: int, new: str) -> None:
    with contextlib.suppress(StudyError):
        read_study(write(tmp_path, GOOD[:at] + new + GOOD[at + 1 :]))


# ----------------------------------------------------------------------------------------------------- positions


def test_lines_of_keys() -> None:
    text = '''\
# a comment = 1
"quoted" = """
not = a key
[[nor]] a table
"""
years = [ # [[
  2023,

  2030, ]
[table."with.dot"]
deep.er = { x = 1, y = [2, 3] }
[[s]]
id = 'a#b'
  [[s.m]]
  k = 2023-01-01
  [[s.m]]
  k = ["]", "\\"]", \'\'\'
  ]\'\'\', [
    1]]
[[s]]
[[s.m]]
k = 1
'''
    tomllib.loads(text)
    lines = key_lines(text)
    expected = {
        "quoted": 2, "years": 6, "years[0]": 7, "years[1]": 9, "table": 10, "table.with.dot": 10,
        "table.with.dot.deep": 11, "table.with.dot.deep.er": 11, "table.with.dot.deep.er.x": 11,
        "table.with.dot.deep.er.y": 11, "table.with.dot.deep.er.y[0]": 11, "table.with.dot.deep.er.y[1]": 11,
        "s[0]": 12, "s[0].id": 13, "s[0].m[0]": 14, "s[0].m[0].k": 15, "s[0].m[1]": 16, "s[0].m[1].k": 17,
        "s[0].m[1].k[0]": 17, "s[0].m[1].k[1]": 17, "s[0].m[1].k[2]": 17, "s[0].m[1].k[3]": 18,
        "s[0].m[1].k[3][0]": 19, "s[1]": 20, "s[1].m[0]": 21, "s[1].m[0].k": 22,
    }  # fmt: skip
    assert {key: lines.get(key) for key in expected} == expected
    assert line_of(lines, "s[1].m[0].k.nothing[3]") == 22
    assert line_of(lines, "nothing") is None


# ------------------------------------------------------------------------------------------------------ checking


def test_a_sound_study_passes(tmp_path: Path, tables: Tables) -> None:
    check_study(read_study(write(tmp_path, GOOD)), tables)


def test_unknown_names_are_told_by_line(tmp_path: Path, tables: Tables) -> None:
    text = GOOD.replace('project = "pass"', 'project = "pas"') + (
        '[[scenario.measure]]\nkind = "avoid"\ncountries = ["RU", "Kazakhstan"]\n'
        '[[scenario]]\nid = "more"\nextends = "pass"\n'
        '[[scenario.measure]]\nkind = "close"\nlinks = ["old"]\n'
    )
    path = write(tmp_path, text)
    with pytest.raises(StudyError) as caught:
        check_study(read_study(path), tables)
    told = [str(fault).replace(str(path), "FILE") for fault in caught.value.faults]
    assert told == [
        "FILE:14, scenario[1].measure[0].project: wanted a known project (did you mean pass (Railway over the pass)?), "
        "got 'pas'",
        "FILE:17, scenario[1].measure[1].countries[1]: wanted a known country (did you mean KZ (Kazakhstan)?), "
        "got 'Kazakhstan'",
        "FILE:23, scenario[2].measure[0].links[0]: wanted a link that is open in 2023 to 2030 or that the scenario "
        "builds, got 'old' (suspended)",
    ], "what a scenario inherits is told once, where it stands"


def test_studies_made_in_python_are_checked_too(tables: Tables) -> None:
    study = Study("A", (2023,), (Scenario("a", "A", (Close(crossings=("gat",)),)),), "a")
    with pytest.raises(StudyError) as caught:
        check_study(study, tables)
    assert [fault.field for fault in caught.value.faults] == ["scenario[0].measure[0].crossings[0]"]


def test_subsidies_below_the_price_are_told(tables: Tables) -> None:
    measures = (Build(project="pass"), Subsidise(crossings=("gate",), usd_teu=60))
    with pytest.raises(StudyError) as caught:
        check_study(Study("A", (2023, 2030), (Scenario("a", "A", measures),), "a"), tables)
    (fault,) = caught.value.faults
    assert fault.field == "scenario[0].measure[1]"
    assert fault.got == "-10.00 USD per TEU on crossing gate"


def test_held_projects(tmp_path: Path, tables: Tables) -> None:
    study = read_study(write(tmp_path, GOOD))
    assert held_projects(study) == {"pass"}
    by_links = Scenario("b", "B", (Build(links=("second",)),))
    assert held_projects(Study("A", (2030,), (*study.scenarios, by_links), "base")) == {"pass", "second"}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_examples_read(path: Path) -> None:
    study = read_study(path)
    assert study.description
    assert study.compare in {scenario.id for scenario in study.scenarios}
    check_study(study, read_overlay(Path(study.overlay)) if study.overlay else read_atlas())


# ---------------------------------------------------------------------------------------------------- the principle


def test_principle_is_read_and_counts(tmp_path: Path) -> None:
    plain = read_study(write(tmp_path, GOOD))
    other = read_study(write(tmp_path, GOOD.replace("years", 'principle = "sue"\npath_scale_usd_t = 5.0\nyears')))
    assert (plain.principle, plain.path_scale_usd_t) == ("ue", None)
    assert (other.principle, other.path_scale_usd_t) == ("sue", 5.0)
    assert fingerprint(plain) != fingerprint(other)
    assert [d.where for d in differences(plain, other)] == ["principle", "path_scale_usd_t"]


def test_what_does_not_go_with_a_principle_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("years", 'principle = "so"\npath_scale_usd_t = 5.0\nterminals = "simulated"\nyears')
    assert faults(tmp_path, text + '\n[demand]\nmode = "ge"\n') == [
        "FILE:2, principle: wanted 'ue', to whose costs trade answers, got 'so'",
        "FILE:2, principle: wanted 'ue', with which terminals are simulated, got 'so'",
        "FILE:3, path_scale_usd_t: wanted principle = \"sue\", which alone uses it, got 'so'",
    ]
    (told,) = faults(tmp_path, GOOD.replace("years", 'principle = "sue"\nyears'))
    assert "path_scale_usd_t: wanted USD a tonne" in told
    (told,) = faults(tmp_path, GOOD.replace("years", 'principle = "wardrop"\nyears'))
    assert told.startswith("FILE:2, principle: wanted 'ue', 'so', 'sue', 'mincost' or 'cue', got 'wardrop'")


BROKEN = """\
name = "A pass"
years = [2023, 2030]
compare = "bse"

[[scenario]]
id = "base"

[[scenario]]
id = "colours"
colour = "red"
extends = "nobody"

[[scenario]]
id = "twice"

[[scenario.measure]]
kind = "build"
project = "pass"

[[scenario.measure]]
kind = "build"
project = "pass"

[[scenario]]
id = "child"
extends = "colours"

[[scenario.measure]]
kind = "build"
project = "pas"

[appraisal.scenarios.twice]
cost_usd_mn = 5.0
low_usd_mn = 9.0
payers = { XX = 1.0 }
"""


def test_faults_of_one_kind_do_not_hide_those_of_another(tmp_path: Path, tables: Tables) -> None:
    """What a scenario extends, what it builds twice, what the atlas does not have, costs, keys: all in one go."""
    with pytest.raises(StudyError) as caught:
        read_study(write(tmp_path, BROKEN), tables=tables)
    told = [fault.field for fault in caught.value.faults]
    assert told == [
        "compare",
        "scenario[1].colour",
        "scenario[1].extends",
        "scenario[2].measure[1]",
        "scenario[3].measure[0].project",
        "appraisal.scenarios.twice",
        "appraisal.scenarios.twice.payers",
    ]
    # mended one after the other, no new fault appears
    text = BROKEN.replace('"bse"', '"base"').replace('colour = "red"\n', "").replace('"nobody"', '"base"')
    text = text.replace("low_usd_mn = 9.0\n", "")
    study = read_study(write(tmp_path, text), tables=tables)
    with pytest.raises(StudyError) as caught:
        check_study(study, tables)
    assert [fault.field for fault in caught.value.faults] == [told[3], told[4], told[6]]


def test_a_scenario_is_not_held_against_what_it_does_not_say(tmp_path: Path, tables: Tables) -> None:
    """One that extends what is at fault itself, or goes round: nobody knows all of its measures."""
    twice = GOOD + '[[scenario.measure]]\nkind = "build"\nproject = "pass"\n'
    for wrong in ('extends = "pass"', 'extends = "base"\ndrop = ["x"]', 'extends = "nobody"'):
        text = twice.replace('extends = "base"', wrong)
        with pytest.raises(StudyError) as caught:
            read_study(write(tmp_path, text), tables=tables)
        assert len(caught.value.faults) == 1, str(caught.value)
    # years that cannot be are told, not run into
    with pytest.raises(StudyError) as caught:
        read_study(write(tmp_path, twice.replace("[2023, 2030]", "[2030, 2023]")), tables=tables)
    assert [fault.field for fault in caught.value.faults] == ["years[1]"]
