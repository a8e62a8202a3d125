r"""Betweenness of places and lines: on how many shortest ways between all others they lie.

Definition (Freeman, 1977)
    b(v) = sum over pairs {s, t}, neither of them v, of the share of the least-cost ways from s to t that pass v; for a
    line likewise, its own ends included. Ways of equal cost share the pair equally. Not normalised: with n nodes the
    most is (n - 1)(n - 2) / 2. It takes no notice of who trades with whom; shares of tonnes do.
Method
    Brandes (2001): one search a source, and shares handed back from the farthest node to the source. Costs that differ
    by less than a share of `TIE` are equal.
Reference
    METHODS.md, section 1.6 (graph betweenness, ties split equally, said whether normalised).
    Freeman, L. (1977), A set of measures of centrality based on betweenness. Sociometry 40(1).
    Brandes, U. (2001), A faster algorithm for betweenness centrality. Journal of Mathematical Sociology 25(2).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["betweenness"]

Floats = npt.NDArray[np.float64]
TIE = 1e-12


def betweenness(node_count: int, ends: Sequence[tuple[int, int]], cost: Sequence[float]) -> tuple[Floats, Floats]:
    """Find the betweenness of the nodes and lines of a network without directions.

    Parameters
    ----------
    node_count
        Number of nodes.
    ends
        The two nodes of each line; at most one line joins two nodes.
    cost
        Cost of each line, greater than zero.

    Returns
    -------
    nodes : float64[n]
    lines : float64[m]
        Each pair of nodes counted once.

    Raises
    ------
    ValueError
        If a cost is not greater than zero.
    """
    if not all(c > 0 for c in cost):
        raise ValueError("cost: wanted costs greater than zero")
    around: list[list[tuple[int, int]]] = [[] for _ in range(node_count)]
    for line, (a, b) in enumerate(ends):
        around[a].append((b, line))
        around[b].append((a, line))
    nodes, lines = np.zeros(node_count), np.zeros(len(ends))
    for source in range(node_count):
        # STEP 1: least costs, the number of ways, and the lines on them.
        distance = np.full(node_count, np.inf)
        distance[source] = 0.0
        ways = np.zeros(node_count)
        ways[source] = 1.0
        before: list[list[tuple[int, int]]] = [[] for _ in range(node_count)]
        settled = np.zeros(node_count, np.bool_)
        order: list[int] = []
        heap = [(0.0, source)]
        while heap:
            reached, node = heapq.heappop(heap)
            if settled[node]:
                continue
            settled[node] = True
            order.append(node)
            for other, line in around[node]:
                price = reached + cost[line]
                if price < distance[other] * (1.0 - TIE):
                    distance[other] = price
                    ways[other] = ways[node]
                    before[other] = [(node, line)]
                    heapq.heappush(heap, (price, other))
                elif price <= distance[other] * (1.0 + TIE) and not settled[other]:
                    ways[other] += ways[node]
                    before[other].append((node, line))
        # STEP 2: each node hands what it stands for to those before it.
        share = np.zeros(node_count)
        for node in reversed(order):
            for previous, line in before[node]:
                part = ways[previous] / ways[node] * (1.0 + share[node])
                share[previous] += part
                lines[line] += part
            if node != source:
                nodes[node] += share[node]
    return nodes / 2.0, lines / 2.0
