"""Certify a query: an estimand where what is known settles it, else bounds and two witnesses.

Every certificate is checked before it is returned: an estimand is evaluated on the permitted laws
and must equal the exact truth; bounds must hold it; witnesses must agree with the world on every
permitted law, and a pair of them must differ.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from causalbench.errors import (
    CertificateError,
    CouplingError,
    PositivityError,
    QueryError,
)
from causalbench.query.algebra import normalise, settled, variables
from causalbench.query.ast import Choice, Expectation, Query
from causalbench.query.parser import parse
from causalbench.query.rung import rung_of_quantity
from causalbench.truth.access import METHODS, UnitRead, unit_access
from causalbench.truth.acting import without_effects_on_causes
from causalbench.truth.assumptions import check_assumptions
from causalbench.truth.certificate import Identified, Unidentified
from causalbench.truth.coincide import Coincide
from causalbench.truth.coupled import METHOD, SOURCE, rebuildable
from causalbench.truth.direct import direct_law, methods_of
from causalbench.truth.exact import value
from causalbench.truth.identify.asked import in_one_world
from causalbench.truth.identify.estimand import Linear
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.permitted import Permitted, recently_permitted
from causalbench.truth.subject import scm_of
from causalbench.truth.witnesses import checked_witnesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.query.ast import Quantity
    from causalbench.scm import SCM
    from causalbench.truth.bounds.types import Bounds
    from causalbench.truth.identify.estimand import Estimand

__all__ = ["Certificate", "certify", "certify_options"]

Certificate = Identified | Unidentified
TOLERANCE = 1e-9
"""How far an estimand may lie from the truth, a witness's law from the world's."""
_COUNTERFACTUAL = 3
_TRIES = 16  # estimands of one quantity that differ in the values of variables that do not matter
_Found = tuple["Estimand", str, str]  # estimand, method, source
_Valued = tuple["Estimand", str, str, float]  # the same, and what it evaluates to here


def certify(world: Any, query: str | Query, knowledge: Knowledge | None = None) -> Certificate:
    """Say whether what is known settles a query, and prove it.

    Args:
        world: a discrete SCM, or anything with one as ``.scm``.
        query: text or a query over visible variables; a choice is certified by `certify_options`.
        knowledge: what is known; None is ``Knowledge("see", "diagram")``, the law of what is seen
            and the diagram.

    Returns:
        `Identified`, with an estimand over the permitted laws whose value equals the truth; or
        `Unidentified`, with bounds and two worlds that agree on all that is permitted and differ.

    Raises:
        QueryError: text that is no query, a choice, a hidden variable, an assumption that can't be
            read, or a world that is not discrete.
        AccessError: a manipulable variable that the world does not have.
        ZeroProbabilityError: the query's condition has probability zero.
        CertificateError: no certificate was found, one failed its check, or an assumption is false
            in the world; the message says which.
        TooWideError: the response types of the mechanisms are too many to list.
    """
    known = Knowledge("see", "diagram") if knowledge is None else knowledge
    scm = scm_of(world)
    permitted = recently_permitted(scm, known)
    asked = _asked(scm, query)
    _check_visible(permitted, asked)
    check_assumptions(permitted)
    try:
        truth = value(scm, asked)
    except CouplingError:
        if known.shown != "mechanisms":
            raise
        return _open_couplings(permitted, scm, asked)
    return _certificate(permitted, scm, asked, truth)


def certify_options(
    world: Any, choice: str | Choice, knowledge: Knowledge | None = None
) -> dict[str, Certificate]:
    """Certify the value of each action of a choice, by the action's label.

    Args:
        world: as in `certify`.
        choice: text or a choice.
        knowledge: as in `certify`.

    Raises:
        QueryError: as in `certify`; also a query without actions.
    """
    scm = scm_of(world)
    asked = parse(choice, scm.vocabulary) if isinstance(choice, str) else choice
    if not isinstance(asked, Choice):
        raise QueryError("this query offers no actions; ask certify(world, query, knowledge).")
    return {label: certify(scm, objective, knowledge) for label, objective in asked.options()}


def _asked(scm: SCM, query: object) -> Query:
    asked = parse(query, scm.vocabulary) if isinstance(query, str) else query
    if isinstance(asked, Choice):
        msg = "a choice has one value an action; certify_options(...) certifies each of them."
        raise QueryError(msg)
    if not isinstance(asked, Query):
        msg = f"a query is text or a Query, not {type(query).__name__}; pass one of these."
        raise QueryError(msg)
    return asked


def _check_visible(permitted: Permitted, asked: Query) -> None:
    if permitted.knowledge.shown == "mechanisms":
        return
    hidden = sorted(variables(asked) - set(permitted.names))
    if hidden:
        msg = (
            f"'{hidden[0]}' is hidden, and a certificate speaks of visible variables alone; ask of "
            f"{', '.join(permitted.names)}, or show the mechanisms."
        )
        raise QueryError(msg)


def _certificate(permitted: Permitted, scm: SCM, asked: Query, truth: float) -> Certificate:
    found = _identify(permitted, asked)
    if found is not None:
        estimand, method, source, number = found
        if not abs(number - truth) <= TOLERANCE * max(1.0, abs(truth)):
            msg = (
                f"{estimand} is {number} and the truth is {truth}: method '{method}' fails on "
                f"{asked}; please report it."
            )
            raise CertificateError(msg)
        return Identified(str(asked), number, estimand, method, source, str(permitted))
    from causalbench.truth.bounds.others import bounds_with_witnesses

    limits = bounds_with_witnesses(permitted, asked)
    _check_inside(limits, truth, asked)
    if limits.upper - limits.lower <= TOLERANCE:
        return Identified(
            str(asked),
            (limits.lower + limits.upper) / 2,
            Coincide(asked, limits.method),
            f"the bounds coincide: {limits.method}",
            limits.source,
            str(permitted),
        )
    return _open(permitted, scm, asked, limits)


def _open_couplings(permitted: Permitted, scm: SCM, asked: Query) -> Unidentified:
    """Certify a question to tables without couplings: the world itself leaves it open."""
    from causalbench.truth.bounds.couplings import coupling_bounds

    return _open(permitted, scm, asked, coupling_bounds(scm, asked))


def _open(permitted: Permitted, scm: SCM, asked: Query, limits: Bounds) -> Unidentified:
    return Unidentified(
        str(asked),
        limits.lower,
        limits.upper,
        limits.sharp,
        checked_witnesses(permitted, scm, asked, limits),
        limits.method,
        limits.source,
        str(permitted),
    )


def _check_inside(limits: Bounds, truth: float, asked: Query) -> None:
    low, high = limits.lower - TOLERANCE, limits.upper + TOLERANCE
    if not low <= truth <= high:
        msg = (
            f"the bounds [{limits.lower}, {limits.upper}] ({limits.method}) miss the truth {truth} "
            f"of {asked}; please report it."
        )
        raise CertificateError(msg)


def _identify(permitted: Permitted, asked: Query) -> _Valued | None:
    """Return an estimand of the whole query; None where a part has none to evaluate here."""
    parts: list[tuple[float, Estimand]] = []
    methods: dict[str, str] = {}
    simple = normalise(asked)
    constant = number = simple.constant
    for weight, quantity in simple.terms:
        found = next(_usable(permitted, quantity), None)
        if found is None:
            return None
        methods[found[1]] = found[2]
        number += weight * found[3]
        if isinstance(found[0], Linear) and not found[0].terms:
            constant += weight * found[0].constant
        else:
            parts.append((weight, found[0]))
    sources = dict.fromkeys(methods.values())
    alone = len(parts) == 1 and parts[0][0] == 1.0 and not constant
    estimand = parts[0][1] if alone else Linear(tuple(parts), constant)
    return estimand, " and ".join(methods) or "arithmetic", "; ".join(sources), number


def _usable(permitted: Permitted, quantity: Quantity) -> Iterator[_Valued]:
    """Yield the estimands of a quantity that divide by nothing that is zero here, with values."""
    for found in _identify_quantity(permitted, quantity):
        try:
            number = found[0].evaluate(permitted)
        except PositivityError:
            continue
        yield *found, number


def _identify_quantity(permitted: Permitted, quantity: Quantity) -> Iterator[_Found]:
    """Yield estimands of one quantity, the plainest first; a later one may need less positivity."""
    access = unit_access(permitted, quantity)
    if access == "mechanisms":
        yield UnitRead(quantity, access), *METHODS[access]
        return
    certain = _certain(permitted, quantity)
    if certain is not None:
        yield Linear((), certain), "effectiveness", "Galles and Pearl (1998)"
        return
    shown = permitted.knowledge.shown == "diagram"
    if rung_of_quantity(quantity) < _COUNTERFACTUAL and in_one_world(quantity) is not None:
        law = direct_law(permitted, quantity)
        if law is not None:
            yield law, *methods_of(quantity)
        elif shown:
            from causalbench.truth.identify.interventional import identify_effects

            name = _effect_method(permitted, quantity)
            for estimand in islice(identify_effects(permitted.ground, quantity), _TRIES):
                yield estimand, *name
        if access is not None:
            yield UnitRead(quantity, access), *METHODS[access]
        return
    if access is not None:
        yield UnitRead(quantity, access), *METHODS[access]
    yield from _counterfactual(permitted, quantity)


def _simplified(permitted: Permitted, quantity: Quantity) -> Iterator[_Found]:
    """Yield estimands of a quantity that is to be simplified first."""
    found = _identify(permitted, Query(((1.0, quantity),)))
    if found is not None:
        yield found[:3]


def _certain(permitted: Permitted, quantity: Quantity) -> float | None:
    """Return what the action itself decides, such as P(x[x=1]=1) and E[x[x=1]]; else None."""
    if isinstance(quantity, Expectation):
        name = quantity.term.variable
        label, numbers = dict(quantity.term.subscript).get(name), permitted.numbers[name]
        if not isinstance(label, str) or numbers is None:
            return None
        return numbers[permitted.labels[name].index(label)]
    known = [settled(atom) for atom in quantity.event]
    if False in known:
        return 0.0
    return 1.0 if all(known) else None


def _effect_method(permitted: Permitted, quantity: Quantity) -> tuple[str, str]:
    if permitted.manipulable:
        return "gID", "Lee, Correa and Bareinboim (2019); Kivva, Etesami and Kiyavash (2023)"
    if quantity.given:
        return (
            "IDC",
            "Shpitser and Pearl (2006), Identification of conditional interventional distributions",
        )
    return "ID", "Shpitser and Pearl (2006), Identification of joint interventional distributions"


def _counterfactual(permitted: Permitted, quantity: Quantity) -> Iterator[_Found]:
    if permitted.knowledge.shown == "none":
        from causalbench.truth.identify.undrawn import identify_undrawn

        known = permitted.knowledge.assumptions
        found = identify_undrawn(
            permitted.labels, permitted.numbers, permitted.manipulable, quantity, known
        )
        if found is not None:
            yield found
            return
        simpler = without_effects_on_causes(permitted, quantity)
        if simpler != quantity:
            for estimand, method, source in _simplified(permitted, simpler):
                yield estimand, f"{method}, in the order that experiments show", source
        return
    from causalbench.truth.identify.counterfactual import identify_counterfactuals

    yield from identify_counterfactuals(permitted.ground, quantity)
    rebuilt = rebuildable(permitted, quantity)
    if rebuilt is not None:
        yield rebuilt, METHOD, SOURCE
