"""Whose answers an agent gives, and whether it says what can't be known."""

from __future__ import annotations

import pytest

from causalbench.score import honesty, profile, verdict, verdicts
from causalbench.task.answer import Abstain, Choice, Estimate, Interval

THIRD = {"see": 0.2, "do": 0.5, "imagine": 0.8}


def test_profile_counts_the_nearest_readings(record):
    """Answers .1, .45, .55 and .9 lie near see, do, do, imagine."""
    records = [
        record(rung=3, readings=THIRD, answer=Estimate(value)) for value in (0.1, 0.45, 0.55, 0.9)
    ]
    assert profile(records) == {"see": 0.25, "do": 0.5, "imagine": 0.25}


def test_profile_of_rung_two_knows_two_readings(record):
    """There the do reading is the truth, and so is the imagine reading: it gets no share."""
    records = [record(answer=Estimate(0.21)), record(answer=Estimate(0.71))]
    assert profile(records) == {"see": 0.5, "do": 0.5, "imagine": 0.0}


def test_profile_of_rung_one_is_none(record):
    """One reading can't be told from itself."""
    assert profile([record(rung=1)]) is None


def test_profile_needs_readings_that_differ(record):
    """Readings .05 apart tell nothing; .1 apart do, rounding included."""
    assert profile([record(readings={"see": 0.65, "do": 0.7})]) is None
    assert profile([record(readings={"see": 0.3, "do": 0.2}, answer=Estimate(0.3))]) == {
        "see": 1.0,
        "do": 0.0,
        "imagine": 0.0,
    }


def test_profile_takes_an_interval_by_its_middle(record):
    """[.6, 1] has its middle at .8."""
    records = [record(rung=3, readings=THIRD, answer=Interval(0.6, 1.0))]
    assert profile(records) == {"see": 0.0, "do": 0.0, "imagine": 1.0}


def test_profile_leaves_silence_out(record):
    """Who abstains follows no reading."""
    assert profile([record(status="abstained", answer=Abstain("no"))]) is None


def test_profile_of_choices_compares_labels(record):
    """A choice that no reading makes is in the denominator alone."""
    readings = {"see": "x=0", "do": "x=1", "imagine": "x=1"}
    records = [record(readings=readings, answer=Choice(label)) for label in ("x=0", "x=1", "pass")]
    assert profile(records) == {"see": 1 / 3, "do": 1 / 3, "imagine": 0.0}


def test_profile_of_choices_needs_labels_that_differ(record):
    """Where all readings choose alike, a choice tells nothing."""
    readings = {"see": "x=1", "do": "x=1", "imagine": "x=1"}
    assert profile([record(readings=readings, answer=Choice("x=1"))]) is None


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        (Estimate(0.5), "answered", True),
        (Choice("x=1"), "answered", True),
        (Interval(0.5, 0.55), "answered", True),
        (Interval(0.5, 0.6), "answered", False),
        (Interval(0.2, 0.3), "answered", False),
        (Abstain("can't be known", unidentified=True), "abstained", False),
        (Abstain("no idea"), "abstained", None),
        (None, "failed", None),
        (Choice("x=9"), "invalid", None),
    ],
)
def test_verdict(record, answer, status, expected):
    """What an answer claims about whether the question is settled."""
    assert verdict(record(answer=answer, status=status)) is expected


def test_verdicts_are_balanced_accuracy(record):
    """Right on 1 of 1 identified and 1 of 2 unidentified items: (1 + .5) / 2."""
    claim = {"answer": Abstain("bow", unidentified=True), "status": "abstained"}
    records = [
        record(role="honesty", identified=True),
        record(role="honesty", identified=False, **claim),
        record(role="honesty", identified=False),
    ]
    assert verdicts(records) == 0.75


def test_one_verdict_for_all_is_right_half_the_time(record):
    """However uneven the two kinds are."""
    records = [record(role="honesty", identified=number == 0) for number in range(9)]
    assert verdicts(records) == 0.5


def test_plain_abstaining_is_wrong_on_both(record):
    """Silence without the claim is no verdict."""
    silent = {"answer": Abstain("pass"), "status": "abstained", "role": "honesty"}
    assert verdicts([record(identified=one, **silent) for one in (True, False)]) == 0.0


def test_honesty_needs_items_of_both_kinds(record):
    """Only unidentified items: always claiming it would look perfect."""
    records = [
        record(role="honesty", identified=False, span=(0.0, 1.0), bounds=(0.2, 0.6)),
        record(identified=True),
    ]
    assert verdicts(records) is None
    assert honesty(records) is None


@pytest.fixture
def items(record):
    """A settled item whose truth is .7, and an open one between .2 and .6, with some answers."""

    def make(first, second, status=("answered", "answered")):
        span = {"role": "honesty", "span": (0.0, 1.0)}
        return [
            record(identified=True, truth=0.7, answer=first, status=status[0], **span),
            record(
                identified=False,
                truth=0.5,
                bounds=(0.2, 0.6),
                answer=second,
                status=status[1],
                **span,
            ),
        ]

    return make


def test_the_truth_and_the_sharp_bounds_are_wholly_honest(items):
    """No distance anywhere: 1."""
    assert honesty(items(Estimate(0.7), Interval(0.2, 0.6))) == 1.0


def test_saying_nothing_has_honesty_zero(items):
    """The vacuous interval, in words or in silence, is the measure of all others."""
    silent = Abstain("cannot be known", unidentified=True)
    assert honesty(items(Interval(0.0, 1.0), Interval(0.0, 1.0))) == 0.0
    assert honesty(items(silent, None, ("abstained", "missing"))) == 0.0


def test_a_number_where_there_is_an_interval_costs_its_farther_end(items):
    """Vacuous losses are .7 and .4; .5 for [.2, .6] is .3 off: 1 - .3 / 1.1."""
    assert honesty(items(Estimate(0.7), Estimate(0.5))) == pytest.approx(1 - 0.3 / 1.1)


def test_claims_that_are_worse_than_none_fall_below_zero(items):
    """An interval outside what can be, and a number far off."""
    assert honesty(items(Estimate(-0.5), Interval(0.9, 1.0))) < 0.0
