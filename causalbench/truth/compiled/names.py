"""Pack queries for every world with the same names: one subscript is one parallel world.

A packed query knows declared names, values and their numbers; no graph and no mechanism.
"""

from __future__ import annotations

from array import array
from functools import cache
from struct import Struct
from typing import TYPE_CHECKING, Any

from causalbench.query.ast import Expectation, Probability, Term
from causalbench.truth.compiled.layout import (
    COLUMN,
    EVENT,
    FIRST,
    POINT,
    POSSIBLE,
    Q_HEAD,
    Q_NUMBERS,
    RATIO,
    SAYS_NOTHING,
)
from causalbench.truth.structure import structure_of
from causalbench.truth.worlds import misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causalbench.query.ast import Atom, Constant, Quantity, Query, Subscript
    from causalbench.scm import SCM

__all__ = ["Asked", "Names", "names_of"]

_KEPT = 4096

Part = tuple[list[int], list[float]]  # a quantity's words and numbers, places counted from its own


@cache
def _struct(words: int, numbers: int) -> Struct:
    """Return what packs words and then numbers, several times as fast as filling an array."""
    return Struct(f"{words}q{numbers}d")


class Asked:
    """A packed query.

    Attributes:
        address: of its words; good while this object lives.
        source: what was packed; kept, so that its id stays its own.
    """

    __slots__ = ("_words", "address", "source")

    def __init__(self, source: object, words: bytes) -> None:
        self.source = source
        self._words = array("q", words)
        self.address = self._words.buffer_info()[0]


def _join(constant: float, weights: Sequence[float], parts: list[Part]) -> bytes:
    """Put the parts of a query into one."""
    numbers = [constant, *weights]
    at = FIRST + len(parts)
    words = [0, 0, len(parts)]
    for part, _ in parts:
        words.append(at)
        at += len(part)
    for part, column in parts:
        low = len(words)
        words += part
        if column:
            words[low + Q_NUMBERS] = len(numbers)
        numbers += column
    words[0], words[1] = at, at + len(numbers)
    return _struct(len(words), len(numbers)).pack(*words, *numbers)


class _Request:
    """The terms of one quantity, grouped by world."""

    def __init__(self, names: Names, scm: SCM) -> None:
        self.names, self.scm = names, scm
        self.terms: list[int] = []
        self.forced: list[int] = []
        self.masks: list[int] = []
        self.worlds: dict[Subscript, int] = {}

    @property
    def count(self) -> int:
        """How many terms there are."""
        return len(self.terms) // 3

    def term(self, term: Term) -> int:
        """Add a term, and its world where that is new; return the term's number."""
        position = self.names.position(term.variable, self.scm)
        world = self.worlds.get(term.subscript)
        if world is None:
            world = self._world(term.subscript)
        self.terms += (world, position, SAYS_NOTHING)
        return self.count - 1

    def _world(self, subscript: Subscript) -> int:
        """Add a world after those that its nested values come from."""
        forced = [len(subscript)]
        for name, setting in subscript:
            position = self.names.position(name, self.scm)
            if isinstance(setting, Term):
                if setting.variable != name:
                    raise misplaced(name, setting.variable)
                forced += (position, self.term(setting))
            else:
                forced += (position, ~self.names.code(position, setting, self.scm))
        world = self.worlds[subscript] = len(self.worlds)
        self.forced += forced
        return world

    def atoms(self, atoms: Iterable[Atom]) -> None:
        """Add the terms of some atoms, and what the atoms say of them."""
        for atom in atoms:
            number = self.term(atom.term)
            position = self.names.index[atom.term.variable]
            if atom.op == "=":
                says = self.names.code(position, atom.value, self.scm)
            else:
                card = self.names.cards[position]
                codes = self.names.allowed(atom, self.scm)
                if len(codes) == card:
                    continue
                if len(codes) == 1:
                    (says,) = codes
                else:
                    says = SAYS_NOTHING - 1 - len(self.masks)
                    self.masks += (card, *(int(code in codes) for code in range(card)))
            self.terms[3 * number + 2] = says

    def part(
        self, kind: int, split: int = 0, target: int = -1, card: int = 0, *, clamp: bool = True
    ) -> list[int]:
        """Return the quantity's words; all but what is read off the world are known here."""
        at = Q_HEAD + len(self.terms)
        head = (kind, len(self.worlds), self.count, split, target, 0, card, int(clamp))
        return [*head, at, at + len(self.forced), *self.terms, *self.forced, *self.masks]


class Names:
    """The declared names of a world, with their values and the values' numbers.

    Attributes:
        index: position by name.
        cards: how many values each has.
        asked: what was packed so far, by the id of what it was packed from.
        parsed: queries parsed so far, by text.
    """

    def __init__(self, key: tuple[tuple[Any, ...], ...]) -> None:
        self.index = {item[0]: position for position, item in enumerate(key)}
        self.cards = [len(item[1]) for item in key]
        self._codes = [{label: code for code, label in enumerate(item[1])} for item in key]
        self._values = {
            item[0]: {label: (position, code) for code, label in enumerate(item[1])}
            for position, item in enumerate(key)
        }
        self.asked: dict[int, Asked] = {}
        self.parsed: dict[str, Any] = {}

    def position(self, name: str, scm: SCM) -> int:
        """Return a variable's declared position.

        Raises:
            UnknownNameError: the world has no such variable.
        """
        found = self.index.get(name)
        return structure_of(scm).position(name) if found is None else found

    def code(self, position: int, label: Constant, scm: SCM) -> int:
        """Return the code of a value.

        Raises:
            UnknownNameError: the variable has no such value.
        """
        found = self._codes[position].get(label)
        if found is None:
            structure = structure_of(scm)
            return structure.code(structure.position(scm.names[position]), label)
        return found

    def allowed(self, atom: Atom, scm: SCM) -> frozenset[int]:
        """Return the codes for which an atom holds; errors as `Structure.allowed`."""
        position = self.position(atom.term.variable, scm)
        if atom.op == "=":
            return frozenset((self.code(position, atom.value, scm),))
        return structure_of(scm).allowed(atom)

    def query(self, query: Query, scm: SCM) -> Asked:
        """Pack a query, or find it packed.

        Raises:
            UnknownNameError: a variable or value that the world does not have.
            QueryError: a comparison that the values do not allow, or a misplaced nested value.
        """
        found = self.asked.get(id(query))
        if found is not None and found.source is query:
            return found
        terms = query.terms
        words = self._plain(query.constant, *terms[0]) if len(terms) == 1 else None
        if words is None:
            parts = [self._part(quantity, scm) for _, quantity in terms]
            words = _join(query.constant, [weight for weight, _ in terms], parts)
        return self._keep(query, words)

    def quantity(self, quantity: Quantity, scm: SCM) -> Asked:
        """Pack one quantity, or find it packed; errors as `query`."""
        found = self.asked.get(id(quantity))
        if found is not None and found.source is quantity:
            return found
        words = self._plain(0.0, 1.0, quantity)
        return self._keep(quantity, words or _join(0.0, [1.0], [self._part(quantity, scm)]))

    def possible(self, given: tuple[Atom, ...], scm: SCM) -> Asked:
        """Pack the question whether a condition can be; errors as `query`."""
        words = self._plain(0.0, 1.0, Probability((), given), POSSIBLE)
        if words is None:
            request = _Request(self, scm)
            request.atoms(given)
            words = _join(0.0, [1.0], [(request.part(POSSIBLE), [])])
        return Asked(given, words)

    def _keep(self, source: object, words: bytes) -> Asked:
        if len(self.asked) >= _KEPT:
            self.asked.clear()
        asked = self.asked[id(source)] = Asked(source, words)
        return asked

    def _plain(
        self, constant: float, weight: float, quantity: Quantity, kind: int = POINT
    ) -> bytes | None:
        """Pack what most queries are, as `_part` does but in far fewer steps.

        That is a probability of equalities, with no value nested. None says that it is not that,
        or holds an error, which `_part` finds again and raises.
        """
        if type(quantity) is not Probability:
            return None
        event, given = quantity.event, quantity.given
        values: Any = self._values
        worlds: dict[Subscript, int] = {}
        terms: list[int] = []
        forced: list[int] = []
        try:
            for atom in event + given:
                if atom.op != "=":
                    return None
                term = atom.term
                world = worlds.get(term.subscript)
                if world is None:
                    world = worlds[term.subscript] = len(worlds)
                    forced.append(len(term.subscript))
                    for name, setting in term.subscript:
                        position, code = values[name][setting]
                        forced += (position, ~code)
                terms.append(world)
                terms += values[term.variable][atom.value]
        except KeyError:
            return None
        split, target, card = len(event), -1, 0
        if kind == POINT:
            if not given:
                kind = EVENT
            elif split == 1:
                target, card = 0, self.cards[terms[1]]
            elif any(terms[k : k + 2] != terms[:2] for k in range(3, 3 * split, 3)) or not event:
                kind = RATIO
            else:
                return None
        at = Q_HEAD + len(terms)
        size = FIRST + 1 + at + len(forced)
        return _struct(size, 2).pack(
            size, size + 2, 1, FIRST + 1,
            kind, len(worlds), len(terms) // 3, split, target, 0, card, 1, at, at + len(forced),
            *terms, *forced, constant, weight,
        )  # fmt: skip

    def _part(self, quantity: Quantity, scm: SCM) -> Part:
        request = _Request(self, scm)
        given = quantity.given
        if isinstance(quantity, Expectation):
            term = quantity.term
            target = request.term(term)
            structure = structure_of(scm)
            numbers = structure.numbers_of(structure.position(term.variable), "E[...]")
            request.atoms(given)
            return request.part(COLUMN, 0, target, len(numbers), clamp=False), list(numbers)
        event = quantity.event
        if not event or not given or any(atom.term != event[0].term for atom in event):
            request.atoms(event)
            split = request.count
            request.atoms(given)
            return request.part(RATIO if given else EVENT, split), []
        target = request.term(event[0].term)
        column = [1.0] * self.cards[self.index[event[0].term.variable]]
        for atom in event:
            codes = self.allowed(atom, scm)
            column = [x if code in codes else 0.0 for code, x in enumerate(column)]
        request.atoms(given)
        return request.part(COLUMN, 0, target, len(column)), column


_names: dict[Any, Names] = {}


def names_of(scm: SCM) -> Names:
    """Return the names of a discrete world, shared with every world that has the same ones."""
    key = tuple([(name, v.values, v.numbers) for name, v in scm.variables.items()])
    found = _names.get(key)
    if found is None:
        if len(_names) >= _KEPT:
            _names.clear()
        found = _names[key] = Names(key)
    return found
