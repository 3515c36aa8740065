"""Draw twins on a world that exists: a named world, or a Bayesian network from a file.

Names, values and numbers stay the network's. What is bent, turned or re-coupled is one table, one
edge, or one mechanism of it.
"""

from __future__ import annotations

import math
from itertools import cycle, islice
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.errors import CausalBenchError, TwinError
from causalbench.scm.couplings import couple
from causalbench.task.construct import choices
from causalbench.task.construct.asks import Ask, Labels, association, counterfactual, intervention
from causalbench.task.construct.coupling import two_couplings
from causalbench.task.construct.dependence import dependence
from causalbench.task.construct.draft import Draft, functions_of, world_of
from causalbench.task.construct.edges import covered, covered_reversal, edge_to_confounder
from causalbench.task.construct.generate import pick_ask
from causalbench.task.construct.net import Net, coin
from causalbench.task.construct.units import Engine

if TYPE_CHECKING:
    import numpy as np

    from causalbench.scm import SCM
    from causalbench.task.types import Decision, Track

__all__ = ["network_pair"]

_CELLS = 4096  # the largest table that a construction may change or make
_TRIES = 240  # the most attempts, all candidates together
_LARGE, _FEWER = 30, 60  # the same for a world of so many variables
_EACH = 12  # the most attempts on one candidate; a bend is drawn anew each time, so it has more
_FOCUS = 5  # how many variables a question may speak of
_BINARY = 2
_HIDDEN = "hidden"


def network_pair(
    scm: SCM,
    rung: int,
    track: Track,
    cell: str,
    index: int,
    *,
    rng: np.random.Generator,
    parts: int,
) -> Draft:
    """Draw a pair on a given world.

    Args:
        scm: the world.
        rung: 1, 2 or 3.
        track: ``estimates`` or ``decisions``.
        cell: ``mechanisms`` or ``lab``.
        index: the pair's number; pairs share out the candidates (sinks, or edges) between them.
        rng: draws everything.
        parts: between how many pairs the candidates are shared.

    Returns:
        The pair.

    Raises:
        TwinError: no candidate keeps the margins.
    """
    net = Net.from_scm(scm)
    edges = [(x, y) for y in net.visible for x in net.parents[y] if x not in net.hidden]
    sinks = [y for y in net.visible if net.parents[y] and not net.children(y)]
    candidates = [(y, y) for y in sinks] if rung == 1 else edges
    # The order is the world's own, so that pairs of one world do not meet in one candidate.
    order = draws.permutation(draws.generator(0, f"{scm.digest}/{rung}"), len(candidates))
    mine = [candidates[int(place)] for place in order]
    mine = mine[index % parts :: parts] if len(mine) >= parts else mine
    attempt = {1: _bend, 2: _turn, 3: _recouple}[rung]
    each = 3 * _EACH if rung == 1 else _EACH
    for x, y in islice(
        cycle(mine), min(_FEWER if len(net.cards) >= _LARGE else _TRIES, each * len(mine))
    ):
        try:
            draft = attempt(rng, scm, net, (x, y), track, cell)
        except CausalBenchError:
            continue  # too wide, or a row that never occurs: the next candidate may do
        if draft is not None:
            return draft
    what = "sink" if rung == 1 else "edge"
    msg = (
        f"no {what} of this world gives twins on rung {rung} ({track}, {cell}) with the margins "
        f"kept; {len(mine)} were tried."
    )
    raise TwinError(msg)


def _bend(
    rng: np.random.Generator,
    scm: SCM,
    net: Net,
    place: tuple[str, str],
    track: Track,
    cell: str,
) -> Draft | None:
    del cell
    y = place[1]
    if net.cpts[y].size > _CELLS:
        return None
    # A bet turns only where the table may swing far, which it may around y's own law.
    blend = draws.choice(rng, [0.0, 0.5, 1.0] if track == "estimates" else [0.5, 1.0, 1.0])
    nets = dependence(net, y, rng=rng, blend=blend, common=net.cards[y] > _BINARY)
    labels = _labels(scm)
    focus = _focus(rng, net, [y], list(net.parents[y]))
    ask, decision = None, None
    if track == "estimates":
        ask = pick_ask(rng, association(nets, y, labels, focus))
    else:
        decision = choices.bet(rng, nets, y, labels, focus)
    return _draft(scm, nets, 1, "dependence", ask, decision)


def _turn(
    rng: np.random.Generator,
    scm: SCM,
    net: Net,
    place: tuple[str, str],
    track: Track,
    cell: str,
) -> Draft | None:
    tail, head = place
    if covered(net, tail, head) and coin(rng):
        kind, other = "covered-reversal", covered_reversal(net, tail, head)
    else:
        noise = len(couple(net.cpts[tail], "monotone", net.parents[tail]).noise)
        above = {*net.parents[head], *net.parents[tail]}
        cells = noise * net.cards[head] * math.prod(net.cards[name] for name in above)
        if cells > _CELLS:
            return None
        hidden = _HIDDEN + "_" * sum(name.startswith(_HIDDEN) for name in net.cards)
        kind = "edge-to-confounder"
        other = edge_to_confounder(net, tail, head, hidden, rng=rng)
    nets = (net, other)
    x = draws.choice(rng, [tail, head] if kind == "covered-reversal" else [tail])
    reach = [{*each.descendants(x)} for each in nets]
    goals = sorted((reach[0] & reach[1] if cell != "lab" else reach[0] | reach[1]) - {x})
    goals = [name for name in goals if name in net.visible]
    if not goals:
        return None
    near = [name for name in goals if name in {head, tail, *net.children(head), *net.children(x)}]
    y = draws.choice(rng, near or goals)
    labels = _labels(scm)
    focus = _focus(rng, net, [x, y], [tail, head, *net.parents[tail], *net.parents[y]])
    ask, decision = None, None
    if track == "estimates":
        ask = pick_ask(rng, intervention(nets, x, y, labels, focus))
    else:
        decision = choices.act(rng, nets, x, y, labels, focus)
    return _draft(scm, nets, 2, kind, ask, decision)


def _recouple(
    rng: np.random.Generator,
    scm: SCM,
    net: Net,
    place: tuple[str, str],
    track: Track,
    cell: str,
) -> Draft | None:
    del cell
    x, y = place
    if net.cpts[y].size > _CELLS:
        return None
    pair = two_couplings(rng, net, y, toward=x)
    common = functions_of(net)
    sides = [{**common, y: couple(net.cpts[y], each, net.parents[y])} for each in pair]
    worlds = [world_of(side, net, known=scm.variables) for side in sides]
    oracles = (Engine(worlds[0]), Engine(worlds[1]))
    labels = _labels(scm)
    focus = _focus(rng, net, [x, y], list(net.parents[y]))
    ask: Ask | None = None
    decision: Decision | None = None
    if track == "estimates":
        ask = pick_ask(rng, counterfactual(oracles, net, x, y, labels, focus))
    else:
        decision = choices.redo(rng, oracles, net, x, y, labels, focus)
    if ask is None and decision is None:
        return None
    query = None if ask is None else ask.query
    return Draft((worlds[0], worlds[1]), 3, "coupling", query, decision)


def _draft(
    scm: SCM,
    nets: tuple[Net, Net],
    rung: int,
    kind: str,
    ask: Ask | None,
    decision: Decision | None,
) -> Draft | None:
    if ask is None and decision is None:
        return None
    first, second = (world_of(functions_of(each), each, known=scm.variables) for each in nets)
    return Draft((first, second), rung, kind, None if ask is None else ask.query, decision)


def _labels(scm: SCM) -> Labels:
    return Labels({name: scm.variable(name).labels for name in scm.names})


def _focus(
    rng: np.random.Generator, net: Net, needed: list[str], near: list[str]
) -> tuple[str, ...]:
    """Choose the few variables that a question may speak of: those needed, near ones, others."""
    visible = net.visible
    rest = [visible[int(place)] for place in draws.permutation(rng, len(visible))]
    wanted = dict.fromkeys([*needed, *near, *rest])
    return tuple(name for name in wanted if name in visible)[:_FOCUS]
