"""discover: find out by experiment which lever drives the light, then act once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from causalbench.rng import simplex
from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import SOURCE, between, draw_until, near, phrase
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY", "Bank"]

NAME = "discover"
TITLE = "Find out which of some levers drives the light, then act once"
STORY = (
    "A hand that nobody sees moves a bank of levers, all of them up or all of them down. A light"
    " goes on when they are up. One of the levers may drive it, or none of them: the hand may work"
    " the light itself. One lever at a time can be held up. Levers out of line wear the bank a"
    " little. What counts is the light at the last step."
)
CLEAR = 0.1
"""How much experimenting is worth at least, against the best that is done without."""


@dataclass(frozen=True, slots=True)
class Bank:
    """The parameters.

    Args:
        prior: P(lever i drives the light) for each i, and of none last.
        up: P(the hand moves the levers up).
        errs: P(the light does not do what drives it).
        wear: what levers out of line cost.
    """

    prior: tuple[float, ...]
    up: float
    errs: float
    wear: float

    @property
    def levers(self) -> int:
        """How many levers there are."""
        return len(self.prior) - 1

    def act(self, belief: tuple[float, ...], lever: int | None) -> float:
        """Return what the last step brings: a lever held up, or none, under P(driver)."""
        light = self.up * (1 - self.errs) + (1 - self.up) * self.errs
        if lever is None:
            return light
        return light + (1 - self.up) * (belief[lever] * (1 - 2 * self.errs) - self.wear)

    def best(self, tries: int) -> float:
        """Return what the best course of experiments and the act after it bring.

        Only a lever that is held up against the hand teaches anything, and what it teaches is
        whether the light is on. On and off err alike, so how much oftener it was on is all that
        counts.
        """

        @cache
        def go(ahead: tuple[int, ...], left: int) -> float:
            belief = self._belief(ahead)
            levers = range(self.levers)
            if not left:
                return max(self.act(belief, lever) for lever in (None, *levers))
            idle = best = go(ahead, left - 1)
            for lever in levers:
                lit = self.errs + belief[lever] * (1 - 2 * self.errs)
                tried = lit * go(_moved(ahead, lever, 1), left - 1)
                tried += (1 - lit) * go(_moved(ahead, lever, -1), left - 1)
                best = max(best, self.up * idle + (1 - self.up) * (tried - self.wear))
            return best

        return go((0,) * self.levers, tries)

    def _belief(self, ahead: tuple[int, ...]) -> tuple[float, ...]:
        """Return P(driver | how much oftener the light was on than off, by the lever held up)."""
        odds = (1 - self.errs) / self.errs
        weight = [p * odds**net for p, net in zip(self.prior, (*ahead, 0), strict=True)]
        return tuple(w / sum(weight) for w in weight)


def _moved(ahead: tuple[int, ...], at: int, by: int) -> tuple[int, ...]:
    return tuple(net + by * (i == at) for i, net in enumerate(ahead))


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    levers, tries = knobs["levers"], knobs["tries"]

    def draw(rng: np.random.Generator) -> Bank:
        return Bank(
            prior=tuple(simplex(rng, levers + 1, 0.6 / (levers + 1)).tolist()),
            up=between(rng, 0.2, 0.35),
            errs=between(rng, 0.03, 0.12),
            wear=near(knobs["wear"]),
        )

    def holds(bank: Bank) -> bool:
        blind = max(bank.act(bank.prior, lever) for lever in (None, *range(levers)))
        # More tries are worth no less, and those that fewer suffice for are quick.
        return any(bank.best(few) - blind >= CLEAR for few in range(1, tries + 1))

    return _make(draw_until(rng, draw, holds, NAME), knobs)


def _make(bank: Bank, knobs: Mapping[str, Any]) -> SequentialWorld:
    tries = knobs["tries"]
    names = tuple(f"lever{i}" for i in range(1, bank.levers + 1))
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=SOURCE.format(NAME),
        story=STORY,
        play=Play(
            id="levers",
            actions=("pass", *(f"{name}=up" for name in names)),
            observes=("clock", *names, "light"),
            reward=((1.0, f"clock={tries + 1}, light=on"), (-bank.wear, "strain=yes")),
            returns=(-bank.wear * (tries + 1), 1.0),
        ),
        phases=(Phase(BASE, _process(bank, names, tries)),),
        phrases=_phrases(names, tries + 1),
        family=NAME,
        knobs=dict(knobs),
    )


def _process(bank: Bank, names: tuple[str, ...], tries: int) -> Process:
    levers = len(names)
    made = Slices(tries + 1).add("driver", [*names, "none"], hidden=True)
    made.add("hand", "down up", hidden=True).add("clock", [str(i + 1) for i in range(tries + 1)])
    for name in names:
        made.add(name, "down up")
        made.rule(name, "hand", lambda _, hand: hand)
    made.add("strain", "no yes").add("light", "off on")
    made.chance("driver", "", lambda: bank.prior, when="first")
    made.rule("driver", "driver_before", lambda _, was: was, when="later")
    made.chance("hand", "", lambda: bank.up)
    made.rule("clock", "", lambda _: 0, when="first")
    made.rule("clock", "clock_before", lambda _, was: min(was + 1, tries), when="later")
    made.rule("strain", " ".join(names), lambda _, *at: len(set(at)) > 1)

    def light(errs: int, driver: int, hand: int, *at: int) -> int:
        return (hand if driver == levers else at[driver]) ^ errs

    made.rule("light", f"driver hand {' '.join(names)}", light, noise=(1 - bank.errs, bank.errs))
    return made.process()


def _phrases(names: tuple[str, ...], steps: int) -> dict[str, Phrase]:
    drives = {name: f"{name} drives the light" for name in names}
    return {
        "driver": phrase("the driver", **drives, none="the hand works the light itself"),
        "hand": phrase("the hand", down="the hand is down", up="the hand is up"),
        "clock": phrase("the clock", **{str(i): f"it is step {i}" for i in range(1, steps + 1)}),
        **{
            name: Phrase(
                name,
                {"down": f"{name} is down", "up": f"{name} is up"},
                {"down": f"you hold {name} down", "up": f"you hold {name} up"},
            )
            for name in names
        },
        "strain": phrase("the strain", no="the levers are in line", yes="a lever is out of line"),
        "light": phrase("the light", off="the light is off", on="the light is on"),
    }


FAMILY = WorldFamily(
    name=NAME,
    env="Discover",
    title=TITLE,
    about=(
        "A budget of experiments, then one act that counts. Whichever lever drives the light, a log"
        " looks exactly the same, so watching cannot tell; holding levers up against the hand can,"
        " at a small price. The best is to learn first, a Bayes-adaptive problem."
    ),
    knobs={
        "levers": Knob(2, 5, "levers to tell apart"),
        "tries": Knob(1, 10, "experiments before the act"),
        "wear": Knob(0.0, 0.1, "what levers out of line cost", whole=False),
    },
    levels={
        "easy": {"levers": 2, "tries": 3, "wear": 0.015625},
        "medium": {"levers": 3, "tries": 4, "wear": 0.015625},
        "hard": {"levers": 4, "tries": 6, "wear": 0.03125},
    },
    build=_build,
    shifted={"levers": 5, "tries": 6, "wear": 0.03125},
)
