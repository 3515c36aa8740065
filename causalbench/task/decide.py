"""Value decisions exactly: bets, acts, and redoing the same unit.

Reference: for redo after an intervention, Bareinboim, Forney, Pearl,
"Bandits with unobserved confounders" (2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from causalbench.errors import AnswerError, ZeroProbabilityError
from causalbench.query import Atom, Term, parse_action, parse_event
from causalbench.query.render import quote
from causalbench.task.legal import check_decision, observed
from causalbench.task.types import UNSEEN, Decision
from causalbench.truth import engine, truth

if TYPE_CHECKING:
    from causalbench.query.ast import Action, Subscript
    from causalbench.scm import SCM

__all__ = [
    "DecisionValue",
    "Policy",
    "decision_query",
    "decision_values",
    "evidence_probability",
    "observation_key",
    "observations",
    "policy_value",
]

_Cell = tuple[dict[str, str], float, tuple[int, ...]]  # observation, P(o), index
_NOTHING = 1e-15  # a sum of products of probabilities this small is rounding, not an event
Policy = Mapping[tuple[tuple[str, str], ...], str] | Callable[[Mapping[str, str]], str]


class DecisionValue(NamedTuple):
    """What each action of a decision is worth after one observation.

    Attributes:
        observation: variable -> label, the observed variables only.
        weight: P(observation); 1 where the decision states its observation.
        values: expected utility of each action, scaled to [0, 1], in the decision's order.
        readings: marginal, see, do, imagine -> the action that a perfect solver of that rung
            takes; empty where they were not asked for.
    """

    observation: dict[str, str]
    weight: float
    values: np.ndarray
    readings: dict[str, str]


@dataclass(frozen=True)
class _Expected:
    """Expected utility times P(o), and P(o), over the grid of observations."""

    worth: np.ndarray
    mass: np.ndarray


def decision_query(decision: Decision, observation: Mapping[str, str] | None = None) -> str:
    """Write a decision after an observation as an ``argmax`` of the query language.

    Args:
        decision: what is to be decided.
        observation: variable -> label; unseen ones are left out. None: the stated observation.
    """
    seen = dict(decision.given or ()) if observation is None else dict(observation)
    seen = {name: value for name, value in seen.items() if value != UNSEEN}
    names = _names(decision) | set(seen)
    holder = next(
        name
        for name in ("b" if decision.mode == "bet" else "a", "choice", "option", "chosen", "_")
        if name not in names
    )
    forced = ""
    if decision.mode == "redo" and decision.factual != "pass":
        forced = f"[{decision.factual}]"
    facts = ", ".join(f"{quote(name)}{forced}={quote(value)}" for name, value in seen.items())
    options = ", ".join(_option(label) for label in decision.actions)
    head = f"argmax {holder} in {{{options}}}: "
    if decision.mode == "bet":
        return f"{head}P({holder}{' | ' + facts if facts else ''})"
    parts: list[str] = []
    for weight, event in decision.utility:
        if decision.mode == "act":
            given = f"do({holder})" + (f", {facts}" if facts else "")
            term = f"P({event} | {given})"
        else:
            term = f"P({_subscripted(event, holder)}{' | ' + facts if facts else ''})"
        sign = "-" if weight < 0 else "+"
        size = abs(weight)
        scaled = term if size == 1 else f"{size!r}*{term}"
        parts.append(f"{sign} {scaled}" if parts else ("-" if sign == "-" else "") + scaled)
    return head + " ".join(parts)


def observations(scm: SCM, decision: Decision) -> list[tuple[dict[str, str], float]]:
    """List the observations that may be met, each with its probability, in the values' order.

    A stated observation comes alone, with weight 1. Those of probability 0 are left out.

    Raises:
        WorldError: the decision is not legal in this world.
        ZeroProbabilityError: the stated observation never happens.
    """
    check_decision(scm, decision)
    if decision.given is not None:
        evidence_probability(scm, decision)
        return [(dict(decision.given), 1.0)]
    mass = _expected(scm, decision, _some_action(scm, decision)).mass
    return [(seen, weight) for seen, weight, _ in _cells(scm, decision, mass)]


def decision_values(scm: SCM, decision: Decision, *, readings: bool = True) -> list[DecisionValue]:
    """Compute what each action is worth after each observation.

    One table of the engine serves each action; ``readings`` costs a query per action, event and
    observation on top, so a search that needs the values alone asks without.

    Args:
        scm: a discrete world.
        decision: a decision of it.
        readings: also compute what the perfect solver of each rung would choose.

    Returns:
        One row for each observation of positive probability.

    Raises:
        WorldError: the decision is not legal in this world.
        ZeroProbabilityError: the stated observation never happens.
    """
    check_decision(scm, decision)
    low, high = decision.bounds
    if decision.mode == "bet":
        found = [_expected(scm, decision, (), bet=label) for label in decision.actions]
    else:
        found = [
            _expected(scm, decision, parse_action(label, scm.vocabulary))
            for label in decision.actions
        ]
    mass = found[0].mass
    if decision.given is not None:
        total = float(mass)
        if total <= _NOTHING:
            raise ZeroProbabilityError(_never(decision))
        cells: list[_Cell] = [(dict(decision.given), 1.0, ())]
    else:
        cells = _cells(scm, decision, mass)
    rows = []
    for seen, weight, index in cells:
        raw = np.array([each.worth[index] / mass[index] for each in found], dtype=np.float64)
        scaled = (raw - low) / (high - low)
        told: dict[str, str] = {}
        if readings:
            answer = truth(scm, decision_query(decision, seen))
            told = {name: str(label) for name, label in answer.readings.items()}
        rows.append(DecisionValue(seen, weight, scaled, told))
    return rows


def evidence_probability(scm: SCM, decision: Decision) -> float:
    """Return the probability of a decision's stated observation (1 if it states none).

    Raises:
        ZeroProbabilityError: it never happens.
    """
    if decision.given is None:
        return 1.0
    mass = float(_expected(scm, decision, _some_action(scm, decision)).mass)
    if mass <= _NOTHING:
        raise ZeroProbabilityError(_never(decision))
    return mass


def observation_key(observation: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return an observation as sorted pairs without the unseen: a key for a policy's mapping."""
    return tuple(sorted((k, v) for k, v in observation.items() if v != UNSEEN))


def policy_value(scm: SCM, decision: Decision, policy: Policy) -> float:
    """Compute the exact value of a policy: sum over o of P(o) E[u | o, policy(o)], u scaled.

    Args:
        scm: a discrete world.
        decision: a decision of it.
        policy: a function of the observation (variable -> label) that returns an action's label,
            or a mapping from `observation_key` to labels.

    Returns:
        A number in [0, 1].

    Raises:
        AnswerError: the policy returns no action of the decision, or lacks an observation.
        WorldError: the decision is not legal in this world.
    """
    rows = decision_values(scm, decision, readings=False)
    total = math.fsum(row.weight for row in rows)
    worth = []
    for row in rows:
        key = observation_key(row.observation)
        label = policy(row.observation) if callable(policy) else policy.get(key)
        if label not in decision.actions:
            msg = (
                f"the policy answers {label!r} to {dict(key)}; decision '{decision.id}' has "
                f"the actions {', '.join(decision.actions)}."
            )
            raise AnswerError(msg)
        worth.append(row.weight * float(row.values[decision.actions.index(str(label))]))
    return math.fsum(worth) / total


def _some_action(scm: SCM, decision: Decision) -> Action:
    if decision.mode == "bet":
        return ()
    return parse_action(decision.actions[0], scm.vocabulary)


def _never(decision: Decision) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in decision.given or ())
    return f"decision '{decision.id}': '{facts}' never happens; state one that may."


def _option(label: str) -> str:
    # A label of several assignments is one option: parentheses keep its commas from splitting it.
    return f"({label})" if "," in label and '"' not in label else label


def _subscripted(event: str, holder: str) -> str:
    """Put the placeholder as a subscript on each variable of an event."""
    atoms = parse_event(event)
    return ", ".join(
        f"{quote(atom.term.variable)}[{holder}]{atom.op}{quote(str(atom.value))}" for atom in atoms
    )


def _names(decision: Decision) -> set[str]:
    events = [event for _, event in decision.utility]
    labels = [label for label in (*decision.actions, decision.factual) if label != "pass"]
    found = {atom.term.variable for text in (*events, *labels) for atom in parse_event(text)}
    return found | set(observed(decision))


def _cells(scm: SCM, decision: Decision, mass: np.ndarray) -> list[_Cell]:
    names = observed(decision)
    values = [scm.variable(name).values or () for name in names]
    cells = []
    for index in product(*(range(len(labels)) for labels in values)):
        weight = float(mass[index])
        if weight > _NOTHING:
            seen = {n: v[i] for n, v, i in zip(names, values, index, strict=True)}
            cells.append((seen, weight, index))
    return cells


def _expected(scm: SCM, decision: Decision, action: Action, *, bet: str | None = None) -> _Expected:
    """Sum the utility over one table of the engine, keeping the observed variables' axes."""
    factual: Action = ()
    if decision.mode == "redo":
        factual = parse_action(decision.factual, scm.vocabulary)
    elif decision.mode == "act":
        # o is no descendant of the action, so o in the changed world is o in this one, and all
        # terms lie in one world.
        factual = action
    scored = decision.utility if bet is None else ((1.0, bet),)
    events = [(weight, parse_event(event, scm.vocabulary)) for weight, event in scored]
    fixed: dict[Term, int] = {}
    evidence = []
    kept: list[Term] = []
    if decision.given is not None:
        for name, label in decision.given:
            term = Term(name, factual)
            fixed[term] = scm.variable(name).code(label)
            evidence.append(Atom(term, "=", label))
    else:
        kept = [Term(name, factual) for name in observed(decision)]
    terms = list(dict.fromkeys([*kept, *_scored_terms(events, action, fixed)]))
    table = np.asarray(engine.table(scm, terms, evidence), dtype=np.float64)
    utility = np.zeros(table.shape)
    for weight, atoms in events:
        utility = utility + weight * _holds(scm, atoms, action, terms, fixed)
    rest = tuple(range(len(kept), len(terms)))
    return _Expected((table * utility).sum(axis=rest), table.sum(axis=rest))


def _scored_terms(
    events: list[tuple[float, tuple[Atom, ...]]], action: Subscript, fixed: dict[Term, int]
) -> list[Term]:
    """List the terms whose axes the utility needs: neither forced by the action nor stated."""
    forced = {name for name, _ in action}
    terms = [Term(atom.term.variable, action) for _, atoms in events for atom in atoms]
    return [term for term in terms if term.variable not in forced and term not in fixed]


def _holds(
    scm: SCM,
    atoms: tuple[Atom, ...],
    action: Subscript,
    terms: list[Term],
    fixed: dict[Term, int],
) -> np.ndarray:
    """Return 1 where all atoms hold, 0 elsewhere, broadcastable over the table."""
    held = np.ones((1,) * len(terms))
    forced = dict(action)
    for atom in atoms:
        variable = scm.variable(atom.term.variable)
        target = variable.code(str(atom.value))
        term = Term(variable.name, action)
        if variable.name in forced:
            is_target = np.array(variable.code(forced[variable.name]) == target)
        elif term in fixed:
            is_target = np.array(fixed[term] == target)
        else:
            shape = [1] * len(terms)
            shape[terms.index(term)] = -1
            is_target = (np.arange(variable.cardinality) == target).reshape(shape)
        held = held * (is_target if atom.op == "=" else ~is_target)
    return held
