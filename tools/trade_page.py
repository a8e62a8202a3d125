"""Write the figures of docs/trade.md, between its markers, from results and from shocks: none is written by hand.

landbridge run examples/trade.toml --out results/trade
python tools/trade_page.py results/trade           # writes
python tools/trade_page.py results/trade --check   # exits 1 where the page says otherwise
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from landbridge.data.read import read_atlas
from landbridge.model import trade
from landbridge.study.freight import freight_factors
from landbridge.study.results import read_results
from landbridge.study.shock import Shocked, shock
from landbridge.study.solve import parameter
from landbridge.study.trade_questions import Answered, Fact, questions_of
from landbridge.study.world import atlas_world, economy_of

PAGE = Path(__file__).parents[1] / "docs" / "trade.md"
PAIR = (("CHN", "KAZ"), ("KAZ", "CHN"))
BEGIN, END = "<!-- figures: {} -->\n", "<!-- end of figures -->\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = "|" + "|".join("---:" if i else "---" for i in range(len(head))) + "|"
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(r) + " |" for r in rows)]) + "\n"


def _number(value: float | None, scale: float, digits: int) -> str:
    return "" if value is None else f"{value / scale:.{digits}f}"


def answer(found: Answered) -> str:
    """The facts of one answer as Markdown: crossings with their use, then countries and pairs."""
    crossings: dict[tuple[str, str], dict[str, Fact]] = {}
    others: list[list[str]] = []
    for fact in found.facts:
        if fact.kind == "crossing":
            crossings.setdefault((fact.subject, fact.direction), {})[fact.quantity] = fact
        else:
            money = fact.unit == "USD/yr"
            unit = "bn USD" if money else fact.unit
            scale, digits = (1e9, 1) if money else (1.0, 2)
            others.append([fact.subject, f"{fact.quantity}, {unit}", _number(fact.before, scale, digits),
                           _number(fact.after, scale, digits)])  # fmt: skip
    rows = []
    for (name, way), facts in crossings.items():
        tonnes, use = facts["tonnes"], facts.get("V/C")
        row = [f"{name}, {way}", _number(tonnes.before, 1e6, 2), _number(tonnes.after, 1e6, 2)]
        rows.append([*row, *(_number(part, 0.01, 0) for part in (use and use.before, use and use.after))])
    head = ["crossing", "Mt before", "Mt after", "use %, before", "after"]
    if not any(row[3] or row[4] for row in rows):
        head, rows = head[:3], [row[:3] for row in rows]
    text = _table(head, rows) if rows else ""
    if others:
        text += "\n" + _table(["", "", "before", "after"], others)
    return f"`{found.scenario}` against `{found.before}`, {found.year}:\n\n{text}"


def shocks() -> str:
    """The same shock to China-Kazakhstan in one sector, and in steps to many sectors with inputs and tariffs."""
    tables = read_atlas()
    world = atlas_world(tables)
    k = world.countries.index("KAZ")
    shocked = [Shocked(e, i, 0.9) for e, i in PAIR]
    theta = parameter(tables, "trade-theta")

    def kaz(*, many: bool = False) -> float:
        found = shock(world, shocked, theta=theta, many=many, tables=tables)
        return float(found.countries[k]["welfare_pct"])

    economy, _ = economy_of(world, tables)
    tau = np.ones((len(world.countries),) * 2)
    for e, i in PAIR:
        tau[world.countries.index(e), world.countries.index(i)] = 0.9
    spent = (economy.trade * (1 + economy.tariff)).sum(axis=1).T
    bare = replace(
        economy,
        inputs=np.zeros_like(economy.inputs),
        value_added=np.ones_like(economy.value_added),
        factor_income=economy.trade.sum(axis=(0, 2)),
        final=spent / np.maximum(spent.sum(axis=1, keepdims=True), 1e-300),
    )

    def many(economy: trade.Economy) -> float:
        found = trade.solve_sectors(economy, cost_hat=np.broadcast_to(tau, economy.trade.shape))
        return float(100 * (found.welfare[k] - 1))

    alike = replace(bare, theta=np.full_like(economy.theta, theta))
    rows = [
        ["one sector", f"{kaz():+.2f}"],
        ["six sectors and tariffs, no inputs, the same elasticity", f"{many(alike):+.2f}"],
        ["and each sector's own elasticity", f"{many(bare):+.2f}"],
        ["and inputs: `--sectors`", f"{kaz(many=True):+.2f}"],
    ]
    text = _table(["China-Kazakhstan at -10 per cent, both ways", "welfare of Kazakhstan, %"], rows)
    bought, china = world.trade[:, :, k].sum(axis=1), world.countries.index("CHN")
    parts = [
        [s, *(f"{100 * world.trade[n, who, k] / bought[n]:.0f}" for who in (k, china))]
        for n, s in enumerate(world.sectors)
    ]
    text += "\n" + _table(["what Kazakhstan buys, %", "from itself", "from China"], parts)
    level = []
    for pair in PAIR:
        factor = freight_factors(tables, [pair], 1.0)[0][pair]  # (1 + 2f) / (1 + f), with f freight over value
        level.append(f"{100 * (factor - 1) / (2 - factor):.1f} per cent from {pair[0]} to {pair[1]}")
    return f"{text}\nFreight over value at free flow: {', '.join(level)}.\n"


def filled(page: str, blocks: dict[str, str]) -> str:
    """The page with each block between its markers.

    Raises
    ------
    SystemExit
        If the page lacks the markers of a block, or has some that nothing fills.
    """
    marked = set(re.findall(r"<!-- figures: (\S+) -->", page))
    if marked != set(blocks):
        raise SystemExit(f"{PAGE.name}: has figures {sorted(marked)}, wanted {sorted(blocks)}")
    for name, block in blocks.items():
        begin = BEGIN.format(name)
        pattern = re.escape(begin) + ".*?" + re.escape(END)
        text = f"{begin}\n{block}\n{END}"
        page = re.sub(pattern, lambda _, text=text: text, page, flags=re.DOTALL)
    return page


def main(folder: Path, *, check: bool) -> None:
    """Write the page, or hold it against what the results say."""
    results = read_results(folder)
    blocks = {a.id: answer(a) for a in questions_of(results) if a.scenario}
    old = PAGE.read_text(encoding="utf-8")
    new = filled(old, {**blocks, "shock": shocks()})
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        raise SystemExit(f"{PAGE} is stale; run: python tools/trade_page.py {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), check="--check" in sys.argv[2:])
