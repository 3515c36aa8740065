"""Tables: rows of the past, steps towards targets, logs, and the rung that each regime gives."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.learn.policies import History, Index, TablePolicy
from causalbench.agent.learn.registry import make_learner
from causalbench.agent.learn.sweeps import numbered, solved
from causalbench.env.log import Log
from causalbench.errors import AccessError, AgentError
from causalbench.truth.policy import Moment

CASINO = "casino-rounds"
ONLINE = ["q-learning", "sarsa", "ucb", "thompson"]
ROUNDING = 1e-9


def moment(seen, action=(-1,), step=0):
    """Return what copies of a policy have before them."""
    seen = np.array(seen, dtype=np.uint8)
    return Moment(seen, np.array(action), np.zeros(len(seen)), step)


def test_a_row_holds_the_window_and_the_step():
    """Past observation, the action after it, the present one, the step; blanks before the start."""
    history = History((3, 4), actions=2, steps=5, window=2)
    rows, memory = history.rows(history.begin(1), np.array([[1, 2]]), np.array([-1]), 0)
    assert rows.tolist() == [[3, 4, 2, 1, 2, 0]]
    rows, _ = history.rows(memory, np.array([[0, 3]]), np.array([1]), 1)
    assert rows.tolist() == [[1, 2, 1, 0, 3, 1]]
    assert (rows < history.cards).all()


def test_without_a_window_nothing_is_recalled():
    """One observation, with or without the step and the last action."""
    plain = History((3, 4), 2, 5, timed=False)
    acted = History((3, 4), 2, 5, acted=True)
    seen, action = np.array([[1, 2]]), np.array([0])
    assert plain.rows(plain.begin(1), seen, action, 4)[0].tolist() == [[1, 2]]
    assert acted.rows(acted.begin(1), seen, action, 4)[0].tolist() == [[0, 1, 2, 4]]
    assert (plain.recalls, acted.recalls) == (False, True)


def test_rows_are_numbered_as_they_are_met():
    """The same row keeps its number, also within one batch."""
    index = Index()
    rows = np.array([[1, 2], [3, 4], [1, 2]], dtype=np.int16)
    assert index.add(rows).tolist() == [0, 1, 0]
    assert index.find(np.array([[3, 4], [9, 9]], dtype=np.int16)).tolist() == [1, -1]
    assert index.rows.tolist() == [[1, 2], [3, 4]]


def test_a_row_that_was_never_met_is_uniform_and_counted():
    """The policy says how often it had nothing to go by."""
    history = History((3,), 2, 1)
    policy = TablePolicy(history, np.array([[1, 0]], dtype=np.int16), np.array([[0.0, 1.0]]))
    chances, memory = policy.act(moment([[1], [2]], (-1, -1)), policy.begin(2))
    assert chances.tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert (policy.asked, policy.unseen, memory) == (2, 1, None)


def test_steps_of_one_over_n_make_means(program_of, field_of):
    """In a world of one step a value is the mean of what was paid, however it came in."""
    learner = make_learner("q-learning")
    learner.start(field_of(program_of(CASINO, rounds=1), "do"), rng=np.random.default_rng(0))
    at = learner._met(np.zeros((3, 5), dtype=np.int16))
    learner.learn(at, np.array([1, 1, 0]), np.array([1.0, 0.0, 0.25]))
    learner.learn(at[:1], np.array([1]), np.array([1.0]))
    assert learner._values[0].tolist() == pytest.approx([0.25, 2 / 3, 0.0])
    assert learner._counts[0].tolist() == [1, 3, 0]


def test_a_log_is_swept_to_its_own_solution():
    """Two steps, computed by hand: pass matches every row, and the best logged action follows."""
    seen = np.zeros((2, 3, 1), dtype=np.uint8)
    seen[:, 1, 0] = [1, 2]
    matches = np.array([[[1, 1], [1, 0]], [[1, 0], [1, 1]]], dtype=bool)
    log = Log(
        seen=seen,
        action=np.array([[1, 0], [0, 1]]),
        matches=matches,
        reward=np.array([[0.0, 0.5], [0.25, 1.0]]),
        length=np.array([2, 2]),
        terminal=np.array([True, True]),
    )
    index = Index()
    at = numbered(log, History((3,), 2, 2), index)
    values, counts = solved(log, at, len(index), 1.0)
    assert at.tolist() == [[0, 1, -1], [0, 2, -1]]
    # At the start pass (0) is the mean of .0 + .5 and .25 + 1, action 1 is .0 + .5 alone.
    assert values.tolist() == [[0.875, 0.5], [0.5, 0.0], [1.0, 1.0]]
    assert counts.tolist() == [[2, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize("name", ONLINE)
def test_who_acts_reaches_the_do_reference_and_no_more(
    name, program_of, field_of, ladder_of, trained, worth
):
    """Confounded or not: what is tried is learnt at its true worth."""
    program, ladder = program_of(CASINO), ladder_of(CASINO)
    value = worth(trained(name, field_of(program, "do"), 12_000), program, "do")
    assert ladder["see"] + 0.1 < value <= ladder["do"] + ROUNDING
    assert value == pytest.approx(ladder["do"], abs=0.01)


@pytest.mark.parametrize("name", [*ONLINE, "causal-thompson"])
def test_who_is_shown_its_intent_reaches_the_intent_reference(
    name, program_of, field_of, ladder_of, trained, worth
):
    """The same algorithms go beyond every policy that does not see its intent."""
    program, ladder = program_of(CASINO), ladder_of(CASINO)
    value = worth(trained(name, field_of(program, "intent"), 12_000), program, "intent")
    assert ladder["do"] + 0.05 < value <= ladder["intent"] + ROUNDING
    assert value == pytest.approx(ladder["intent"], abs=0.01)


def test_q_learning_from_the_log_reaches_the_see_reference(
    program_of, field_of, ladder_of, trained, worth
):
    """It takes seeing for doing, and earns what that is worth."""
    program, ladder = program_of(CASINO), ladder_of(CASINO)
    learner = trained("q-learning", field_of(program, "see"), 40_000)
    assert worth(learner, program, "see") == pytest.approx(ladder["see"], abs=0.01)


def test_q_learning_reaches_the_replay_reference(program_of, field_of, ladder_of, trained, worth):
    """The window holds what was watched, so the same unit can be played better."""
    program, ladder = program_of(CASINO), ladder_of(CASINO)
    value = worth(trained("q-learning", field_of(program, "replay"), 16_000), program, "replay")
    assert ladder["do"] + 0.05 < value <= ladder["replay"] + ROUNDING
    assert value == pytest.approx(ladder["replay"], abs=0.01)


@pytest.mark.parametrize(("name", "regime"), [("q-learning", "do"), ("q-learning", "see")])
def test_a_training_in_parts_is_the_same_training(name, regime, program_of, field_of, trained):
    """A curve's points do not change what comes after them."""
    program = program_of(CASINO)
    whole = trained(name, field_of(program, regime), 3000).policy()
    parts = trained(name, field_of(program, regime), 800, 1600, 3000).policy()
    assert np.array_equal(whole.rows, parts.rows)
    assert np.array_equal(whole.probabilities, parts.probabilities)


def test_a_policy_is_frozen(program_of, field_of, trained):
    """Training goes on without it."""
    learner = trained("q-learning", field_of(program_of(CASINO), "do"), 80)
    policy = learner.policy()
    before = policy.probabilities.copy()
    learner.train(8000)
    assert np.array_equal(policy.probabilities, before)
    assert not np.array_equal(learner.policy().probabilities, before)


@pytest.mark.parametrize("name", [*ONLINE, "options-q"])
def test_checkpoints_bring_the_table_back(name, program_of, field_of, trained, tmp_path):
    """What was saved acts as what was loaded, and goes on from there."""
    program = program_of(CASINO)
    saved = trained(name, field_of(program, "do"), 1600)
    saved.save(tmp_path)
    loaded = make_learner(name)
    loaded.start(field_of(program, "do"), rng=np.random.default_rng(9))
    loaded.load(tmp_path)
    assert np.array_equal(loaded.policy().rows, saved.policy().rows)
    assert np.array_equal(loaded.policy().probabilities, saved.policy().probabilities)
    loaded.train(1600)  # nothing is left to do
    assert np.array_equal(loaded.policy().probabilities, saved.policy().probabilities)


def test_a_checkpoint_of_another_is_refused(program_of, field_of, trained, tmp_path):
    """Tables of two algorithms are not the same."""
    trained("sarsa", field_of(program_of(CASINO), "do"), 80).save(tmp_path)
    learner = trained("q-learning", field_of(program_of(CASINO), "do"))
    with pytest.raises(AgentError, match="is of 'sarsa'"):
        learner.load(tmp_path)


def test_no_more_steps_are_taken_than_asked_for(program_of, field_of, trained):
    """Whole steps of all copies, rounded down; shown besides are the next observations."""
    field = field_of(program_of(CASINO), "do")
    trained("q-learning", field, 100, copies=8)
    assert field.meter.steps == 96 + 8


def test_learners_of_acting_refuse_a_log(program_of, field_of, trained):
    """SARSA's next action is its own, which no log holds."""
    learner = trained("sarsa", field_of(program_of(CASINO), "see"))
    with pytest.raises(AccessError, match="can't be trained in regime 'see'"):
        learner.train(100)


def test_phases_go_on_with_one_table(program_of, field_of, trained):
    """In the next phase what was learnt is still there, and a rate lets it change."""
    learner = trained("q-learning", field_of(program_of(CASINO), "do"), 4000, rate=0.1)
    before = learner.policy()
    learner.enter(field_of(program_of(CASINO, index=1), "do", 1))
    assert np.array_equal(learner.policy().probabilities, before.probabilities)
    learner.train(8000)
    assert learner._counts.sum() == 8000


def test_another_shape_is_no_next_phase(program_of, field_of, trained):
    """Tables of other observations mean nothing here."""
    learner = trained("q-learning", field_of(program_of(CASINO), "do"))
    other = field_of(program_of("key-maze"), "do")
    with pytest.raises(AgentError, match="observations or actions differ"):
        learner.enter(other)


@pytest.mark.parametrize(
    "options",
    [{"window": 0}, {"copies": 0}, {"discount": 0.0}, {"power": 0.5}, {"epsilon": 1.5}],
)
def test_impossible_options_are_refused(options):
    """Numbers that cannot train are refused in one line."""
    with pytest.raises(AgentError, match="give"):
        make_learner("q-learning", options)
