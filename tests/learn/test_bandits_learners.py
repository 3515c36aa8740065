"""Bandits: what is tried first, what a posterior draws, and what watching tells an intent."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.learn.registry import make_learner
from causalbench.errors import AccessError, AgentError

CASINO = "casino-rounds"
SIGMAS = 5


def test_every_action_is_tried_before_any_is_repeated(program_of, field_of, trained):
    """The bound of what was never tried is infinite."""
    learner = trained("ucb", field_of(program_of(CASINO, rounds=1), "do"), 3, copies=1)
    assert learner._counts[0].tolist() == [1, 1, 1]


def test_upper_bounds_follow_the_formula(program_of, field_of, trained):
    """Value plus sqrt(2 log N / n): by hand, the less tried of two alike is taken."""
    learner = trained("ucb", field_of(program_of(CASINO, rounds=1), "do"), 3, copies=1)
    learner._values[0], learner._counts[0] = [0.5, 0.5, 0.0], [8, 4, 50]
    # sqrt(2 log 62): .5 + 2.873 / sqrt(8) = 1.516, .5 + 2.873 / 2 = 1.937, 0 + .406.
    assert learner.choose(np.array([0])).tolist() == [1]


def test_wins_are_counted_as_often_as_rewards_say(program_of, field_of, trained):
    """A reward between 0 and 1 is a win with that probability."""
    learner = trained("thompson", field_of(program_of(CASINO, rounds=1), "do"), 2)
    row = learner._met(np.zeros((1, 5), dtype=np.int16))
    many = np.repeat(row, 4000)
    learner.learn(many, np.zeros(4000, dtype=np.int64), np.full(4000, 0.25))
    assert abs(learner._wins[row[0], 0] - 1000) < SIGMAS * np.sqrt(4000 * 0.25 * 0.75)


@pytest.mark.parametrize(
    ("posterior", "beta"), [("beta", True), ("normal", False), ("auto", False)]
)
def test_the_posterior_can_be_chosen(posterior, beta, program_of, field_of, trained):
    """Beta in worlds of one step, unless told otherwise."""
    field = field_of(program_of(CASINO), "do")
    assert trained("thompson", field, 800, posterior=posterior)._beta is beta
    one = field_of(program_of(CASINO, rounds=1), "do")
    assert trained("thompson", one, 800, posterior="auto")._beta is True


def test_watching_counts_for_contexts_in_which_one_obeys(program_of, field_of, trained):
    """After the log, E[Y_x | x] is known for the natural choice x, and nothing else is."""
    program = program_of(CASINO, rounds=1)
    learner = trained("causal-thompson", field_of(program, "see"), 4000)
    learner.enter(field_of(program, "intent", 1))
    learner._open(8)
    known = learner._rows()[: len(learner._index)]
    counts = learner._counts[: len(known)]
    names = program.process.visible
    choice = known[:, names.index("machine")]
    tried = counts.sum(axis=1) > 0
    assert counts.sum() == 2 * 4000  # each row is an instance of pass, and of one machine
    for row, machine in zip(counts[tried], choice[tried], strict=True):
        assert np.flatnonzero(row).tolist() == [0, 1 + machine]


def test_what_was_watched_agrees_with_obeying(program_of, field_of, trained):
    """The mean of the log is what the same context pays to who does as it is inclined to."""
    program = program_of(CASINO, rounds=1)
    watched = trained("causal-thompson", field_of(program, "see"), 4000)
    watched.enter(field_of(program, "intent", 1))
    watched._open(8)
    tried = trained("ucb", field_of(program, "intent", 2), 8000, width=50.0)  # evenly
    at = tried._index.find(watched._rows())
    for row, other in enumerate(at):
        for action in np.flatnonzero(watched._counts[row]):
            n = min(watched._counts[row, action], tried._counts[other, action])
            gap = abs(watched._values[row, action] - tried._values[other, action])
            assert gap < SIGMAS * np.sqrt(2 * 0.25 / n)


def test_an_intent_has_to_be_shown(program_of, field_of, trained):
    """Where none is shown there is no context to tell apart."""
    learner = trained("causal-thompson", field_of(program_of(CASINO), "do"))
    with pytest.raises(AccessError, match="its regimes are intent"):
        learner.train(100)


@pytest.mark.parametrize(
    ("name", "options"), [("ucb", {"width": -1.0}), ("thompson", {"posterior": "flat"})]
)
def test_impossible_bandits_are_refused(name, options):
    """A negative width, and a posterior that does not exist."""
    with pytest.raises(AgentError, match=r"give 0 or more|choose one of"):
        make_learner(name, options)
