"""Six questions about trade and the railway, answered from a results folder: figures of its tables, nothing solved.

The study is `examples/trade.toml`, or any other with scenarios of the same ids. Each answer is a list of facts: a value
in the scenario compared with and in the question's, with the table and column that it stands in. A question whose
scenario the folder lacks says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import polars as pl

from landbridge.study.results import Results

__all__ = ["QUESTIONS", "Answered", "Fact", "answerable", "questions_of"]

KHORGOS, DOSTYK = "khorgos-altynkol", "alashankou-dostyk"
#: Rows of a list of those that gain, lose or choke most.
MOST = 6
#: Change of a crossing that is worth telling, tonnes a year.
LEAST_T = 5e4


@dataclass(frozen=True)
class Fact:
    """One figure: what of, its unit, before and after, and where it stands.

    Attributes
    ----------
    kind
        ``crossing``, ``country`` or ``pair``: what `subject` names (``CHN>KAZ`` for a pair).
    subject, direction
        Whose it is; for crossings the countries left and entered, as ``CN>KZ``.
    quantity, unit
        What it is.
    before, after
        In the scenario compared with and in the question's; None where there is none.
    source
        Table and column.
    """

    kind: str
    subject: str
    direction: str
    quantity: str
    unit: str
    before: float | None
    after: float | None
    source: str


@dataclass(frozen=True)
class Answered:
    """A question with its facts.

    Attributes
    ----------
    id, text
        Of the question.
    scenario, before, year
        Where the answer stands; an empty scenario: the folder has none of that id.
    facts
        Rows.
    notes
        What the run says of the scenario: targets met before, what is capped, what closes.
    """

    id: str
    text: str
    scenario: str
    before: str
    year: int
    facts: tuple[Fact, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _At:
    results: Results
    before: str
    after: str
    year: int

    def frame(self, name: str, scenario: str) -> pl.DataFrame:
        return self.results.of(name, scenario, self.year)


def _crossings(at: _At, chosen: Callable[[pl.DataFrame], pl.DataFrame], *, use: bool = True) -> list[Fact]:
    """Tonnes and fill of crossings by direction; ``chosen`` picks from the joined rows."""
    keys = ["crossing", "direction", "from_country", "to_country"]
    columns = ["tonnes", "use"]
    old = at.frame("crossings", at.before).select(*keys, *columns)
    new = at.frame("crossings", at.after).select(*keys, *columns)
    rows = chosen(new.join(old, on=keys, how="full", suffix="_before", coalesce=True))
    facts = []
    for row in rows.to_dicts():
        way = f"{row['from_country']}>{row['to_country']}"
        name = row["crossing"]
        facts.append(
            Fact("crossing", name, way, "tonnes", "t/yr", row["tonnes_before"], row["tonnes"], "crossings.tonnes")
        )
        if use:
            facts.append(Fact("crossing", name, way, "V/C", "", row["use_before"], row["use"], "crossings.use"))
    return facts


def _named(*names: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda rows: rows.filter(pl.col("crossing").is_in(pl.Series(names).implode())).sort("crossing", "direction")


def _most_moved(most: int, where: pl.Expr | None = None) -> Callable[[pl.DataFrame], pl.DataFrame]:
    change = pl.col("tonnes").fill_null(0.0) - pl.col("tonnes_before").fill_null(0.0)

    def pick(rows: pl.DataFrame) -> pl.DataFrame:
        chosen = rows if where is None else rows.filter(where)
        moved = chosen.with_columns(change.alias("moved")).filter(pl.col("moved").abs() >= LEAST_T)
        return moved.sort(pl.col("moved").abs(), descending=True).head(most)

    return pick


def _welfare(at: _At, table: str, most: int = MOST) -> list[Fact]:
    """Countries whose welfare moves most; None before, for it is a change already."""
    if table not in at.results.tables:
        return []
    frame = at.frame(table, at.after)
    if "sector" in frame.columns:
        frame = frame.filter(pl.col("sector").is_null())
    rows = frame.filter(pl.col("welfare_pct").is_not_null()).sort(pl.col("welfare_pct").abs(), descending=True)
    quantity = "welfare of what is given" if table == "trade_given" else "welfare"
    return [
        Fact("country", country, "", quantity, "%", None, value, f"{table}.welfare_pct")
        for country, value in rows.select("country", "welfare_pct").head(most).iter_rows()
    ]


def _pairs(at: _At, flows: pl.Expr, *, most: int = MOST) -> list[Fact]:
    """Trade between pairs of countries that grows most."""
    sums = (
        at.frame("trade_flows", at.after)
        .filter(flows)
        .group_by("exporter", "importer")
        .agg(pl.col("value_before_usd").sum(), pl.col("value_usd").sum())
        .sort(pl.col("value_usd") - pl.col("value_before_usd"), descending=True)
        .head(most)
    )
    return [
        Fact("pair", f"{e}>{i}", "", "trade", "USD/yr", old, new, "trade_flows.value_usd")
        for e, i, old, new in sums.iter_rows()
    ]


def _lost(at: _At, one: str) -> list[Fact]:
    """What a country sold to those that buy nothing of it any more."""
    gone = at.frame("trade_flows", at.after).filter((pl.col("exporter") == one) & (pl.col("share_left") == 0))
    value = float(gone["value_before_usd"].sum())
    if not value:
        return []
    return [Fact("country", one, "", "exports that end", "USD/yr", value, 0.0, "trade_flows.value_usd")]


def _country(at: _At, iso3: str) -> list[Fact]:
    rows = at.frame("trade_countries", at.after).filter(pl.col("country") == iso3).to_dicts()
    return [
        Fact("country", iso3, "", w, "USD/yr", row[f"{w}_before_usd"], row[f"{w}_usd"], f"trade_countries.{w}_usd")
        for row in rows
        for w in ("exports", "imports")
    ]  # fmt: skip


def _target(at: _At) -> list[Fact]:
    return _crossings(at, _named(KHORGOS, DOSTYK))


def _moved(at: _At) -> list[Fact]:
    line = _crossings(at, _named(KHORGOS, DOSTYK), use=False)
    arrives = _crossings(at, _most_moved(4, pl.col("to_country") == "KZ"), use=False)
    known = {(f.subject, f.direction) for f in line}
    return [*line, *(f for f in arrives if (f.subject, f.direction) not in known), *_welfare(at, "trade_given", 8)]


def _union(at: _At) -> list[Fact]:
    return [
        *_country(at, "UZB"),
        *_pairs(at, (pl.col("exporter") == "CHN") & (pl.col("importer") == "UZB")),
        *_welfare(at, "trade_countries"),
        *_crossings(at, _most_moved(4, pl.col("from_country").eq("UZ") | pl.col("to_country").eq("UZ"))),
        *_crossings(at, _named(KHORGOS), use=False),
    ]


def _cut_off(at: _At) -> list[Fact]:
    east = pl.col("from_country").eq("RU") & pl.col("to_country").is_in(["CN", "MN", "KZ"])
    fullest = _crossings(
        at, lambda rows: rows.filter(pl.col("tonnes") > LEAST_T).sort("use", descending=True, nulls_last=True).head(4)
    )
    return [
        *_welfare(at, "trade_countries"),
        *_lost(at, "RUS"),
        *_pairs(at, pl.col("exporter") == "RUS", most=4),
        *_pairs(at, pl.col("importer") == "RUS", most=2),
        *_crossings(at, _most_moved(4, east)),
        *fullest,
    ]


def _farm(at: _At) -> list[Fact]:
    return [*_crossings(at, _named(KHORGOS, DOSTYK)), *_welfare(at, "trade_given", 4)]


#: Id, question, scenario, whether the last year of the study is meant, and what answers it.
QUESTIONS: tuple[tuple[str, str, str, bool, Callable[[_At], list[Fact]]], ...] = (
    ("target", "40 bn USD of China-Kazakhstan trade was the target for 2030 and 41 bn were traded in 2023: what does "
     "the target fill in 2030?", "forty", True, _target),
    ("sixty", "What does 60 bn USD in 2030 fill?", "sixty", True, _target),
    ("moved", "10 % of Chinese steel and cement output moves to Kazakhstan: what leaves the Alashankou line, what "
     "arrives, who loses?", "moved", False, _moved),
    ("union", "Uzbekistan joins the customs union: what moves?", "union", False, _union),
    ("cut-off", "Russia is cut off from EU trade: where do its flows go, which crossings choke in the east?", "cut-off",
     False, _cut_off),
    ("farm", "Farm exports from Kazakhstan to China double: what does it fill?", "farm", False, _farm),
)  # fmt: skip


def answerable(scenarios: Sequence[str], tables: Collection[str]) -> int:
    """Tell how many of the questions some results answer.

    Parameters
    ----------
    scenarios
        Ids of their scenarios.
    tables
        Names of their tables.

    Returns
    -------
    int
    """
    return sum(scenario in scenarios for _, _, scenario, _, _ in QUESTIONS) if "trade_flows" in tables else 0


def questions_of(results: Results) -> list[Answered]:
    """Answer the questions from a results folder.

    Parameters
    ----------
    results
        Of a study with a table ``[demand]``.

    Returns
    -------
    list of Answered
        In the order of `QUESTIONS`; without facts where the scenario is not there.
    """
    before = results.manifest["study"]["compare"]
    found = []
    for name, text, scenario, last, facts in QUESTIONS:
        year = results.years[-1 if last else 0]
        if not answerable(results.scenarios, results.tables) or scenario not in results.scenarios:
            found.append(Answered(name, text, "", before, year, (), ()))
            continue
        solved = next(s for s in results.manifest["solved"] if s["scenario"] == scenario and s["year"] == year)
        given = ((solved.get("demand") or {}).get("given") or {}).get("notes", ())
        at = _At(results, before, scenario, year)
        found.append(Answered(name, text, scenario, before, year, tuple(facts(at)), (*solved["notes"], *given)))
    return found
