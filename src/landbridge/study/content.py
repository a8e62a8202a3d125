"""What a thing is, as a hash: of values, tables and the code itself, the same in every process and on every machine.

Hashes are taken over values, not over the bytes of files: how a table was cut into chunks, compressed or threaded does
not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import landbridge

__all__ = ["code_hash", "content_of", "table_hash"]


def content_of(*values: Any) -> str:
    """Return the SHA-256 of values.

    Parameters
    ----------
    *values
        Plain values, arrays, frames, frozen records, and mappings, sequences and sets of these. Mappings and sets count
        whatever their order; fields of records that do not count in comparison are left out.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        For a value whose content cannot be told, such as a function or an open file.
    """
    digest = hashlib.sha256()
    for value in values:
        _feed(digest, value)
    return digest.hexdigest()


def table_hash(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a table: names and types of its columns, and every value, in order.

    Parameters
    ----------
    frame
        Any frame. Numbers count by their bits, so that 0.0 and -0.0 differ.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    digest.update(f"{frame.width} {frame.height};".encode())
    for column in frame:
        digest.update(f"{column.name!r} {column.dtype};".encode())
        empty = column.is_null().to_numpy()
        digest.update(np.packbits(empty).tobytes())
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            digest.update(np.ascontiguousarray(column.fill_null(0 if column.dtype != pl.Boolean else False)).tobytes())
        elif column.dtype == pl.String:
            texts = column.fill_null("")
            digest.update(np.ascontiguousarray(texts.str.len_bytes()).tobytes())
            digest.update((texts.str.join("").item() if len(texts) else "").encode())
        elif column.dtype == pl.List(pl.String):  # as one table of its entries, with how many each has
            digest.update(np.ascontiguousarray(column.list.len().fill_null(0)).tobytes())
            digest.update(table_hash(pl.DataFrame({"entry": column.filter(column.list.len() > 0).explode()})).encode())
        else:  # other lists and dates: few, and small
            digest.update(repr(column.to_list()).encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Return the SHA-256 of this package's Python files, so that a result can tell which code made it."""
    home = Path(landbridge.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        digest.update(path.relative_to(home).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Put a value into a digest, with its kind and length so that no two values run together."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        text = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(f"{type(value).__name__}{len(text)}:".encode() + text)
    elif isinstance(value, np.generic):
        _feed(digest, value.item())
    elif isinstance(value, np.ndarray):
        digest.update(f"array{value.dtype}{value.shape}:".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, pl.DataFrame):
        digest.update(f"table:{table_hash(value)}".encode())
    elif isinstance(value, Path):
        _feed(digest, value.as_posix())
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"record {type(value).__qualname__}(".encode())
        for part in fields(value):
            if part.compare:
                _feed(digest, part.name)
                _feed(digest, getattr(value, part.name))
        digest.update(b")")
    elif isinstance(value, Mapping):
        digest.update(f"map{len(value)}(".encode())
        for key, content in sorted((content_of(k), content_of(v)) for k, v in value.items()):
            digest.update(key.encode() + content.encode())
    elif isinstance(value, (list, tuple)):
        digest.update(f"list{len(value)}(".encode())
        for part in value:
            _feed(digest, part)
    elif isinstance(value, (set, frozenset)):
        digest.update(f"set{len(value)}(".encode())
        for content in sorted(content_of(part) for part in value):
            digest.update(content.encode())
    else:
        raise TypeError(f"the content of a {type(value).__name__} cannot be told")
