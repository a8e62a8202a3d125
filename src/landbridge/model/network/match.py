"""Which arc of one supernetwork is which arc of another, that was built of other tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from landbridge.model.network.records import Network

__all__ = ["matching_arcs"]

#: Fields that tell arcs apart and are not indices into names.
PLAIN = ("kind", "mode", "gauge_mm", "option", "backward", "container", "bulk")
#: Fields that are indices, by the names that they point into.
NAMED = {"country": "countries", "country_to": "countries", "link": "links", "crossing": "crossings", "place": "places"}


def matching_arcs(old: Network, new: Network) -> npt.NDArray[np.int32]:
    """Find the arcs of the new network that are those of the old one.

    Arcs are alike when what they are, what they belong to and the states that they join are: kind, mode, gauge, option,
    direction and cargo; country, link, crossing and place by name; place and state of both ends. Of several alike the
    first is taken for the first, and so on. Numbers (times, prices, capacities) do not matter.

    Parameters
    ----------
    old, new
        Two networks.

    Returns
    -------
    int32[m]
        By arc of the old network: its number in the new one, or -1.
    """
    if _same_arcs(old, new):
        return np.arange(old.arc_count, dtype=np.int32)
    waiting: dict[tuple[int, ...], list[int]] = {}
    names: dict[str, dict[str, int]] = {"places": {}, "states": {}, "countries": {}, "links": {}, "crossings": {}}
    for arc, key in enumerate(_keys(new, names)):
        waiting.setdefault(key, []).append(arc)
    taken: dict[tuple[int, ...], int] = {}
    result = np.full(old.arc_count, -1, np.int32)
    for arc, key in enumerate(_keys(old, names)):
        alike = waiting.get(key, ())
        number = taken.get(key, 0)
        if number < len(alike):
            result[arc] = alike[number]
            taken[key] = number + 1
    return result


def _same_arcs(old: Network, new: Network) -> bool:
    """Whether all arcs have the same numbers in both."""
    if old is new:
        return True
    fields = ("places", "states", "countries", "links", "crossings", "zones")
    arrays = ("tail", "head", "node_place", "node_state", *PLAIN, *NAMED)
    return all(getattr(old, name) == getattr(new, name) for name in fields) and all(
        np.array_equal(getattr(old, name), getattr(new, name)) for name in arrays
    )


def _keys(network: Network, names: dict[str, dict[str, int]]) -> Iterator[tuple[int, ...]]:
    """What tells each arc apart, as numbers that are the same in all networks that share `names`."""

    def number(field: str, index: npt.NDArray[np.integer]) -> list[int]:
        known = names[field]
        own: Sequence[str] = getattr(network, field)
        shared = np.array([*(known.setdefault(name, len(known)) for name in own), -1], np.int64)
        found: list[int] = shared[index].tolist()
        return found

    columns = [getattr(network, name).tolist() for name in PLAIN]
    columns += [number(field, getattr(network, name)) for name, field in NAMED.items()]
    for ends in (network.tail, network.head):
        columns += [number("places", network.node_place[ends]), number("states", network.node_state[ends])]
    return zip(*columns, strict=True)
