"""Least costs from many nodes under costs that keep changing: a contraction hierarchy that is weighted anew each time.

Problem
    An equilibrium asks, round after round and for each class of cargo, for the least costs from some hundred or
    thousand nodes to a few others each. The graph stays; all costs change.
Notation
    Nodes have a *rank*, in which they are taken out of the graph one after another. Taking a node out joins its
    remaining neighbours to each other; an *edge* of the hierarchy ties a node to each neighbour that it has at that
    time, all of higher rank, in both directions (up and down). A *slot* is the caller's number of an arc.
Method
    Customizable contraction hierarchies (Dibbelt, Strasser and Wagner, 2016). The order takes a node of least degree
    next, among these one under which the fewest levels lie. *Weighing* gives each edge and direction the least of its
    own arcs and of the ways over a node of lower rank: one look at each triangle, for some classes of cargo side by
    side. A *search* then climbs from the source through its ancestors and comes down through those of the targets,
    parents first; it looks at few edges, and at the same ones whatever the costs. Some searches of one class come down
    side by side. Paths are unpacked only where one is asked for, and those of one search share what they have in
    common. What an edge stands for is not kept but found again: the first of its arcs, or else of the ways over a lower
    node, whose cost is the edge's to the last bit.
    On road and railway networks this is several times faster than mending old trees, and it keeps none.
Exactness
    Costs are sums over the same arcs as those of a search by Dijkstra, added up in another order. Costs are never
    negative; infinite ones forbid. Parallel arcs and arcs of cost zero are allowed. The paths of a search make a tree,
    without circles (which can only be of cost zero). The same input gives the same paths every time.
"""

from landbridge.model.hierarchy.ordering import hierarchy
from landbridge.model.hierarchy.parts import Arrivals, Forest, Hierarchy, Weights, forest, join, weights
from landbridge.model.hierarchy.searching import search
from landbridge.model.hierarchy.weighing import weigh

__all__ = ["Arrivals", "Forest", "Hierarchy", "Weights", "forest", "hierarchy", "join", "search", "weigh", "weights"]
