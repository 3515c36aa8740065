"""Make the two sides of a pair look alike: order, noise, digits, laws and names of things."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.scm import LinearMechanism, Mechanism, TableMechanism
from causalbench.task.types import Law
from causalbench.truth import law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm import SCM

__all__ = ["align", "discrete", "exact_laws", "mask", "opaque_id", "sample_rows"]

_DIGITS = 12
_UNIT = 10**_DIGITS  # shown probabilities are whole multiples of 1e-12
_SEEN = 6  # digits after the point of a real number that is watched


def opaque_id(rng: np.random.Generator) -> str:
    """Draw an id that says nothing: 16 hexadecimal digits."""
    return f"{int(draws.words(rng, 1)[0]):016x}"


def align(sides: tuple[SCM, SCM], rng: np.random.Generator) -> tuple[SCM, SCM]:
    """Declare the variables of both sides in one random order, hidden ones last.

    Raises:
        TwinError: the sides have different visible variables.
    """
    names = sorted(sides[0].visible)
    if names != sorted(sides[1].visible):
        msg = "twins have different visible variables; an agent would tell them apart."
        raise TwinError(msg)
    visible = [names[int(place)] for place in draws.permutation(rng, len(names))]
    unseen = sorted({*sides[0].hidden, *sides[1].hidden})
    unseen = [unseen[int(place)] for place in draws.permutation(rng, len(unseen))]
    first, second = (
        side.reorder([*visible, *(name for name in unseen if name in side.hidden)])
        for side in sides
    )
    return first, second


def mask(sides: tuple[SCM, SCM], rng: np.random.Generator) -> tuple[SCM, SCM]:
    """Give both sides noise of one size, in random order, every probability with 12 digits.

    Each noise value is split at random into two or more, so that no shown number is round and none
    keeps a trace of how the world was made. No law of any rung changes by more than 1e-11. Real
    variables keep their noise; their causes stand in random order, every number with 12 digits.
    """
    if sides[0].is_real:
        return _told(sides[0], rng), _told(sides[1], rng)
    sizes: dict[str, int] = {}
    for side in sides:
        for name in side.names:
            count = int((discrete(side, name).noise > 0.0).sum())
            sizes[name] = max(sizes.get(name, 0), 2 * count)
    masked = [
        side.replace(
            mechanisms={name: _split(discrete(side, name), sizes[name], rng) for name in side.names}
        )
        for side in sides
    ]
    return masked[0], masked[1]


def _told(scm: SCM, rng: np.random.Generator) -> SCM:
    """Return a linear world with 12 digits after the point, causes in random order."""
    told = {}
    for name in scm.names:
        each = scm.mechanism(name)
        if not isinstance(each, LinearMechanism):
            msg = f"'{name}' is real and not linear; shown real mechanisms of twins are linear."
            raise TwinError(msg)
        order = draws.permutation(rng, len(each.parents)).tolist()
        told[name] = LinearMechanism(
            tuple(each.parents[place] for place in order),
            np.round(each.weights, _DIGITS)[order],
            round(each.intercept, _DIGITS),
            round(each.std, _DIGITS),
        )
    return scm.replace(mechanisms=told)


def discrete(scm: SCM, name: str) -> Mechanism:
    """Return the mechanism of a discrete variable.

    Raises:
        TwinError: the variable is real, or its coupling is not known.
    """
    mechanism = scm.mechanism(name)
    if isinstance(mechanism, TableMechanism):
        msg = f"'{name}' has a table without a coupling; shown mechanisms need one, so name it."
        raise TwinError(msg)
    if not isinstance(mechanism, Mechanism):
        msg = f"'{name}' is real; twins are made of discrete worlds."
        raise TwinError(msg)
    return mechanism


def _split(mechanism: Mechanism, size: int, rng: np.random.Generator) -> Mechanism:
    """Split noise values into ``size`` pieces, each at least once, and shuffle the pieces."""
    atoms = np.flatnonzero(mechanism.noise > 0.0)
    pieces = np.full(len(atoms), 2)
    for place in draws.integers(rng, len(atoms), size - 2 * len(atoms)):
        pieces[place] += 1
    origin = np.repeat(atoms, pieces)
    shares = 0.2 + draws.uniforms(rng, size)
    ends = np.cumsum(pieces)
    whole = [
        float(sum(shares[end - n : end].tolist())) for end, n in zip(ends, pieces, strict=True)
    ]
    exact = mechanism.noise[origin] * shares / np.repeat(whole, pieces)
    units = np.rint(exact * _UNIT).astype(np.int64)
    # Rounding leaves a remainder of a few units, which goes to the largest piece.
    units[int(units.argmax())] += _UNIT - int(units.sum())
    order = draws.permutation(rng, size)
    return Mechanism(mechanism.parents, (units / _UNIT)[order], mechanism.table[origin][order])


def exact_laws(scm: SCM, *, interventions: bool) -> tuple[Law, ...]:
    """Write out P(visible), and with ``interventions`` the law under every single intervention.

    Args:
        scm: the world; axes follow its visible variables in declared order.
        interventions: add ``P(visible | do(x))`` for every visible x and value.
    """
    settings: Sequence[tuple[tuple[str, str], ...]] = [()]
    if interventions:
        single = chain.from_iterable(
            [((name, label),) for label in scm.variable(name).labels] for name in scm.visible
        )
        settings = [(), *single]
    return tuple(Law(do, np.round(law(scm, scm.visible, dict(do)), 12) + 0.0) for do in settings)


def sample_rows(scm: SCM, n: int, rng: np.random.Generator) -> np.ndarray:
    """Watch ``n`` fresh units: [n, visible variables] in declared order.

    Codes, int64; of a real world the values, float64 with six digits after the point.
    """
    drawn = scm.draw(n, rng=rng)
    rows = np.stack([drawn[name] for name in scm.visible], axis=1)
    return np.round(rows, _SEEN) + 0.0 if scm.is_real else rows.astype(np.int64)
