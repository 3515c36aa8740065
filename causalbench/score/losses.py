"""Put a price on one answer, and name how it was reached.

An estimate costs its absolute error; an interval the distance of its farther end; a choice its
regret, times how often its observation occurs. Everything that is not a legal answer, abstaining
included, costs half of the question's floor: what a solver without the rung pays at best, so that
silence is never dearer than guessing and never cheaper than knowing.

Reference:
    The two-point bound of Le Cam (1973), which the floor is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from causalbench.errors import ScoreError
from causalbench.task.answer import Abstain, Choice, Estimate, Interval

if TYPE_CHECKING:
    from causalbench.task.answer import Answer
    from causalbench.task.types import Key, Question

__all__ = ["LARGEST", "STATUSES", "Loss", "Status", "loss", "status_of"]

Status = Literal["answered", "abstained", "unseen", "invalid", "failed", "missing"]
STATUSES: tuple[str, ...] = get_args(Status)
LARGEST = 1e12  # beyond it a number is no answer: sums of losses must stay finite


@dataclass(frozen=True, slots=True)
class Loss:
    """What one answer costs.

    Args:
        value: the loss, >= 0, weight included; 0.0 where nothing was answered and there is no
            floor (such an item is counted by its status and enters no mean).
        status: how the answer was reached.
    """

    value: float
    status: Status


def status_of(answer: Answer | None, question: Question) -> Status:
    """Say whether an answer is a legal one for its question.

    Args:
        answer: what the agent said; None where it said nothing.
        question: what it was asked.

    Returns:
        ``answered``, ``abstained``, ``unseen``, ``invalid`` or ``missing``.
    """
    if answer is None:
        return "missing"
    if isinstance(answer, Abstain):
        return "unseen" if answer.reason == "unseen" else "abstained"
    if question.kind == "estimate":
        return "answered" if _is_number(answer) else "invalid"
    legal = isinstance(answer, Choice) and answer.action in question.actions
    return "answered" if legal else "invalid"


def loss(answer: Answer | None, question: Question, key: Key, status: Status | None = None) -> Loss:
    """Compute what an answer costs (docs/reading-a-table.md).

    Args:
        answer: what the agent said; None where it said nothing.
        question: what it was asked.
        key: the truth.
        status: how the run ended for this item, where that is worse than the answer tells
            (``failed``); None and ``answered`` take it from the answer.

    Returns:
        The loss and its status.

    Raises:
        ScoreError: a key of another question, or a decision's key without its actions' values.
    """
    if key.question_id != question.id:
        msg = (
            f"the key is of question '{key.question_id}', the question is '{question.id}'; "
            "score each question with its own key."
        )
        raise ScoreError(msg)
    if status is None or status == "answered":  # a log may claim more than its answer holds
        status = status_of(answer, question)
    if status != "answered":
        return Loss(key.floor / 2, status)
    if isinstance(answer, Choice):
        return Loss(key.weight * _regret(answer, question, key), "answered")
    if isinstance(key.truth, str):
        msg = f"question '{question.id}' asks for a number, but its key is '{key.truth}'."
        raise ScoreError(msg)
    if isinstance(answer, Interval):
        error = max(abs(answer.low - key.truth), abs(answer.high - key.truth))
    elif isinstance(answer, Estimate):
        error = abs(answer.value - key.truth)
    else:
        msg = f"question '{question.id}' has status 'answered' without a legal answer."
        raise ScoreError(msg)
    return Loss(key.weight * error, "answered")


def _regret(answer: Choice, question: Question, key: Key) -> float:
    """Return how far the chosen action's expected utility lies below the best one's."""
    if len(key.values) != len(question.actions):
        msg = (
            f"question '{question.id}' has {len(question.actions)} actions, "
            f"its key {len(key.values)} values; a decision's key needs one value an action."
        )
        raise ScoreError(msg)
    return max(key.values) - key.values[question.actions.index(answer.action)]


def _is_number(answer: Answer) -> bool:
    """Say whether an answer is an estimate or an interval of a magnitude that can be summed."""
    if isinstance(answer, Estimate):
        return abs(answer.value) <= LARGEST
    return isinstance(answer, Interval) and max(abs(answer.low), abs(answer.high)) <= LARGEST
