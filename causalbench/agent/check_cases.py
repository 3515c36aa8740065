"""Build the small cases on which `check_agent` tries an agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.rng import generator
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.types import (
    Case,
    Certificate,
    Decision,
    Dossier,
    Item,
    Key,
    Law,
    Placement,
    Question,
)
from causalbench.truth import truth
from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CheckPractice", "check_cases"]

_ROWS = 200
_UTILITY = ((1.0, "relief=yes"), (-0.25, "dose=high"))
_BET = Decision("guess", "bet", ("relief=no", "relief=yes"), observes=("dose",))
_ACT = Decision("treat", "act", ("dose=low", "dose=high", "pass"), _UTILITY, observes=("age",))
_REDO = Decision(
    "again", "redo", ("pass", "dose=low", "dose=high"), _UTILITY, observes=("dose", "relief")
)
_CERTIFICATE = Certificate(identified=True, proof="not looked at by this check")
_QUERIES = {
    1: "P(relief=yes | dose=high)",
    2: "P(relief=yes | do(dose=high)) - P(relief=yes | do(dose=low))",
    3: "P(relief[dose=low]=yes | dose=high, relief=yes)",
}


def check_cases() -> list[Case]:
    """Return cases of every cell and kind of question, one of them without rows or budget."""
    scm = _world()
    lab = Budget(rows=_ROWS, interventions=_ROWS, replays=_ROWS)
    return [
        _case("see", scm, Knowledge("see"), lab, (_BET,), 1),
        _case("do", scm, Knowledge("do"), lab, (_ACT, _BET), 2),
        _case("replay", scm, Knowledge("replay"), lab, (_REDO,), 3),
        _case("empty", scm, Knowledge("do"), Budget(), (_ACT,), 2),
        _case("diagram", scm, Knowledge("see", "diagram"), Budget(), (), 1),
        _case("mechanisms", scm, Knowledge("see", "mechanisms"), Budget(), (_ACT,), 3),
    ]


class CheckPractice:
    """Practice on the same small worlds, where no suite offers any."""

    def cases(self) -> Iterator[Case]:
        """Yield the cases once."""
        yield from check_cases()

    def env(self, kind: str, num_envs: int = 1) -> Any:
        """Return a public training environment of a kind: bet, act or redo."""
        from causalbench.env import WorldEnv, WorldVectorEnv
        from causalbench.task.observation import ObservationSpace

        decision = {"bet": _BET, "act": _ACT, "redo": _REDO}[kind]
        scm = _world()
        space = ObservationSpace(([scm.variable(v) for v in scm.visible], [_BET, _ACT, _REDO]))
        if num_envs == 1:
            return WorldEnv(scm, decision, space)
        return WorldVectorEnv(scm, decision, space, num_envs=num_envs)


def _world() -> SCM:
    """Return a treatment confounded by frailty, which is hidden; age modifies it."""
    variables = {
        "frail": Variable("frail", ("no", "yes"), hidden=True),
        "age": Variable("age", ("young", "old")),
        "dose": Variable("dose", ("low", "high")),
        "relief": Variable("relief", ("no", "yes")),
    }
    half = np.array([0.5, 0.5])
    mechanisms = {
        "frail": Mechanism((), half, np.array([0, 1])),
        "age": Mechanism((), np.array([0.75, 0.25]), np.array([0, 1])),
        "dose": Mechanism(("frail",), np.array([0.75, 0.25]), np.array([[0, 1], [1, 0]])),
        "relief": Mechanism(
            ("dose", "frail", "age"),
            np.array([0.5, 0.25, 0.25]),
            # axes: noise, dose, frail, age
            np.array(
                [
                    [[[1, 0], [0, 0]], [[1, 1], [0, 1]]],
                    [[[0, 1], [1, 0]], [[1, 0], [1, 0]]],
                    [[[1, 1], [0, 0]], [[0, 1], [1, 1]]],
                ]
            ),
        ),
    }
    return SCM(variables, mechanisms)


def _case(
    name: str,
    scm: SCM,
    knowledge: Knowledge,
    budget: Budget,
    decisions: tuple[Decision, ...],
    rung: int,
) -> Case:
    cell = {"none": "lab"}.get(knowledge.shown, knowledge.shown)
    rows = _rows(scm) if budget.rows else np.empty((0, len(scm.visible)), dtype=np.int64)
    dossier = Dossier(
        id=f"check-{name}",
        cell=cell,
        variables=tuple(scm.variable(v) for v in scm.visible),
        knowledge=knowledge,
        budget=budget,
        diagram=None if cell == "lab" else scm.diagram,
        mechanisms=scm if cell == "mechanisms" else None,
        laws=(Law((), _law(scm)),) if cell == "diagram" else (),
        rows=rows,
        decisions=decisions,
        story="A made-up treatment, to check an agent on.",
    )
    items = [_estimate(name, scm, rung)]
    for decision in decisions:
        items += _choices(name, scm, decision)
    placement = Placement(name, 0, "named", rung, "estimates", cell, "check")
    return Case(dossier, tuple(items), placement, scm)


def _rows(scm: SCM) -> np.ndarray:
    drawn = scm.draw(_ROWS, rng=generator(0, "check rows"))
    return np.stack([drawn[name] for name in scm.visible], axis=-1)


def _law(scm: SCM) -> np.ndarray:
    from causalbench.truth import law

    return np.asarray(law(scm, scm.visible))


def _estimate(name: str, scm: SCM, rung: int) -> Item:
    answer = truth(scm, _QUERIES[rung])
    question = Question(
        f"{name}-{rung}",
        _QUERIES[rung],
        "estimate",
        text=f"What is {_QUERIES[rung]}? Answer with a number.",
    )
    key = Key(question.id, rung, answer.value, dict(answer.readings), _CERTIFICATE)
    return Item(question, key)


def _choices(name: str, scm: SCM, decision: Decision) -> list[Item]:
    items = []
    for number, row in enumerate(decision_values(scm, decision)):
        query = decision_query(decision, row.observation)
        question = Question(
            f"{name}-{decision.id}-{number}",
            query,
            decision.mode,
            decision.actions,
            decision.id,
            row.observation,
            f"{query}? Answer with one of {'; '.join(decision.actions)}.",
        )
        best = decision.actions[int(np.argmax(row.values))]
        key = Key(question.id, 1, best, row.readings, _CERTIFICATE)
        values = tuple(float(value) for value in row.values)
        items.append(Item(question, replace(key, values=values, weight=row.weight)))
    return items
