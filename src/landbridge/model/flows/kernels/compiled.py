"""Compile kernels and keep them on disk.

Numba asks of a kept kernel only whether the file of its function has changed. But a kernel holds the code of those that
it calls, which here stand in several files: what is kept counts only as long as all files of this folder are as they
were.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["STAMP", "inner", "kernel"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Times and sizes of the files.
STAMP = tuple(
    (path.name, path.stat().st_mtime, path.stat().st_size) for path in sorted(Path(__file__).parent.glob("*.py"))
)


def kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk; frees the interpreter lock, so that threads may share the work."""
    return _compiled(function)


def inner(function: _Function) -> _Function:
    """Compile what only other kernels call: the way in from Python, which takes long to compile, is left out."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled(function: _Function, **options: bool) -> _Function:
    njit: Any = numba.njit  # its stubs do not know all options
    compiled = njit(function, cache=True, nogil=True, error_model="numpy", **options)
    compiled._cache._cache_file._source_stamp = STAMP
    return cast(_Function, compiled)
