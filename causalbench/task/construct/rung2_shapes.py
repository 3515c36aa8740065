"""Make room for twins whose diagram is shown: a direct effect to confound, and a way round it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.task.construct.net import coin
from causalbench.task.construct.walk import layered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    Shape = dict[str, tuple[str, ...]]

__all__ = ["prepared", "ways"]

_MOTIF_FIRST = 0.6  # how often the motif's own x and y are cause and effect
_MORE = 0.5  # how often another way round is added where there is one
_PARENTS = 4  # the most of a variable that is given another


def prepared(
    rng: np.random.Generator,
    shape: Mapping[str, tuple[str, ...]],
    most: int,
    *,
    before: bool = False,
) -> tuple[Shape, str, str] | None:
    """Add arrows until a cause has a direct effect and a way round it.

    The direct effect is what becomes confounding, so that each side keeps the directed paths of its
    motif. Ways round go through variables outside the motif where there are any.

    Args:
        rng: draws cause, effect and ways.
        shape: variable -> parents.
        most: how many visible variables there may be.
        before: whether a visible variable is needed that the cause does not reach.

    Returns:
        The shape, parents first, the cause and the effect; None where nothing fits.
    """
    drawn = dict(shape)
    seen = [name for name in drawn if not name.startswith("u")]
    above = {name: ancestors(drawn, name) for name in drawn}
    pairs = [(a, b) for b in seen for a in seen if a in above[b]]
    if not pairs:
        return None
    own = ("x", "y") in pairs and coin(rng, _MOTIF_FIRST)
    cause, effect = ("x", "y") if own else draws.choice(rng, pairs)
    if not _join(drawn, cause, effect):
        return None
    for number in range(2):
        if len(ways(drawn, cause, effect)) > 1 + number or (number and not coin(rng, _MORE)):
            continue
        middle = _middle(rng, drawn, cause, effect, most)
        if middle is None and not number:
            return None
    if before and not _before(rng, drawn, cause, effect, most):
        return None
    return {name: drawn[name] for name in layered(drawn)}, cause, effect


def ways(shape: Mapping[str, Sequence[str]], cause: str, effect: str) -> list[str]:
    """Return the visible children of a cause through which it reaches an effect, or which is it."""
    above = {effect, *ancestors(shape, effect)}
    return [name for name in shape if cause in shape[name] and name in above]


def ancestors(shape: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Return all that reaches a variable."""
    found: set[str] = set()
    stack = list(shape[name])
    while stack:
        cause = stack.pop()
        if cause not in found:
            found.add(cause)
            stack.extend(shape[cause])
    return found


def _join(shape: Shape, cause: str, effect: str) -> bool:
    """Draw an arrow, if there is room for it."""
    if cause not in shape[effect]:
        if len(shape[effect]) >= _PARENTS:
            return False
        shape[effect] = (*shape[effect], cause)
    return True


def _middle(
    rng: np.random.Generator, shape: Shape, cause: str, effect: str, most: int
) -> str | None:
    """Put a variable between cause and effect: one from outside the motif, else any, else a new."""
    seen = [name for name in shape if not name.startswith("u")]
    early, late = ancestors(shape, cause), ancestors(shape, effect)
    reached = set(ways(shape, cause, effect))
    fits = [
        name
        for name in seen
        if name not in {cause, effect, *early, *reached}
        and effect not in ancestors(shape, name)
        and (cause in shape[name] or len(shape[name]) < _PARENTS)
    ]
    fits = [fits[int(place)] for place in draws.permutation(rng, len(fits))]
    fits.sort(key=lambda name: not name.startswith("e"))
    room = len(seen) < most
    if (not fits or not fits[0].startswith("e")) and room:
        name = _fresh(shape)
        shape[name] = ()
        fits = [name]
    for name in fits:
        if name in late or len(shape[effect]) < _PARENTS:
            if name not in late:
                shape[effect] = (*shape[effect], name)
            _join(shape, cause, name)
            return name
    return None


def _before(rng: np.random.Generator, shape: Shape, cause: str, effect: str, most: int) -> bool:
    """See to it that some visible variable is not reached by the cause."""
    seen = [name for name in shape if not name.startswith("u")]
    if any(name != cause and cause not in ancestors(shape, name) for name in seen):
        return True
    heads = [name for name in (*ways(shape, cause, effect), cause) if len(shape[name]) < _PARENTS]
    if len(seen) >= most or not heads:
        return False
    head = draws.choice(rng, heads)
    name = _fresh(shape)
    shape[name] = ()
    shape[head] = (*shape[head], name)
    return True


def _fresh(shape: Shape) -> str:
    """Return the name of a new variable outside the motif."""
    number = 0
    while f"e{number}" in shape:
        number += 1
    return f"e{number}"
