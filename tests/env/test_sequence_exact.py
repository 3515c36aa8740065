"""What environments show is what the unrolled process gives for the same noise, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_programs import drawn_program
from unrolled_oracle import assert_follows

from causalbench.env import SequenceEnv
from causalbench.env.stream import key_of, noise_codes
from causalbench.scm.play import REGIMES, Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.scm.random import random_scm

EPISODES = 25


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seed", range(4))
def test_environments_follow_the_unrolled_process(seed, regime):
    """Observations, rewards and ends, on random processes of one to four steps."""
    program = drawn_program(seed, seed + 1)
    assert_follows(program, regime, SequenceEnv(program, regime), EPISODES, seed)


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seed", range(10, 13))
def test_episodes_that_end_early_follow_it_too(seed, regime):
    """Also where a watched course ends before its time."""
    program = drawn_program(seed, 4, ends="end=1, aid!=0")
    assert_follows(program, regime, SequenceEnv(program, regime), EPISODES, seed)


@pytest.mark.parametrize("regime", REGIMES)
def test_tables_too_big_to_be_nested_are_looked_up_alike(regime, monkeypatch):
    """Mechanisms and rewards as flat tables, as if all of them were big."""
    monkeypatch.setattr("causalbench.env.script._DEEP", 1)
    program = drawn_program(2, 3, ends="end=1, aid!=0")
    assert_follows(program, regime, SequenceEnv(program, regime), EPISODES, 2)


@pytest.mark.parametrize("regime", REGIMES)
def test_random_worlds_with_all_couplings_follow_it(regime):
    """One step of ten variables, whose tables have up to hundreds of noise codes."""
    for seed in range(3):
        scm = random_scm(rng=np.random.default_rng(seed), n=8, hidden=2, cards=(2, 3))
        play = Play(
            "act", ("v3=1", "pass", "v3=0, v5=1"), scm.visible, ((0.7, "v1=1"), (-1, "v3=0"))
        )
        program = Program(Process(scm, scm, 1), play)
        assert_follows(program, regime, SequenceEnv(program, regime), EPISODES, seed)


@pytest.mark.parametrize("regime", REGIMES)
def test_bets_follow_it(regime):
    """A bet sets nothing, and pays where its event holds."""
    base = drawn_program(5, 3)
    play = Play("bet", ("out=3", "end=1, cue!=0", "aid=1"), ("cue", "end"), mode="bet")
    program = Program(base.process, play)
    assert_follows(program, regime, SequenceEnv(program, regime), EPISODES, 5)


@pytest.mark.parametrize("regime", ["do", "replay"])
def test_redoing_follows_it(regime):
    """Replayed after its natural course; or blind, on fresh units."""
    base = drawn_program(6, 1)
    play = Play("redo", ("pass", "act=1"), ("cue", "out"), ((1.0, "out=3"),), mode="redo")
    program = Program(base.process, play)
    assert_follows(program, regime, SequenceEnv(program, regime), EPISODES, 6)


def test_the_noise_has_its_law():
    """Frequencies of each code are its probability, within Hoeffding's bound at 1e-9 each."""
    program = drawn_program(3, 2)
    codes = noise_codes(program, key_of(1), 0, 20_000).reshape(20_000, 2, -1)
    bound = np.sqrt(np.log(2e9) / (2 * 20_000))
    for slot in range(len(program.names)):
        for step, lines in enumerate((program.first, program.later)):
            noise = lines[slot].noise
            found = np.bincount(codes[:, step, slot], minlength=len(noise)) / 20_000
            assert np.abs(found - noise).max() <= bound
