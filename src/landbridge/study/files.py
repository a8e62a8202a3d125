"""Study files: what to run, as TOML, read into a frozen record and held against the tables.

A study file says which scenarios are run in which years, and how far they are solved:

.. code-block:: toml

    name = "China-Kyrgyzstan-Uzbekistan railway"
    years = [2023, 2030]

    [[scenario]]
    id = "base"

    [[scenario]]
    id = "cku"
    extends = "base"

    [[scenario.measure]]
    kind = "build"
    project = "cku"

How trade answers to cost may be stated in a table ``[demand]`` (see `landbridge.study.answering.Answering`):

.. code-block:: toml

    [demand]
    mode = "ge"       # frozen, elasticity, gravity or ge
    time = "route"    # where time counts: route or trade
    growth = "mean"   # mean, low or high

All that is wrong is told at once, each fault with the file, the line where it can be found, and the position of the
key, counted from 0.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

import pydantic

from landbridge.data.tables import Tables
from landbridge.errors import Fault, StudyError
from landbridge.scenario.apply import apply
from landbridge.scenario.check import check_measures, name_faults
from landbridge.scenario.measures import FIRST_YEAR, LAST_YEAR, Build, Subsidise, Upgrade, to_dict
from landbridge.scenario.read import Reading, model_faults, one_of, scenario_faults
from landbridge.scenario.scenarios import Scenario
from landbridge.study.answering import Answering, DemandMode, Growth, TimeCounted
from landbridge.study.appraisal_terms import Appraising, Cost, Outlay
from landbridge.study.positions import key_lines, line_of
from landbridge.study.uncertain import EnsemblePlan, Uncertain, plan_of, uncertain_faults, uncertain_of

__all__ = ["Size", "Study", "check_study", "fingerprint", "held_projects", "overlay_named", "read_study"]

Size: TypeAlias = Literal["full", "corridor", "reduced"]
Terminals: TypeAlias = Literal["table", "simulated"]
Family: TypeAlias = Literal["power", "conical"]
Principle: TypeAlias = Literal["ue", "so", "sue", "mincost", "cue"]

#: Relative gap that an equilibrium reaches unless a study says otherwise: ten times finer than the coarsest of use.
GAP = 1e-8

#: Iterations after which an equilibrium that has not come to its gap is given up.
MAX_ITERATIONS = 500

#: A study file is written by hand; anything larger is another file given by mistake.
MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class Study:
    """What to run.

    Attributes
    ----------
    name, description
        For people.
    years
        Years, in order.
    hold
        Projects and links that stay unbuilt in every scenario that does not build them; see `held_projects`.
    scenarios
        Scenarios, each with all its measures, in the file's order.
    compare
        Id of the scenario that the others are compared with.
    size
        How many relations are carried: ``full``, ``corridor`` (those that can use the land corridors) or ``reduced``.
    gap
        Relative gap at which an equilibrium is taken as found.
    max_iterations
        Iterations after which it is given up.
    overlay
        Folder or file of the user's own values over the atlas, or empty; see `landbridge.data.overlay`.
    terminals
        Where the delay at terminals comes from: ``table`` (hours and capacities of the atlas, a power curve) or
        ``simulated`` (their plans, run at the volumes that result).
    curves
        Families of volume-delay curves by type of facility, where it is not the power: see `landbridge.study.curves`.
    nest
        Scale of the choice between sea and road outside the land network: see `landbridge.study.outside`.
    principle
        By which flows are found: user equilibrium, system optimum, stochastic, least cost under hard capacities, or
        user equilibrium under them (see docs/flows.md).
    path_scale_usd_t
        Scale of path choice, of ``sue`` alone.
    demand
        How trade answers to cost; None where the study says nothing, and trade is frozen.
    seed
        Of everything that is drawn at random.
    outputs
        Tables that the results keep; empty = all.
    uncertain, ensemble
        Uncertain inputs, and how futures are drawn from them; see `landbridge.study.uncertain`.
    appraisal
        How projects are appraised; None for the atlas' own terms. See `landbridge.study.appraise`.
    path
        The file it was read from, or empty. It and the two below do not count when studies are compared.
    positions
        For each scenario the position in the file of each of its measures.
    lines
        Lines of the file by position.
    """

    name: str
    years: tuple[int, ...]
    scenarios: tuple[Scenario, ...]
    compare: str
    description: str = ""
    hold: tuple[str, ...] = ()
    size: Size = "corridor"
    gap: float = GAP
    max_iterations: int = MAX_ITERATIONS
    overlay: str = ""
    terminals: Terminals = "table"
    curves: tuple[tuple[str, str], ...] = ()
    nest: float = 0.0
    principle: Principle = "ue"
    path_scale_usd_t: float | None = None
    demand: Answering | None = None
    seed: int = 0
    outputs: tuple[str, ...] = ()
    uncertain: tuple[Uncertain, ...] = ()
    ensemble: EnsemblePlan | None = None
    appraisal: Appraising | None = None
    path: str = field(default="", compare=False)
    positions: tuple[tuple[str, ...], ...] = field(default=(), compare=False, repr=False)
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), compare=False, repr=False)

    def scenario(self, name: str) -> Scenario:
        """Return a scenario by its id."""
        for scenario in self.scenarios:
            if scenario.id == name:
                return scenario
        raise KeyError(f"no scenario {name!r}; there are {', '.join(s.id for s in self.scenarios)}")


class _DemandTable(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    mode: DemandMode = "frozen"
    time: TimeCounted = "route"
    growth: Growth = "mean"
    tolerance: float = pydantic.Field(Answering.tolerance, gt=0, lt=1)
    max_rounds: int = pydantic.Field(Answering.max_rounds, ge=1, le=10_000)
    damping: float = pydantic.Field(Answering.damping, gt=0, le=1)


class _OutlayTable(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    cost_usd_mn: float = pydantic.Field(gt=0)
    low_usd_mn: float | None = pydantic.Field(None, gt=0)
    high_usd_mn: float | None = pydantic.Field(None, gt=0)
    build_years: int = pydantic.Field(1, ge=1, le=50)
    opening: int | None = pydantic.Field(None, ge=FIRST_YEAR, le=LAST_YEAR)
    payers: dict[str, Annotated[float, pydantic.Field(gt=0)]] = {}


class _AppraisalTable(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    rate: float | None = pydantic.Field(None, ge=0, le=1)
    carbon_usd_t: float | None = pydantic.Field(None, ge=0)
    years: int | None = pydantic.Field(None, ge=1, le=200)
    cost: Cost = "mean"
    scenarios: dict[str, _OutlayTable] = {}


class _CurvesTable(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    line: Family = "power"
    crossing: Family = "power"
    yard: Family = "power"


class _Years(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    years: list[Annotated[int, pydantic.Field(ge=FIRST_YEAR, le=LAST_YEAR)]] = pydantic.Field(min_length=1)


class _StudyFile(_Years):
    name: str = pydantic.Field(min_length=1)
    hold: list[str] = []
    description: str = ""
    scenario: list[Any] = pydantic.Field(min_length=1)
    compare: str | None = None
    size: Size = "corridor"
    gap: float = pydantic.Field(GAP, gt=0, lt=1)
    max_iterations: int = pydantic.Field(MAX_ITERATIONS, ge=1, le=1_000_000)
    overlay: str | None = pydantic.Field(None, min_length=1)
    terminals: Terminals = "table"
    curves: _CurvesTable | None = None
    nest: float = pydantic.Field(0.0, ge=0, le=1)
    principle: Principle = "ue"
    path_scale_usd_t: float | None = pydantic.Field(None, gt=0)
    demand: _DemandTable | None = None
    seed: int = pydantic.Field(0, ge=0)
    outputs: list[str] = []
    uncertain: list[Any] = []
    ensemble: Any = None
    appraisal: _AppraisalTable | None = None


def read_study(path: str | Path, *, overlay_in: Path | None = None, tables: Tables | None = None) -> Study:
    """Read a study file.

    Parameters
    ----------
    path
        A TOML file.
    overlay_in
        Where the overlay that the file names stands now, for a study that was copied without it.
    tables
        Where they are given and the file has a fault, what could be read is held against them: all names, and whole
        scenarios where nothing is wrong with them, so that all is told at once.

    Returns
    -------
    Study
        It is not yet held against tables: see `check_study`.

    Raises
    ------
    StudyError
        With every fault of the file.
    """
    file = Path(path)
    text = _text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        where = f"{file}:{found.group(1)}" if found else f"{file}"
        raise StudyError(f"study {file}", [Fault(where, "", "", "TOML", str(error))]) from None
    except (RecursionError, ValueError) as error:  # lists nested without end; numbers of thousands of digits
        raise StudyError(f"study {file}", [Fault(f"{file}", "", "", "TOML", type(error).__name__)]) from None
    lines = key_lines(text)
    entries = data.get("scenario")
    head, faults = model_faults(_StudyFile, data)
    reading = scenario_faults(entries if isinstance(entries, list) else [])
    faults += reading.faults
    faults += _year_faults(data.get("years"))
    faults += _principle_faults(data)
    known = [str(e["id"]) for e in entries if isinstance(e, dict) and "id" in e] if isinstance(entries, list) else []
    compare = data.get("compare")
    if isinstance(compare, str) and compare not in known:
        faults.append(Fault("", "", "compare", one_of("scenario", compare, known), f"{compare!r}"))
    overlay, more = (str(overlay_in), []) if overlay_in and "overlay" in data else _overlay(file, data.get("overlay"))
    faults += more
    uncertain, more = uncertain_of(data.get("uncertain", []))
    faults += more
    plan, more = plan_of(data["ensemble"], data.get("years"), known) if "ensemble" in data else (None, [])
    faults += more
    appraisal = data.get("appraisal")
    faults += _outlay_faults(model_faults(_AppraisalTable, appraisal)[0] if appraisal is not None else None, known)
    if uncertain and "ensemble" not in data:
        faults.append(Fault("", "", "uncertain", "a table [ensemble] beside it", "nothing"))
    if faults and tables is not None:
        faults += _more_faults(data, reading, uncertain, tables)
    if faults:
        raise StudyError(f"study {file}", _placed(faults, f"{file}", lines))
    return Study(
        name=head.name,
        description=head.description,
        hold=tuple(head.hold),
        years=tuple(head.years),
        scenarios=reading.scenarios,
        compare=head.compare or reading.scenarios[0].id,
        size=head.size,
        gap=head.gap,
        max_iterations=head.max_iterations,
        overlay=overlay,
        terminals=head.terminals,
        curves=tuple((k, f) for k, f in head.curves.model_dump().items() if f != "power") if head.curves else (),
        nest=head.nest,
        principle=head.principle,
        path_scale_usd_t=head.path_scale_usd_t,
        demand=Answering(**head.demand.model_dump()) if head.demand else None,
        seed=head.seed,
        outputs=tuple(head.outputs),
        uncertain=uncertain,
        ensemble=plan,
        appraisal=_appraising(head.appraisal),
        path=f"{file}",
        positions=reading.positions,
        lines=MappingProxyType(lines),
    )


def _appraising(table: _AppraisalTable | None) -> Appraising | None:
    """How projects are appraised, from its table."""
    if table is None:
        return None
    own = {name: Outlay(**each.model_dump()) for name, each in table.scenarios.items()}
    return Appraising(table.rate, table.carbon_usd_t, table.years, table.cost, own)


def _outlay_faults(table: _AppraisalTable | None, known: Sequence[str]) -> list[Fault]:
    """Costs of scenarios that are not there, and ranges that do not hold the cost."""
    faults = []
    for name, each in table.scenarios.items() if table else ():
        place = f"appraisal.scenarios.{name}"
        if name not in known:
            faults.append(Fault("", "", place, one_of("scenario", name, known), f"{name!r}"))
        low, high = (each.cost_usd_mn if v is None else v for v in (each.low_usd_mn, each.high_usd_mn))
        if not low <= each.cost_usd_mn <= high:
            got = f"{low:g}, {each.cost_usd_mn:g}, {high:g}"
            faults.append(Fault("", "", place, "low_usd_mn <= cost_usd_mn <= high_usd_mn", got))
    return faults


def _text(file: Path) -> str:
    def fail(wanted: str, got: str) -> StudyError:
        return StudyError(f"study {file}", [Fault(f"{file}", "", "", wanted, got)])

    try:
        if file.is_dir():
            raise fail("a TOML file", "a folder")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise fail("a TOML file", "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise fail("a file that can be read", getattr(error, "strerror", None) or str(error)) from None
    if len(raw) > MAX_BYTES:
        raise fail(f"at most {MAX_BYTES // 1_000_000} MB of TOML", "more")
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise StudyError(
            f"study {file}", [Fault(f"{file}:{line}", "", "", "UTF-8 text", f"byte 0x{raw[error.start]:02x}")]
        ) from None


def overlay_named(path: str | Path) -> Path | None:
    """Return the overlay that a study file names, whatever else is wrong with it; None for none that is there."""
    file = Path(path)
    try:
        named = tomllib.loads(_text(file)).get("overlay")
    except (StudyError, ValueError, RecursionError):
        return None  # told by `read_study`
    place = _overlay(file, named)[0]
    return Path(place) if place else None


def _more_faults(
    data: Mapping[str, Any], reading: Reading, uncertain: Sequence[Uncertain], tables: Tables
) -> list[Fault]:
    """What the tables say against a file with other faults: of all names in it, and of scenarios that are whole."""
    hold = data.get("hold")
    held = [name for name in hold if isinstance(name, str)] if isinstance(hold, list) else []
    faults = _hold_faults(held, tables)
    for position, measure in reading.measures:
        faults += name_faults(tables, measure, position)
    outputs = data.get("outputs")
    faults += output_faults(outputs if isinstance(outputs, list) else [])
    told = data.get("uncertain")
    whole = isinstance(told, list) and len(told) == len(uncertain)  # else their positions are not known
    faults += uncertain_faults(tables, tuple(uncertain), None) if whole else ()
    appraisal = data.get("appraisal")
    if appraisal is not None and (how := model_faults(_AppraisalTable, appraisal)[0]) is not None:
        faults += _payer_faults(_appraising(how), tables)
    run, wrong = model_faults(_Years, {"years": data.get("years")})
    if wrong or _year_faults(data.get("years")):
        return faults  # what is open depends on the years
    builds = [measure for _, measure in reading.measures if isinstance(measure, Build)]
    for scenario, places, sound in zip(reading.scenarios, reading.positions, reading.whole, strict=True):
        if sound:
            simulated = data.get("terminals") == "simulated"
            closed = _held(builds, held)
            faults += _scenario_faults(scenario, places, tables, run.years, closed, simulated=simulated)
    return faults


def output_faults(outputs: Sequence[object]) -> list[Fault]:
    """Return the names among a study's outputs that are no table of results."""
    from landbridge.study.run import DESCRIBED  # noqa: PLC0415 - which reads studies

    return [
        Fault("", "", f"outputs[{i}]", one_of("table of results", name, list(DESCRIBED)), repr(name))
        for i, name in enumerate(outputs)
        if isinstance(name, str) and name not in DESCRIBED
    ]


def _hold_faults(hold: Sequence[str], tables: Tables) -> list[Fault]:
    """Names held back that are no project and no link."""
    known = [*tables.ids("projects"), *tables.ids("links")] if hold else []
    return [
        Fault("", "", f"hold[{i}]", one_of("project or link", name, known), f"{name!r}")
        for i, name in enumerate(hold)
        if name not in known
    ]


def _overlay(file: Path, named: object) -> tuple[str, list[Fault]]:
    """Path of a study's overlay, which is named as seen from the study's folder."""
    if not isinstance(named, str) or not named:
        return "", []  # told by the model
    path = file.parent / named
    if path.exists():
        return str(path), []
    return "", [Fault("", "", "overlay", "a folder of CSV files, or one", f"{named!r}, which is not there")]


def _year_faults(years: object) -> list[Fault]:
    """Years told twice, or out of order."""
    if not isinstance(years, list) or not all(isinstance(year, int) for year in years):
        return []
    return [
        Fault("", "", f"years[{i}]", f"a year after {years[i - 1]}", str(years[i]))
        for i in range(1, len(years))
        if years[i] <= years[i - 1]
    ]


def _principle_faults(data: Mapping[str, Any]) -> list[Fault]:
    """What does not go together with the principle."""
    principle, demand = data.get("principle", "ue"), data.get("demand")
    faults = []
    if principle == "sue" and "path_scale_usd_t" not in data:
        faults.append(Fault("", "", "path_scale_usd_t", 'USD a tonne, which principle = "sue" needs', "nothing"))
    if principle != "sue" and "path_scale_usd_t" in data:
        faults.append(Fault("", "", "path_scale_usd_t", 'principle = "sue", which alone uses it', f"{principle!r}"))
    if principle == "ue":
        return faults
    if isinstance(demand, Mapping) and demand.get("mode", "frozen") != "frozen":
        faults.append(Fault("", "", "principle", "'ue', to whose costs trade answers", f"{principle!r}"))
    if data.get("terminals") == "simulated":
        faults.append(Fault("", "", "principle", "'ue', with which terminals are simulated", f"{principle!r}"))
    return faults


def _placed(faults: Sequence[Fault], file: str, lines: Mapping[str, int]) -> list[Fault]:
    """Faults with file and line, in the order of the file."""
    found = []
    for fault in dict.fromkeys(faults):
        line = line_of(lines, fault.field)
        where = f"{file}:{line}" if line is not None else file
        found.append((line or 0, Fault(where, fault.row, fault.field, fault.wanted, fault.got)))
    return [fault for _, fault in sorted(found, key=lambda pair: pair[0])]


def held_projects(study: Study) -> frozenset[str]:
    """Return the projects that some scenario of a study builds or that it holds back, and the links likewise.

    They open only where they are built, even if the year in which they are due has come; everything else that is under
    construction opens in its year in every scenario.
    """
    return _held([m for scenario in study.scenarios for m in scenario.measures if isinstance(m, Build)], study.hold)


def _held(builds: Sequence[Build], hold: Sequence[str]) -> frozenset[str]:
    built = {m.project for m in builds if m.project is not None} | {name for m in builds for name in m.links}
    return frozenset(built | set(hold))


def check_study(study: Study, tables: Tables) -> None:
    """Hold a study against tables: names, dependencies and conflicts of measures, and money.

    Parameters
    ----------
    study
        The study.
    tables
        The tables that it will run on.

    Raises
    ------
    StudyError
        With every fault.
    """
    held = held_projects(study)
    faults = _hold_faults(study.hold, tables)
    faults += output_faults(study.outputs)
    faults += uncertain_faults(tables, study.uncertain, study.ensemble)
    faults += _payer_faults(study.appraisal, tables)
    if study.overlay and tables.overlay is None:
        faults.append(Fault("", "", "overlay", f"tables with the values of {study.overlay}", "tables without them"))
    for i, scenario in enumerate(study.scenarios):
        count = len(scenario.measures)
        places = study.positions[i] if study.positions else [f"scenario[{i}].measure[{j}]" for j in range(count)]
        simulated = study.terminals == "simulated"
        faults += _scenario_faults(scenario, places, tables, study.years, held, simulated=simulated)
    if faults:
        subject = study.path or study.name
        raise StudyError(f"study {subject}", _placed(faults, study.path, study.lines))


def _payer_faults(appraisal: Appraising | None, tables: Tables) -> list[Fault]:
    """Payers that are no country."""
    own = appraisal.scenarios if appraisal else {}
    countries = tables["countries"]["iso2"].to_list() if own else []
    return [
        Fault("", "", f"appraisal.scenarios.{name}.payers", one_of("country", payer, countries), f"{payer!r}")
        for name, outlay in own.items()
        for payer in outlay.payers
        if payer not in countries
    ]


def _scenario_faults(
    scenario: Scenario,
    places: Sequence[str],
    tables: Tables,
    years: Sequence[int],
    held: frozenset[str],
    *,
    simulated: bool,
) -> list[Fault]:
    """What the tables say against a scenario whose measures stand at these places; whether terminals are simulated."""
    found = check_measures(tables, scenario.measures, years, held=held, positions=places)
    if not simulated:
        wanted = 'terminals = "simulated" in the study, without which it changes nothing'
        found += [
            Fault("", "", f"{places[j]}.terminals", wanted, "a study that takes terminals from the table")
            for j, measure in enumerate(scenario.measures)
            if isinstance(measure, Upgrade) and measure.terminals
        ]
    if not found and any(isinstance(measure, Subsidise) for measure in scenario.measures):
        found = [fault for year in years for fault in _money(scenario, tables, year, held, places)]
    return found


def _money(scenario: Scenario, tables: Tables, year: int, held: frozenset[str], places: Sequence[str]) -> list[Fault]:
    """What only shows once the measures are applied."""
    try:
        apply(tables, scenario.measures, year, held=held)
    except StudyError as error:
        here = {f"measure[{j}]": place for j, place in enumerate(places)}
        return [Fault(f.where, f.row, here.get(f.field, f.field), f.wanted, f.got) for f in error.faults]
    return []


def fingerprint(study: Study) -> str:
    """Return a hash of what a study computes, wherever its file lies; words for people do not count."""
    content = {
        "years": study.years,
        **({"hold": sorted(study.hold)} if study.hold else {}),
        "scenarios": [[s.id, [to_dict(measure) for measure in s.measures]] for s in study.scenarios],
        "compare": study.compare,
        "size": study.size,
        "gap": study.gap,
        "max_iterations": study.max_iterations,
        **({"terminals": study.terminals} if study.terminals != "table" else {}),
        **({"curves": sorted(study.curves)} if study.curves else {}),
        **({"nest": study.nest} if study.nest else {}),
        **({"principle": study.principle} if study.principle != "ue" else {}),
        **({"path_scale_usd_t": study.path_scale_usd_t} if study.path_scale_usd_t is not None else {}),
        **({"demand": asdict(study.demand)} if study.demand else {}),
        **({"outputs": sorted(study.outputs)} if study.outputs else {}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
