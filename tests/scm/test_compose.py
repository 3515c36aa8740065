"""Mixtures of worlds and chains of episodes: each keeps the laws of what it is made of."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from causalbench import truth
from causalbench.errors import WorldError
from causalbench.scm.compose import mixture, trials
from causalbench.scm.play import Play
from causalbench.task.sequential.slices import Slices

if TYPE_CHECKING:
    from causalbench.scm.process import Process

PLAY = Play("act", ("a=0", "a=1"), ("x", "a", "y"), ((1.0, "y=1"),), returns=(0.0, 2.0))


def _process(seed: int, horizon: int = 2) -> Process:
    """A confounded process with a trait that lasts, of random tables."""
    rng = np.random.default_rng(seed)
    p = rng.integers(1, 16, size=20) / 16
    return (
        Slices(horizon)
        .add("u", "0 1", hidden=True)
        .add("x", "0 1 2")
        .add("a", "0 1")
        .add("y", "0 1")
        .chance("u", "", lambda: float(p[0]), when="first")
        .chance("u", "u_before a_before", lambda u, a: float(p[1 + 2 * u + a]), when="later")
        .chance("x", "u", lambda u: [p[5 + u] / 2, 1 - p[5 + u], p[5 + u] / 2])
        .chance("a", "u", lambda u: float(p[7 + u]))
        .chance("y", "a u", lambda a, u: float(p[9 + 2 * a + u]), when="first")
        .chance("y", "u a x", lambda u, a, x: float(p[9 + (u + 2 * a + x) % 8]), when="later")
        .process()
    )


QUERIES = [
    "P(y_2=1 | do(a_1=1, a_2=0))",
    "P(y_2=1 | a_1=1, x_2=2)",
    "P(y_2[a_2=1]=1 | a_2=0, y_2=0, x_1=1)",
    "P(u_2=1 | y_1=1)",
]


def test_a_mixture_averages_what_acting_brings() -> None:
    """Under an intervention alone the law is the average of the worlds' laws."""
    query = QUERIES[0]
    worlds = [_process(seed) for seed in (1, 2, 3)]
    expected = np.dot([0.5, 0.25, 0.25], [truth(w.unroll(), query).value for w in worlds])
    mixed = mixture(worlds, [0.5, 0.25, 0.25])
    assert truth(mixed.unroll(), query).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("which", [1, 2])
def test_each_world_keeps_its_laws_on_all_rungs(query: str, which: int) -> None:
    """Given which world runs, every quantity is that world's own."""
    worlds = [_process(seed) for seed in (4, 5)]
    told = query.replace(" | do(", f" | which_world_1={which}, do(") if "do(" in query else None
    asked = told or query.replace(" | ", f" | which_world_1={which}, ")
    found = truth(mixture(worlds).unroll(), asked).value
    assert found == pytest.approx(truth(worlds[which - 1].unroll(), query).value, abs=1e-12)


def test_a_mixture_of_one_world_is_that_world() -> None:
    """The further variable changes nothing."""
    world = _process(6)
    found = [truth(mixture([world]).unroll(), query).value for query in QUERIES]
    assert found == pytest.approx([truth(world.unroll(), query).value for query in QUERIES])


@pytest.mark.parametrize(("first", "second"), list(itertools.product([0, 1], repeat=2)))
def test_every_episode_of_a_trial_has_the_world_s_law(first: int, second: int) -> None:
    """Steps 3 and 4 are steps 1 and 2 of a fresh unit."""
    world = _process(7)
    trial, _ = trials(world, PLAY, 2)
    expected = truth(world.unroll(), f"P(y_2=1 | do(a_1={first}, a_2={second}))").value
    found = truth(trial.unroll(), f"P(y_4=1 | do(a_3={first}, a_4={second}))").value
    assert found == pytest.approx(expected, abs=1e-12)


def test_episodes_of_a_trial_are_independent() -> None:
    """What happened in the first tells nothing of the second in a world that is known."""
    trial, _ = trials(_process(8), PLAY, 2)
    scm = trial.unroll()
    told = truth(scm, "P(y_3=1 | y_1=1, y_2=1, a_2=0)").value
    assert told == pytest.approx(truth(scm, "P(y_3=1)").value, abs=1e-12)


def test_episodes_of_a_mixture_tell_which_world_it_is() -> None:
    """In a trial of a mixture they are not: that is what there is to learn."""
    worlds = [trials(_process(seed), PLAY, 2)[0] for seed in (9, 10)]
    scm = mixture(worlds).unroll()
    told = truth(scm, "P(y_3=1 | y_1=1, y_2=1)").value
    assert abs(told - truth(scm, "P(y_3=1)").value) > 1e-3


def test_the_clock_starts_again_with_each_episode() -> None:
    """Ticks run 1, 2, 1, 2."""
    scm = trials(_process(11), PLAY, 2)[0].unroll()
    assert [truth(scm, f"P(tick_{t}={1 + (t - 1) % 2})").value for t in (1, 2, 3, 4)] == [1.0] * 4


def test_the_play_of_a_trial_shows_the_clock_and_scales_returns() -> None:
    """The trial's return is the mean of its episodes'."""
    _, play = trials(_process(12), PLAY, 3)
    assert (play.observes[-1], play.returns) == ("tick", (0.0, 6.0))


def test_plays_that_end_early_are_not_chained() -> None:
    """An episode of unknown length would leave the trial's length open."""
    with pytest.raises(WorldError, match="ends early"):
        trials(_process(13), Play("p", ("a=0", "a=1"), (), ((1.0, "y=1"),), ends="y=1"), 2)


def test_worlds_of_other_variables_are_not_mixed() -> None:
    """The agent must not be able to tell by what there is to see."""
    with pytest.raises(WorldError, match="same variables and horizon"):
        mixture([_process(14), _process(14, horizon=3)])
