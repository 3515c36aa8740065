"""Encode what is seen before a choice: one space of small integers for bet, act and redo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalbench.errors import NotFoundError, UnknownNameError, suggest
from causalbench.task.types import UNSEEN, Decision, Dossier, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from causalbench.scm import SCM, Variable

__all__ = ["MODES", "ObservationSpace", "codes_in", "recode"]

MODES: tuple[str, ...] = ("bet", "act", "redo")
Codes = NDArray[np.int64]


class ObservationSpace:
    """The integers an agent of decisions sees: a code per variable, the mode, the goal.

    A variable's code is the index of its value, or its cardinality where it is unseen (a real
    variable is always unseen). The goal is the index of the decision. The same vector comes from a
    lab's environment and from a question, so that what was learnt there can be used here.

    Args:
        source: a dossier, or its (variables, decisions).

    Attributes:
        variables: the visible variables, in the dossier's order.
        decisions: the decisions, in the dossier's order.
        nvec: int64[V + 2], the number of codes in each place.
    """

    def __init__(self, source: Dossier | tuple[Sequence[Variable], Sequence[Decision]]) -> None:
        pair = (source.variables, source.decisions) if isinstance(source, Dossier) else source
        self.variables: tuple[Variable, ...] = tuple(pair[0])
        self.decisions: tuple[Decision, ...] = tuple(pair[1])
        self.unseen: Codes = np.array([len(_values(v)) for v in self.variables], dtype=np.int64)
        self.nvec: Codes = codes_in(self.variables, max(1, len(self.decisions)))
        self._position = {v.name: index for index, v in enumerate(self.variables)}
        self._goal = {decision.id: index for index, decision in enumerate(self.decisions)}

    def __len__(self) -> int:
        return len(self.nvec)

    def goal(self, decision_id: str) -> int:
        """Return the index of a decision.

        Raises:
            NotFoundError: there is no such decision.
        """
        if decision_id not in self._goal:
            near = suggest(decision_id, self._goal)
            msg = f"no decision is called '{decision_id}' here; give one of the dossier's.{near}"
            raise NotFoundError(msg)
        return self._goal[decision_id]

    def position(self, name: str) -> int:
        """Return the place of a variable in the vector.

        Raises:
            UnknownNameError: there is no such visible variable.
        """
        if name not in self._position:
            near = suggest(name, self._position)
            msg = f"no visible variable is called '{name}'; give one of the dossier's.{near}"
            raise UnknownNameError(msg)
        return self._position[name]

    def encode(self, observation: Mapping[str, str] | None, mode: str, decision_id: str) -> Codes:
        """Encode an observation by labels.

        Args:
            observation: variable -> value label or ``"unseen"``; variables left out are unseen.
            mode: ``bet``, ``act`` or ``redo``.
            decision_id: the decision at hand.

        Returns:
            int64[V + 2].

        Raises:
            UnknownNameError: an unknown variable, value or mode.
            NotFoundError: an unknown decision.
        """
        seen = np.full(len(self.variables), -1, dtype=np.int64)
        for name, label in (observation or {}).items():
            place = self.position(name)
            if label != UNSEEN:
                seen[place] = self._code(place, label)
        encoded: Codes = self.encode_codes(seen[None, :], mode, decision_id)[0]
        return encoded

    def encode_codes(self, codes: Codes, mode: str, decision_id: str) -> Codes:
        """Encode many observations by value codes.

        Args:
            codes: int[n, V] in the dossier's order, -1 where unseen.
            mode: ``bet``, ``act`` or ``redo``.
            decision_id: the decision at hand.

        Returns:
            int64[n, V + 2].
        """
        if mode not in MODES:
            msg = f"mode '{mode}' does not exist; it is one of {', '.join(MODES)}."
            raise UnknownNameError(msg)
        out = np.empty((len(codes), len(self)), dtype=np.int64)
        out[:, :-2] = np.where(codes < 0, self.unseen, codes)
        out[:, -2] = MODES.index(mode)
        out[:, -1] = self.goal(decision_id)
        return out

    def encode_question(self, question: Question) -> Codes:
        """Encode what a decision's question shows (int64[V + 2])."""
        return self.encode(question.observation, question.kind, question.decision_id or "")

    def decode(self, vector: Sequence[int] | Codes) -> tuple[dict[str, str], str, str]:
        """Return (observation by labels, mode, decision id) of one vector.

        ``encode(*decode(v))`` equals ``v``.
        """
        numbers = [int(number) for number in vector]
        observation = {}
        for variable, code in zip(self.variables, numbers[:-2], strict=True):
            values = _values(variable)
            observation[variable.name] = values[code] if code < len(values) else UNSEEN
        return observation, MODES[numbers[-2]], self.decisions[numbers[-1]].id

    def _code(self, place: int, label: str) -> int:
        variable = self.variables[place]
        values = _values(variable)
        if label not in values:
            near = suggest(str(label), values)
            msg = f"'{label}' is not a value of '{variable.name}'; take one of its values.{near}"
            raise UnknownNameError(msg)
        return values.index(label)


def codes_in(variables: Iterable[Variable], goals: int = 1) -> Codes:
    """Return int64[V + 2], the codes in each place of an observation.

    Args:
        variables: the visible ones, in order: their values, and one code more for "unseen".
        goals: how many decisions, or plays, there are.
    """
    sizes = [len(_values(variable)) + 1 for variable in variables]
    return np.array([*sizes, len(MODES), goals], dtype=np.int64)


def recode(scm: SCM, variable: Variable, column: NDArray[Any]) -> NDArray[Any]:
    """Turn a world's codes of a variable into the codes of the dossier's variable.

    The two may list the same labels in another order; real values stay as they are.
    """
    if variable.is_real or scm.variable(variable.name).labels == variable.labels:
        return column
    order = [variable.labels.index(label) for label in scm.variable(variable.name).labels]
    recoded: NDArray[Any] = np.array(order, dtype=np.int64)[column]
    return recoded


def _values(variable: Variable) -> tuple[str, ...]:
    """Return the value labels, none for a real variable."""
    return () if variable.is_real else variable.labels
