"""Describe one variable of a world: its name, its values, and whether it is hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass

from causalbench.errors import WorldError, suggest

__all__ = ["Variable"]


@dataclass(frozen=True)
class Variable:
    """A variable with finitely many labelled values, or a real one.

    Args:
        name: any text but the empty one.
        values: the labels, first to last, at least one and all different; None for a real variable.
        hidden: never shown and never asked about in a benchmark's question.
        numbers: one number for each label, all different; lets E[...] be asked.
        unit: what the numbers measure, e.g. ``"kg"``.

    Raises:
        WorldError: an empty name, no or repeated values, or numbers that do not fit.
    """

    name: str
    values: tuple[str, ...] | None
    hidden: bool = False
    numbers: tuple[float, ...] | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        place = f"variable '{self.name}'"
        if not isinstance(self.name, str) or not self.name.strip():
            raise WorldError("variables: a name is empty; give every variable a name")
        if self.numbers is not None:
            object.__setattr__(self, "numbers", tuple(float(x) + 0.0 for x in self.numbers))
        if self.values is not None:
            object.__setattr__(self, "values", tuple(self.values))
            _check_labels(place, self.values)
            _check_numbers(place, self.values, self.numbers)
        elif self.numbers is not None:
            raise WorldError(f"{place}: a real variable takes no 'numbers'; drop them")

    @property
    def is_real(self) -> bool:
        """Whether the variable takes real values."""
        return self.values is None

    @property
    def cardinality(self) -> int:
        """How many values there are.

        Raises:
            WorldError: the variable is real.
        """
        return len(self.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """The values of a discrete variable.

        Raises:
            WorldError: the variable is real.
        """
        if self.values is None:
            raise WorldError(f"variable '{self.name}' is real and has no list of values")
        return self.values

    def code(self, label: object) -> int:
        """Return the index of a label; a number is read as its text, so 1 finds ``"1"``.

        Raises:
            WorldError: no such value.
        """
        text = label if isinstance(label, str) else str(label)
        labels = self.labels
        if text not in labels:
            raise WorldError(
                f"variable '{self.name}' has no value '{text}'; it has"
                f" {', '.join(labels)}.{suggest(text, labels)}"
            )
        return labels.index(text)

    def label(self, code: int) -> str:
        """Return the label at an index.

        Raises:
            WorldError: the index is out of range.
        """
        labels = self.labels
        if not 0 <= code < len(labels):
            raise WorldError(
                f"variable '{self.name}' has no value number {code}; take 0 to {len(labels) - 1}"
            )
        return labels[code]


def _check_labels(place: str, values: tuple[str, ...]) -> None:
    if not values:
        raise WorldError(f"{place}: values is empty; give it one value or more")
    seen: set[str] = set()
    for i, label in enumerate(values):
        if not isinstance(label, str) or not label.strip():
            raise WorldError(f"{place}, values[{i}]: {label!r} is no label; give it some text")
        if label in seen:
            raise WorldError(f"{place}, values[{i}]: '{label}' is a duplicate; rename one")
        seen.add(label)


def _check_numbers(place: str, values: tuple[str, ...], numbers: tuple[float, ...] | None) -> None:
    if numbers is None:
        return
    if len(numbers) != len(values):
        raise WorldError(
            f"{place}: {len(numbers)} numbers for {len(values)} values; give one for each value"
        )
    seen: set[float] = set()
    for i, number in enumerate(numbers):
        if not math.isfinite(number):
            raise WorldError(f"{place}, numbers[{i}]: {number} is not finite; give a number")
        if number in seen:
            raise WorldError(f"{place}, numbers[{i}]: {number} is a duplicate; change one")
        seen.add(number)
