"""What the types of rung-3 question ask: courses of one unit, events in them, and the words for it.

A pattern leaves values open. Its answers for all values, in all candidate worlds, come out of one
table; each cell of it is a question.

References:
    Pearl (2009), Causality, chapters 7 and 9: unit-level questions, PN, PS, PNS.
    Avin, Shpitser and Pearl (2005), Identifiability of path-specific effects: where a variable
    passes a change on and holds it back at once, experiments do not settle the effect.
    Halpern (2015), A modification of the Halpern-Pearl definition of causality.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.query.render import quote
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung3_worlds import NATURAL

if TYPE_CHECKING:
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.rung3_worlds import Courses

__all__ = ["MOST_HELD", "PATTERNS", "Pattern", "Say", "Scene", "between", "triples", "witnesses"]

_THEN, _ELSE = "then", "else"
_MOST_SEEN = 4  # facts in a condition
MOST_HELD = 3  # variables that a cause may be tested with held


@dataclass(frozen=True)
class Scene:
    """What a pattern is about.

    Args:
        batch: the candidate worlds.
        x: the cause.
        y: the outcome, which it reaches.
    """

    batch: Batch
    x: str
    y: str

    @property
    def others(self) -> list[str]:
        """The visible variables but the cause and the outcome."""
        return [name for name in self.batch.visible if name not in {self.x, self.y}]


@dataclass(frozen=True)
class Say:
    """Write the parts of a query with the names that roles were given."""

    roles: Mapping[str, str]
    labels: Labels

    def name(self, role: str) -> str:
        """Return the name as a query writes it."""
        return quote(self.roles[role])

    def atom(self, role: str, code: int, subscript: str = "", op: str = "=") -> str:
        """Return e.g. ``y[x=0]=1``."""
        return self.labels.atom(self.roles[role], code, subscript, op)

    def facts(self, roles: Sequence[str], codes: Sequence[int]) -> str:
        """Return e.g. ``x=0, y=1``."""
        return ", ".join(self.atom(*pair) for pair in zip(roles, codes, strict=True))

    def step(self, role: str, first: int, last: int) -> str:
        """Return e.g. ``x: 0 -> 1``."""
        values = self.labels.values[self.roles[role]]
        return f"{self.name(role)}: {quote(values[first])} -> {quote(values[last])}"


Cell = tuple[int, ...]
Read = Callable[["Floats", "Batch"], tuple["Floats", "Floats"]]


@dataclass(frozen=True)
class Pattern:
    """Questions that differ in values alone.

    Args:
        courses: what is set in which course; see `causalbench.task.construct.rung3_worlds`.
        asked: the (variable, course) pairs whose joint law it takes, an axis each.
        read: turns that law, and the worlds, into float64[candidate, *cells]: the answers, and the
            probabilities of what is conditioned on (0 where a cell is no question).
        write: writes the question of a cell.
        signed: whether answers may be negative.
    """

    courses: Courses
    asked: tuple[tuple[str, str], ...]
    read: Read
    write: Callable[[Say, Cell], str]
    signed: bool = False


Draw = Callable[["np.random.Generator", Scene], Pattern | None]


def between(batch: Batch, x: str, y: str) -> list[str]:
    """Return the visible variables that x reaches and that reach y."""
    above, below = batch.ancestors([y]), batch.descendants(x)
    return [name for name in batch.visible if name in above & below and name not in {x, y}]


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


def unit(rng: np.random.Generator, scene: Scene) -> Pattern | None:
    """Ask P(y[x=b]=v | some facts), x and y among them or not; at times a second one is set."""
    settings = {scene.x: _code(rng, scene, scene.x)}
    if scene.others and coin(rng, 0.2):
        other = draws.choice(rng, scene.others)
        settings[other] = _code(rng, scene, other)
    names = _mixed(rng, scene.batch.visible)
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
        value = _ratio(law, mass)
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

    asked = (*((name, NATURAL) for name in given), (scene.y, _THEN))
    return Pattern({NATURAL: {}, _THEN: settings}, asked, read, write)


def necessity(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask PN(x: a -> b; y=v)."""
    a = _code(rng, scene, scene.x)

    def write(say: Say, cell: Cell) -> str:
        return f"PN({say.step(scene.x, a, cell[0])}; {say.atom(scene.y, cell[1])})"

    return _undone(scene, a, (), write)


def but_for(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask P(y[x=b] != v | x=a, y=v, further facts)."""
    b = _code(rng, scene, scene.x)
    others = _mixed(rng, scene.others)
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
        return 1.0 - _ratio(_same(law, 2, law.ndim - 1), mass := _taken(law, code)), mass

    asked = ((scene.x, NATURAL), (scene.y, NATURAL), *((name, NATURAL) for name in facts))
    courses = {NATURAL: {}, _THEN: {scene.x: code}}
    return Pattern(courses, (*asked, (scene.y, _THEN)), read, write)


def sufficiency(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask PS(x: a -> b; y=v)."""
    b = _code(rng, scene, scene.x)

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        # law[., a, w, v]: all that was not v, and would be.
        total = law.sum(axis=2)
        mass = law.sum(axis=(2, 3))[..., None] - law.sum(axis=3)
        value = _ratio(total - _same(law, 2, 3), mass)
        mass = mass.copy()
        mass[:, b] = 0.0
        return value, mass

    def write(say: Say, cell: Cell) -> str:
        return f"PS({say.step(scene.x, cell[0], b)}; {say.atom(scene.y, cell[1])})"

    asked = ((scene.x, NATURAL), (scene.y, NATURAL), (scene.y, _THEN))
    return Pattern({NATURAL: {}, _THEN: {scene.x: b}}, asked, read, write)


def both(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask PNS(x: a -> b; y=v)."""
    a, b = _two_codes(rng, scene, scene.x)

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        value = law.sum(axis=1) - _same(law, 1, 2)
        return value, np.ones_like(value)

    def write(say: Say, cell: Cell) -> str:
        return f"PNS({say.step(scene.x, a, b)}; {say.atom(scene.y, cell[0])})"

    courses = {_ELSE: {scene.x: a}, _THEN: {scene.x: b}}
    return Pattern(courses, ((scene.y, _ELSE), (scene.y, _THEN)), read, write)


def cross_world(rng: np.random.Generator, scene: Scene) -> Pattern:
    """Ask P(y[x=a]=v, z[x=b]=w), z often being y; at times with a fact."""
    a, b = _two_codes(rng, scene, scene.x)
    later = [name for name in scene.others if name in scene.batch.descendants(scene.x)]
    z = draws.choice(rng, later) if later and coin(rng) else scene.y
    seen = tuple(_mixed(rng, scene.batch.visible)[:1]) if coin(rng, 0.3) else ()

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        mass = law.sum(axis=(-2, -1), keepdims=True)
        return _ratio(law, mass), np.broadcast_to(mass, law.shape)

    def write(say: Say, cell: Cell) -> str:
        *codes, v, w = cell
        first = say.atom(scene.y, v, say.atom(scene.x, a))
        second = say.atom(z, w, say.atom(scene.x, b))
        given = f" | {say.facts(seen, codes)}" if seen else ""
        return f"P({first}, {second}{given})"

    courses = {NATURAL: {}, _ELSE: {scene.x: a}, _THEN: {scene.x: b}}
    asked = (*((name, NATURAL) for name in seen), (scene.y, _ELSE), (z, _THEN))
    return Pattern(courses, asked, read, write)


def actual_cause(rng: np.random.Generator, scene: Scene) -> Pattern | None:
    """Ask AC(x: a -> b; y=v; all variables between | facts)."""
    held = between(scene.batch, scene.x, scene.y)
    if not 1 <= len(held) <= MOST_HELD:
        return None
    b = _code(rng, scene, scene.x)
    seen = tuple(_mixed(rng, scene.others)[: int(draws.integers(rng, 3))])
    courses: dict[str, dict[str, int | str]] = {NATURAL: {}}
    for size in range(len(held) + 1):
        for kept in combinations(held, size):
            courses[" ".join((_THEN, *kept))] = {scene.x: b, **dict.fromkeys(kept, NATURAL)}
    tests = len(courses) - 1

    def read(law: Floats, _batch: Batch) -> tuple[Floats, Floats]:
        # The last axes are y in every test; it is no cause where y stays in all of them.
        stays, mass = law, law.sum(axis=tuple(range(law.ndim - tests, law.ndim)))
        for _ in range(tests):
            stays = _same(stays, 2, stays.ndim - 1)
        mass = mass.copy()
        mass[:, b] = 0.0
        return 1.0 - _ratio(stays, mass), mass

    def write(say: Say, cell: Cell) -> str:
        step, event = say.step(scene.x, cell[0], b), say.atom(scene.y, cell[1])
        names = ", ".join(say.name(name) for name in held)
        given = f" | {say.facts(seen, cell[2:])}" if seen else ""
        return f"AC({step}; {event}; {names}{given})"

    asked = ((scene.x, NATURAL), (scene.y, NATURAL), *((name, NATURAL) for name in seen))
    asked += tuple((scene.y, course) for course in list(courses)[1:])
    return Pattern(courses, asked, read, write)


def path_specific(rng: np.random.Generator, scene: Scene) -> Pattern | None:
    """Ask for the effect of x along x -> w -> z -> ... -> y alone, or along w past z alone."""
    found = witnesses(scene.batch)
    if not found:
        return None
    x, w, z, y = draws.choice(rng, found)
    a, b = _two_codes(rng, scene, x)
    through = coin(rng)
    courses: dict[str, dict[str, int | str]] = {_ELSE: {x: a}, _THEN: {x: b}}
    if through:  # y[x=a, z=z[x=a, w=w[x=b]]]
        courses["passed"] = {x: a, w: _THEN}
        courses["last"] = {x: a, z: "passed"}
    else:  # y[x=a, w=w[x=b], z=z[x=a]]
        courses["last"] = {x: a, w: _THEN, z: _ELSE}

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
        return effect_of(name, (x, m, y), _two_codes(rng, scene, x))

    return draw


def effect_of(name: str, roles: tuple[str, str, str], codes: tuple[int, int]) -> Pattern:
    """Ask NDE(x: a -> b; y=v; m), or NIE, of some x, m and y."""
    (x, m, y), (a, b) = roles, codes
    own, through = (b, a) if name == "NDE" else (a, b)
    courses: dict[str, dict[str, int | str]] = {_ELSE: {x: through}, _THEN: {x: own, m: _ELSE}}

    def write(say: Say, cell: Cell) -> str:
        return f"{name}({say.step(x, a, b)}; {say.atom(y, cell[0])}; {say.name(m)})"

    return Pattern(courses, ((y, _THEN),), _less(y, {x: a}), write, signed=True)


def treated_effect(scene: Scene, name: str, codes: tuple[int, int]) -> Pattern:
    """Ask ETT(x: a -> b; y=v), or ETU."""
    a, b = codes
    group, other = (b, a) if name == "ETT" else (a, b)
    sign = -1.0 if name == "ETT" else 1.0

    def read(law: Floats, batch: Batch) -> tuple[Floats, Floats]:
        own, part = batch.law((scene.x, scene.y))[:, group], law[:, group]
        mass = np.broadcast_to(part.sum(axis=-1, keepdims=True), part.shape)
        return sign * _ratio(part - own, mass), mass

    def write(say: Say, cell: Cell) -> str:
        return f"{name}({say.step(scene.x, a, b)}; {say.atom(scene.y, cell[0])})"

    courses = {NATURAL: {}, _THEN: {scene.x: other}}
    asked = ((scene.x, NATURAL), (scene.y, _THEN))
    return Pattern(courses, asked, read, write, signed=True)


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


def _less(y: str, do: Mapping[str, int]) -> Read:
    """Return a reader of effects: the law less that of y under an intervention."""
    return lambda law, batch: (law - batch.law((y,), do), np.ones_like(law))


def _ratio(part: Floats, mass: Floats) -> Floats:
    return np.divide(part, mass, out=np.zeros(np.broadcast(part, mass).shape), where=mass > 0.0)


def _taken(law: Floats, code: int) -> Floats:
    """Return the law without its last axis; units whose x is what it would be set to are none."""
    mass: Floats = law.sum(axis=-1)
    mass[:, code] = 0.0
    return mass


def _same(law: Floats, first: int, second: int) -> Floats:
    """Keep where two axes have one value; the second goes."""
    result: Floats = np.moveaxis(law.diagonal(0, first, second), -1, first)
    return result


def _code(rng: np.random.Generator, scene: Scene, name: str) -> int:
    return int(draws.integers(rng, scene.batch.cards[name]))


def _two_codes(rng: np.random.Generator, scene: Scene, name: str) -> tuple[int, int]:
    first, second, *_ = draws.permutation(rng, scene.batch.cards[name])
    return int(first), int(second)


def _mixed(rng: np.random.Generator, names: Sequence[str]) -> list[str]:
    return [names[int(place)] for place in draws.permutation(rng, len(names))]
