"""shifting-rules: cards are sorted by a rule that nobody tells, and that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.rng import simplex
from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import GAP, between, draw_until, kept, near, phrase
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY"]

NAME = "shifting-rules"
TITLE = "Sorting cards by a rule that changes"
STORY = (
    "Cards are sorted onto piles. Each card has a colour, a shape and more, and one of these says"
    " onto which pile it belongs; which one, nobody tells. After each card one learns whether it"
    " was right. The rule changes without notice, from one to the next, and in the end the first"
    " one comes back."
)
RULES: Mapping[str, tuple[str, ...]] = {
    "colour": ("red", "green", "blue", "black"),
    "shape": ("star", "cross", "disc", "square"),
    "number": ("one", "two", "three", "four"),
    "shade": ("plain", "striped", "dotted", "checked"),
}
"""What a card may be sorted by: the value at place i sends it onto pile i."""
AGAIN = "-again"
PILES = ("first", "second", "third", "fourth")


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    rules = list(RULES)[: knobs["rules"]]
    piles = PILES[: knobs["cues"]]
    play = Play(
        "sort",
        tuple(f"pile={pile}" for pile in piles),
        (*rules, "pile", "right"),
        ((1.0, "right=yes"),),
    )

    def holds(phases: Sequence[Process]) -> bool:
        # The first card tells all: what is paid for one changes nothing for the next.
        pairs = [kept(old, new, play, 1) for old in phases for new in phases if old is not new]
        return all(best - stale >= GAP for stale, best in pairs)

    made = draw_until(rng, lambda rng: _phases(rng, rules, knobs), holds, NAME)
    phases = [Phase(rule, process) for rule, process in zip(rules, made, strict=True)]
    if len(phases) == 2:  # noqa: PLR2004  (each comes back, so that there are four)
        phases = [*phases, *(Phase(one.name + AGAIN, one.process) for one in phases)]
    else:
        phases.append(Phase(rules[0] + AGAIN, made[0]))
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=(
            "causalbench, after Grant and Berg, 'A behavioral analysis of degree of reinforcement"
            " and ease of shifting to new responses' (1948)"
        ),
        story=STORY,
        play=play,
        phases=tuple(phases),
        phrases=_phrases(rules, piles),
        family=NAME,
        knobs=dict(knobs),
    )


def _phases(
    rng: np.random.Generator, rules: Sequence[str], knobs: Mapping[str, Any]
) -> list[Process]:
    """Draw a process for each rule; they differ in what makes a card right, and in nothing else."""
    cues, lasts = knobs["cues"], knobs["sticky"]
    common = {rule: simplex(rng, cues, 0.15) for rule in rules}
    slip = between(rng, 0.01, 0.05)
    odd = between(rng, 0.3, 0.5)

    def law(rule: str, was: int) -> list[float]:
        found = [
            near(lasts * (one == was) + (1 - lasts) * common[rule][one]) for one in range(cues)
        ]
        found[was] += 1.0 - sum(found)
        return found

    def usual(*card: int) -> list[float]:
        """Go by one feature or another, and often by none, as in the records."""
        return [odd / cues + (1 - odd) * card.count(pile) / len(card) for pile in range(cues)]

    def process(rule: str) -> Process:
        slices = Slices(knobs["cards"])
        for one in rules:
            slices.add(one, RULES[one][:cues])
        slices.add("pile", PILES[:cues]).add("right", "no yes")
        for one in rules:
            slices.chance(one, "", lambda one=one: common[one])
        for one in rules if lasts else ():
            slices.chance(one, f"{one}_before", lambda was, one=one: law(one, was), when="later")
        slices.chance("pile", " ".join(rules), usual)
        slices.rule(
            "right",
            f"{rule} pile",
            lambda slipped, cue, pile: int((cue == pile) != bool(slipped)),
            noise=(1 - slip, slip),
        )
        return slices.process()

    return [process(rule) for rule in rules]


def _phrases(rules: Sequence[str], piles: Sequence[str]) -> dict[str, Phrase]:
    found = {
        rule: phrase(
            f"the card's {rule}",
            **{value: f"the card's {rule} is {value}" for value in RULES[rule][: len(piles)]},
        )
        for rule in rules
    }
    found["pile"] = Phrase(
        "the pile",
        {pile: f"the card goes onto the {pile} pile" for pile in piles},
        {pile: f"you put the card onto the {pile} pile" for pile in piles},
    )
    found["right"] = phrase("being right", no="that was wrong", yes="that was right")
    return found


FAMILY = WorldFamily(
    name=NAME,
    env="ShiftingRules",
    title=TITLE,
    about=(
        "Phase by phase another feature of the cards decides, and the first rule comes back at the"
        " end. Nothing shows which rule is in force but what comes of acting. Within a phase no"
        " rung fails; asked is how fast a learner recovers, and what it has forgotten."
    ),
    knobs={
        "cards": Knob(1, 16, "more cards an episode"),
        "rules": Knob(2, 4, "more rules, one a phase; the first comes back at the end"),
        "cues": Knob(2, 4, "more values a feature, and piles"),
        "sticky": Knob(0.0, 0.9, "features stay the same from card to card", whole=False),
    },
    levels={
        "easy": {"cards": 3, "rules": 2, "cues": 2, "sticky": 0.0},
        "medium": {"cards": 4, "rules": 3, "cues": 3, "sticky": 0.0},
        "hard": {"cards": 6, "rules": 4, "cues": 3, "sticky": 0.25},
    },
    build=_build,
    shifted={"rules": 2, "cues": 4, "sticky": 0.75},
)
