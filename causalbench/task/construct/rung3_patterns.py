"""What the types of rung-3 question ask: courses of one unit, events in them, and the words for it.

A pattern leaves values open. Its answers for all values, in all candidate worlds, come out of one
table; each cell of it is a question.

References:
    Pearl (2009), Causality, chapters 7 and 9: unit-level questions, PN, PS, PNS. Halpern (2015), A
    modification of the Halpern-Pearl definition of causality.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung3_effects import natural_effect, path_specific
from causalbench.task.construct.rung3_scene import (
    ELSE,
    THEN,
    Pattern,
    one_code,
    ratio,
    shuffled,
    two_codes,
)
from causalbench.task.construct.rung3_worlds import NATURAL, Copies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.rung3_scene import Cell, Draw, Say, Scene

__all__ = ["PATTERNS", "preempts", "seen_choice"]

_MOST_SEEN = 4  # facts in a condition
_FOUND = 0.05  # how many causes, at the least, are found by holding variables alone
_MOST_HELD = 3  # variables that a cause may be tested with held


def between(batch: Batch, x: str, y: str) -> list[str]:
    """Return the visible variables that x reaches and that reach y."""
    above, below = batch.ancestors([y]), batch.descendants(x)
    return [name for name in batch.visible if name in above & below and name not in {x, y}]


def preempts(batch: Batch, x: str, y: str) -> bool:
    """Say whether holding a few variables between x and y may find causes that but-for misses."""
    held = between(batch, x, y)
    changed = {x, *held}
    met = any(len(changed.intersection(batch.parents[name])) > 1 for name in (*held, y))
    return met and 1 <= len(held) <= _MOST_HELD


def unit(rng: np.random.Generator, scene: Scene) -> Pattern | None:
    """Ask P(y[x=b]=v | some facts), x and y among them or not; at times a second one is set."""
    settings = {scene.x: one_code(rng, scene, scene.x)}
    if scene.others and coin(rng, 0.2):
        other = draws.choice(rng, scene.others)
        settings[other] = one_code(rng, scene, other)
    names = shuffled(rng, scene.batch.visible)
    count = 1 + int(draws.integers(rng, min(_MOST_SEEN, len(names))))
    given = names[:count]
    if scene.y not in given and coin(rng, 0.7):
        given[0] = scene.y
    return _unit(scene, settings, tuple(given))


def seen_choice(scene: Scene, code: int) -> Pattern:
    """Ask P(y[x=code]=v | x=a)."""
    return _unit(scene, {scene.x: code}, (scene.x,))


def _unit(scene: Scene, settings: Mapping[str, int], given: tuple[str, ...]) -> Pattern:
    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        mass = law.sum(axis=-1, keepdims=True)
        value = ratio(law, mass)
        if set(settings) <= set(given):  # else the action would be what happened anyway
            same = [slice(None)] * law.ndim
            for name, code in settings.items():
                same[1 + given.index(name)] = slice(code, code + 1)
            mass = mass.copy()
            mass[tuple(same)] = 0.0
        return value, np.broadcast_to(mass, law.shape)

    def write(say: Say, cell: Cell) -> str:
        done = ", ".join(say.atom(*pair) for pair in settings.items())
        return f"P({say.atom(scene.y, cell[-1], done)} | {say.facts(given, cell[:-1])})"

    asked = (*((name, NATURAL) for name in given), (scene.y, THEN))
    return Pattern({NATURAL: {}, THEN: settings}, asked, read, write)


def necessity(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask PN(x: a -> b; y=v)."""
    a = one_code(rng, scene, scene.x)

    def write(say: Say, cell: Cell) -> str:
        return f"PN({say.step(scene.x, a, cell[0])}; {say.atom(scene.y, cell[1])})"

    return _undone(scene, a, (), write)


def but_for(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask P(y[x=b] != v | x=a, y=v, further facts)."""
    b = one_code(rng, scene, scene.x)
    others = shuffled(rng, scene.others)
    facts = tuple(others[: 1 + int(draws.integers(rng, 2))])

    def write(say: Say, cell: Cell) -> str:
        x, y = scene.x, scene.y
        missed = say.atom(y, cell[1], say.atom(x, b), "!=")
        return f"P({missed} | {say.facts((x, y, *facts), cell)})"

    return _undone(scene, b, facts, write)


def _undone(
    scene: Scene, code: int, facts: tuple[str, ...], write: Callable[[Say, Cell], str]
) -> Pattern:
    """Ask for P(y[x=code] != v | x=a, y=v, facts), cells (a, v, facts)."""

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        return 1.0 - ratio(_same(law, 2, law.ndim - 1), mass := _taken(law, code)), mass

    asked = ((scene.x, NATURAL), (scene.y, NATURAL), *((name, NATURAL) for name in facts))
    courses = {NATURAL: {}, THEN: {scene.x: code}}
    return Pattern(courses, (*asked, (scene.y, THEN)), read, write)


def sufficiency(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask PS(x: a -> b; y=v)."""
    b = one_code(rng, scene, scene.x)

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        # law[., a, w, v]: all that was not v, and would be.
        total = law.sum(axis=2)
        mass = law.sum(axis=(2, 3))[..., None] - law.sum(axis=3)
        value = ratio(total - _same(law, 2, 3), mass)
        mass = mass.copy()
        mass[:, b] = 0.0
        return value, mass

    def write(say: Say, cell: Cell) -> str:
        return f"PS({say.step(scene.x, cell[0], b)}; {say.atom(scene.y, cell[1])})"

    asked = ((scene.x, NATURAL), (scene.y, NATURAL), (scene.y, THEN))
    return Pattern({NATURAL: {}, THEN: {scene.x: b}}, asked, read, write)


def both(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask PNS(x: a -> b; y=v)."""
    a, b = two_codes(rng, scene, scene.x)

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        value = law.sum(axis=1) - _same(law, 1, 2)
        return value, np.ones_like(value)

    def write(say: Say, cell: Cell) -> str:
        return f"PNS({say.step(scene.x, a, b)}; {say.atom(scene.y, cell[0])})"

    courses = {ELSE: {scene.x: a}, THEN: {scene.x: b}}
    return Pattern(courses, ((scene.y, ELSE), (scene.y, THEN)), read, write)


def cross_world(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask P(y[x=a]=v, z[x=b]=w), z often being y; at times with a fact."""
    a, b = two_codes(rng, scene, scene.x)
    later = [name for name in scene.others if name in scene.batch.descendants(scene.x)]
    z = draws.choice(rng, later) if later and coin(rng) else scene.y
    seen = tuple(shuffled(rng, scene.batch.visible)[:1]) if coin(rng, 0.3) else ()

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        mass = law.sum(axis=(-2, -1), keepdims=True)
        return ratio(law, mass), np.broadcast_to(mass, law.shape)

    def write(say: Say, cell: Cell) -> str:
        *codes, v, w = cell
        first = say.atom(scene.y, v, say.atom(scene.x, a))
        second = say.atom(z, w, say.atom(scene.x, b))
        given = f" | {say.facts(seen, codes)}" if seen else ""
        return f"P({first}, {second}{given})"

    courses = {NATURAL: {}, ELSE: {scene.x: a}, THEN: {scene.x: b}}
    asked = (*((name, NATURAL) for name in seen), (scene.y, ELSE), (z, THEN))
    return Pattern(courses, asked, read, write)


def actual_cause(rng: np.random.Generator, scene: Scene) -> Pattern | None:
    """Ask AC(x: a -> b; y=v; all variables between | facts), where it is more than but-for."""
    if not preempts(scene.batch, scene.x, scene.y):
        return None
    held = between(scene.batch, scene.x, scene.y)
    b = one_code(rng, scene, scene.x)
    seen = tuple(shuffled(rng, scene.others)[: int(draws.integers(rng, 3))])
    courses: dict[str, dict[str, int | str]] = {NATURAL: {}}
    for size in range(len(held) + 1):
        for kept in combinations(held, size):
            courses[" ".join((THEN, *kept))] = {scene.x: b, **dict.fromkeys(kept, NATURAL)}
    # Some tests are the same: with all that y hears of x held, y is what it was.
    copies = Copies.of(scene.batch.parents, courses, [])
    distinct = {copies.places[scene.y, course]: course for course in reversed(courses)}
    courses = {course: courses[course] for course in courses if course in distinct.values()}
    tests = len(courses) - 1

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        # The last axes are y in every test, with nothing held first; it is no cause where y stays
        # in all of them.
        mass = law.sum(axis=tuple(range(law.ndim - tests, law.ndim)))
        plain = law.sum(axis=tuple(range(law.ndim - tests + 1, law.ndim)))
        stays = law
        for _ in range(tests):
            stays = _same(stays, 2, stays.ndim - 1)
        found = _same(plain, 2, plain.ndim - 1) - stays
        asked_of = np.where(found >= _FOUND * mass, mass, 0.0)
        asked_of[:, b] = 0.0
        return 1.0 - ratio(stays, mass), asked_of

    def write(say: Say, cell: Cell) -> str:
        step, event = say.step(scene.x, cell[0], b), say.atom(scene.y, cell[1])
        names = ", ".join(say.name(name) for name in held)
        given = f" | {say.facts(seen, cell[2:])}" if seen else ""
        return f"AC({step}; {event}; {names}{given})"

    asked = ((scene.x, NATURAL), (scene.y, NATURAL), *((name, NATURAL) for name in seen))
    asked += tuple((scene.y, course) for course in list(courses)[1:])
    return Pattern(courses, asked, read, write)


PATTERNS: Mapping[str, Draw] = {
    "unit": unit,
    "PN": necessity,
    "PS": sufficiency,
    "PNS": both,
    "cross-world": cross_world,
    "but-for": but_for,
    "actual-cause": actual_cause,
    "path-specific": path_specific,
    "NDE": natural_effect("NDE"),
    "NIE": natural_effect("NIE"),
}
"""The forms that couplings answer differently -> how a pattern is drawn; None where none fits."""


def _taken(law: Floats, code: int) -> Floats:
    """Return the law without its last axis; units whose x is what it would be set to are none."""
    mass: Floats = law.sum(axis=-1)
    mass[:, code] = 0.0
    return mass


def _same(law: Floats, first: int, second: int) -> Floats:
    """Keep where two axes have one value; the second goes."""
    result: Floats = np.moveaxis(law.diagonal(0, first, second), -1, first)
    return result
