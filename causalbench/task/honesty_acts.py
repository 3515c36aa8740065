"""Honesty items of rung 2 to act on: the best action is one that the lab does not let one try.

The decision offers to set x or z, and the lab lets one set z and something else, but not x. Where
the diagram is told, it may say what x does all the same: from what experiments on z show, or from
watching. Else x has a hidden cause in common with the goal, and the worlds that agree with all that
can be found out disagree on the best action. Without a diagram an effect is known if it can be
tried.

Reference:
    Bareinboim and Pearl (2012), Causal inference by surrogate experiments: z-identifiability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.generate import named_roles
from causalbench.task.construct.motifs import draw_net
from causalbench.task.construct.net import coin
from causalbench.task.honesty_effects import hide_cause
from causalbench.task.honesty_items import WIDTH, Asked, Sketch
from causalbench.task.types import Decision
from causalbench.truth import Knowledge

if TYPE_CHECKING:
    import numpy as np

    from causalbench.task.construct.net import Net
    from causalbench.task.construct.shapes import Shape

__all__ = ["act_sketch", "untried_act"]

_CLEAR = 0.05  # by which the best action is better than any on the other variable, or at all
_SHAPES = ("surrogate", "back-door", "instrument")


def act_sketch(rng: np.random.Generator, number: int) -> Sketch:
    """Draw what an open and a settled decision have in common; every other shows the diagram."""
    picks = tuple(float(pick) for pick in draws.uniforms(rng, 3))
    drawn = number % 2 == 0
    motif = _SHAPES[number // 2 % len(_SHAPES)] if drawn else "free"
    return Sketch("best-action", motif, 4 if drawn else 3, number, picks)


def untried_act(rng: np.random.Generator, sketch: Sketch, *, still_open: bool) -> Asked | None:
    """Draw a world and a decision between the values of two variables."""
    drawn = sketch.motif != "free"
    if drawn:
        shape = _shape(rng, sketch.motif, still_open=still_open)
    else:
        # Two of three variables may be set: both that the decision is about, or not.
        shape = {"z": (), "x": ("z",) if coin(rng) else (), "y": ("x", "z")}
        shape = hide_cause(rng, shape, ("x", "y"))
    cards = dict.fromkeys(shape, 2) | {"x": 2 + (drawn and sketch.code(0, 2))}
    net, roles, labels = named_roles(rng, draw_net(rng, shape, cards=cards, minimum=0.02))
    x, z, y = roles["x"], roles["z"], roles["y"]
    goal = sketch.code(1, 2)
    if not _worth_asking(net, x, z, y, goal, still_open=still_open):
        return None
    offered = [(name, code) for name in (x, z) for code in range(net.cards[name])]
    offered = [offered[int(place)] for place in draws.permutation(rng, len(offered))]
    settable = (z, roles["w"]) if drawn else (z, y if still_open else x)
    shown = "diagram" if drawn else "none"
    return Asked(
        world_of(functions_of(net), net, labels.values),
        Knowledge("do", shown, manipulable=tuple(sorted(settable))),  # type: ignore[arg-type]
        decision=Decision(
            id="act",
            mode="act",
            actions=tuple(labels.atom(*each) for each in offered),
            utility=((1.0, labels.atom(y, goal)),),
        ),
    )


def _shape(rng: np.random.Generator, motif: str, *, still_open: bool) -> Shape:
    """Return a shape in which experiments on z, or watching, say what x does to y, or do not."""
    if motif == "back-door":
        shape: Shape = {"z": (), "x": ("z",), "y": ("x", "z")}
        shape = hide_cause(rng, shape, ("x", "y") if still_open else ("z", "x"))
    else:
        # z hides what x and y have in common with it; setting z leaves x -> y alone.
        shape = {"z": (), "x": ("z",), "y": ("x",)}
        if still_open:
            shape = hide_cause(rng, shape, ("x", "y"))
        elif motif == "surrogate":
            shape = hide_cause(rng, hide_cause(rng, shape, ("z", "x")), ("z", "y"))
        else:
            shape = hide_cause(rng, shape, ("z", "y"))
    if coin(rng):
        return {**shape, "w": (draws.choice(rng, ("x", "y", "z")),)}
    child = draws.choice(rng, ("x", "y"))
    return {"w": (), **{k: (*v, "w") if k == child else v for k, v in shape.items()}}


def _worth_asking(net: Net, x: str, z: str, y: str, goal: int, *, still_open: bool) -> bool:
    """Say whether one action is best, and by enough; where that stays open, one that sets x."""
    worth = {
        name: sorted(float(net.law((y,), {name: code})[goal]) for code in range(net.cards[name]))
        for name in (x, z)
    }
    both = sorted([*worth[x], *worth[z]])
    if still_open:
        return round(worth[x][-1] - worth[z][-1], 9) >= _CLEAR
    return round(both[-1] - both[-2], 9) >= _CLEAR and round(both[-1] - both[0], 9) >= WIDTH
