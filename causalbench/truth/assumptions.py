"""Read the assumptions that knowledge states, and hold them against the world they are stated of.

A certificate speaks of the worlds that an assumption leaves. The world itself must be one of them:
from a false assumption any number follows.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

import numpy as np

from causalbench.errors import CertificateError, CouplingError, QueryError, suggest
from causalbench.query.ast import Atom, Probability, Query, Term
from causalbench.scm.couplings import couple, coupling_from_text
from causalbench.scm.mechanism import Mechanism
from causalbench.truth.exact import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from causalbench.scm import SCM
    from causalbench.truth.permitted import Permitted

__all__ = ["check_assumptions"]

_HELD: WeakSet[Permitted] = WeakSet()  # what was looked at and found to hold
_SIGNS = {"monotone": 1, "antitone": -1}
_TOLERANCE = 1e-9
_FORMS = "write 'monotone: x -> y', 'antitone: x -> y' or 'coupling:y=independent'."


class _Slope(NamedTuple):
    """An effect that never falls (sign 1) or never rises (-1) with a cause."""

    cause: str
    effect: str
    sign: int


def check_assumptions(permitted: Permitted) -> None:
    """Refuse an assumption that can't be read, or that the world itself breaks.

    Args:
        permitted: the world with what is known of it.

    Raises:
        QueryError: an assumption of no known form, or one that names no visible variables.
        WorldError: a coupling that does not exist, or that a table can't have.
        CertificateError: an assumption that is false in the world.
    """
    if permitted in _HELD:
        return
    for text in permitted.knowledge.assumptions:
        kind, _, rest = text.partition(":")
        if kind.strip() == "coupling":
            name, equals, told = rest.partition("=")
            _visible(text, [name.strip()] if equals else [], permitted.names)
            _check_drawn(permitted, name.strip(), text)
            holds = _coupled(permitted.scm, name.strip(), told)
        else:
            cause, arrow, effect = (part.strip() for part in rest.partition("->"))
            _visible(text, [cause, effect] if arrow and kind in _SIGNS else [], permitted.names)
            holds = _sloped(permitted.scm, _Slope(cause, effect, _SIGNS[kind]))
        if not holds:
            msg = (
                f"the assumption '{text}' is false in this world, and from what is false any "
                "number follows; drop it, or change the world."
            )
            raise CertificateError(msg)
    _HELD.add(permitted)


def _visible(text: str, found: list[str], names: Collection[str]) -> None:
    if not found:
        raise QueryError(f"'{text}' is no assumption; {_FORMS}")
    if len(set(found)) < len(found):
        raise QueryError(f"'{text}' names '{found[0]}' twice and no effect; {_FORMS}")
    for name in found:
        if name not in names:
            msg = f"the assumption '{text}' names '{name}', which is no visible variable."
            raise QueryError(msg + suggest(name, names))


def _sloped(scm: SCM, slope: _Slope) -> bool:
    """Tell whether no unit's effect moves against the sign, whatever the other parents are."""
    parents = scm.diagram.parents(slope.effect) if scm.is_discrete else ()
    if slope.cause not in parents:
        return True
    try:
        return not any(value(scm, query) > _TOLERANCE for query in _breaches(scm, slope, parents))
    except CouplingError:
        return True  # the tables leave it open, so it narrows the worlds down


def _breaches(scm: SCM, slope: _Slope, parents: tuple[str, ...]) -> Iterator[Query]:
    """Yield the events that the assumption forbids: at two neighbouring causes, others held."""
    others = [name for name in parents if name != slope.cause]
    labels = scm.variable(slope.effect).labels
    against = [
        (low, high)
        for i, low in enumerate(labels)
        for j, high in enumerate(labels)
        if (j - i) * slope.sign < 0
    ]
    for held in product(*(scm.variable(name).labels for name in others)):
        for pair in pairwise(scm.variable(slope.cause).labels):
            one, two = (
                Term(
                    slope.effect,
                    tuple(sorted([*zip(others, held, strict=True), (slope.cause, label)])),
                )
                for label in pair
            )
            for low, high in against:
                event = (Atom(one, "=", low), Atom(two, "=", high))
                yield Query(((1.0, Probability(event)),))


def _check_drawn(permitted: Permitted, name: str, text: str) -> None:
    """Refuse a coupling that is told of more parents than a diagram lets one see.

    Where no hidden cause is drawn, the coupling is read as that of the table given the parents
    drawn. With a hidden parent of its own, the variable has another table, and the words would
    say something else.
    """
    scm = permitted.scm
    if permitted.knowledge.shown != "diagram" or scm.diagram.siblings(name):
        return
    unseen = sorted(set(scm.parents(name)) - set(scm.visible))
    if unseen:
        msg = (
            f"the assumption '{text}' ties rows by the hidden '{unseen[0]}', which the diagram "
            f"does not draw; drop the assumption, or make '{unseen[0]}' a part of the noise."
        )
        raise CertificateError(msg)


def _coupled(scm: SCM, name: str, told: str) -> bool:
    """Tell whether a mechanism has the coupling that is told of it, noise values aside."""
    mechanism = scm.mechanism(name)
    if not isinstance(mechanism, Mechanism):
        return True  # a table without a coupling may have this one; a real variable has none
    try:
        coupling = coupling_from_text(told.strip())
    except ValueError:
        msg = f"the coupling '{told}' of '{name}' is neither a name nor JSON; {_FORMS}"
        raise QueryError(msg) from None
    made = couple(scm.cpt(name), coupling, mechanism.parents)
    own, other = _functions(mechanism), _functions(made)
    return all(abs(own.get(key, 0.0) - other.get(key, 0.0)) <= _TOLERANCE for key in {*own, *other})


def _functions(mechanism: Mechanism) -> dict[bytes, float]:
    """Return the probability of each function of the parents."""
    table: NDArray[np.int64] = np.ascontiguousarray(mechanism.table)
    found: dict[bytes, float] = {}
    for row, chance in zip(table, mechanism.noise.tolist(), strict=True):
        key = row.tobytes()
        found[key] = found.get(key, 0.0) + chance
    return found
