"""Answer queries in linear-Gaussian worlds, in closed form, on all three rungs.

Every counterfactual term is a linear form of one vector of standard normal noise, shared by all
worlds: r . z + c. Observing equalities conditions z (abduction), inequalities cut a box out of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import (
    QueryError,
    UnknownNameError,
    WorldError,
    ZeroProbabilityError,
    suggest,
)
from causalbench.query.ast import Atom, Expectation, Term
from causalbench.truth.discrete import no_such_case
from causalbench.truth.normal import box_mean, box_probability
from causalbench.truth.readings import conditions, possible_part
from causalbench.truth.worlds import misplaced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Quantity, Subscript
    from causalbench.scm import SCM
    from causalbench.truth.normal import Form
    from causalbench.truth.readings import Goal

__all__ = ["Gaussian"]

_RANK = 1e-11  # singular values below this share of the largest are round-off
_HUGE = 1e100  # forms are squared and multiplied on the way to a covariance
_AGREE = 1e-8  # equalities that differ by less, in the scale of what they state, agree


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Noise given equalities: z = centre + (I - basis' basis) z', z' standard normal."""

    centre: NDArray[np.float64]
    basis: NDArray[np.float64]

    def free(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the part of a form that still varies; exactly zero where round-off is left."""
        rest: NDArray[np.float64] = row - (row @ self.basis.T) @ self.basis
        size = float(np.linalg.norm(row))
        return rest if float(np.linalg.norm(rest)) > _RANK * size else np.zeros_like(row)


class Gaussian:
    """A linear-Gaussian world as the readings and `truth` see it.

    Args:
        scm: a world whose variables are all real.
    """

    def __init__(self, scm: SCM) -> None:
        self.scm = scm
        self.order = tuple(scm.order)
        self.index = {name: number for number, name in enumerate(self.order)}

    def quantity(self, quantity: Quantity) -> tuple[float, float]:
        """Return the value of one quantity and a bound on its error.

        Raises:
            QueryError: the probability that a real variable equals a number.
            ZeroProbabilityError: a condition that contradicts itself or has no mass.
        """
        return self._quantity(quantity, points=False)

    def number(self, quantity: Quantity) -> float:
        """Return the value of one quantity for a reading: a single number has probability 0."""
        return self._quantity(quantity, points=True)[0]

    def _quantity(self, quantity: Quantity, *, points: bool) -> tuple[float, float]:
        posterior = self._posterior(quantity.given)
        cuts = tuple(atom for atom in quantity.given if atom.op != "=")
        given = self._forms(posterior, cuts)
        whole, doubt = _mass(given)
        if not whole > 0.0:
            raise no_such_case(quantity.given)
        if isinstance(quantity, Expectation):
            row, constant = self._row(quantity.term)
            centre = float(row @ posterior.centre) + constant
            if not given:
                return centre, 0.0
            shift, error = box_mean(posterior.free(row), given)
            return centre + shift, error
        event = self._forms(posterior, quantity.event, points=points)
        if event is None:
            return 0.0, 0.0
        part, error = _mass([*event, *(given or [])])
        return min(1.0, part / whole), (error + part / whole * doubt) / whole

    def possible(self, given: tuple[Atom, ...]) -> bool:
        """Tell whether a condition can be: no contradiction, and mass for its inequalities."""
        try:
            posterior = self._posterior(given)
        except ZeroProbabilityError:
            return False
        cuts = tuple(atom for atom in given if atom.op != "=")
        return _mass(self._forms(posterior, cuts))[0] > 0.0

    def affected(self, variable: str, by: frozenset[str]) -> bool:
        """Tell whether a variable is among some variables or a descendant of one."""
        stack, seen = [variable], {variable}
        while stack:
            name = stack.pop()
            if name in by:
                return True
            new = [parent for parent in self.scm.parents(name) if parent not in seen]
            seen.update(new)
            stack += new
        return False

    def nested(self, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str) -> float:
        """Return the reading of a goal in a world with nested values, drawn on their own."""
        if isinstance(goal, Term):
            return float(self._moments((goal.variable,), world, given, kind)[0][0])
        names = tuple(dict.fromkeys(atom.term.variable for atom in goal))
        mean, rows = self._moments(names, world, given, kind)
        forms = []
        for atom in goal:
            at = names.index(atom.term.variable)
            if (form := _form(atom, rows[at], float(mean[at]), points=True)) is None:
                return 0.0
            forms += form
        return box_probability(forms)[0]

    def _moments(
        self, names: tuple[str, ...], world: Subscript, given: tuple[Atom, ...], kind: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean that a reading gives some variables in a world, and their noise.

        The noise is a matrix F of independent standard normals: the covariance is F F'.
        """
        inner: dict[Subscript, list[str]] = {}
        for name, value in world:
            if isinstance(value, Term):
                inner.setdefault(value.subscript, []).append(name)
        if not inner:
            return self._plain_moments(names, world, given, kind)
        drawn = [(n, self._moments(tuple(n), sub, given, kind)) for sub, n in inner.items()]

        def flat(settings: Mapping[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            plain: Subscript = tuple((name, settings.get(name, value)) for name, value in world)
            same = tuple(
                Atom(Term(a.term.variable, plain), a.op, a.value)
                if a.term.subscript == world
                else a
                for a in given
            )
            return self._plain_moments(names, plain, same, kind)

        zeros = {name: 0.0 for members, _ in drawn for name in members}
        origin, own = flat(zeros)
        mean, noise = origin, [own]
        for members, (centre, spread) in drawn:
            slopes = np.stack([flat({**zeros, n: 1.0})[0] - origin for n in members], axis=1)
            mean = mean + slopes @ centre
            noise.append(slopes @ spread)
        return mean, np.hstack(noise)

    def _plain_moments(
        self, names: tuple[str, ...], world: Subscript, given: tuple[Atom, ...], kind: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        asked = tuple(Atom(Term(name), "=", 0.0) for name in names)
        action, evidence, goal = conditions(self, asked, world, given, kind)
        assert not isinstance(goal, Term)  # noqa: S101  (an event stays an event)
        whole = action + evidence
        if any(atom.op != "=" for atom in whole):
            msg = (
                "the readings of a nested query take no inequality as a condition in a "
                "linear-Gaussian world; condition on equalities."
            )
            raise QueryError(msg)
        try:
            posterior = self._posterior(whole)
        except ZeroProbabilityError:
            posterior = self._posterior(possible_part(self, action, evidence))
        pairs = [self._row(atom.term) for atom in goal]
        mean = np.array([float(row @ posterior.centre) + constant for row, constant in pairs])
        return mean, np.stack([posterior.free(row) for row, _ in pairs])

    def _row(self, term: Term) -> tuple[NDArray[np.float64], float]:
        """Return a term as (r, c): its value is r . z + c."""
        zero = np.zeros(len(self.order))
        known: dict[str, tuple[NDArray[np.float64], float]] = {}
        for name, setting in term.subscript:
            self._check(name)
            if isinstance(setting, Term):
                if setting.variable != name:
                    raise misplaced(name, setting.variable)
                known[name] = self._row(setting)
            else:
                known[name] = (zero, _number(name, setting))
        self._check(term.variable)
        for name in self.order[: self.index[term.variable] + 1]:
            if name in known:
                continue
            mechanism = self.scm.mechanism(name)
            row = zero.copy()
            row[self.index[name]] = mechanism.std  # type: ignore[union-attr]
            constant = mechanism.intercept  # type: ignore[union-attr]
            for parent, weight in zip(mechanism.parents, mechanism.weights, strict=True):  # type: ignore[union-attr]
                with np.errstate(over="ignore", invalid="ignore"):
                    row += weight * known[parent][0]
                constant += float(weight) * known[parent][1]
            if not max(float(np.abs(row).max()), abs(constant)) <= _HUGE:
                msg = f"'{name}' reaches beyond {_HUGE:.0e} in this world; take other units."
                raise WorldError(msg)
            known[name] = (row, constant)
        return known[term.variable]

    def _check(self, name: str) -> None:
        if name not in self.index:
            hint = suggest(name, self.order)
            msg = f"the world has no variable '{name}'; it has {', '.join(self.order)}.{hint}"
            raise UnknownNameError(msg)

    def _posterior(self, given: tuple[Atom, ...]) -> _Posterior:
        """Condition the noise on the equalities of a condition.

        Raises:
            ZeroProbabilityError: they contradict each other, or what is certain.
        """
        size = len(self.order)
        rows: list[NDArray[np.float64]] = []
        gaps: list[float] = []
        for atom in given:
            if atom.op != "=":
                continue
            row, constant = self._row(atom.term)
            stated = _number(atom.term.variable, atom.value)
            gap, scale = stated - constant, float(np.linalg.norm(row))
            if scale == 0.0:
                if abs(gap) > _AGREE * (1.0 + abs(stated)):
                    raise no_such_case(given)
                continue
            rows.append(row / scale)
            gaps.append(gap / scale)
        if not rows:
            return _Posterior(np.zeros(size), np.zeros((0, size)))
        target = np.array(gaps)
        left, values, right = np.linalg.svd(np.stack(rows), full_matrices=False)
        keep = values > _RANK * values[0]
        inside = left[:, keep].T @ target
        if np.max(np.abs(left[:, keep] @ inside - target)) > _AGREE * (1.0 + np.abs(target).max()):
            raise no_such_case(given)
        basis = right[keep]
        return _Posterior((inside / values[keep]) @ basis, basis)

    def _forms(
        self, posterior: _Posterior, atoms: Sequence[Atom], *, points: bool = False
    ) -> list[Form] | None:
        """Return atoms as bounds on forms of what still varies; None if one cannot hold."""
        forms: list[Form] = []
        for atom in atoms:
            row, constant = self._row(atom.term)
            centre = float(row @ posterior.centre) + constant
            form = _form(atom, posterior.free(row), centre, points=points)
            if form is None:
                return None
            forms += form
        return forms


def _form(
    atom: Atom, free: NDArray[np.float64], centre: float, *, points: bool
) -> list[Form] | None:
    """Return an atom as bounds on a form: [] if it surely holds, None if it surely does not.

    Args:
        atom: the comparison.
        free: the form of its term that still varies.
        centre: the term's mean.
        points: whether an equality that has probability 0 is taken as such, not as a mistake.

    Raises:
        QueryError: an equality with a number that varies: its probability is 0 for every number.
    """
    stated = _number(atom.term.variable, atom.value)
    gap = stated - centre
    if not free.any():
        equal = abs(gap) <= _AGREE * (1.0 + abs(stated))
        sign = 0.0 if equal else -gap
        return [] if _SURE[atom.op](sign) else None
    if atom.op == "!=":
        return []
    if atom.op == "=":
        if points:
            return None
        name = atom.term.variable
        msg = (
            f"'{name}' is real, so P({name}={stated:g}) is 0 for every single number; ask for a "
            f"range such as P({name} > {stated:g}), or for E[{name}]."
        )
        raise QueryError(msg)
    if atom.op in {">", ">="}:
        return [(free, gap, math.inf)]
    return [(free, -math.inf, gap)]


_SURE = {
    "=": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def _mass(forms: list[Form] | None) -> tuple[float, float]:
    return (0.0, 0.0) if forms is None else box_probability(forms)


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    msg = f"'{name}' is real and '{value}' is no number; compare it with a number."
    raise QueryError(msg)
