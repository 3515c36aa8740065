"""Let dowhy identify effects in the shown diagram, and evaluate its estimands as tables.

dowhy finds the adjustment set or the front door. Its own estimators are linear or need samples, so
the formula that it found is evaluated on the exact law instead (on the rows' frequencies where no
law is given). Its instruments are never used, because without linearity they identify nothing; nor
is its `id_identifier`, which treats hidden causes as observed.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.given import laws_of
from causalbench.errors import CausalBenchError, TooWideError, ZeroProbabilityError
from causalbench.query import Atom, Expectation, Probability, Query, Term, normalise, parse
from causalbench.query.algebra import shared_subscript, terms
from causalbench.task.answer import Abstain, Answer, Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.agent.protocol import Clock
    from causalbench.graph import Diagram
    from causalbench.query import Quantity
    from causalbench.task.types import Dossier, Question

__all__ = ["DowhyAgent", "Estimand", "identify"]


@dataclass(frozen=True, slots=True)
class Estimand:
    """What dowhy found: ``none`` (no directed path), ``adjust`` or ``front-door``, and the set."""

    kind: str
    through: tuple[str, ...] = ()


class _UnidentifiedError(CausalBenchError):
    """dowhy finds no estimand."""


class DowhyAgent:
    """Estimate by dowhy's back door, general adjustment or front door.

    Rung 1 is read off the law. A rung-2 conjunction becomes the outcome of an added effect of its
    variables, so that P(y, z | do(x)), and with it P(y | do(x), z), is one effect to identify.
    Rung 3 is beyond it, except where the query says no more than rung 2.
    """

    name = "dowhy"
    accepts = frozenset({"estimate"})
    cells = frozenset({"diagram"})

    def __init__(self) -> None:
        self.config: dict[str, Any] = {}
        self._law: _Law | None = None
        self._diagram: Diagram | None = None
        self._why = "no dossier was studied"

    def study(self, dossier: Dossier, lab: Any, *, rng: np.random.Generator, clock: Clock) -> None:
        """Take the diagram and the observational law; the lab is left alone."""
        del lab, rng, clock
        self._law, self._diagram = None, dossier.diagram
        if dossier.diagram is None:
            self._why = "no diagram is shown"
        elif any(variable.is_real for variable in dossier.variables):
            self._why = "tables are for discrete variables, and some are real"
        else:
            self._tabulate(dossier)

    def _tabulate(self, dossier: Dossier) -> None:
        """Take the observational law, or say why there is none."""
        try:
            laws = laws_of(dossier)
        except TooWideError as error:
            self._why = f"too wide to tabulate: {error}"
            return
        if laws:
            values = {variable.name: variable.labels for variable in dossier.variables}
            numbers = {variable.name: variable.numbers for variable in dossier.variables}
            self._law = _Law(laws[0][1], values, numbers)
        else:
            self._why = "there is no law and there are no rows"

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Answer where every quantity is seen or identified by dowhy."""
        del rng
        if self._law is None or self._diagram is None:
            return Abstain(self._why)
        query = parse(question.query)
        if not isinstance(query, Query):
            return Abstain("it estimates, and this is a choice")
        try:
            parts = [w * self._quantity(each) for w, each in normalise(query).terms]
        except _UnidentifiedError as error:
            return Abstain(str(error), unidentified=True)
        except CausalBenchError as error:
            return Abstain(str(error))
        return Estimate(query.constant + sum(parts))

    def _quantity(self, quantity: Quantity) -> float:
        """Return P(event | given) or E[term | given] in one world."""
        assert self._law is not None  # noqa: S101  (answer has looked)
        subscript = shared_subscript(quantity)
        mixed = any(term.subscript != subscript for term in terms(quantity))
        if mixed or any(isinstance(value, Term) for _, value in subscript):
            msg = "a counterfactual over several worlds, which dowhy does not estimate."
            raise CausalBenchError(msg)
        do = {name: str(value) for name, value in subscript}
        given = quantity.given
        below = self._chance(given, do)
        if below <= 0:
            msg = "the condition has probability zero."
            raise ZeroProbabilityError(msg)
        if isinstance(quantity, Probability):
            return self._chance(quantity.event + given, do) / below
        return self._mean(quantity, do) / below

    def _mean(self, quantity: Expectation, do: Mapping[str, str]) -> float:
        assert self._law is not None  # noqa: S101
        name = quantity.term.variable
        numbers = self._law.numbers[name]
        if numbers is None:
            msg = f"'{name}' has labels without numbers, so it has no mean."
            raise CausalBenchError(msg)
        atoms = [Atom(quantity.term, "=", label) for label in self._law.values[name]]
        chances = [self._chance((atom, *quantity.given), do) for atom in atoms]
        return float(np.dot(numbers, chances))

    def _chance(self, atoms: Sequence[Atom], do: Mapping[str, str]) -> float:
        """Return P(all atoms | do)."""
        assert self._law is not None  # noqa: S101
        assert self._diagram is not None  # noqa: S101
        free: list[Atom] = []
        for atom in atoms:
            name = atom.term.variable
            if name not in do:
                free.append(atom)
            elif (do[name] == str(atom.value)) != (atom.op == "="):
                return 0.0
        if not free:
            return 1.0
        event = self._law.event(free)
        names = frozenset(atom.term.variable for atom in free)
        cut = self._diagram.without_incoming(set(do))
        acts = frozenset(do) & cut.ancestors(names)  # the others change nothing of the event
        if not acts:
            return self._law.chance(event)
        found = identify(self._diagram, acts, names)
        if found is None:
            causes = ", ".join(sorted(acts))
            msg = f"dowhy finds no adjustment set and no front door for do({causes})."
            raise _UnidentifiedError(msg)
        x = {name: do[name] for name in sorted(acts)}
        if found.kind == "none":
            return self._law.chance(event)
        if found.kind == "adjust":
            return self._law.adjust(event, x, found.through)
        return self._law.front_door(event, x, found.through)


@lru_cache(maxsize=4096)
def identify(diagram: Diagram, acts: frozenset[str], outcomes: frozenset[str]) -> Estimand | None:
    """Ask dowhy for an estimand of the effect of acts on an event of the outcomes.

    Args:
        diagram: with ``<->`` edges for hidden causes.
        acts: what is forced; each reaches an outcome.
        outcomes: the variables of the event.

    Returns:
        The estimand, or None where dowhy finds none.
    """
    import networkx as nx

    event = _fresh("event", diagram.nodes)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(diagram.nodes))
    graph.add_edges_from(sorted(diagram.directed))
    graph.add_edges_from((name, event) for name in sorted(outcomes))
    for i, pair in enumerate(sorted(diagram.bidirected)):
        hidden = _fresh(f"hidden {i}", diagram.nodes)
        graph.add_edges_from((hidden, end) for end in pair)
    observed = [*sorted(diagram.nodes), event]
    found = _ask(graph, sorted(acts), event, observed)
    if getattr(found, "no_directed_path", False):
        return Estimand("none")
    for kind, pick in (
        ("backdoor", found.get_backdoor_variables),
        ("general_adjustment", found.get_general_adjustment_variables),
    ):
        if found.estimands.get(kind) is not None:
            return Estimand("adjust", tuple(sorted(set(pick()))))
    if found.estimands.get("frontdoor") is not None:
        return Estimand("front-door", tuple(sorted(set(found.get_frontdoor_variables()))))
    return None


def _ask(graph: Any, acts: list[str], event: str, observed: list[str]) -> Any:
    """Run dowhy's identification, with its log and its warnings kept off the screen."""
    from dowhy.causal_identifier import EstimandType, identify_effect_auto

    log = logging.getLogger("dowhy")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return identify_effect_auto(
                graph, acts, [event], observed, EstimandType.NONPARAMETRIC_ATE
            )
    finally:
        log.setLevel(level)


def _fresh(name: str, taken: Sequence[str]) -> str:
    """Return a name that is not taken."""
    while name in taken:
        name += "'"
    return name


class _Law:
    """A joint table and the formulas over it.

    Args:
        table: P(v), an axis a variable.
        values: variable -> labels, in the order of the axes.
        numbers: variable -> the numbers of its values, or None.
    """

    def __init__(
        self,
        table: np.ndarray,
        values: Mapping[str, tuple[str, ...]],
        numbers: Mapping[str, tuple[float, ...] | None],
    ) -> None:
        self.values = values
        self.numbers = numbers
        self._table = table
        self._names = list(values)

    def event(self, atoms: Sequence[Atom]) -> np.ndarray:
        """Return 1 where all atoms hold, over the table's axes."""
        mask = np.ones(self._table.shape)
        for atom in atoms:
            if atom.op not in {"=", "!="}:
                msg = f"'{atom.op}' compares numbers, and the variables have labels."
                raise CausalBenchError(msg)
            name = atom.term.variable
            hit = np.array([label == str(atom.value) for label in self.values[name]], dtype=float)
            mask = mask * self._along(name, hit if atom.op == "=" else 1.0 - hit)
        return mask

    def chance(self, event: np.ndarray) -> float:
        """Return P(event)."""
        return float((self._table * event).sum())

    def adjust(self, event: np.ndarray, x: Mapping[str, str], z: Sequence[str]) -> float:
        """Return sum over z of P(z) P(event | x, z)."""
        act = self._acted(x)
        weight = self._onto(self._table, z)
        return float((weight * self._ratio(event * act, act, z, weight)).sum())

    def front_door(self, event: np.ndarray, x: Mapping[str, str], m: Sequence[str]) -> float:
        """Return sum over m of P(m | x) sum over x' of P(x') P(event | m, x')."""
        act = self._acted(x)
        on_m = self._onto(self._table * act, m)
        mass = on_m.sum()
        if mass <= 0:
            msg = "what is done never happens in the law, so the formula says nothing."
            raise ZeroProbabilityError(msg)
        both = [*m, *x]
        weight = on_m / mass * self._onto(self._table, list(x))
        ones = np.ones(self._table.shape)
        return float((weight * self._ratio(event, ones, both, weight)).sum())

    def _ratio(
        self, above: np.ndarray, below: np.ndarray, onto: Sequence[str], weight: np.ndarray
    ) -> np.ndarray:
        """Return P(above | below, onto), refusing where a needed condition never happens."""
        top, bottom = self._onto(self._table * above, onto), self._onto(self._table * below, onto)
        if ((bottom <= 0) & (weight > 0)).any():
            msg = "a stratum of the formula never happens in the law (no positivity)."
            raise ZeroProbabilityError(msg)
        return top / np.where(bottom > 0, bottom, 1.0)

    def _onto(self, table: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Sum a table onto some axes; the others stay, with length 1."""
        rest = tuple(i for i, name in enumerate(self._names) if name not in names)
        result: np.ndarray = table.sum(axis=rest, keepdims=True)
        return result

    def _acted(self, x: Mapping[str, str]) -> np.ndarray:
        mask = np.ones(self._table.shape)
        for name, value in x.items():
            mask = mask * self._along(name, np.array([v == value for v in self.values[name]]))
        return mask

    def _along(self, name: str, vector: np.ndarray) -> np.ndarray:
        shape = [1] * len(self._names)
        shape[self._names.index(name)] = len(vector)
        return vector.reshape(shape)
