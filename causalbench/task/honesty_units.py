"""Honesty items of rung 3: what experiments, with a diagram or without, say of the same unit.

Open and settled items differ in what is told or shown, not in the question: which effect is told to
be monotone; whether x has two values (what experiments do not show of one group follows from the
other) or three; whether what was seen of the unit comes before x or after it; whether mediator and
outcome have a hidden cause in common.

Reference:
    Pearl, Causality (2nd edition), chapters 7 and 9; Tian and Pearl (2000), Probabilities of
    causation; Shpitser and Pearl (2007), What counterfactuals can be tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.query.render import quote
from causalbench.task.construct.asks import EVIDENCE
from causalbench.task.construct.coupling import recouple, two_couplings
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.generate import named_roles
from causalbench.task.construct.motifs import draw_net
from causalbench.task.construct.net import coin
from causalbench.task.honesty_effects import hide_cause, one_cause_each
from causalbench.task.honesty_items import Asked, Sketch
from causalbench.truth import Knowledge

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.net import Net
    from causalbench.task.construct.shapes import Shape

__all__ = ["drawn_unit", "drawn_unit_sketch", "tried_unit", "tried_unit_sketch"]

_CAUSES = ("PN", "PS", "PNS")
_DRAWN = ("PN", "ETT", "unit", "NDE", "PS", "unit", "PNS", "NIE")
_TRIED = ("PN", "ETT", "unit", "PS", "unit", "PNS", "ETT", "unit")
_CONFOUNDED = 0.5
_SMALL = 3


def drawn_unit_sketch(rng: np.random.Generator, number: int) -> Sketch:
    """Draw what an open and a settled question have in common, diagram and experiments given."""
    form = _DRAWN[number % len(_DRAWN)]
    motif = {"NDE": "mediation", "NIE": "mediation", "unit": "free"}.get(form, "back-door")
    visible = _SMALL + int(draws.integers(rng, 3)) + _SMALL * (number % 3 == 2)  # noqa: PLR2004
    return Sketch(form, motif, visible, number, _picks(rng))


def tried_unit_sketch(rng: np.random.Generator, number: int) -> Sketch:
    """Draw what an open and a settled question have in common in a lab; its worlds are small.

    Sharp bounds without a diagram are known for up to three visible variables.
    """
    return Sketch(_TRIED[number % len(_TRIED)], "free", _SMALL, number, _picks(rng))


def drawn_unit(rng: np.random.Generator, sketch: Sketch, *, still_open: bool) -> Asked | None:
    """Draw a world with a diagram to be shown, and ask about one unit of it."""
    shape = _core(rng, sketch, still_open=still_open)
    shape = _larger(rng, shape, sketch.visible)
    if still_open:
        shape = one_cause_each(shape)
    return _asked(rng, shape, sketch, "diagram", still_open=still_open)


def tried_unit(rng: np.random.Generator, sketch: Sketch, *, still_open: bool) -> Asked | None:
    """Draw a world of three visible variables without a diagram, and ask about one unit of it."""
    shape = _core(rng, sketch, still_open=still_open)
    if coin(rng, _CONFOUNDED):
        shape = hide_cause(rng, shape)
    return _asked(rng, shape, sketch, "none", still_open=still_open)


def _picks(rng: np.random.Generator) -> tuple[float, ...]:
    return tuple(float(pick) for pick in draws.uniforms(rng, 6))


def _core(rng: np.random.Generator, sketch: Sketch, *, still_open: bool) -> Shape:
    """Return x, y and a third variable, z or m, as the question and the verdict need them."""
    if sketch.form in {"NDE", "NIE"}:
        shape: Shape = {"x": (), "m": ("x",), "y": ("x", "m")}
        ends = ("m", "y") if still_open else draws.choice(rng, (("x", "m"), ("x", "y")))
        return hide_cause(rng, shape, ends)
    if sketch.form == "unit" and still_open:
        # What is seen comes after x: between x and y, or after both.
        if coin(rng):
            return {"x": (), "z": ("x",), "y": ("x", "z")}
        return {"x": (), "y": ("x",), "z": ("y", "x") if coin(rng) else ("y",)}
    if sketch.form == "ETT" and (still_open or coin(rng)):
        return hide_cause(rng, {"z": (), "x": ("z",), "y": ("x", "z")}, ("x", "y"))
    return {"z": (), "x": ("z",) if coin(rng) else (), "y": ("x", "z")}


def _larger(rng: np.random.Generator, shape: Shape, visible: int) -> Shape:
    """Add variables that the others cause, or that cause one of them."""
    made = dict(shape)
    number = 0
    while sum(not name.startswith("u") for name in made) < visible:
        name = f"e{number}"
        number += 1
        seen = [each for each in made if not each.startswith("u")]
        other = draws.choice(rng, seen)
        if coin(rng):
            made[name] = (other,)
        else:
            made = {name: (), **{k: (*v, name) if k == other else v for k, v in made.items()}}
    return made


def _asked(
    rng: np.random.Generator, shape: Shape, sketch: Sketch, shown: str, *, still_open: bool
) -> Asked | None:
    """Draw the tables and couplings, and write the question."""
    cards = dict.fromkeys(shape, 2)
    if sketch.form == "ETT":
        # Of three values none follows from the others, but a diagram may say that x is as if set.
        plain = shown == "diagram" and not any(name.startswith("u") for name in shape)
        cards["x"] = 3 if still_open or plain else 2
    net, roles, labels = named_roles(rng, draw_net(rng, shape, cards=cards, minimum=0.1))
    x, y = roles["x"], roles["y"]
    told: tuple[str, ...] = ()
    if sketch.form in _CAUSES:
        net = _rising(_rising(net, y, x), y, roles["z"])
        cause = roles["z"] if still_open else x
        told = (f"monotone: {cause} -> {y}",)
        world = world_of(functions_of(net), net, labels.values)
    else:
        world = _coupled(rng, net, x, y, labels)
    third = roles.get("z") or roles["m"]
    query = _question(net, x, y, third, labels, sketch)
    if query is None:
        return None
    return Asked(world, Knowledge("do", shown, told), query)  # type: ignore[arg-type]


def _rising(net: Net, name: str, parent: str) -> Net:
    """Sort a table of two values so that raising the parent makes the second more probable.

    With one uniform number deciding at every setting of the parents, no unit falls then.
    """
    axis = net.parents[name].index(parent)
    table = np.sort(net.cpts[name][..., 1], axis=axis)
    return net.replace({name: np.stack([1.0 - table, table], axis=-1)})


def _coupled(rng: np.random.Generator, net: Net, x: str, y: str, labels: Labels) -> SCM:
    """Return the world with some coupling of y, which is what a diagram and experiments hide."""
    sides, _ = recouple(rng, net, y, two_couplings(rng, net, y, toward=x))
    return world_of(sides[int(draws.integers(rng, 2))], net, labels.values)


def _question(net: Net, x: str, y: str, z: str, labels: Labels, sketch: Sketch) -> str | None:
    """Write the sketch's question; None where what it takes as seen is too rare."""
    first, second = sketch.two(0, 2)
    outcome = sketch.code(2, 2)
    change = f"{quote(x)}: {quote(str(first))} -> {quote(str(second))}"
    if sketch.form in _CAUSES:
        return f"{sketch.form}({change}; {labels.atom(y, outcome)})"
    if sketch.form in {"NDE", "NIE"}:
        return f"{sketch.form}({change}; {labels.atom(y, outcome)}; {quote(z)})"
    then = labels.atom(y, outcome, labels.atom(x, second))
    if sketch.form == "ETT":
        fact = labels.atom(x, first)
        return f"P({then} | {fact}) - P({labels.atom(y, outcome)} | {fact})"
    seen = sketch.code(3, 2)
    if round(float(net.law((x, z))[first, seen]), 9) < EVIDENCE:
        return None
    return f"P({then} | {labels.atom(x, first)}, {labels.atom(z, seen)})"
