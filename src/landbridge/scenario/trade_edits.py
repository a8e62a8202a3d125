"""What the measures of trade do to the tables: they mark rows, and the model reads the marks.

Marks on ``trade`` and ``bulk_trade`` (see `MARKS`): what trade is multiplied by, what is added to it, to which level it
is brought in place of the atlas' growth, which part of it is allowed, what payments add to its cost, which countries
its goods may not pass; on ``trade`` the tariff that is taken from now on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario.measures import Grow, Relocate, Sanction, Union
from landbridge.scenario.select import crossings_of, growing, products, traders
from landbridge.scenario.tariffs import groups_of, union_rate

__all__ = ["MARKS", "Moves", "base_value_usd", "grow", "mark", "moves_of", "relocate", "sanction", "union"]

#: Columns that measures write to rows of trade, with what they are before any measure.
MARKS: Mapping[str, float | str | None] = {
    "factor": 1.0,
    "added_t": 0.0,
    "added_usd": 0.0,
    "level": None,
    "level_year": None,
    "share_left": 1.0,
    "friction": 1.0,
    "barred": "",
    "tariff_new_pct": None,
}
_TYPES = {"level": pl.Float64, "level_year": pl.Int64, "tariff_new_pct": pl.Float64}

Result = tuple[Tables, tuple[str, ...]]


def mark(frame: pl.DataFrame, *, fresh: bool) -> pl.DataFrame:
    """Return a table of trade with every mark, anew or as far as it lacks them."""
    kept = () if fresh else frame.columns
    return frame.with_columns(
        [pl.lit(value, dtype=_TYPES.get(name)).alias(name) for name, value in MARKS.items() if name not in kept]
    )


def _set(frame: pl.DataFrame, rows: pl.Expr, values: Mapping[str, pl.Expr]) -> pl.DataFrame:
    return frame.with_columns(
        [
            pl.when(rows).then(value.cast(frame.schema[name])).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
        ]
    )


def base_value_usd(tables: Tables, masks: Mapping[str, pl.Expr]) -> float:
    """Value of the trade that masks mean, as the measures so far leave it: the matrix, or records where it has none."""
    total = 0.0
    if "trade" in masks and "value_usd" in tables["trade"].columns:
        rows = tables["trade"].filter(masks["trade"])
        total = float((rows["value_usd"].fill_null(0.0) * rows["factor"] + rows["added_usd"]).sum())
    if total == 0 and "bulk_trade" in masks and "value_usd" in tables["bulk_trade"].columns:
        rows = tables["bulk_trade"].filter(masks["bulk_trade"])
        last = rows.filter(pl.col("year") == rows["year"].max()) if rows.height else rows
        total = float((last["value_usd"].fill_null(0.0) * last["factor"] + last["added_usd"]).sum())
    return total


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'} of trade"


def grow(tables: Tables, measure: Grow, year: int) -> Result:
    """Multiply trade, bring it to a target, or open it."""
    if measure.open_t_yr is not None:
        return _open(tables, measure)
    if measure.target_bn_usd is not None:
        return _to_target(tables, measure, year)
    if measure.factor is not None:
        started = measure.from_year is None or year >= measure.from_year
        times = pl.lit(measure.factor if started else 1.0)
    else:
        start = pl.col("year") if measure.from_year is None else pl.lit(measure.from_year)
        times = pl.lit(1 + (measure.percent_yr or 0.0) / 100).pow((pl.lit(year) - start).clip(lower_bound=0))
    frames, rows = {}, 0
    for table, mask in growing(tables, measure, year).items():
        frames[table] = _set(
            tables[table], mask, {name: pl.col(name) * times for name in ("factor", "added_t", "added_usd")}
        )
        rows += tables[table].filter(mask).height
    return tables.replace(**frames), (f"grow: {_rows(rows)}",)


def _basis_ratio(tables: Tables, basis: str) -> float:
    """What a reporter counts over what the trade matrix counts of the same trade."""
    if basis == "matrix":
        return 1.0
    row = tables["reporting_bases"].filter(pl.col("id") == basis).row(0, named=True)
    return float(row["reported_usd_bn"]) / float(row["matrix_basis_usd_bn"])


def _to_target(tables: Tables, measure: Grow, year: int) -> Result:
    """Set the level of trade on the way to a value in a year."""
    masks = growing(tables, measure, year)
    base = base_value_usd(tables, masks)
    base_year = int(tables["trade"].filter(masks["trade"])["year"].max() or 0)  # type: ignore[arg-type]
    what = (
        f"{measure.commodity} from {measure.exporter} to {measure.importer}{' and back' if measure.both_ways else ''}"
    )
    assert measure.target_bn_usd is not None  # noqa: S101 - its rules
    assert measure.target_year is not None  # noqa: S101
    ratio = _basis_ratio(tables, measure.basis)
    stood = base / 1e9 * ratio
    target = measure.target_bn_usd
    span = max(measure.target_year - base_year, 0)
    passed = min(max(year - base_year, 0), span)
    level = (target / stood) ** (passed / span) if span else target / stood
    since = min(year, measure.target_year) if span else base_year
    frames, rows = {}, 0
    for table, mask in masks.items():
        frames[table] = _set(tables[table], mask, {"level": pl.lit(level), "level_year": pl.lit(since)})
        rows += tables[table].filter(mask).height
    on_basis = "" if measure.basis == "matrix" else f" (basis {measure.basis}: {ratio:.3f} of the trade matrix)"
    notes = [
        f"grow: {what} from {stood:.1f} bn USD in {base_year} to {target:g} in {measure.target_year}{on_basis}; "
        f"{stood * level:.1f} in {year}, {_rows(rows)}"
    ]
    if stood >= target:
        notes.append(
            f"warning: {what} stood at {stood:.1f} bn USD in {base_year} already, so the target of {target:g} for "
            f"{measure.target_year} was met before; this measure lowers trade to it"
        )
    return tables.replace(**frames), tuple(notes)


def _value_of_tonne(tables: Tables, commodity: str) -> float:
    """Mean value of a tonne of a group, by the parts of its commodities, or of a product's commodity."""
    parts = []
    for name, group, listed, share, value in (
        tables["commodities"].select("id", "group", "baci_products", "share_of_group", "value_usd_t").iter_rows()
    ):
        if commodity == group:
            parts.append((share or 0.0, value or 0.0))
        elif commodity == name or commodity in (listed or ()):
            parts = [(1.0, value or 0.0)]
            break
    whole = sum(share for share, _ in parts)
    return sum(share * value for share, value in parts) / whole if whole else 0.0


def _add(tables: Tables, rows: Sequence[tuple[str, str, str, float, float]]) -> tuple[Tables, int]:
    """Add tonnes and value to flows (exporter, importer, commodity, tonnes, USD), opening those that are not there."""
    groups = set(tables["trade"]["commodity"].to_list())
    year = int(tables["trade"]["year"].max())  # type: ignore[arg-type]
    frames = {name: tables[name] for name in ("trade", "bulk_trade") if name in tables}
    opened = 0
    for table, column in (("trade", "commodity"), ("bulk_trade", "product")):
        wanted = {
            (e, i, c if table == "trade" else products(tables, c)[0]): (t, v)
            for e, i, c, t, v in rows
            if (c in groups) == (table == "trade")
        }
        if not wanted:
            continue
        frame = frames[table]
        here = frame.filter(pl.col("year") == year).select("exporter", "importer", column).iter_rows()
        present = {(str(a), str(b), str(c)) for a, b, c in here}
        new = [key for key in wanted if key not in present]
        opened += len(new)
        if new:
            fresh = mark(
                pl.DataFrame(
                    {
                        "exporter": [k[0] for k in new],
                        "importer": [k[1] for k in new],
                        column: [k[2] for k in new],
                        "year": [year] * len(new),
                        "tonnes": [0.0] * len(new),
                        **({"value_usd": [0.0] * len(new)} if "value_usd" in frame.columns else {}),
                    }
                ),
                fresh=True,
            )
            common = [name for name in fresh.columns if name in frame.columns]
            fresh = fresh.select([pl.col(name).cast(frame.schema[name]) for name in common])
            frame = pl.concat([frame, fresh], how="diagonal")
        keys = pl.DataFrame(
            {
                "exporter": [k[0] for k in wanted],
                "importer": [k[1] for k in wanted],
                column: [k[2] for k in wanted],
                "year": [year] * len(wanted),
                "_t": [v[0] for v in wanted.values()],
                "_usd": [v[1] for v in wanted.values()],
            }
        ).with_columns(pl.col("year").cast(frame.schema["year"]))
        frame = frame.join(keys, on=["exporter", "importer", column, "year"], how="left", maintain_order="left")
        if table == "bulk_trade":  # one product may stand in several rows of four-digit codes: the first takes it all
            first = pl.struct("exporter", "importer", column, "year").is_first_distinct()
            frame = frame.with_columns(
                [pl.when(first).then(pl.col(n)).otherwise(None).alias(n) for n in ("_t", "_usd")]
            )
        frames[table] = frame.with_columns(
            (pl.col("added_t") + pl.col("_t").fill_null(0.0)).alias("added_t"),
            (pl.col("added_usd") + pl.col("_usd").fill_null(0.0)).alias("added_usd"),
        ).drop("_t", "_usd")
    return tables.replace(**frames), opened


def _open(tables: Tables, measure: Grow) -> Result:
    assert measure.open_t_yr is not None  # noqa: S101 - asked before
    ends = [
        (measure.exporter, measure.importer),
        *([(measure.importer, measure.exporter)] if measure.both_ways else []),
    ]
    value = measure.open_t_yr * _value_of_tonne(tables, measure.commodity)
    out, opened = _add(tables, [(e, i, measure.commodity, measure.open_t_yr, value) for e, i in ends])
    return out, (f"grow: {measure.open_t_yr:,.0f} t a year of {measure.commodity} added ({opened} flows opened)",)


def sanction(tables: Tables, measure: Sanction, year: int) -> Result:
    """Mark what is forbidden, what payments cost, and which countries are barred."""
    values: dict[str, pl.Expr] = {}
    told = []
    if measure.share is not None:
        values["share_left"] = pl.col("share_left") * measure.share
        told.append("embargo" if measure.share == 0 else f"{measure.share:.0%} of it is left")
    if measure.friction_pct is not None:
        values["friction"] = pl.col("friction") * (1 + measure.friction_pct / 100)
        told.append(f"payments add {measure.friction_pct:g} % of value")
    if measure.barred_countries:
        names = ";".join(measure.barred_countries)
        values["barred"] = pl.when(pl.col("barred") == "").then(pl.lit(names)).otherwise(pl.col("barred") + f";{names}")
        told.append(f"no transit by land through {', '.join(measure.barred_countries)}")
    if measure.barred_operators:
        told.append(f"no carriage by {', '.join(measure.barred_operators)}, in routes only: flows do not know it")
    frames, rows = {}, 0
    for table, mask in growing(tables, measure, year).items():
        frames[table] = _set(tables[table], mask, values)
        rows += tables[table].filter(mask).height
    return tables.replace(**frames), (f"sanction: {_rows(rows)}: {'; '.join(told)}",)


def _iso3(tables: Tables, iso2: Iterable[str]) -> list[str]:
    codes = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    return [codes[c] for c in iso2 if c in codes]


def union(tables: Tables, measure: Union, year: int) -> Result:
    """Ease the borders between members, and put their tariffs on the rows of trade."""
    old = traders(tables, measure.bloc, year) or frozenset()
    joining = _iso3(tables, measure.members)
    inside = frozenset({*old, *joining})
    iso2 = dict(tables["countries"].select("iso3", "iso2").iter_rows())
    codes = {iso2[c] for c in inside if c in iso2}
    notes, frames = [], {}
    eased = {
        "time_factor": ("processing_ab_h", "processing_ba_h", "spread_ab_h", "spread_ba_h"),
        "waiting_factor": ("waiting_ab_h", "waiting_ba_h"),
        "cost_factor": ("cost_ab_usd_teu", "cost_ba_usd_teu", "cost_ab_usd_t", "cost_ba_usd_t"),
    }
    given = {name: getattr(measure, name) for name in eased if getattr(measure, name) is not None}
    if given and "crossings" in tables:
        new = set(measure.members)
        gates = [
            c.id
            for c in crossings_of(tables).values()
            if set(c.countries) <= codes and len(set(c.countries)) > 1 and set(c.countries) & new
        ]
        mask = pl.col("id").is_in(pl.Series(gates, dtype=pl.String).implode())
        values = {column: pl.col(column) * times for name, times in given.items() for column in eased[name]}
        frames["crossings"] = _set(tables["crossings"], mask, values)
        notes.append(
            f"union: {len(gates)} crossing{'' if len(gates) == 1 else 's'} eased: {', '.join(gates) or 'none'}"
        )
    if not given:
        notes.append("union: no change of border hours is given, so borders stay as they are")
    rates = _union_rates(tables, old) if measure.tariffs and "tariffs" in tables else {}
    if rates:
        within = pl.col("exporter").is_in(sorted(inside)) & pl.col("importer").is_in(sorted(inside))
        touches = pl.col("exporter").is_in(sorted(joining)) | pl.col("importer").is_in(sorted(joining))
        outside = pl.col("importer").is_in(sorted(joining)) & ~pl.col("exporter").is_in(sorted(inside))
        frame = _set(tables["trade"], within & touches, {"tariff_new_pct": pl.lit(0.0)})
        for groups, rate in rates.values():
            meant = outside if groups is None else outside & pl.col("commodity").is_in(groups)
            frame = _set(frame, meant, {"tariff_new_pct": pl.lit(rate)})
        frames["trade"] = frame
        told = ", ".join(f"{rate:.2f} % ({goods or 'over all goods'})" for goods, (_, rate) in rates.items())
        notes.append(
            f"union: tariffs inside {measure.bloc} are zero, and {', '.join(joining)} take from outsiders the union's "
            f"mean: {told}; a free trade area with an outsider ends; tariffs matter where demand answers"
        )
    else:
        notes.append(
            "union: border hours only, for there is no table of tariffs"
            if measure.tariffs
            else "union: border hours only"
        )
    if "blocs" in tables:
        here = {c for b, c in tables["blocs"].select("bloc", "iso2").iter_rows() if b == measure.bloc}
        rows = [c for c in measure.members if c not in here]
        fresh = pl.DataFrame(
            {"bloc": [measure.bloc] * len(rows), "iso2": rows, "from_year": [None] * len(rows)},
            schema={k: tables["blocs"].schema[k] for k in ("bloc", "iso2", "from_year")},
        )
        frames["blocs"] = pl.concat([tables["blocs"], fresh], how="diagonal")
    return tables.replace(**frames), tuple(notes)


@dataclass(frozen=True)
class Moves:
    """What a relocation moves, before it is put into the tables.

    Attributes
    ----------
    moved
        Part of the group's trade that leaves the origin.
    value_usd_t
        Mean value of a tonne.
    made_t
        Tonnes a year that the plants of each host make.
    cuts
        Part that each buyer's imports from the origin lose.
    rows
        Flows that begin or grow: exporter, importer, commodity, tonnes, USD.
    displaced_t, back_t, closed_t
        Of what is made: in place of what hosts bought there, and sold back; and former sales at home that close.
    """

    moved: float
    value_usd_t: float
    made_t: dict[str, float]
    cuts: dict[str, float]
    rows: list[tuple[str, str, str, float, float]]
    displaced_t: float
    back_t: float
    closed_t: float


def moves_of(tables: Tables, measure: Relocate) -> Moves:
    """Return what a relocation moves.

    Parameters
    ----------
    tables
        With trade as the measures before leave it.
    measure
        The relocation.
    """
    moved = measure.share * measure.part_of_group
    part = 1.0 / len(measure.hosts)
    value_t = _value_of_tonne(tables, measure.commodity)
    frame = tables["trade"]
    recorded = _recorded(tables, measure.origin, measure.commodity)
    made = dict.fromkeys(measure.hosts, 0.0)
    rows: list[tuple[str, str, str, float, float]] = []
    displaced = 0.0
    chosen = _moving(measure)
    cuts: dict[str, float] = {}
    for importer, tonnes, usd, factor in (
        frame.filter(chosen).select("importer", "tonnes", "value_usd", "factor").iter_rows()
    ):
        rest = max((tonnes or 0.0) - recorded.get(importer, 0.0), 0.0) * factor
        price = usd / tonnes if tonnes else value_t
        if importer in made:
            # what the plants can make they no longer ship there
            cuts[importer] = moved
            displaced += rest * moved
            made[importer] += rest * moved
            continue
        cuts[importer] = moved
        for host in measure.hosts:
            amount = rest * moved * part
            made[host] += amount
            if amount > 0 and importer != host:
                rows.append((host, importer, measure.commodity, amount, amount * price))
    back = measure.home_sales_t * moved * measure.sold_back
    closed = measure.home_sales_t * moved - back
    for host in measure.hosts:
        if back > 0:
            made[host] += back * part
            rows.append((host, measure.origin, measure.commodity, back * part, back * part * value_t))
        for name, ratio in zip(measure.inputs, measure.inputs_t_per_t, strict=True):
            if ratio > 0 and made[host] > 0 and host != measure.inputs_from:
                amount = made[host] * ratio
                rows.append((measure.inputs_from, host, name, amount, amount * _value_of_tonne(tables, name)))
    return Moves(moved, value_t, made, cuts, rows, displaced, back, closed)


def _moving(measure: Relocate) -> pl.Expr:
    return (pl.col("exporter") == measure.origin) & (pl.col("commodity") == measure.commodity)


def _union_rates(tables: Tables, members: Iterable[str]) -> dict[str, tuple[list[str] | None, float]]:
    """A union's tariffs by goods: the groups of trade that they hold for (None: all), and the rate."""
    known = "trade_sectors" in tables and "goods" in tables["trade_sectors"].columns
    goods = tables["trade_sectors"]["goods"].unique().sort().to_list() if known else []
    found: dict[str, tuple[list[str] | None, float]] = {}
    for what in goods:
        rate = union_rate(tables, members, goods=what)
        if rate is not None:
            found[what] = (groups_of(tables, what), rate)
    whole = None if found else union_rate(tables, members)
    return found if whole is None else {"": (None, whole)}


def relocate(tables: Tables, measure: Relocate, year: int) -> Result:
    """Move exports to the hosts, end what they bought, bring inputs, and say what closes."""
    if measure.from_year is not None and year < measure.from_year:
        return tables, (f"relocate: not before {measure.from_year}",)
    found = moves_of(tables, measure)
    moved, made, cuts, rows = found.moved, found.made_t, found.cuts, found.rows
    value_t, displaced, back, closed = found.value_usd_t, found.displaced_t, found.back_t, found.closed_t
    frame, chosen = tables["trade"], _moving(measure)
    left = pl.col("importer").replace_strict({k: 1 - v for k, v in cuts.items()}, default=1.0, return_dtype=pl.Float64)
    cut = _set(frame, chosen, {name: pl.col(name) * left for name in ("factor", "added_t", "added_usd")})
    out, opened = _add(tables.replace(trade=cut), rows)
    total = sum(made.values())
    notes = [
        f"relocate: {moved:.1%} of {measure.commodity} from {measure.origin}: the hosts make {total / 1e6:.3f} "
        f"Mt a year "
        f"({displaced / 1e6:.3f} Mt in place of what they bought there, {back / 1e6:.3f} Mt sold back); "
        f"{opened} flows opened"
    ]
    if closed > 0:
        notes.append(f"relocate: {closed / 1e6:.2f} Mt a year of former sales at home are excess capacity and close")
    else:
        notes.append("relocate: sales at home are not given, so what closes at home as excess capacity is not told")
    if not measure.inputs:
        notes.append("relocate: no inputs are given: the plants find theirs in the host")
    if "goods_output" in tables:
        sector = {g: s for s, groups in tables["trade_sectors"].select("id", "groups").iter_rows() for g in groups}.get(
            measure.commodity
        )
        output = {
            i: u
            for i, s, u in tables["goods_output"].select("iso3", "sector", "gross_output_usd").iter_rows()
            if s == sector
        }
        for host in measure.hosts:
            if output.get(host) and made[host] * value_t > 0.1 * output[host]:
                notes.append(
                    f"warning: the plants' output in {host} is {made[host] * value_t / output[host]:.1f} times "
                    f"what the host "
                    f"makes of the whole sector {sector} today"
                )
    return out, tuple(notes)


def _recorded(tables: Tables, exporter: str, group: str) -> dict[str, float]:
    """Tonnes of the recorded products of a group by importer, which the model takes by themselves."""
    if "bulk_trade" not in tables or "commodities" not in tables:
        return {}
    names = products(tables, group)
    year = tables["trade"]["year"].max()
    chosen = (pl.col("exporter") == exporter) & pl.col("product").is_in(names) & (pl.col("year") == year)
    rows = tables["bulk_trade"].filter(chosen)
    return {i: float(t) for i, t in rows.group_by("importer").agg(pl.col("tonnes").sum()).iter_rows()}
