"""Values worked out by hand, or published."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.task.sequential.slices import Slices
from causalbench.task.world import load_world
from causalbench.truth.policy import natural, planner, policy_value, references, uniform

UMBRELLA = ("seed", "rain", "umbrella", "wet")


def _once(world, play):
    scm = load_world(world).scm
    return Program(Process(scm, scm, 1), play)


def _casino():
    play = Play("play", ("play=one", "play=two"), ("play",), ((1.0, "payout=yes"),))
    return _once("greedy-casino", play)


def test_greedy_casino_is_the_published_table():
    """Left alone players win .15; whoever sets the machine .3; against the inclination .45.

    Bareinboim, Forney and Pearl (2015), table 1: the machine that is not felt to be right wins
    .5, .4, .4, .5 in the four states of blinking and drink.
    """
    program = _casino()
    found = references(program)
    assert natural(program).value == pytest.approx(0.15, abs=1e-12)
    assert found["see"].value.value == pytest.approx(0.3, abs=1e-12)
    assert found["do"].value.value == pytest.approx(0.3, abs=1e-12)
    assert found["intent"].value.value == pytest.approx(0.45, abs=1e-12)
    assert found["replay"].value.value == pytest.approx(0.45, abs=1e-12)


@pytest.mark.parametrize(
    ("cost", "see", "do"), [(0.05, -0.803976, -0.517520), (0.69, -0.944776, -0.889524)]
)
def test_umbrella_rain_is_the_design_table(cost, see, do):
    """The log says: take umbrellas away; acting says: seed where it is cheap, else pass."""
    reward = ((-1.0, "rain=yes"), (-cost, "seed=yes"), (-0.1, "wet=yes"))
    play = Play("act", ("pass", "umbrella=no", "seed=yes"), (), reward)
    program = _once("umbrella-rain", play)
    low, high = program.returns
    found = references(program, ["see", "do"])
    assert found["see"].value.value * (high - low) + low == pytest.approx(see, abs=5e-7)
    assert found["do"].value.value * (high - low) + low == pytest.approx(do, abs=5e-7)


def _steps(horizon):
    """Walk on 5 places: the last pays 1 a step, the first .2; a step right slips with 1/4."""
    slices = Slices(horizon).add("go", "left right").add("place", "a b c d e")
    slices.chance("go", "", lambda: 0.5)
    slices.rule("place", "", lambda _: 1, when="first")

    def walk(slips, go, place):
        return place - (place > 0) if go == 0 else place + (not slips and place < 4)

    slices.rule("place", "go place_before", walk, noise=(0.75, 0.25), when="later")
    play = Play(
        "walk",
        ("go=left", "go=right"),
        ("place",),
        ((0.2, "place=a"), (1.0, "place=e")),
        returns=(0.0, float(horizon)),
    )
    return Program(slices.process(), play)


def test_a_short_walk_goes_for_the_near_reward():
    """In 4 steps from b the best is a at once: 3 x .2 = .6; the far end needs three lucky steps.

    Three steps right are all lucky with (3/4)^3 = .421875, and pay 1 once.
    """
    value = references(_steps(4), ["do"])["do"].value
    assert value.value == pytest.approx(0.6 / 4, abs=1e-12)
    assert value.length == pytest.approx(4)


def test_a_long_walk_is_a_small_decision_process():
    """Forty steps of a world seen in full take as many histories as states, actions and steps."""
    program = _steps(40)
    value = references(program, ["do"])["do"].value
    # In a world seen in full, backward induction over places is the same.
    worth = np.zeros(5)
    reward = np.array([0.2, 0, 0, 0, 1.0])
    move = np.zeros((2, 5, 5))
    for place in range(5):
        move[0, place, max(0, place - 1)] = 1
        move[1, place, min(4, place + 1)] += 0.75
        move[1, place, place] += 0.25
    for _ in range(39):
        worth = np.max(move @ (reward + worth), axis=0)
    assert value.value == pytest.approx(worth[1] / 40, abs=1e-12)
    assert value.histories <= 40 * 5 * 2 * 5


def test_looking_ahead_further_turns_the_walk():
    """A planner of depth 2 stays at the near reward, one that sees far enough walks to the end."""
    program = _steps(40)
    near = policy_value(program, planner(program, 2), "do").value
    far = policy_value(program, planner(program, 40), "do").value
    assert near == pytest.approx(39 * 0.2 / 40, abs=1e-12)
    assert far == pytest.approx(references(program, ["do"])["do"].value.value, abs=1e-12)
    assert far > near


def test_acting_at_random_in_the_casino():
    """Either machine wins .3 when it is set, so chance wins .3 too."""
    assert uniform(_casino()).value == pytest.approx(0.3, abs=1e-12)
