"""Build pairs for rung 3: every law under every intervention is the same, and units differ.

Either one mechanism ties its rows together otherwise (another coupling of the same table), or a
hidden cause moves one of its two effects in a way that no experiment tells.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.task.construct.batch import draw_batch
from causalbench.task.construct.draft import Draft
from causalbench.task.construct.generate import named_roles
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung3_couplings import (
    coupled_worlds,
    loosely,
    renamed,
    two_couplings_of,
)
from causalbench.task.construct.rung3_effects import effect_of, treated_effect, triples
from causalbench.task.construct.rung3_mixed import Joined, mixed_sides
from causalbench.task.construct.rung3_patterns import PATTERNS, preempts, seen_choice
from causalbench.task.construct.rung3_pick import Wanted, choose
from causalbench.task.construct.rung3_redo import before, draw_redo
from causalbench.task.construct.rung3_scene import Say, Scene
from causalbench.task.construct.rung3_tables import suited
from causalbench.task.construct.rung3_worlds import NATURAL, Copies, joint_law
from causalbench.task.construct.shapes import MOTIFS, draw_cards, draw_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Net
    from causalbench.task.construct.order import Order
    from causalbench.task.construct.rung3_scene import Pattern
    from causalbench.task.construct.shapes import Shape
    from causalbench.task.types import Decision

    Sides = tuple[dict[str, Coupling], dict[str, Coupling]]

__all__ = ["build"]

_COUNT = 48  # candidates of one shape
_CELLS = 512  # the most numbers of a core's joint law
_ROWS = 24  # the most rows of a table
_LEAST = 0.05  # the least probability in a table
_TREATED = ("ETT", "ETU")
_MEDIATED = ("NDE", "NIE")
_WITNESSED = ("path-specific", *_MEDIATED)
_FURTHERED = ("actual-cause", *_WITNESSED)
_FAR = (*_WITNESSED, "cross-world")
_PATHS = 0.5  # the least part of a table that a rule takes, for these
_WIDE = 0.9
_WIDEST: Mapping[str, float] = {
    "PNS": 0.45,
    "cross-world": 0.6,
    "path-specific": 0.6,
    "NDE": 0.55,
    "NIE": 0.55,
    "ETT": 0.8,
    "ETU": 0.8,
}
_FURTHER = "m9"  # the role of a mediator that is added
_ROLES, _PARENTS = 4, 4
_MANY = 3  # values of x, with which experiments leave open what those do who did otherwise


def build(rng: np.random.Generator, order: Order) -> Draft | None:
    """Draw a pair of a rung-3 form, or None where these shapes bear none.

    Args:
        rng: draws everything.
        order: what is wanted; gaps turn by its index.

    Raises:
        TooWideError: the courses of a unit make too large a table; another shape may not.
    """
    coupled = order.terms.coupled
    intent = order.terms.regime == "intent"
    if order.form == "best-redo":
        return _by_redo(rng, order)
    if order.form in _TREATED or intent:
        return None if coupled else _by_treatment(rng, order)
    if order.form in _MEDIATED and not coupled and order.index % 2 == 0:
        return _by_mediator(rng, order)
    return _by_coupling(rng, order)


def _by_coupling(rng: np.random.Generator, order: Order) -> Draft | None:
    """Give one mechanism two couplings."""
    batch = _drawn(rng, order)
    scene = None if batch is None else _scene(rng, batch, order.form)
    pattern = None if scene is None else PATTERNS[order.form](rng, scene)
    if batch is None or pattern is None:
        return None
    copies = Copies.of(batch.parents, pattern.courses, pattern.asked)
    stake = two_couplings_of(rng, batch, copies)
    if stake is None:
        return None
    name, couplings = stake
    # What comes of a change along a path must show at its end.
    batch = suited(rng, batch, name, _LEAST, _PATHS if order.form in _FAR else 0.0)
    wanted = Wanted.of(rng, order.index, _WIDEST.get(order.form, _WIDE))
    first, second = (joint_law(batch, each, copies, pattern.asked) for each in couplings)
    found = choose(rng, pattern, (first, second), batch, wanted)
    if found is None:
        return None
    place, cell = found
    named = named_roles(rng, batch.pick(place))
    query = pattern.write(Say(*named[1:]), cell)
    return _coupled(named, couplings, order, query=query)


def _by_redo(rng: np.random.Generator, order: Order) -> Draft | None:
    """Give one mechanism two couplings, on which it depends how best to redo a case."""
    batch = _drawn(rng, order)
    scene = None if batch is None else _scene(rng, batch, order.form)
    if batch is None or scene is None:
        return None
    done, seen = before(rng, scene)
    courses = {NATURAL: done, "then": {scene.x: 0}, "else": {scene.x: 1}}
    asked = [(name, NATURAL) for name in seen] + [(scene.y, "then"), (scene.y, "else")]
    stake = two_couplings_of(rng, batch, Copies.of(batch.parents, courses, asked))
    if stake is None:
        return None
    name, couplings = stake
    scene = replace(scene, batch=suited(rng, batch, name, _LEAST))
    found = draw_redo(rng, scene, couplings, (done, seen))
    if found is None:
        return None
    place, redo = found
    named = named_roles(rng, scene.batch.pick(place))
    decision = redo.decision(*named[1:])
    return None if decision is None else _coupled(named, couplings, order, decision=decision)


def _coupled(
    named: tuple[Net, Mapping[str, str], Labels],
    couplings: Sides,
    order: Order,
    *,
    query: str | None = None,
    decision: Decision | None = None,
) -> Draft:
    """Make a draft of a net and the couplings of its two worlds, by their roles."""
    net, roles, labels = named
    told = [
        {roles[name]: renamed(each, roles) for name, each in side.items()} for side in couplings
    ]
    sides = coupled_worlds((net, net), (told[0], told[1]), labels)
    if not order.terms.coupled:
        told = [{}, {}]
    return Draft(
        sides=sides,
        rung=3,
        construction="coupling",
        query=query,
        decision=decision,
        couplings=(told[0], told[1]),
    )


def _by_treatment(rng: np.random.Generator, order: Order) -> Draft | None:
    """Join x, of three values or more, and an effect of it by a hidden cause."""
    batch = _drawn(rng, order, many=True)
    if batch is None:
        return None
    edges = [
        (x, child)
        for child in batch.visible
        for x in batch.parents[child]
        if x not in batch.hidden and batch.cards[x] >= _MANY
    ]
    if not edges:
        return None
    x, child = draws.choice(rng, edges)
    later = [name for name in batch.visible if name in batch.descendants(child)]
    y = child if coin(rng, 0.85) else draws.choice(rng, later)
    scene = Scene(batch, x, y)
    a, b, *_ = (int(code) for code in draws.permutation(rng, batch.cards[x]))
    joined = Joined(x, child, "", (b, a) if order.form == "ETT" else (a, b))
    pattern = (
        treated_effect(scene, order.form, (a, b))
        if order.form in _TREATED
        else seen_choice(scene, b)
    )
    return _by_mixing(rng, order, batch, joined, pattern)


def _by_mediator(rng: np.random.Generator, order: Order) -> Draft | None:
    """Join a mediator and what it works on by a hidden cause."""
    batch = _drawn(rng, order, mixed=True)
    found = [] if batch is None else triples(batch)
    if batch is None or not found:
        return None
    x, m, y = draws.choice(rng, found)
    a, b, *_ = (int(code) for code in draws.permutation(rng, batch.cards[x]))
    joined = Joined(m, y, x, (a, b) if order.form == "NDE" else (b, a))
    return _by_mixing(rng, order, batch, joined, effect_of(order.form, (x, m, y), (a, b)))


def _by_mixing(
    rng: np.random.Generator,
    order: Order,
    batch: Batch,
    joined: Joined,
    pattern: Pattern,
) -> Draft | None:
    """Put a hidden cause into the worlds, and move what it does."""
    sides = mixed_sides(rng, batch, joined)
    if sides is None:
        return None
    copies = Copies.of(sides[0].parents, pattern.courses, pattern.asked)
    wanted = Wanted.of(rng, order.index, _WIDEST.get(order.form, _WIDE))
    first, second = (joint_law(side, {}, copies, pattern.asked) for side in sides)
    found = choose(rng, pattern, (first, second), sides[0], wanted)
    if found is None:
        return None
    place, cell = found
    nets = [side.pick(place) for side in sides]
    net, roles, labels = named_roles(rng, nets[0])
    moved = net.replace({roles[joined.last]: nets[1].cpts[joined.last]})
    told = {name: loosely(rng, net, name) for name in net.cards}
    return Draft(
        sides=coupled_worlds((net, moved), (told, told), labels),
        rung=3,
        construction="response-types",
        query=pattern.write(Say(roles, labels), cell),
        mixed=True,
    )


def _drawn(
    rng: np.random.Generator, order: Order, *, many: bool = False, mixed: bool = False
) -> Batch | None:
    """Draw candidates of one shape.

    Args:
        rng: draws them.
        order: says how many variables, and what form they are for.
        many: some variable that is a cause is to have three values or more.
        mixed: a hidden cause of a mediator and its effect will be added.
    """
    hides = any(name.startswith("u") for name in MOTIFS[order.motif])
    if order.terms.coupled and hides:
        return None  # a coupling cannot be named of what is hidden
    small = order.size == "small"
    visible = 3 + int(draws.integers(rng, 3)) if small else 5 + int(draws.integers(rng, 4))
    further = order.form in _FURTHERED and (coin(rng) or visible <= _ROLES)
    shape = draw_shape(rng, order.motif, visible - further, hidden=not order.terms.coupled)
    if further:
        shape = _with_mediator(rng, shape, caused=order.form in _WITNESSED and not mixed)
    most = 3 if order.form == "actual-cause" else 4
    cards = draw_cards(rng, list(shape), cells=_CELLS, most=most)
    causes = [n for above in shape.values() for n in above if not n.startswith("u")]
    if many and causes and all(cards[name] == 2 for name in causes):  # noqa: PLR2004
        cards[draws.choice(rng, causes)] = _MANY
    if any(math.prod(cards[cause] for cause in above) > _ROWS for above in shape.values()):
        return None
    count = _COUNT // 3 if order.form == "actual-cause" else _COUNT  # whose tables are large
    return draw_batch(rng, shape, cards, count, minimum=_LEAST)


def _with_mediator(rng: np.random.Generator, shape: Shape, *, caused: bool) -> Shape:
    """Add a way round an arrow, w -> e -> y beside w -> y, where w has a cause if it must."""
    seen = {name: [each for each in above if each[0] != "u"] for name, above in shape.items()}
    edges = [
        (w, y)
        for y in shape
        for w in seen[y]
        if len(shape[y]) < _PARENTS and (seen[w] or not caused)
    ]
    if not edges:
        return shape
    w, y = draws.choice(rng, edges)
    made: Shape = {}
    for name, above in shape.items():
        if name == y:
            made[_FURTHER] = (w,)
        made[name] = (*above, _FURTHER) if name == y else above
    return made


def _scene(rng: np.random.Generator, batch: Batch, form: str) -> Scene | None:
    """Draw a cause and what it reaches: the motif's own x and y, often, where these are such."""
    pairs = [
        (x, y) for y in batch.visible for x in batch.visible if x != y and x in batch.ancestors([y])
    ]
    if form == "actual-cause":
        pairs = [pair for pair in pairs if preempts(batch, *pair)]
    if not pairs:
        return None
    return Scene(
        batch, *(("x", "y") if ("x", "y") in pairs and coin(rng) else draws.choice(rng, pairs))
    )
