"""On which line of a TOML text each key and each element of a list begins.

The standard parser gives values without lines; errors about values need them. The text is walked once, trusting that
the parser has accepted it: what cannot be followed is left out, and `line_of` then falls back to what stands around it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

__all__ = ["key_lines", "line_of"]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[str, int]:
    """Return the line, from 1, on which each key, table and list element begins.

    Parameters
    ----------
    text
        TOML that parses.

    Returns
    -------
    dict
        By position, such as ``scenario[2].measure[1].crossings[0]``.
    """
    walk = _Walk(text)
    with contextlib.suppress(_Lost, RecursionError):
        walk.document()
    return walk.lines


def line_of(lines: Mapping[str, int], position: str) -> int | None:
    """Return the line of a position, or of the closest thing around it that has one."""
    while position:
        if position in lines:
            return lines[position]
        cut = max(position.rfind("."), position.rfind("["))
        position = position[: max(cut, 0)]
    return None


class _Lost(Exception):
    """The text went on otherwise than expected."""


class _Walk:
    """A cursor over the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[str, int] = {}
        self.tables: dict[str, int] = {}
        self.counted, self.line = 0, 1

    def mark(self, position: str) -> None:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        self.lines.setdefault(position, self.line)

    def blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _Lost
        self.at = match.end()
        return match.group(1) if pattern.groups else match.group()

    def here(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def key(self) -> list[str]:
        parts = [self.take(_KEY)]
        while self.here("."):
            parts.append(self.take(_KEY))
        return [part[1:-1] if part[0] in "\"'" else part for part in parts]

    def document(self) -> None:
        table = ""
        self.blank()
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)
            self.blank()

    def header(self) -> str:
        start = self.at
        many = self.here("[[")
        if not many:
            self.here("[")
        position, parts = "", self.key()
        after = self.at
        self.at = start
        for depth, part in enumerate(parts):
            position = _below(position, part)
            self.mark(position)
            if many and depth == len(parts) - 1:
                self.tables[position] = self.tables.get(position, -1) + 1
                self.mark(position)
            if position in self.tables:
                position += f"[{self.tables[position]}]"
        self.mark(position)
        self.at = after
        if not self.here("]]" if many else "]"):
            raise _Lost
        return position

    def pair(self, table: str) -> None:
        start = self.at
        parts = self.key()
        after, self.at = self.at, start
        for part in parts:
            table = _below(table, part)
            self.mark(table)
        self.at = after
        if not self.here("="):
            raise _Lost
        self.blank()
        self.value(table)

    def value(self, position: str) -> None:
        if self.here("["):
            count = 0
            self.blank()
            while not self.here("]"):
                self.mark(f"{position}[{count}]")
                self.value(f"{position}[{count}]")
                count += 1
                self.blank()
                self.here(",")
                self.blank()
        elif self.here("{"):
            self.blank()
            while not self.here("}"):
                self.pair(position)
                self.blank()
                self.here(",")
                self.blank()
        elif self.text[self.at : self.at + 1] in ('"', "'"):
            self.take(_STRING)
        else:
            self.take(_BARE)


def _below(position: str, part: str) -> str:
    return f"{position}.{part}" if position else part
