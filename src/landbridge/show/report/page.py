"""The whole page: its parts in order, one style, one script, and nothing from outside."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path

from landbridge.data.tables import Tables
from landbridge.errors import OutputError
from landbridge.show.report import background, maps, sections
from landbridge.show.report.context import Context
from landbridge.show.report.findings import findings
from landbridge.show.report.markup import ABSENT, Html, el, join
from landbridge.show.report.observed import observed
from landbridge.show.report.sheets import Sheet, definitions, sheets
from landbridge.study.results import Results

__all__ = ["write_report"]

HERE = Path(__file__).resolve().parent

#: Of the SHA-256 of the atlas, as many letters name it in the header.
SHORT = 12


def write_report(results: Results, tables: Tables, out: Path) -> Path:
    """Write the report of a results folder: one HTML file that opens offline.

    Every figure carries the table, row and column that it was read from, and its value at full precision, in
    attributes of its element: ``data-table``, ``data-row`` (keys that select rows, whose sum it is), ``data-column``,
    ``data-minus`` (rows taken away, for a change) and ``data-value``.

    Parameters
    ----------
    results
        A results folder.
    tables
        The atlas that it was made from: names, geometry, sources.
    out
        The file; in a folder that is there, ``report.html``.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputError
        If it cannot be written; an older file then stays as it was.
    """
    target = out / "report.html" if out.is_dir() else out
    text = page(Context(results, tables))
    draft: Path | None = None
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.absolute().parent)
        draft = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        draft.chmod(0o644)
        draft.replace(target)
    except OSError as error:
        if draft is not None:
            with contextlib.suppress(OSError):
                draft.unlink()
        raise OutputError(f"{target}: the report could not be written: {error}") from error
    return target


def page(context: Context) -> str:
    """Return the page as text."""
    style = Html((HERE / "report.css").read_text(encoding="utf-8"))
    script = Html((HERE / "report.js").read_text(encoding="utf-8"))
    # Only this script may run, so that nothing that slipped into a name ever could.
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    found = sheets(context)
    parts = _parts(context, found)
    title = f"{context.study['name']} · Landbridge report"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", style),
    )
    nav = el(
        "nav",
        el("ol", *[el("li", el("a", name, href=f"#{mark}")) for mark, name, _ in parts]),
        aria_label="Contents",
    )
    body = el(
        "body",
        el("a", "Skip to the findings", href="#findings", class_="skip"),
        _definitions(found),
        _header(context),
        el(
            "div",
            nav,
            el("main", *[_section(context, mark, name, content) for mark, name, content in parts]),
            class_="page",
        ),
        el("footer", background.credits_(context), el("p", background.disclaimer(context), class_="disclaimer")),
        el("div", id="tip", hidden=True),
        el("script", script),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


#: Parts whose figures do not come from the run.
ASIDE = ("scenarios", "assumptions", "sources")


def _section(context: Context, mark: str, name: str, content: Html) -> Html:
    """One part of the page; its figures say whose values they rest on."""
    named = Html("") if mark in ASIDE else background.with_users_values(context)
    return el("section", el("h2", name), named, content, id=mark)


def _header(context: Context) -> Html:
    manifest = context.results.manifest
    atlas = manifest.get("atlas") or {}
    made = str(manifest.get("made", ""))
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(made)
        made = f"{moment:%d %B %Y, %H:%M} UTC".lstrip("0")
    facts = [
        ("Scenarios", ", ".join(context.scenario(name) for name in context.results.scenarios)),
        ("Years", ", ".join(map(str, context.results.years))),
        (
            "Atlas",
            f"{atlas.get('name', ABSENT)} {atlas.get('version', '')} · {str(atlas.get('content_hash', ''))[:SHORT]}",
        ),
        *([("User's values", told)] if (told := background.users_values(context)) else []),
        ("Computed", made or ABSENT),
    ]
    package = context.tables.package
    changed = Html("")
    if package and atlas and package.content_hash != atlas.get("content_hash"):
        changed = el(
            "p",
            "The atlas has changed since these results were computed: names, maps, parameters and sources below are of "
            f"the atlas at hand ({package.content_hash[:SHORT]}). Run the study again to bring both together.",
            class_="warning",
            role="note",
        )
    return el(
        "header",
        el("p", "Landbridge · corridor study", class_="kicker"),
        el("h1", str(context.study["name"])),
        el("p", str(context.study.get("description") or ""), class_="lead"),
        el("dl", *[el("div", el("dt", k), el("dd", v)) for k, v in facts], class_="meta"),
        changed,
        el("p", background.disclaimer(context), class_="disclaimer"),
    )


def _definitions(found: tuple[Sheet, Sheet | None] | None) -> Html:
    """What maps share, drawn nowhere by itself."""
    hatch = el(
        "pattern",
        el("rect", width=5, height=5),
        el("path", d="M0 0v5"),
        id="hatch",
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    shared = [definitions(sheet) for sheet in found or () if sheet]
    return el(
        "svg", el("defs", hatch, *shared), width=0, height=0, class_="shared", aria_hidden="true", focusable="false"
    )


def _parts(context: Context, found: tuple[Sheet, Sheet | None] | None) -> list[tuple[str, str, Html]]:
    nothing = el("p", "No map: no freight of these runs moves on lines whose places are known.")
    main, window = found or (None, None)
    with_change = [sheet for sheet in (window, main) if sheet]
    compared = bool(context.pairs)
    parts = [
        ("findings", "Key findings", findings(context)),
        ("scenarios", "Scenarios", background.scenarios(context)),
        (
            "passages",
            "Passages",
            join(
                [
                    sections.passages(context),
                    maps.passage_map(context, main) if main else nothing,
                    el("h3", "Yearly flows by passage"),
                    sections.passage_flows(context),
                ]
            ),
        ),
        ("flows", "Flows and use of capacity", maps.flow_maps(context, main) if main else nothing),
    ]
    if compared:
        change = join([maps.change_maps(context, with_change), sections.changes(context)]) if main else nothing
        parts.append(("changes", "What changes", change))
    parts += [
        ("crossings", "Border crossings", sections.crossings(context)),
        ("china-kazakhstan", "Freight between China and Kazakhstan", sections.commodities(context)),
        ("corridors", "Corridors inside China", sections.corridors(context)),
        ("countries", "Countries", sections.countries(context)),
        ("choke-points", "Choke points", sections.choke_points(context)),
        ("observed", "Against what was observed", observed(context)),
        (
            "solution",
            "How it was solved",
            join(
                [
                    background.convergence(context),
                    el("h3", "What is in, and what was left out"),
                    background.left_out(context),
                ]
            ),
        ),
        (
            "assumptions",
            "Assumptions",
            join([background.assumptions(context), el("h3", "Parameters"), background.parameters(context)]),
        ),
        ("sources", "Sources and licences", background.sources(context)),
    ]
    return parts
