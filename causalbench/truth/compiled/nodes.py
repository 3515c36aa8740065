"""Turn what is asked into the fewest nodes of parallel worlds that share their noise.

The same idea as `causalbench.truth.worlds`, over flat arrays: a node is a variable together with
what its parents are, other nodes (>= 0) or constants (~code). Nodes that read the same are one, so
worlds merge above their interventions; evidence that fixes a node makes it a constant for its
children, and merges further.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from causalbench.jit import inner
from causalbench.truth.compiled.layout import (
    Q_FORCED,
    Q_HEAD,
    Q_MASKS,
    Q_TERMS,
    Q_WORLDS,
    SAYS_NOTHING,
)
from causalbench.truth.compiled.memory import plain

__all__ = ["FREE", "MASKED", "Nodes", "grow", "merge", "observe", "settled", "want"]

FREE, MASKED = -1, -2  # states of a node; a code >= 0 says that evidence fixes it
_UNSET, _WANTED = 1 << 40, 1 << 41  # in place of a reference


class Nodes(NamedTuple):
    """The nodes of one request, as views of the workspace.

    Attributes:
        variable: per node, the topological place of its variable; parents before children.
        start: per node, where its references start.
        refs: one reference per parent of each node.
        state: `FREE`, `MASKED`, or the code that evidence fixes.
        mask: per masked node, where its 0/1 entries start in the workspace.
        same: per node, the node that it was merged into (or itself).
        following: per node, the next copy of its variable, or -1.
        needed: whether the answer depends on the node.
        axis: per needed node that is not fixed, its number in the elimination, else -1.
        first: per variable, its last made copy, or -1.
        found: per variable, its reference in the world at hand.
        term: per term, its reference.
    """

    variable: Any
    start: Any
    refs: Any
    state: Any
    mask: Any
    same: Any
    following: Any
    needed: Any
    axis: Any
    first: Any
    found: Any
    term: Any


@inner
def _equal(world: Any, nodes: Any, one: int, other: int, v: int) -> bool:
    """Tell whether two copies of a variable have the same parents."""
    a, b = nodes.start[one], nodes.start[other]
    for j in range(world.start[v + 1] - world.start[v]):
        if nodes.refs[a + j] != nodes.refs[b + j]:
            return False
    return True


@inner
def grow(world: Any, nodes: Any, asked: Any, at: int) -> int:
    """Add the nodes that every term needs, world by world; return how many there are."""
    n, count, top = world.n, plain(0), 0
    for v in range(n):
        nodes.first[v] = -1
    place, terms, listed = at + asked[at + Q_FORCED], asked[at + Q_TERMS], at + Q_HEAD
    for number in range(asked[at + Q_WORLDS]):
        for v in range(n):
            nodes.found[v] = _UNSET
        forced = asked[place]
        place += 1
        for _ in range(forced):
            ref = asked[place + 1]
            if ref >= 0:  # a nested value, of a world that came before
                ref = nodes.term[ref]
            nodes.found[world.place[asked[place]]] = ref
            place += 2
        high = -1
        for k in range(terms):
            v = world.place[asked[listed + 3 * k + 1]]
            if asked[listed + 3 * k] == number and nodes.found[v] == _UNSET:
                nodes.found[v] = _WANTED
                high = max(high, v)
        for v in range(high, -1, -1):  # what the targets depend on, and nothing else
            if nodes.found[v] == _WANTED:
                for e in range(world.start[v], world.start[v + 1]):
                    if nodes.found[world.parent[e]] == _UNSET:
                        nodes.found[world.parent[e]] = _WANTED
        for v in range(high + 1):
            if nodes.found[v] != _WANTED:
                continue
            if world.card[v] == 1:
                nodes.found[v] = ~0
                continue
            low, degree = world.start[v], world.start[v + 1] - world.start[v]
            nodes.start[count] = top
            for j in range(degree):
                nodes.refs[top + j] = nodes.found[world.parent[low + j]]
            other = nodes.first[v]
            while other >= 0 and not _equal(world, nodes, count, other, v):
                other = nodes.following[other]
            if other >= 0:
                nodes.found[v] = other
                continue
            nodes.variable[count] = v
            nodes.following[count] = nodes.first[v]
            nodes.first[v] = count
            nodes.state[count] = FREE
            nodes.same[count] = count
            nodes.found[v] = count
            count += 1
            top += degree
        for k in range(terms):
            if asked[listed + 3 * k] == number:
                nodes.term[k] = nodes.found[world.place[asked[listed + 3 * k + 1]]]
    return int(count)


@inner
def _allow(nodes: Any, ints: Any, node: int, code: int) -> bool:
    """Fix a node to a code; return whether that can be."""
    state = nodes.state[node]
    nodes.state[node] = code
    if state == MASKED:
        return bool(ints[nodes.mask[node] + code])
    return bool(state in (FREE, code))


@inner
def _narrow(nodes: Any, ints: Any, node: int, card: int, mask: int) -> bool:
    """Narrow a node to a mask, which stands in the workspace; return whether that can be."""
    state = nodes.state[node]
    if state >= 0:
        return bool(ints[mask + state] != 0)
    if state == MASKED:
        for code in range(card):
            ints[mask + code] &= ints[nodes.mask[node] + code]
    nodes.mask[node], nodes.state[node] = mask, MASKED
    left, last = 0, 0
    for code in range(card):
        if ints[mask + code]:
            left, last = left + 1, code
    if left == 1:
        nodes.state[node] = last
    return left > 0


@inner
def observe(nodes: Any, ints: Any, free: int, asked: Any, at: int, low: int, high: int) -> Any:
    """Take in what some terms say; return whether it can be, and where the workspace is free."""
    possible = True
    for k in range(low, high):
        ref, code = nodes.term[k], asked[at + Q_HEAD + 3 * k + 2]
        if code == SAYS_NOTHING:
            continue
        if code >= 0:
            if ref >= 0:
                possible = _allow(nodes, ints, ref, code) and possible
            else:
                possible = possible and ~ref == code
            continue
        mask = at + asked[at + Q_MASKS] + SAYS_NOTHING - 1 - code
        card = asked[mask]
        if ref >= 0:
            for i in range(card):
                ints[free + i] = asked[mask + 1 + i]
            possible = _narrow(nodes, ints, ref, card, free) and possible
            free += card
        else:
            possible = possible and asked[mask + 1 + ~ref] != 0
    return possible, free


@inner
def merge(world: Any, nodes: Any, ints: Any, count: int) -> bool:
    """Merge nodes that evidence made equal, until nothing changes; return whether it can be."""
    possible, changed = True, True
    while changed:
        changed = False
        for node in range(count):
            if nodes.same[node] != node:
                continue
            v = nodes.variable[node]
            for j in range(
                nodes.start[node], nodes.start[node] + world.start[v + 1] - world.start[v]
            ):
                ref = nodes.refs[j]
                if ref >= 0:
                    ref = nodes.same[ref]
                    nodes.refs[j] = ~nodes.state[ref] if nodes.state[ref] >= 0 else ref
            other = nodes.first[v]
            while other >= 0 and not (
                other < node and nodes.same[other] == other and _equal(world, nodes, node, other, v)
            ):
                other = nodes.following[other]
            if other < 0:
                continue
            changed = True
            for k in range(node, count):
                if nodes.same[k] == node:
                    nodes.same[k] = other
            if nodes.state[node] >= 0:
                possible = _allow(nodes, ints, other, nodes.state[node]) and possible
            elif nodes.state[node] == MASKED:
                possible = _narrow(nodes, ints, other, world.card[v], nodes.mask[node]) and possible
    return possible


@inner
def settled(nodes: Any, term: int) -> int:
    """Return what a term is after the evidence: a node, or ~code."""
    ref = nodes.term[term]
    if ref >= 0:
        ref = nodes.same[ref]
        if nodes.state[ref] >= 0:
            ref = ~nodes.state[ref]
    return int(ref)


@inner
def want(world: Any, nodes: Any, count: int, target: int) -> None:
    """Mark the nodes that the evidence and the target depend on; the rest is barren."""
    for node in range(count):
        nodes.needed[node] = nodes.same[node] == node and nodes.state[node] != FREE
    if target >= 0:
        nodes.needed[target] = 1
    for node in range(count - 1, -1, -1):
        if nodes.needed[node]:
            v = nodes.variable[node]
            for j in range(
                nodes.start[node], nodes.start[node] + world.start[v + 1] - world.start[v]
            ):
                if nodes.refs[j] >= 0:
                    nodes.needed[nodes.refs[j]] = 1
