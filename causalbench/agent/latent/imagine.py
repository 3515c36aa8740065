"""Answer queries by running units through the decoder: see, do, imagine.

Units share their noise across worlds. Evidence is abducted: in the world where most of it was seen,
each fact's noise is drawn from its posterior and the unit weighted by the fact's probability;
facts of other worlds weigh 1 or 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import QueryError
from causalbench.query import Atom, Probability, Query, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.agent.latent.coupling import Coupling
    from causalbench.agent.latent.layout import Layout, Slot
    from causalbench.query.ast import Quantity, Subscript

__all__ = ["Mind", "imagine", "imagine_all"]

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Mind:
    """A decoded world: a few of them, one a draw of z.

    Args:
        layout: the slots.
        tables: p(value | row) for each draw of z, float [draws, rows, card].
        values: variable -> its value labels.
        numbers: variable -> the numbers of its values, or None.
        couplings: one per slot.
    """

    layout: Layout
    tables: Array
    values: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, tuple[float, ...] | None]
    couplings: tuple[Coupling, ...]


@dataclass(slots=True)
class _Units:
    """Units of one quantity: their noise, their weights, and the worlds solved so far."""

    mind: Mind
    noise: list[Any]
    weight: Array
    solved: dict[Subscript, dict[int, Array]] = field(default_factory=dict)

    def term(self, term: Term) -> Array:
        """Return the value codes of a term, [draws, units]."""
        slot = _slot(self.mind, term.variable)
        if term.subscript not in self.solved:
            self.solved[term.subscript] = self._solve(term.subscript)
        return self.solved[term.subscript][slot]

    def holds(self, atom: Atom) -> Array:
        """Return where an atom holds, bool [draws, units]."""
        equal = self.term(atom.term) == _code(self.mind, atom)
        result: np.ndarray = equal if atom.op == "=" else ~equal
        return result

    def _solve(self, subscript: Subscript) -> dict[int, Array]:
        forced = self.forced(subscript)
        current: dict[int, Array] = {}
        natural: dict[int, Array] = {}
        for i, slot in enumerate(self.mind.layout.slots):
            p, setting = _read(self.mind, slot, current, natural, self.weight.shape)
            natural[i] = self.mind.couplings[i].settle(self.noise[i], p, setting)
            current[i] = forced.get(i, natural[i])
        return current

    def forced(self, subscript: Subscript) -> dict[int, Array]:
        """Return the slots that a subscript forces, with their value codes."""
        forced: dict[int, Array] = {}
        for name, value in subscript:
            codes: Array
            if isinstance(value, Term):
                inner = self.mind.values[value.variable]
                into = self.mind.values[name]
                codes = np.array([into.index(label) for label in inner])[self.term(value)]
            else:
                codes = np.full(self.weight.shape, self.mind.values[name].index(str(value)))
            forced[_slot(self.mind, name)] = codes
        return forced


def imagine(mind: Mind, query: Query, *, units: int, rng: np.random.Generator) -> Array:
    """Estimate a query under each draw of z.

    Args:
        mind: the decoded worlds.
        query: any rung; discrete variables.
        units: how many units a draw of z.
        rng: source of randomness.

    Returns:
        One value a draw of z, float [draws]; NaN where the evidence never came about.

    Raises:
        QueryError: a comparison that labels do not have.
    """
    return imagine_all(mind, [query], units=units, rng=rng)[0]


def imagine_all(
    mind: Mind, queries: Sequence[Query], *, units: int, rng: np.random.Generator
) -> list[Array]:
    """Estimate several queries at once; those with one condition share their units.

    Sharing is quicker, and the noise that options have in common drops out of their differences.
    """
    met: dict[tuple[Atom, ...], _Units] = {}
    values = []
    for query in queries:
        total = np.full(len(mind.tables), query.constant)
        for weight, quantity in query.terms:
            if quantity.given not in met:
                met[quantity.given] = _meet(mind, quantity.given, units=units, rng=rng)
            total = total + weight * _quantity(mind, quantity, met[quantity.given])
        values.append(total)
    return values


def _quantity(mind: Mind, quantity: Quantity, group: _Units) -> Array:
    """Estimate one probability or expectation under each draw of z."""
    if isinstance(quantity, Probability):
        value = np.ones(group.weight.shape)
        for atom in quantity.event:
            value = value * group.holds(atom)
    else:
        numbers = mind.numbers[quantity.term.variable]
        if numbers is None:
            msg = f"'{quantity.term.variable}' has labels without numbers, so it has no mean."
            raise QueryError(msg)
        value = np.asarray(numbers)[group.term(quantity.term)]
    mass = group.weight.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mass > 0, (value * group.weight).sum(-1) / mass, np.nan)


def _meet(mind: Mind, given: Sequence[Atom], *, units: int, rng: np.random.Generator) -> _Units:
    """Draw units that meet the evidence, weighted."""
    shape = (len(mind.tables), units)
    home = _home(given)
    facts: dict[int, int] = {}
    others: list[Atom] = []
    for atom in given:
        code = _seen(mind, atom)
        own = _slot(mind, atom.term.variable)
        if atom.term.subscript != home or code is None or facts.setdefault(own, code) != code:
            others.append(atom)
    group = _Units(mind, [], np.ones(shape))
    forced = group.forced(home)
    current: dict[int, Array] = {}
    natural: dict[int, Array] = {}
    for i, slot in enumerate(mind.layout.slots):
        p, setting = _read(mind, slot, current, natural, shape)
        way = mind.couplings[i]
        if i in facts and i not in forced:
            group.noise.append(way.abduct(p, setting, facts[i], rng))
            group.weight = group.weight * p[..., facts[i]]
            natural[i] = np.full(shape, facts[i])
        else:
            group.noise.append(way.draw(shape, slot.card, rng))
            natural[i] = way.settle(group.noise[i], p, setting)
        current[i] = forced.get(i, natural[i])
        if i in facts and i in forced:
            group.weight = group.weight * (current[i] == facts[i])
    group.solved[home] = current
    for atom in others:
        group.weight = group.weight * group.holds(atom)
    return group


def _home(given: Sequence[Atom]) -> Subscript:
    """Return the subscript, without nesting, that most facts carry; the natural world on a tie."""
    tally: dict[Subscript, int] = {(): 0}
    for atom in given:
        key = atom.term.subscript
        if not any(isinstance(value, Term) for _, value in key):
            tally[key] = tally.get(key, 0) + 1
    return max(tally, key=lambda key: (tally[key], key == ()))


def _read(
    mind: Mind,
    slot: Slot,
    current: Mapping[int, Array],
    natural: Mapping[int, Array],
    shape: tuple[int, ...],
) -> tuple[Array, Array]:
    """Return a slot's p [draws, units, card] and the setting of its inputs [draws, units]."""
    row = np.broadcast_to(np.asarray(mind.layout.row_of(slot, current, natural)), shape)
    draws = np.arange(shape[0])[:, None]
    return mind.tables[draws, row, : slot.card], row - slot.offset


def _slot(mind: Mind, name: str) -> int:
    return mind.layout.names.index(name)


def _code(mind: Mind, atom: Atom) -> int:
    """Return the code of the value that an atom names."""
    if atom.op not in {"=", "!="}:
        msg = f"'{atom.term.variable} {atom.op} ...' compares labels; use = or !=."
        raise QueryError(msg)
    return mind.values[atom.term.variable].index(str(atom.value))


def _seen(mind: Mind, atom: Atom) -> int | None:
    """Return the one value code that an atom leaves, or None if it leaves several."""
    code = _code(mind, atom)
    if atom.op == "=":
        return code
    return 1 - code if len(mind.values[atom.term.variable]) == 2 else None  # noqa: PLR2004
