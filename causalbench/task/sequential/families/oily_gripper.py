"""oily-gripper: one mechanism shifts, and no variable's frequency tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.rng import integers
from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import (
    GAP,
    between,
    draw_until,
    kept,
    near,
    phrase,
)
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY"]

NAME = "oily-gripper"
TITLE = "A gripper whose parts come dry, then oily"
STORY = (
    "A gripper picks parts from a belt, softly, firmly or hard. Heavy parts come in runs and cannot"
    " be told from light ones; whoever works the gripper feels the weight and squeezes accordingly."
    " Dry parts stick to a soft grip and spring out of a tighter one. When oil gets onto the belt"
    " they slide out of a soft grip, and a tighter one holds them. Worked as before, the gripper"
    " holds as many parts as before and crushes as many: only what goes with what has changed."
)
SOFT, FIRM, HARD = range(3)
PART = 32  # the behaviour's probabilities are multiples of 1/32, so that all products stay exact


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    play = Play(
        "grip",
        ("squeeze=soft", "squeeze=firm", "squeeze=hard"),
        ("squeeze", "grip", "crushed"),
        ((1.0, "grip=held"), (-knobs["crush"], "crushed=yes")),
    )

    def holds(phases: tuple[Process, Process]) -> bool:
        dry, oily = phases
        stale, best = kept(dry, oily, play)
        fresh, first = kept(oily, dry, play)
        return best - stale >= GAP and first - fresh >= GAP

    dry, oily = draw_until(rng, lambda rng: _phases(rng, knobs), holds, NAME)
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source="causalbench",
        story=STORY,
        play=play,
        phases=(Phase("dry", dry), Phase("oily", oily)),
        phrases=PHRASES,
        family=NAME,
        knobs=dict(knobs),
    )


def _phases(rng: np.random.Generator, knobs: Mapping[str, Any]) -> tuple[Process, Process]:
    """Draw the dry phase and the oily one, which differ in the mechanism of the grip alone.

    At each weight a soft grip comes to hold less by (1 - s) c, and the others more by s c, where s
    is how often the gripper is worked softly: so the share of parts held stays what it was.
    """
    # How often a part is squeezed (softly, firmly, hard): light parts, heavy parts.
    used = (_usual(rng, 14, 8), _usual(rng, 8, 10))
    dry = tuple(
        (between(rng, low, low + 0.08), between(rng, 0.45, 0.55), between(rng, 0.4, 0.5))
        for low in (0.88, 0.84)
    )
    turns = [(24 + int(integers(rng, 3))) / PART, (19 + int(integers(rng, 3))) / PART]
    oily = tuple(
        (soft - (1 - s[SOFT]) * turn, firm + s[SOFT] * turn, hard + s[SOFT] * turn)
        for (soft, firm, hard), s, turn in zip(dry, used, turns, strict=True)
    )
    crushed = (between(rng, 0.01, 0.04), between(rng, 0.08, 0.14), between(rng, 0.3, 0.4))
    heavy, lasts = between(rng, 0.3, 0.6), knobs["sticky"]

    def process(held: tuple[tuple[float, ...], ...]) -> Process:
        slices = Slices(knobs["grips"])
        slices.add("weight", "light heavy", hidden=True).add("squeeze", "soft firm hard")
        slices.add("grip", "slipped held").add("crushed", "no yes")
        slices.chance("weight", "", lambda: heavy, when="first")
        slices.chance(
            "weight",
            "weight_before",
            lambda was: near(lasts * was + (1 - lasts) * heavy),
            when="later",
        )
        slices.chance("squeeze", "weight", lambda weight: used[weight])
        slices.chance("grip", "weight squeeze", lambda weight, squeeze: held[weight][squeeze])
        slices.chance("crushed", "squeeze", lambda squeeze: crushed[squeeze])
        return slices.process()

    return process(dry), process(oily)


def _usual(rng: np.random.Generator, soft: int, firm: int) -> tuple[float, float, float]:
    """Draw how often a part is squeezed softly, firmly and hard, near so many 32nds."""
    softly = (soft + int(integers(rng, 3))) / PART
    firmly = (firm + int(integers(rng, 3))) / PART
    return softly, firmly, 1 - softly - firmly


PHRASES = {
    "weight": phrase("the weight", light="the part is light", heavy="the part is heavy"),
    "squeeze": Phrase(
        "the squeeze",
        {
            "soft": "the part is squeezed softly",
            "firm": "the part is squeezed firmly",
            "hard": "the part is squeezed hard",
        },
        {"soft": "you squeeze softly", "firm": "you squeeze firmly", "hard": "you squeeze hard"},
    ),
    "grip": phrase("the grip", slipped="the part slips", held="the part is held"),
    "crushed": phrase("damage", no="the part stays whole", yes="the part is crushed"),
}

FAMILY = WorldFamily(
    name=NAME,
    env="OilyGripper",
    title=TITLE,
    about=(
        "Between the phases one mechanism changes, that of the grip, and every variable keeps its"
        " frequency under the usual way of working. Whoever watches frequencies sees no shift; who"
        " knows which mechanism was learnt from what can mend that one. The best squeeze changes."
    ),
    knobs={
        "grips": Knob(1, 8, "more parts an episode"),
        "sticky": Knob(0.0, 0.95, "heavy parts come in longer runs", whole=False),
        "crush": Knob(0.0, 1.0, "a crushed part costs more", whole=False),
    },
    levels={
        "easy": {"grips": 1, "sticky": 0.0, "crush": 0.25},
        "medium": {"grips": 4, "sticky": 0.5, "crush": 0.5},
        "hard": {"grips": 5, "sticky": 0.75, "crush": 0.5},
    },
    build=_build,
    shifted={"sticky": 0.875, "crush": 0.75},
)
