"""Learners from logs: what they converge to, what they refuse, and that they can be resumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalbench.agent.learn.log_field import LogField
from causalbench.agent.learn.offline_common import Steps
from causalbench.agent.learn.registry import LEARNERS, make_learner
from causalbench.agent.learn.window import Window
from causalbench.env.record import record
from causalbench.errors import AccessError, AgentError
from causalbench.scm.play import Play
from causalbench.scm.program import Program
from causalbench.task.sequential.slices import Slices
from causalbench.truth import truth
from causalbench.truth.policy import Moment, clone, policy_value, references

NAMES = ("bc", "fitted-q", "cql", "iql", "maxent-irl")
VALUED = ("fitted-q", "cql", "iql")
QUICK = {"updates": 400, "batch": 64, "learning_rate": 3e-3}  # enough for a few cells
BRIEF = {"updates": 20}
SIGMAS = 5


def sweets(horizon=1, **changes):
    """Return a world in which a hidden taste makes what harms look good."""
    made = Slices(horizon).add("taste", "plain sweet", hidden=True)
    made.add("mood", "low high").add("eat", "no yes").add("sleep", "bad good")
    made.chance("taste", "", lambda: 0.5, when="first")
    made.chance("taste", "taste_before", lambda before: 0.75 if before else 0.25, when="later")
    made.chance("mood", "taste", lambda taste: 0.75 if taste else 0.25)
    made.chance("eat", "taste", lambda taste: 0.875 if taste else 0.125)
    made.chance("sleep", "taste eat", lambda taste, eat: 0.25 + 0.625 * taste - 0.125 * eat)
    play = {
        "id": "night",
        "actions": ("eat=no", "eat=yes"),
        "observes": ("mood", "sleep"),
        "reward": ((1.0, "sleep=good"),),
        **changes,
    }
    return Program(made.process(), Play(**play))


def log_field(program, policy="natural", *, steps=20_000, rewards=True, seed=1):
    """Return a field of logs, in the open."""
    log = record(program, steps, policy, seed=seed)
    return LogField.of(program, log if rewards else log.without_rewards())


def trained(name, field, steps, **options):
    """Return a learner that has read a log."""
    learner = make_learner(name, options)
    learner.start(field, rng=np.random.default_rng(0))
    learner.train(steps)
    return learner


def quick(name):
    """Return options that train a learner in a moment."""
    return {} if name == "maxent-irl" else BRIEF


def chances(policy, seen, step=0):
    """Return the probabilities of the actions when one observation was made."""
    moment = Moment(np.array([seen], dtype=np.uint8), np.array([-1]), np.zeros(1), step)
    return policy.act(moment, policy.begin(1))[0][0]


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_makes_it(name):
    """By name, for logs alone, with an honest word on rung 3."""
    learner = make_learner(name)
    assert name in LEARNERS
    assert (learner.name, learner.regimes) == (name, frozenset({"see"}))
    assert learner.rung3 == {"see": "rung-2" if name in VALUED else "abstain"}


@pytest.mark.parametrize(("name", "options"), [("fitted-q", {"features": "table"})])
@pytest.mark.parametrize(("policy", "rung"), [("natural", "see"), ("random", "do")])
def test_a_table_reaches_the_rung_of_its_log(name, options, policy, rung):
    """From a confounded log it gets the value of rung 1; from a random one that of rung 2.

    With 20,000 rows the values of both actions at both moods, .125 apart or more, are known to
    within a standard error of .008, so the better ones are found.
    """
    program = sweets()
    best = references(program, ["see", "do"])
    learner = trained(name, log_field(program, policy), 20_000, **options)
    value = policy_value(program, learner.policy(), "do").value
    assert value == pytest.approx(best[rung].value.value, abs=1e-12)
    assert best["see"].value.value < best["do"].value.value - 0.1


@pytest.mark.parametrize("name", VALUED)
@pytest.mark.parametrize(("policy", "rung"), [("natural", "see"), ("random", "do")])
def test_a_network_reaches_the_rung_of_its_log(name, policy, rung):
    """So do the networks, by their likeliest action."""
    program = sweets()
    best = references(program, ["see", "do"])
    learner = trained(name, log_field(program, policy), 20_000, **QUICK)
    value = policy_value(program, learner.policy(), "do", greedy=True).value
    assert value == pytest.approx(best[rung].value.value, abs=1e-12)


@pytest.mark.parametrize("history", [1, 3])
def test_values_ahead_are_backed_up(history):
    """A key must be taken at the first step for the door to pay at the last: two steps on."""
    made = Slices(3).add("key", "no yes").add("act", "wait take open").add("door", "shut open")
    made.rule("act", "", lambda noise: noise, noise=(0.5, 0.25, 0.25))
    made.rule("key", "act", lambda _, act: int(act == 1), when="first")
    made.rule("key", "key_before act", lambda _, k, act: int(k or act == 1), when="later")
    made.rule("door", "", lambda _: 0, when="first")
    made.rule("door", "key_before act", lambda _, k, act: int(k and act == 2), when="later")
    play = Play(
        "p",
        ("act=wait", "act=take", "act=open"),
        ("key",),
        ((1.0, "door=open"), (-0.25, "act=take")),
        returns=(-1.0, 2.0),
    )
    program = Program(made.process(), play)
    learner = trained("fitted-q", log_field(program), 6000, features="table", history=history)
    found = policy_value(program, learner.policy(), "do").value
    assert found == pytest.approx(references(program, ["do"])["do"].value.value, abs=1e-12)
    assert found == pytest.approx((1.0 + 1.75) / 3.0, abs=1e-12)


def test_pessimism_keeps_to_what_the_log_holds():
    """With alpha large CQL prefers the action that was done often, though it pays less."""
    program = sweets(observes=("mood",))
    field = log_field(program, "natural")
    often = chances(trained("cql", field, 5000, alpha=20.0, **QUICK).policy(), [0, 2, 2, 1, 0])
    assert often.tolist() == [1.0, 0.0]  # eat=no, by far the more common in a low mood
    free = chances(trained("cql", field, 5000, alpha=0.0, **QUICK).policy(), [0, 2, 2, 1, 0])
    assert free.tolist() == [0.0, 1.0]


def test_a_clone_acts_as_often_as_the_behaviour_policy():
    """The share of each action given what is seen, to within chance."""
    program = sweets()
    steps = 3000
    clone = trained("bc", log_field(program), steps, **QUICK).policy()
    scm = program.process.unroll()
    for mood, code in (("low", 0), ("high", 1)):
        exact = truth(scm, f"P(eat_1=yes | mood_1={mood})").value
        found = chances(clone, [code, 2, 2, 1, 0])[1]
        assert abs(found - exact) < SIGMAS * np.sqrt(exact * (1 - exact) / (steps / 2))


def test_inverse_rl_meets_what_the_log_meets():
    """Soft-optimal for the rewards found, it does what the log does as often."""
    made = Slices(2).add("go", "left right").add("at", "a b")
    made.chance("go", "", lambda: 0.875)
    made.rule("at", "go", lambda _, go: go)
    program = Program(made.process(), Play("p", ("go=left", "go=right"), ("at",), ((1.0, "at=b"),)))
    learner = trained("maxent-irl", log_field(program, rewards=False), 6000)
    for step, seen in ((0, [2, 2, 1, 0]), (1, [2, 0, 1, 0]), (1, [2, 1, 1, 0])):
        found = chances(learner.policy(), seen, step)[1]
        tolerance = SIGMAS * np.sqrt(0.875 * 0.125 / 6000) + 0.005  # what l2 and the steps leave
        assert abs(found - 0.875) < tolerance


@pytest.mark.parametrize("name", NAMES)
def test_rewards_are_needed_by_those_that_value(name):
    """A log without them is refused in one line, or imitated."""
    learner = make_learner(name, quick(name))
    learner.start(log_field(sweets(), rewards=False), rng=np.random.default_rng(0))
    if name in VALUED:
        with pytest.raises(AgentError, match="learns from rewards"):
            learner.train(100)
    else:
        learner.train(100)
        assert chances(learner.policy(), [0, 2, 2, 1, 0]).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_run_is_an_unbroken_one(name, tmp_path):
    """Saved after one budget and loaded elsewhere, it learns the same from the next."""
    field = log_field(sweets(2))
    whole = trained(name, field, 200, **quick(name))
    before = chances(whole.policy(), [0, 2, 2, 1, 0])
    frozen = whole.policy()
    whole.save(tmp_path)
    whole.train(600)
    resumed = make_learner(name, quick(name))
    resumed.start(field, rng=np.random.default_rng(9))
    resumed.load(tmp_path)
    assert np.array_equal(chances(resumed.policy(), [0, 2, 2, 1, 0]), before)
    resumed.train(600)
    for seen in ([0, 2, 2, 1, 0], [1, 2, 0, 1, 0]):
        assert np.array_equal(chances(resumed.policy(), seen, 1), chances(whole.policy(), seen, 1))
    assert np.array_equal(chances(frozen, [0, 2, 2, 1, 0]), before)


def test_a_checkpoint_of_another_learner_is_refused(tmp_path):
    """Other options make another learner."""
    field = log_field(sweets())
    trained("fitted-q", field, 50, **QUICK).save(tmp_path)
    other = make_learner("fitted-q", {"updates": 401})
    other.start(field, rng=np.random.default_rng(0))
    with pytest.raises(AgentError, match="give that learner and those options"):
        other.load(tmp_path)


def test_another_field_is_read_from_its_own_first_step():
    """Budgets count on in the next phase, whose log begins anew; what was learnt stays."""
    asked = []

    class Counted(LogField):
        def log(self, steps):
            asked.append(steps)
            return super().log(steps)

    def counted(seed):
        program = sweets()
        return Counted.of(program, record(program, 200, seed=seed))

    learner = make_learner("fitted-q", {"features": "table"})
    learner.start(counted(1), rng=np.random.default_rng(0))
    learner.train(100)
    learner.train(100)
    learner.enter(counted(2))
    learner.train(150)
    assert asked == [100, 50]


def test_only_logs_are_learnt_from():
    """A field to act in is refused, and so is training before the start."""
    learner = make_learner("bc")
    with pytest.raises(AgentError, match="call start"):
        learner.train(10)
    field = replace(log_field(sweets()), regime="do")
    with pytest.raises(AccessError, match="never acts"):
        learner.start(field, rng=np.random.default_rng(0))


def test_another_play_is_refused():
    """What was learnt of some actions says nothing of others."""
    learner = trained("fitted-q", log_field(sweets()), 50, features="table")
    other = log_field(sweets(actions=("pass", "eat=no", "eat=yes")))
    with pytest.raises(AgentError, match="start anew"):
        learner.enter(other)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bc", {"history": 0}),
        ("fitted-q", {"features": "trees"}),
        ("cql", {"alpha": -1.0}),
        ("iql", {"expectile": 1.0}),
        ("iql", {"updates": 0}),
        ("maxent-irl", {"iterations": 0}),
    ],
)
def test_options_out_of_range_are_refused(name, options):
    """Before anything is trained, in one line."""
    with pytest.raises(AgentError, match="; give"):
        make_learner(name, options)


@pytest.mark.parametrize("history", [1, 2, 4])
def test_a_window_is_the_same_from_a_log_and_in_play(history):
    """Whatever is learnt at a state of the log is done at that state."""
    program = sweets(4)
    nvec = tuple(log_field(program).nvec.tolist())
    window = Window(nvec, 2, 4, history)
    played = []

    class Noted:
        recalls = history > 1
        reads_reward = False

        def begin(self, n):
            return window.begin(n)

        def act(self, moment, memory):
            codes, memory = window.codes(moment, memory)
            played.append(codes)
            even = np.full((len(codes), 2), 0.5)
            return even, memory

    log = record(program, 400, Noted())
    codes = window.of_log(log)
    for step in range(4):
        assert np.array_equal(codes[:, step], played[step][: log.episodes])
    assert (codes <= window.sizes - 1).all()


def test_a_step_is_an_instance_of_every_action_that_it_matches():
    """Twice where pass and the action both fit, with one reward; after the end, never."""
    program = sweets(3, actions=("pass", "eat=no", "eat=yes"), ends="sleep=bad")
    log = record(program, 300)
    field = log_field(program)
    steps = Steps.of(log, Window(tuple(field.nvec.tolist()), 3, 3))
    assert len(steps) == log.matches.sum() == 2 * log.steps
    assert steps.done.sum() == 2 * log.episodes
    assert steps.own.sum() == log.steps
    assert steps.reward.sum() == pytest.approx(2 * log.reward.sum())


def test_a_table_of_too_long_a_history_is_refused():
    """Its states could not be numbered."""
    window = Window((3,) * 10, 4, 20, history=9)
    with pytest.raises(AgentError, match="too long for a table"):
        window.keys(np.zeros((1, len(window.sizes)), dtype=np.int16))


def test_what_was_never_seen_gets_what_is_usually_best():
    """A table that does not know an observation does what was best on average."""
    policy = trained("fitted-q", log_field(sweets(), "random"), 4000, features="table").policy()
    assert chances(policy, [2, 1, 1, 1, 0]).tolist() == [1.0, 0.0]


def test_a_log_at_hand_gives_no_environment_and_no_more_than_it_holds():
    """Acting is refused, and so are more steps than were recorded."""
    field = log_field(sweets(), steps=100)
    with pytest.raises(AccessError, match="gives no environment"):
        field.env(2)
    with pytest.raises(AccessError, match="101 steps were asked of a log of 100"):
        field.log(101)


@pytest.mark.slow
def test_a_clone_is_worth_what_the_exact_clone_is():
    """Without seeing the light that the expert sees, by the shares of the law itself.

    An error in a share moves the value by the share of the log at that history times what its
    actions differ in, at most 1; summed over histories and steps the variance is at most T / 4E.
    """
    from causalbench.task.sequential.catalogue import load_sequence

    program = load_sequence("imitate").program()
    field = log_field(program, steps=30_000, rewards=False)
    learner = trained("bc", field, 30_000, history=program.horizon, updates=1000)
    exact = clone(program).value.value
    tolerance = SIGMAS * np.sqrt(program.horizon / (4 * field.held.episodes))
    value = policy_value(program, learner.policy(), "do")
    assert abs(value.value - exact) < tolerance
    expert = policy_value(program, learner.policy(), "see").value  # whoever acts there is nature
    assert exact + tolerance < expert


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUED)
def test_rounds_in_the_casino_stay_on_rung_1(name):
    """Offline, with all that was seen remembered, the value is that of the best see policy.

    At this size every history that it meets is decided as by the reference, so the values differ
    by rounding alone.
    """
    from causalbench.task.sequential.catalogue import load_sequence

    program = load_sequence("casino-rounds").program()
    best = references(program, ["see", "do"])
    field = log_field(program, steps=30_000)
    learner = trained(name, field, 30_000, history=program.horizon, updates=1000)
    value = policy_value(program, learner.policy(), "do", greedy=True)
    assert value.value == pytest.approx(best["see"].value.value, abs=1e-9)
    assert value.value < best["do"].value.value - 0.1
