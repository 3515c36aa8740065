"""Compile a process and its play into small arrays: what engines and environments run on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import AccessError, CouplingError, WorldError
from causalbench.query import COMPARE, parse_action, parse_event
from causalbench.scm.mechanism import Mechanism
from causalbench.scm.play import REGIMES, Play
from causalbench.scm.process import BEFORE, Process
from causalbench.scm.tables import uncoupled_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query import Atom

__all__ = ["Line", "Program", "Term"]

_MOST_VALUES = 254  # codes, and one more for "unseen", fit a byte


@dataclass(frozen=True, slots=True)
class Term:
    """A weight that is paid where a conjunction holds.

    Args:
        weight: how much; 1 for an event that is only asked about.
        atoms: (slot, bool[card]: the values that fit), all of which must hold.
        action: the action that it is paid for, or -1 for all.
    """

    weight: float
    atoms: tuple[tuple[int, NDArray[np.bool_]], ...]
    action: int = -1


@dataclass(frozen=True, slots=True)
class Line:
    """One mechanism: ``value = table[noise, row]``, the row being sum(stride * value of parent).

    Args:
        parents: int64[P], slots. Slot v < V is variable v at this step (in the program's order),
            slot V + v its value one step earlier.
        strides: int64[P], of the table's flattened parent axes.
        noise: float64[S], the probability of each noise value.
        table: uint8[S, rows].
    """

    parents: NDArray[np.int64]
    strides: NDArray[np.int64]
    noise: NDArray[np.float64]
    table: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Program:
    """A process under a play, variables in causal order ("slots").

    Args:
        process: the dynamic SCM.
        play: what is decided at each step.

    Raises:
        WorldError: the play names what the process lacks, pays nothing, or sees a hidden variable.
    """

    process: Process
    play: Play

    def __post_init__(self) -> None:
        for name in self.play.observes:
            if self.process.variable(name).hidden:
                raise WorldError(f"play '{self.play.id}' sees '{name}', which is hidden")
        if len(self.play.actions) < 1 or len(set(self.play.actions)) < len(self.play.actions):
            raise WorldError(f"play '{self.play.id}' needs actions, each of them once")
        if self.play.mode != "bet" and not self.play.reward:
            raise WorldError(f"play '{self.play.id}' pays nothing; give (weight, event) pairs")
        if int(self.cards.max()) > _MOST_VALUES:
            raise WorldError(f"a variable has over {_MOST_VALUES} values; use fewer")
        self._check_pay()

    @property
    def horizon(self) -> int:
        """The number of steps."""
        return self.process.horizon

    @property
    def names(self) -> tuple[str, ...]:
        """The variables by slot."""
        return self.process.order

    @cached_property
    def slot(self) -> dict[str, int]:
        """Variable to slot; ``x_before`` to the slot of x's earlier value."""
        found = {name: index for index, name in enumerate(self.names)}
        return found | {f"{n}{BEFORE}": len(self.names) + i for i, n in enumerate(self.names)}

    @cached_property
    def cards(self) -> NDArray[np.int64]:
        """int64[V], the number of values of each slot."""
        return np.array([self.process.variable(n).cardinality for n in self.names], dtype=np.int64)

    @cached_property
    def first(self) -> tuple[Line, ...]:
        """The mechanisms of step 1, by slot."""
        return self._lines(1)

    @cached_property
    def later(self) -> tuple[Line, ...]:
        """The mechanisms of later steps, by slot."""
        return self._lines(2)

    @cached_property
    def force(self) -> NDArray[np.int16]:
        """int16[A, V], the code that each action sets a slot to, -1 where nature decides."""
        force = np.full((len(self.play.actions), len(self.names)), -1, dtype=np.int16)
        if self.play.mode == "bet":
            return force
        for row, label in enumerate(self.play.actions):
            for name, value in parse_action(label, self.process.first.vocabulary):
                force[row, self.slot[name]] = self.process.variable(name).code(value)
        return force

    @cached_property
    def forced(self) -> NDArray[np.bool_]:
        """bool[V], the slots that some action sets."""
        return np.asarray((self.force >= 0).any(axis=0), dtype=np.bool_)

    @cached_property
    def early(self) -> NDArray[np.bool_]:
        """bool[V], the slots that no action of the same step can change."""
        late = self.forced.copy()
        for slot in range(len(self.names)):  # causes come before effects in both slices
            parents = {*self.first[slot].parents, *self.later[slot].parents}
            late[slot] |= any(late[p] for p in parents if p < len(self.names))
        return ~late

    @cached_property
    def carried(self) -> NDArray[np.bool_]:
        """bool[V], the slots whose value the next step reads."""
        return np.array([name in set(self.process.carried) for name in self.names], dtype=np.bool_)

    @cached_property
    def seen(self) -> NDArray[np.int64]:
        """int64[observed], the slots that are seen, in the order of the visible variables."""
        shown = set(self.play.observes)
        return np.array([self.slot[n] for n in self.process.visible if n in shown], dtype=np.int64)

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """int64[observed], where each slot of `seen` stands in an observation vector."""
        shown = set(self.play.observes)
        return np.array(
            [i for i, n in enumerate(self.process.visible) if n in shown], dtype=np.int64
        )

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """What is paid at a step, unscaled."""
        if self.play.mode == "bet":
            return tuple(
                Term(1.0, self._atoms(event), row) for row, event in enumerate(self.play.actions)
            )
        return tuple(Term(weight, self._atoms(event)) for weight, event in self.play.reward)

    @cached_property
    def goal_terms(self) -> tuple[Term, ...]:
        """What is meant at a step, unscaled: `terms` where the play states no goal of its own."""
        if not self.play.goal:
            return self.terms
        return tuple(Term(weight, self._atoms(event)) for weight, event in self.play.goal)

    @cached_property
    def ends(self) -> Term | None:
        """The event after whose step an episode is over, or None."""
        return Term(1.0, self._atoms(self.play.ends)) if self.play.ends.strip() else None

    @property
    def returns(self) -> tuple[float, float]:
        """The lowest and the highest sum of rewards, which are mapped onto 0 and 1.

        A step pays ``u / (high - low)``, and the first one ``-low / (high - low)`` besides.
        """
        return self._span(self.play.returns, self.terms)

    @property
    def goal_returns(self) -> tuple[float, float]:
        """The same for `goal_terms`."""
        if not self.play.goal:
            return self.returns
        return self._span(self.play.goal_returns, self.goal_terms)

    def need(self, regime: str) -> None:
        """Refuse a regime that does not exist or that the process cannot be played in.

        Raises:
            AccessError: no such regime.
            CouplingError: a regime that runs a unit twice, where a mechanism has no coupling.
        """
        if regime not in REGIMES:
            raise AccessError(
                f"regime '{regime}' does not exist; choose one of {', '.join(REGIMES)}."
            )
        if regime in {"intent", "replay"} and self.process.uncoupled:
            told = uncoupled_text(self.process.uncoupled, f"what regime '{regime}' shows")
            raise CouplingError(f"{told}.")

    def _check_pay(self) -> None:
        play = self.play
        if play.mode not in {"bet", "act", "redo"}:
            raise WorldError(f"play '{play.id}' has mode '{play.mode}'; give bet, act or redo")
        if play.mode != "bet" and len(np.unique(self.force, axis=0)) < len(self.force):
            raise WorldError(f"play '{play.id}' has two actions that set the same; keep one")
        _ = self.ends
        for term in (*self.terms, *self.goal_terms):
            if not math.isfinite(term.weight):
                raise WorldError(f"play '{play.id}' pays {term.weight}; give a finite number")
        for what, (low, high) in (("returns", self.returns), ("goal_returns", self.goal_returns)):
            if not (low < high and math.isfinite(low) and math.isfinite(high)):
                raise WorldError(f"play '{play.id}': {what} are {low} to {high}; give low < high")

    def _span(
        self, given: tuple[float, float] | None, terms: tuple[Term, ...]
    ) -> tuple[float, float]:
        if given is not None:
            return given
        if self.play.mode == "bet":
            return 0.0, float(self.horizon)
        weights = [term.weight for term in terms]
        low, high = sum(min(w, 0.0) for w in weights), sum(max(w, 0.0) for w in weights)
        return self.horizon * low, self.horizon * high

    def _lines(self, step: int) -> tuple[Line, ...]:
        slice_ = self.process.slice(step)
        # Where a unit takes one course alone, no coupling can be told from another (see `need`).
        slice_ = slice_.coupled("monotone") if slice_.uncoupled else slice_
        lines = []
        for name in self.names:
            mechanism = slice_.mechanism(name)
            if not isinstance(mechanism, Mechanism):  # (a process is discrete, and coupled above)
                raise WorldError(f"'{name}' has no table")
            shape = mechanism.shape
            strides = np.array(
                [int(np.prod(shape[i + 1 :])) for i in range(len(shape))], dtype=np.int64
            )
            lines.append(
                Line(
                    np.array([self.slot[p] for p in mechanism.parents], dtype=np.int64),
                    strides,
                    mechanism.noise,
                    mechanism.table.reshape(len(mechanism.noise), -1).astype(np.uint8),
                )
            )
        return tuple(lines)

    def _atoms(self, event: str) -> tuple[tuple[int, NDArray[np.bool_]], ...]:
        vocabulary = self.process.first.vocabulary
        return tuple(self._atom(atom) for atom in parse_event(event, vocabulary))

    def _atom(self, atom: Atom) -> tuple[int, NDArray[np.bool_]]:
        name = atom.term.variable
        variable = self.process.variable(name)
        at = variable.code(str(atom.value))
        codes = np.arange(variable.cardinality)
        return self.slot[name], np.asarray(COMPARE[atom.op](codes, at))
