"""umbrella-days: the day of umbrella-rain, day after day."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.task.sequential import load_family, load_sequence
from causalbench.task.world import load_world
from causalbench.truth.laws import law
from causalbench.truth.policy import references

FAMILY = load_family("umbrella-days")
NAMES = ("season", "seed", "rain", "umbrella", "wet")


@pytest.mark.parametrize("do", [{}, {"seed": "yes"}, {"umbrella": "no"}])
def test_first_day_is_umbrella_rain(do: dict[str, str]) -> None:
    """The published world's first day has the laws of the world umbrella-rain."""
    ours, theirs = load_sequence("umbrella-days").process.first, load_world("umbrella-rain").scm
    np.testing.assert_allclose(law(ours, NAMES, do), law(theirs, NAMES, do), rtol=0, atol=1e-15)


def test_first_day_answers_as_umbrella_rain_does_in_a_unit() -> None:
    """Rain has the same functions of its causes, each as often: the same rung 3."""
    ours = load_sequence("umbrella-days").process.first.mechanism("rain")
    theirs = load_world("umbrella-rain").scm.mechanism("rain")

    def functions(mechanism) -> dict[bytes, float]:
        found: dict[bytes, float] = {}
        for noise, table in zip(mechanism.noise, mechanism.table, strict=True):
            found[table.tobytes()] = found.get(table.tobytes(), 0.0) + float(noise)
        return found

    assert ours.parents == theirs.parents
    assert functions(ours) == pytest.approx(functions(theirs), abs=1e-15)


@pytest.mark.parametrize(
    ("cost", "see", "do"), [(0.05, -0.803976, -0.517520), (0.69, -0.944776, -0.889524)]
)
def test_one_day_is_worth_what_was_worked_out_before(cost: float, see: float, do: float) -> None:
    """On one day, cheap and dear: the log's reader takes umbrellas away, and acting does better."""
    program = FAMILY.world(days=1, cost=cost, spread=0.0).program()
    low, high = program.returns
    found = references(program, ("see", "do"))
    for regime, utility in (("see", see), ("do", do)):
        value = low + (high - low) * found[regime].value.value
        assert value == pytest.approx(utility, abs=5e-7)


def test_seasons_keep_their_share_of_days() -> None:
    """P(storm) is the same on every day, to the rounding of its numbers to 1/1024."""
    scm = FAMILY.world(1, "hard").process.unroll()
    shares = [law(scm, [f"season_{day}"])[1] for day in (1, 2, 3, 4)]
    assert max(shares) - min(shares) <= 3 / 1024


def test_intent_tells_the_season_where_seeding_is_middling() -> None:
    """Where seeding pays in calm seasons alone, the natural seeding is worth being shown."""
    found = references(FAMILY.world(0, "hard").program(), ("do", "intent"))
    assert found["intent"].value.value > found["do"].value.value + 0.01
