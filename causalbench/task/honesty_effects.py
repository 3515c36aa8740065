"""Honesty items of rung 2: effects that a diagram and watching settle or not, and watching alone.

With a diagram: a shape of the literature with one hidden cause more, which on some places leaves
the effect asked identified and on others does not. Without one, in a lab that may only watch,
nothing is settled but what consistency gives: had x been set to 1, units in which x was 1 would be
as they are. "x is not 0" says that x was 1 where x has two values, and leaves it open where it has
three.

Reference:
    Pearl, Causality (2nd edition), chapters 3 and 8; Balke and Pearl (1997), Bounds on treatment
    effects from studies with imperfect compliance; Manski (1990), Nonparametric bounds on
    treatment effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causalbench import rng as draws
from causalbench.query import parse
from causalbench.task.construct.asks import EVIDENCE, WRONG
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.generate import named_roles
from causalbench.task.construct.motifs import draw_net
from causalbench.task.construct.shapes import draw_cards, draw_shape
from causalbench.task.honesty_items import Asked, Sketch
from causalbench.truth import Knowledge, truth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.net import Net
    from causalbench.task.construct.shapes import Shape

__all__ = [
    "drawn_effect",
    "drawn_sketch",
    "hide_cause",
    "one_cause_each",
    "watched_sketch",
    "watched_unit",
]

_TURNS = (
    ("interventional", "back-door"),
    ("ATE", "front-door"),
    ("conditional-interventional", "free"),
    ("CDE", "confounded-mediation"),
    ("interventional", "instrument"),
    ("ATE", "M"),
    ("conditional-interventional", "back-door"),
    ("CDE", "napkin"),
    ("interventional", "napkin"),
    ("ATE", "free"),
    ("conditional-interventional", "front-door"),
    ("CDE", "M"),
    ("interventional", "M"),
    ("ATE", "instrument"),
    ("conditional-interventional", "free"),
    ("CDE", "front-door"),
)
"""Which type of question is asked of which shape: those that leave both verdicts common enough."""
_SLIGHT = frozenset({"confounded-mediation", "napkin"})  # where what watching adds is little
_NEAR = 1e-6  # far more than rounding
_CELLS = 512  # of the joint law that a dossier writes out
_MOST = 3  # values of a variable
_SEES = Knowledge("see", "diagram")
_WATCHES = Knowledge("see", "none")


def drawn_sketch(rng: np.random.Generator, number: int) -> Sketch:
    """Draw what an open and a settled effect have in common; forms and motifs take turns."""
    visible = 4 + int(draws.integers(rng, 2)) + 2 * (number % 3 == 2)  # noqa: PLR2004
    picks = tuple(float(pick) for pick in draws.uniforms(rng, 6))
    form, motif = _TURNS[number % len(_TURNS)]
    return Sketch(form, motif, visible, number, picks)


def drawn_effect(rng: np.random.Generator, sketch: Sketch, *, still_open: bool) -> Asked | None:
    """Draw a world with a diagram to be shown, and ask for an effect in it.

    Watching is wrong by more than 0.05, so that an item is settled by the diagram and not by there
    being nothing to settle; but for two shapes in which it rarely is.
    """
    shape = draw_shape(rng, sketch.motif, sketch.visible, hidden=False)
    # Both verdicts hide one cause more: none hidden would say that all is settled.
    shape = hide_cause(rng, shape)
    if still_open:
        shape = one_cause_each(shape)
    x, y = _ends(rng, shape, sketch, still_open=still_open)
    names = list(shape)
    cards = draw_cards(rng, names, cells=_CELLS, most=_MOST)
    cards |= {x: 2 + sketch.code(0, 2), y: 2 + sketch.code(1, 2)}
    net, roles, labels = named_roles(rng, draw_net(rng, shape, cards=cards))
    asked = _effect(rng, net, roles[x], roles[y], labels, sketch)
    if asked is None:
        return None
    # Most are misread too little. The tables tell so before a world is made of them; near the
    # limit the exact engine has the last word.
    small = sketch.motif not in _SLIGHT
    if small and _misread(net, asked) < WRONG - _NEAR:
        return None
    world = world_of(functions_of(net), net, labels.values)
    if small:
        answer = truth(world, parse(asked.query, world.vocabulary))
        misread = abs(float(answer.value) - float(answer.readings["see"]))
        if round(misread, 9) <= WRONG:
            return None
    return Asked(world, _SEES, asked.query)


def watched_sketch(rng: np.random.Generator, number: int) -> Sketch:
    """Draw what an open and a settled question to one who may only watch have in common."""
    visible = 3 + int(draws.integers(rng, 3)) + (number % 3 == 2)  # noqa: PLR2004
    picks = tuple(float(pick) for pick in draws.uniforms(rng, 5))
    return Sketch("unit", "free", visible, number, picks)


def watched_unit(rng: np.random.Generator, sketch: Sketch, *, still_open: bool) -> Asked | None:
    """Ask what y would be, had x been set, in units of which little is told.

    "x is not 0" is all that is told of x: where x has two values it says which one.
    """
    shape = hide_cause(rng, draw_shape(rng, sketch.motif, sketch.visible))
    pair = _related(rng, shape)
    if pair is None:
        return None
    x, y = pair
    card = 3 if still_open else 2
    cards = draw_cards(rng, list(shape), cells=_CELLS, most=_MOST)
    cards |= {x: card, y: 2 + sketch.code(3, 2)}
    net, roles, labels = named_roles(rng, draw_net(rng, shape, cards=cards, minimum=0.1))
    x, y = roles[x], roles[y]
    value, other = sketch.two(0, 2)
    told = labels.atom(x, other, op="!=")
    then = labels.atom(y, sketch.code(2, net.cards[y]), labels.atom(x, value))
    rest = [name for name in net.visible if name not in {x, y}]
    joint = sketch.number % 2 == 0
    if joint:
        query = f"P({then}, {told})"
    else:
        seen = draws.choice(rng, rest)
        fact = labels.atom(seen, sketch.code(4, 2))
        query = f"P({then} | {told}, {fact})"
    return Asked(world_of(functions_of(net), net, labels.values), _WATCHES, query)


def hide_cause(rng: np.random.Generator, shape: Shape, ends: Sequence[str] | None = None) -> Shape:
    """Give two visible variables one more hidden cause.

    Args:
        rng: draws them.
        shape: variable -> parents, parents first.
        ends: the two; None draws them.
    """
    name = next(each for each in ("u", "u1", "u2", "u3", "u4") if each not in shape)
    seen = [each for each in shape if not each.startswith("u")]
    chosen = ends or [seen[int(place)] for place in draws.permutation(rng, len(seen))[:2]]
    rest = {each: (*above, name) if each in chosen else above for each, above in shape.items()}
    return {name: (), **rest}


def one_cause_each(shape: Shape) -> Shape:
    """Give variables that hidden causes tie together, near or far, one hidden cause of them all.

    Then the programs that bound an effect are exact.
    """
    children = {
        name: {child for child, above in shape.items() if name in above}
        for name in shape
        if name.startswith("u")
    }
    tied: list[set[str]] = []
    for held in children.values():
        apart = [each for each in tied if not each & held]
        tied = [*apart, set(held).union(*(each for each in tied if each & held))]
    causes = {("u" if not place else f"u{place}"): held for place, held in enumerate(tied)}
    made: Shape = dict.fromkeys(causes, ())
    for name, above in shape.items():
        if not name.startswith("u"):
            own = tuple(parent for parent in above if not parent.startswith("u"))
            made[name] = (*own, *(cause for cause, held in causes.items() if name in held))
    return made


def _ends(
    rng: np.random.Generator, shape: Shape, sketch: Sketch, *, still_open: bool
) -> tuple[str, str]:
    """Return the cause and the outcome asked."""
    if sketch.motif == "free":
        found = _related(rng, shape)
        return found or ("e0", "e1")  # one that is no cause has nothing that watching misreads
    # What an instrument does is settled, what it stands for is not.
    if sketch.motif == "instrument" and not still_open:
        return "z", draws.choice(rng, ("x", "y"))
    return "x", "y"


def _related(rng: np.random.Generator, shape: Shape) -> tuple[str, str] | None:
    """Draw a visible variable and one of its effects, near or far."""
    above: dict[str, set[str]] = {}
    for name, parents in shape.items():
        above[name] = set(parents).union(*(above[parent] for parent in parents))
    pairs = [
        (cause, name)
        for name in shape
        for cause in shape
        if not name.startswith("u") and not cause.startswith("u") and cause in above[name]
    ]
    return draws.choice(rng, pairs) if pairs else None


class _Effect(NamedTuple):
    """An effect that is asked for.

    Attributes:
        query: its text.
        outcome: a variable and its code.
        acts: what is set, variable -> code, each with its sign in the difference.
        given: what is seen, variable -> code.
    """

    query: str
    outcome: tuple[str, int]
    acts: tuple[tuple[int, Mapping[str, int]], ...]
    given: Mapping[str, int]


def _misread(net: Net, asked: _Effect) -> float:
    """Return how far what watching says lies from the effect."""
    off = 0.0
    for sign, acts in asked.acts:
        seen = {**acts, **asked.given}
        off += sign * (
            _chance(net, asked.outcome, asked.given, acts) - _chance(net, asked.outcome, seen, {})
        )
    return abs(off)


def _chance(
    net: Net, outcome: tuple[str, int], given: Mapping[str, int], do: Mapping[str, int]
) -> float:
    """Return P(outcome | do, given)."""
    row = net.law((*given, outcome[0]), do)[tuple(given.values())]
    return float(row[outcome[1]] / row.sum())


def _effect(
    rng: np.random.Generator, net: Net, x: str, y: str, labels: Labels, sketch: Sketch
) -> _Effect | None:
    """Write the question of the sketch's form about two variables, or None."""
    first, second = sketch.two(2, net.cards[x])
    goal = y, sketch.code(4, net.cards[y])
    outcome = labels.atom(*goal)
    act, instead = labels.atom(x, first), labels.atom(x, second)
    if sketch.form == "interventional":
        return _Effect(f"P({outcome} | do({act}))", goal, ((1, {x: first}),), {})
    if sketch.form == "ATE":
        text = f"P({outcome} | do({instead})) - P({outcome} | do({act}))"
        return _Effect(text, goal, ((1, {x: second}), (-1, {x: first})), {})
    kept = (
        [name for name in net.visible if name not in net.descendants(x) | {y}]
        if sketch.form == "conditional-interventional"
        else [name for name in net.visible if name in net.ancestors([y]) and name not in {x, y}]
    )
    if not kept:
        return None
    third = draws.choice(rng, kept)
    code = sketch.code(5, 2)
    fact = labels.atom(third, code)
    if sketch.form == "conditional-interventional":
        if round(float(net.law((third,))[code]), 9) < EVIDENCE:
            return None
        text = f"P({outcome} | do({act}), {fact})"
        return _Effect(text, goal, ((1, {x: first}),), {third: code})
    text = f"P({outcome} | do({instead}, {fact})) - P({outcome} | do({act}, {fact}))"
    return _Effect(text, goal, ((1, {x: second, third: code}), (-1, {x: first, third: code})), {})
