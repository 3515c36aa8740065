"""What an answer costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causalbench.errors import ScoreError
from causalbench.score import Loss, loss, status_of
from causalbench.task.answer import Abstain, Choice, Estimate, Interval


def test_estimate_costs_its_absolute_error(number):
    """|.5 - .7| = .2."""
    assert loss(Estimate(0.5), *number) == Loss(pytest.approx(0.2), "answered")


def test_estimate_may_cost_more_than_silence(number):
    """A number far off isn't capped at the floor: |-1 - .7| = 1.7."""
    assert loss(Estimate(-1.0), *number).value == pytest.approx(1.7)


def test_interval_costs_its_farther_end(number):
    """max(|.1 - .7|, |.8 - .7|) = .6."""
    assert loss(Interval(0.1, 0.8), *number) == Loss(pytest.approx(0.6), "answered")


def test_interval_of_an_estimate_is_not_scored(number):
    """Only the value counts, however sure the agent says it is."""
    assert loss(Estimate(0.7, low=0.0, high=1.0), *number) == Loss(0.0, "answered")


@pytest.mark.parametrize(
    ("action", "regret"), [("x=1", 0.0), ("x=0", 0.4 * 0.5), ("pass", 0.7 * 0.5)]
)
def test_choice_costs_its_weighted_regret(decision, action, regret):
    """How far below the best action, times how often the observation occurs."""
    assert loss(Choice(action), *decision) == Loss(pytest.approx(regret), "answered")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Abstain("too hard"), "abstained"),
        (Abstain("can't be known", unidentified=True), "abstained"),
        (Abstain("unseen"), "unseen"),
        (Choice("x=1"), "invalid"),
        (Estimate(1e300), "invalid"),
        (Interval(-1e300, 0.0), "invalid"),
        ("0.7", "invalid"),
        (None, "missing"),
    ],
)
def test_no_number_costs_half_the_floor(number, answer, status):
    """Everything that isn't a number of a sane size costs .4 / 2."""
    assert loss(answer, *number) == Loss(0.2, status)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Abstain("too hard"), "abstained"),
        (Abstain("unseen"), "unseen"),
        (Interval(0.0, 1.0), "invalid"),
        (Estimate(0.7), "invalid"),
        (Choice("x=2"), "invalid"),
        (None, "missing"),
    ],
)
def test_no_choice_costs_half_the_floor(decision, answer, status):
    """Everything that isn't one of the actions costs .3 / 2, weight already in the floor."""
    assert loss(answer, *decision) == Loss(0.15, status)


def test_failed_costs_half_the_floor(number):
    """The status that the run gives is worse than what the answer tells."""
    assert loss(None, *number, status="failed") == Loss(0.2, "failed")


def test_silence_without_a_floor_costs_nothing_and_is_counted(number):
    """A named question has no floor: the status says what happened, no number does."""
    question, key = number
    assert loss(None, question, replace(key, floor=0.0)) == Loss(0.0, "missing")


def test_status_needs_no_key(number):
    """The agent's own process can tell a legal answer."""
    assert status_of(Estimate(0.1), number[0]) == "answered"


def test_key_of_another_question_is_refused(number):
    """A key is never applied to a question that it isn't of."""
    question, key = number
    with pytest.raises(ScoreError, match="the key is of question 'other'"):
        loss(Estimate(0.5), question, replace(key, question_id="other"))


def test_decision_key_without_values_is_refused(decision):
    """A decision's key must price every action."""
    question, key = decision
    with pytest.raises(ScoreError, match="3 actions, its key 0 values"):
        loss(Choice("x=1"), question, replace(key, values=()))


def test_label_as_truth_of_a_number_is_refused(number):
    """A question for a number has a number as its truth."""
    question, key = number
    with pytest.raises(ScoreError, match="asks for a number"):
        loss(Estimate(0.5), question, replace(key, truth="x=1"))


@pytest.mark.parametrize("answer", [Choice("zzz"), Estimate(1e300), None])
def test_a_claim_to_have_answered_is_checked(number, answer):
    """A log that calls an illegal answer "answered" is priced as what it is: half the floor."""
    question, key = number
    found = loss(answer, question, key, "answered")
    assert (found.value, found.status) == (0.2, "missing" if answer is None else "invalid")
