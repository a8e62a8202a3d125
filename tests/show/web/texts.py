"""What stands as text in the sources of the map: strings of the code, and expressions of the templates."""

from __future__ import annotations

import re

__all__ = ["expressions", "literals", "markup", "scripts"]

#: After one of these a stroke begins a pattern, not a division.
BEFORE_PATTERN = re.compile(r"[(,=:\[!&|?{};\n>]\s*$")


def scripts(page: str) -> list[str]:
    """Return the code of a template."""
    return re.findall(r"<script\b[^>]*>(.*?)</script>", page, flags=re.S)


def markup(page: str) -> str:
    """Return a template without its code, style and comments."""
    return re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", "", page, flags=re.S)


def expressions(text: str) -> list[str]:
    """Return what stands in the outermost braces of a template."""
    found, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        if c == "{":
            depth += 1
            if depth == 1:
                begin = i + 1
        elif c == "}" and depth:
            depth -= 1
            if depth == 0:
                found.append(text[begin:i])
    return found


def literals(code: str) -> list[str]:
    """Return the strings of some code, those of templates piece by piece; neither comments nor patterns."""
    found: list[str] = []
    _code(code, 0, found, inner=False)
    return found


def _code(code: str, i: int, found: list[str], *, inner: bool) -> int:
    """Read code from a place to its end, or to the bracket that closes a piece of a string; return where."""
    depth = 0
    while i < len(code):
        c, two = code[i], code[i : i + 2]
        if two == "//" and code[i - 1 : i] != ":":
            i = code.find("\n", i) if "\n" in code[i:] else len(code)
        elif two == "/*":
            i = code.index("*/", i) + 2
        elif c == "/" and BEFORE_PATTERN.search(code[max(0, i - 8) : i]):
            i = _pattern(code, i + 1)
        elif c in "\"'":
            end = _string(code, i)
            found.append(code[i + 1 : end])
            i = end + 1
        elif c == "`":
            i = _template(code, i + 1, found)
        else:
            if c == "}" and inner and depth == 0:
                return i + 1
            depth += (c == "{") - (c == "}")
            i += 1
    return i


def _pattern(code: str, i: int) -> int:
    """Return where a pattern has ended."""
    among = False
    while i < len(code) and (code[i] != "/" or among):
        if code[i] == "\\":
            i += 1
        among = (among or code[i] == "[") and code[i] != "]"
        i += 1
    return i + 1


def _string(code: str, i: int) -> int:
    """Return where the quote stands that closes a string."""
    quote, i = code[i], i + 1
    while i < len(code) and code[i] not in (quote, "\n"):
        i += 2 if code[i] == "\\" else 1
    return i


def _template(code: str, i: int, found: list[str]) -> int:
    """Read a string with expressions in it; return where it has ended."""
    begin = i
    while i < len(code):
        if code[i] == "\\":
            i += 2
        elif code[i] == "`":
            found.append(code[begin:i])
            return i + 1
        elif code[i : i + 2] == "${":
            found.append(code[begin:i])
            i = begin = _code(code, i + 2, found, inner=True)
        else:
            i += 1
    return i
