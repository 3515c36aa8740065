"""Tell a pair in other words: every variable and value renamed, in worlds and questions alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from causalbench.errors import WorldError
from causalbench.query import Choice, action_label, parse, parse_action, parse_event
from causalbench.query.ast import Atom, Expectation, Probability, Query, Term
from causalbench.query.render import quote
from causalbench.scm import SCM, AdditiveMechanism

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from causalbench.query.ast import Constant, Quantity, Subscript
    from causalbench.scm import Variable
    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.draft import Draft
    from causalbench.task.types import Decision

__all__ = ["Renaming"]


@dataclass(frozen=True)
class Renaming:
    """Old names to new ones.

    Args:
        names: variable -> new name, all of a pair's.
        labels: variable, by its old name -> the new label of each code; real ones have none.
        units: variable, by its old name -> new unit, of real ones.
    """

    names: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    units: Mapping[str, str]

    def draft(self, draft: Draft) -> Draft:
        """Return a pair in the new words."""
        first, second = draft.sides
        told = draft.couplings
        return replace(
            draft,
            sides=(self.world(first), self.world(second)),
            query=None if draft.query is None else self.query(draft.query, first),
            decision=None if draft.decision is None else self.decision(draft.decision, first),
            couplings=(self._named(told[0]), self._named(told[1])),
        )

    def world(self, scm: SCM) -> SCM:
        """Return a world in the new words: the same mechanisms, in the same order."""
        variables, mechanisms = {}, {}
        for old in scm.names:
            new = self._variable(old, scm.variable(old))
            variables[new.name] = new
            mechanism = scm.mechanism(old)
            mechanisms[new.name] = (
                mechanism.renamed(self.names)
                if isinstance(mechanism, AdditiveMechanism)
                else _with_parents(mechanism, tuple(self.names[each] for each in mechanism.parents))
            )
        return SCM(variables, mechanisms, scm.couplings_known)

    def query(self, query: str, scm: SCM) -> str:
        """Return a query in the new words.

        Args:
            query: of an estimate.
            scm: the world in the old words.

        Raises:
            WorldError: the query is a choice, which a pair states as a decision.
        """
        asked = parse(query, scm.vocabulary)
        if isinstance(asked, Choice):
            raise WorldError(f"'{query}' is a choice; give the pair a decision in its place.")
        terms = tuple((weight, self._quantity(each, scm)) for weight, each in asked.terms)
        return str(Query(terms, asked.constant))

    def decision(self, decision: Decision, scm: SCM) -> Decision:
        """Return a decision in the new words, its actions and payoffs in the same order."""
        stated = decision.given
        return replace(
            decision,
            actions=tuple(self._action(label, scm) for label in decision.actions),
            utility=tuple((weight, self._event(event, scm)) for weight, event in decision.utility),
            observes=tuple(self.names[name] for name in decision.observes),
            given=None
            if stated is None
            else tuple((self.names[name], self._label(name, label, scm)) for name, label in stated),
            factual=self._action(decision.factual, scm),
        )

    def coupling(self, coupling: Coupling) -> Coupling:
        """Return a coupling in the new words: it may name the parent that turns it round."""
        if isinstance(coupling, str):
            return coupling
        options: dict[str, Any] = {kind: dict(each) for kind, each in coupling.items()}
        if "antitone" in options:
            options["antitone"]["in"] = self.names[options["antitone"]["in"]]
        if "mixture" in options:
            options["mixture"]["of"] = [self.coupling(part) for part in options["mixture"]["of"]]
        return options

    def _variable(self, old: str, variable: Variable) -> Variable:
        name = self.names[old]
        if not variable.is_real:
            return replace(variable, name=name, values=self.labels[old][: variable.cardinality])
        return replace(variable, name=name, unit=None if variable.hidden else self.units[old])

    def _named(self, couplings: Mapping[str, Coupling]) -> dict[str, Coupling]:
        return {self.names[name]: self.coupling(each) for name, each in couplings.items()}

    def _quantity(self, quantity: Quantity, scm: SCM) -> Quantity:
        given = self._atoms(quantity.given, scm)
        if isinstance(quantity, Expectation):
            return Expectation(self._term(quantity.term, scm), given)
        return Probability(self._atoms(quantity.event, scm), given)

    def _atoms(self, atoms: Iterable[Atom], scm: SCM) -> tuple[Atom, ...]:
        return tuple(
            Atom(self._term(a.term, scm), a.op, self._value(a.term.variable, a.value, scm))
            for a in atoms
        )

    def _term(self, term: Term, scm: SCM) -> Term:
        return Term(self.names[term.variable], self._subscript(term.subscript, scm))

    def _subscript(self, subscript: Subscript, scm: SCM) -> Subscript:
        settings: dict[str, Constant | Term] = {
            self.names[name]: self._term(value, scm)
            if isinstance(value, Term)
            else self._value(name, value, scm)
            for name, value in subscript
        }
        return tuple(sorted(settings.items(), key=lambda entry: entry[0]))

    def _value(self, name: str, value: Constant, scm: SCM) -> Constant:
        return self._label(name, value, scm) if isinstance(value, str) else value

    def _label(self, name: str, label: str, scm: SCM) -> str:
        return self.labels[name][scm.variable(name).code(label)]

    def _action(self, label: str, scm: SCM) -> str:
        action = self._subscript(parse_action(label, scm.vocabulary), scm)
        return action_label(tuple((name, str(value)) for name, value in action))

    def _event(self, event: str, scm: SCM) -> str:
        return ", ".join(
            f"{quote(atom.term.variable)}{'=' if atom.op == '=' else f' {atom.op} '}"
            f"{quote(atom.value)}"
            for atom in self._atoms(parse_event(event, scm.vocabulary), scm)
        )


def _with_parents(mechanism: AnyMechanism, parents: tuple[str, ...]) -> AnyMechanism:
    """Return a mechanism whose parents are called otherwise.

    Its arrays were checked when it was made; to check and copy them again takes most of the time.
    """
    renamed = object.__new__(type(mechanism))
    renamed.__dict__.update(mechanism.__dict__, parents=parents)
    return renamed
