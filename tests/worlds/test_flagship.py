"""The flagship: the umbrella worlds in numbers, each to the digits that the design gives."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations, product

import numpy as np
import pytest

from causalbench.task.decide import (
    decision_values,
    evidence_probability,
    policy_value,
)
from causalbench.task.world import load_world
from causalbench.truth import law, truth, value

M1, M1A, M2, OPEN, BET = (
    load_world(f"umbrella-rain{suffix}") for suffix in ("", "-antitone", "-turned", "-open", "-bet")
)
ACTIONS = ("pass", "umbrella=no", "seed=yes")
EVIDENCE = "seed=no, rain=yes, umbrella=yes, wet=no"
SIX = 5e-7  # half a unit of the sixth digit: the precision to which the design states its numbers


def utilities(world, decision):
    """Return each action's expected utility as stated, before scaling."""
    (row,) = decision_values(world.scm, decision, readings=False)
    low, high = decision.bounds
    return dict(zip(decision.actions, low + row.values * (high - low), strict=True))


def floor(worlds, decision):
    """Return the floor of a pair before scaling, and the probability-weighted sum of minima."""
    low, high = decision.bounds
    left, right = (decision_values(w.scm, decision, readings=False) for w in worlds)
    total = 0.0
    for a, b in zip(left, right, strict=True):
        assert a.observation == b.observation
        assert a.weight == pytest.approx(b.weight, abs=1e-12)
        regret = (a.values.max() - a.values) + (b.values.max() - b.values)
        total += a.weight * regret.min() * (high - low)
    return total


@pytest.mark.parametrize(
    ("world", "query", "expected"),
    [
        (M1, "P(season=storm)", 0.2),
        (M1, "P(seed=yes | season=calm)", 0.05),
        (M1, "P(seed=yes | season=storm)", 0.90),
        (M1, "P(rain=yes | season=calm, seed=no)", 0.70),
        (M1, "P(rain=yes | season=calm, seed=yes)", 0.35),
        (M1, "P(rain=yes | season=storm, seed=no)", 0.95),
        (M1, "P(rain=yes | season=storm, seed=yes)", 0.90),
        (M1A, "P(rain=yes | season=calm, seed=no)", 0.70),
        (M1A, "P(rain=yes | season=calm, seed=yes)", 0.35),
        (M1A, "P(rain=yes | season=storm, seed=no)", 0.95),
        (M1A, "P(rain=yes | season=storm, seed=yes)", 0.90),
        (M1, "P(umbrella=yes | rain=no)", 0.05),
        (M1, "P(umbrella=yes | rain=yes)", 0.95),
        (M1, "P(wet=yes | rain=no, umbrella=yes)", 0.02),
        (M1, "P(wet=yes | rain=no, umbrella=no)", 0.02),
        (M1, "P(wet=yes | rain=yes, umbrella=no)", 0.9),
        (M1, "P(wet=yes | rain=yes, umbrella=yes)", 0.1),
        (M2, "P(umbrella=yes | season=calm, seed=no)", 0.68),
        (M2, "P(rain=yes | season=calm, seed=no, umbrella=no)", 0.109375),
        (M1, "P(rain=yes)", 0.727),
        (M1, "P(rain=yes | seed=yes)", 0.80),
        (M1, "P(rain=yes | do(seed=yes))", 0.46),
        (M1, "P(rain=yes | do(umbrella=no))", 0.727),
        (BET, "P(umbrella=yes | rain=yes)", 0.6),
        (BET, "P(wet=yes | rain=yes, umbrella=no)", 0.2),
        (M1, f"P({EVIDENCE})", 0.471105),
        (M1A, f"P({EVIDENCE})", 0.471105),
    ],
)
def test_probabilities_stated_exactly(world, query, expected):
    """Every probability that the design states without rounding is met to rounding error."""
    assert value(world, query) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    ("world", "query", "expected", "digits"),
    [
        (M1, "P(rain=yes | umbrella=no)", 0.122929, 6),
        (M2, "P(rain=yes | do(umbrella=no))", 0.152085, 6),
        (BET, "P(umbrella=yes | rain=no)", 0.982051, 6),
        (M1, "P(rain=yes | umbrella=no)", 0.123, 3),
        (BET, "P(rain=yes | umbrella=no)", 0.983, 3),
    ],
)
def test_probabilities_stated_rounded(world, query, expected, digits):
    """Every probability that the design states to some digits is met to those digits."""
    assert round(value(world, query), digits) == expected


def test_monotone_noise_is_as_stated():
    """M1's rain has the stated noise and answers."""
    rain = M1.scm.mechanism("rain")
    assert rain.noise.tolist() == [0.35, 0.35, 0.2, 0.05, 0.05]
    rows = ["".join(map(str, row.ravel())) for row in rain.table]
    assert rows == ["1111", "1011", "0011", "0010", "0000"]


def test_antitone_noise_is_as_stated():
    """M1a's rain has the stated noise and answers."""
    rain = M1A.scm.mechanism("rain")
    assert rain.noise.tolist() == [0.1, 0.55, 0.05, 0.25, 0.05]
    rows = ["".join(map(str, row.ravel())) for row in rain.table]
    assert rows == ["1010", "1011", "1111", "0111", "0101"]


def test_turned_world_has_the_same_joint():
    """M1 and M2 have one joint, the hidden season included, to 3e-16."""
    names = M1.scm.names
    assert np.abs(law(M1.scm, names) - law(M2.scm, names)).max() <= 3e-16


def test_turned_cpts_follow_from_bayes():
    """M2's two turned CPTs are Bayes' rule applied to M1's joint."""
    joint = law(M1.scm, ("season", "seed", "umbrella", "rain"))
    umbrella = joint.sum(axis=3)
    turned = {name: M2.scm.mechanism(name).cpt(2) for name in ("umbrella", "rain")}
    expected = umbrella / umbrella.sum(axis=2, keepdims=True)
    assert np.abs(turned["umbrella"] - expected).max() <= 1e-15
    # Dividing by P(season, seed, umbrella), at least .0019, costs its inverse in rounding.
    assert np.abs(turned["rain"] - joint / umbrella[..., None]).max() <= 1e-13


def test_coupling_twin_agrees_on_every_intervention():
    """M1 and M1a agree under every intervention on every visible subset, to 1e-14."""
    visible = M1.scm.visible
    subsets = chain.from_iterable(combinations(visible, k) for k in range(len(visible) + 1))
    worst = 0.0
    for subset in subsets:
        for labels in product(("no", "yes"), repeat=len(subset)):
            do = dict(zip(subset, labels, strict=True))
            gap = np.abs(law(M1.scm, visible, do) - law(M1A.scm, visible, do)).max()
            worst = max(worst, gap)
    assert worst <= 1e-14


def test_bet_twin_has_equal_marginals():
    """Every visible variable on its own is as frequent in the bet twin as in M1."""
    for name in M1.scm.visible:
        assert np.abs(law(M1.scm, (name,)) - law(BET.scm, (name,))).max() <= 1e-15


TABLE = {
    "cheap": {
        "see": (-0.748724, -0.144302, -0.861600),
        "do M1": (-0.748724, -0.803976, -0.517520),
        "do M2": (-0.748724, -0.178468, -0.517520),
        "redo M1": (-1, -1.09, -0.566396),
        "redo M1a": (-1, -1.09, -0.151619),
    },
    "dear": {
        "see": (-0.889524, -0.253819, -1.501600),
        "do M1": (-0.889524, -0.944776, -1.157520),
        "do M2": (-0.889524, -0.319268, -1.157520),
        "redo M1": (-1, -1.09, -1.206396),
        "redo M1a": (-1, -1.09, -0.791619),
    },
}


@pytest.mark.parametrize("price", ["cheap", "dear"])
@pytest.mark.parametrize("column", ["do M1", "do M2", "redo M1", "redo M1a"])
def test_utility_table(price, column):
    """Each entry of the table of expected utilities, to its six digits."""
    mode, name = column.split()
    world = {"M1": M1, "M1a": M1A, "M2": M2}[name]
    decision = M1.decision(f"{'act' if mode == 'do' else 'redo'}-{price}")
    found = tuple(round(each, 6) for each in utilities(world, decision).values())
    assert found == TABLE[price][column]


@pytest.mark.parametrize("price", ["cheap", "dear"])
@pytest.mark.parametrize("world", [M1, M1A, M2], ids=["M1", "M1a", "M2"])
def test_see_column(price, world):
    """The see-reader's entries are one column in all three worlds."""
    from causalbench.task.decide import decision_query

    query = decision_query(world.decision(f"act-{price}"))
    see = truth(world, query).option_readings["see"]
    assert tuple(round(see[label], 6) for label in ACTIONS) == TABLE[price]["see"]


def test_floor_of_the_cheap_act():
    """The cheap act's floor over (M1, M2) is .2865 before scaling."""
    assert round(floor((M1, M2), M1.decision("act-cheap")), 4) == 0.2865


def test_floor_of_the_dear_act():
    """The dear act's floor over (M1, M2) is .055 before scaling, too little for a twin."""
    assert round(floor((M1, M2), M1.decision("act-dear")), 3) == 0.055


def test_floor_of_the_dear_redo():
    """The dear redo's floor over (M1, M1a), given the stated evidence, is .2064 before scaling."""
    assert round(floor((M1, M1A), M1.decision("redo-dear")), 4) == 0.2064


def test_evidence_probability():
    """The stated evidence has probability .471105 in both worlds."""
    decision = M1.decision("redo-dear")
    assert evidence_probability(M1.scm, decision) == pytest.approx(0.471105, abs=1e-14)
    assert evidence_probability(M1A.scm, decision) == pytest.approx(0.471105, abs=1e-14)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (M1, {"see": "umbrella=no", "do": "pass", "imagine": "pass"}),
        (M1A, {"see": "umbrella=no", "do": "pass", "imagine": "seed=yes"}),
    ],
    ids=["M1", "M1a"],
)
def test_readers_in_the_dear_redo(world, expected):
    """Redo, dear: see takes umbrellas away, do passes, imagine passes in M1 and seeds in M1a."""
    (row,) = decision_values(world.scm, world.decision("redo-dear"))
    assert {name: row.readings[name] for name in expected} == expected


def test_trap_1_cheap_redo_is_blind_to_the_coupling():
    """At the cheap cost the same action is best in both worlds, so the redo has no floor."""
    assert floor((M1, M1A), M1.decision("redo-cheap")) == pytest.approx(0, abs=1e-12)


def test_trap_1_seeding_pays_in_every_cheap_redo():
    """At the cheap cost seeding is best after every rainy unseeded case, in both worlds."""
    decision = replace(M1.decision("redo-cheap"), given=None)
    for world in (M1, M1A):
        rows = decision_values(world.scm, decision, readings=False)
        rainy = [r for r in rows if (r.observation["rain"], r.observation["seed"]) == ("yes", "no")]
        assert len(rainy) == 4
        assert {ACTIONS[int(r.values.argmax())] for r in rainy} == {"seed=yes"}


def test_trap_2_floor_over_all_observations():
    """Averaged over all observations the dear redo's floor is only .11."""
    decision = replace(M1.decision("redo-dear"), given=None)
    assert round(floor((M1, M1A), decision), 2) == 0.11


def test_trap_3_natural_bounds_on_the_bow():
    """From diagram and data P(rain | do seed) lies in [.176, .956]."""
    both = value(M1, "P(rain=yes, seed=yes)")
    rest = value(M1, "P(seed=no)")
    assert (both, both + rest) == pytest.approx((0.176, 0.956), abs=1e-14)


def test_trap_3_open_variant_is_the_same_world_in_sight():
    """The open variant has M1's mechanisms, and its season is visible and confounds nothing."""
    assert OPEN.scm.mechanisms == M1.scm.mechanisms
    assert str(M1.diagram).count("<->") == 1
    assert OPEN.diagram.bidirected == frozenset()


def test_policies_are_valued_exactly():
    """A policy's value is that of its action: taking umbrellas away scores less than seeding."""
    decision = M1.decision("act-cheap")
    seeding = policy_value(M1.scm, decision, lambda _: "seed=yes")
    taking = policy_value(M1.scm, decision, {(): "umbrella=no"})
    assert seeding == pytest.approx((-0.517520 + 1.15) / 1.15, abs=SIX)
    assert taking == pytest.approx((-0.803976 + 1.15) / 1.15, abs=SIX)
