"""Tasks that do next to nothing, for tests that kill what does them; workers find them here by name.

This module imports little, so that a worker starts at once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault, NotConverged, UnknownName


@dataclass(frozen=True)
class Tiny:
    number: int
    seconds: float = 0.0


def square(shared: Path | None, tiny: Tiny, needed: Mapping[str, Any]) -> float:
    """The number's square over seven and what it starts from; each time it is done leaves a line."""
    if shared is not None:
        with (shared / "log").open("a") as log:
            log.write(f"{tiny.number}\n")
    time.sleep(tiny.seconds)
    return tiny.number**2 / 7 + sum(needed.values())


def weighed(shared: bytes, tiny: Tiny, needed: Mapping[str, Any]) -> int:
    """Bytes of what is shared, plus the number."""
    return len(shared) + tiny.number + len(needed)


def faulty(shared: str, tiny: Tiny, needed: Mapping[str, Any]) -> float:
    """Number 3 does as it is told by what is shared."""
    if tiny.number == 3:
        if shared == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif shared == "faults":
            raise DataError("table", [Fault("a.csv", "1", "x", "a number", "none"), Fault("a.csv", "2", "y", "b", "c")])
        elif shared == "name":
            raise UnknownName("place", "Chongqin", ["Chongqing"])
        elif shared == "stopped":
            raise NotConverged("no equilibrium", {"gap": 0.1})
        elif shared == "odd":
            raise type("Local", (ValueError,), {})("cannot travel")
    return float(tiny.number)


def lines(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []
