"""The whole page: its parts in order, one style, one script, and nothing from outside."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from landbridge.data.tables import Tables
from landbridge.errors import OutputError
from landbridge.show.report import background, maps, plots, sections
from landbridge.show.report.chapters import chapter_of
from landbridge.show.report.context import Context
from landbridge.show.report.definitions import definitions, input_in_words
from landbridge.show.report.findings import findings
from landbridge.show.report.folders import Folder
from landbridge.show.report.markup import ABSENT, Html, el, join
from landbridge.show.report.methods import methods
from landbridge.show.report.observed import observed
from landbridge.show.report.rests import Rests
from landbridge.show.report.sheets import Sheet, sheets
from landbridge.show.report.sheets import definitions as drawn_once
from landbridge.show.report.trade import trade
from landbridge.study.results import Results

__all__ = ["Cover", "Part", "compose", "page", "write_chapters", "write_report"]

HERE = Path(__file__).resolve().parent

#: Of the SHA-256 of the atlas, as many letters name it in the header.
SHORT = 12


#: Mark, name and content of a part of the page.
Part = tuple[str, str, Html]


@dataclass(frozen=True)
class Cover:
    """What stands above the parts: what was run, from what, with what to mind."""

    name: str
    lead: str
    facts: Sequence[tuple[str, str]]
    notes: Html = field(default_factory=lambda: Html(""))


def write_report(results: Results, tables: Tables, out: Path, chapters: Sequence[Folder] = ()) -> Path:
    """Write the report of a results folder: one HTML file that opens offline.

    Every figure carries the table, row and column that it was read from, and its value at full precision, in
    attributes of its element: ``data-table``, ``data-row`` (keys that select rows, whose sum it is), ``data-column``,
    ``data-minus`` (rows taken away, for a change), ``data-value`` and ``data-own`` (estimates among the numbers that
    the atlas holds on its very subject, of how many).

    Parameters
    ----------
    results
        A results folder.
    tables
        The atlas that it was made from: names, geometry, sources.
    out
        The file; in a folder that is there, ``report.html``.
    chapters
        Folders of other kinds, each of which gets a chapter.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputError
        If it cannot be written; an older file then stays as it was.
    """
    return _put(page(Context(results, tables), chapters), out)


def write_chapters(folders: Sequence[Folder], tables: Tables, out: Path, name: str = "") -> Path:
    """Write the report of folders of other kinds than a study's.

    Parameters
    ----------
    folders
        One or more.
    tables
        The atlas at hand: its sources and credits.
    out, name
        The file, and what stands above it; else the title of the first folder.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputError
        If one cannot be read or the file not be written.
    """
    first = folders[0]
    context = Context(Results(first.path, {"study": {"name": "", "scenarios": [], "years": []}}, {}), tables)
    told = [folder.told for folder in folders]
    atlases = dict.fromkeys(
        f"{a.get('name', '')} {a.get('version', '')} · {str(a.get('content_hash', ''))[:SHORT]}"
        for one in told
        if isinstance(a := one.get("atlas"), Mapping)
    )
    made = [_moment(str(one["made"])) for one in told if one.get("made")]
    facts = [("Folders", ", ".join(folder.name for folder in folders))]
    facts += [("Atlas", "; ".join(atlases))] if atlases else []
    facts += [("Computed", made[-1])] if made else []
    study = first.told.get("study")
    lead = str(study.get("description") or "") if isinstance(study, Mapping) else ""
    own = [one["overlay"]["name"] for one in told if isinstance(one.get("overlay"), Mapping)]
    facts += [("User's values", ", ".join(dict.fromkeys(own)))] if own else []
    cover = Cover(name or first.title, lead, facts, _reduced(told))
    parts = [*_chapters(folders, context.rests), ("sources", "Sources and licences", background.sources(context))]
    return _put(compose(cover, parts, background.credits_(context)), out)


def _put(text: str, out: Path) -> Path:
    """Write the file, whole or not at all."""
    target = out / "report.html" if out.is_dir() else out
    draft: Path | None = None
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.absolute().parent)
        draft = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(target)
    except OSError as error:
        if draft is not None:
            with contextlib.suppress(OSError):
                draft.unlink()
        raise OutputError(f"{target}: the report could not be written: {error}") from error
    return target


def page(context: Context, chapters: Sequence[Folder] = ()) -> str:
    """Return the page of a study as text."""
    found = sheets(context)
    parts = [
        (mark, name, content if mark in ASIDE else join([background.with_users_values(context), content]))
        for mark, name, content in _parts(context, found, chapters)
    ]
    closing = join([background.credits_(context), el("p", background.disclaimer(context), class_="disclaimer")])
    return compose(_cover(context), parts, closing, shared=_definitions(found))


def compose(cover: Cover, parts: Sequence[Part], closing: Html, *, shared: Html | None = None) -> str:
    """Return a page as text: one style, one script, and nothing from outside."""
    choices = max((content.count('type="radio"') for _, _, content in parts), default=0)
    style = Html((HERE / "report.css").read_text(encoding="utf-8") + _chosen(choices))
    script = Html((HERE / "report.js").read_text(encoding="utf-8"))
    # Only this script may run, so that nothing that slipped into a name ever could.
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{cover.name} · Landbridge report"),
        el("style", style),
    )
    nav = el(
        "nav",
        el("ol", *[el("li", el("a", name, href=f"#{mark}")) for mark, name, _ in parts]),
        aria_label="Contents",
    )
    body = el(
        "body",
        el("a", "Skip to the first part", href=f"#{parts[0][0]}", class_="skip"),
        shared or Html(""),
        el(
            "header",
            el("p", "Landbridge · corridor study", class_="kicker"),
            el("h1", cover.name),
            el("p", cover.lead, class_="lead") if cover.lead else Html(""),
            el("dl", *[el("div", el("dt", k), el("dd", v)) for k, v in cover.facts], class_="meta"),
            cover.notes,
            _printing(),
        ),
        el(
            "div",
            nav,
            el("main", *[el("section", el("h2", name), content, id=mark) for mark, name, content in parts]),
            class_="page",
        ),
        el("footer", closing),
        el("div", id="tip", role="presentation", hidden=True),
        el("script", script),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _chosen(most: int) -> str:
    """Rules that show the panel whose radio button is chosen, for as many as a group can have."""
    rules = (f".views > input:nth-of-type({n}):checked ~ .panel:nth-of-type({n})" for n in range(1, most + 1))
    return ",\n".join(rules) + " { display: block; }\n" if most else ""


def _printing() -> Html:
    """Choice of what goes onto paper: what is on screen and the first rows of tables, or all of it."""
    box = el("input", type="checkbox", id="whole")
    text = "Print every view and every row, instead of the view on screen and the first rows of each table"
    return el("p", box, el("label", text, for_="whole"), class_="printing")


#: Kinds of folders that rest on a network file of the user, and on nothing of the atlas.
WITHOUT_ATLAS = ("assignment",)


def _input(folder: Folder) -> Html:
    """On how much estimated input a chapter rests."""
    if folder.rests is None or folder.kind in WITHOUT_ATLAS:
        return Html("")
    if folder.kind == "terminal":
        own = folder.rests.terminal(str(folder.told.get("terminal", "")))
        if not own.numbers:
            return Html("")
        text = f"It rests on {own.numbers} numbers of the atlas on this terminal, {own.estimates} of them estimates."
        return el("p", text, class_="note input")
    said = input_in_words(folder.rests)
    return el("p", said, class_="note input") if said else Html("")


def _chapters(folders: Sequence[Folder], rests: Rests) -> list[Part]:
    """Parts of the folders of other kinds; several of one kind are told apart by their names."""
    folders = [replace(folder, rests=rests) for folder in folders]
    parts = []
    kinds = [folder.kind for folder in folders]
    for number, folder in enumerate(folders, start=1):
        title, content = chapter_of(folder)
        name = title if kinds.count(folder.kind) == 1 else f"{title}: {folder.name}"
        head = el("p", f"From the folder {folder.name}, {folder.title}.", class_="note") if len(folders) > 1 else ""
        parts.append((f"{folder.kind}-{number}", name, join([head, _input(folder), content])))
    return parts


#: Parts whose figures do not come from the run.
ASIDE = ("scenarios", "methods", "assumptions", "definitions", "sources")


def _moment(made: str) -> str:
    """When something was made, in words."""
    with contextlib.suppress(ValueError):
        return f"{datetime.fromisoformat(made):%d %B %Y, %H:%M} UTC".lstrip("0")
    return made


def _cover(context: Context) -> Cover:
    manifest = context.results.manifest
    atlas = manifest.get("atlas") or {}
    made = _moment(str(manifest.get("made", "")))
    facts = [
        ("Scenarios", ", ".join(context.scenario(name) for name in context.results.scenarios)),
        ("Years", ", ".join(map(str, context.results.years))),
        *([("Size", size)] if (size := _size(manifest)) else []),
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
    disclaimer = el("p", background.disclaimer(context), class_="disclaimer")
    lead = str(context.study.get("description") or "")
    return Cover(str(context.study["name"]), lead, facts, join([_reduced([manifest], context), changed, disclaimer]))


def _size(told: Mapping[str, object]) -> str:
    """Size of a run, as its folder tells it; empty where it has none."""
    settings = told.get("settings")
    size = settings.get("size") if isinstance(settings, Mapping) else None
    return str(size or told.get("size") or "")


def _reduced(told: Sequence[Mapping[str, object]], context: Context | None = None) -> Html:
    """Say at the head that a run was of the reduced size, whose tonnes are not those of the whole."""
    if all(_size(one) != "reduced" for one in told):
        return Html("")
    left = ""
    if context is not None and "totals" in context.results.tables:
        row = context.results["totals"].row(0, named=True)
        left = (
            f" {row['relations']:,} relations are carried; {row['left_out_relations']:,} with "
            f"{row['left_out_tonnes'] / 1e6:,.1f} Mt a year are left out."
        )
    return el(
        "p",
        f"Reduced size: made to try things out, on the largest relations alone.{left} Read no flow, use or benefit "
        'from it as the answer; run the study with size = "corridor" or "full".',
        class_="warning",
        role="note",
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
    shared = [drawn_once(sheet) for sheet in found or () if sheet]
    return el(
        "svg", el("defs", hatch, *shared), width=0, height=0, class_="shared", aria_hidden="true", focusable="false"
    )


def _parts(context: Context, found: tuple[Sheet, Sheet | None] | None, chapters: Sequence[Folder]) -> list[Part]:
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
                    plots.route_chart(context),
                    maps.passage_map(context, main) if main else nothing,
                    el("h3", "Yearly flows by passage"),
                    plots.passage_chart(context),
                    sections.passage_flows(context),
                ]
            ),
        ),
        ("flows", "Flows and use of capacity", maps.flow_maps(context, main) if main else nothing),
    ]
    if compared:
        drawn = maps.change_maps(context, with_change) if main else nothing
        change = join([drawn, plots.change_chart(context), sections.changes(context)])
        parts.append(("changes", "What changes", change))
    parts += [
        ("crossings", "Border crossings", join([plots.crossing_chart(context), sections.crossings(context)])),
        ("china-kazakhstan", "Freight between China and Kazakhstan", sections.commodities(context)),
        ("corridors", "Corridors inside China", sections.corridors(context)),
        ("countries", "Countries", join([plots.country_chart(context), sections.countries(context)])),
        ("choke-points", "Choke points", sections.choke_points(context)),
    ]
    if answered := trade(context):
        parts.append(("trade", "Trade and welfare", answered))
    parts += _chapters(chapters, context.rests)
    parts += [
        ("observed", "Against what was observed", observed(context)),
        ("methods", "Methods", methods(context)),
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
        ("definitions", "Definitions", definitions(context)),  # when all numbers are shown
        ("sources", "Sources and licences", background.sources(context)),
    ]
    return parts
