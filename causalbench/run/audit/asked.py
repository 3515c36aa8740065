"""Turn a question into numbers that say how it is asked, and nothing of any world's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query import Choice, Expectation, Query, Term
from causalbench.run.audit.roles import action_parts, atoms_of, goals, parsed, question_part

if TYPE_CHECKING:
    from causalbench.query.ast import Subscript
    from causalbench.run.audit.roles import Part
    from causalbench.task.types import Decision, Dossier, Question

__all__ = ["asked", "parts_of"]

_NONE = -1.0  # a variable or a value that the question does not have
_ROLES = ("y", "x", "m", "z")
_KINDS = ("estimate", "bet", "act", "redo")
_SHOWN = ("none", "diagram", "mechanisms")
_REGIMES = ("see", "do", "intent", "replay")
_SIGNS = {"": 0.0, "=": 1.0, "!=": 2.0}
Numbers = dict[str, float]


def parts_of(dossier: Dossier, question: Question) -> list[Part]:
    """Return who plays which part: one entry for an estimate, else one for each action."""
    query = parsed(question.query)
    if isinstance(query, Query):
        return [question_part(query)]
    return action_parts(question, _decision(dossier, question))


def asked(dossier: Dossier, question: Question) -> list[Numbers]:
    """Describe a question: its form, values, wording and, for each action, what is at stake.

    Args:
        dossier: for the variables' values, the terms of access and the decisions.
        question: what is asked.

    Returns:
        One mapping for an estimate, else one for each action; all of a suite's have numbers of one
        meaning under one name.
    """
    query = parsed(question.query)
    common = {**_terms_of(dossier), **_wording(dossier, question)}
    common["kind"] = float(_KINDS.index(question.kind))
    parts = parts_of(dossier, question)
    if isinstance(query, Choice):
        objective = next((each for each in query.objectives if each.terms), query.objectives[0])
        common |= _form(objective)
        decision = _decision(dossier, question)
        return [
            {**common, **_values(dossier, part), **_stake(dossier, question, decision, place, part)}
            for place, part in enumerate(parts)
        ]
    common |= _form(query)
    return [{**common, **_values(dossier, parts[0]), **_evidence(dossier, query, parts[0])}]


def _decision(dossier: Dossier, question: Question) -> Decision | None:
    found = [each for each in dossier.decisions if each.id == question.decision_id]
    return found[0] if found else None


def _terms_of(dossier: Dossier) -> Numbers:
    knowledge = dossier.knowledge
    return {
        "shown": float(_SHOWN.index(knowledge.shown)),
        "regime": float(_REGIMES.index(knowledge.regime)),
        "laws": float(len(dossier.laws)),
        "rows": float(len(dossier.rows)),
        "variables": float(len(dossier.variables)),
        "real": float(any(variable.is_real for variable in dossier.variables)),
    }


def _wording(dossier: Dossier, question: Question) -> Numbers:
    return {
        "question characters": float(len(question.text)),
        "question words": float(len(question.text.split())),
        "story words": float(len(dossier.story.split())),
        "name characters": float(sum(map(len, dossier.names))),
    }


def _form(query: Query) -> Numbers:
    weights = [weight for weight, _ in query.terms]
    targets = [target for _, quantity in query.terms for target in goals(quantity)]
    worlds = {term.subscript for term, _ in targets}
    given = [atom for _, quantity in query.terms for atom in quantity.given]
    return {
        "quantities": float(len(weights)),
        "constant": query.constant,
        "sum of weights": sum(weights),
        "first weight": weights[0] if weights else 0.0,
        "largest weight": max(map(abs, weights), default=0.0),
        "means": float(sum(isinstance(q, Expectation) for _, q in query.terms)),
        "targets": float(len(targets)),
        "worlds": float(len(worlds)),
        "depth": float(max((_depth(term.subscript) for term, _ in targets), default=0)),
        "told": float(len(given)),
        "told of other worlds": float(sum(bool(atom.term.subscript) for atom in given)),
        "unequal": float(sum(atom.op != "=" for atom in atoms_of(query))),
    }


def _depth(subscript: Subscript) -> int:
    if not subscript:
        return 0
    inner = (_depth(value.subscript) for _, value in subscript if isinstance(value, Term))
    return 1 + max(inner, default=0)


def _values(dossier: Dossier, part: Part) -> Numbers:
    numbers: Numbers = {}
    for role in _ROLES:
        name = getattr(part, role)
        known = name in dossier.names
        place = dossier.names.index(name) if known else -1
        labels = (dossier.variables[place].values or ()) if known else ()
        numbers[f"{role}: place"] = float(place)
        numbers[f"{role}: values"] = float(len(labels)) if known else _NONE
    codes = [_code(dossier, name, label) for name, label in part.settings]
    of_x = [code for code, (name, _) in zip(codes, part.settings, strict=True) if name == part.x]
    numbers["y: code"] = _code(dossier, part.y, part.goal)
    numbers["x: first code"] = of_x[0] if of_x else _NONE
    numbers["x: last code"] = of_x[-1] if of_x else _NONE
    numbers["settings"] = float(len(codes))
    return numbers


def _evidence(dossier: Dossier, query: Query, part: Part) -> Numbers:
    """Say what is told of the variables that are asked for, set and known."""
    told = {
        atom.term.variable: (str(atom.value), atom.op)
        for _, quantity in query.terms
        for atom in quantity.given
    }
    numbers: Numbers = {}
    for role in _ROLES:
        label, sign = told.get(getattr(part, role), ("", ""))
        numbers[f"told {role}: code"] = _code(dossier, getattr(part, role), label)
        numbers[f"told {role}: sign"] = _SIGNS.get(sign, _NONE)
    numbers["told y: as asked"] = float(told.get(part.y, ("",))[0] == part.goal)
    return numbers


def _stake(
    dossier: Dossier, question: Question, decision: Decision | None, place: int, part: Part
) -> Numbers:
    seen = question.observation or {}
    utility = decision.utility if decision is not None else ()
    events = {f"{name}={label}" for name, label in part.settings}
    known = [label for label in seen.values() if label != "unseen"]
    return {
        "action": float(place),
        "actions": float(len(question.actions)),
        "pass": float(not part.settings),
        "factual": float(decision is not None and question.actions[place] == decision.factual),
        "utilities": float(len(utility)),
        "first utility": utility[0][0] if utility else 0.0,
        "sum of utilities": sum(weight for weight, _ in utility),
        "own utility": sum(weight for weight, event in utility if event in events),
        "seen": float(len(known)),
        "seen x": _code(dossier, part.x, seen.get(part.x, "")),
        "seen y": _code(dossier, part.y, seen.get(part.y, "")),
        "seen y as wanted": float(seen.get(part.y) == part.goal),
        "seen x as set": float((part.x, seen.get(part.x, "")) in part.settings),
    }


def _code(dossier: Dossier, name: str, label: str) -> float:
    """Return the place of a label among a variable's values; a number as itself."""
    for variable in dossier.variables:
        if variable.name == name and label:
            labels = variable.values or ()
            if label in labels:
                return float(labels.index(label))
            try:
                return float(label)
            except ValueError:
                return _NONE
    return _NONE
