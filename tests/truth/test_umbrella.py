"""Every number of the umbrella world, in its three forms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from truth_builders import NO_YES, bern, cpt, settings, turned_round, umbrella_rain, world

from causalbench.query import parse
from causalbench.truth import interventional_tables, law, truth, value

M1, M1A = umbrella_rain(), umbrella_rain("antitone")
M2 = turned_round(M1)
EVIDENCE = "seed=no, rain=yes, umbrella=yes, wet=no"
CHEAP, DEAR = 0.05, 0.69
ACTIONS = "{pass, umbrella=no, seed=yes}"


def act(cost):
    """Write the decision for a fresh unit."""
    return (
        f"argmax a in {ACTIONS}: -1*P(rain=yes | do(a)) - {cost}*P(seed=yes | do(a)) "
        "- 0.1*P(wet=yes | do(a))"
    )


def redo(cost):
    """Write the decision for the same unit again, given the evidence."""
    return (
        f"argmax a in {ACTIONS}: -1*P(rain[a]=yes | {EVIDENCE}) "
        f"- {cost}*P(seed[a]=yes | {EVIDENCE}) - 0.1*P(wet[a]=yes | {EVIDENCE})"
    )


@pytest.mark.parametrize(
    ("scm", "query", "expected"),
    [
        (M1, "P(rain=yes)", 0.727),
        (M2, "P(rain=yes)", 0.727),
        (M1, "P(rain=yes | seed=yes)", 0.80),
        (M1, "P(rain=yes | do(seed=yes))", 0.46),
        (M1, "P(rain=yes | umbrella=no)", 0.122929),
        (M1, "P(rain=yes | do(umbrella=no))", 0.727),
        (M2, "P(rain=yes | do(umbrella=no))", 0.152085),
        (M2, "P(umbrella=yes | u_season=calm, seed=no)", 0.68),
        (M2, "P(rain=yes | u_season=calm, seed=no, umbrella=no)", 0.109375),
        (M1, f"P({EVIDENCE})", 0.471105),
        (M1A, f"P({EVIDENCE})", 0.471105),
    ],
)
def test_stated_probabilities(scm, query, expected):
    """The page's probabilities, to the digits it prints."""
    assert expected == pytest.approx(value(scm, query), abs=5e-7)


TABLE = [
    (M1, act(CHEAP), "see", [-0.748724, -0.144302, -0.861600], "umbrella=no"),
    (M1, act(CHEAP), "do", [-0.748724, -0.803976, -0.517520], "seed=yes"),
    (M2, act(CHEAP), "see", [-0.748724, -0.144302, -0.861600], "umbrella=no"),
    (M2, act(CHEAP), "do", [-0.748724, -0.178468, -0.517520], "umbrella=no"),
    (M1, redo(CHEAP), "imagine", [-1, -1.09, -0.566396], "seed=yes"),
    (M1A, redo(CHEAP), "imagine", [-1, -1.09, -0.151619], "seed=yes"),
    (M1, act(DEAR), "see", [-0.889524, -0.253819, -1.501600], "umbrella=no"),
    (M1, act(DEAR), "do", [-0.889524, -0.944776, -1.157520], "pass"),
    (M2, act(DEAR), "do", [-0.889524, -0.319268, -1.157520], "umbrella=no"),
    (M1, redo(DEAR), "imagine", [-1, -1.09, -1.206396], "pass"),
    (M1A, redo(DEAR), "imagine", [-1, -1.09, -0.791619], "seed=yes"),
]


@pytest.mark.parametrize(("scm", "choice", "kind", "expected", "action"), TABLE)
def test_table_of_decisions(scm, choice, kind, expected, action):
    """The page's table: each action's value under a reading, and the action it picks."""
    found = truth(scm, choice)
    actual = list(found.option_readings[kind].values())
    assert expected == pytest.approx(actual, abs=5e-7)
    assert action == found.readings[kind]


@pytest.mark.parametrize("scm", [M1, M1A])
def test_redo_readers(scm):
    """Redo, dear: the see-reader takes umbrellas away and the do-reader passes, in both twins."""
    readings = truth(scm, redo(DEAR)).readings
    assert (readings["see"], readings["do"]) == ("umbrella=no", "pass")


def test_truth_of_a_choice_holds_its_values():
    """The truth is the best label; values and readings come by label in stated order."""
    found = truth(M1, act(DEAR))
    assert (found.value, found.rung) == ("pass", 2)
    assert list(found.values) == ["pass", "umbrella=no", "seed=yes"]
    assert found.values == found.option_readings["imagine"]


def test_first_twins_share_what_is_seen():
    """M1 and M2 have one joint law, the season included."""
    names = M1.names
    assert law(M1, names) == pytest.approx(law(M2, names), abs=1e-15)


def test_second_twins_share_every_intervention():
    """M1 and M1a agree on every intervention on every visible subset."""
    left, right = interventional_tables(M1), interventional_tables(M1A)
    assert max(np.abs(left[key] - right[key]).max() for key in left) < 1e-14


def floor(pairs):
    """Return the least summed regret over a choice made alike in both worlds."""
    regrets = [[max(row) - v for v in row] for row in pairs]
    return min(a + b for a, b in zip(*regrets, strict=True))


@pytest.mark.parametrize(
    ("left", "right", "choice", "expected"),
    [
        (M1, M2, act(CHEAP), 0.2865),
        (M1, M2, act(DEAR), 0.055),
        (M1, M1A, redo(DEAR), 0.2064),
    ],
)
def test_floors(left, right, choice, expected):
    """The floors before scaling, to the digits the page prints."""
    rows = [list(truth(scm, choice).values.values()) for scm in (left, right)]
    assert expected == pytest.approx(floor(rows), abs=3e-4 if expected == 0.055 else 5e-5)


def test_bow_bounds_frame_the_effect_of_seeding():
    """P(rain | do seed) lies in [P(rain, seed), P(rain, seed) + P(no seed)] = [.176, .956]."""
    low = value(M1, "P(rain=yes, seed=yes)")
    high = low + value(M1, "P(seed=no)")
    assert (low, high) == pytest.approx((0.176, 0.956), abs=5e-7)
    assert low < value(M1, "P(rain=yes | do(seed=yes))") < high


def test_redo_floor_over_all_observations():
    """Averaged over all observations the redo floor is .11 (dear)."""
    names = ("seed", "rain", "umbrella", "wet")
    total = 0.0
    for setting in settings(M1, names):
        evidence = ", ".join(f"{n}={v}" for n, v in setting.items())
        choice = parse(redo(DEAR).replace(EVIDENCE, evidence), M1.vocabulary)
        rows = [list(truth(scm, choice).values.values()) for scm in (M1, M1A)]
        total += value(M1, f"P({evidence})") * floor(rows)
    assert total == pytest.approx(0.11, abs=5e-3)


def test_every_twin_query_of_one_intervention():
    """One-variable laws under every single intervention agree between M1 and M1a."""
    for forced, asked in product(M1.visible, repeat=2):
        for setting in settings(M1, (forced,)):
            left = law(M1, [asked], setting)
            assert left == pytest.approx(law(M1A, [asked], setting), abs=1e-14)


def test_bet_twin_differs_in_dependence_alone():
    """The bet twin has equal visible marginals, and P(rain | no umbrella) .983 against .123."""
    other = M1.replace(
        mechanisms={
            "umbrella": world(
                {"rain": NO_YES, "umbrella": NO_YES},
                {
                    "rain": cpt([], [0.5, 0.5]),
                    "umbrella": cpt(["rain"], bern(0.2681 / 0.273, 0.6)),
                },
            ).mechanism("umbrella"),
            "wet": world(
                {"rain": NO_YES, "umbrella": NO_YES, "wet": NO_YES},
                {
                    "rain": cpt([], [0.5, 0.5]),
                    "umbrella": cpt([], [0.5, 0.5]),
                    "wet": cpt(["rain", "umbrella"], bern([0.02, 0.02], [0.2, 0.1])),
                },
            ).mechanism("wet"),
        }
    )
    for name in M1.visible:
        assert law(other, [name]) == pytest.approx(law(M1, [name]), abs=1e-14)
    assert value(other, "P(rain=yes | umbrella=no)") == pytest.approx(0.983, abs=5e-4)
