"""Write a question down as facts, and read it back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causalbench.errors import WorldError
from causalbench.query import Choice, Expectation, Probability, Query, parse
from causalbench.query.ast import Atom, Term, Vocabulary
from causalbench.task.decide import decision_query
from causalbench.task.legal import observed
from causalbench.task.tensor_codes import KINDS_OF_QUESTION, OPERATORS
from causalbench.task.types import UNSEEN, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.query.ast import Constant, Quantity
    from causalbench.task.tensor_read import Fact, Reader
    from causalbench.task.tensor_write import Writer

__all__ = ["read_question", "write_question"]


def write_question(writer: Writer, question: Question) -> None:
    """Write a question.

    Raises:
        WorldError: its decision, or a name or value in it, is not of the dossier.
    """
    known = [decision.id for decision in writer.dossier.decisions]
    decision = -1
    if question.decision_id is not None:
        if question.decision_id not in known:
            msg = f"decision '{question.decision_id}' is not of this dossier; ask one of its own."
            raise WorldError(msg)
        decision = known.index(question.decision_id)
    kind = KINDS_OF_QUESTION.index(question.kind)
    writer.book.add("question", codes=[kind, decision, writer.book.text(question.id)])
    for place, (name, label) in enumerate((question.observation or {}).items()):
        codes = [-1 if label == UNSEEN else writer.code(name, label)]
        writer.book.add("seen", place=[place], variables=[writer.index(name)], codes=codes)
    if decision < 0:
        asked = parse(question.query)
        if isinstance(asked, Choice):
            raise WorldError(f"'{question.query}' is a choice without a decision; name one.")
        _QueryWriter(writer).query(asked)


@dataclass
class _QueryWriter:
    """Writes queries; a counterfactual term is written once, after those that it nests."""

    writer: Writer
    known: dict[Term, int] = field(default_factory=dict)

    def query(self, query: Query) -> None:
        add = self.writer.book.add
        if query.constant:
            add("constant", number=query.constant)
        for place, (weight, quantity) in enumerate(query.terms):
            if isinstance(quantity, Expectation):
                add("summand", place=[place], codes=[1, self.term(quantity.term)], number=weight)
            else:
                add("summand", place=[place], codes=[0], number=weight)
                self.atoms("asked", place, quantity.event)
            self.atoms("given", place, quantity.given)

    def atoms(self, kind: str, place: int, atoms: Sequence[Atom]) -> None:
        for number, atom in enumerate(atoms):
            code, value = self.value(atom.term.variable, atom.value)
            codes = [self.term(atom.term), code, OPERATORS.index(atom.op)]
            self.writer.book.add(kind, place=[place, number], codes=codes, number=value)

    def value(self, name: str, value: Constant) -> tuple[int, float]:
        """Return a value's code, or -1 and the number where the variable is real."""
        if self.writer.book.labels[self.writer.index(name)]:
            return self.writer.code(name, value), 0.0
        return -1, float(value)

    def term(self, term: Term) -> int:
        """Return the number of a term."""
        if term not in self.known:
            inner = {
                name: self.term(value) for name, value in term.subscript if isinstance(value, Term)
            }
            mine = self.known[term] = len(self.known)
            index, add = self.writer.index, self.writer.book.add
            add("term", place=[mine], variables=[index(term.variable)])
            for place, (name, value) in enumerate(term.subscript):
                code, number = (-1, 0.0) if isinstance(value, Term) else self.value(name, value)
                codes = [code, inner.get(name, -1)]
                ends = [index(name)]
                add("setting", place=[mine, place], variables=ends, codes=codes, number=number)
        return self.known[term]


def read_question(reader: Reader) -> Question:
    """Read the question, without its words.

    Raises:
        WorldError: the facts hold no question.
    """
    kind, decision, identity = reader.one("question").codes[:3]
    names, labels = reader.names, reader.labels
    seen = {
        names[fact.variables[0]]: UNSEEN
        if fact.codes[0] < 0
        else labels[fact.variables[0]][fact.codes[0]]
        for fact in reader.each("seen")
    }
    if decision < 0:
        query = str(_read_query(reader))
        return Question(reader.texts[identity], query, KINDS_OF_QUESTION[kind])
    told = list(reader.decisions())[decision]
    shown = {name: seen[name] for name in observed(told) if name in seen}
    words = Vocabulary({name: own or None for name, own in zip(names, labels, strict=True)})
    return Question(
        id=reader.texts[identity],
        query=str(parse(decision_query(told, shown), words)),
        kind=KINDS_OF_QUESTION[kind],
        actions=told.actions,
        decision_id=told.id,
        observation=seen,
    )


def _read_query(reader: Reader) -> Query:
    """Read a query from its terms and summands."""
    terms = _read_terms(reader)
    atoms: dict[tuple[str, int], list[Atom]] = {}
    for kind in ("asked", "given"):
        for fact in reader.each(kind):
            number, code, sign = fact.codes[:3]
            variable = reader.names.index(terms[number].variable)
            atom = Atom(terms[number], OPERATORS[sign], _value(reader, variable, code, fact))
            atoms.setdefault((kind, fact.place[0]), []).append(atom)
    parts: list[tuple[float, Quantity]] = []
    for fact in reader.each("summand"):
        given = tuple(atoms.get(("given", fact.place[0]), ()))
        quantity: Quantity = (
            Expectation(terms[fact.codes[1]], given)
            if fact.codes[0]
            else Probability(tuple(atoms[("asked", fact.place[0])]), given)
        )
        parts.append((fact.number, quantity))
    return Query(tuple(parts), sum(fact.number for fact in reader.each("constant")))


def _read_terms(reader: Reader) -> list[Term]:
    """Read the counterfactual terms by number; a term comes after those that it nests."""
    settings: dict[int, list[Fact]] = {}
    for fact in reader.each("setting"):
        settings.setdefault(fact.place[0], []).append(fact)
    terms: list[Term] = []
    for fact in reader.each("term"):
        subscript: list[tuple[str, Constant | Term]] = []
        for each in settings.get(fact.place[0], []):
            variable, (code, inner) = each.variables[0], each.codes[:2]
            value = terms[inner] if inner >= 0 else _value(reader, variable, code, each)
            subscript.append((reader.names[variable], value))
        terms.append(Term(reader.names[fact.variables[0]], tuple(subscript)))
    return terms


def _value(reader: Reader, variable: int, code: int, fact: Fact) -> Constant:
    """Return a label, or the number where the variable is real."""
    return reader.labels[variable][code] if code >= 0 else fact.number
