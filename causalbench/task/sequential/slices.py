"""Write a process down in Python: one call a variable, one function a mechanism."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from causalbench.scm.couplings import Coupling, couple
from causalbench.scm.mechanism import Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.process import BEFORE, Process
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Slices"]

When = Literal["first", "later", "both"]


class Slices:
    """Collect the variables and mechanisms of a process, and make it.

    Args:
        horizon: the number of steps.
    """

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self._variables: dict[str, Variable] = {}
        self._mechanisms: dict[str, dict[str, Mechanism]] = {"first": {}, "later": {}}

    def add(self, name: str, values: str | Sequence[str], *, hidden: bool = False) -> Slices:
        """Declare a variable; values as a list, or as words in one text."""
        labels = tuple(values.split()) if isinstance(values, str) else tuple(values)
        self._variables[name] = Variable(name, labels, hidden=hidden)
        return self

    def rule(
        self,
        name: str,
        parents: str,
        function: Callable[..., int],
        *,
        noise: Sequence[float] = (1.0,),
        when: When = "both",
    ) -> Slices:
        """Give a mechanism as a function of its noise and its parents.

        Args:
            name: whose mechanism.
            parents: names in one text; ``x_before`` is x one step earlier.
            function: of (noise code, *codes of the parents), returning a code.
            noise: the probability of each noise code.
            when: at the first step, at later ones, or at both.
        """
        known = tuple(parents.split())
        shape = (len(noise), *(self._card(parent) for parent in known))
        table = np.empty(shape, dtype=np.int64)
        for at in np.ndindex(*shape):
            table[at] = int(function(*at))
        return self._put(name, Mechanism(known, np.asarray(noise, dtype=np.float64), table), when)

    def chance(
        self,
        name: str,
        parents: str,
        function: Callable[..., Any],
        *,
        coupling: Coupling = "monotone",
        when: When = "both",
    ) -> Slices:
        """Give a mechanism as probabilities of its values.

        Args:
            name: whose mechanism.
            parents: as in `rule`.
            function: of the parents' codes, returning one probability for each value; or a number,
                the probability of the second of two values.
            coupling: how one unit answers at different rows (`causalbench.scm.couplings`).
            when: as in `rule`.
        """
        known = tuple(parents.split())
        shape = tuple(self._card(parent) for parent in known)
        cpt = np.empty((*shape, self._variables[name].cardinality))
        for at in np.ndindex(*shape):
            given = function(*at)
            cpt[at] = (1.0 - given, given) if isinstance(given, float | int) else given
        return self._put(name, couple(cpt, coupling, known), when)

    def process(self) -> Process:
        """Make the process.

        Raises:
            WorldError: a mechanism is missing, or the parts do not fit.
        """
        first = SCM(self._variables, self._mechanisms["first"])
        later = {**self._mechanisms["first"], **self._mechanisms["later"]}
        read = {p for mechanism in later.values() for p in mechanism.parents}
        variables, mechanisms = dict(self._variables), dict(later)
        for name, variable in self._variables.items():
            if (before := name + BEFORE) in read:
                variables[before] = Variable(before, variable.labels, hidden=True)
                mechanisms[before] = Mechanism((), np.ones(1), np.zeros(1, dtype=np.int64))
        return Process(first, SCM(variables, mechanisms), self._horizon)

    def _card(self, name: str) -> int:
        return self._variables[name.removesuffix(BEFORE)].cardinality

    def _put(self, name: str, mechanism: Mechanism, when: When) -> Slices:
        for place in ("first", "later") if when == "both" else (when,):
            self._mechanisms[place][name] = mechanism
        return self
