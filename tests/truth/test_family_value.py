"""Families as values: what they hold, what they refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from family_builders import random_family
from truth_builders import bern, cpt, world

from causalbench.errors import WorldError
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.scm.couplings import couple
from causalbench.truth import Family, law

TEMPLATE = world(
    {"x": ["0", "1"], "y": ["a", "b", "c"]},
    {"x": cpt([], bern(0.5)), "y": cpt(["x"], [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])},
)
ROWS = np.array([[[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]])


def test_worlds_of_a_family_have_its_numbers():
    """Set i is the template with the i-th numbers, its other mechanisms untouched."""
    family = Family(TEMPLATE, {"y": {"cpt": ROWS, "coupling": "monotone"}})
    expected = TEMPLATE.replace(mechanisms={"y": couple(ROWS[1], "monotone", ("x",))})
    assert family[1] == expected == family[-1]
    assert len(family) == 2
    assert family[0].mechanisms["x"] is TEMPLATE.mechanisms["x"]


@pytest.mark.parametrize("form", ["noise", "tables", "cpt"])
def test_fields_come_back_as_they_were_given(form):
    """More sets than a block holds, in each form."""
    rng = np.random.default_rng(50)
    family = random_family(rng, sets=300, form=form)
    again = Family(family.template, {name: family.fields(name) for name in family.parts})
    assert np.array_equal(again.numbers, family.numbers)
    assert np.array_equal(again.tables, family.tables)
    assert again[299] == family[299]


def test_slices_are_families_of_fewer_sets():
    """A slice keeps order and numbers, across blocks."""
    family = random_family(np.random.default_rng(51), sets=300)
    part = family[120:260:3]
    assert len(part) == 47
    assert part[10] == family[150]


def test_stacking_takes_a_family_apart_and_together():
    """The worlds of a stacked family have the laws of the worlds that were stacked."""
    first = random_family(np.random.default_rng(52), sets=3, form="cpt")
    family = Family.stack(first)
    for made, given in zip(family, first, strict=True):
        np.testing.assert_allclose(law(made, made.names), law(given, given.names), atol=1e-15)


def test_stacking_equal_worlds_counts_them():
    """Worlds that are all alike make a family of as many sets."""
    family = Family.stack([TEMPLATE, TEMPLATE, TEMPLATE])
    assert [scm == TEMPLATE for scm in family] == [True] * 3


def test_families_survive_pickling():
    """A family travels to another process with its numbers."""
    family = random_family(np.random.default_rng(53), sets=5)
    again = pickle.loads(pickle.dumps(family))  # noqa: S301  (our own bytes)
    assert np.array_equal(again.numbers, family.numbers)
    assert again[3] == family[3]


def test_families_cannot_be_written_to():
    """The arrays are read-only: a family is a value."""
    family = Family(TEMPLATE, {"y": {"cpt": ROWS, "coupling": "monotone"}})
    with pytest.raises(ValueError, match="read-only"):
        family.numbers[0] = 0.0


def test_index_beyond_the_sets_is_an_error():
    """As for any sequence."""
    family = Family(TEMPLATE, {"y": {"cpt": ROWS, "coupling": "monotone"}})
    with pytest.raises(IndexError):
        family[2]


REAL = SCM({"t": Variable("t", None)}, {"t": LinearMechanism((), np.zeros(0))})
NOISE = np.full((2, 2), 0.5)


@pytest.mark.parametrize(
    ("template", "given", "message"),
    [
        (REAL, {"t": {"noise": NOISE}}, "must be a discrete world"),
        (TEMPLATE, {}, "give one mechanism at least"),
        (TEMPLATE, {"z": {"noise": NOISE}}, "no variable 'z'"),
        (TEMPLATE, {"x": {"table": NOISE}}, "given: table"),
        (TEMPLATE, {"x": NOISE}, "give noise, or noise and table, or cpt and its coupling"),
        (TEMPLATE, {"x": {"noise": NOISE[0]}}, r"'x', noise: the shape is \(2,\); give \(N, 2\)"),
        (TEMPLATE, {"y": {"cpt": ROWS[:, 0], "coupling": "monotone"}}, r"give \(N, 2, 3\)"),
        (TEMPLATE, {"y": {"cpt": ROWS, "coupling": "monoton"}}, "Did you mean 'monotone'"),
        (TEMPLATE, {"x": {"noise": [[0.5, 0.6]]}}, "sum to 1.1, not 1"),
        (TEMPLATE, {"x": {"noise": [[np.nan, 1.0]]}}, "nan is no probability"),
        (TEMPLATE, {"x": {"noise": [[-0.5, 1.5]]}}, "-0.5 is no probability"),
        (TEMPLATE, {"x": {"noise": np.zeros((0, 2))}}, "at least one"),
        (TEMPLATE, {"x": {"noise": NOISE, "table": [[0, 2], [0, 1]]}}, "is no code of 'x'"),
        (TEMPLATE, {"x": {"noise": NOISE, "table": [[0, 1]]}}, r"give \(2, 2\)"),
        (
            TEMPLATE,
            {"x": {"noise": NOISE[:1]}, "y": {"cpt": ROWS, "coupling": "monotone"}},
            "'x' has 1 sets and 'y' has 2; match them",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(template, given, message):
    """One line that names the variable, the array and what would fit."""
    with pytest.raises(WorldError, match=message) as caught:
        Family(template, given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("worlds", "message"),
    [
        ([], "at least one world"),
        ([TEMPLATE, TEMPLATE.rename({"y": "z"})], "world 1 has another 'y'"),
        (
            [TEMPLATE, world({"x": ["0", "1"]}, {"x": cpt([], bern(0.5))})],
            "world 1 has another 'y'",
        ),
        ([world({"x": ["0", "1"]}, {"x": cpt([], bern(0.5))}), TEMPLATE], "world 1 alone has 'y'"),
    ],
)
def test_worlds_of_other_shapes_are_not_stacked(worlds, message):
    """The message names the first place where two worlds differ."""
    with pytest.raises(WorldError, match=message):
        Family.stack(worlds)


@pytest.mark.parametrize("sets", [[9], [-1], [128], [0.5], [True, False], [[0, 1]], 0, None])
def test_sets_that_a_family_does_not_have_are_not_taken(sets):
    """Its arrays are longer than its sets: what stands beyond them is no world."""
    family = random_family(np.random.default_rng(52), sets=5)
    with pytest.raises(WorldError, match=r"there is no set|sets are chosen by number"):
        family.take(sets)


@pytest.mark.parametrize("worlds", [None, TEMPLATE, 3])
def test_one_world_is_no_list_of_worlds(worlds):
    """Stacking takes several."""
    with pytest.raises(WorldError, match=r"give a list of SCMs"):
        Family.stack(worlds)


@pytest.mark.parametrize("given", [None, [], "noise"])
def test_arrays_stand_by_variable(given):
    """Without names they belong to nothing."""
    with pytest.raises(WorldError, match=r"give a dict"):
        Family(TEMPLATE, given)


@pytest.mark.parametrize(
    ("noise", "message"),
    [([[0.5, 0.5], [1.0]], "differ in length"), ([[0.5 + 1j, 0.5]], "are no probabilities")],
)
def test_numbers_that_make_no_array_are_refused(noise, message):
    """Ragged lists, and what would lose its imaginary part."""
    with pytest.raises(WorldError, match=message):
        Family(TEMPLATE, {"x": {"noise": noise}})


def test_fields_of_what_is_not_given_are_refused():
    """The template holds there; the message says so."""
    family = Family(TEMPLATE, {"y": {"cpt": ROWS, "coupling": "monotone"}})
    with pytest.raises(WorldError, match="see the template"):
        family.fields("x")


def test_no_sets_are_no_family():
    """An empty choice of sets is refused."""
    family = Family(TEMPLATE, {"y": {"cpt": ROWS, "coupling": "monotone"}})
    with pytest.raises(WorldError, match="at least one set"):
        family[2:]
