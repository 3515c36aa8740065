"""Look values up: by label, by number, and by what an atom allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import AccessError, QueryError, UnknownNameError, suggest
from causalbench.query.ast import COMPARE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.query.ast import Atom

__all__ = ["allowed", "no_value", "not_visible", "numbers_of"]


def allowed(
    atom: Atom, labels: tuple[str, ...], numbers: tuple[float, ...] | None
) -> tuple[int, ...]:
    """Return the codes for which an atom holds, in declared order.

    Args:
        atom: of a variable with values.
        labels: the variable's values.
        numbers: their numbers, where they have any.

    Raises:
        UnknownNameError: no such value.
        QueryError: an order comparison of values that have no numbers.
    """
    if atom.op == "=":
        return (_code(atom, labels),)
    if atom.op == "!=":
        but = _code(atom, labels)
        return tuple([code for code in range(len(labels)) if code != but])
    known = numbers_of(atom.term.variable, labels, numbers, f"'{atom.op}'")
    said = atom.value
    bound = said if isinstance(said, float | int) else known[_code(atom, labels)]
    holds = COMPARE[atom.op]
    return tuple([code for code, number in enumerate(known) if holds(number, bound)])


def numbers_of(
    name: str, labels: tuple[str, ...], numbers: tuple[float, ...] | None, purpose: str
) -> tuple[float, ...]:
    """Return the numbers of a variable's values, wanted for a stated purpose.

    Raises:
        QueryError: its values have none.
    """
    if numbers is None:
        msg = (
            f"{purpose} needs numbers for the values of '{name}' and the world gives none; "
            f"add 'numbers' with {len(labels)} entries to the variable, or ask for P({name}=...)."
        )
        raise QueryError(msg)
    return numbers


def no_value(name: str, value: object, labels: tuple[str, ...]) -> UnknownNameError:
    """Return the error for a value that a variable does not have."""
    hint = suggest(str(value), labels)
    return UnknownNameError(f"'{name}' has no value '{value}'; it has {', '.join(labels)}.{hint}")


def not_visible(name: str, names: Iterable[str]) -> AccessError:
    """Return the error for a name that is none of the visible variables'."""
    hint = suggest(name, names)
    return AccessError(
        f"'{name}' is hidden or does not exist; certificates use visible variables.{hint}"
    )


def _code(atom: Atom, labels: tuple[str, ...]) -> int:
    if atom.value not in labels:
        raise no_value(atom.term.variable, atom.value, labels)
    return labels.index(str(atom.value))
