"""What the interface answers with; FastAPI's description of it is made from these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Answered",
    "AskedName",
    "AskedReady",
    "AskedRoutes",
    "AskedShock",
    "AskedTerminal",
    "AskedVariant",
    "AskedWhatIf",
    "Cell",
    "Choke",
    "Commodity",
    "Country",
    "Crossing",
    "CrossingCard",
    "Field_",
    "FindingOut",
    "Flows",
    "Frame",
    "JobOut",
    "Link",
    "LinkCard",
    "MapData",
    "Measures",
    "Name",
    "Place",
    "Problem",
    "ProblemFault",
    "Project",
    "RecordOut",
    "ResultsOut",
    "Row",
    "Run",
    "ScenarioOut",
    "Search",
    "Shock",
    "Terminal",
    "TerminalRun",
    "TerminalVariant",
    "Terminals",
    "TradeAnswer",
    "TradeQuestion",
    "Unread",
    "Users",
]

ShortText = Annotated[str, Field(min_length=1, max_length=120)]
Id = Annotated[str, Field(min_length=1, max_length=120)]
Year = Annotated[int, Field(ge=1990, le=2100)]
Number = float | None


class Shape(BaseModel):
    """A record of fixed fields."""

    model_config = ConfigDict(extra="forbid")


class ProblemFault(Shape):
    """One thing that is wrong."""

    row: str = ""
    where: str
    wanted: str
    got: str


class Problem(Shape):
    """Why something was refused: one sentence, and every fault that was found."""

    kind: str
    message: str
    faults: list[ProblemFault] = []


# --------------------------------------------------------------------------------------------------- the atlas


class Place(Shape):
    """A station, yard, port or city; at a `zone` trade starts and ends."""

    id: str
    name: str
    iso2: str
    lat: float
    lon: float
    kind: str
    tier: int
    zone: bool


class Link(Shape):
    """A section of line; its path leads from place a to place b."""

    id: str
    a: str
    b: str
    mode: str
    status: str
    open_from: int | None
    closed_from: str | None
    closed_to: str | None
    name: str
    line: str | None
    project: str | None
    km: Number
    gauges: list[int]
    ocean: bool
    estimated: bool
    path: list[tuple[float, float]]


class Crossing(Shape):
    """A border crossing; `countries` in the order of its places a and b."""

    id: str
    name: str
    link: str
    mode: str
    status: str
    closed_from: str | None
    closed_to: str | None
    lat: float
    lon: float
    countries: list[str]


class Country(Shape):
    """A country."""

    iso2: str
    iso3: str
    name: str


class Name(Shape):
    """Something with a name."""

    id: str
    name: str


class Commodity(Shape):
    """What is carried."""

    id: str
    name: str
    group: str
    form: str


class MapData(Shape):
    """Everything that stands on the map whatever was solved."""

    version: str
    content_hash: str
    disclaimer: str
    credits: str
    places: list[Place]
    links: list[Link]
    crossings: list[Crossing]
    countries: list[Country]
    passages: list[Name]
    commodities: list[Commodity]
    projects: list[Name]


class Cell(Shape):
    """One value of the atlas with how it is known."""

    column: str
    value: Any
    unit: str
    meaning: str
    kind: str
    sources: list[str] = []
    reasoning: str = ""


class RecordOut(Shape):
    """One row of the atlas."""

    table: str
    id: str
    cells: list[Cell]


class Row(Shape):
    """A row of the atlas by its name."""

    table: str
    id: str
    name: str


class Search(Shape):
    """What is known of something."""

    findings: list[dict[str, Any]]
    topics: list[str]


class Project(Shape):
    """A project: what happened to it, and what of the atlas belongs to it."""

    row: dict[str, Any]
    moments: list[dict[str, str]]
    atlas: list[dict[str, str]]


# ------------------------------------------------------------------------------------------------------ results


class ScenarioOut(Shape):
    """A scenario."""

    id: str
    name: str
    description: str
    measures: list[dict[str, Any]]


class Unread(Shape):
    """A folder that looks like results and cannot be read."""

    id: str
    why: str


class ResultsOut(Shape):
    """Some results: what was solved, from which facts and code.

    Where they are not `current`, since the atlas has changed, `again` is the command that makes them anew. Of the
    questions about trade they answer as many as `questions` tells.
    """

    id: str
    title: str
    description: str
    kind: Literal["study", "what-if"]
    made: str
    landbridge: str
    atlas: dict[str, Any] | None
    overlay: dict[str, Any] | None
    current: bool
    again: str
    size: str
    compare: str
    years: list[int]
    scenarios: list[ScenarioOut]
    held: list[str]
    solved: list[dict[str, Any]]
    tables: dict[str, str]
    questions: int


class Flows(Shape):
    """Flows of links by direction, as columns; row i of all columns belongs together."""

    link: list[str]
    direction: list[str]
    tonnes: list[Number]
    teu: list[Number]
    trains_day: list[Number]
    preload_trains_day: list[Number]
    capacity_trains_day: list[Number]
    use: list[Number]
    free_h: list[Number]
    time_h: list[Number]
    passage: list[str]
    passage_share: list[Number]
    group: list[str]
    group_share: list[Number]


class Run(Shape):
    """What one solution comes to."""

    totals: dict[str, Any]
    flows: Flows
    crossings: list[dict[str, Any]]
    countries: list[dict[str, Any]]
    passages: list[dict[str, Any]]


class Frame(Shape):
    """A table: what each column means and in which unit, and its rows."""

    name: str
    about: str
    columns: list[dict[str, str]]
    rows: list[list[Any]]
    total_rows: int


class CrossingCard(Shape):
    """A crossing at one solution."""

    rows: list[dict[str, Any]]
    goods: list[dict[str, Any]]
    relief: list[dict[str, Any]]


class LinkCard(Shape):
    """A link at one solution: the sections of each country and gauge."""

    rows: list[dict[str, Any]]


class Users(Shape):
    """Who uses something, by exporter, importer and commodity."""

    tonnes: float
    empty_tonnes: float
    pairs: list[dict[str, Any]]


class Choke(Shape):
    """Crossings by direction in every scenario and year, and what stands near its capacity."""

    crossings: list[dict[str, Any]]
    points: list[dict[str, Any]]


# ------------------------------------------------------------------------------------------------ what is asked


class AskedRoutes(Shape):
    """A question about routes; see `landbridge routes --help`."""

    start: ShortText
    end: ShortText
    year: Year = 2023
    result: Id | None = None
    scenario: Id | None = None
    commodity: Id = "machinery_box"
    objectives: list[Literal["time", "cost", "co2", "borders", "gauge_changes", "risk"]] = Field(
        default_factory=list, max_length=3
    )
    avoid: list[ShortText] = Field(default_factory=list, max_length=40)
    modes: list[Literal["rail", "road", "sea", "ferry"]] = Field(default_factory=list, max_length=4)
    only_borders: list[ShortText] = Field(default_factory=list, max_length=40)
    via: list[ShortText] = Field(default_factory=list, max_length=4)
    max_borders: int | None = Field(None, ge=0, le=30)
    max_gauge_changes: int | None = Field(None, ge=0, le=10)
    deadline_days: float | None = Field(None, gt=0, le=400)
    loaded: bool = True
    count: int = Field(6, ge=1, le=12)


class Answered(Shape):
    """Routes, or why there are none."""

    status: str
    reason: str
    rule: str
    unit: str
    year: int
    hours: str
    routes: list[dict[str, Any]]
    effects: list[dict[str, Any]]


class AskedWhatIf(Shape):
    """A what-if: a scenario of some results, and measures on top of it."""

    title: ShortText
    result: Id
    scenario: Id
    years: list[Year] = Field(min_length=1, max_length=4)
    measures: list[dict[str, Any]] = Field(min_length=1, max_length=40)


class AskedReady(Shape):
    """What what-ifs will start from: a scenario of some results, and years."""

    result: Id
    scenario: Id
    years: list[Year] = Field(min_length=1, max_length=4)


class AskedVariant(Shape):
    """A terminal as it is, or with an upgrade: the fields of the measure `upgrade` that act on terminals."""

    label: ShortText
    crane_groups_added: int | None = Field(None, ge=1, le=20)
    cranes_added: int | None = Field(None, ge=1, le=20)
    tracks_added: int | None = Field(None, ge=1, le=100)
    customs_time_factor: float | None = Field(None, gt=0, le=1)
    shift_h_day: float | None = Field(None, gt=0, le=24)
    stack_factor: float | None = Field(None, gt=0, le=100)


class AskedTerminal(Shape):
    """A question about a terminal; see `landbridge terminal --help`."""

    title: ShortText
    terminal: Id
    trains_day: float | None = Field(None, gt=0, lt=1000)
    changes: dict[Id, ShortText] = Field(default_factory=dict, max_length=60)
    variants: list[AskedVariant] = Field(min_length=1, max_length=4)
    days: float = Field(90, ge=5, le=400)
    replications: int = Field(10, ge=1, le=60)
    seed: int = Field(0, ge=0, le=2**31)
    event: Annotated[str, Field(max_length=120)] = ""
    curve: bool = True


class Terminal(Shape):
    """A plan of the atlas: what stands there and what is asked of it; ids are those of the tables."""

    id: str
    name: str
    place: str
    crossing: str
    sides: list[str]
    trains_day: float
    load: float
    bottleneck: str
    stack_teu: Number
    stack_dwell_h: float
    resources: list[dict[str, Any]]
    streams: list[dict[str, Any]]
    events: list[str]
    #: Trains a day at the time of an event, where they are known.
    volumes: dict[str, float]


class Terminals(Shape):
    """All plans, and how many of their numbers are estimates."""

    terminals: list[Terminal]
    estimates: int
    numbers: int


class TerminalVariant(Shape):
    """One variant of a run: the summary as `landbridge terminal --json` tells it, and the queue over time."""

    told: dict[str, Any]
    queue: dict[str, list[float]]


class TerminalRun(Shape):
    """A finished run."""

    job: str
    title: str
    asked: dict[str, Any]
    variants: list[TerminalVariant]


class AskedShock(Shape):
    """A shock to the cost of trade; see `landbridge trade shock --help`."""

    pairs: list[Annotated[str, Field(min_length=3, max_length=60)]] = Field(min_length=1, max_length=20)
    kind: Literal["tau", "freight", "embargo"] = "tau"
    percent: float = Field(-10, gt=-100, le=1000)
    mode: Literal["ge", "gravity", "elasticity"] = "ge"
    sectors: bool = False


class Shock(Shape):
    """What trade and welfare answer to a shock; sectors only where they move."""

    mode: str
    headline: str
    countries: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    sectors: list[dict[str, Any]]
    notes: list[str]


class TradeAnswer(Shape):
    """What the trade of a scenario answered against `before`; zones with their place on the map."""

    before: str
    told: dict[str, Any]
    countries: list[dict[str, Any]]
    sectors: list[dict[str, Any]]
    zones: list[dict[str, Any]]
    given: list[dict[str, Any]]
    notes: list[str]


class TradeQuestion(Shape):
    """A question and the figures that answer it; an empty scenario: these results do not hold it."""

    id: str
    text: str
    scenario: str
    before: str
    year: int
    facts: list[dict[str, Any]]
    notes: list[str]


class FindingOut(Shape):
    """A folder of power, investment or validation; a `usual` one answers what its page is first of all about."""

    kind: str
    id: str
    title: str
    made: str
    current: bool
    usual: bool
    tables: list[str]


class AskedName(Shape):
    """A new title."""

    title: ShortText


class JobOut(Shape):
    """A job."""

    id: str
    title: str
    status: Literal["waiting", "running", "finished", "failed", "cancelled", "interrupted"]
    made: str
    started: str | None
    ended: str | None
    done: int
    total: int
    message: str
    asked: dict[str, Any]


class Field_(Shape):  # noqa: N801 (pydantic has the plain name)
    """One field of a measure."""

    name: str
    kind: Literal["names", "name", "numbers", "text", "number", "integer", "flag", "choice", "choices"]
    names: str | None
    meaning: str
    choices: list[str]
    default: Any
    required: bool
    bounds: dict[str, float]


class MeasureOut(Shape):
    """A kind of measure."""

    kind: str
    meaning: str
    fields: list[Field_]
    rules: list[dict[str, Any]]


class Measures(Shape):
    """Every kind of measure, and the names that their fields take."""

    measures: list[MeasureOut]
    names: dict[str, list[Name]]
