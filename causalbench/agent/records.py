"""Keep what a lab has shown, unit by unit and world by world, and count in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from causalbench.query import Atom, Expectation, Term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.query import Quantity
    from causalbench.query.ast import Subscript
    from causalbench.scm import Variable

__all__ = ["NATURAL", "Batch", "Records", "Setting"]

Setting = tuple[tuple[str, str], ...]  # sorted (variable, label) pairs; () is the natural course
NATURAL: Setting = ()


@dataclass(slots=True)
class Batch:
    """Units, each seen in one world or, by replay, in several.

    Args:
        worlds: setting -> value codes [units, variables], units aligned.
        chosen: facts (setting, variable, label) by which the units were picked. They say nothing
            about units of other kinds, so they are counted only for a question that states them.
    """

    worlds: dict[Setting, np.ndarray]
    chosen: frozenset[tuple[Setting, str, str]] = frozenset()


@dataclass(slots=True)
class Records:
    """All that was seen.

    Args:
        variables: the columns.
        batches: what was seen.
    """

    variables: Sequence[Variable]
    batches: list[Batch] = field(default_factory=list)

    def add(self, codes: np.ndarray, setting: Setting = NATURAL) -> None:
        """Keep units seen in one world, unless there are none."""
        if len(codes):
            self.batches.append(Batch({setting: codes}))

    def under(self, setting: Setting) -> np.ndarray:
        """Return the rows of all units ever seen in a world and not picked, [n, variables]."""
        found = [b.worlds[setting] for b in self.batches if setting in b.worlds and not b.chosen]
        return np.concatenate([np.empty((0, len(self.variables)), dtype=np.int64), *found])

    def worlds(self) -> list[Setting]:
        """Return every world that was seen, each once."""
        return list(dict.fromkeys(setting for batch in self.batches for setting in batch.worlds))

    def column(self, name: str) -> int:
        """Return a variable's column."""
        return [variable.name for variable in self.variables].index(name)

    def tally(self, quantity: Quantity) -> tuple[float, int]:
        """Count a probability, or sum an expectation, in the units seen in all its worlds.

        Returns:
            The sum over the units that meet the condition, and how many they are; (0, 0) where the
            worlds were never seen together.
        """
        given = quantity.given
        aims = [quantity.term] if isinstance(quantity, Expectation) else []
        terms = [*aims, *(atom.term for atom in _atoms(quantity))]
        settings = {setting_of(term.subscript) for term in terms}
        facts = {
            (setting_of(a.term.subscript), a.term.variable, str(a.value))
            for a in given
            if a.op == "="
        }
        total, units = 0.0, 0
        for batch in self.batches:
            if not settings <= set(batch.worlds) or not batch.chosen <= facts:
                continue
            meets = np.ones(len(next(iter(batch.worlds.values()))), dtype=bool)
            for atom in given:
                meets &= self._holds(batch, atom)
            if isinstance(quantity, Expectation):
                worth = self._number(batch, quantity.term)
            else:
                worth = np.all([self._holds(batch, atom) for atom in quantity.event], axis=0)
            total += float(worth[meets].sum())
            units += int(meets.sum())
        return total, units

    def counts(self, name: str, parents: Sequence[str]) -> np.ndarray:
        """Return how often each value was seen at each setting of the parents, [settings, card].

        Every world of every unit counts as a row, so the total is the same whatever the parents.
        """
        own, columns = self.column(name), [self.column(p) for p in parents]
        cards = [self.variables[column].cardinality for column in columns]
        table = np.zeros((*cards, self.variables[own].cardinality))
        for setting in self.worlds():
            if name not in dict(setting):
                rows = self.under(setting)
                np.add.at(table, (*(rows[:, c] for c in columns), rows[:, own]), 1.0)
        return table.reshape(-1, table.shape[-1])

    def patterns(self, name: str, parents: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return what units showed of a variable's response to its parents.

        Worlds in which the variable was forced say nothing of it, and picked units say too much of
        it; both are left out.

        Returns:
            Distinct patterns, int [k, settings of the parents], -1 where a setting was not met, and
            how many units showed each, [k].
        """
        cards = [self.variables[self.column(p)].cardinality for p in parents]
        own, columns = self.column(name), [self.column(p) for p in parents]
        width = int(np.prod(cards, dtype=np.int64))
        shown: list[np.ndarray] = [np.empty((0, width), dtype=np.int64)]
        for batch in self.batches:
            free = [codes for setting, codes in batch.worlds.items() if name not in dict(setting)]
            if batch.chosen or not free:
                continue
            pattern = np.full((len(free[0]), width), -1, dtype=np.int64)
            for codes in free:
                row = np.zeros(len(codes), dtype=np.int64)
                for column, card in zip(columns, cards, strict=True):
                    row = row * card + codes[:, column]
                pattern[np.arange(len(codes)), row] = codes[:, own]
            shown.append(pattern)
        distinct, units = np.unique(np.concatenate(shown), axis=0, return_counts=True)
        return distinct, units

    def _holds(self, batch: Batch, atom: Atom) -> np.ndarray:
        column = self.column(atom.term.variable)
        code = self.variables[column].code(atom.value)
        codes = batch.worlds[setting_of(atom.term.subscript) or NATURAL][:, column]
        result: np.ndarray = codes == code if atom.op == "=" else codes != code
        return result

    def _number(self, batch: Batch, term: Term) -> np.ndarray:
        column = self.column(term.variable)
        numbers = np.asarray(self.variables[column].numbers or (), dtype=np.float64)
        result: np.ndarray = numbers[batch.worlds[setting_of(term.subscript) or NATURAL][:, column]]
        return result


def setting_of(subscript: Subscript) -> Setting | None:
    """Return a subscript as a setting, or None where it is nested."""
    if any(isinstance(value, Term) for _, value in subscript):
        return None
    return tuple(sorted((name, str(value)) for name, value in subscript))


def _atoms(quantity: Quantity) -> tuple[Atom, ...]:
    """Return the atoms of a quantity, event and condition."""
    if isinstance(quantity, Expectation):
        return quantity.given
    return quantity.event + quantity.given
