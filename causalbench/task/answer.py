"""The four things an agent may say: a number, an interval, a choice, or that it cannot say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Abstain", "Answer", "Choice", "Estimate", "Interval", "answer_from_dict"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, with an optional interval that says how sure the agent is (not scored).

    Raises:
        AnswerError: a value that is not a finite number, or an interval that is empty.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None or name == "value":
                object.__setattr__(self, name, _finite(number, f"Estimate.{name}"))
        if self.low is not None and self.high is not None and self.low > self.high:
            msg = f"Estimate has low {self.low} above high {self.high}; give low <= high."
            raise AnswerError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {"type": "estimate", "value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Interval:
    """Everything the answer may be: the answer to a question that cannot be settled further.

    Raises:
        AnswerError: an end that is not a finite number, or low above high.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", _finite(self.low, "Interval.low"))
        object.__setattr__(self, "high", _finite(self.high, "Interval.high"))
        if self.low > self.high:
            msg = f"Interval has low {self.low} above high {self.high}; give low <= high."
            raise AnswerError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {"type": "interval", "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the question's actions, by its label."""

    action: str

    def __post_init__(self) -> None:
        action: object = self.action
        if not isinstance(action, str):
            msg = f"Choice needs an action's label, not {type(action).__name__}."
            raise AnswerError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {"type": "choice", "action": self.action}


@dataclass(frozen=True, slots=True)
class Abstain:
    """No answer, and why.

    Args:
        reason: one line; ``"unseen"`` says that the observation never occurred in training.
        unidentified: True claims that what was given cannot settle the question.
    """

    reason: str
    unidentified: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {"type": "abstain", "reason": self.reason, "unidentified": self.unidentified}


Answer = Estimate | Interval | Choice | Abstain


def answer_from_dict(record: Mapping[str, Any]) -> Answer:
    """Rebuild an answer from its dict.

    Raises:
        AnswerError: a record that is not one of the four answers.
    """
    kinds: dict[str, type[Any]] = {
        "estimate": Estimate,
        "interval": Interval,
        "choice": Choice,
        "abstain": Abstain,
    }
    fields = dict(record)
    kind = fields.pop("type", None)
    if kind not in kinds:
        msg = f"answer type {kind!r} does not exist; it is one of {', '.join(kinds)}."
        raise AnswerError(msg)
    try:
        answer: Answer = kinds[kind](**fields)
    except TypeError as error:
        msg = f"answer of type {kind!r} has wrong fields {sorted(fields)}: {error}."
        raise AnswerError(msg) from None
    return answer


def _finite(value: object, place: str) -> float:
    """Return value as a float, refusing everything that is not a finite real number."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        msg = f"{place} is {value!r}, not a number; give a finite number."
        raise AnswerError(msg) from None
    if isinstance(value, bool) or not math.isfinite(number):
        msg = f"{place} is {value!r}; give a finite number."
        raise AnswerError(msg)
    return number
