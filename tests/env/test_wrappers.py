"""Wrappers show the same observation in another form: nothing is lost, and nothing is added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import pytest
from drawn_programs import ACTIONS, CARDS, OBSERVES, drawn_program
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from causalbench.env import SequenceEnv, SequenceVectorEnv
from causalbench.env.env import make_world_env
from causalbench.env.wrappers import (
    DictObservation,
    DictVectorObservation,
    FactObservation,
    FactVectorObservation,
    FlatObservation,
    FlatVectorObservation,
    HistoryObservation,
    HistoryVectorObservation,
)
from causalbench.errors import AgentError, WorldError
from causalbench.scm.play import REGIMES, Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.task.facts import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

COPIES = 5
SCALAR = {"flat": FlatObservation, "dict": DictObservation, "facts": FactObservation}
VECTOR = {
    "flat": FlatVectorObservation,
    "dict": DictVectorObservation,
    "facts": FactVectorObservation,
}
EARLY_END = drawn_program(3, 4, ends="end=1")


def scalar_rollout(env: gymnasium.Env[Any, Any], steps: int = 30) -> list[Any]:
    """Return the observations of some episodes."""
    rng, seen = np.random.default_rng(0), [env.reset(seed=4)[0]]
    actions: Any = env.action_space
    for _ in range(steps):
        observation, _, ended, _, _ = env.step(int(rng.integers(actions.n)))
        seen.append(observation)
        if ended:
            seen.append(env.reset()[0])
    return seen


def vector_rollout(env: Any, steps: int = 30) -> list[tuple[Any, Any]]:
    """Return observations, and the last ones of episodes with who ended."""
    rng, seen = np.random.default_rng(0), [(env.reset(seed=4)[0], None)]
    for _ in range(steps):
        actions = rng.integers(env.single_action_space.n, size=env.num_envs)
        observation, _, _, _, info = env.step(actions)
        told = (info["final_obs"], info["_final_obs"]) if "final_obs" in info else None
        seen.append((observation, told))
    return seen


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version")
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize(
    "wrap", [*SCALAR.values(), lambda env: HistoryObservation(env, 3)], ids=[*SCALAR, "history"]
)
def test_wrapped_environments_pass_gymnasiums_check(wrap: Callable[..., Any], regime: str) -> None:
    """Spaces, types, seeding and determinism."""
    env = wrap(SequenceEnv(EARLY_END, regime))  # type: ignore[arg-type]
    check_env(env, skip_render_check=True)


@pytest.mark.parametrize("name", SCALAR)
def test_scalar_forms_decode_to_the_vectors(name: str) -> None:
    """The same rollout, wrapped and not."""
    env = SCALAR[name](SequenceEnv(EARLY_END, "intent"))
    plain = scalar_rollout(SequenceEnv(EARLY_END, "intent"))
    shown = scalar_rollout(env)
    assert all(one in env.observation_space for one in shown)
    assert [env.decode(one).tolist() for one in shown] == [one.tolist() for one in plain]


@pytest.mark.parametrize("name", VECTOR)
def test_vector_forms_decode_to_the_vectors(name: str) -> None:
    """Last observations of episodes, too."""
    env = VECTOR[name](SequenceVectorEnv(EARLY_END, COPIES, "replay"))
    plain = vector_rollout(SequenceVectorEnv(EARLY_END, COPIES, "replay"))
    ends = 0
    for (shown, last), (wanted, final) in zip(vector_rollout(env), plain, strict=True):
        assert shown in env.observation_space
        assert np.array_equal(env.decode(shown), wanted)
        if final is not None:
            assert last is not None
            ends += int(final[1].sum())
            assert np.array_equal(env.decode(last[0])[last[1]], final[0][final[1]])
    assert ends > 0


@pytest.mark.parametrize("name", VECTOR)
def test_vector_form_of_a_copy_is_its_scalar_form(name: str) -> None:
    """Copy i of seed s is the scalar environment of seed s + i."""
    several = VECTOR[name](SequenceVectorEnv(EARLY_END, COPIES)).reset(seed=4)[0]
    for copy in range(COPIES):
        one = SCALAR[name](SequenceEnv(EARLY_END)).reset(seed=4 + copy)[0]
        if isinstance(one, dict):
            assert {key: np.asarray(value).tolist() for key, value in one.items()} == {
                key: value[copy].tolist() for key, value in several.items()
            }
        else:
            assert np.array_equal(one, several[copy])


def test_last_observations_of_gymnasiums_own_vector_environment_are_turned_too() -> None:
    """It puts them into an array of objects."""
    made = [lambda: SequenceEnv(EARLY_END)] * COPIES
    sync: Any = SyncVectorEnv(made, autoreset_mode=AutoresetMode.SAME_STEP)
    env = FlatVectorObservation(sync)
    native = FlatVectorObservation(SequenceVectorEnv(EARLY_END, COPIES))
    for (one, last), (two, final) in zip(vector_rollout(env), vector_rollout(native), strict=True):
        assert np.array_equal(one, two)
        if final is not None:
            assert np.array_equal(np.stack(last[0][last[1]]), final[0][final[1]])


def test_flat_observations_are_one_hot_in_each_place() -> None:
    """By hand: one 1 in each stretch, float32."""
    env = FlatObservation(SequenceEnv(drawn_program(0)))
    seen, _ = env.reset(seed=0)
    sizes = [card + 1 for name, card in CARDS.items() if name != "hid"] + [3, 1]
    assert (seen.dtype, seen.shape) == (np.dtype(np.float32), (sum(sizes),))
    assert [part.sum() for part in np.split(seen, np.cumsum(sizes)[:-1])] == [1.0] * len(sizes)


def test_flat_observations_go_around_one_step_worlds() -> None:
    """Any vector of codes will do."""
    env = FlatObservation(make_world_env("umbrella-rain", "act-cheap"))
    plain = make_world_env("umbrella-rain", "act-cheap")
    assert np.array_equal(env.decode(env.reset(seed=3)[0]), plain.reset(seed=3)[0])


def test_dicts_name_each_visible_variable() -> None:
    """Then the mode and the goal; what is not seen has the last code."""
    env = DictObservation(SequenceEnv(drawn_program(0)))
    seen, _ = env.reset(seed=0)
    assert list(seen) == ["cue", "act", "aid", "out", "end", "mode", "goal"]
    assert (seen["aid"], seen["mode"], seen["goal"]) == (CARDS["aid"], 1, 0)


def test_facts_leave_out_what_is_not_seen() -> None:
    """`seen` facts are the observed variables that have a value, and those alone."""
    inner = SequenceEnv(drawn_program(0))
    env = FactObservation(inner)
    env.reset(seed=0)
    shown, *_ = env.step(1)
    there = np.flatnonzero((shown["kind"] == KINDS.index("seen")) & (shown["mask"] == 1))
    names = [inner.program.process.visible[place] for place in shown["variables"][there, 0]]
    assert names == list(OBSERVES)
    assert not shown["kind"][shown["mask"] == 0].any()
    assert (shown["codes"][shown["mask"] == 0] == -1).all()


def test_facts_say_what_actions_set() -> None:
    """One `action` fact each, in their order, "pass" setting nothing."""
    env = FactObservation(SequenceEnv(drawn_program(0)))
    seen, _ = env.reset(seed=0)
    names = env.unwrapped.program.process.visible  # type: ignore[attr-defined]
    told = []
    for row in np.flatnonzero(seen["kind"] == KINDS.index("action")):
        pairs = zip(seen["variables"][row], seen["codes"][row], strict=True)
        told.append(", ".join(f"{names[v]}={code}" for v, code in pairs if v >= 0) or "pass")
    assert tuple(told) == ACTIONS


def test_facts_are_read_in_any_order() -> None:
    """They are a set."""
    env = FactObservation(SequenceEnv(drawn_program(1), "intent"))
    seen, _ = env.reset(seed=2)
    order = np.random.default_rng(0).permutation(len(seen["kind"]))
    mixed = {key: value[order] for key, value in seen.items()}
    assert env.decode(mixed).tolist() == env.decode(seen).tolist()


def past_of(seen: list[NDArray[Any]], actions: list[int], at: int, k: int, blank: Any) -> Any:
    """Return what a history should hold at a step, from a plain episode."""
    rows = [seen[i] if i >= 0 else blank for i in range(at - k + 1, at + 1)]
    acts = [actions[i - 1] if i >= 1 else -1 for i in range(at - k + 1, at + 1)]
    return [row.tolist() for row in rows], acts, at


@pytest.mark.parametrize("regime", ["do", "replay"])
def test_histories_hold_the_last_observations_and_actions(regime: str) -> None:
    """Against an episode that is played without the wrapper."""
    k, program = 3, drawn_program(0, 5)
    env = HistoryObservation(SequenceEnv(program, regime), k)  # type: ignore[arg-type]
    plain = SequenceEnv(program, regime)  # type: ignore[arg-type]
    assert isinstance(plain.observation_space, gymnasium.spaces.MultiDiscrete)
    blank = np.array([*(plain.observation_space.nvec[:-2] - 1), 0, 0])
    rng = np.random.default_rng(0)
    for episode in range(3):
        seed = 9 if episode == 0 else None
        seen, actions, ended = [plain.reset(seed=seed)[0]], [], False
        past = env.decode(env.reset(seed=seed)[0])
        while True:
            found = past.seen.tolist(), past.actions.tolist(), int(past.step)
            assert found == past_of(seen, actions, len(actions), k, blank)
            if ended:
                break
            actions.append(int(rng.integers(len(plain.actions))))
            observation, _, ended, _, _ = plain.step(actions[-1])
            seen.append(observation)
            past = env.decode(env.step(actions[-1])[0])
        assert len(actions) == (5 if regime == "do" else 9)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_histories_of_copies_are_those_of_single_environments(mode: AutoresetMode) -> None:
    """With episodes that end early, whose last history is in `final_obs`."""
    env = HistoryVectorObservation(SequenceVectorEnv(EARLY_END, COPIES, autoreset_mode=mode), 2)
    ones = [HistoryObservation(SequenceEnv(EARLY_END), 2) for _ in range(COPIES)]
    shown = env.reset(seed=4)[0]
    wanted = [one.reset(seed=4 + copy)[0] for copy, one in enumerate(ones)]
    over = [False] * COPIES
    rng, ends = np.random.default_rng(0), 0
    for _ in range(30):
        assert np.array_equal(shown, np.stack(wanted))
        assert shown in env.observation_space
        actions = rng.integers(len(ACTIONS), size=COPIES)
        shown, _, _, _, info = env.step(actions)
        for copy, one in enumerate(ones):
            if over[copy]:
                wanted[copy], over[copy] = one.reset()[0], False
                continue
            wanted[copy], _, ended, _, _ = one.step(int(actions[copy]))
            ends += ended
            if ended and mode is AutoresetMode.SAME_STEP:
                assert np.array_equal(info["final_obs"][copy], wanted[copy])
                wanted[copy] = one.reset()[0]
            else:
                over[copy] = ended
    assert ends > COPIES


def test_histories_of_some_copies_are_begun_anew() -> None:
    """`reset_mask` forgets the past of those alone."""
    env = HistoryVectorObservation(SequenceVectorEnv(drawn_program(0, 5), 2), 2)
    env.reset(seed=1)
    before = env.step(np.array([1, 2]))[0]
    after = env.reset(options={"reset_mask": np.array([True, False])})[0]
    steps = env.decode(after).step.tolist()
    assert (steps, after[1].tolist()) == ([0, 1], before[1].tolist())


@pytest.mark.parametrize(
    "wrap",
    [FlatObservation, DictObservation, FactObservation, lambda env: HistoryObservation(env, 2)],
)
def test_sealed_environments_can_be_wrapped(wrap) -> None:
    """Names and values of what is seen are no secret."""
    env = wrap(SequenceEnv(drawn_program(0), rng=np.random.default_rng(0)))
    seen, _ = env.reset()
    assert seen in env.observation_space


def test_facts_have_no_word_for_a_hidden_variable() -> None:
    """So a play whose actions set one is refused."""
    data = {
        "horizon": 2,
        "variables": {"x": {"values": ["0", "1"], "hidden": True}, "y": {"values": ["0", "1"]}},
        "first": {
            "x": {"parents": [], "noise": [0.5, 0.5], "table": [0, 1]},
            "y": {"equation": "x"},
        },
    }
    play = Play("p", ("pass", "x=1"), ("y",), ((1.0, "y=1"),))
    with pytest.raises(AgentError, match="names 'x', which is hidden"):
        FactObservation(SequenceEnv(Program(Process.from_dict(data), play)))


def test_flat_goes_around_a_history() -> None:
    """A history is a vector of codes, too."""
    inner = HistoryObservation(SequenceEnv(drawn_program(0)), 2)
    env = FlatObservation(inner)
    plain = HistoryObservation(SequenceEnv(drawn_program(0)), 2)
    assert env.decode(env.reset(seed=1)[0]).tolist() == plain.reset(seed=1)[0].tolist()


def test_a_history_of_nothing_is_refused() -> None:
    """At least one observation."""
    env = SequenceEnv(drawn_program(0))
    with pytest.raises(AgentError, match="k is 0"):
        HistoryObservation(env, 0)


def test_names_are_refused_where_there_is_no_program() -> None:
    """Environments of one step have none."""
    env = make_world_env("umbrella-rain", "act-cheap")
    with pytest.raises(AgentError, match="no sequential environment"):
        DictObservation(env)


def test_flat_refuses_what_is_no_vector_of_codes() -> None:
    """Such as its own observations."""
    env = FlatObservation(SequenceEnv(drawn_program(0)))
    with pytest.raises(AgentError, match="not vectors of codes"):
        FlatObservation(env)


def test_dict_refuses_a_variable_called_mode() -> None:
    """Two entries cannot have one name."""
    from causalbench.env.wrapper_codes import DictCode

    with pytest.raises(WorldError, match="called 'mode'"):
        DictCode(("mode",), np.array([3, 3, 1]))
