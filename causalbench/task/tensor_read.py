"""Read the parts of a dossier from facts, in whatever order they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import WorldError
from causalbench.graph import Diagram
from causalbench.query import action_label
from causalbench.query.render import quote
from causalbench.scm import (
    SCM,
    AdditiveMechanism,
    LinearMechanism,
    Mechanism,
    Noise,
    TableMechanism,
    Variable,
)
from causalbench.scm.noise import LAWS
from causalbench.task.facts import Facts
from causalbench.task.tensor_codes import COUPLINGS, MODES, NOT, TYPES, coupling_of
from causalbench.task.types import Decision, Dossier, Law
from causalbench.truth.knowledge import REGIMES, SHOWN, Budget, Knowledge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.scm.check import AnyMechanism

__all__ = ["Fact", "Reader"]


@dataclass(frozen=True)
class Fact:
    """One fact, without what is empty."""

    place: tuple[int, int]
    variables: tuple[int, ...]
    codes: tuple[int, ...]
    number: float


class Reader:
    """Reads the parts of a dossier from facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.names, self.labels, self.texts = facts.names, facts.labels, facts.texts

    def each(self, kind: str) -> Iterator[Fact]:
        """Yield the facts of a kind, by place."""
        found = self.facts.of(kind)
        for row in range(len(found)):
            yield Fact(
                tuple(found.place[row].tolist()),
                tuple(int(v) for v in found.variables[row] if v >= 0),
                tuple(found.codes[row].tolist()),
                float(found.number[row]),
            )

    def one(self, kind: str) -> Fact:
        """Return the only fact of a kind."""
        found = list(self.each(kind))
        if len(found) != 1:
            raise WorldError(f"there are {len(found)} facts of kind '{kind}'; give exactly one.")
        return found[0]

    def named(self, fact: Fact) -> tuple[tuple[str, str], ...]:
        """Return an assignment by names and labels."""
        return tuple(
            (self.names[v], self.labels[v][code])
            for v, code in zip(fact.variables, fact.codes, strict=False)
        )

    def dossier(self) -> Dossier:
        """Return the whole dossier."""
        identity, cell, story = (self.texts[code] for code in self.one("dossier").codes[:3])
        variables = self.variables()
        visible = tuple(each for each in variables if not each.hidden)
        counts = [int(fact.number) for fact in self.each("budget")]
        return Dossier(
            id=identity,
            cell=cell,
            variables=visible,
            knowledge=self.knowledge(),
            budget=Budget(*counts),
            diagram=self.diagram(),
            mechanisms=self.mechanisms(variables),
            laws=self.laws(visible),
            couplings=tuple(self.couplings()),
            rows=self.rows(),
            logs=self.logs(len(visible)),
            decisions=tuple(self.decisions()),
            story=story,
        )

    def variables(self) -> list[Variable]:
        """Return the variables, hidden ones last."""
        units = {f.variables[0]: self.texts[f.codes[0]] for f in self.each("unit")}
        numbers: dict[int, dict[int, float]] = {}
        for fact in self.each("value"):
            numbers.setdefault(fact.variables[0], {})[fact.codes[0]] = fact.number
        hidden = {fact.variables[0]: bool(fact.number) for fact in self.each("variable")}
        return [
            Variable(
                name,
                self.labels[v] or None,
                hidden[v],
                tuple(number for _, number in sorted(numbers[v].items())) if v in numbers else None,
                units.get(v),
            )
            for v, name in enumerate(self.names)
        ]

    def knowledge(self) -> Knowledge:
        """Return what is known, assumed and allowed."""
        told = {fact.place[0]: self.texts[fact.codes[0]] for fact in self.each("assumption")}
        for place, name, coupling in self.grouped("assumed-coupling"):
            told[place] = f"coupling:{name}={coupling}"
        for fact in self.each("assumed-monotone"):
            cause, effect = (self.names[v] for v in fact.variables)
            told[fact.place[0]] = f"{COUPLINGS[1 + fact.codes[0]]}: {cause} -> {effect}"
        settable = tuple(self.names[fact.variables[0]] for fact in self.each("settable"))
        return Knowledge(
            REGIMES[self.one("regime").codes[0]],  # type: ignore[arg-type]
            SHOWN[self.one("shown").codes[0]],  # type: ignore[arg-type]
            tuple(text for _, text in sorted(told.items())),
            settable if len(self.facts.of("settable-only")) else None,
        )

    def grouped(self, kind: str) -> Iterator[tuple[int, str, str]]:
        """Yield place, variable and text of each coupling."""
        groups: dict[int, list[Fact]] = {}
        for fact in self.each(kind):
            groups.setdefault(fact.place[0], []).append(fact)
        for place, group in groups.items():
            own = self.names[group[0].variables[0]]
            parts = [
                (f.codes[0], "".join(self.names[v] for v in f.variables[1:]), f.number)
                for f in group
            ]
            yield place, own, coupling_of(parts, mixed=group[0].codes[1] == 1)

    def couplings(self) -> Iterator[tuple[str, str]]:
        """Yield the couplings that are named, in order."""
        told = {place: (name, text) for place, name, text in self.grouped("coupling")}
        for fact in self.each("coupling-text"):
            told[fact.place[0]] = (self.names[fact.variables[0]], self.texts[fact.codes[0]])
        yield from (pair for _, pair in sorted(told.items()))

    def diagram(self) -> Diagram | None:
        """Return the diagram, where there is one."""
        nodes = [self.names[fact.variables[0]] for fact in self.each("node")]
        if not nodes:
            return None
        edges = {
            kind: [
                (self.names[f.variables[0]], self.names[f.variables[1]]) for f in self.each(kind)
            ]
            for kind in ("edge", "common-cause")
        }
        return Diagram(nodes, edges["edge"], edges["common-cause"])

    def mechanisms(self, variables: list[Variable]) -> SCM | None:
        """Return the mechanisms, where they are shown."""
        found = list(self.each("mechanism"))
        if not found:
            return None
        made = {self.names[fact.variables[0]]: self.mechanism(fact) for fact in found}
        known = {variable.name: variable for variable in variables}
        told = not len(self.facts.of("couplings-unknown"))
        return SCM({name: known[name] for name in made}, made, told)

    def mechanism(self, fact: Fact) -> AnyMechanism:
        """Return one mechanism."""
        own, *above = fact.variables
        parents = tuple(self.names[v] for v in above)
        cards = [len(self.labels[v]) for v in above]
        kind = TYPES[fact.codes[0]]
        if kind is Mechanism:
            noise = self.of(own, "noise").number
            cells = self.of(own, "response")
            table = np.zeros((len(noise), *cards), dtype=np.int64)
            table[(cells.place[:, 0], *cells.codes[:, 1 : 1 + len(above)].T)] = cells.codes[:, 0]
            return Mechanism(parents, noise, table)
        if kind is TableMechanism:
            cells = self.of(own, "chance")
            cpt = np.zeros((*cards, len(self.labels[own])))
            cpt[(*cells.codes[:, 1 : 1 + len(above)].T, cells.codes[:, 0])] = cells.number
            return TableMechanism(parents, cpt)
        if kind is LinearMechanism:
            weights = self.of(own, "weight").number
            ends = [float(self.of(own, part).number[0]) for part in ("intercept", "spread")]
            return LinearMechanism(parents, weights, *ends)
        law = list(LAWS)[int(self.of(own, "noise-law").codes[0, 0])]
        noise_ = Noise(law, tuple(self.of(own, "noise-parameter").number.tolist()))
        expression = self.texts[int(self.of(own, "equation").codes[0, 0])]
        return AdditiveMechanism(parents, expression, noise_)

    def of(self, variable: int, kind: str) -> Facts:
        """Return the facts of a kind about one variable, by place."""
        found = self.facts.of(kind)
        mine = found.variables[:, 0] == variable
        return Facts(**{name: array[mine] for name, array in found.arrays.items()})

    def laws(self, visible: tuple[Variable, ...]) -> tuple[Law, ...]:
        """Return the exact distributions."""
        cells = self.facts.of("probability")
        laws = []
        for fact in self.each("law"):
            mine = cells.place[:, 0] == fact.place[0]
            table = np.zeros([len(each.values or ()) for each in visible])
            table[tuple(cells.codes[mine, : len(visible)].T)] = cells.number[mine]
            laws.append(Law(self.named(fact), table))
        return tuple(laws)

    def rows(self) -> np.ndarray:
        """Return the rows."""
        fact = self.one("rows")
        shape = (int(fact.number), fact.codes[0])
        if fact.codes[1]:
            return self._measured().reshape(shape)
        codes: np.ndarray = self.facts.of("row").codes[:, : shape[1]]
        return codes.reshape(shape).copy()

    def _measured(self) -> np.ndarray:
        found = self.facts.of("measurement")
        order = np.lexsort((found.variables[:, 0], found.place[:, 0]))
        numbers: np.ndarray = found.number[order]
        return numbers

    def logs(self, width: int) -> dict[str, dict[str, np.ndarray]]:
        """Return the logs."""
        seen, made = self.facts.of("log-seen"), self.facts.of("log-made")
        logs = {}
        for fact in self.each("log"):
            here, there = (each.place[:, 0] == fact.place[0] for each in (seen, made))
            codes = made.codes[there]
            logs[self.texts[fact.codes[0]]] = {
                "obs": seen.codes[here, :width].copy(),
                "action": codes[:, 0].copy(),
                "reward": made.number[there],
                "terminal": codes[:, 1] == 1,
                "source": np.array([self.texts[code] for code in codes[:, 2]], dtype=np.str_),
            }
        return logs

    def decisions(self) -> Iterator[Decision]:
        """Yield the decisions, in order."""
        parts: dict[str, dict[int, list[Fact]]] = {}
        for kind in ("action", "payoff", "observed", "stated", "factual"):
            for fact in self.each(kind):
                parts.setdefault(kind, {}).setdefault(fact.place[0], []).append(fact)
        for fact in self.each("decision"):
            mine = {kind: groups.get(fact.place[0], []) for kind, groups in parts.items()}
            mode, name, stated = fact.codes[:3]
            given = tuple(self.named(each)[0] for each in mine.get("stated", []))
            yield Decision(
                id=self.texts[name],
                mode=MODES[mode],
                actions=tuple(action_label(self.named(each)) for each in mine["action"]),
                utility=tuple((each.number, self.event(each)) for each in mine.get("payoff", [])),
                observes=tuple(self.names[f.variables[0]] for f in mine.get("observed", [])),
                given=given if stated else None,
                factual=action_label(self.named(mine["factual"][0])),
            )

    def event(self, fact: Fact) -> str:
        """Write an event as the query language has it."""
        atoms = []
        for v, code in zip(fact.variables, fact.codes, strict=False):
            sign, value = ("=", code) if code >= 0 else (" != ", NOT - code)
            atoms.append(f"{quote(self.names[v])}{sign}{quote(self.labels[v][value])}")
        return ", ".join(atoms)
