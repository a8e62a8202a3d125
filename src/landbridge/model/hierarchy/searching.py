"""Searches from many nodes under weights; see the package."""

from __future__ import annotations

import numpy as np

from landbridge.model.hierarchy.parts import (
    LANES,
    Arrivals,
    Floats,
    Forest,
    Hierarchy,
    Ints,
    Longs,
    Weights,
    inner,
    kernel,
)

__all__ = ["search"]


def search(tree: Hierarchy, cost: Floats, found: Weights, wanted: Forest, trees: Ints, limit: Floats) -> Arrivals:
    """Find least costs, and the paths where they are below a limit.

    Parameters
    ----------
    tree, cost, found
        From `hierarchy` and `weigh`, and the costs that were weighed.
    wanted
        The forest; distances of the chosen searches are written.
    trees
        The searches to make, ascending; calls on different ones may run side by side.
    limit
        By target: paths are wanted where the least cost is lower.

    Returns
    -------
    Arrivals
        The paths, in the order of the targets.
    """
    return Arrivals(
        *_search(
            tree.rank,
            tree.parent,
            tree.first_up,
            tree.above,
            tree.below,
            tree.first_own,
            tree.own,
            tree.first_way,
            tree.way_via,
            tree.way_then,
            tree.first_into,
            tree.into,
            cost,
            found.up,
            found.down,
            wanted.source,
            wanted.class_index,
            wanted.first_target,
            wanted.target,
            wanted.distance,
            trees,
            limit,
        )
    )


@inner
def _descend(first_up: Ints, above: Ints, down: Floats, v: np.uint64, label: Floats) -> None:
    """Least costs of a node from those of its higher neighbours."""
    here_0 = label[v, 0]
    here_1 = label[v, 1]
    here_2 = label[v, 2]
    here_3 = label[v, 3]
    for e in range(np.uint64(first_up[v]), np.uint64(first_up[v + np.uint64(1)])):
        w = np.uint64(above[e])
        step = down[e]
        over_0 = label[w, 0] + step
        over_1 = label[w, 1] + step
        over_2 = label[w, 2] + step
        over_3 = label[w, 3] + step
        here_0 = over_0 if over_0 < here_0 else here_0
        here_1 = over_1 if over_1 < here_1 else here_1
        here_2 = over_2 if over_2 < here_2 else here_2
        here_3 = over_3 if over_3 < here_3 else here_3
    label[v, 0] = here_0
    label[v, 1] = here_1
    label[v, 2] = here_2
    label[v, 3] = here_3


@kernel
def _search(
    rank: Ints,
    parent: Ints,
    first_up: Ints,
    above: Ints,
    below: Ints,
    first_own: Longs,
    own: Ints,
    first_way: Longs,
    way_via: Ints,
    way_then: Ints,
    first_into: Longs,
    into: Ints,
    cost: Floats,
    found_up: Floats,
    found_down: Floats,
    source: Ints,
    class_index: Ints,
    first_target: Ints,
    target: Ints,
    distance: Floats,
    trees: Ints,
    limit: Floats,
) -> tuple[Ints, Longs, Ints]:
    n = parent.size
    label = np.full((n, LANES), np.inf)
    lower = np.empty((n, LANES), np.int32)
    climbed = np.empty((n, LANES), np.int32)
    visit = np.empty(n, np.int32)  # targets and their ancestors, parents first
    visited = np.full(n, -1, np.int64)
    # The tree as far as it is unpacked: which tree a node was last in, and whence and by which slot it is reached.
    grown = np.full(n, -1, np.int64)
    before = np.empty(n, np.int32)
    slot_in = np.empty(n, np.int32)
    # Edges still to unpack, and whether each is taken upwards. An unpacked edge leaves two, of lower rank, so that a
    # path never has more than n waiting besides its own.
    edge = np.empty(4 * n + 4, np.int32)
    rises = np.empty(4 * n + 4, np.bool_)
    # What edges stand for, found once for each class: the class, by edge and direction, and the answer.
    asked = np.full(2 * above.size, -1, np.int32)
    one_part = np.empty(2 * above.size, np.int32)
    other_part = np.empty(2 * above.size, np.int32)
    found_target = np.empty(64, np.int32)
    first = np.zeros(65, np.int64)
    slots = np.empty(1024, np.int32)
    paths = 0
    end = 0
    begin = 0
    while begin < trees.size:
        # STEP 1: some trees of a class go side by side. Climb from the source of each.
        c = class_index[trees[begin]]
        up = found_up[c]
        down = found_down[c]
        price = cost[c]
        last = begin + 1
        while last < trees.size and last < begin + LANES and class_index[trees[last]] == c:
            last += 1
        for i in range(begin, last):
            lane = i - begin
            v = rank[source[trees[i]]]
            label[v, lane] = 0.0
            while v >= 0:
                here = label[v, lane]
                if here < np.inf:
                    for e in range(first_up[v], first_up[v + 1]):
                        w = above[e]
                        reach = here + up[e]
                        if reach < label[w, lane]:
                            label[w, lane] = reach
                            lower[w, lane] = v
                            climbed[w, lane] = e
                v = parent[v]
        # STEP 2: come down to the targets.
        visits = 0
        for i in range(begin, last):
            for j in range(first_target[trees[i]], first_target[trees[i] + 1]):
                v = rank[target[j]]
                height = 0
                while v >= 0 and visited[v] != begin:
                    visited[v] = begin
                    edge[height] = v
                    height += 1
                    v = parent[v]
                for h in range(height - 1, -1, -1):
                    visit[visits] = edge[h]
                    visits += 1
        for i in range(visits):
            _descend(first_up, above, down, np.uint64(visit[i]), label)
        for lane in range(last - begin):
            t = trees[begin + lane]
            origin = rank[source[t]]
            grown[origin] = t
            for j in range(first_target[t], first_target[t + 1]):
                goal = rank[target[j]]
                distance[j] = label[goal, lane]
                if not label[goal, lane] < limit[j]:
                    continue
                # STEP 3: edges from the tree so far to the target, the last on the bottom. Which way down a node was
                # reached shows in the sums.
                v = goal
                height = 0
                while grown[v] != t:
                    over = -1
                    for e in range(first_up[v], first_up[v + 1]):
                        if label[above[e], lane] + down[e] == label[v, lane]:
                            edge[height] = e
                            rises[height] = False
                            height += 1
                            over = above[e]
                            break
                    if over < 0:
                        break
                    v = over
                while grown[v] != t:
                    edge[height] = climbed[v, lane]
                    rises[height] = True
                    height += 1
                    v = lower[v, lane]
                # STEP 4: unpack in order of travel. A node that is in the tree stays as it is: another way to it costs
                # as much, and a circle nothing.
                while height > 0:
                    height -= 1
                    e = edge[height]
                    rising = rises[height]
                    w = above[e] if rising else below[e]
                    if grown[w] == t:
                        v = w
                        continue
                    both = 2 * e if rising else 2 * e + 1
                    if asked[both] != c:
                        asked[both] = c
                        weight = up[e] if rising else down[e]
                        via = -1
                        then = -1
                        for q in range(first_own[both], first_own[both + 1]):
                            if price[own[q]] == weight:
                                via = own[q]
                                break
                        if via < 0 and way_via.size == 0:
                            # the nodes below both ends, in the order in which ways would be kept
                            high = above[e]
                            for q in range(first_into[below[e]], first_into[below[e] + 1]):
                                one = into[q]
                                i = one + 1
                                k = first_up[below[one] + 1]
                                while i < k:
                                    middle = (i + k) >> 1
                                    if above[middle] < high:
                                        i = middle + 1
                                    else:
                                        k = middle
                                if i < first_up[below[one] + 1] and above[i] == high:
                                    via = one if rising else i
                                    then = i if rising else one
                                    if down[via] + up[then] == weight:
                                        break
                        elif via < 0:
                            for q in range(first_way[e], first_way[e + 1]):
                                via = way_via[q] if rising else way_then[q]
                                then = way_then[q] if rising else way_via[q]
                                if down[via] + up[then] == weight:
                                    break
                        one_part[both] = via
                        other_part[both] = then
                    via = one_part[both]
                    then = other_part[both]
                    if then >= 0:
                        edge[height] = then
                        rises[height] = True
                        edge[height + 1] = via
                        rises[height + 1] = False
                        height += 2
                        continue
                    grown[w] = t
                    before[w] = v
                    slot_in[w] = via
                    v = w
                # STEP 5: read the path off the tree.
                v = goal
                while v != origin:
                    end += 1
                    v = before[v]
                if end > slots.size:
                    longer = np.empty(2 * end, np.int32)
                    for i in range(first[paths]):
                        longer[i] = slots[i]
                    slots = longer
                v = goal
                k = end
                while v != origin:
                    k -= 1
                    slots[k] = slot_in[v]
                    v = before[v]
                if paths == found_target.size:
                    more_targets = np.empty(2 * paths, np.int32)
                    more_ends = np.empty(2 * paths + 1, np.int64)
                    more_ends[0] = 0
                    for i in range(paths):
                        more_targets[i] = found_target[i]
                        more_ends[i + 1] = first[i + 1]
                    found_target = more_targets
                    first = more_ends
                found_target[paths] = j
                paths += 1
                first[paths] = end
        # STEP 6: forget.
        for i in range(begin, last):
            v = rank[source[trees[i]]]
            while v >= 0:
                label[v, i - begin] = np.inf
                v = parent[v]
        for i in range(visits):
            for lane in range(LANES):
                label[visit[i], lane] = np.inf
        begin = last
    return found_target[:paths].copy(), first[: paths + 1].copy(), slots[:end].copy()
