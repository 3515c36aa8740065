"""Find who plays which part in a question: what is set, what is asked for, what is told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from causalbench.query import Choice, Expectation, Query, Term, parse, parse_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.query.ast import Atom, Quantity
    from causalbench.task.types import Decision, Question

__all__ = ["Part", "action_parts", "atoms_of", "forced", "goals", "parsed", "question_part"]

parsed = lru_cache(maxsize=512)(parse)  # every feature and reader asks for the same question


@dataclass(frozen=True)
class Part:
    """The variables that a question, or one action of a decision, is about.

    Args:
        y: what is asked for.
        x: what is set or, where nothing is, what is told first.
        m: a second thing that is set, or a second one asked for.
        z: what is told.
        settings: (variable, label) of all that is set, in order of appearance.
        goal: the label of y that is asked for, "" where a mean is.
    """

    y: str = ""
    x: str = ""
    m: str = ""
    z: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    goal: str = ""


def goals(quantity: Quantity) -> list[tuple[Term, str]]:
    """Return the terms that a quantity is about, each with its label, "" in a mean."""
    if isinstance(quantity, Expectation):
        return [(quantity.term, "")]
    return [(atom.term, str(atom.value)) for atom in quantity.event]


def forced(term: Term) -> Iterator[tuple[str, str]]:
    """Yield what a term's subscript sets, nested subscripts after it; "" for a nested value."""
    inner = []
    for name, value in term.subscript:
        if isinstance(value, Term):
            yield name, ""
            inner.append(value)
        else:
            yield name, str(value)
    for value in inner:
        yield from forced(value)


def atoms_of(query: Query) -> list[Atom]:
    """Return every atom of a query, events before conditions."""
    found: list[Atom] = []
    for _, quantity in query.terms:
        if not isinstance(quantity, Expectation):
            found.extend(quantity.event)
        found.extend(quantity.given)
    return found


def question_part(query: Query) -> Part:
    """Return the parts of an estimate, or of one action's objective."""
    targets = [target for _, quantity in query.terms for target in goals(quantity)]
    told = [atom for _, quantity in query.terms for atom in quantity.given]
    settings = list(dict.fromkeys(pair for term, _ in targets for pair in forced(term)))
    y, goal = (targets[0][0].variable, targets[0][1]) if targets else ("", "")
    names = list(dict.fromkeys(name for name, _ in settings))
    others = [term.variable for term, _ in targets if term.variable != y]
    evidence = list(dict.fromkeys(atom.term.variable for atom in told))
    if not names:
        names = evidence[:1] or others[:1]
    x = names[0] if names else ""
    m = next((name for name in (*names[1:], *others) if name not in {x, y}), "")
    z = next((name for name in evidence if name not in {x, y, m}), "")
    return Part(y=y, x=x, m=m, z=z, settings=tuple(settings), goal=goal)


def action_parts(question: Question, decision: Decision | None) -> list[Part]:
    """Return the parts of each action of a decision, in stated order."""
    choice = parsed(question.query)
    objectives = choice.objectives if isinstance(choice, Choice) else ()
    shown = [name for name, label in (question.observation or {}).items() if label != "unseen"]
    parts = []
    for place, label in enumerate(question.actions):
        event = [] if label == "pass" else parse_event(label)
        settings = tuple((atom.term.variable, str(atom.value)) for atom in event)
        if decision is not None and decision.utility:
            wanted = max(decision.utility, key=lambda part: abs(part[0]))[1]
            atom = parse_event(wanted)[0]
            y, goal = atom.term.variable, str(atom.value)
        elif settings and question.kind == "bet":
            y, goal = settings[0]
        elif objectives:
            first = question_part(objectives[place])
            y, goal = first.y, first.goal
        else:
            y, goal = "", ""
        others = [name for name, _ in settings if name != y]
        x = others[0] if others else next(iter(shown), "")
        m = next((name for name in others[1:]), "")
        z = next((name for name in shown if name not in {x, y, m}), "")
        parts.append(Part(y=y, x=x, m=m, z=z, settings=settings, goal=goal))
    return parts
