"""Solve one request by elimination, or by conditioning on a few nodes where tables are too wide."""

from __future__ import annotations

from typing import Any

from causalbench.jit import inner
from causalbench.truth.compiled.eliminating import add, eliminate
from causalbench.truth.compiled.factors import Factors, describe, fill
from causalbench.truth.compiled.layout import (
    MORE_FLOATS,
    MORE_INTS,
    OK,
    Q_SPLIT,
    Q_TARGET,
    Q_TERMS,
    Q_WORLDS,
    TOO_WIDE,
    UNCOUPLED,
)
from causalbench.truth.compiled.memory import after, doubles, longs, ones, plain
from causalbench.truth.compiled.nodes import (
    MASKED,
    Nodes,
    grow,
    merge,
    observe,
    settled,
    want,
)
from causalbench.truth.compiled.ordering import Graph, link, order, prune
from causalbench.truth.compiled.packing import view
from causalbench.truth.compiled.products import BLOCK

__all__ = ["solve"]

_SECOND_TRY = 2.0**10  # above this many cells a second order of elimination is tried


@inner
def _busiest(graph: Any, steps: int, target: int) -> int:
    """Return the axis that stands in the most cells of the tables met."""
    for axis in range(graph.axes):
        graph.weight[axis] = 0.0
    for k in range(steps):
        for axis in range(graph.axes):
            if graph.order[k] == axis or (
                (graph.around[k * graph.width + (axis >> 6)] >> (axis & 63)) & 1
            ):
                graph.weight[axis] += graph.cells[k]
    best = -1
    for axis in range(graph.axes):
        if axis != target and (best < 0 or graph.weight[axis] > graph.weight[best]):
            best = axis
    return best


@inner
def _number(world: Any, nodes: Any, count: int, cards: Any) -> int:
    """Give every needed node that is not fixed an axis; return how many there are."""
    axes = 0
    for node in range(count):
        nodes.axis[node] = -1
        if nodes.needed[node] and nodes.state[node] < 0:
            nodes.axis[node] = axes
            cards[axes] = world.card[nodes.variable[node]]
            axes += 1
    return axes


@inner
def _plan(graph: Any, factors: Any, count: int, cards: Any, target: int) -> Any:
    """Order the linked axes; return steps, cells of all tables made, and cells looked at."""
    fill = plain(False)
    steps, cells, work = order(graph, cards, target, fill)
    if work > _SECOND_TRY:
        link(graph, factors, count)
        steps, other, less = order(graph, cards, target, not fill)
        if less < work:
            cells, work = other, less
        else:
            link(graph, factors, count)
            steps, cells, work = order(graph, cards, target, fill)
    for f in range(count):
        cells += factors.cells[f]
    return steps, cells, work


@inner
def solve(
    world_at: int,
    query_at: int,
    at: int,
    ints_at: int,
    n_ints: int,
    floats_at: int,
    n_floats: int,
    limit: int,
    most_work: int,
    event: bool,
    column: bool,
    scaled: bool,
) -> Any:
    """Work out P(given), or P(event, given), or the column P(term, given).

    Args:
        world_at: address of a packed world.
        query_at: address of a packed query.
        at: where the quantity starts in it.
        ints_at: address of the workspace of whole numbers.
        n_ints: its length.
        floats_at: address of the workspace of floats.
        n_floats: its length.
        limit: the most cells of all tables together.
        most_work: the most cells that conditioning may look at.
        event: whether the event's atoms are taken in too.
        column: whether the target stays; the column may leave out a positive factor.
        scaled: whether to keep powers of two apart, so that nothing vanishes.

    Returns:
        (status, detail, power of two, code of a target that is a constant or -1). The answer
        stands at the start of the floats. The detail is what more is needed: whole numbers,
        floats, cells, or the variable whose coupling is.
    """
    world, asked = view(world_at), longs(query_at)
    ints, floats = longs(ints_at), doubles(floats_at)
    n, worlds = world.n, asked[at + Q_WORLDS]
    most, edges, terms = worlds * n, worlds * world.edges, asked[at + Q_TERMS]
    top = 12 * most + edges + 2 * n + terms
    if top + asked[1] > n_ints:
        return MORE_INTS, top + asked[1], 0, -1
    nodes = Nodes(
        after(ints, 0),
        after(ints, most),
        after(ints, 12 * most),
        after(ints, 2 * most),
        after(ints, 3 * most),
        after(ints, 4 * most),
        after(ints, 5 * most),
        after(ints, 6 * most),
        after(ints, 7 * most),
        after(ints, top - 2 * n - terms),
        after(ints, top - n - terms),
        after(ints, top - terms),
    )
    cards = after(ints, 8 * most)
    cuts, masks = after(ints, 9 * most), after(ints, 10 * most)
    digits = after(ints, 11 * most)
    count = grow(world, nodes, asked, at)
    split = asked[at + Q_SPLIT]
    possible, top = observe(nodes, ints, top, asked, at, 0 if event else split, terms)
    possible = possible and merge(world, nodes, ints, count)
    goal, size, constant = -1, 1, -1
    if column and possible:
        goal = settled(nodes, asked[at + Q_TARGET])
        if goal < 0:
            goal, constant = -1, ~goal
        else:
            size = world.card[nodes.variable[goal]]
    if not possible:
        floats[0] = 0.0
        return OK, 0, 0, 0
    want(world, nodes, count, goal)
    # Bounds on what follows: every node is needed, and has an axis.
    width = max(1, (count + 63) >> 6)
    n_factors = 3 * count
    low = top + 10 * n_factors
    high = low + (4 * count + 1) * width + count
    half = (n_ints - high) // 4
    if half < edges + 3 * count:
        return MORE_INTS, high + 8 * (edges + 3 * count), 0, -1
    factors = Factors(
        after(ints, top),
        after(ints, top + n_factors),
        after(ints, top + 2 * n_factors),
        after(ints, top + 3 * n_factors),
        after(ints, top + 4 * n_factors),
        after(ints, top + 5 * n_factors),
        after(ints, top + 6 * n_factors),
        after(ints, top + 7 * n_factors),
        after(ints, top + 8 * n_factors),
        after(ints, top + 9 * n_factors),
        after(ints, high),
        after(ints, high + half),
    )
    space = 2 * size + 2 * count
    if space > n_floats:
        return MORE_FLOATS, space, 0, -1
    scope_end = low + 2 * count * width
    n_cuts, runs, wide, total, end = 0, 1.0, 0.0, 0, 0
    steps, cells, work = 0, 0.0, 0.0
    pruned = goal < 0  # only what is left of a column may be known up to a factor
    while True:
        axes = _number(world, nodes, count, cards)
        target = nodes.axis[goal] if goal >= 0 else -1
        width = max(1, (axes + 63) >> 6)
        near_end = scope_end + axes * width
        graph = Graph(
            axes,
            width,
            after(ints, low),
            after(ints, scope_end),
            after(ints, near_end),
            after(ints, high - count),
            after(floats, 2 * size),
            after(floats, 2 * size + count),
        )
        total, end, uncoupled = describe(world, nodes, count, cards, factors)
        if uncoupled >= 0:
            return UNCOUPLED, uncoupled, 0, -1
        link(graph, factors, total)
        if not pruned:
            total = prune(graph, factors, total, target, nodes)
            pruned = True
        steps, cells, work = _plan(graph, factors, total, cards, target)
        if n_cuts == 0:
            wide = cells
        if cells <= limit:
            break
        axis = _busiest(graph, steps, target)
        if axis < 0:
            return TOO_WIDE, int(wide), 0, -1
        runs *= cards[axis]
        if runs * max(work, 1.0) > most_work:
            return TOO_WIDE, int(min(wide, 2.0**62)), 0, -1
        node = 0
        while nodes.axis[node] != axis:
            node += 1
        masks[n_cuts] = nodes.mask[node] if nodes.state[node] == MASKED else -1
        nodes.state[node] = 0
        cuts[n_cuts], digits[n_cuts] = node, 0
        n_cuts += 1
    power, first = plain(0), plain(True)
    while True:
        allowed = True
        for k in range(n_cuts):
            nodes.state[cuts[k]] = digits[k]
            allowed = allowed and (masks[k] < 0 or ints[masks[k] + digits[k]] != 0)
        if allowed:
            if n_cuts > 0:
                total, end, _ = describe(world, nodes, count, cards, factors)
                link(graph, factors, total)
                steps, cells, work = _plan(graph, factors, total, cards, target)
            links = end
            for k in range(steps):
                for w in range(width):
                    links += ones(graph.around[k * width + w])
            if links > half:
                return MORE_INTS, high + 8 * links, 0, -1
            biggest = 0
            for axis in range(axes):
                biggest = max(biggest, cards[axis])
            here = space
            room = space + int(cells) + max(BLOCK, biggest)
            if room > n_floats:
                return MORE_FLOATS, room, 0, -1
            free = high + 2 * half
            for f in range(total):
                if factors.cells[f] > 0:
                    factors.base[f] = here
                    here += factors.cells[f]
                    spare = 3 * count + (factors.rank[f] + 1) * (3 + count)
                    if free + spare > n_ints:
                        return MORE_INTS, 2 * n_ints + 2 * spare, 0, -1
                    fill(world, nodes, cards, factors, f, ints, free, floats)
            missing, shift = eliminate(
                world, factors, total, end, graph, steps, cards, target, ints, n_ints, free,
                floats, here, scaled,
            )  # fmt: skip
            if missing:
                return MORE_INTS, 2 * missing, 0, -1
            if n_cuts == 0:
                return OK, 0, shift, constant
            power = add(floats, size, power, shift, first, scaled)
            first = False
        k = 0
        while k < n_cuts:
            digits[k] += 1
            if digits[k] < world.card[nodes.variable[cuts[k]]]:
                break
            digits[k] = 0
            k += 1
        if k == n_cuts:
            break
    for i in range(size):
        floats[i] = 0.0 if first else floats[size + i]
    return OK, 0, power, constant
