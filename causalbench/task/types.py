"""The values that a task is made of: decisions, dossiers, questions, keys, items, cases.

A `Dossier` and a `Question` are all that an agent sees. A `Key` is the truth and never travels with
them. An `Item` is a question with its key, a `Case` a dossier with its items, its secret world and
its `Placement` (which pair, which side). Twins are two cases with one pair id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from causalbench.graph import Diagram
    from causalbench.scm import SCM, Variable
    from causalbench.task.answer import Answer

__all__ = [
    "UNSEEN",
    "Case",
    "Certificate",
    "Decision",
    "Dossier",
    "Item",
    "Key",
    "Kind",
    "Law",
    "Mode",
    "Observation",
    "Placement",
    "Question",
    "Role",
    "Track",
    "Traits",
]

Kind = Literal["estimate", "bet", "act", "redo"]
Mode = Literal["bet", "act", "redo"]
Track = Literal["estimates", "decisions"]
Role = Literal["skill", "honesty", "named"]
UNSEEN = "unseen"
Observation = Mapping[str, str]  # visible variable -> value label or UNSEEN


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice that the agent may be asked to make.

    Args:
        id: its name within the dossier.
        mode: ``bet`` (guess), ``act`` (intervene on a fresh unit) or ``redo`` (the same unit
            again).
        actions: labels in shown order: ``"pass"``, ``"x=1"`` or ``"x=1, z=0"``; for a bet each
            label is the event betted on.
        utility: (weight, event) pairs, e.g. ``(-0.1, "wet=yes")``; the utility of an outcome is the
            sum of the weights of the events that hold in it. Empty for a bet, which pays 1 if the
            event betted on holds, else 0.
        observes: the variables whose values are seen before choosing.
        given: a stated observation, or None where every value of ``observes`` is asked.
        factual: redo only: the action taken the first time (``"pass"`` is the natural course).
    """

    id: str
    mode: Mode
    actions: tuple[str, ...]
    utility: tuple[tuple[float, str], ...] = ()
    observes: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] | None = None
    factual: str = "pass"

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest sum that the weights allow; (0, 1) for a bet."""
        if not self.utility:
            return 0.0, 1.0
        low = sum(min(weight, 0.0) for weight, _ in self.utility)
        return low, sum(max(weight, 0.0) for weight, _ in self.utility)

    def scale(self, utility: float) -> float:
        """Map a utility onto [0, 1], the scale of scores and rewards."""
        low, high = self.bounds
        return (utility - low) / (high - low)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "id": self.id,
            "mode": self.mode,
            "actions": list(self.actions),
            "utility": [[weight, event] for weight, event in self.utility],
            "observes": list(self.observes),
            "given": None if self.given is None else dict(self.given),
            "factual": self.factual,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """One exact distribution given to the agent: P(visible variables | do(...)).

    Args:
        do: the intervention as sorted (variable, value label) pairs; () is observation.
        table: probabilities, shape = cardinalities of the dossier's variables in their order.
    """

    do: tuple[tuple[str, str], ...]
    table: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Dossier:
    """All that an agent is told about one world.

    Args:
        id: opaque; says nothing about pair or side.
        cell: ``mechanisms``, ``diagram`` or ``lab``.
        variables: the visible variables, in an order that means nothing.
        knowledge: regime, what is shown, assumptions.
        budget: what the lab allows.
        diagram: the ADMG over visible variables, or None where it is not shown.
        mechanisms: the whole world, hidden variables included, or None where it is not shown.
        laws: exact distributions (diagram cell).
        couplings: mechanism -> name of its coupling, where those are told.
        rows: observational rows as value codes, shape (n, len(variables)); n may be 0.
        logs: decision id -> log recorded by a behaviour policy that saw hidden causes, as a mapping
            obs (n, variables) codes with -1 for unseen, action (n,), reward (n,), terminal (n,),
            source (n,) strings.
        decisions: the decisions that may be asked.
        story: one paragraph of text; "" where there is none.
    """

    id: str
    cell: str
    variables: tuple[Variable, ...]
    knowledge: Knowledge
    budget: Budget = field(default_factory=Budget)
    diagram: Diagram | None = None
    mechanisms: SCM | None = None
    laws: tuple[Law, ...] = ()
    couplings: tuple[tuple[str, str], ...] = ()
    rows: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    logs: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    story: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names, in the dossier's order."""
        return tuple(variable.name for variable in self.variables)

    @property
    def text(self) -> str:
        """Everything above, as text for a reader of prose."""
        from causalbench.task.text import dossier_text

        return dossier_text(self)

    def decision(self, decision_id: str) -> Decision:
        """Return the decision of that id; KeyError if there is none."""
        return {decision.id: decision for decision in self.decisions}[decision_id]

    def log(self, decision_id: str) -> dict[str, np.ndarray]:
        """Return the offline log of a decision: obs, action, reward, terminal, source.

        A row of ``rows`` is an instance of every action whose assignment it satisfies (pass matches
        all) and counts as source ``"rows"``; the behaviour policy's own log follows.
        """
        from causalbench.task.log import offline_log

        return offline_log(self, decision_id)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict: the bytes that reach an agent, and nothing else."""
        from causalbench.task.encode import dossier_to_dict

        return dossier_to_dict(self)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        id: opaque; unique within a suite.
        query: the query's normal form (`causalbench.query`); for a decision, an ``argmax``.
        kind: ``estimate``, ``bet``, ``act`` or ``redo``.
        actions: the labels to choose from, empty for an estimate.
        decision_id: the decision, None for an estimate.
        observation: what is seen before choosing (variable -> label or ``"unseen"``), else None.
        text: the question in words, with the answer's format.
    """

    id: str
    query: str
    kind: Kind
    actions: tuple[str, ...] = ()
    decision_id: str | None = None
    observation: Mapping[str, str] | None = None
    text: str = ""

    def parse(self, reply: str) -> Answer:
        """Read a free-text reply; AnswerError with a reason where it can't be read."""
        from causalbench.task.text import parse_reply

        return parse_reply(self, reply)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "id": self.id,
            "query": self.query,
            "kind": self.kind,
            "actions": list(self.actions),
            "decision_id": self.decision_id,
            "observation": None if self.observation is None else dict(self.observation),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whether what the dossier gives settles the question, and the proof.

    Args:
        identified: True if every world compatible with the dossier has the same answer.
        proof: the method, e.g. ``"ID"``; `certify` gives its source too.
        estimand: identified: the expression over what is given that equals the answer; for a
            decision, one for each action.
        bounds: not identified: the least and the largest answer of compatible worlds; None for a
            decision.
        sharp: whether two compatible worlds attain the bounds.
        option_bounds: a decision that is not identified: the least and the largest value of each
            action, aligned with ``Question.actions``; equal where the action's value is settled.
    """

    identified: bool
    proof: str
    estimand: str = ""
    bounds: tuple[float, float] | None = None
    sharp: bool = True
    option_bounds: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """The truth of one question; never in an agent's process.

    Args:
        question_id: whose.
        rung: 1, 2 or 3, from the query's form.
        truth: the value, 12 digits; for a decision the best action's label.
        values: decisions only: the scaled expected utility of each action, aligned with
            ``Question.actions``, in [0, 1].
        readings: what the perfect solvers of each rung answer: keys marginal, see, do, imagine;
            numbers, or labels for a decision.
        weight: P(observation) for a decision, else 1. A loss is multiplied by it.
        floor: this question's share of its pair's floor, weight included (0 without a twin).
        certificate: identified or not.
    """

    question_id: str
    rung: int
    truth: float | str
    readings: Mapping[str, float | str]
    certificate: Certificate
    values: tuple[float, ...] = ()
    weight: float = 1.0
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """A question and its key."""

    question: Question
    key: Key


@dataclass(frozen=True, slots=True)
class Traits:
    """What kind of task a case is, to select and to report by; "" where its suite does not say.

    Args:
        form: the type of question, a name of `causalbench.task.forms`, e.g. ``"ATE"``.
        access: what is given, a name of `causalbench.task.terms`, e.g. ``"lab-do-1024"``.
        size: ``small`` (3-5 visible variables), ``medium`` (6-10) or ``large`` (20-50).
        motif: the shape at the core of the diagrams, e.g. ``"front-door"``, or ``"free"``.
        family: ``discrete`` or ``linear``.
        surface: how it is told: ``plain``, ``sensible``, ``nonsense`` or ``anti-commonsense``.
    """

    form: str = ""
    access: str = ""
    size: str = ""
    motif: str = ""
    family: str = ""
    surface: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the traits that are said, JSON-ready."""
        return {each.name: text for each in fields(self) if (text := getattr(self, each.name))}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a case stands in its suite; never shown to an agent.

    Args:
        pair_id: shared by twins; unique within a suite and seed.
        side: 0 or 1, from a private coin; 0 for a case without a twin.
        role: ``skill``, ``honesty`` or ``named``.
        rung: of the case's questions.
        track: ``estimates`` or ``decisions``.
        cell: ``mechanisms``, ``diagram`` or ``lab``.
        base: the base world (what the bootstrap resamples).
        construction: how the twins were made, e.g. ``"covered-reversal"``.
        proof: what was checked as the pair was built, and its largest deviation.
        traits: what kind of task it is.
        ceiling: the most skill in expectation that the lab's budget allows on the pair, in (0, 1];
            None where it is not known to be below 1.
    """

    pair_id: str
    side: int
    role: Role
    rung: int
    track: Track
    cell: str
    base: str
    construction: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    ceiling: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A dossier, its items, and (secret) the world behind them."""

    dossier: Dossier
    items: tuple[Item, ...]
    placement: Placement
    scm: SCM
