"""What a rung-2 decision may be made of, for many candidates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.lures_batch import READERS, Readings
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung2_spots import Target, identified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.graph import Diagram
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.order import Order
    from causalbench.task.construct.payoff import Event
    from causalbench.task.construct.rung2_sides import Sides

__all__ = ["Stage", "staged"]

_SET = 3  # the most variables that actions set
_SEEN = 0.4  # how often something is seen first


@dataclass(frozen=True, eq=False)
class Stage:
    """What a decision may be made of, for some candidates.

    Args:
        actions: (variable, code), or None for pass.
        events: what the utility may be of: the outcome's values first.
        goals: how many of the events are the outcome's.
        seen: what is observed first.
        weights: float64[candidate, o].
        worlds: for each side float64[candidate, o, action, event].
        said: for each side float64[candidate, reader, o, action, event]; none in a lab.
    """

    actions: tuple[Event | None, ...]
    events: tuple[Event, ...]
    goals: int
    seen: tuple[str, ...]
    weights: Floats
    worlds: tuple[Floats, Floats]
    said: tuple[Floats, ...]


def staged(
    rng: np.random.Generator, order: Order, sides: Sides, target: Target, kept: Sequence[int]
) -> Stage | None:
    """Choose what may be set and seen, and work out what follows, and what readers expect."""
    x, y = target.xs[0], target.y
    names = [name for name in sides.diagrams[0].nodes if name not in {x, y}]
    names = [names[int(place)] for place in draws.permutation(rng, len(names))]
    early = [n for n in names if not any(n in d.descendants([x]) for d in sides.diagrams)]
    seen = tuple(early[:1]) if early and coin(rng, _SEEN) else ()
    setters = [x]
    if not _settled(order, sides.diagrams, setters, y, seen):
        return None
    for name in names:
        late = all(name not in d.ancestors(seen) for d in sides.diagrams) if seen else True
        more = [*setters, name]
        if len(more) <= _SET and late and _settled(order, sides.diagrams, more, y, seen):
            setters = more
    base = sides.batches[0]
    actions: list[Event | None] = [None]
    actions += [(name, code) for name in setters for code in range(base.cards[name])]
    events = [(name, code) for name in (y, *setters) for code in range(base.cards[name])]
    worlds = [_after(batch.take(kept), setters, y, seen) for batch in sides.batches]
    said: list[Floats] = []
    law = Readings.of(base.take(kept))
    if order.drawn:
        said = [_expected(law, diagram, setters, y, seen) for diagram in sides.diagrams]
    weights = law.joint(seen).reshape(len(kept), -1)
    return Stage(
        tuple(actions),
        tuple(events),
        base.cards[y],
        seen,
        weights,
        (worlds[0], worlds[1]),
        tuple(said),
    )


def _settled(
    order: Order,
    diagrams: tuple[Diagram, Diagram],
    setters: Sequence[str],
    y: str,
    seen: tuple[str, ...],
) -> bool:
    """Say whether what is given settles all that the last variable brings in."""
    if order.terms.cell != "diagram":
        return True
    new = setters[-1]
    steps = [(new, y), *((new, name) for name in setters[:-1])]
    steps += [(name, new) for name in setters[:-1]]
    return all(
        identified(each, Target((cause,), effect, seen), order)
        for each in diagrams
        for cause, effect in steps
    )


def _after(batch: Batch, setters: Sequence[str], y: str, seen: tuple[str, ...]) -> Floats:
    """Return P(event after the action | what is seen), float64[candidate, o, action, event]."""
    names = (y, *setters)
    mass = batch.law(seen).reshape(len(batch), -1, 1, 1)
    rows = [_margins(batch, batch.law((*seen, *names)), names, mass.shape[1])[:, :, None]]
    for x in setters:
        cut = batch.replace({x: np.ones((len(batch), batch.cards[x]))}, {x: ()})
        for code in range(batch.cards[x]):
            rest = tuple(name for name in names if name != x)
            joint = cut.law((x, *seen, *rest))[:, code]
            own = _margins(batch, joint, rest, mass.shape[1])
            at = sum(batch.cards[name] for name in names[: names.index(x)])
            sure = mass[:, :, 0] * (np.arange(batch.cards[x]) == code)
            rows.append(np.concatenate([own[..., :at], sure, own[..., at:]], axis=-1)[:, :, None])
    return np.concatenate(rows, axis=2) / mass


def _margins(batch: Batch, joint: Floats, names: Sequence[str], rows: int) -> Floats:
    """Return P(o, each value of each name), float64[candidate, o, event]."""
    sizes = [batch.cards[name] for name in names]
    table = joint.reshape(len(joint), rows, *sizes)
    parts = [
        table.sum(axis=tuple(2 + other for other in range(len(names)) if other != place))
        for place in range(len(names))
    ]
    return np.concatenate(parts, axis=-1)


def _expected(
    law: Readings, diagram: Diagram, setters: Sequence[str], y: str, seen: tuple[str, ...]
) -> Floats:
    """Return what readers expect, float64[candidate, reader, o, action, event]."""
    names = (y, *setters)
    count = len(law.law)
    plain = np.concatenate([law.given(seen, name) for name in names], axis=-1)
    shape = (count, len(READERS), *plain.shape[1:])
    rows = [np.broadcast_to(plain[:, None], shape)]
    for x in setters:
        parts = {
            name: law.read(diagram, (x,), name, seen) for name in names if name != x
        }  # candidate, reader, x, o, value
        for code in range(law.cards[x]):
            own = np.broadcast_to(np.arange(law.cards[x]) == code, (*shape[:3], law.cards[x]))
            columns = [own if name == x else parts[name][:, :, code] for name in names]
            rows.append(np.concatenate(columns, axis=-1))
    return np.stack(rows, axis=3)
