"""crouch-jump: crouching pays less than standing, and only a deep crouch clears the bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.rng import simplex
from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import SOURCE, between, draw_until, near, phrase
from causalbench.task.sequential.families.small import ROUNDING, Chain
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FAMILY"]

NAME = "crouch-jump"
TITLE = "An athlete must crouch, which pays less, to jump over the bar"
STORY = (
    "An athlete stands before a bar. The judges give a little for every moment of upright posture,"
    " nothing for a crouch, and much for a jump that clears the bar. Legs that have bent far enough"
    " nearly always clear it; from any less of a crouch a jump falls short. Whoever stands up or"
    " jumps has straight legs again."
)
STAND, CROUCH, JUMP = range(3)
CLEAR = 0.05  # how much more jumping pays than standing, at least


def _bend(crouches: int, before: int, move: int) -> int:
    """Return how far the legs are bent after a move."""
    return min(before + 1, crouches) if move == CROUCH else 0


def _chain(knobs: Mapping[str, Any], odds: Mapping[str, float]) -> Chain:
    deepest = knobs["crouches"]
    size = deepest + 1
    moves, pays = np.zeros((3, size, size)), np.zeros((3, size))
    for move, bend in np.ndindex(3, size):
        moves[move, bend, _bend(deepest, bend, move)] = 1.0
    pays[STAND] = odds["upright"]
    pays[JUMP, deepest] = odds["jump"]
    return Chain(moves, pays, knobs["horizon"])


def _accepted(knobs: Mapping[str, Any], odds: Mapping[str, float]) -> bool:
    """Tell whether those who look less far than a jump only stand, and those who look as far gain.

    Looking as far as all crouches and the jump must be enough for the best there is.
    """
    chain = _chain(knobs, odds)
    most = _most(knobs, odds)
    standing = chain.horizon * odds["upright"]
    short, enough = (chain.worth(chain.plan(knobs["crouches"] + more)) for more in (0, 1))
    best = chain.worth(chain.plan())
    return (
        abs(short - standing) <= ROUNDING
        and enough >= standing + CLEAR * most
        and enough >= best - CLEAR * most
    )


def _most(knobs: Mapping[str, Any], odds: Mapping[str, float]) -> float:
    """Return the most that an episode can pay: clear as often as can be, then stand."""
    jumps, left = divmod(knobs["horizon"], knobs["crouches"] + 1)
    return float(jumps + left * odds["upright"])


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    deepest = knobs["crouches"]

    def draw(rng: np.random.Generator) -> dict[str, float]:
        jump = between(rng, 0.8, 0.97)
        return {"jump": jump, "upright": near(knobs["pull"] * jump / (deepest + 1))}

    odds = draw_until(rng, draw, lambda drawn: _accepted(knobs, drawn), NAME)
    return _make(odds, simplex(rng, 3, 0.2), knobs)


def _make(
    odds: Mapping[str, float], usual: NDArray[np.float64], knobs: Mapping[str, Any]
) -> SequentialWorld:
    """Make the athlete.

    Args:
        odds: the chance to clear the bar, and what standing pays.
        usual: float64[3], how often the athlete of the log makes each move.
        knobs: as set.
    """
    deepest = knobs["crouches"]
    slices = Slices(knobs["horizon"])
    slices.add("move", "stand crouch jump").add("legs", [str(i) for i in range(deepest + 1)])
    slices.add("over", "no yes")
    slices.chance("move", "", lambda: usual)
    slices.rule("legs", "move", lambda _, move: _bend(deepest, 0, move), when="first")
    slices.rule(
        "legs", "legs_before move", lambda _, legs, move: _bend(deepest, legs, move), when="later"
    )
    slices.chance("over", "", lambda: 0.0, when="first")  # nobody has bent before the first step
    slices.chance(
        "over",
        "legs_before move",
        lambda legs, move: odds["jump"] if (legs, move) == (deepest, JUMP) else 0.0,
        when="later",
    )
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=SOURCE.format(NAME),
        story=STORY,
        play=Play(
            id="move",
            actions=("move=stand", "move=crouch", "move=jump"),
            observes=("move", "legs", "over"),
            reward=((odds["upright"], "move=stand"), (1.0, "over=yes")),
            returns=(0.0, _most(knobs, odds)),
        ),
        phases=(Phase(BASE, slices.process()),),
        phrases=_phrases(deepest),
        family=NAME,
        knobs=dict(knobs),
    )


def _phrases(deepest: int) -> dict[str, Phrase]:
    bends = ["straight", *(f"bent by {i} of {deepest}" for i in range(1, deepest + 1))]
    return {
        "move": Phrase(
            "the move",
            {
                "stand": "the athlete stands",
                "crouch": "the athlete crouches",
                "jump": "the athlete jumps",
            },
            {
                "stand": "you have the athlete stand",
                "crouch": "you have the athlete crouch",
                "jump": "you have the athlete jump",
            },
        ),
        "legs": phrase("the legs", **{str(i): f"the legs are {b}" for i, b in enumerate(bends)}),
        "over": phrase("the bar", no="the bar is not cleared", yes="the bar is cleared"),
    }


FAMILY = WorldFamily(
    name=NAME,
    env="CrouchJump",
    title=TITLE,
    about=(
        "A deceptive reward: every step towards the jump pays less than standing does. Whoever"
        " looks no farther than the crouches never bends, and exploring at random rarely bends far"
        " enough; the longer the crouch, the rarer."
    ),
    knobs={
        "crouches": Knob(1, 8, "steps of crouching before a jump clears the bar"),
        "horizon": Knob(4, 60, "steps of an episode"),
        "pull": Knob(0.1, 0.85, "standing pays as much of what jumping does", whole=False),
    },
    levels={
        "easy": {"crouches": 1, "horizon": 6, "pull": 0.375},
        "medium": {"crouches": 2, "horizon": 9, "pull": 0.5},
        "hard": {"crouches": 4, "horizon": 15, "pull": 0.625},
    },
    build=_build,
    shifted={"crouches": 6, "horizon": 21, "pull": 0.75},
)
