"""Write the parts of a dossier down as facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError
from causalbench.query import parse_action, parse_event
from causalbench.scm import AdditiveMechanism, LinearMechanism, Mechanism, TableMechanism
from causalbench.scm.noise import LAWS
from causalbench.task.tensor_codes import MODES, NOT, TYPES, coupling_parts
from causalbench.truth.knowledge import REGIMES, SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm import SCM, Variable
    from causalbench.scm.check import AnyMechanism
    from causalbench.task.facts import Book
    from causalbench.task.types import Decision, Dossier

__all__ = ["Writer"]


@dataclass
class Writer:
    """Writes the parts of a dossier into a book."""

    book: Book
    dossier: Dossier

    def index(self, name: str) -> int:
        """Return the index of a variable."""
        if name not in self.book.names:
            raise WorldError(f"'{name}' is no variable of the dossier; name one of its own.")
        return self.book.names.index(name)

    def code(self, name: str, label: object) -> int:
        """Return the code of a value."""
        labels = self.book.labels[self.index(name)]
        if label not in labels:
            raise WorldError(f"'{label}' is no value of '{name}'; take one of its values.")
        return labels.index(str(label))

    def variables(self, variables: Sequence[Variable]) -> None:
        """Write who the dossier is of, and its variables."""
        dossier, add, text = self.dossier, self.book.add, self.book.text
        add("dossier", codes=[text(each) for each in (dossier.id, dossier.cell, dossier.story)])
        for place, each in enumerate(variables):
            card = len(each.values or ())
            add("variable", variables=[place], codes=[card], number=float(each.hidden))
            if each.unit is not None:
                add("unit", variables=[place], codes=[text(each.unit)])
            for code, number in enumerate(each.numbers or ()):
                add("value", variables=[place], codes=[code], number=number)

    def terms(self) -> None:
        """Write what is known, assumed and allowed, and the couplings that are named."""
        knowledge, budget, add = self.dossier.knowledge, self.dossier.budget, self.book.add
        add("regime", codes=[REGIMES.index(knowledge.regime)])
        add("shown", codes=[SHOWN.index(knowledge.shown)])
        for place, count in enumerate((budget.rows, budget.interventions, budget.replays)):
            add("budget", place=[place], number=float(count))
        if knowledge.manipulable is not None:
            add("settable-only", codes=[1])
            for place, name in enumerate(knowledge.manipulable):
                add("settable", place=[place], variables=[self.index(name)])
        for place, assumption in enumerate(knowledge.assumptions):
            self.assumption(place, assumption)
        for place, (name, coupling) in enumerate(self.dossier.couplings):
            if not self.coupling("coupling", place, name, coupling):
                codes = [self.book.text(coupling)]
                add("coupling-text", place=[place], variables=[self.index(name)], codes=codes)

    def assumption(self, place: int, assumption: str) -> None:
        """Write an assumption by its parts where it has the usual form, else as a text."""
        kind, _, rest = assumption.partition(":")
        name, _, coupling = rest.partition("=")
        cause, _, effect = rest.strip().partition(" -> ")
        if kind == "coupling" and name in self.book.names:
            if self.coupling("assumed-coupling", place, name, coupling):
                return
        elif kind in {"monotone", "antitone"} and {cause, effect} <= set(self.book.names):
            ends = [self.index(cause), self.index(effect)]
            if assumption == f"{kind}: {cause} -> {effect}":
                turned = int(kind == "antitone")
                self.book.add("assumed-monotone", place=[place], variables=ends, codes=[turned])
                return
        self.book.add("assumption", place=[place], codes=[self.book.text(assumption)])

    def coupling(self, kind: str, place: int, name: str, text: str) -> bool:
        """Write a coupling by its parts; say whether it has the usual form."""
        found = coupling_parts(text)
        if found is None or any(axis and axis not in self.book.names for _, axis, _ in found[0]):
            return False
        for number, (code, axis, weight) in enumerate(found[0]):
            ends = [self.index(name), *([self.index(axis)] if axis else [])]
            codes = [code, int(found[1])]
            self.book.add(kind, place=[place, number], variables=ends, codes=codes, number=weight)
        return True

    def diagram(self) -> None:
        """Write the nodes and edges."""
        diagram = self.dossier.diagram
        if diagram is None:
            return
        for place, name in enumerate(diagram.nodes):
            self.book.add("node", place=[place], variables=[self.index(name)])
        for kind, edges in (("edge", diagram.directed), ("common-cause", diagram.bidirected)):
            for pair in sorted(edges):
                self.book.add(kind, variables=[self.index(name) for name in pair])

    def mechanisms(self, scm: SCM) -> None:
        """Write the mechanisms shown, hidden variables included."""
        if not scm.couplings_known:
            self.book.add("couplings-unknown", codes=[1])
        for place, name in enumerate(scm.names):
            mechanism = scm.mechanism(name)
            ends = [self.index(each) for each in (name, *mechanism.parents)]
            codes = [TYPES.index(type(mechanism))]
            self.book.add("mechanism", place=[place], variables=ends, codes=codes)
            self.mechanism(mechanism, ends)

    def mechanism(self, mechanism: AnyMechanism, ends: list[int]) -> None:
        """Write one mechanism, whose variable and parents are given as indices."""
        add, own = self.book.add, ends[:1]
        if isinstance(mechanism, Mechanism):
            for place, number in enumerate(mechanism.noise.tolist()):
                add("noise", place=[place], variables=own, number=number)
            places = np.argwhere(np.ones(mechanism.table.shape, dtype=np.bool_))
            self.book.block(
                "response",
                place=places[:, :1] * np.array([1, 0]),
                variables=np.array(ends),
                codes=np.column_stack([mechanism.table.ravel(), places[:, 1:]]),
            )
        elif isinstance(mechanism, TableMechanism):
            places = np.argwhere(np.ones(mechanism.cpt.shape, dtype=np.bool_))
            self.book.block(
                "chance",
                variables=np.array(ends),
                codes=np.column_stack([places[:, -1:], places[:, :-1]]),
                number=mechanism.cpt.ravel(),
            )
        elif isinstance(mechanism, LinearMechanism):
            for place, weight in enumerate(mechanism.weights.tolist()):
                pair = [*own, ends[1 + place]]
                add("weight", place=[place], variables=pair, number=weight)
            add("intercept", variables=own, number=mechanism.intercept)
            add("spread", variables=own, number=mechanism.std)
        elif isinstance(mechanism, AdditiveMechanism):
            noise = mechanism.noise
            add("equation", variables=own, codes=[self.book.text(mechanism.expression)])
            add("noise-law", variables=own, codes=[list(LAWS).index(noise.law)])
            for place, number in enumerate(noise.parameters):
                add("noise-parameter", place=[place], variables=own, number=number)

    def evidence(self) -> None:
        """Write laws, rows and logs."""
        dossier, block = self.dossier, self.book.block
        every = np.arange(len(dossier.variables))
        for place, law in enumerate(dossier.laws):
            self.assign("law", law.do, place=[place])
            cells = np.argwhere(law.table != 0.0)
            places = np.tile([place, 0], (len(cells), 1))
            numbers = law.table[tuple(cells.T)]
            block("probability", place=places, variables=every, codes=cells, number=numbers)
        rows = dossier.rows
        real = rows.dtype.kind == "f"
        count, columns = rows.shape
        self.book.add("rows", codes=[columns, int(real)], number=float(count))
        places = np.column_stack([np.arange(count), np.zeros(count, dtype=np.int64)])
        if real:
            block(
                "measurement",
                place=np.repeat(places, columns, axis=0),
                variables=np.tile(every, count)[:, None],
                codes=np.empty((count * columns, 0), dtype=np.int64),
                number=rows.ravel(),
            )
        elif count:
            block("row", place=places, variables=every, codes=rows)
        for place, (name, log) in enumerate(dossier.logs.items()):
            self.log(place, name, log)

    def log(self, place: int, name: str, log: Any) -> None:
        """Write the log of a decision."""
        count = len(log["action"])
        every = np.arange(len(self.dossier.variables))
        self.book.add("log", place=[place], codes=[self.book.text(name)], number=float(count))
        places = np.column_stack([np.full(count, place), np.arange(count)])
        seen = np.asarray(log["obs"]).reshape(count, len(every))
        self.book.block("log-seen", place=places, variables=every, codes=seen)
        sources = [self.book.text(str(each)) for each in log["source"]]
        made = np.array([log["action"], log["terminal"], sources], dtype=np.int64).T
        nothing = np.empty((count, 0), dtype=np.int64)
        self.book.block(
            "log-made",
            place=places,
            variables=nothing,
            codes=made.reshape(count, 3),
            number=np.asarray(log["reward"], dtype=np.float64),
        )

    def assign(
        self,
        kind: str,
        pairs: Sequence[tuple[str, object]],
        *,
        place: Sequence[int],
        number: float = 0.0,
    ) -> None:
        """Write an assignment of values to variables."""
        self.book.add(
            kind,
            place=place,
            variables=[self.index(name) for name, _ in pairs],
            codes=[self.code(name, label) for name, label in pairs],
            number=number,
        )

    def decision(self, place: int, decision: Decision) -> None:
        """Write a decision."""
        told = int(decision.given is not None)
        codes = [MODES.index(decision.mode), self.book.text(decision.id), told]
        self.book.add("decision", place=[place], codes=codes)
        for number, label in enumerate(decision.actions):
            self.assign("action", parse_action(label), place=[place, number])
        self.assign("factual", parse_action(decision.factual), place=[place])
        for number, (weight, event) in enumerate(decision.utility):
            atoms = parse_event(event)
            codes = [self.code(each.term.variable, each.value) for each in atoms]
            self.book.add(
                "payoff",
                place=[place, number],
                variables=[self.index(each.term.variable) for each in atoms],
                codes=[
                    code if each.op == "=" else NOT - code
                    for code, each in zip(codes, atoms, strict=True)
                ],
                number=weight,
            )
        for number, name in enumerate(decision.observes):
            self.book.add("observed", place=[place, number], variables=[self.index(name)])
        for number, pair in enumerate(decision.given or ()):
            self.assign("stated", [pair], place=[place, number])
