"""imitate: a copy of the expert is as good as the expert only where the light is seen."""

from __future__ import annotations

from itertools import product

import pytest

from causalbench.task.sequential import load_family
from causalbench.task.sequential.families import imitate
from causalbench.task.sequential.families.imitate import Road
from causalbench.truth.laws import law
from causalbench.truth.policy import clone, natural, references

FAMILY = load_family("imitate")
ROAD = Road(
    thick=0.5,
    stays=0.75,
    red=(0.375, 0.5625),
    mirror=0.625,
    errs=0.0625,
    creeps=0.0625,
    crash=(0.75, 0.5, 0.0625, 0.015625),
)
STEPS = 4


def test_the_copy_is_worth_what_the_family_says() -> None:
    """The imitator over whole histories is the copy of P(drive | traffic, mirror)."""
    program = imitate._make(ROAD, FAMILY.settings("medium", steps=STEPS)).program()
    copied = clone(program).value.value
    assert copied == pytest.approx(ROAD.worth(ROAD.copy, STEPS), abs=1e-12)
    assert clone(program, recalls=False).value.value == pytest.approx(copied, abs=1e-12)


def test_the_references_are_what_the_family_says() -> None:
    """See trusts the log, and do takes the smallest risk given traffic and mirror."""
    program = imitate._make(ROAD, FAMILY.settings("medium", steps=STEPS)).program()
    values = references(program, ["see", "do"])
    assert values["see"].value.value == pytest.approx(ROAD.worth(ROAD.logged, STEPS), abs=1e-12)
    assert values["do"].value.value == pytest.approx(ROAD.worth(ROAD.best, STEPS), abs=1e-12)


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_imitation_fails_where_the_light_is_not_seen(level: str) -> None:
    """The copy falls short of the expert, and of the best that can be done without the light."""
    program = FAMILY.world(1, level).program()
    copied, expert = clone(program).value.value, natural(program).value
    best = references(program, ["do"])["do"].value.value
    assert min(expert, best) - copied >= imitate.CLEAR - 1e-12


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_imitation_works_where_the_light_is_seen(level: str) -> None:
    """The same road with the light in view: the copy is worth what the expert is, exactly."""
    program = FAMILY.world(1, level, sees=1).program()
    assert clone(program).value.value == pytest.approx(natural(program).value, abs=1e-12)


def test_intent_gives_the_light_away() -> None:
    """Whoever is shown what the expert would do does better than the expert."""
    program = FAMILY.world(1).program()
    intent = references(program, ["intent"])["intent"].value.value
    assert intent > natural(program).value + 0.01


def test_the_law_of_a_step() -> None:
    """The mirror, the expert and the crash of the made world have the stated chances."""
    scm = imitate._make(ROAD, FAMILY.settings("medium")).process.first
    table = law(scm, ["traffic", "light", "mirror", "drive", "crash"])
    for at in product(range(2), range(2), range(2), range(3)):
        traffic, light, mirror, drive = at
        p = (ROAD.thick if traffic else 1 - ROAD.thick) * ROAD.seen(traffic, light, mirror)
        p *= ROAD.expert(light)[drive]
        assert table[at].sum() == pytest.approx(p, abs=1e-12)
        assert table[at][1] == pytest.approx(p * ROAD.risk(light, drive), abs=1e-12)


def test_the_pay_is_not_seen() -> None:
    """Crashes are paid for and end the drive, but are no part of what the log shows."""
    play = FAMILY.world(0).play
    assert "crash" not in play.observes
    assert play.reward == ((1.0, "crash=no"),)
    assert FAMILY.world(0, sees=1).play.observes == ("traffic", "light", "mirror", "drive")
