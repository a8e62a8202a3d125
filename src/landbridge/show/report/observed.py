"""How far the first scenario comes out from what was observed: the misses as plainly as the hits."""

from __future__ import annotations

from landbridge.show.report.context import Context
from landbridge.show.report.markup import Column, Html, el, head, join, prose, table, text_cell
from landbridge.study.targets import against

__all__ = ["observed"]

#: Tables without which no figure can be compared; a small package of a user's own may lack them.
NEEDED = ("targets", "crosswalk", "passages", "blocs", "commodities", "crossings", "trade", "rates")


def observed(context: Context) -> Html:
    """Observed figures beside the model's, the covered ones in full and the others counted."""
    missing = [name for name in NEEDED if name not in context.tables or not context.tables[name].height]
    if not missing and "mode" not in context.tables["crossings"].columns:
        missing = ["crossings with modes"]
    if missing:
        return el("p", f"Nothing to compare with: the atlas lacks {', '.join(missing)}.")
    frame = against(context.results, context.tables)
    covered = frame.filter(frame["modelled"].is_not_null())
    rows = []
    for row in covered.to_dicts():
        echo = str(row["status"]).startswith("echo") or str(row["why"]).startswith("echo")
        rows.append(
            [
                head(f"{row['indicator'].replace('_', ' ')}: {row['subject'].replace(';', '; ')}", title=row["id"]),
                text_cell(f"{row['year']}", class_="n"),
                text_cell(row["unit"], class_="soft"),
                el("td", f"{row['observed']:,.4g}", class_="n", data_sort=repr(float(row["observed"]))),
                el("td", f"{row['modelled']:,.4g}", class_="n", data_sort=repr(float(row["modelled"]))),
                _error(row["error_percent"]),
                text_cell({"yes": "inside", "no": "outside"}.get(row["inside"] or "", "")),
                text_cell("input in another form" if echo else "computed"),
                text_cell(row["why"] or "", class_="why"),
            ]
        )
    columns = [
        Column("Observed figure", text=True),
        Column("Year"),
        Column("Unit", text=True),
        Column("Observed"),
        Column("Model"),
        Column("Off", "%"),
        Column("Band", text=True),
        Column("The model's figure is", text=True),
        Column("Remark", text=True),
    ]
    inside = covered.filter(covered["inside"] == "yes").height
    told = (
        f"{covered.height} of {frame.height} published figures can be compared with this run; {inside} of them lie "
        f"inside their band. {frame.height - covered.height} are not covered: other years, or things that the model "
        "does not hold. A figure that is an input in another form proves nothing; which ones the model was fitted to, "
        "`landbridge validate` tells row by row."
    )
    return join(
        [el("p", prose(told)), table("Published figures and the first scenario", columns, rows, class_="words")]
    )


def _error(percent: float | None) -> Html:
    if percent is None:
        return text_cell("", class_="n")
    return el("td", f"{percent:+,.0f}", class_="n", data_sort=repr(percent))
