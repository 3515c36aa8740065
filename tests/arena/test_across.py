"""Practice across worlds: in trials of several episodes, valued in worlds never met."""

from __future__ import annotations

import numpy as np
import pytest

import causalbench as cb
from causalbench.errors import CausalBenchError
from causalbench.rng import generator
from causalbench.run.arena.field import ArenaField
from causalbench.run.arena.place import HELD_OUT, PRACTICE, SHIFTED, Practice, Worlds
from causalbench.truth.policy import policy_value, reference

KNOBS = {"cost": 0.22, "spread": 0.125}


@pytest.fixture
def worlds():
    """Four practice worlds of one day each, in trials of two."""
    return Worlds("umbrella-days", "easy", KNOBS, Practice(4, 2, 3, shifted=True))


def test_held_out_worlds_are_none_that_were_practised_in(worlds) -> None:
    """The splits share no world."""
    practised = [world.process.to_dict() for world in worlds.worlds(PRACTICE)]
    held_out = [world.process.to_dict() for world in worlds.worlds(HELD_OUT)]
    assert len(held_out) == 3
    assert all(one not in practised for one in held_out)


def test_shifted_worlds_can_be_acted_in(worlds) -> None:
    """A shift that changed steps or variables would leave nothing that a policy could do."""
    program = worlds.targets(SHIFTED)[0]
    assert (program.horizon, program.play.actions) == (
        worlds.trained[0].horizon,
        worlds.trained[0].play.actions,
    )


def test_worlds_with_phases_are_met_in_each_of_them() -> None:
    """Four worlds of three rules are met under the first, second, third and first rule."""
    worlds = Worlds(
        "shifting-rules",
        "easy",
        {"cards": 1, "cues": 2, "rules": 3},
        Practice(4, 1, 1, shifted=False),
    )
    rules = [
        next(
            name
            for name in ("colour", "shape", "number")
            if name in one.process.first.parents("right")
        )
        for one in worlds.trained
    ]
    assert rules == ["colour", "shape", "number", "colour"]


def test_every_copy_plays_another_world(worlds) -> None:
    """As many copies as worlds meet all of them, in an order of their own."""
    field = ArenaField(worlds.trained, "do", family="", rng=generator(0, "test"))
    first, second = (field.env(4)._programs for _ in range(2))
    assert {id(one) for one in first} == {id(one) for one in worlds.trained}
    assert {id(one) for one in first} == {id(one) for one in second}


def test_the_best_of_a_trial_is_the_best_of_its_episodes(worlds) -> None:
    """Whoever knows the world gains nothing from one episode for the next."""
    trial, single = worlds.targets(HELD_OUT)[0], worlds.singles(HELD_OUT)[0]
    found = [reference(program, "do").value.value for program in (trial, single)]
    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_bayes_is_the_best_on_average_over_practice() -> None:
    """Over the practice worlds it is worth what the mixture's best policy is, no less than any."""
    worlds = Worlds("umbrella-days", "easy", KNOBS, Practice(4, 2, 4, shifted=False))
    best = reference(worlds.mixed(), "do")
    programs = worlds.targets(PRACTICE)
    values = [policy_value(program, best.policy, "do").value for program in programs]
    assert np.mean(values) == pytest.approx(best.value.value, abs=1e-12)
    for program in programs:
        own = reference(program, "do").policy
        others = [policy_value(each, own, "do").value for each in programs]
        assert np.mean(others) <= best.value.value + 1e-12


def test_rows_tell_practised_from_held_out(stub, tmp_path) -> None:
    """Each checkpoint is valued in both, apart, and the Bayes control stands beside."""
    found = cb.arena(
        "umbrella-days",
        [stub()],
        practice={"worlds": 4, "episodes": 2, "tests": 2},
        difficulty="easy",
        regimes=["do"],
        references=["see", "do"],
        budgets=[64],
        log_dir=tmp_path,
    )
    finding = found.findings[0]
    assert [row["phase"] for row in finding.rows] == [PRACTICE, HELD_OUT]
    names = {row["name"] for row in finding.reference_rows}
    assert names == {"see", "do", "natural", "uniform", "bayes"}


def test_logs_across_worlds_are_refused(stub) -> None:
    """None is recorded, so nothing can be learnt from one."""
    with pytest.raises(CausalBenchError, match="no regime see"):
        cb.arena("umbrella-days", [stub()], practice={"worlds": 4}, regimes=["see"])
