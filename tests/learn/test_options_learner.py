"""Options that reach what is seen: a sparse reward is found, and nothing hidden is used."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.learn.registry import make_learner
from causalbench.errors import AgentError

MAZE = "key-maze"


def test_options_find_the_key_and_the_door(program_of, field_of, ladder_of, trained, worth):
    """Four rooms away and back, paid at the very end alone."""
    program = program_of(MAZE, "medium")
    learner = trained("options-q", field_of(program, "do", family=MAZE), 24_000)
    value, best = worth(learner, program, "do"), ladder_of(MAZE, "medium", ("do",))["do"]
    assert best - 0.05 < value <= best + 1e-9


def test_there_is_one_option_for_each_value_that_can_be_seen(program_of, field_of, trained):
    """Modes and goals are no landmarks, nor is "unseen"."""
    field = field_of(program_of(MAZE), "do")
    learner = trained("options-q", field)
    cards = [int(n) - 1 for n in field.nvec[:-2]]
    assert len(learner._place) == sum(cards)
    assert learner._code.tolist() == [code for card in cards for code in range(card)]


def test_an_option_that_holds_already_is_not_taken(program_of, field_of, trained):
    """Where its end is reached there is no way to go."""
    learner = trained("options-q", field_of(program_of(MAZE), "do"), 4000)
    ready = learner._ready(learner._at)
    holds = learner._seen[:, learner._place] == learner._code
    assert holds.any()
    assert not (ready & holds).any()


def test_its_policy_is_a_table_without_memory(program_of, field_of, trained):
    """An option is left as soon as another is better, so none has to be remembered."""
    policy = trained("options-q", field_of(program_of(MAZE), "do"), 2000).policy()
    assert not policy.recalls
    assert np.array_equal(policy.probabilities.sum(axis=1), np.ones(len(policy.rows)))


@pytest.mark.parametrize("options", [{"stop": 1.5}, {"near": 1.0}, {"epsilon": -0.1}])
def test_impossible_hierarchies_are_refused(options):
    """Shares lie between 0 and 1."""
    with pytest.raises(AgentError, match="between 0 and 1"):
        make_learner("options-q", options)
