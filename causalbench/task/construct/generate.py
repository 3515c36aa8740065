"""Draw twins from scratch: a base world, a construction, a question that tells the two apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.errors import TooWideError, TwinError
from causalbench.task.construct import choices
from causalbench.task.construct.asks import (
    GAP,
    Ask,
    Labels,
    association,
    counterfactual,
    intervention,
)
from causalbench.task.construct.coupling import recouple, two_couplings
from causalbench.task.construct.dependence import dependence
from causalbench.task.construct.draft import Draft, functions_of, world_of
from causalbench.task.construct.edges import covered_reversal, edge_to_confounder
from causalbench.task.construct.effects import mediated_effects, treated_effects
from causalbench.task.construct.lures import READERS, Guard, Lures
from causalbench.task.construct.mixed import confounded_mediator, many_valued
from causalbench.task.construct.motifs import (
    front_door,
    kept_covered,
    mediated,
    open_world,
    sink_world,
)
from causalbench.task.construct.names import pick_names
from causalbench.task.construct.net import Net, coin, random_cpt
from causalbench.task.construct.orders import arrows, two_orders
from causalbench.task.construct.sparse import sparse_behind, sparse_kept, sparse_world
from causalbench.task.construct.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np

    from causalbench.graph import Diagram
    from causalbench.task.types import Decision, Track

__all__ = ["ATTEMPTS", "effects_identified", "generate", "named_roles", "pick_ask"]

ATTEMPTS = 2000
_NAMED = 0.3  # the share of differences, PN, PS and PNS among estimates
_HIDDEN = "uh"  # the role of the cause that edge_to_confounder adds
_BEHIND = "reversal-behind-confounder"
_ORDER = "other-order"
_ORDER_BEHIND = "other-order-behind-confounder"
_TURNS = tuple(
    kind
    for first in ("covered-reversal", _ORDER)
    for kind in (
        first,
        _BEHIND,
        "edge-to-confounder",
        _ORDER_BEHIND,
        "edge-to-confounder",
        _BEHIND,
        "edge-to-confounder",
        _ORDER_BEHIND,
    )
)
_LAB_TURNS = ("covered-reversal", "edge-to-confounder", _ORDER)
_SHARES = {
    "covered-reversal": 0.8,
    _ORDER: 0.8,
    "edge-to-confounder": 0.6,
    _BEHIND: 0.7,
    _ORDER_BEHIND: 0.7,
}
"""How much of a floor a reader of the diagram must lose."""
_PLAIN = ("covered-reversal", _ORDER)  # nothing is confounded, so adjusting is no shortcut
_PERIOD, _MISLED = 8, 7  # three of four pairs behind a confounder mislead whoever watches
_STAKE, _ACTS = 0.24, 3  # the least effect to build a decision on, and how often to try
_DRAWN = READERS.index("adjust")
_DECIDED = READERS.index("last-mediator")  # payoffs that resist this too are too rare to find


def generate(rng: np.random.Generator, rung: int, track: Track, cell: str, index: int) -> Draft:
    """Draw a pair for a cell.

    Args:
        rng: draws everything.
        rung: 1, 2 or 3.
        track: ``estimates`` or ``decisions``.
        cell: ``mechanisms``, ``diagram`` or ``lab``.
        index: the pair's number; constructions take turns.

    Returns:
        The pair, with names that mean nothing.

    Raises:
        TwinError: no attempt kept the margins.
    """
    attempt = {1: _dependence, 2: _edge, 3: _units}[rung]
    for _ in range(ATTEMPTS):
        try:
            draft = attempt(rng, track, cell, index)
        except TooWideError:
            continue
        if draft is not None:
            return draft
    msg = (
        f"no pair for rung {rung}, {track}, {cell} kept the margins in {ATTEMPTS} attempts; "
        "take another seed."
    )
    raise TwinError(msg)


def _dependence(rng: np.random.Generator, track: Track, cell: str, index: int) -> Draft | None:
    del cell, index
    net = sink_world(rng, hidden=int(draws.integers(rng, 3)))
    # A flat table leaves room to bend it both ways.
    cards = [net.cards[parent] for parent in net.parents["y"]]
    flat = random_cpt(rng, cards, net.cards["y"], 0.7 / net.cards["y"])
    net, roles, labels = named_roles(rng, net.replace({"y": flat}))
    nets = dependence(net, roles["y"], rng=rng)
    asks = association(nets, roles["y"], labels, net.visible) if track == "estimates" else []
    ask = pick_ask(rng, asks)
    decision = (
        choices.bet(rng, nets, roles["y"], labels, net.visible) if track == "decisions" else None
    )
    return _draft(nets, 1, "dependence", labels, ask, decision)


def _edge(rng: np.random.Generator, track: Track, cell: str, index: int) -> Draft | None:
    kind = _turn(cell, index)
    net, roles, labels = named_roles(rng, _base(rng, kind, cell))
    x, y = roles["x"], roles["y"]
    nets = _twins(rng, net, kind, cell, roles)
    if nets is None:
        return None
    guard = None
    if cell != "lab":
        if not all(x in each.ancestors([y]) for each in nets):
            return None
        readers = len(READERS) if track == "estimates" else _DECIDED
        readers = _DRAWN if kind in _PLAIN else readers
        behind = kind in {_BEHIND, _ORDER_BEHIND}
        misleads = cell == "diagram" and behind and index % _PERIOD < _MISLED
        guard = Guard(Lures(nets), _SHARES[kind], misleads, readers)
    if track == "estimates":
        asks = [ask for ask in intervention(nets, x, y, labels, net.visible) if ask.good]
        ask = pick_ask(rng, [ask for ask in asks if guard is None or guard.ask(ask)])
        return _draft(nets, 2, kind, labels, ask, None)
    if guard is not None:
        plain = replace(guard, misleads=False)
        stake = GAP if kind in _PLAIN else _STAKE
        spots = [
            ask.spot
            for ask in intervention(nets, x, y, labels, ())
            if ask.spot is not None
            and ask.form == "simple"
            and round(abs(ask.first - ask.second), 9) >= stake
            and plain.ask(ask)
        ]
        if not spots:
            return None  # a search for a payoff costs much more than this
        aims = tuple(((y, spot.value), (x, spot.steps[0][0])) for spot in spots)
        guard = replace(guard, aims=aims)
    for _ in range(1 if guard is None else _ACTS):
        decision = choices.act(rng, nets, x, y, labels, net.visible, guard)
        if decision is not None:
            return _draft(nets, 2, kind, labels, None, decision)
    return None


def _turn(cell: str, index: int) -> str:
    """Say which construction a rung-2 pair is for."""
    turns = _LAB_TURNS if cell == "lab" else _TURNS
    return turns[index % len(turns)]


def _base(rng: np.random.Generator, kind: str, cell: str) -> Net:
    """Draw the base of a rung-2 pair.

    Where a diagram is shown, x stays a cause of y in both twins: "P(y | x) if there is a path, else
    P(y)" must not pay.
    """
    open_only = cell == "diagram"
    if kind == _ORDER:
        return sparse_world(rng) if cell == "lab" else sparse_kept(rng)
    if kind == _ORDER_BEHIND:
        return sparse_behind(rng)
    if cell == "lab":
        return open_world(rng, covered=kind == "covered-reversal")
    if kind == "covered-reversal":
        return kept_covered(rng, open_only=open_only)
    if kind == _BEHIND:
        return mediated(rng, open_only=open_only)
    return front_door(rng, confounded=coin(rng), open_only=open_only, opposed=True)


def _twins(
    rng: np.random.Generator, net: Net, kind: str, cell: str, roles: Mapping[str, str]
) -> tuple[Net, Net] | None:
    """Return two nets with the base's seen law, or None where there are none of the kind wanted."""
    x, y, hidden = roles["x"], roles["y"], roles[_HIDDEN]
    if kind in {_ORDER, _ORDER_BEHIND}:
        kept = [] if cell == "lab" else [(x, y)]
        if kind == _ORDER_BEHIND:
            kept += [(x, roles["m"]), (roles["m"], y)]
        orders = two_orders(rng, net, kept=kept)
        if orders is None or kind == _ORDER:
            return orders
        sides = _confounded(rng, orders, x, y, hidden)
        # y takes over the causes of x, of which the orders may have different numbers.
        alike = len(arrows(sides[0].parents)) == len(arrows(sides[1].parents))
        return sides if alike else None
    if kind == "edge-to-confounder":
        return net, edge_to_confounder(net, x, y, hidden, rng=rng)
    tail, head = (x, y) if cell == "lab" else (roles["z"], x)
    other = covered_reversal(net, tail, head)
    if kind == "covered-reversal":
        return net, other
    return _confounded(rng, (net, other), x, y, hidden)


def _confounded(
    rng: np.random.Generator, nets: tuple[Net, Net], x: str, y: str, hidden: str
) -> tuple[Net, Net]:
    """Turn x -> y into confounding in both."""
    first, second = (edge_to_confounder(each, x, y, hidden, rng=rng) for each in nets)
    return first, second


def _units(rng: np.random.Generator, track: Track, cell: str, index: int) -> Draft | None:
    """Draw a pair for rung 3: couplings and response types in turn.

    No coupling can be named for a hidden cause that several variables share, so where couplings
    are named nothing else differs.
    """
    if cell == "diagram" or index % 2 == 0:
        return _coupling(rng, track, cell)
    return _response_types(rng, track, mediated=index % 4 == 1)


def _response_types(rng: np.random.Generator, track: Track, *, mediated: bool) -> Draft | None:
    estimates = track == "estimates"
    drawn = confounded_mediator(rng, nested=estimates) if mediated else many_valued(rng)
    net, roles, labels = named_roles(rng, drawn[0])
    nets = (net, net.replace({roles[role]: table for role, table in drawn[1].cpts.items()}))
    functions = [functions_of(each) for each in nets]
    first, second = (Units(each, net.cards, net.visible) for each in functions)
    oracles, x, y = (first, second), roles["x"], roles["y"]
    ask, decision = None, None
    if not estimates:
        told = [x, roles["m"]] if mediated else [x, *([y] if coin(rng) else [])]
        decision = choices.redo(rng, oracles, net, x, y, labels, net.visible, told)
    elif mediated:
        ask = pick_ask(rng, mediated_effects(oracles, net, x, roles["m"], y, labels))
    else:
        ask = pick_ask(rng, treated_effects(oracles, net, x, y, labels, net.visible))
    draft = _draft(nets, 3, "response-types", labels, ask, decision)
    return None if draft is None else replace(draft, mixed=True)


def _coupling(rng: np.random.Generator, track: Track, cell: str) -> Draft | None:
    hidden = 0 if cell == "diagram" else int(draws.integers(rng, 3))
    net, roles, labels = named_roles(rng, sink_world(rng, hidden=hidden, minimum=0.1))
    x, y = roles["x"], roles["y"]
    pair = two_couplings(rng, net, y, toward=x)
    sides, shared = recouple(rng, net, y, pair)
    oracles = (Units(sides[0], net.cards, net.visible), Units(sides[1], net.cards, net.visible))
    ask: Ask | None = None
    decision: Decision | None = None
    if track == "estimates":
        ask = pick_ask(rng, list(counterfactual(oracles, net, x, y, labels, net.visible)))
    else:
        decision = choices.redo(rng, oracles, net, x, y, labels, net.visible)
    if ask is None and decision is None:
        return None
    worlds = [world_of(side, net, labels.values) for side in sides]
    told = [{**shared, y: each} for each in pair] if cell == "diagram" else [{}, {}]
    return Draft(
        sides=(worlds[0], worlds[1]),
        rung=3,
        construction="coupling",
        query=None if ask is None else ask.query,
        decision=decision,
        couplings=(told[0], told[1]),
    )


def named_roles(rng: np.random.Generator, net: Net) -> tuple[Net, dict[str, str], Labels]:
    """Give the roles names that mean nothing, and declare the variables in a random order."""
    names = pick_names(rng, len(net.cards) + 1)
    roles = dict(zip([*net.cards, _HIDDEN], names, strict=True))
    order = [list(net.cards)[int(place)] for place in draws.permutation(rng, len(net.cards))]
    named = net.rename({role: roles[role] for role in order})
    values = {name: tuple(str(i) for i in range(card)) for name, card in named.cards.items()}
    return named, roles, Labels(values)


def pick_ask(rng: np.random.Generator, asks: Iterable[Ask]) -> Ask | None:
    """Draw a good question: its form first, so that common forms do not crowd out the others."""
    wanted = "named" if coin(rng, _NAMED) else "simple"
    good = [ask for ask in asks if ask.good]
    good = [ask for ask in good if ask.form == wanted] or good
    return draws.choice(rng, good) if good else None


def _draft(
    nets: tuple[Net, Net],
    rung: int,
    construction: str,
    labels: Labels,
    ask: Ask | None,
    decision: Decision | None,
) -> Draft | None:
    if ask is None and decision is None:
        return None
    return Draft(
        sides=(
            world_of(functions_of(nets[0]), nets[0], labels.values),
            world_of(functions_of(nets[1]), nets[1], labels.values),
        ),
        rung=rung,
        construction=construction,
        query=None if ask is None else ask.query,
        decision=decision,
        misleads=ask is not None and ask.misleads,
    )


def effects_identified(diagram: Diagram) -> bool:
    """Say whether every single intervention is identified from the diagram and the seen law.

    Reference:
        Tian and Pearl (2002), A general identification condition for causal effects: P(v | do(x))
        is identified if and only if no child of x lies in the c-component of x.
    """
    for component in diagram.c_components():
        for name in component:
            if set(diagram.children(name)) & set(component):
                return False
    return True
