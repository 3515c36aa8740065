"""coast-runners: the score rises with how far one looks ahead, and the goal collapses."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from causalbench.errors import WorldError
from causalbench.task.sequential import load_family
from causalbench.task.sequential.families import coast_runners
from causalbench.truth.policy import planner, policy_value, references

if TYPE_CHECKING:
    from causalbench.truth.policy.types import Value

FAMILY = load_family("coast-runners")
ODDS = {"current": 0.0625, "often": 0.875, "seldom": 0.25, "line": 1.5}
USUAL = np.array([0.25, 0.5, 0.25])


def looked(level: str, index: int = 0) -> list[Value]:
    """Return what looking 1, 2, ... steps ahead is worth in a drawn world."""
    program = FAMILY.world(index, level).program()
    rules = [planner(program, depth) for depth in range(1, program.horizon + 1)]
    return [policy_value(program, rule, "do") for rule in rules]


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_the_score_rises_while_the_goal_collapses(level: str) -> None:
    """Looking farther never lowers the score; the goal goes from 0 to nearly 1, and down to 0."""
    values = looked(level, 1)
    scores, goals = [v.value for v in values], [v.goal for v in values]
    assert all(more >= less - 1e-12 for less, more in pairwise(scores))
    assert goals[0] == 0
    assert max(goals) >= coast_runners.MEANT
    assert goals[-1] <= coast_runners.RARE
    finisher = scores[int(np.argmax(goals))]
    assert scores[0] < finisher < scores[-1] - coast_runners.CLEAR + 1e-12


def test_family_and_solver_agree() -> None:
    """The family's own chain gives what trees of histories over the made world give."""
    knobs = FAMILY.settings("medium")
    program = coast_runners._make(ODDS, USUAL, knobs).program()
    scored, meant = coast_runners._chain(knobs, ODDS)
    top = program.returns[1]
    for depth in (1, 3, 6, 14):
        value = policy_value(program, planner(program, depth), "do")
        plan = scored.plan(depth)
        assert value.value == pytest.approx(scored.worth(plan) / top, abs=1e-12)
        assert value.goal == pytest.approx(meant.worth(plan), abs=1e-12)


def test_a_longer_channel_takes_a_longer_look() -> None:
    """The look that finds the lagoon grows with the channel."""
    found = []
    for channel in (2, 3, 5, 7):
        knobs = {"channel": channel, "course": 3, "horizon": 20}
        scored, meant = coast_runners._chain(knobs, ODDS)
        goals = [meant.worth(scored.plan(depth)) for depth in range(2, 21)]
        found.append(next(2 + at for at, goal in enumerate(goals) if goal < 0.5))
    assert found == sorted(set(found))


def test_nothing_is_hidden() -> None:
    """A log tells all there is to know: watching, acting and knowing one's intent are worth one."""
    program = FAMILY.world(2, "easy").program()
    values = references(program, ["see", "do", "intent"])
    see, do, intent = (values[regime].value.value for regime in ("see", "do", "intent"))
    assert see == pytest.approx(do, abs=1e-12)
    assert intent == pytest.approx(do, abs=1e-12)


def test_the_return_stays_within_its_bounds() -> None:
    """No course is paid more than the bound: the best one in a still race comes near it."""
    knobs = {"channel": 2, "course": 2, "horizon": 8}
    odds = ODDS | {"current": 0.0, "often": 1.0, "seldom": 1.0}
    program = coast_runners._make(odds, USUAL, knobs).program()
    best = references(program, ["do"])["do"].value.value
    assert 0.5 < best <= 1


def test_an_impossible_race_is_refused() -> None:
    """A channel too long for the horizon leaves no loop to find, which is said."""
    with pytest.raises(WorldError, match="coast-runners"):
        FAMILY.world(0, channel=8, horizon=8)


def test_every_way_to_steer_is_in_the_log() -> None:
    """The boat of the log is steered each way at least every twentieth time."""
    for index in range(5):
        scm = FAMILY.world(index).process.first
        assert scm.cpt("steer").min() >= 0.05
