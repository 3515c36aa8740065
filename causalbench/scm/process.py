"""Hold a dynamic structural causal model: one slice a step, and values that are carried over.

A mechanism of a later step may read ``x_before``, the value of x one step earlier. Unrolled over
its steps a process is an ordinary `SCM`, so every law and every engine applies to it.

Reference:
    Dean and Kanazawa, "A model for reasoning about persistence and causation" (1989), for the two
    slices; Murphy, "Dynamic Bayesian networks" (2002), chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from causalbench.errors import WorldError, suggest
from causalbench.graph import Diagram
from causalbench.scm.model import SCM

if TYPE_CHECKING:
    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.couplings import Coupling
    from causalbench.scm.variable import Variable

__all__ = ["BEFORE", "Process"]

BEFORE = "_before"
"""What a carried variable's name ends in where a later step reads its earlier value."""


@dataclass(frozen=True, eq=False, repr=False)
class Process:
    """A discrete SCM that repeats for a number of steps.

    Frozen, like `SCM`. The noise of every step is drawn afresh and independently, so whatever lasts
    (a season, a hidden trait) is a variable that is carried over.

    Args:
        first: the slice of step 1.
        later: the slice of every later step: the same variables, and a root ``x_before`` for each
            variable x that is carried over, whose own mechanism counts for nothing.
        horizon: the number of steps, at least 1.

    Raises:
        WorldError: the slices do not fit each other, or no order of the variables suits both.
    """

    first: SCM
    later: SCM
    horizon: int

    def __post_init__(self) -> None:
        if isinstance(self.horizon, bool) or self.horizon < 1:
            raise WorldError(
                f"horizon is {self.horizon!r}; give a whole number of steps, 1 or more"
            )
        for scm in (self.first, self.later):
            if not scm.is_discrete:
                raise WorldError("a process has discrete variables only; give values to all")
        for name in self.first.names:
            if name.endswith(BEFORE):
                raise WorldError(f"'{name}' ends in '{BEFORE}', which later steps alone may read")
            if name not in self.later.variables:
                raise WorldError(f"later steps lack '{name}'; give it a mechanism there too")
            _same(self.first.variable(name), self.later.variable(name), f"'{name}' at later steps")
        for name in self.later.names:
            if name in self.first.variables:
                continue
            of = name.removesuffix(BEFORE)
            if of == name or of not in self.first.variables:
                near = suggest(of, self.first.variables)
                raise WorldError(f"later steps name '{name}', which the first lacks.{near}")
            _same(self.first.variable(of), self.later.variable(name), f"'{name}'")
        object.__setattr__(self, "later", _trimmed(self.later, self.names))
        _ = self.order  # refuses slices that no order suits

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of a step, in the order of declaration."""
        return self.first.names

    @property
    def visible(self) -> tuple[str, ...]:
        """The names that are not hidden, in the order of declaration."""
        return self.first.visible

    @cached_property
    def carried(self) -> tuple[str, ...]:
        """The variables whose earlier value some later mechanism reads, in declared order."""
        read = {parent for name in self.names for parent in self.later.parents(name)}
        return tuple(name for name in self.names if name + BEFORE in read)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables of a step, causes before effects at the first step and at later ones."""
        edges = {
            (parent, name)
            for scm in (self.first, self.later)
            for name in self.names
            for parent in scm.parents(name)
            if not parent.endswith(BEFORE)
        }
        return Diagram(self.names, sorted(edges)).order()

    def variable(self, name: str) -> Variable:
        """Return a variable of a step.

        Raises:
            WorldError: no variable of that name.
        """
        return self.first.variable(name)

    def slice(self, step: int) -> SCM:
        """Return the slice of a step, counted from 1."""
        return self.first if step == 1 else self.later

    @property
    def uncoupled(self) -> tuple[str, ...]:
        """The names whose coupling is unknown at some step (see `SCM.uncoupled`)."""
        both = {*self.first.uncoupled, *self.later.uncoupled}
        return tuple(name for name in self.names if name in both)

    def coupled(self, coupling: Coupling) -> Process:
        """Return the process with one coupling for every table that has none."""
        slices = [
            one.coupled(coupling) if one.uncoupled else one for one in (self.first, self.later)
        ]
        return Process(slices[0], slices[1], self.horizon)

    def replace(
        self,
        first: Mapping[str, AnyMechanism] | None = None,
        later: Mapping[str, AnyMechanism] | None = None,
        *,
        horizon: int | None = None,
    ) -> Process:
        """Return the process with other mechanisms, or another number of steps.

        Args:
            first: name to mechanism of the first step.
            later: name to mechanism of later steps; None puts ``first`` there too.
            horizon: None keeps it.
        """
        put = first or {}
        return Process(
            self.first.replace(mechanisms=put),
            self.later.replace(mechanisms=put if later is None else later),
            self.horizon if horizon is None else horizon,
        )

    def unroll(self, steps: int | None = None) -> SCM:
        """Return the ordinary SCM of the first steps, with x of step t called ``x_t`` (t from 1).

        Args:
            steps: how many; None for the horizon.
        """
        variables: dict[str, Variable] = {}
        mechanisms: dict[str, AnyMechanism] = {}
        for step in range(1, (self.horizon if steps is None else steps) + 1):
            names = {name: f"{name}_{step}" for name in self.names}
            names |= {f"{name}{BEFORE}": f"{name}_{step - 1}" for name in self.names}
            slice_ = self.slice(step)
            for name in self.names:
                variables[names[name]] = replace(self.variable(name), name=names[name])
                mechanisms[names[name]] = _with_parents(slice_.mechanism(name), names)
        return SCM(variables, mechanisms, not self.uncoupled)

    def to_dict(self) -> dict[str, Any]:
        """Return the process as plain JSON values; `from_dict` gives back an equal one."""
        first, later = self.first.to_dict(), self.later.to_dict()
        changed = {
            name: later["mechanisms"][name]
            for name in self.names
            if later["mechanisms"][name] != first["mechanisms"][name]
        }
        return {
            "horizon": self.horizon,
            "variables": first["variables"],
            "first": first["mechanisms"],
            "later": changed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Process:
        """Read a process from JSON values.

        Args:
            data: ``horizon``, ``variables`` and ``first`` (mechanisms, as in a model), and
                ``later``: the mechanisms that differ from the second step on.

        Raises:
            WorldError: the data break the schema; the message names the variable and the place.
        """
        known = {"horizon", "variables", "first", "later"}
        for key in data:
            if key not in known:
                raise WorldError(f"process: '{key}' is no key of it.{suggest(str(key), known)}")
        for key in ("horizon", "variables", "first"):
            if key not in data:
                raise WorldError(f"process: '{key}' is missing; give it")
        horizon = data["horizon"]
        if not isinstance(horizon, int):
            raise WorldError(f"process: horizon is {horizon!r}; give a whole number of steps")
        variables, first, changed = data["variables"], data["first"], data.get("later") or {}
        for key, given in (("variables", variables), ("first", first), ("later", changed)):
            if not isinstance(given, Mapping):
                raise WorldError(f"process: {key} holds {type(given).__name__}; give a mapping")
        later_first = _scm("first", variables, first)
        earlier = {
            name + BEFORE: {**entry, "hidden": True}
            for name, entry in later_first.to_dict()["variables"].items()
        }
        blanks = {name: {"parents": [], "noise": [1.0], "table": [0]} for name in earlier}
        # Equations may name any earlier value, so all are declared, and those unread go again.
        later = _scm("later", {**variables, **earlier}, {**first, **changed, **blanks})
        return cls(later_first, later, horizon)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Process):
            return NotImplemented
        mine, theirs = (self.first, self.later), (other.first, other.later)
        return self.horizon == other.horizon and mine == theirs

    def __hash__(self) -> int:
        return hash((self.horizon, self.first.digest, self.later.digest))

    def __repr__(self) -> str:
        return f"Process({self.horizon} steps, {len(self.names)} variables: {self.later.diagram})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Process, (self.first, self.later, self.horizon))


def _scm(place: str, variables: Mapping[str, Any], mechanisms: Mapping[str, Any]) -> SCM:
    try:
        return SCM.from_dict({"schema": 1, "variables": variables, "mechanisms": mechanisms})
    except WorldError as error:
        raise WorldError(f"process: {place}: {error}") from None


def _trimmed(scm: SCM, names: tuple[str, ...]) -> SCM:
    """Drop the earlier values that no mechanism reads, so that equal processes are equal."""
    read = {parent for name in names for parent in scm.parents(name)}
    kept = [name for name in scm.names if name in names or name in read]
    if len(kept) == len(scm.names):
        return scm
    return SCM(
        {name: scm.variable(name) for name in kept},
        {name: scm.mechanism(name) for name in kept},
        scm.couplings_known,
    )


def _with_parents(mechanism: AnyMechanism, names: Mapping[str, str]) -> AnyMechanism:
    """Return a discrete mechanism that reads its parents under other names."""
    return replace(mechanism, parents=tuple(names[parent] for parent in mechanism.parents))


def _same(one: Variable, other: Variable, place: str) -> None:
    if one.labels != other.labels:
        raise WorldError(
            f"{place} has the values {', '.join(other.labels)}, but {', '.join(one.labels)} at"
            " the first step; give it the same"
        )
