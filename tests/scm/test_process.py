"""Processes: two slices, what is carried over, and the model that they unroll to."""

from __future__ import annotations

import pickle

import pytest

from causalbench import truth
from causalbench.errors import WorldError
from causalbench.scm.process import Process

DATA = {
    "horizon": 3,
    "variables": {
        "season": {"values": ["calm", "storm"], "hidden": True},
        "seed": {"values": ["no", "yes"]},
        "rain": {"values": ["no", "yes"]},
    },
    "first": {
        "season": {"parents": [], "noise": [0.75, 0.25], "table": [0, 1]},
        "seed": {"parents": ["season"], "cpt": [[0.9, 0.1], [0.2, 0.8]]},
        "rain": {
            "parents": ["season", "seed"],
            "cpt": [[[0.5, 0.5], [0.8, 0.2]], [[0.1, 0.9], [0.3, 0.7]]],
        },
    },
    "later": {"season": {"parents": ["season_before"], "cpt": [[0.9, 0.1], [0.3, 0.7]]}},
}


def _without(key: str) -> dict[str, object]:
    return {name: value for name, value in DATA.items() if name != key}


def test_only_what_a_later_step_reads_is_carried() -> None:
    """The season lasts; seeding and rain don't."""
    assert Process.from_dict(DATA).carried == ("season",)


def test_dict_and_back() -> None:
    """`from_dict` of `to_dict` is an equal process."""
    process = Process.from_dict(DATA)
    assert Process.from_dict(process.to_dict()) == process


def test_a_pickle_is_equal() -> None:
    """Processes travel to other processes of the machine."""
    process = Process.from_dict(DATA)
    assert pickle.loads(pickle.dumps(process)) == process  # noqa: S301  (our own bytes)


def test_the_second_step_by_hand() -> None:
    """P(storm_2) = .75 * .1 + .25 * .7; P(rain_2 | do(seed_2=no)) = .75 * .5 + .25 * .9."""
    scm = Process.from_dict(DATA).unroll()
    found = [
        truth(scm, "P(season_2=storm)").value,
        truth(scm, "P(rain_2=yes | do(seed_2=no))").value,
    ]
    assert found == pytest.approx([0.25, 0.6], abs=1e-12)


def test_what_was_seen_earlier_tells_of_the_season() -> None:
    """P(storm_1 | seed_1=yes) = .2 / .275, and a step later .1 + .6 of it."""
    scm = Process.from_dict(DATA).unroll()
    first = 0.25 * 0.8 / (0.75 * 0.1 + 0.25 * 0.8)
    expected = 0.1 * (1 - first) + 0.7 * first
    assert truth(scm, "P(season_2=storm | seed_1=yes)").value == pytest.approx(expected, abs=1e-12)


def test_unrolling_stops_where_it_is_told() -> None:
    """Two steps of three variables are six."""
    assert len(Process.from_dict(DATA).unroll(2).names) == 6


def test_replacing_a_mechanism_changes_both_slices() -> None:
    """A shift of one mechanism holds from the first step on."""
    process = Process.from_dict(DATA)
    never = process.first.mechanism("rain").forced(0)
    shifted = process.replace({"rain": never})
    found = [truth(shifted.unroll(), f"P(rain_{step}=yes)").value for step in (1, 2, 3)]
    assert found == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("key", ["horizon", "variables", "first"])
def test_a_missing_key_is_named(key: str) -> None:
    """The message says which key to give."""
    with pytest.raises(WorldError, match=f"'{key}' is missing"):
        Process.from_dict(_without(key))


@pytest.mark.parametrize("key", ["variables", "first", "later"])
@pytest.mark.parametrize("held", ["text", [1], 3])
def test_mechanisms_that_are_no_mapping(key: str, held: object) -> None:
    """What stands in place of a mapping is named."""
    with pytest.raises(WorldError, match=f"{key} holds {type(held).__name__}"):
        Process.from_dict({**DATA, key: held})


def test_an_unknown_key_is_named() -> None:
    """A slip of the pen does not pass."""
    with pytest.raises(WorldError, match="'latter' is no key"):
        Process.from_dict({**DATA, "latter": {}})


@pytest.mark.parametrize("horizon", [0, -1, True, 2.5])
def test_a_horizon_that_is_no_number_of_steps(horizon: object) -> None:
    """The horizon is a whole number from 1 on."""
    with pytest.raises(WorldError, match="horizon is"):
        Process.from_dict({**DATA, "horizon": horizon})


def test_the_first_step_has_no_earlier_value() -> None:
    """`x_before` may be read by later steps alone."""
    first = {**DATA["first"], "seed": {"equation": "season_before"}}  # type: ignore[dict-item]
    with pytest.raises(WorldError, match="season_before"):
        Process.from_dict({**DATA, "first": first})


def test_slices_without_a_common_order() -> None:
    """With x -> y at the first step and y -> x at later ones no order fits."""
    data = {
        "horizon": 2,
        "variables": {"x": {"values": ["0", "1"]}, "y": {"values": ["0", "1"]}},
        "first": {"x": {"parents": [], "noise": [1.0], "table": [0]}, "y": {"equation": "x"}},
        "later": {"x": {"equation": "y"}, "y": {"parents": [], "noise": [1.0], "table": [0]}},
    }
    with pytest.raises(WorldError, match="cycle"):
        Process.from_dict(data)
