"""Check the witnesses of a certificate: do they agree on what is permitted, and do they differ?"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CertificateError
from causalbench.truth.assumptions import check_assumptions
from causalbench.truth.exact import value
from causalbench.truth.laws import interventional_tables, law
from causalbench.truth.permitted import Permitted
from causalbench.truth.unit_laws import unit_laws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from causalbench.query.ast import Query
    from causalbench.scm import SCM
    from causalbench.truth.bounds.types import Bounds
    from causalbench.truth.certificate import Witness

__all__ = ["TOLERANCE", "checked_witnesses", "largest_difference"]

TOLERANCE = 1e-9
"""How far the laws of two worlds may lie apart."""
_COUNTERFACTUAL = 3


def checked_witnesses(
    permitted: Permitted, scm: SCM, asked: Query, limits: Bounds
) -> tuple[Witness, Witness]:
    """Return the two witnesses of some bounds, the smaller value first, once they are checked.

    Args:
        permitted: what is known.
        scm: the world itself.
        asked: the query.
        limits: its bounds, with their witnesses.

    Raises:
        CertificateError: there are none, or one differs from the world in what is permitted, has
            another value than it says, or both have the same.
    """
    if limits.witnesses is None:
        raise _undecided(permitted, asked, limits)
    pair = sorted(limits.witnesses, key=lambda each: each.value)
    for each in pair:
        gap = largest_difference(permitted, scm, each.scm)
        if not gap <= TOLERANCE:
            msg = (
                f"a witness of {asked} ({limits.method}) differs from the world by {gap:.3g} in "
                "what is permitted; please report it."
            )
            raise CertificateError(msg)
        found = value(each.scm, asked)
        if not abs(found - each.value) <= TOLERANCE:
            msg = (
                f"a witness of {asked} ({limits.method}) has the value {found}, not {each.value}; "
                "please report it."
            )
            raise CertificateError(msg)
    ends = (limits.lower, limits.upper)
    if limits.sharp and any(
        not abs(each.value - end) <= TOLERANCE for each, end in zip(pair, ends, strict=True)
    ):
        msg = (
            f"the bounds of {asked} ({limits.method}) are called sharp and are not attained; "
            "please report it."
        )
        raise CertificateError(msg)
    if not pair[1].value - pair[0].value > TOLERANCE:
        raise _undecided(permitted, asked, limits)
    return pair[0], pair[1]


def largest_difference(permitted: Permitted, scm: SCM, other: SCM) -> float:
    """Return how far two worlds lie apart in what is permitted.

    That is infinite for another diagram, and where an assumption is false in the other world.

    Args:
        permitted: what is known.
        scm: one world.
        other: another, over the same visible variables.

    Raises:
        TooWideError: units that are run again have more than 2^20 joint values.
    """
    if scm.visible != other.visible:
        return float("inf")
    if any(
        (scm.variable(name).values, scm.variable(name).numbers)
        != (other.variable(name).values, other.variable(name).numbers)
        for name in scm.visible
    ):
        return float("inf")
    if permitted.knowledge.shown != "none" and scm.diagram != other.diagram:
        return float("inf")
    try:
        check_assumptions(Permitted(other, permitted.knowledge))
    except CertificateError:
        return float("inf")
    pairs = zip(_laws(permitted, scm), _laws(permitted, other), strict=True)
    worst = max(float(np.abs(one - two).max()) for one, two in pairs)
    if worst > TOLERANCE or permitted.knowledge.rung < _COUNTERFACTUAL:
        return worst
    units = zip(unit_laws(permitted, scm), unit_laws(permitted, other), strict=True)
    return max([worst, *(float(np.abs(one - two).max()) for one, two in units)])


def _undecided(permitted: Permitted, asked: Query, limits: Bounds) -> CertificateError:
    advice = "show the diagram, or " if permitted.knowledge.shown == "none" else ""
    advice += "drop an assumption, or " if permitted.knowledge.assumptions else ""
    return CertificateError(
        f"not decided: {asked} lies in [{limits.lower:.6g}, {limits.upper:.6g}] ({limits.method}), "
        f"and neither an estimand nor two worlds that differ in it were found; {advice}ask of a "
        "world with fewer variables or parents."
    )


def _laws(permitted: Permitted, scm: SCM) -> Iterator[NDArray[np.float64]]:
    """Yield every permitted law over the visible variables, in a fixed order."""
    if permitted.manipulable == frozenset(permitted.names):
        yield from interventional_tables(scm).values()
        return
    yield law(scm, scm.visible)
    names = sorted(permitted.manipulable)
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            rest = [name for name in scm.visible if name not in chosen]
            for labels in product(*(permitted.labels[name] for name in chosen)):
                yield law(scm, rest, dict(zip(chosen, labels, strict=True)))
