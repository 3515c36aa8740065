"""Which rung fails in which family: gaps at every level, and the solver against plain recursion."""

from __future__ import annotations

from typing import Any

import pytest
from brute_values import Brute

from causalbench.errors import WorldError
from causalbench.rng import generator
from causalbench.task.sequential import load_family
from causalbench.task.sequential.families.parts import CHECKED, between, draw_until, near
from causalbench.truth.policy import references

LEVELS = ("easy", "medium", "hard")
CONFOUNDED = ("umbrella-days", "casino-rounds", "treatment-course", "anticausal-proxy")
PHASED = ("oily-gripper", "two-shifts", "shifting-rules")
SHORT = {
    "umbrella-days": "days",
    "casino-rounds": "rounds",
    "treatment-course": "weeks",
    "anticausal-proxy": "steps",
    "oily-gripper": "grips",
    "two-shifts": "days",
}


@pytest.mark.parametrize("name", SHORT)
def test_solver_agrees_with_plain_recursion(name: str) -> None:
    """What see, do and intent are worth in two steps or three, by another road."""
    steps = 3 if name == "treatment-course" else 2
    program = load_family(name).world(2, **{SHORT[name]: steps}).program()
    found = references(program, ("see", "do", "intent"))
    by_hand = {
        "see": Brute(program).see(),
        "do": Brute(program).best(),
        "intent": Brute(program, intent=True).best(),
    }
    for regime, value in by_hand.items():
        assert found[regime].value.value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["casino-rounds", "treatment-course"])
def test_acting_beats_reading_and_intent_beats_acting(name: str, level: str) -> None:
    """Reading the log is at least .1 below acting, and acting below acting with intent shown."""
    for index in range(4):
        world = load_family(name).world(index, level)
        steps = min(CHECKED, world.process.horizon)
        short = load_family(name).world(index, level, **{SHORT[name]: steps}).program()
        see, do, intent = (
            references(short, (regime,))[regime].value.value for regime in ("see", "do", "intent")
        )
        assert do - see >= 0.1
        assert intent - do >= (0.05 if name == "casino-rounds" else 0.01)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["umbrella-days", "anticausal-proxy"])
def test_acting_beats_reading(name: str, level: str) -> None:
    """Reading the log is behind acting, by .1 where acting is cheap."""
    family = load_family(name)
    for index in range(4):
        found = references(family.world(index, level).program(), ("see", "do"))
        wanted = 0.01 if (name, level) == ("umbrella-days", "hard") else 0.1
        assert found["do"].value.value - found["see"].value.value >= wanted


@pytest.mark.parametrize("name", CONFOUNDED + PHASED)
def test_log_holds_every_action(name: str) -> None:
    """At the first step of every phase the behaviour policy takes each action with P >= .05."""
    for level in LEVELS:
        world = load_family(name).world(1, level)
        for phase in world.phases:
            program = world.program(phase.name)
            start = Brute(program)
            for action in range(len(program.force)):
                rows = start.branches(start.start, 1, -1, action)
                assert sum(p for way in rows.values() for p, _, _ in way.values()) >= 0.05


@pytest.mark.parametrize("name", CONFOUNDED + PHASED)
def test_every_knob_turns_all_the_way(name: str) -> None:
    """At either end of every knob, the others at medium, some draw has the gaps."""
    family = load_family(name)
    for knob, ends in family.knobs.items():
        for setting in (ends.low, ends.high):
            knobs: dict[str, Any] = {knob: setting}
            assert family.world(0, **knobs).knobs[knob] == setting


def test_numbers_lie_on_the_grid() -> None:
    """Numbers are rounded to 1/1024, and drawn there."""
    rng = generator(0, "grid")
    assert near(0.1) == 102 / 1024
    assert (between(rng, 0.1, 0.2) * 1024).is_integer()


def test_draws_that_never_hold_are_refused() -> None:
    """A setting at which no draw has its gaps is an error that says so."""
    with pytest.raises(WorldError, match="none of 200 draws"):
        draw_until(generator(0, "never"), lambda rng: between(rng, 0, 1), lambda _: False, "x")
