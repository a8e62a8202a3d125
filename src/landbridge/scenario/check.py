"""Whether measures make sense together on given tables: names, dependencies, conflicts.

All faults are told, each at the position of the measure it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import Fault
from landbridge.scenario.edits import EASED, WHOLE_DAY_H, build
from landbridge.scenario.measures import (
    Avoid,
    Build,
    Charge,
    Close,
    Ease,
    Grow,
    Measure,
    Regauge,
    Relocate,
    Sanction,
    Subsidise,
    Union,
    Upgrade,
    kind_of,
    names_in,
)
from landbridge.scenario.read import one_of, shape_faults
from landbridge.scenario.select import (
    Crossing,
    Link,
    crossing_share,
    crossings_named,
    crossings_of,
    explicit,
    growing,
    known,
    levied_crossings,
    levied_links,
    link_share,
    links_named,
    links_of,
    links_over_borders,
    upgrade_share,
)
from landbridge.scenario.trade_edits import base_value_usd, mark

__all__ = ["check_measures", "name_faults"]


@dataclass(frozen=True)
class _State:
    """How open links and crossings are in the years of a study, at the best."""

    links: Mapping[str, Link]
    crossings: Mapping[str, Crossing]
    link_shares: Mapping[str, tuple[float, ...]]
    crossing_shares: Mapping[str, tuple[float, ...]]

    def ever_open(self, name: str) -> bool:
        shares = self.link_shares if name in self.link_shares else self.crossing_shares
        return any(share > 0 for share in shares[name])


def _state(tables: Tables, builds: Iterable[Build], years: Sequence[int], held: AbstractSet[str]) -> _State:
    link_shares: dict[str, list[float]] = {}
    crossing_shares: dict[str, list[float]] = {}
    links, crossings = links_of(tables), crossings_of(tables)
    for year in years:
        built = tables
        for measure in builds:
            built = build(built, measure, year).tables
        if built is not tables:
            links, crossings = links_of(built), crossings_of(built)
        for link in links.values():
            link_shares.setdefault(link.id, []).append(link_share(link, year, held))
        for c in crossings.values():
            share = crossing_share(c, links[c.link], year, held) if c.link in links else 0.0
            crossing_shares.setdefault(c.id, []).append(share)
    return _State(
        links,
        crossings,
        {name: tuple(shares) for name, shares in link_shares.items()},
        {name: tuple(shares) for name, shares in crossing_shares.items()},
    )


def name_faults(tables: Tables, measure: Measure, at: str) -> list[Fault]:
    """Tell every name of a measure that the tables do not have, with suggestions.

    Parameters
    ----------
    tables
        The tables.
    measure
        The measure.
    at
        Its position, for messages.

    Returns
    -------
    list of Fault
    """
    faults = []
    for position, kind, name in names_in(measure):
        names = known(tables, kind)
        if name not in names:
            faults.append(Fault("", "", f"{at}.{position}", one_of(kind, name, names), f"{name!r}"))
    if isinstance(measure, Regauge):
        gauges = {gauge for link in links_of(tables).values() for gauge in link.gauges_mm}
        if measure.gauge_mm not in gauges:
            wanted = f"a gauge of the atlas ({', '.join(str(g) for g in sorted(gauges))})"
            faults.append(Fault("", "", f"{at}.gauge_mm", wanted, str(measure.gauge_mm)))
    return faults


def check_measures(
    tables: Tables,
    measures: Sequence[Measure],
    years: Sequence[int],
    *,
    held: AbstractSet[str] = frozenset(),
    positions: Sequence[str] | None = None,
) -> list[Fault]:
    """Tell everything that is wrong with a scenario's measures on given tables.

    Parameters
    ----------
    tables
        Tables as read.
    measures
        A scenario's measures, in order.
    years
        The years that are run; at least one.
    held
        Projects and links that open only where they are built.
    positions
        Where each measure stands, for messages; ``measure[0]``, ... when left out.

    Returns
    -------
    list of Fault
        Empty when all is well. A measure that is at fault by itself is not held against the others.
    """
    places = positions or [f"measure[{i}]" for i in range(len(measures))]
    faults: list[Fault] = []
    sound: list[tuple[str, Measure]] = []
    for at, measure in zip(places, measures, strict=True):
        more = [*shape_faults(measure, at), *name_faults(tables, measure, at)]
        faults += more
        if not more:
            sound.append((at, measure))
    builds = [measure for _, measure in sound if isinstance(measure, Build)]
    before = _state(tables, (), years, held)
    after = _state(tables, builds, years, held) if builds else before
    faults += _repeated(sound)
    faults += _built(tables, sound, before, after, years)
    faults += _shut(sound, after)
    for at, measure in sound:
        faults += _not_open(measure, at, after, years)
        faults += _without_effect(tables, measure, at, after, years)
    faults += _gauges(sound, before)
    return faults


def _repeated(placed: Sequence[tuple[str, Measure]]) -> Iterator[Fault]:
    first: dict[Measure, str] = {}
    for at, measure in placed:
        if measure in first and not isinstance(measure, Build | Close | Avoid):  # told with their links below
            yield Fault("", "", at, "each measure once", f"the same as {first[measure]}")
        first.setdefault(measure, at)


def _built(
    tables: Tables, placed: Sequence[tuple[str, Measure]], before: _State, after: _State, years: Sequence[int]
) -> Iterator[Fault]:
    """Built twice, built though it is there, built too late, or joining nothing."""
    builder: dict[str, str] = {}
    project_at: dict[str, str] = {}
    for at, measure in placed:
        if not isinstance(measure, Build):
            continue
        if measure.year is not None and measure.year > max(years):
            yield Fault("", "", f"{at}.year", f"a year up to {max(years)}, the last that is run", str(measure.year))
        names = links_named(measure, before.links)
        better = _upgrades(tables, measure)
        if not names and not better:
            wanted = "a project with links or upgrades in the atlas"
            yield Fault("", "", f"{at}.project", wanted, f"{measure.project!r}")
        if better and not names:
            if all(since is not None and upgrade_share(since, min(years)) == 1 for since in better):
                yield Fault("", "", f"{at}.project", "a project that is not there yet", f"{measure.project!r}")
            if project_at.setdefault(measure.project or "", at) != at:
                got = f"built already by {project_at[measure.project or '']}"
                yield Fault("", "", at, "a project built once", got)
        new = [name for name in names if not _is_there(name, before)]
        for name in names if measure.links or not new else ():
            if name not in new:
                where = f"{at}.links[{measure.links.index(name)}]" if measure.links else f"{at}.project"
                yield Fault("", "", where, "a link that is not open yet", f"{name!r}, open already")
        twice: dict[str, list[str]] = {}
        for name in new:
            if builder.setdefault(name, at) != at:
                twice.setdefault(builder[name], []).append(name)
        for other, again in twice.items():
            yield Fault("", "", at, "links built once", f"{', '.join(again)}, built already by {other}")
    # links that are built are followed from end to end: one of the ends must meet something else
    rest = {p for k in after.links.values() if k.id not in builder and after.ever_open(k.id) for p in k.ends}
    pending = set(builder)
    while pending:
        group, reach, grown = set[str](), set[str](), {min(pending)}
        while grown:
            group |= grown
            pending -= grown
            reach |= {place for name in grown for place in after.links[name].ends}
            grown = {name for name in pending if reach & set(after.links[name].ends)}
        if not reach & rest:
            yield Fault(
                "",
                "",
                builder[min(group)],
                "links that join the open network",
                f"{', '.join(sorted(group))}, on their own",
            )


def _upgrades(tables: Tables, measure: Build) -> list[date | None]:
    """The days of the upgrades that belong to the project; None where no day is set."""
    if "upgrades" not in tables or measure.project is None:
        return []
    return tables["upgrades"].filter(pl.col("project") == measure.project)["from_date"].to_list()


def _is_there(name: str, state: _State) -> bool:
    """Whether a link is open all the time, its crossings too."""
    shares = [
        state.link_shares[name],
        *(state.crossing_shares[c.id] for c in state.crossings.values() if c.link == name),
    ]
    return state.links[name].status == "existing" and all(share == 1 for each in shares for share in each)


def _shut(placed: Sequence[tuple[str, Measure]], state: _State) -> Iterator[Fault]:
    """Measures that name what another measure of the scenario shuts, and things shut twice."""
    gate_of: dict[str, set[str]] = {}
    for c in state.crossings.values():
        gate_of.setdefault(c.link, set()).add(c.id)

    def wide(links: set[str], crossings: set[str]) -> set[str]:
        links = links | {state.crossings[name].link for name in crossings}
        return links | crossings | {gate for name in links for gate in gate_of.get(name, ())}

    shut: dict[str, str] = {}
    narrowed: dict[str, str] = {}
    for at, measure in placed:
        if not isinstance(measure, Close | Avoid):
            continue
        links, crossings = explicit(measure)
        if isinstance(measure, Close):
            links |= {k.id for k in state.links.values() if set(measure.places) & set(k.ends)}
        else:
            links, crossings = set(measure.links), set(measure.crossings)
        whole = isinstance(measure, Avoid) or measure.share == 0
        for name in sorted(links | crossings):
            earlier = shut.get(name) or narrowed.get(name)
            if earlier is not None and earlier != at:
                yield Fault("", "", at, "each thing closed once", f"{name!r}, closed already by {earlier}")
        for name in wide(links, crossings) if whole else links | crossings:
            (shut if whole else narrowed).setdefault(name, at)
    for at, measure in placed:
        if isinstance(measure, Close | Avoid):
            continue
        links, crossings = explicit(measure)
        if isinstance(measure, Build):
            links |= set(links_named(measure, state.links))
        for name in sorted(links | crossings):
            if name in shut:
                wanted = f"something that stays open to {kind_of(measure)}"
                yield Fault("", "", at, wanted, f"{name!r}, closed by {shut[name]}")


def _not_open(measure: Measure, at: str, state: _State, years: Sequence[int]) -> Iterator[Fault]:
    """Measures on what is not open in any year that is run."""
    if isinstance(measure, Build | Avoid | Grow | Sanction | Union | Relocate):  # a ban may name what is not there yet
        return
    when = str(years[0]) if len(years) == 1 else f"{min(years)} to {max(years)}"
    for field, kind in (("links", "link"), ("crossings", "crossing")):
        for i, name in enumerate(getattr(measure, field, ())):
            if not state.ever_open(name):
                wanted = f"a {kind} that is open in {when} or that the scenario builds"
                status = (state.links if kind == "link" else state.crossings)[name].status
                yield Fault("", "", f"{at}.{field}[{i}]", wanted, f"{name!r} ({status.replace('_', ' ')})")
    if isinstance(measure, Upgrade):
        for field in ("project", "lines"):
            value = getattr(measure, field)
            for i, name in enumerate(value if isinstance(value, tuple) else [value] if value else []):
                there = [k.id for k in state.links.values() if name == (k.project if field == "project" else k.line)]
                if not any(state.ever_open(link) for link in there):
                    where = f"{at}.project" if field == "project" else f"{at}.lines[{i}]"
                    wanted = f"a {field.removesuffix('s')} with links open in {when} or that the scenario builds"
                    yield Fault("", "", where, wanted, f"{name!r}")


def _without_effect(tables: Tables, measure: Measure, at: str, state: _State, years: Sequence[int]) -> Iterator[Fault]:
    """Measures that change nothing: nothing fits, or what they would multiply is not known."""
    nothing = "nothing that fits"
    if isinstance(measure, Close) and measure.countries and not links_over_borders(state.links, measure.countries):
        yield Fault("", "", f"{at}.countries", "countries that links lead out of", nothing)
    if isinstance(measure, Close) and measure.share > 0 and not measure.countries:
        links = {*measure.links, *(k.id for k in state.links.values() if set(measure.places) & set(k.ends))}
        if not _any_known(tables, "links", links, ("capacity_trains_day",)) and not _any_known(
            tables, "crossings", measure.crossings, ("capacity_ab_trains_day", "capacity_ba_trains_day")
        ):
            yield Fault("", "", f"{at}.share", "something whose capacity is known", "unknown capacities only")
    if isinstance(measure, Upgrade):
        links = set(links_named(measure, state.links))
        if measure.capacity_factor is not None and not (
            _any_known(tables, "links", links, ("capacity_trains_day",))
            or _any_known(tables, "crossings", measure.crossings, ("capacity_ab_trains_day", "capacity_ba_trains_day"))
        ):
            yield Fault("", "", f"{at}.capacity_factor", "links or crossings whose capacity is known", "none of them")
        if measure.speed_factor is not None and not _any_known(tables, "links", links, ("speed_kmh",)):
            yield Fault("", "", f"{at}.speed_factor", "links whose speed is known", "none of them")
        yield from _idle_at_terminals(tables, measure, at)
    if isinstance(measure, Ease):
        names = crossings_named(measure, state.crossings)
        if not names:
            yield Fault("", "", f"{at}.countries", "countries with crossings", nothing)
        for field, (columns, _) in EASED.items():
            factor = getattr(measure, field)
            if names and factor is not None and not _any_known(tables, "crossings", names, columns):
                yield Fault("", "", f"{at}.{field}", "crossings where what it multiplies is known", "none of them")
    if isinstance(measure, Charge | Subsidise):
        for unit in ("usd_teu", "usd_t"):
            paid = measure.zones or measure.links or levied_crossings(measure, state.crossings)
            if getattr(measure, unit) is not None and not paid:
                yield Fault("", "", f"{at}.{unit}", "links or crossings at which it is paid", nothing)
            if getattr(measure, f"{unit}_km") is not None and not levied_links(measure, state.links):
                yield Fault("", "", f"{at}.{unit}_km", "kilometres on which it is paid", nothing)
    if isinstance(measure, Grow | Sanction) and not (isinstance(measure, Grow) and measure.open_t_yr is not None):
        masks = growing(tables, measure, max(years))
        if not any(tables[table].filter(mask).height for table, mask in masks.items()):
            got = f"{measure.commodity} from {measure.exporter} to {measure.importer}"
            yield Fault("", "", at, "trade that is in the tables", got)
        elif isinstance(measure, Grow) and measure.target_bn_usd is not None:
            yield from _target(tables, measure, at, years)
    if isinstance(measure, Grow | Relocate) and measure.from_year is not None and measure.from_year > max(years):
        wanted = f"a year up to {max(years)}, the last that is run"
        yield Fault("", "", f"{at}.from_year", wanted, str(measure.from_year))
    if isinstance(measure, Relocate):
        yield from _moved(tables, measure, at)
    if isinstance(measure, Union):
        yield from _joining(tables, measure, at)


def _target(tables: Tables, measure: Grow, at: str, years: Sequence[int]) -> Iterator[Fault]:
    """A target needs trade with a value, a year after the trade's own, and a basis that fits the pair."""
    masks = growing(tables, measure, max(years))
    marked = tables.replace(**{name: mark(tables[name], fresh=False) for name in masks})
    if base_value_usd(marked, masks) <= 0:
        yield Fault("", "", f"{at}.target_bn_usd", "trade that is worth something", "trade of no value")
    base = tables["trade"]["year"].max()
    if measure.target_year is not None and isinstance(base, int) and measure.target_year < base:
        yield Fault("", "", f"{at}.target_year", f"{base}, the year of the trade, or later", str(measure.target_year))
    if measure.basis != "matrix":
        row = tables["reporting_bases"].filter(pl.col("id") == measure.basis).row(0, named=True)
        pair = {row["trader_a"], row["trader_b"]}
        if {measure.exporter, measure.importer} != pair or not measure.both_ways:
            wanted = f"trade both ways between {' and '.join(sorted(pair))}, which this basis counts"
            got = f"{measure.exporter} to {measure.importer}{' both ways' if measure.both_ways else ''}"
            yield Fault("", "", f"{at}.basis", wanted, got)


def _moved(tables: Tables, measure: Relocate, at: str) -> Iterator[Fault]:
    """An industry moves between countries, of a group of goods that its origin sells."""
    blocs = set(tables["blocs"]["bloc"].to_list()) | {"*"}
    ends = [("origin", measure.origin), ("inputs_from", measure.inputs_from)]
    ends += [(f"hosts[{i}]", host) for i, host in enumerate(measure.hosts)]
    for field, name in ends:
        if name in blocs:
            yield Fault("", "", f"{at}.{field}", "a country (ISO3)", f"{name!r}")
    for i, host in enumerate(measure.hosts):
        if host == measure.origin or host in measure.hosts[:i]:
            yield Fault("", "", f"{at}.hosts[{i}]", "another country than the origin, each once", f"{host!r}")
    groups = set(tables["trade"]["commodity"].to_list())
    if measure.commodity not in groups:
        yield Fault(
            "", "", f"{at}.commodity", f"a group of trade ({', '.join(sorted(groups))})", f"{measure.commodity!r}"
        )
    elif (
        tables["trade"]
        .filter((pl.col("exporter") == measure.origin) & (pl.col("commodity") == measure.commodity))
        .is_empty()
    ):
        yield Fault("", "", f"{at}.origin", f"a country that sells {measure.commodity}", f"{measure.origin!r}")
    if len(measure.inputs) != len(measure.inputs_t_per_t):
        wanted = f"as many as inputs ({len(measure.inputs)})"
        yield Fault("", "", f"{at}.inputs_t_per_t", wanted, str(len(measure.inputs_t_per_t)))
    for i, ratio in enumerate(measure.inputs_t_per_t):
        if not ratio > 0:
            yield Fault("", "", f"{at}.inputs_t_per_t[{i}]", "more than 0", f"{ratio:g}")


def _joining(tables: Tables, measure: Union, at: str) -> Iterator[Fault]:
    """Who joins a union is not in it, and the union is a bloc."""
    inside = {c for b, c in tables["blocs"].select("bloc", "iso2").iter_rows() if b == measure.bloc}
    if not inside:
        wanted = f"a bloc ({', '.join(sorted(set(tables['blocs']['bloc'].to_list())))})"
        yield Fault("", "", f"{at}.bloc", wanted, f"{measure.bloc!r}")
    for i, member in enumerate(measure.members):
        if member in inside:
            yield Fault("", "", f"{at}.members[{i}]", f"a country outside {measure.bloc}", f"{member!r}")


def _any_known(tables: Tables, table: str, names: Iterable[str], columns: Sequence[str]) -> bool:
    if table not in tables:
        return False
    chosen = tables[table].filter(pl.col("id").is_in(pl.Series(sorted(names), dtype=pl.String).implode()))
    return any(chosen[column].drop_nulls().len() > 0 for column in columns)


def _gauges(placed: Sequence[tuple[str, Measure]], state: _State) -> Iterator[Fault]:
    """Roads given a gauge, and railways given the gauge they have."""
    gauges = {link.id: link.gauges_mm for link in state.links.values()}
    for at, measure in placed:
        if not isinstance(measure, Regauge):
            continue
        for i, name in enumerate(measure.links):
            where = f"{at}.links[{i}]"
            if state.links[name].mode != "rail":
                yield Fault("", "", where, "a railway", f"{name!r}, a {state.links[name].mode} link")
            elif gauges[name] == (measure.gauge_mm,):
                yield Fault("", "", where, f"a link of another gauge than {measure.gauge_mm} mm", f"{name!r}")
            gauges[name] = (measure.gauge_mm,)


def _idle_at_terminals(tables: Tables, measure: Upgrade, at: str) -> Iterator[Fault]:
    """Upgrades of a terminal that has nothing of the kind."""
    for i, name in enumerate(measure.terminals):
        here = tables["terminal_resources"].filter(pl.col("plan") == name)
        kinds = set(here["kind"].to_list())
        for field, kind in (
            ("crane_groups_added", "crane"),
            ("cranes_added", "crane"),
            ("tracks_added", "track"),
            ("customs_time_factor", "customs"),
        ):
            if getattr(measure, field) is not None and kind not in kinds:
                yield Fault("", "", f"{at}.{field}", f"a terminal with a {kind}", f"{name!r}, which has none")
        if measure.shift_h_day is not None and here.filter(pl.col("open_h_day") < WHOLE_DAY_H).is_empty():
            told = f"{name!r}, where all work day and night"
            yield Fault("", "", f"{at}.terminals[{i}]", "a terminal where something works in shifts", told)
