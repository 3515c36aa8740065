"""casino-rounds: the inclination tells which machine cheats."""

from __future__ import annotations

import numpy as np

from causalbench.task.sequential import load_family
from causalbench.truth.laws import law
from causalbench.truth.policy import references

FAMILY = load_family("casino-rounds")


def test_inclination_is_the_blinking_one_step_on_for_the_drunk() -> None:
    """With three machines: the one that blinks, and the next one for the drunk."""
    scm = FAMILY.world(0, "hard").process.first
    drawn = law(scm, ["blinks", "drunk", "machine"])
    for blinks in range(3):
        for drunk in range(2):
            assert int(np.argmax(drawn[blinks, drunk])) == (blinks + drunk) % 3
            assert np.count_nonzero(drawn[blinks, drunk]) == 1


def test_records_favour_the_machine_that_wins_least() -> None:
    """Left looks best in the log, and any other machine wins more when it is set."""
    for level in FAMILY.levels:
        scm = FAMILY.world(1, level).process.first
        machines = scm.variable("machine").labels
        joint = law(scm, ["machine", "won"])
        looks = joint[:, 1] / joint.sum(axis=1)
        wins = [law(scm, ["won"], {"machine": machine})[1] for machine in machines]
        assert int(np.argmax(looks)) == 0
        assert all(other > wins[0] for other in wins[1:])


def test_every_machine_cheats_whom_it_draws() -> None:
    """A machine wins less often when one is drawn to it than when it is set."""
    scm = FAMILY.world(2).process.first
    joint = law(scm, ["machine", "won"])
    for code, machine in enumerate(scm.variable("machine").labels):
        drawn = joint[code, 1] / joint[code].sum()
        assert drawn < law(scm, ["won"], {"machine": machine})[1]


def test_lasting_states_make_history_worth_keeping() -> None:
    """With lasting blinking and drink, acting over four rounds beats one round's best machine."""
    values = {}
    for rounds in (1, 4):
        program = FAMILY.world(0, rounds=rounds, blinking=0.875, drinking=0.875).program()
        values[rounds] = references(program, ("do",))["do"].value.value
    assert values[4] > values[1] + 0.005
