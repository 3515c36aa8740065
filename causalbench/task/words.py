"""Say events, interventions, quantities and queries in words, with a world's phrases or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query.ast import Atom, Expectation, Probability, Query, Term
from causalbench.query.render import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.query.ast import Constant, Quantity, Subscript
    from causalbench.task.world import Phrase

__all__ = ["PRECISION", "Speaker", "digits", "joined"]

PRECISION = 12  # significant digits of every number told

_COMPARED = {
    "=": "is",
    "!=": "is not",
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
}
_BINARY = 2
_DIGITS = 12  # of a weight: products of policies' probabilities carry rounding


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Join as people do: a; a and b; a, b and c."""
    if len(parts) < _BINARY:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def digits(value: float) -> str:
    """Write a number to the digits that are told."""
    return f"{float(value) + 0.0:.{PRECISION}g}"


class Speaker:
    """Puts queries into words.

    Args:
        phrases: variable -> how to speak of it; variables without phrases are called by name.
    """

    def __init__(self, phrases: Mapping[str, Phrase] | None = None) -> None:
        self._phrases = dict(phrases or {})

    def noun(self, variable: str) -> str:
        """Name a variable."""
        phrase = self._phrases.get(variable)
        return phrase.noun if phrase else variable

    def fact(self, variable: str, op: str, value: Constant) -> str:
        """Say that a variable compares with a value, as a clause."""
        phrase = self._phrases.get(variable)
        text = value if isinstance(value, str) else number(value)
        if phrase and op == "=" and text in phrase.values:
            return phrase.values[text]
        if phrase and op == "!=" and text in phrase.values and len(phrase.values) == _BINARY:
            return next(clause for label, clause in phrase.values.items() if label != text)
        return f"{self.noun(variable)} {_COMPARED[op]} {text}"

    def facts(self, observation: Mapping[str, str]) -> str:
        """Say all values of an observation, joined."""
        return joined([self.fact(name, "=", value) for name, value in observation.items()])

    def setting(self, variable: str, value: Constant | Term) -> str:
        """Say that a variable is set, as a clause with "you"."""
        if isinstance(value, Term):
            lead = f"you set {self.noun(variable)} to the value that it"
            if not value.subscript:
                return f"{lead} takes with nothing changed"
            return f"{lead} would take when {self.settings(value.subscript)}"
        phrase = self._phrases.get(variable)
        text = value if isinstance(value, str) else number(value)
        if phrase and text in phrase.do:
            return phrase.do[text]
        return f"you set {self.noun(variable)} to {text}"

    def settings(self, subscript: Subscript) -> str:
        """Say an intervention, joined."""
        # Plain values first: "you set a to 1 and you set m to the value ..." reads one way only.
        ordered = sorted(subscript, key=lambda pair: isinstance(pair[1], Term))
        clauses = [self.setting(name, value) for name, value in ordered]
        inner = [value.subscript for _, value in ordered if isinstance(value, Term)]
        if any(inner) and (len(inner) > 1 or len(inner[0]) > 1):
            # Brackets say where the condition of an inner value ends.
            clauses = [
                f"({clause})" if isinstance(value, Term) else clause
                for clause, (_, value) in zip(clauses, ordered, strict=True)
            ]
        return joined(clauses)

    def condition(self, atoms: Sequence[Atom]) -> str:
        """Say an event as one part of a list: in brackets where it is a conjunction."""
        clauses = self._clauses(atoms)
        return f"({clauses})" if len(atoms) > 1 else clauses

    def quantity(self, quantity: Quantity) -> str:
        """Say a probability or a mean as a noun phrase."""
        given = quantity.given
        terms = [atom.term for atom in given]
        if isinstance(quantity, Expectation):
            lead = f"the mean of {self.noun(quantity.term.variable)}"
            event: tuple[Atom, ...] = ()
            subscripts = {quantity.term.subscript}
        else:
            event = quantity.event
            lead = f"the probability that {self._clauses(event)}"
            subscripts = {atom.term.subscript for atom in event}
        known = {term.subscript for term in terms}
        if len(subscripts) == 1 and known <= subscripts | {()}:
            subscript = next(iter(subscripts))
            when = f" when {self.settings(subscript)}" if subscript else ""
            if not given:
                return lead + when
            facts = self._clauses(given)
            if known == subscripts:
                return f"{lead}{when}, given that {'then ' if when else ''}{facts}"
            if known == {()}:
                return (
                    f"{lead}{when}, in a case in which in fact {facts}, with all chance left as it "
                    f"was in that case"
                )
        return self._across_worlds(quantity, event, given)

    def query(self, query: Query) -> str:
        """Say a whole query as a noun phrase."""
        terms = query.terms
        if len(terms) == 1 and terms[0][0] == 1 and not query.constant:
            return self.quantity(terms[0][1])
        # "1 minus (...)" reads better than "minus (...) plus 1".
        ahead = query.constant > 0 and bool(terms) and terms[0][0] < 0
        parts = [_weight(query.constant)] if ahead else []
        for weight, quantity in terms:
            size = "" if abs(weight) == 1 else f"{_weight(weight)} times "
            sign = "minus " if weight < 0 else "plus " if parts else ""
            parts.append(f"{sign}{size}({self.quantity(quantity)})")
        if not ahead and (query.constant or not parts):
            sign = "minus " if query.constant < 0 else "plus " if parts else ""
            parts.append(f"{sign}{_weight(query.constant)}")
        return " ".join(parts)

    def _clauses(self, atoms: Sequence[Atom]) -> str:
        return joined([self.fact(a.term.variable, a.op, a.value) for a in atoms])

    def _across_worlds(
        self, quantity: Quantity, event: Sequence[Atom], given: Sequence[Atom]
    ) -> str:
        if isinstance(quantity, Probability):
            lead = f"the probability that, in one and the same case, {self._worlds(event)}"
        else:
            term = quantity.term
            when = f" when {self.settings(term.subscript)}" if term.subscript else ""
            lead = f"the mean of {self.noun(term.variable)}{when}"
        return f"{lead}, given that, in that case, {self._worlds(given)}" if given else lead

    def _worlds(self, atoms: Sequence[Atom]) -> str:
        """Say atoms of several worlds, those of one world together, each with its condition."""
        groups: dict[Subscript, list[Atom]] = {}
        for atom in atoms:
            groups.setdefault(atom.term.subscript, []).append(atom)
        parts = []
        for subscript, group in groups.items():
            when = f"when {self.settings(subscript)}" if subscript else "with nothing changed"
            parts.append(f"{self._clauses(group)} {when}")
        return "; and ".join(parts)


def _weight(weight: float) -> str:
    return number(round(abs(weight), _DIGITS))
