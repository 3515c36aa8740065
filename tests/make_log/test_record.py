"""What a log holds: who saw what, did what, and earned what."""

from __future__ import annotations

import numpy as np
import pytest
from log_programs import confounded, counted

from causalbench.env import SequenceVectorEnv
from causalbench.env.log import joined
from causalbench.env.record import record
from causalbench.errors import AccessError, AgentError, ScoreError
from causalbench.truth import truth

MOOD, EAT, SLEEP = 0, 1, 2  # places of `confounded`
STEPS = 60_000
SIGMAS = 5  # a fair log fails one of these comparisons in about two million


def within(share, n, expected):
    """Tell whether a frequency is within chance of a probability."""
    return abs(share - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / n)


def test_a_log_by_hand():
    """Early variables are seen before the action, late ones a step after it, unseen at first."""
    log = record(counted(), 1)
    tick, push, total, dark, mode, goal = log.seen[0].T.tolist()
    assert tick == [0, 1, 2, 3, 3]
    assert push == [2, 0, 1, 0, 1]
    assert total == [5, 0, 1, 1, 2]
    assert dark == [2] * 5  # visible, never observed
    assert (mode, goal) == ([1] * 5, [0] * 5)
    assert log.action[0].tolist() == [0, 1, 0, 1]
    assert log.matches[0].tolist() == [[True, False], [True, True], [True, False], [True, True]]
    assert log.reward[0] == pytest.approx([0.5 / 2.5, 1 / 2.5, 0, 0.5 / 2.5])
    assert (log.length[0], bool(log.terminal[0])) == (4, True)


def test_an_episode_that_ends_early():
    """After the step in which the event holds nothing is done; the last observation stays."""
    log = record(counted(ends="sum=1"), 1)
    assert log.length[0] == 2
    assert log.action[0].tolist() == [0, 1, -1, -1]
    assert log.seen[0, 2:, :3].tolist() == [[1, 1, 1]] * 3
    assert log.reward[0, 2:].tolist() == [0, 0]
    assert not log.matches[0, 2:].any()


def test_intent_shows_the_natural_choice():
    """In regime intent an action variable is seen before the action, as nature would set it."""
    log = record(counted(), 1, regime="intent")
    assert log.seen[0, :, 1].tolist() == [0, 1, 0, 1, 1]


def test_a_longer_log_begins_with_a_shorter_one():
    """So a budget of twice the steps is the same log, read on."""
    short, long = record(confounded(), 1000, seed=3), record(confounded(), 9000, seed=3)
    assert short.steps >= 1000 > short.steps - 3
    assert np.array_equal(long.head(short.episodes).seen, short.seen)
    assert np.array_equal(long.head(short.episodes).reward, short.reward)


def test_seeds_give_other_logs():
    """Two seeds, two logs; one seed, one log."""
    one, same, other = (record(confounded(), 3000, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.seen, same.seen)
    assert not np.array_equal(one.seen, other.seen)


@pytest.mark.parametrize("step", [1, 3])
def test_a_natural_log_follows_the_unrolled_process(step):
    """Frequencies of seen values at a step are the exact probabilities of the unrolled model."""
    program = confounded()
    log = record(program, STEPS, seed=5)
    sleep, eat = log.seen[:, step, SLEEP], log.seen[:, step, EAT]
    exact = truth(program.process.unroll(), f"P(sleep_{step}=good, eat_{step}=yes)").value
    assert within(np.mean((sleep == 1) & (eat == 1)), log.episodes, exact)
    late = truth(program.process.unroll(), "P(mood_2=high | sleep_1=good)").value
    slept = log.seen[:, 1, SLEEP] == 1
    assert within(np.mean(log.seen[slept, 1, MOOD] == 1), slept.sum(), late)


def test_a_natural_log_tells_what_is_seen_and_a_random_one_what_is_done():
    """Mean rewards by action are the conditionals of rung 1 there, the effects of rung 2 here."""
    program = confounded(horizon=1)
    scm = program.process.unroll()
    for policy, query in (("natural", "eat_1={}"), ("random", "do(eat_1={})")):
        log = record(program, STEPS, policy, seed=7)
        for action, value in ((1, "no"), (2, "yes")):
            given = log.matches[:, 0, action]
            exact = truth(scm, f"P(sleep_1=good | {query.format(value)})").value
            assert within(log.reward[given, 0].mean(), given.sum(), exact)


def test_a_step_that_was_acted_in_is_an_instance_of_its_action_alone():
    """What nature happens to do is not what is set: `pass` that ends in eat=yes is no eat=yes."""
    log = record(confounded(), 3000, "random")
    assert (log.matches.sum(axis=2) == 1).all()
    assert np.array_equal(log.matches.argmax(axis=2), log.action)


def test_a_random_log_is_one_of_the_environment():
    """Rewards and observations are those of an environment that is given the logged actions."""
    program = confounded()
    log = record(program, 1000, "random", seed=4)
    env = SequenceVectorEnv(program, 1024)
    from causalbench.rng import generator, words

    seed = int(words(generator(4, "log/random", 0), 1)[0] >> np.uint64(2))
    seen, _ = env.reset(seed=seed)
    count = log.episodes
    assert np.array_equal(seen[:count], log.seen[:, 0])
    for step in range(3):
        action = np.zeros(1024, dtype=np.int64)
        action[:count] = log.action[:, step]
        _, reward, ended, _, info = env.step(action)
        assert np.array_equal(reward[:count], log.reward[:, step])
    assert ended.all()
    assert np.array_equal(info["final_obs"][:count], log.seen[:, 3])


def test_a_natural_log_pays_as_watching_does():
    """The mean return is that of the watch-only environment, another program of the same law."""
    program = confounded()
    log = record(program, STEPS, seed=2)
    env = SequenceVectorEnv(program, 8192, regime="see")
    env.reset(seed=0)
    watched = sum(env.step(np.zeros(8192, dtype=np.int64))[1] for _ in range(3))
    spread = np.sqrt(0.25 / log.episodes + 0.25 / 8192)  # of two means of numbers in [0, 1]
    assert abs(log.reward.sum(axis=1).mean() - watched.mean()) < SIGMAS * spread


def test_a_policy_acts_on_what_the_log_shows():
    """Whoever eats after bad sleep is seen to, and draws as its probabilities say."""

    class Mean:
        recalls = True
        reads_reward = False

        def begin(self, n):
            return np.zeros(n, dtype=np.int64)

        def act(self, moment, memory):
            assert (memory == moment.step).all()
            assert (moment.action < 0).all() == (moment.step == 0)
            bad = moment.seen[:, SLEEP] == 0
            chances = np.zeros((len(bad), 3))
            chances[bad, 2] = 1.0
            chances[~bad] = [0.5, 0.5, 0.0]
            return chances, memory + 1

    log = record(confounded(), 6000, Mean())
    bad = log.seen[:, :-1, SLEEP] == 0
    assert bad.any()
    assert (log.action[bad] == 2).all()
    assert not (log.action[~bad] == 2).any()
    assert within(np.mean(log.action[~bad] == 0), (~bad).sum(), 0.5)


def test_a_policy_of_another_shape_is_refused():
    """Probabilities that do not sum to one, or of too many actions."""

    class Odd:
        recalls = reads_reward = False

        def begin(self, _):
            return None

        def act(self, moment, memory):
            return np.full((len(moment.seen), 2), 0.5), memory

    with pytest.raises(AgentError, match="give 1024 rows of 3"):
        record(confounded(), 10, Odd())


def test_bets_are_drawn_and_each_pays_for_itself():
    """Nature does not bet: a natural log of bets holds one a step, at random."""
    program = confounded(
        horizon=1, mode="bet", actions=("sleep=bad", "sleep=good"), reward=(), observes=("mood",)
    )
    log = record(program, STEPS)
    assert (log.matches.sum(axis=2) == 1).all()
    assert within(np.mean(log.action == 0), log.steps, 0.5)
    high = (log.seen[:, 0, MOOD] == 1) & (log.action[:, 0] == 1)
    exact = truth(program.process.unroll(), "P(sleep_1=good | mood_1=high)").value
    assert within(log.reward[high, 0].mean(), high.sum(), exact)


def test_what_nature_does_may_be_none_of_the_actions():
    """Where no listed action has the settings of a step, the log names none."""
    log = record(confounded(actions=("eat=yes",)), 3000)
    ate = log.seen[:, 1:, EAT] == 1
    assert np.array_equal(log.action == 0, ate)
    assert (log.action[~ate] == -1).all()


@pytest.mark.parametrize("regime", ["see", "replay"])
def test_other_regimes_are_refused(regime):
    """A log shows what an agent sees that acts."""
    with pytest.raises(AccessError, match="do or intent"):
        record(confounded(), 10, regime=regime)


def test_a_log_of_nothing_is_refused():
    """Neither no steps, nor no logs."""
    with pytest.raises(AccessError, match="at least 1"):
        record(confounded(), 0)
    with pytest.raises(ScoreError, match="at least one"):
        joined([])


def test_rewards_can_be_left_out():
    """They are NaN then, and the rest stays."""
    log = record(confounded(), 100)
    bare = log.without_rewards()
    assert log.rewarded
    assert not bare.rewarded
    assert bare.seen is log.seen
