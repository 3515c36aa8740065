"""The ceiling of a budget: affinities against brute force, and the bound against exact values."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import product

import numpy as np
import pytest

from causalbench.rng import generator
from causalbench.scm import SCM, LinearMechanism, Mechanism, Variable
from causalbench.scm.random import random_scm
from causalbench.task.affinity import affinities, response_affinity
from causalbench.task.ceiling import iid_distance, pair_ceiling
from causalbench.task.construct.net import Net
from causalbench.task.elimination import eliminated
from causalbench.task.types import Decision
from causalbench.truth import Budget, Knowledge

SEE, DO, INTENT, REPLAY = (Knowledge(regime) for regime in ("see", "do", "intent", "replay"))


def worlds(seed, n=3, hidden=1, cards=(2, 3)):
    """Return two random worlds with the same visible variables and unlike diagrams."""
    rng = generator(seed, "ceiling")
    first = random_scm(rng=rng, n=n, cards=cards, hidden=hidden)
    while True:
        second = random_scm(rng=rng, n=n, cards=cards, hidden=hidden)
        if all(second.variable(v).values == first.variable(v).values for v in first.visible):
            return first, second


def units(scm):
    """Return the noise of every unit of a world, and the units' probabilities."""
    names = list(scm.names)
    sizes = [len(scm.mechanism(name).noise) for name in names]
    grid = np.indices(sizes).reshape(len(sizes), -1)
    weights = np.ones(grid.shape[1])
    for name, row in zip(names, grid, strict=True):
        weights = weights * scm.mechanism(name).noise[row]
    return dict(zip(names, grid, strict=True)), weights


def settings(scm):
    """Yield every intervention on visible variables, the empty one too."""
    options = [[None, *range(scm.variable(name).cardinality)] for name in scm.visible]
    for codes in product(*options):
        yield {n: c for n, c in zip(scm.visible, codes, strict=True) if c is not None}


def shown(scm, do):
    """Return what each unit shows under an intervention, a row a unit."""
    noise, weights = units(scm)
    solved = scm.solve(noise, do=do or None)
    names = sorted(scm.visible)
    return np.stack([np.broadcast_to(solved[n], weights.shape) for n in names], -1), weights


def affinity(laws):
    """Return the affinity of two laws given as lists of (outcome, weight)."""
    mass = [defaultdict(float), defaultdict(float)]
    for side, law in enumerate(laws):
        for outcome, weight in law:
            mass[side][outcome] += weight
    return sum(math.sqrt(weight * mass[1][outcome]) for outcome, weight in mass[0].items())


def called(sides, do):
    """Return the affinity of one unit under an intervention, unit by unit."""
    laws = []
    for side in sides:
        rows, weights = shown(side, do)
        laws.append([(tuple(row), w) for row, w in zip(rows.tolist(), weights, strict=True)])
    return affinity(laws)


def nets(sides):
    """Return the tables of two worlds."""
    return Net.from_scm(sides[0]), Net.from_scm(sides[1])


@pytest.mark.parametrize(
    ("draws", "distance"), [(0, 0.0), (1, 0.4), (3, 0.568), (10, 0.8024), (30, 0.9767)]
)
def test_bernoulli(draws, distance):
    """Bernoulli .3 against .7: sums of binomial probabilities, worked out elsewhere."""
    law = np.array([0.3, 0.7])
    assert iid_distance(law, law[::-1], draws) == pytest.approx(distance, abs=5e-5)


def test_distance_of_three_outcomes_by_all_sequences():
    """Four draws of three outcomes, all 81 sequences written out."""
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.35, 0.25])
    brute = sum(
        abs(math.prod(p[list(s)]) - math.prod(q[list(s)])) for s in product(range(3), repeat=4)
    )
    assert iid_distance(p, q, 4) == pytest.approx(brute / 2, abs=1e-12)


def test_outcomes_of_one_ratio_are_merged():
    """An outcome split in two by a coin tells no more; and so thousands of draws stay exact."""
    p, q = np.array([0.5, 0.5]), np.array([0.51, 0.49])
    wide = [np.repeat(law / 8, 8) for law in (p, q)]
    assert iid_distance(*wide, 2000) == pytest.approx(iid_distance(p, q, 2000), abs=1e-12)


def test_distance_beyond_reach_is_none():
    """Five outcomes after 1,000 draws have 4e10 counts."""
    assert iid_distance(np.full(5, 0.2), np.array([0.1, 0.15, 0.2, 0.25, 0.3]), 1000) is None


@pytest.mark.parametrize("seed", range(6))
def test_affinities_are_those_of_every_intervention(seed):
    """Watched and least, against every intervention played on every unit."""
    sides = worlds(seed)
    found = affinities(nets(sides))
    every = [called(sides, do) for do in settings(sides[0])]
    assert found.watched == pytest.approx(every[0], abs=1e-12)
    assert found.least == pytest.approx(min(every), abs=1e-12)


def test_variables_that_tell_nothing_are_left_out():
    """A last effect with one table in both worlds changes no affinity."""
    sides = worlds(1)
    cpt = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])[: sides[0].variable("v1").cardinality]
    wide = tuple(
        Net(
            {**net.cards, "late": 2},
            {**net.parents, "late": ("v1",)},
            {**net.cpts, "late": cpt},
            net.hidden,
        )
        for net in nets(sides)
    )
    found, plain = affinities(wide), affinities(nets(sides))
    assert "late" not in found.names
    assert found.least == plain.least
    assert affinities(wide, keep=["late"]).least == pytest.approx(plain.least, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_response_affinity_is_that_of_whole_responses(seed):
    """What a unit shows under all interventions together, unit by unit."""
    sides = worlds(seed, cards=(2,))
    laws = []
    for side in sides:
        columns = [shown(side, do) for do in settings(side)]
        rows = np.concatenate([rows for rows, _ in columns], axis=1)
        laws.append([(r.tobytes(), w) for r, w in zip(rows, columns[0][1], strict=True)])
    assert response_affinity(sides) == pytest.approx(affinity(laws), abs=1e-12)


def acting(sides, decision, given=None):
    """Return the least affinity over all policies of an episode that shows values, then acts."""
    seen = decision.observes
    options = [dict([a.split("=")]) if a != "pass" else {} for a in decision.actions]
    options = [{name: int(code) for name, code in option.items()} for option in options]
    names = sorted(sides[0].visible)
    laws = []
    for option in options:
        rows = []
        for side in sides:
            natural, weights = shown(side, {})
            after, _ = shown(side, option)
            first = natural[:, [names.index(name) for name in seen]]
            rows.append((first, after, weights))
        laws.append(rows)
    found = 0.0
    for o in {tuple(row) for row in laws[0][0][0].tolist()}:
        if given and tuple(given) != o:
            continue
        found += min(
            affinity(
                [
                    [
                        (tuple(a), w)
                        for f, a, w in zip(first.tolist(), after.tolist(), weights, strict=True)
                        if tuple(f) == o
                    ]
                    for first, after, weights in rows
                ]
            )
            for rows in laws
        )
    return found


def chain(seed):
    """Return two random worlds with a hidden cause, z before x and x before y."""
    rng = generator(seed, "chain")
    while True:
        pair = [
            random_scm(rng=rng, n=3, hidden=1, edge=1.0, names=("z", "x", "y")) for _ in range(2)
        ]
        above = [side.full_diagram.ancestors for side in pair]
        if not any({"x", "y"} & set(of("z")) or "y" in of("x") for of in above):
            return tuple(pair)


@pytest.mark.parametrize("seed", range(4))
def test_acting_on_what_is_seen_first(seed):
    """One episode: its ceiling is that of the least affinity over all policies."""
    sides = chain(seed)
    act = Decision("a", "act", ("pass", "x=0", "x=1"), ((1.0, "y=1"),), ("z",))
    lowest = min(acting(sides, act), affinities(nets(sides)).least)
    found = pair_ceiling(sides, DO, 0, Budget(interventions=1), [act])
    assert found == pytest.approx(math.sqrt(1 - lowest**2), abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_acting_on_ones_own_natural_choice(seed):
    """Under intent the natural value of what is set is seen first: the bound holds for that."""
    sides = chain(seed)
    act = Decision("a", "act", ("pass", "x=0", "x=1"), ((1.0, "y=1"),), ("z", "x"))
    exact = math.sqrt(1 - acting(sides, act) ** 2)
    found = pair_ceiling(sides, INTENT, 0, Budget(interventions=1), [act])
    assert pair_ceiling(sides, DO, 0, Budget(interventions=1)) <= found
    assert exact <= found + 1e-9


def test_intent_tells_apart_what_no_intervention_does():
    """X = U of three values; under X = 0, Y = 1 where U is 1, in the other world where it is 2."""
    sides = []
    for place in (1, 2):
        table = np.zeros((1, 3, 3), dtype=np.int64)
        table[0, place, 0] = 1
        variables = {
            "x": Variable("x", ("0", "1", "2")),
            "y": Variable("y", ("0", "1")),
            "u": Variable("u", ("0", "1", "2"), hidden=True),
        }
        mechanisms = {
            "x": Mechanism(("u",), np.ones(1), np.arange(3)[None]),
            "y": Mechanism(("u", "x"), np.ones(1), table),
            "u": Mechanism((), np.full(3, 1 / 3), np.arange(3)),
        }
        sides.append(SCM(variables, mechanisms))
    found = [
        pair_ceiling(tuple(sides), knowledge, 9, Budget(9, 9)) for knowledge in (SEE, DO, INTENT)
    ]
    assert found[:2] == [0.0, 0.0]
    assert found[2] > 0.9  # nine units, two in three of which show which world it is


@pytest.mark.parametrize("seed", range(4))
def test_stated_evidence_is_met_at_once(seed):
    """Where episodes are drawn until z=1 holds, one shows the conditional law."""
    sides = chain(seed)
    act = Decision("a", "act", ("x=0", "x=1"), ((1.0, "y=1"),), ("z",), given=(("z", "1"),))
    p, q = (float(net.law(("z",))[1]) for net in nets(sides))
    inside = acting(sides, act, given=(1,)) / math.sqrt(p * q)
    lowest = min(inside, affinities(nets(sides)).least)
    found = pair_ceiling(sides, DO, 0, Budget(interventions=1), [act])
    assert found == pytest.approx(math.sqrt(max(0, 1 - min(lowest, 1) ** 2)), abs=1e-8)


def test_evidence_that_never_holds_bounds_nothing():
    """A world in which stated evidence has no chance is told apart at once."""
    sides = tuple(
        SCM(
            {"x": Variable("x", ("0", "1"))},
            {"x": Mechanism((), np.array([1 - p, p]), np.array([0, 1]))},
        )
        for p in (0.0, 0.5)
    )
    bet = Decision("b", "bet", ("x=0", "x=1"), given=(("x", "1"),))
    assert pair_ceiling(sides, SEE, 1, Budget(), [bet]) == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_the_best_adaptive_experiments_stay_below(seed):
    """Three experiments, each chosen by what was seen before: never above the bound."""
    sides = worlds(seed, n=2, hidden=0, cards=(2,))
    calls = []
    for do in settings(sides[0]):
        laws = []
        for side in sides:
            rows, weights = shown(side, do)
            laws.append(np.bincount(rows[:, 0] * 2 + rows[:, 1], weights, minlength=4))
        calls.append(np.stack(laws))

    def best(weights, left):
        if not left:
            return abs(weights[0] - weights[1]) / 2
        return max(
            sum(best(weights * call[:, o], left - 1) for o in range(4) if call[:, o].any())
            for call in calls
        )

    exact = best(np.ones(2), 3)
    assert 0 < exact <= pair_ceiling(sides, DO, 0, Budget(interventions=3))


def test_watching_is_exact_where_counts_are_few():
    """One binary variable: 30 rows in the dossier, 70 more from the lab."""
    sides = worlds(0, n=1, hidden=0, cards=(2,))
    p, q = (net.law(("v1",)) for net in nets(sides))
    found = pair_ceiling(sides, SEE, 30, Budget(rows=70))
    assert found == pytest.approx(iid_distance(p, q, 100), abs=1e-9)


@pytest.mark.parametrize("knowledge", [SEE, DO, REPLAY])
def test_nothing_to_ask_gives_no_skill(knowledge):
    """Without a row or a call the views are equal."""
    assert pair_ceiling(worlds(0), knowledge, 0, Budget()) == 0.0


def test_more_budget_never_lowers_the_ceiling():
    """And it tends to 1."""
    sides = worlds(3)
    found = [
        pair_ceiling(sides, REPLAY, 0, Budget(n, n, n)) for n in (0, 1, 2, 4, 8, 64, 512, 4096)
    ]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1.0)


def test_equal_worlds_have_no_ceiling_above_zero():
    """A world against itself: no budget tells them apart."""
    one, _ = worlds(2)
    for knowledge in (SEE, DO, REPLAY):
        assert pair_ceiling((one, one), knowledge, 9, Budget(99, 99, 99)) <= 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_watching_is_summed_out_exactly(seed):
    """One variable at a time, against the table of all."""
    sides = worlds(seed, n=4)
    assert eliminated(nets(sides), watched=True) == pytest.approx(
        affinities(nets(sides)).watched, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(6))
def test_setting_is_bounded_from_below(seed):
    """To decide on each variable as it is summed out can only lower the least affinity."""
    sides = worlds(seed, n=4)
    assert 0 < eliminated(nets(sides), watched=False) <= affinities(nets(sides)).least + 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_acting_is_bounded_from_below(seed):
    """So is the least affinity over policies that see something first."""
    sides = chain(seed)
    act = Decision("a", "act", ("pass", "x=0", "x=1"), ((1.0, "y=1"),), ("z",))
    assert eliminated(nets(sides), watched=False, first=["x"]) <= acting(sides, act) + 1e-12


def test_equal_parts_cost_a_bound_nothing():
    """Twenty more variables, alike in both worlds: as far apart as without them."""
    core = worlds(4, n=3, cards=(2,))
    more = random_scm(rng=generator(0, "more"), n=20, names=[f"w{n}" for n in range(20)])
    wide = tuple(
        SCM({**side.variables, **more.variables}, {**side.mechanisms, **more.mechanisms})
        for side in core
    )
    for watched in (True, False):
        found = [eliminated(nets(sides), watched=watched) for sides in (core, wide)]
        assert found[1] == pytest.approx(found[0], abs=1e-12)
    assert 0 < pair_ceiling(wide, DO, 1, Budget(interventions=1)) < 1


def test_watching_linear_worlds_against_numbers():
    """Two laws of two variables, their affinity summed over a fine grid."""
    sides = tuple(
        SCM(
            {name: Variable(name, None) for name in ("x", "y")},
            {
                "x": LinearMechanism((), np.array([]), 0.3, 1.0),
                "y": LinearMechanism(("x",), np.array([weight]), 0.0, noise),
            },
        )
        for weight, noise in ((0.8, 1.0), (-0.2, 1.5))
    )
    axis = np.linspace(-9, 9, 601)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    roots = [
        np.exp(-((x - 0.3) ** 2) / 4 - ((y - weight * x) / noise) ** 2 / 4) / math.sqrt(noise)
        for weight, noise in ((0.8, 1.0), (-0.2, 1.5))
    ]
    affinity_ = float((roots[0] * roots[1]).sum()) * (axis[1] - axis[0]) ** 2 / (2 * math.pi)
    found = pair_ceiling(sides, SEE, 2, Budget(rows=1))
    assert found == pytest.approx(math.sqrt(1 - affinity_**6), abs=1e-6)
    assert pair_ceiling(sides, DO, 2, Budget(interventions=1)) == 1.0
    assert pair_ceiling(sides, REPLAY, 2, Budget(1, 1, 1)) is None


def test_what_is_not_worked_out_is_none():
    """Shown mechanisms, unlike diagrams that are shown, and too large tables."""
    sides, budget = worlds(0), Budget(9, 9, 9)
    rng = generator(0, "large")
    large = tuple(random_scm(rng=rng, n=24, max_parents=6, edge=1.0) for _ in range(2))
    assert pair_ceiling(sides, Knowledge("do", "mechanisms"), 9, budget) is None
    assert sides[0].diagram != sides[1].diagram
    assert pair_ceiling(sides, Knowledge("do", "diagram"), 9, budget) is None
    assert pair_ceiling(large, DO, 9, budget) is None
