"""Shifts: what is practised on and what is asked about are disjoint, and known from the seed."""

from __future__ import annotations

from itertools import islice, product

import numpy as np
import pytest

from causalbench.errors import NotFoundError
from causalbench.rng import generator
from causalbench.run.plan import under
from causalbench.scm.random import random_scm
from causalbench.task.construct.bend import bend
from causalbench.task.construct.draft import Draft
from causalbench.task.encode import canonical_json
from causalbench.task.shifts import SHIFTS, interaction, shift_of
from causalbench.task.suite import case_to_dict, load_suite
from causalbench.task.twin import stratum_draft, stratum_pair
from causalbench.truth import value

SIMPLE = ("size", "motif", "family", "surface")


@pytest.fixture(scope="module")
def suite():
    """The reference suite."""
    return load_suite("ladder-v1")


def asked(suite, shift, count=12):
    """Return the first cases of a shift's test side, side 0 of each pair."""
    pieces = suite.shifted(shift).pieces(0, limit=count)
    return [piece[0] for piece in islice(pieces, count)]


def practised(suite, shift, count=24):
    """Return the first practice cases of a shift."""
    return list(islice(suite.practice(0, shift=shift).cases(), count))


@pytest.mark.parametrize("shift", SIMPLE)
def test_the_two_sides_have_no_trait_in_common(suite, shift):
    """By the trait that the shift is named after."""
    train = {getattr(case.placement.traits, shift) for case in practised(suite, shift)}
    test = {getattr(case.placement.traits, shift) for case in asked(suite, shift)}
    assert train
    assert test
    assert not train & test
    side = shift_of(shift)
    assert train <= side.train.where[shift]
    assert test <= side.test.where[shift]


def test_mechanisms_add_up_in_practice_and_interact_in_the_test(suite):
    """The share of variance that single causes leave is small on one side, large on the other."""
    train = [interaction(case.scm) for case in practised(suite, "mechanism", 8)]
    test = [interaction(case.scm) for case in asked(suite, "mechanism", 8)]
    assert max(train) < 0.4
    assert min(test) >= 0.55


def test_interaction_of_tables_by_hand():
    """Nothing for a table that adds up, all of it for an exclusive or."""
    from causalbench.scm import SCM, Variable, couple

    coin = np.array([0.5, 0.5])
    tables = {
        "adds": np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.7, 0.3], [0.4, 0.6]]]),
        "xor": np.array([[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]]),
    }
    found = {}
    for name, table in tables.items():
        variables = {each: Variable(each, ("0", "1")) for each in "abc"}
        mechanisms = {
            "a": couple(coin, "monotone", ()),
            "b": couple(coin, "monotone", ()),
            "c": couple(table, "monotone", ("a", "b")),
        }
        found[name] = interaction(SCM(variables, mechanisms))
    assert found == {"adds": pytest.approx(0.0, abs=1e-12), "xor": pytest.approx(1.0)}


@pytest.mark.parametrize("shift", ["size", "surface"])
def test_a_test_side_is_a_part_of_the_suite(suite, shift):
    """The same bytes, found under the same pair id."""
    own = asked(suite, shift, 3)
    for case in own:
        assert case.placement.pair_id.startswith(f"{suite.name}/")
        index = int(case.placement.pair_id.rsplit("/", 1)[1])
        stratum = next(
            each
            for each in suite.recipe.strata
            if each.form == case.placement.traits.form
            and each.access == case.placement.traits.access
            and each.family == case.placement.traits.family
        )
        again = stratum_pair(suite.name, stratum, index, 0)[0]
        assert canonical_json(case_to_dict(again)) == canonical_json(case_to_dict(case))


def test_practice_and_test_are_the_same_each_time(suite):
    """They follow from the seed."""
    for build in (practised, asked):
        first, second = (build(suite, "motif", 4) for _ in range(2))
        assert [canonical_json(case_to_dict(case)) for case in first] == [
            canonical_json(case_to_dict(case)) for case in second
        ]


def test_no_practice_world_is_in_the_suite(suite):
    """Task ids that begin with practice/ give other worlds, shifted or not."""
    for shift in ("", "size="):
        practice = suite.practice(0, shift=shift)
        cases = list(islice(practice.cases(), 6))
        assert all(case.placement.pair_id.startswith("practice/") for case in cases)


def test_practice_of_strata_keeps_to_what_is_wanted(suite):
    """Rung, track and cell."""
    practice = suite.practice(1, shift="size")
    for case in islice(practice.cases(rung=2, track="estimates", cell="lab"), 8):
        place = case.placement
        assert (place.rung, place.track, place.cell) == (2, "estimates", "lab")


def test_after_an_equals_sign_the_test_is_like_practice(suite):
    """The same practice, asked of the first kind."""
    assert {case.placement.traits.size for case in asked(suite, "size=", 6)} == {"small"}


def test_a_shifted_suite_goes_by_a_name(suite):
    """So that logs, workers and the board can name it."""
    named = load_suite("ladder-v1+size")
    assert named.name == "ladder-v1+size"
    assert under("ladder-v1", "size") == "ladder-v1+size"
    assert under(suite, "size").name == "ladder-v1+size"
    assert named.version == suite.version


@pytest.mark.parametrize(
    ("name", "shift", "words"),
    [("ladder-v1", "sizes", "no shift is called 'sizes'"), ("ladder-mini", "size", "made of")],
)
def test_what_cannot_be_split_is_said(name, shift, words):
    """A slip, or a suite that is not made of strata."""
    with pytest.raises(NotFoundError, match=words):
        load_suite(name).shifted(shift)


def test_every_shift_says_what_it_is():
    """In one line, for lists."""
    assert set(SHIFTS) == {
        "size",
        "motif",
        "mechanism",
        "family",
        "surface",
        "changed-mechanism",
    }
    starts = ("train on ", "train where", "test on")
    assert all(shift.says.startswith(starts) for shift in SHIFTS.values())


def brute(scm):
    """Return the joint law by going through every value of every noise."""
    names = list(scm.names)
    cards = [scm.variable(name).cardinality for name in names]
    joint = np.zeros(cards)
    for codes in product(*(range(card) for card in cards)):
        at = dict(zip(names, codes, strict=True))
        chance = 1.0
        for name in names:
            setting = tuple(at[parent] for parent in scm.mechanism(name).parents)
            chance *= float(scm.cpt(name)[(*setting, at[name])])
        joint[codes] = chance
    return names, joint


def test_a_bent_world_has_one_other_mechanism_and_the_same_marginals():
    """By brute force over all values, in both worlds of pairs drawn at random."""
    bent_any = 0
    for number in range(12):
        rng = generator(number, "bend")
        world = random_scm(n=4, edge=0.9, minimum=0.05, rng=rng)
        draft = Draft((world, world), 1, "by hand", query="none")
        for bent in islice(bend(rng, draft, world.visible), 4):
            bent_any += 1
            for before, after in zip(draft.sides, bent.draft.sides, strict=True):
                changed = [
                    name
                    for name in before.names
                    if not np.array_equal(before.cpt(name), after.cpt(name))
                ]
                assert changed == [bent.name]
                assert np.abs(before.cpt(bent.name) - after.cpt(bent.name)).max() >= 0.1
                names, old = brute(before)
                _, new = brute(after)
                assert np.abs(old - new).max() > 0.001
                for axis in range(len(names)):
                    rest = tuple(other for other in range(len(names)) if other != axis)
                    np.testing.assert_allclose(old.sum(axis=rest), new.sum(axis=rest), atol=1e-12)
    assert bent_any >= 4


@pytest.mark.slow
def test_changed_mechanisms_are_asked_of_worlds_that_were_practised_on(suite):
    """Each test pair is a pool pair with one mechanism changed and all one-variable laws kept."""
    changed = suite.shifted("changed-mechanism")
    strata = {(each.form, each.access, each.family): each for each in suite.recipe.strata}
    cases = list(islice(changed.pieces(0, limit=3), 3))
    assert len(cases) == 3
    for pair in cases:
        traits = pair[0].placement.traits
        stratum = strata[traits.form, traits.access, traits.family]
        index = int(pair[0].placement.pair_id.rsplit("/", 1)[1])
        draft, _, _ = stratum_draft(f"practice/{suite.name}/pool", stratum, index, 0)
        question = pair[0].items[0].question.query
        old = sorted(float(value(side, question)) for side in draft.sides)
        new = sorted(float(case.items[0].key.truth) for case in pair)
        assert max(abs(a - b) for a, b in zip(old, new, strict=True)) > 0.0
        for case in pair:
            found = [
                [
                    name
                    for name in side.names
                    if not np.allclose(side.cpt(name), case.scm.cpt(name), atol=1e-9)
                ]
                for side in draft.sides
                if set(side.names) == set(case.scm.names)
                and all(side.parents(name) == case.scm.parents(name) for name in side.names)
            ]
            # One of the two worlds of the pair, whichever the coin put on this side.
            assert 1 in [len(names) for names in found]
