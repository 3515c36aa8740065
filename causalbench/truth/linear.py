"""Certify questions to linear-Gaussian worlds from means and covariances of what is seen.

What is watched, or shown by an experiment, is a normal law: any quantity of that law is read off
it. Of watching alone and a diagram, the mean under an intervention follows by adjustment (every
conditional mean is a regression), and through variables that all the effect passes.

References:
    van der Zander, Liskiewicz, Textor (2014), Constructing separators and adjustment sets in
    ancestral graphs: if any set of variables will do to adjust for, the one taken here will.
    Pearl (1995), Causal diagrams for empirical research: the front door.
    Wright (1921), Correlation and causation: slopes along a path multiply.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from causalbench.errors import CertificateError
from causalbench.graph import Diagram
from causalbench.query.algebra import normalise, terms
from causalbench.query.ast import Atom, Expectation, Probability, Query, Term
from causalbench.query.render import render_quantity
from causalbench.query.rung import rung_of_quantity
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.truth.exact import value
from causalbench.truth.identify.interventional import identify_effect
from causalbench.truth.permitted import Ground

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Quantity
    from causalbench.truth.knowledge import Knowledge

    Floats = NDArray[np.float64]

__all__ = ["LinearProof", "adjustment_set", "linear_proof", "moments", "route"]

TOLERANCE = 1e-9
_UNITS = 3


class LinearProof(NamedTuple):
    """How what is given settles a question.

    Attributes:
        method: its name.
        estimand: what is computed, in words of the query language and of regressions.
        value: what it comes to; equal to the truth to 1e-9.
    """

    method: str
    estimand: str
    value: float


class _Step(NamedTuple):
    """A mean that follows from regressions: of each target on what is set and what is kept."""

    target: str
    forced: tuple[str, ...]
    kept: tuple[str, ...]


def moments(scm: SCM, do: Mapping[str, float] | None = None) -> tuple[Floats, Floats]:
    """Return the mean and covariance of the visible variables of a linear-Gaussian world.

    Args:
        scm: the world.
        do: variable -> what it is set to.

    Returns:
        float64[visible] and float64[visible, visible], in declared order.
    """
    forced = do or {}
    place = {name: number for number, name in enumerate(scm.names)}
    mean: dict[str, float] = {}
    rows: dict[str, Floats] = {}
    for name in scm.order:
        mechanism = scm.mechanism(name)
        rows[name], mean[name] = np.zeros(len(place)), float(forced.get(name, 0.0))
        if name in forced or not isinstance(mechanism, LinearMechanism):
            continue
        rows[name][place[name]] = mechanism.std
        mean[name] = mechanism.intercept
        for parent, weight in zip(mechanism.parents, mechanism.weights.tolist(), strict=True):
            rows[name] = rows[name] + weight * rows[parent]
            mean[name] += weight * mean[parent]
    table = np.stack([rows[name] for name in scm.visible])
    covariance: Floats = (table[:, None, :] * table[None, :, :]).sum(axis=-1)
    return np.array([mean[name] for name in scm.visible]), covariance


def linear_proof(scm: SCM, query: Query, knowledge: Knowledge) -> LinearProof:
    """Settle a question by what is given, or refuse.

    Args:
        scm: a linear-Gaussian world; of it no more is used than the knowledge permits.
        query: over visible variables.
        knowledge: whose mechanisms are not shown.

    Raises:
        CertificateError: nothing here settles it, or what does misses the truth.
    """
    simple = normalise(query)
    parts = [_quantity(scm, quantity, knowledge) for _, quantity in simple.terms]
    total = simple.constant
    texts: list[str] = []
    for (weight, _), part in zip(simple.terms, parts, strict=True):
        total += weight * part.value
        sign = "-" if weight < 0 else "+"
        size = "" if abs(weight) == 1.0 else f"{abs(weight):g} * "
        texts.append(
            f"{sign} {size}{part.estimand}" if texts or sign == "-" else size + part.estimand
        )
    truth = value(scm, query)
    if not abs(total - truth) <= TOLERANCE * max(1.0, abs(truth)):
        msg = f"{' '.join(texts)} is {total} and the truth is {truth}; please report it."
        raise CertificateError(msg)
    methods = dict.fromkeys(part.method for part in parts)
    return LinearProof("; ".join(methods), " ".join(texts), total)


def _quantity(scm: SCM, quantity: Quantity, knowledge: Knowledge) -> LinearProof:
    text = render_quantity(quantity)
    rung = rung_of_quantity(quantity)
    forced = _forced(quantity) if rung < _UNITS else None
    if forced is not None and (not forced or knowledge.rung > 1):
        method = "read off an experiment" if forced else "read off what is seen"
        mean, covariance = moments(scm, forced)
        law = _law(scm.visible, mean, covariance)
        return LinearProof(method, text, value(law, Query(((1.0, _plain(quantity)),))))
    if forced and knowledge.shown == "diagram" and isinstance(quantity, Expectation):
        found = None if quantity.given else route(scm.diagram, quantity.term.variable, list(forced))
        if found is not None:
            return _routed(scm, quantity.term.variable, forced, found)
    msg = f"no certificate is written for {text} in a linear-Gaussian world, given {knowledge}."
    raise CertificateError(msg)


def _forced(quantity: Quantity) -> dict[str, float]:
    """Return what one common intervention sets."""
    found: dict[str, float] = {}
    for term in terms(quantity):
        found.update({name: float(setting) for name, setting in term.subscript})  # type: ignore[arg-type]
    return found


def _plain(quantity: Quantity) -> Quantity:
    """Return the quantity without subscripts: asked of the law of the experiment itself."""

    def bare(atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return tuple(Atom(Term(atom.term.variable), atom.op, atom.value) for atom in atoms)

    if isinstance(quantity, Probability):
        return Probability(bare(quantity.event), bare(quantity.given))
    return Expectation(Term(quantity.term.variable), bare(quantity.given))


def _law(names: Sequence[str], mean: Floats, covariance: Floats) -> SCM:
    """Return a world that is nothing but a normal law: each variable regressed on those before."""
    mechanisms: dict[str, LinearMechanism] = {}
    for place, name in enumerate(names):
        kept = [i for i in range(place) if covariance[i, i] > 0.0]
        weights = _solved(covariance, kept, place)
        rest = covariance[place, place] - float((weights * covariance[kept, place]).sum())
        level = mean[place] - float((weights * mean[kept]).sum())
        above = tuple(names[i] for i in kept)
        mechanisms[name] = LinearMechanism(above, weights, level, float(np.sqrt(max(rest, 0.0))))
    return SCM({name: Variable(name, None) for name in names}, mechanisms)


def _solved(covariance: Floats, given: Sequence[int], target: int) -> Floats:
    table = covariance[np.ix_(given, given)]
    result: Floats = np.asarray(np.linalg.solve(table, covariance[list(given), target]), np.float64)
    return result


def route(diagram: Diagram, y: str, forced: Sequence[str]) -> tuple[_Step, ...] | None:
    """Return regressions from which the mean of y under an intervention follows, or None.

    One step adjusts. Several lead through other variables: the last step is y's, the others are
    those of the variables that it sets.

    Args:
        diagram: over the visible variables.
        y: what is asked about.
        forced: the variables that are set.
    """
    direct = adjustment_set(diagram, y, forced)
    if direct is not None:
        return (_Step(y, tuple(forced), direct),)
    if len(forced) != 1 or not _identified(diagram, y, forced[0]):
        return None
    x = forced[0]
    between = sorted((diagram.descendants(x) & diagram.ancestors(y)) - {x, y})
    for size in (1, 2):
        for middles in combinations(between, size):
            if y in diagram.without_outgoing(middles).descendants(x):
                continue
            kept = [adjustment_set(diagram, middle, [x]) for middle in middles]
            last = adjustment_set(diagram, y, middles)
            if last is None or any(each is None for each in kept):
                continue
            steps = [
                _Step(middle, (x,), each)
                for middle, each in zip(middles, kept, strict=True)
                if each is not None
            ]
            return (*steps, _Step(y, middles, last))
    return None


def _identified(diagram: Diagram, y: str, x: str) -> bool:
    """Say whether the effect is identified whatever the mechanisms, and not by their lines alone.

    Slopes multiply along paths that no law of other mechanisms could be put together from.
    """
    labels = dict.fromkeys(diagram.nodes, ("0", "1"))
    ground = Ground(diagram, labels, dict.fromkeys(diagram.nodes))
    event = Atom(Term(y, ((x, "1"),)), "=", "1")
    return identify_effect(ground, Probability((event,))) is not None


def adjustment_set(diagram: Diagram, y: str, forced: Sequence[str]) -> tuple[str, ...] | None:
    """Return a set of variables to adjust for, or None where there is none.

    Args:
        diagram: over the visible variables.
        y: the outcome.
        forced: the variables that are set; y is not among them.
    """
    cut = frozenset(forced)
    onward = diagram.without_incoming(cut).descendants(cut) - cut
    upward = diagram.without_outgoing(cut).ancestors(y)
    path = onward & upward
    banned = diagram.descendants(path) if path else frozenset()
    kept = sorted(diagram.ancestors({*cut, y}) - cut - {y} - banned)
    edges = [pair for pair in diagram.directed if not (pair[0] in cut and pair[1] in path)]
    rest = Diagram(diagram.nodes, edges, diagram.bidirected)
    return tuple(kept) if rest.d_separated(cut, y, kept) else None


def _routed(scm: SCM, y: str, forced: Mapping[str, float], steps: tuple[_Step, ...]) -> LinearProof:
    names = scm.visible
    mean, covariance = moments(scm)
    level = dict(zip(names, mean.tolist(), strict=True))
    moved = {name: setting - level[name] for name, setting in forced.items()}
    for step in steps:
        given = [names.index(name) for name in (*step.forced, *step.kept)]
        slopes = _solved(covariance, given, names.index(step.target)).tolist()
        moved[step.target] = sum(
            slope * moved[name] for slope, name in zip(slopes, step.forced, strict=False)
        )
    method = "adjustment" if len(steps) == 1 else "adjustment along a path"
    text = "; ".join(
        f"slopes of {step.target} on {', '.join(step.forced)}"
        + (f" given {', '.join(step.kept)}" if step.kept else "")
        for step in steps
    )
    return LinearProof(method, f"[{text}]", level[y] + moved[y])
