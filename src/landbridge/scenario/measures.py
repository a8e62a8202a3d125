"""What an analyst may assume: one small frozen record for each kind of what-if edit.

A measure says what is changed, never how; `landbridge.scenario.apply` changes the tables. How the fields select:

- links, crossings, places, lines and a project name things, and what they name adds up;
- ``modes`` narrows ``countries`` where both are given: countries ``["KZ"]`` with modes ``["rail"]`` are the railways of
  Kazakhstan.

Each field's metadata holds what reading, checking and documentation need: ``names`` (the kind of name it holds), bounds
(``gt``, ``ge``, ``lt``, ``le``) and ``meaning``. `Measure` is the union of all records, `KINDS` finds one by its word.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias

__all__ = [
    "KINDS",
    "MODES",
    "Avoid",
    "Build",
    "Charge",
    "Close",
    "Ease",
    "Grow",
    "Measure",
    "Mode",
    "Regauge",
    "Relocate",
    "Rule",
    "Sanction",
    "Subsidise",
    "Union",
    "Upgrade",
    "given",
    "kind_of",
    "names_in",
    "to_dict",
]

Mode: TypeAlias = Literal["rail", "road", "sea", "ferry"]
MODES: tuple[Mode, ...] = ("rail", "road", "sea", "ferry")

#: Years outside are taken for slips of the pen: trade data start in 1995, plans reach the middle of the century.
FIRST_YEAR, LAST_YEAR = 1990, 2100


def about(meaning: str, names: str | None = None, **bounds: float) -> dict[str, Any]:
    """Metadata of a field: its meaning, the kind of name it holds, its bounds."""
    return {"meaning": meaning, **({"names": names} if names else {}), **bounds}


@dataclass(frozen=True)
class Rule:
    """How many of some fields a measure must give, perhaps only where others are given.

    Attributes
    ----------
    least, most
        Between how many of the fields.
    of
        The fields.
    where
        The rule holds where one of these is given; always when empty.
    """

    least: int
    most: int
    of: tuple[str, ...]
    where: tuple[str, ...] = ()


def _one_of(*names: str) -> Rule:
    return Rule(1, 1, names)


def _some_of(*names: str) -> Rule:
    return Rule(1, len(names), names)


def _one_at_most(*names: str) -> Rule:
    return Rule(0, 1, names)


@dataclass(frozen=True, kw_only=True)
class Build:
    """Open lines that are not there, or open again what is closed.

    Without a year the lines are open in every year that is run, so that a past year can be asked about too. A project's
    upgrades of lines and crossings come with it.
    """

    rules: ClassVar[tuple[Rule, ...]] = (_one_of("project", "links"),)

    project: str | None = field(default=None, metadata=about("all links of this project", "project"))
    links: tuple[str, ...] = field(default=(), metadata=about("these links", "link"))
    year: int | None = field(
        default=None, metadata=about("first year in which they are open", ge=FIRST_YEAR, le=LAST_YEAR)
    )


@dataclass(frozen=True, kw_only=True)
class Close:
    """Shut crossings, links, places or a country's borders, wholly or down to a share of their capacity.

    Closing a place shuts its links. Closing a country shuts every link that leaves or enters it, by land or sea; what
    moves inside goes on (to keep out of a country altogether is `Avoid`).
    """

    rules: ClassVar[tuple[Rule, ...]] = (_some_of("crossings", "links", "places", "countries"),)

    crossings: tuple[str, ...] = field(default=(), metadata=about("these crossings", "crossing"))
    links: tuple[str, ...] = field(default=(), metadata=about("these links", "link"))
    places: tuple[str, ...] = field(default=(), metadata=about("all links of these places", "place"))
    countries: tuple[str, ...] = field(default=(), metadata=about("the borders of these countries", "country"))
    share: float = field(default=0.0, metadata=about("part of the capacity that is left", ge=0, lt=1))


@dataclass(frozen=True, kw_only=True)
class Avoid:
    """A shippers' ban: nothing is sent by these ways; demand stays as it is."""

    rules: ClassVar[tuple[Rule, ...]] = (_some_of("countries", "crossings", "links", "modes"),)

    countries: tuple[str, ...] = field(default=(), metadata=about("every kilometre in these countries", "country"))
    crossings: tuple[str, ...] = field(default=(), metadata=about("these crossings", "crossing"))
    links: tuple[str, ...] = field(default=(), metadata=about("these links", "link"))
    modes: tuple[Mode, ...] = field(default=(), metadata=about("these modes (in the countries, where some are named)"))


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """Make lines, crossings or terminals better: capacity, speed, tracks, length of trains; cranes, customs, shifts.

    What is done to a terminal acts on its plan, and so on its delay where a study says ``terminals = "simulated"``.
    """

    #: What can be done to a terminal.
    at_terminals: ClassVar[tuple[str, ...]] = (
        "crane_groups_added", "cranes_added", "tracks_added", "customs_time_factor", "shift_h_day", "stack_factor",
    )  # fmt: skip
    rules: ClassVar[tuple[Rule, ...]] = (
        _some_of("links", "lines", "crossings", "project", "terminals"),
        _some_of(
            "capacity_factor",
            "capacity_trains_day",
            "speed_factor",
            "speed_kmh",
            "tracks",
            "train_length_factor",
            *at_terminals,
        ),
        Rule(1, 6, at_terminals, where=("terminals",)),
        Rule(1, 1, ("terminals",), where=at_terminals),
        Rule(1, 4, ("links", "lines", "crossings", "project"), where=("capacity_factor", "capacity_trains_day")),
        _one_at_most("capacity_factor", "capacity_trains_day"),
        _one_at_most("speed_factor", "speed_kmh"),
        Rule(1, 2, ("capacity_factor", "capacity_trains_day"), where=("crossings",)),
        Rule(1, 3, ("links", "lines", "project"), where=("speed_factor", "speed_kmh", "tracks", "train_length_factor")),
    )

    links: tuple[str, ...] = field(default=(), metadata=about("these links", "link"))
    lines: tuple[str, ...] = field(default=(), metadata=about("all links of these lines", "line"))
    crossings: tuple[str, ...] = field(default=(), metadata=about("these crossings", "crossing"))
    project: str | None = field(default=None, metadata=about("all links of this project", "project"))
    capacity_factor: float | None = field(default=None, metadata=about("times the capacity", gt=0))
    capacity_trains_day: float | None = field(
        default=None, metadata=about("the capacity in each direction, trains a day", gt=0)
    )
    speed_factor: float | None = field(default=None, metadata=about("times the commercial speed", gt=0))
    speed_kmh: float | None = field(default=None, metadata=about("the commercial speed, km/h", gt=0, le=500))
    tracks: int | None = field(default=None, metadata=about("the number of tracks", ge=1, le=8))
    train_length_factor: float | None = field(
        default=None, metadata=about("what a train carries, relative to a Chinese block train", gt=0, le=10)
    )
    terminals: tuple[str, ...] = field(default=(), metadata=about("these terminals", "terminal"))
    crane_groups_added: int | None = field(
        default=None, metadata=about("more groups of cranes, each for one train at a time", ge=1, le=20)
    )
    cranes_added: int | None = field(default=None, metadata=about("more cranes in each group", ge=1, le=20))
    tracks_added: int | None = field(default=None, metadata=about("more tracks on each side", ge=1, le=100))
    customs_time_factor: float | None = field(
        default=None, metadata=about("times the minutes of customs, for documents and inspection", ge=0, le=10)
    )
    shift_h_day: float | None = field(
        default=None, metadata=about("hours of work a day of all that works in shifts", gt=0, le=24)
    )
    stack_factor: float | None = field(default=None, metadata=about("times the room of the stack", gt=0, le=100))


@dataclass(frozen=True, kw_only=True)
class Ease:
    """Make crossings quicker, cheaper or wider; a factor above 1 makes them slower, dearer or wider."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _some_of("crossings", "countries", "everywhere"),
        Rule(0, 0, ("crossings", "countries"), where=("everywhere",)),
        _some_of("time_factor", "waiting_factor", "cost_factor", "capacity_factor"),
        Rule(1, 3, ("time_factor", "cost_factor", "capacity_factor"), where=("include_gauge_change",)),
    )

    crossings: tuple[str, ...] = field(default=(), metadata=about("these crossings", "crossing"))
    countries: tuple[str, ...] = field(default=(), metadata=about("all crossings of these countries", "country"))
    everywhere: bool = field(default=False, metadata=about("all crossings"))
    time_factor: float | None = field(
        default=None, metadata=about("times the hours of processing and their spread", ge=0)
    )
    waiting_factor: float | None = field(default=None, metadata=about("times the hours of the queue", ge=0))
    cost_factor: float | None = field(default=None, metadata=about("times the fees", ge=0))
    capacity_factor: float | None = field(default=None, metadata=about("times the capacity", gt=0))
    include_gauge_change: bool = field(
        default=False, metadata=about("gauge changes at the ends of these crossings get the same factors")
    )


@dataclass(frozen=True, kw_only=True)
class _Levy:
    """What `Charge` and `Subsidise` share: where money is paid, and how much."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _some_of("countries", "crossings", "links", "modes", "zones"),
        _some_of("usd_teu", "usd_t", "usd_teu_km", "usd_t_km"),
        Rule(1, 3, ("countries", "links", "modes"), where=("usd_teu_km", "usd_t_km")),
        Rule(1, 2, ("usd_teu", "usd_t"), where=("crossings", "zones")),
        Rule(0, 0, ("countries", "crossings", "links", "modes"), where=("zones",)),
        Rule(1, 1, ("countries",), where=("direction",)),
    )

    countries: tuple[str, ...] = field(default=(), metadata=about("in these countries", "country"))
    crossings: tuple[str, ...] = field(default=(), metadata=about("at these crossings", "crossing"))
    links: tuple[str, ...] = field(default=(), metadata=about("on these links", "link"))
    modes: tuple[Mode, ...] = field(
        default=(), metadata=about("on these modes (in the countries, where some are named)")
    )
    zones: tuple[str, ...] = field(
        default=(), metadata=about("on freight that starts in these zones and goes by land", "zone")
    )
    usd_teu: float | None = field(default=None, metadata=about("USD per TEU, once at a crossing or link", gt=0))
    usd_t: float | None = field(default=None, metadata=about("USD per tonne of bulk, once at a crossing or link", gt=0))
    usd_teu_km: float | None = field(default=None, metadata=about("USD per TEU and km", gt=0))
    usd_t_km: float | None = field(default=None, metadata=about("USD per tonne of bulk and km", gt=0))
    direction: Literal["entering", "leaving", "both"] = field(
        default="entering", metadata=about("which way over a country's borders `usd_teu` and `usd_t` are paid")
    )


@dataclass(frozen=True, kw_only=True)
class Charge(_Levy):
    """Let freight pay: a toll, a fee, a surcharge.

    An amount by the km is paid on the kilometres inside the countries named, or on all of the links named. An amount
    without km is paid once at each crossing or link named; where countries or modes are named it is paid at their
    border crossings, in the `direction` given, so that it does not hang on how a line is cut into links. Where zones
    are named it is paid once on each box or tonne that starts there and goes by land, as provinces pay their trains.
    """

    payee: str | None = field(default=None, metadata=about("country that is paid", "country"))


@dataclass(frozen=True, kw_only=True)
class Subsidise(_Levy):
    """Pay for freight; amounts are positive, and paid where a `Charge` would be taken.

    No arc may become cheaper than free.
    """

    payer: str | None = field(default=None, metadata=about("country that pays", "country"))


@dataclass(frozen=True, kw_only=True)
class Regauge:
    """Lay railway links to another gauge."""

    rules: ClassVar[tuple[Rule, ...]] = (_some_of("links"),)

    links: tuple[str, ...] = field(metadata=about("these links", "link"))
    gauge_mm: int = field(metadata=about("the gauge they get, mm", ge=500, le=2000))


@dataclass(frozen=True, kw_only=True)
class _Traded:
    """What measures of trade share: whose trade, of what."""

    exporter: str = field(default="*", metadata=about("ISO3 code, bloc, or * for all", "trader"))
    importer: str = field(default="*", metadata=about("ISO3 code, bloc, or * for all", "trader"))
    commodity: str = field(default="*", metadata=about("group or product of the trade tables, or *", "commodity"))
    both_ways: bool = field(default=False, metadata=about("the trade back from importer to exporter too"))


@dataclass(frozen=True, kw_only=True)
class Grow(_Traded):
    """Let trade grow, on top of the growth that the atlas holds, or to a target in place of it, or open a flow.

    A rate counts from `from_year`, or from the year of each row of trade; a factor holds from `from_year`, or always.
    Before `from_year` nothing changes. A target is the value of all the trade named in `target_year`, at the prices of
    the trade matrix; until then trade moves towards it at an even rate, after it the atlas' growth goes on. `basis`
    says whose figures the target is in, where reporters differ. Tonnes to open are added where there is no trade yet.
    """

    rules: ClassVar[tuple[Rule, ...]] = (
        _one_of("percent_yr", "factor", "target_bn_usd", "open_t_yr"),
        Rule(1, 1, ("target_year",), where=("target_bn_usd",)),
        Rule(1, 1, ("target_bn_usd",), where=("target_year", "basis")),
        Rule(0, 0, ("from_year",), where=("target_bn_usd", "open_t_yr")),
        Rule(3, 3, ("exporter", "importer", "commodity"), where=("open_t_yr",)),
    )

    percent_yr: float | None = field(default=None, metadata=about("growth, per cent a year", gt=-100, le=1000))
    factor: float | None = field(default=None, metadata=about("times the trade", ge=0))
    from_year: int | None = field(default=None, metadata=about("year in which it starts", ge=FIRST_YEAR, le=LAST_YEAR))
    target_bn_usd: float | None = field(default=None, metadata=about("value to reach, billion USD", gt=0))
    target_year: int | None = field(default=None, metadata=about("year of the target", ge=FIRST_YEAR, le=LAST_YEAR))
    basis: str = field(default="matrix", metadata=about("whose figures the target is in", "basis"))
    open_t_yr: float | None = field(default=None, metadata=about("tonnes a year where there is no trade yet", gt=0))


@dataclass(frozen=True, kw_only=True)
class Sanction(_Traded):
    """Forbid or hinder trade: what of it is left, what payments cost it, and where its goods may not pass.

    Where demand is frozen, trade that is forbidden vanishes and friction has no effect. Where it answers, what is
    forbidden goes elsewhere and friction adds to the cost of trade.
    """

    rules: ClassVar[tuple[Rule, ...]] = (
        _some_of("share", "friction_pct", "barred_countries", "barred_operators"),
        Rule(
            1,
            3,
            ("exporter", "importer", "commodity"),
            where=("share", "friction_pct", "barred_countries", "barred_operators"),
        ),
    )

    share: float | None = field(
        default=None, metadata=about("part of the trade that is left; 0 is an embargo", ge=0, le=1)
    )
    friction_pct: float | None = field(
        default=None, metadata=about("what payments and checks add to its cost, per cent of value", gt=0, le=1000)
    )
    barred_countries: tuple[str, ...] = field(
        default=(), metadata=about("countries through which its goods may not pass by land", "country")
    )
    barred_operators: tuple[str, ...] = field(
        default=(),
        metadata=about("railways that may not carry its goods, whatever country they run in (routes only)", "operator"),
    )


@dataclass(frozen=True, kw_only=True)
class Union:
    """Widen a customs union: members join, borders inside it get quicker, and they take its tariffs.

    Tariffs between members become zero, and new members take from outsiders what the union takes in the mean, where the
    atlas has a table of tariffs; they matter where demand answers.
    """

    rules: ClassVar[tuple[Rule, ...]] = (_some_of("members"),)

    bloc: str = field(metadata=about("the union", "trader"))
    members: tuple[str, ...] = field(metadata=about("who joins", "country"))
    time_factor: float | None = field(
        default=None, metadata=about("times the hours of processing and their spread at borders inside", ge=0)
    )
    waiting_factor: float | None = field(default=None, metadata=about("times the hours of the queue there", ge=0))
    cost_factor: float | None = field(default=None, metadata=about("times the fees there", ge=0))
    tariffs: bool = field(default=True, metadata=about("whether tariffs change too"))


@dataclass(frozen=True, kw_only=True)
class Relocate:
    """Move a part of an industry's output from one country to others, with its exports, its inputs and its surplus.

    Of the goods named, the share of exports leaves the origin's flows and starts in the hosts instead. What the hosts
    bought of it from the origin they now make. The plants' former sales at home come back from the hosts for the part
    that is `sold_back`; the rest was excess capacity, which closes. Inputs come to the plants from `inputs_from` by
    tonnes per tonne made.
    """

    rules: ClassVar[tuple[Rule, ...]] = (
        _some_of("hosts"),
        Rule(1, 1, ("inputs",), where=("inputs_t_per_t", "inputs_from")),
        Rule(1, 1, ("inputs_t_per_t",), where=("inputs",)),
        Rule(1, 1, ("home_sales_t",), where=("sold_back",)),
    )

    commodity: str = field(metadata=about("group of the trade table", "commodity"))
    share: float = field(metadata=about("part of the industry's output that moves", gt=0, le=1))
    hosts: tuple[str, ...] = field(metadata=about("ISO3 codes of where it goes, in equal parts", "trader"))
    origin: str = field(default="CHN", metadata=about("ISO3 code of where it leaves", "trader"))
    part_of_group: float = field(
        default=1.0, metadata=about("part of the group's trade that is the industry", gt=0, le=1)
    )
    sold_back: float = field(default=0.0, metadata=about("part of the former sales at home that come back", ge=0, le=1))
    home_sales_t: float = field(
        default=0.0, metadata=about("the industry's sales at home in the origin, tonnes a year", ge=0)
    )
    inputs: tuple[str, ...] = field(default=(), metadata=about("groups or products that it needs", "commodity"))
    inputs_t_per_t: tuple[float, ...] = field(default=(), metadata=about("tonnes of each per tonne made"))
    inputs_from: str = field(default="CHN", metadata=about("ISO3 code of where they come from", "trader"))
    from_year: int | None = field(default=None, metadata=about("year in which it moves", ge=FIRST_YEAR, le=LAST_YEAR))


Measure: TypeAlias = (
    Build | Close | Avoid | Upgrade | Ease | Charge | Subsidise | Regauge | Grow | Sanction | Union | Relocate
)

#: The word of each measure in a study file.
KINDS: dict[str, type[Measure]] = {
    "build": Build,
    "close": Close,
    "avoid": Avoid,
    "upgrade": Upgrade,
    "ease": Ease,
    "charge": Charge,
    "subsidise": Subsidise,
    "regauge": Regauge,
    "grow": Grow,
    "sanction": Sanction,
    "union": Union,
    "relocate": Relocate,
}


def kind_of(measure: Measure) -> str:
    """Return the word of a measure in a study file."""
    return type(measure).__name__.lower()


def given(measure: Measure, name: str) -> bool:
    """Return whether a field holds something of its own: not its default, and not an empty list."""
    value = getattr(measure, name)
    default = next((f.default for f in fields(measure) if f.name == name), MISSING)
    return bool(value not in (default, ()))


def names_in(measure: Measure) -> list[tuple[str, str, str]]:
    """Return every name that a measure uses.

    Returns
    -------
    list of (position, kind, name)
        Position inside the measure (``crossings[0]``), kind of name (``crossing``), and the name.
    """
    found: list[tuple[str, str, str]] = []
    each: Field[Any]
    for each in fields(measure):
        kind, value = each.metadata.get("names"), getattr(measure, each.name)
        if kind is None or value is None:
            continue
        if isinstance(value, tuple):
            found.extend((f"{each.name}[{i}]", kind, name) for i, name in enumerate(value))
        else:
            found.append((each.name, kind, value))
    return found


def to_dict(measure: Measure) -> dict[str, Any]:
    """Return a measure as a study file holds it: its kind, and the fields that differ from their default."""
    values = {f.name: getattr(measure, f.name) for f in fields(measure) if given(measure, f.name)}
    return {"kind": kind_of(measure), **{k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}}
