"""Answer requests exactly: P(terms, evidence) on all three rungs, for discrete worlds.

Variable elimination over parallel worlds that share their noise (`worlds`), planned once per
shape of world (`plan`), over kernels with the noise summed out (`structure`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.truth.plan import plan
from causalbench.truth.structure import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Term
    from causalbench.scm import SCM
    from causalbench.truth.structure import Compiled

__all__ = ["solve", "table"]

_USED: NDArray[np.float64] = np.zeros(0)


def table(scm: SCM, terms: Sequence[Term], evidence: Sequence[Atom] = ()) -> NDArray[np.float64]:
    """Return P(terms = ..., evidence), not normalised.

    Args:
        scm: a discrete world.
        terms: counterfactual variables, nested ones too; a term may stand twice.
        evidence: what is known, in any worlds.

    Returns:
        A new float64 array with one axis per term, in their order; its sum is P(evidence), to
        round-off. An event that cannot be has probability exactly 0.

    Raises:
        UnknownNameError: a variable or value that the world does not have.
        QueryError: a comparison that the values do not allow, or a world that is not discrete.
        TooWideError: a table of more than 2^26 cells would be needed.
    """
    return np.array(solve(compiled(scm), tuple(terms), tuple(evidence)))


def solve(
    world: Compiled, terms: tuple[Term, ...], evidence: tuple[Atom, ...], *, scaled: bool = False
) -> NDArray[np.float64]:
    """Return the same as `table`, for a compiled world; the array must not be written to.

    Args:
        world: the compiled world.
        terms: as in `table`.
        evidence: as in `table`.
        scaled: whether to rescale on the way, so that evidence rarer than a float can hold does
            not vanish. The table is then right up to one positive factor.
    """
    work = plan(world.structure, terms, evidence)
    if work.impossible:
        return np.zeros(work.shape)
    kernel = world.kernel
    factors: list[NDArray[np.float64]] = [kernel(spec) for spec in work.kernels]
    factors.extend(work.masks)
    if scaled:
        factors = [_rescaled(factor) for factor in factors]
    for numbers, text in work.steps:
        product = np.einsum(text, *(factors[number] for number in numbers))
        factors.append(_rescaled(product) if scaled else product)
        for number in numbers:
            factors[number] = _USED  # frees the memory of large tables
    result = factors[-1] if factors else np.ones(())
    if work.place is None:
        return result
    answer = np.zeros(work.shape)
    answer[work.place] = result
    return answer


def _rescaled(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply by the power of two that brings the largest entry to [1/2, 1)."""
    exponent = int(np.frexp(factor.max())[1])
    scaled: NDArray[np.float64] = np.ldexp(factor, -exponent)
    return scaled
