"""The environments in torch play what the environments on arrays play, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from drawn_programs import ACTIONS, drawn_program
from gymnasium.error import ResetNeeded

from causalbench.env import SequenceVectorEnv
from causalbench.env.torch import SequenceTorchEnv
from causalbench.env.torch_tables import words
from causalbench.errors import AgentError, UnknownNameError, WorldError
from causalbench.scm.play import REGIMES

if TYPE_CHECKING:
    from causalbench.scm.program import Program

COPIES = 13
# A reward is an offset and four tables' entries at most, all scaled to [-1, 1] and rounded to
# float32 (half an epsilon each), summed by four additions of at most 2 (an epsilon each).
OFF = (5 / 2 + 4) * float(np.finfo(np.float32).eps)


def assert_alike(programs: Program | list[Program], regime: str, steps: int = 25) -> None:
    """Play both with the same random actions, and compare everything."""
    ours = SequenceTorchEnv(programs, COPIES, regime)  # type: ignore[arg-type]
    theirs = SequenceVectorEnv(programs, COPIES, regime)  # type: ignore[arg-type]
    seen, _ = ours.reset(seed=8)
    wanted, _ = theirs.reset(seed=8)
    assert np.array_equal(seen.numpy(), wanted)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        actions = rng.integers(len(theirs.actions), size=COPIES)
        seen, reward, ended, cut, info = ours.step(torch.from_numpy(actions))
        wanted, pay, over, _, told = theirs.step(actions)
        assert np.array_equal(seen.numpy(), wanted)
        assert np.abs(reward.numpy() - pay).max() <= OFF
        assert np.array_equal(ended.numpy(), over)
        assert not cut.any()
        if over.any():
            assert np.array_equal(info["final_obs"].numpy(), told["final_obs"])
            assert np.array_equal(info["_final_obs"].numpy(), told["_final_obs"])


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("horizon", [1, 3])
def test_rollouts_equal_those_on_arrays(regime: str, horizon: int) -> None:
    """One world in every copy, in every regime."""
    assert_alike(drawn_program(0, horizon), regime)


@pytest.mark.parametrize("regime", REGIMES)
def test_rollouts_of_different_worlds_equal_those_on_arrays(regime: str) -> None:
    """Worlds with other diagrams and laws in one environment."""
    assert_alike([drawn_program(seed) for seed in range(5)], regime)


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("worlds", [1, 4])
def test_episodes_that_end_early_equal_those_on_arrays(regime: str, worlds: int) -> None:
    """Copies that are at different steps."""
    assert_alike([drawn_program(seed, 4, ends="end=1") for seed in range(worlds)], regime, 40)


def test_reset_without_a_seed_goes_on_with_fresh_units() -> None:
    """As in NumPy: the same seed, then the following episode."""
    ours, theirs = (
        each(drawn_program(2), COPIES) for each in (SequenceTorchEnv, SequenceVectorEnv)
    )
    for seed in (4, None, 4):
        assert np.array_equal(ours.reset(seed=seed)[0].numpy(), theirs.reset(seed=seed)[0])


def test_seed_of_the_constructor_is_that_of_the_first_reset() -> None:
    """A seed may be given when the environment is made."""
    one = SequenceTorchEnv(drawn_program(2), COPIES, seed=4)
    two = SequenceTorchEnv(drawn_program(2), COPIES)
    assert torch.equal(one.reset()[0], two.reset(seed=4)[0])


def test_words_equal_those_counted_in_unsigned_numbers() -> None:
    """Products that wrap and shifts that fill with zeros, on keys with the sign bit set."""
    from causalbench.env.stream import word

    keys = [0, 1, 2**63, 2**64 - 1, 0xDEADBEEF12345678]
    mine = torch.from_numpy(np.array(keys, dtype=np.uint64).view(np.int64))
    found = words(mine, torch.tensor([0, 5, 2**40, 2**62, 7]), 2)
    wanted = []
    for key, base in zip(keys, (0, 5, 2**40, 2**62, 7), strict=True):
        both = [word(key, base + place) for place in (0, 1)]
        wanted.append([half for each in both for half in (each & 2**32 - 1, each >> 32)])
    assert found.T.tolist() == wanted


@pytest.mark.parametrize(
    "actions",
    [
        torch.full((COPIES,), len(ACTIONS)),
        torch.full((COPIES,), -1),
        torch.zeros(COPIES - 1, dtype=torch.int64),
        torch.zeros(COPIES),
    ],
)
def test_actions_that_do_not_exist_are_refused(actions: torch.Tensor) -> None:
    """Too large, negative, too few, and not whole."""
    env = SequenceTorchEnv(drawn_program(0), COPIES)
    env.reset()
    with pytest.raises(UnknownNameError, match="actions have shape"):
        env.step(actions)


def test_step_before_reset_is_refused() -> None:
    """No episode has begun."""
    env = SequenceTorchEnv(drawn_program(0), 2)
    with pytest.raises(ResetNeeded):
        env.step(torch.zeros(2, dtype=torch.int64))


def test_no_copies_are_refused() -> None:
    """At least one."""
    with pytest.raises(AgentError, match="num_envs"):
        SequenceTorchEnv(drawn_program(0), 0)


def test_programs_that_differ_in_more_than_laws_are_refused() -> None:
    """Another horizon."""
    with pytest.raises(WorldError, match="program 1 differs"):
        SequenceTorchEnv([drawn_program(0, 3), drawn_program(0, 4)], 2)


def test_all_is_on_the_device() -> None:
    """Tensors of small types, on the device that was asked for."""
    env = SequenceTorchEnv(drawn_program(0), 2, device="cpu")
    seen, _ = env.reset()
    _, reward, ended, _, info = env.step(torch.zeros(2, dtype=torch.int64))
    kinds = [seen.dtype, reward.dtype, ended.dtype, info["final_obs"].dtype]
    assert kinds == [torch.uint8, torch.float32, torch.bool, torch.uint8]
    assert {each.device.type for each in (seen, reward, ended, info["final_obs"])} == {"cpu"}
