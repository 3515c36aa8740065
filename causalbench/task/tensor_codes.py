"""The small vocabularies of facts: codes of modes, operators, types of mechanisms, couplings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from causalbench.query.ast import Operator
from causalbench.scm import AdditiveMechanism, LinearMechanism, Mechanism, TableMechanism
from causalbench.scm.couplings import coupling_from_text, coupling_text
from causalbench.task.types import Kind, Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "COUPLINGS",
    "KINDS_OF_QUESTION",
    "MODES",
    "NOT",
    "OPERATORS",
    "TYPES",
    "Part",
    "coupling_of",
    "coupling_parts",
]

COUPLINGS = ("independent", "monotone", "antitone")
KINDS_OF_QUESTION: tuple[Kind, ...] = get_args(Kind)
MODES: tuple[Mode, ...] = get_args(Mode)
OPERATORS: tuple[Operator, ...] = get_args(Operator)
TYPES: tuple[type, ...] = (Mechanism, TableMechanism, LinearMechanism, AdditiveMechanism)
NOT = -2  # minus a value's code: any value but that one
Part = tuple[int, str, float]  # of a coupling: its kind, the parent that turns it, its weight


def coupling_parts(text: str) -> tuple[list[Part], bool] | None:
    """Take the text of a coupling apart.

    Returns:
        Its parts, and whether it is a mixture; None where `coupling_of` would not give back the
        same text.
    """
    try:
        told: Any = coupling_from_text(text)
        mixed = isinstance(told, dict) and "mixture" in told
        kinds = told["mixture"]["of"] if mixed else [told]
        weights = told["mixture"]["weights"] if mixed else [1.0]
        turning = [each["antitone"]["in"] if isinstance(each, dict) else "" for each in kinds]
        parts = [
            (COUPLINGS.index("antitone" if axis else kind), str(axis), float(weight))
            for kind, axis, weight in zip(kinds, turning, weights, strict=True)
        ]
    except (ValueError, KeyError, TypeError):
        return None
    return (parts, mixed) if parts and coupling_of(parts, mixed=mixed) == text else None


def coupling_of(parts: Sequence[Part], *, mixed: bool) -> str:
    """Put a coupling together, as text."""
    kinds: list[Any] = [
        {"antitone": {"in": axis}} if axis else COUPLINGS[kind] for kind, axis, _ in parts
    ]
    weights = [weight for _, _, weight in parts]
    return coupling_text({"mixture": {"of": kinds, "weights": weights}} if mixed else kinds[0])
