"""What the families share: numbers on the grid, yes-or-no phrases, and drawing until it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from causalbench.errors import WorldError
from causalbench.rng import GRID, grid
from causalbench.scm.program import Program
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from causalbench.scm.play import Play, PlayRegime
    from causalbench.scm.process import Process

__all__ = [
    "CHECKED",
    "GAP",
    "SOURCE",
    "TRIES",
    "between",
    "draw_until",
    "kept",
    "near",
    "phrase",
    "worth",
]

T = TypeVar("T")

CHECKED = 4
"""The most steps over which a drawn world's gaps are worked out."""
GAP = 0.1
"""How far apart rungs are to be, of returns on [0, 1]."""
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


def worth(process: Process, play: Play, *regimes: PlayRegime) -> list[float]:
    """Return what the best policy of each regime is worth, on [0, 1], over four steps at most.

    Longer processes are cut, so that a draw is judged in a fraction of a second.
    """
    from causalbench.truth.policy import references

    short = process.replace(horizon=min(process.horizon, CHECKED))
    found = references(Program(short, replace(play, returns=None)), regimes)
    return [found[regime].value.low for regime in regimes]


def kept(old: Process, new: Process, play: Play, steps: int = CHECKED) -> tuple[float, float]:
    """Return what the old process's best policy is worth in the new one, and the new one's best.

    Both act (regime ``do``) over so many steps at most, and both are values on [0, 1].
    """
    from causalbench.truth.policy import policy_value, references

    programs = [
        Program(one.replace(horizon=min(one.horizon, steps)), replace(play, returns=None))
        for one in (old, new)
    ]
    before, after = (references(program, ("do",))["do"] for program in programs)
    if before.policy is None:
        raise WorldError("a family's world is too large for its best policy to be found")
    return policy_value(programs[1], before.policy, "do").value, after.value.value
