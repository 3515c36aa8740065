"""What the families share: numbers on the grid, yes-or-no phrases, and drawing until it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from causalbench.errors import WorldError
from causalbench.rng import GRID, grid
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

__all__ = ["SOURCE", "TRIES", "between", "draw_until", "near", "phrase"]

T = TypeVar("T")

TRIES = 200
"""How many draws a family takes before it gives up."""
SOURCE = "drawn by the family '{}' of causalbench"


def near(value: float) -> float:
    """Return the multiple of 1/1024 nearest to a number, so that files print it exactly."""
    return round(value * GRID) / GRID


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a multiple of 1/1024 in [low, high], each equally likely."""
    return float(grid(rng, (), low=low, high=high))


def draw_until(
    rng: np.random.Generator,
    draw: Callable[[np.random.Generator], T],
    holds: Callable[[T], bool],
    name: str,
) -> T:
    """Draw again until what was drawn is as intended.

    Args:
        rng: the generator of all draws.
        draw: makes one.
        holds: whether it is as intended.
        name: of the family, for the message.

    Raises:
        WorldError: none of 200 draws was.
    """
    for _ in range(TRIES):
        drawn = draw(rng)
        if holds(drawn):
            return drawn
    raise WorldError(
        f"family '{name}': none of {TRIES} draws has the gaps it is made for at these settings;"
        " turn a knob back towards 'medium'."
    )


def phrase(noun: str, **values: str) -> Phrase:
    """Return how to speak of a variable that nobody sets: its noun, and a clause a value."""
    return Phrase(noun, values)
