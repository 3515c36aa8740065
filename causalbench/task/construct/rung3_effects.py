"""Effects of rung 3: on those who did otherwise, past a mediator, along one path of several.

References:
    Pearl (2001), Direct and indirect effects. Avin, Shpitser and Pearl (2005), Identifiability of
    path-specific effects: where a variable passes a change on and holds it back at once,
    experiments do not settle the effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung3_scene import ELSE, THEN, Pattern, ratio, two_codes
from causalbench.task.construct.rung3_worlds import NATURAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.rung3_scene import Cell, Draw, Read, Say, Scene

__all__ = [
    "effect_of",
    "natural_effect",
    "path_specific",
    "treated_effect",
    "triples",
    "witnesses",
]


def triples(batch: Batch) -> list[tuple[str, str, str]]:
    """Return (x, m, y) with x -> m -> y and x -> y, all visible."""
    return [
        (x, m, y)
        for y in batch.visible
        for m in batch.parents[y]
        for x in batch.parents[m]
        if x in batch.parents[y] and not {m, x} & batch.hidden
    ]


def witnesses(batch: Batch) -> list[tuple[str, str, str, str]]:
    """Return (x, w, z, y): x -> w -> z, from where y is reached, and from w also past z."""
    return [
        (x, w, z, y)
        for z in batch.visible
        for w in batch.parents[z]
        for x in batch.parents[w]
        if not {w, x} & batch.hidden
        for y in batch.visible
        if y != z and z in batch.ancestors([y]) and w in batch.ancestors([y], cut=[z])
    ]


def path_specific(rng: np.random.Generator, scene: Scene) -> Pattern | None:
    """Ask for the effect of x along x -> w -> z -> ... -> y alone, or along w past z alone."""
    found = witnesses(scene.batch)
    if not found:
        return None
    x, w, z, y = draws.choice(rng, found)
    a, b = two_codes(rng, scene, x)
    through = coin(rng)
    courses: dict[str, dict[str, int | str]] = {ELSE: {x: a}, THEN: {x: b}}
    if through:  # y[x=a, z=z[x=a, w=w[x=b]]]
        courses["passed"] = {x: a, w: THEN}
        courses["last"] = {x: a, z: "passed"}
    else:  # y[x=a, w=w[x=b], z=z[x=a]]
        courses["last"] = {x: a, w: THEN, z: ELSE}

    def write(say: Say, cell: Cell) -> str:
        was, now = say.atom(x, a), say.atom(x, b)
        moved = f"{say.name(w)}={say.name(w)}[{now}]"
        rest = f"{moved}, {say.name(z)}={say.name(z)}[{was}]"
        inner = f"{say.name(z)}={say.name(z)}[{was}, {moved}]" if through else rest
        after = say.atom(y, cell[0], f"{was}, {inner}")
        return f"P({after}) - P({say.atom(y, cell[0])} | do({was}))"

    return Pattern(courses, ((y, "last"),), _less(y, {x: a}), write, signed=True)


def natural_effect(name: str) -> Draw:
    """Return how NDE or NIE of x on y past or through a mediator is asked."""

    def draw(rng: np.random.Generator, scene: Scene) -> Pattern | None:
        found = [(x, z, y) for x, _, z, y in witnesses(scene.batch)]
        if not found:
            return None
        x, m, y = draws.choice(rng, found)
        return effect_of(name, (x, m, y), two_codes(rng, scene, x))

    return draw


def effect_of(name: str, roles: tuple[str, str, str], codes: tuple[int, int]) -> Pattern:
    """Ask NDE(x: a -> b; y=v; m), or NIE, of some x, m and y."""
    (x, m, y), (a, b) = roles, codes
    own, through = (b, a) if name == "NDE" else (a, b)
    courses: dict[str, dict[str, int | str]] = {ELSE: {x: through}, THEN: {x: own, m: ELSE}}

    def write(say: Say, cell: Cell) -> str:
        return f"{name}({say.step(x, a, b)}; {say.atom(y, cell[0])}; {say.name(m)})"

    return Pattern(courses, ((y, THEN),), _less(y, {x: a}), write, signed=True)


def treated_effect(scene: Scene, name: str, codes: tuple[int, int]) -> Pattern:
    """Ask ETT(x: a -> b; y=v), or ETU."""
    a, b = codes
    group, other = (b, a) if name == "ETT" else (a, b)
    sign = -1.0 if name == "ETT" else 1.0

    def read(law: Floats, batch: Batch) -> tuple[Floats, Floats]:
        own, part = batch.law((scene.x, scene.y))[:, group], law[:, group]
        mass = np.broadcast_to(part.sum(axis=-1, keepdims=True), part.shape)
        return sign * ratio(part - own, mass), mass

    def write(say: Say, cell: Cell) -> str:
        return f"{name}({say.step(scene.x, a, b)}; {say.atom(scene.y, cell[0])})"

    courses = {NATURAL: {}, THEN: {scene.x: other}}
    asked = ((scene.x, NATURAL), (scene.y, THEN))
    return Pattern(courses, asked, read, write, signed=True)


def _less(y: str, do: Mapping[str, int]) -> Read:
    """Return a reader of effects: the law less that of y under an intervention."""
    return lambda law, batch: (law - batch.law((y,), do), np.ones_like(law))
