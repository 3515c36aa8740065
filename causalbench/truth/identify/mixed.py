"""A diagram on bit masks: the graph that the identification algorithms walk.

Node i stands for bit ``1 << i``, and nodes are numbered causes first, so the nodes before i are the
bits below it, and ancestors are found in one pass from the highest bit down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from causalbench.graph import Diagram

__all__ = ["Mixed", "bits"]


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the bits of a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Mixed:
    """An acyclic directed mixed graph whose node sets are ints.

    Args:
        diagram: the graph by names.
    """

    def __init__(self, diagram: Diagram) -> None:
        self.names = diagram.order()
        self.index = {name: i for i, name in enumerate(self.names)}
        self.everything = (1 << len(self.names)) - 1
        self.parents = [0] * len(self.names)
        self.siblings = [0] * len(self.names)
        for cause, effect in diagram.directed:
            self.parents[self.index[effect]] |= 1 << self.index[cause]
        for one, other in diagram.bidirected:
            first, second = self.index[one], self.index[other]
            self.siblings[first] |= 1 << second
            self.siblings[second] |= 1 << first

    def mask(self, names: Iterable[str]) -> int:
        """Return the set of the named nodes."""
        result = 0
        for name in names:
            result |= 1 << self.index[name]
        return result

    def named(self, mask: int) -> tuple[str, ...]:
        """Return the names of a set, causes first."""
        return tuple([self.names[i] for i in bits(mask)])

    def ancestors(self, targets: int, nodes: int, cut: int = 0) -> int:
        """Return An(targets) in G[nodes], without the edges into the nodes of ``cut``."""
        found = targets & nodes
        waiting = found & ~cut
        while waiting:
            top = waiting.bit_length() - 1
            waiting ^= 1 << top
            fresh = self.parents[top] & nodes & ~found
            found |= fresh
            waiting |= fresh & ~cut
        return found

    def component(self, node: int, nodes: int) -> int:
        """Return the c-component of a node (a position) in G[nodes]."""
        found = waiting = 1 << node
        while waiting:
            low = waiting & -waiting
            waiting ^= low
            fresh = self.siblings[low.bit_length() - 1] & nodes & ~found
            found |= fresh
            waiting |= fresh
        return found

    def components(self, nodes: int) -> list[int]:
        """Return the c-components of G[nodes], by their first nodes."""
        result = []
        left = nodes
        while left:
            part = self.component((left & -left).bit_length() - 1, nodes)
            result.append(part)
            left &= ~part
        return result

    def parents_of(self, group: int, nodes: int) -> int:
        """Return the nodes of G[nodes] with an edge into a set; members may be among them."""
        result = 0
        for node in bits(group):
            result |= self.parents[node]
        return result & nodes

    def blanket(self, node: int, nodes: int) -> int:
        """Return what makes a node independent of all else before it in G[nodes].

        It is the node's c-component among the nodes up to it, and that component's parents.

        Reference:
            Tian and Pearl (2002), A general identification condition for causal effects.
        """
        before = nodes & ((2 << node) - 1)
        part = self.component(node, before)
        return (part | self.parents_of(part, before)) & ~(1 << node)

    def separated(
        self, one: int, other: int, given: int, cut_in: int = 0, cut_out: int = 0
    ) -> bool:
        """Tell whether sets are m-separated where edges into and out of some nodes are cut.

        In the graph of ancestors, a c-component with its parents is a clique; then separation is
        that of an undirected graph.

        Args:
            one: a set.
            other: a set.
            given: a set, disjoint from both.
            cut_in: nodes without arrowheads at them.
            cut_out: nodes without ``->`` edges out of them.

        Reference:
            Richardson (2003), Markov properties for acyclic directed mixed graphs.
        """
        keep = ~cut_out
        parents = [0 if cut_in >> i & 1 else p & keep for i, p in enumerate(self.parents)]
        near = 0
        waiting = one | other | given
        while waiting:
            top = waiting.bit_length() - 1
            near |= 1 << top
            waiting = (waiting | parents[top]) & ~near
        cliques = []
        left = near & ~cut_in
        while left:
            part = clique = self.component((left & -left).bit_length() - 1, near & ~cut_in)
            for node in bits(part):
                clique |= parents[node]
            cliques.append(clique)
            left &= ~part
        reached, grown = 0, one
        while grown != reached:
            reached = grown
            for clique in cliques:
                if clique & reached & ~given:
                    grown |= clique & ~given
        return not reached & other
