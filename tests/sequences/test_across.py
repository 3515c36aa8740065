"""Learning across worlds: a phase to practise in, held-out worlds, shifted worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from causalbench import truth
from causalbench.errors import NotFoundError, WorldError
from causalbench.task.sequential import SequentialWorld, load_family
from causalbench.task.sequential.across import across


def _casino(**more: Any) -> SequentialWorld:
    return across("casino-rounds", practice=3, test=2, episodes=2, rounds=2, **more)


def test_the_three_phases() -> None:
    """Practice comes first: agents live there."""
    assert [phase.name for phase in _casino().phases] == ["practice", "held-out", "shifted"]


def test_a_trial_is_as_long_as_its_episodes() -> None:
    """Two episodes of two rounds."""
    assert _casino().process.horizon == 4


def test_the_clock_is_seen() -> None:
    """Without it an episode's start would have to be counted."""
    assert "tick" in _casino().play.observes


def test_a_phase_averages_its_worlds() -> None:
    """The law under an intervention is the mean of the practice worlds' laws."""
    query = "P(won_2=yes | do(machine_1=left, machine_2=right))"
    family = load_family("casino-rounds")
    each = [truth(family.world(i, rounds=2).process.unroll(), query).value for i in range(3)]
    found = truth(_casino().process.unroll(2), query).value
    assert found == pytest.approx(np.mean(each), abs=1e-12)


def test_no_test_world_is_practised_in() -> None:
    """Held-out worlds are of the other split."""
    world = _casino()
    assert world.phase("practice").process != world.phase("held-out").process


def test_the_same_call_gives_the_same_world() -> None:
    """Everything follows from the seed."""
    assert _casino() == _casino()


def test_another_seed_gives_other_worlds() -> None:
    """Repeats of a study may draw worlds of their own."""
    assert _casino() != _casino(seed=1)


def test_what_is_held_still_stays_still_in_the_shifted_phase() -> None:
    """The shifted settings have five rounds; these keep two."""
    assert _casino().phase("shifted").process.horizon == 4


def test_a_shift_of_one_s_own() -> None:
    """The shifted phase differs from the held-out one in the settings that are named."""
    world = _casino(shift={"drinking": 0.0})
    held_out, shifted = (world.phase(name).process for name in ("held-out", "shifted"))
    changed = [
        n for n in held_out.names if held_out.later.mechanism(n) != shifted.later.mechanism(n)
    ]
    assert "drunk" in changed


def test_worlds_with_phases_are_met_in_each_of_them() -> None:
    """Three worlds, met under the first, the second and the third rule."""
    world = across("shifting-rules", practice=3, test=1, episodes=1, cards=1, cues=2, rules=3)
    family = load_family("shifting-rules")
    lived = [family.world(i, cards=1, cues=2, rules=3).phases[i].process for i in range(3)]
    labels = [
        variable.labels[0] for variable in (lived[0].variable(n) for n in ("colour", "shape"))
    ]
    card = f"colour_1={labels[0]}, shape_1={labels[1]}"
    query = f"P(right_1=yes | do(pile_1=first), {card})"
    joint = [truth(process.unroll(), f"P({card})").value for process in lived]
    each = [truth(process.unroll(), query).value for process in lived]
    expected = np.dot(joint, each) / np.sum(joint)
    assert truth(world.process.unroll(), query).value == pytest.approx(expected, abs=1e-12)


def test_worlds_of_other_lengths_are_refused() -> None:
    """Left to themselves the shifted worlds are longer, and no clock fits both."""
    with pytest.raises(WorldError, match="hold the knobs"):
        across("casino-rounds", practice=1, test=1, episodes=1)


def test_nothing_to_practise_in() -> None:
    """The line says what to give."""
    with pytest.raises(WorldError, match="practice is 0"):
        across("casino-rounds", practice=0)


def test_an_unknown_family() -> None:
    """The line suggests a near one."""
    with pytest.raises(NotFoundError, match="casino-rounds"):
        across("casino-round")
