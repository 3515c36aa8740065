"""Keep what scoring needs to know of one item: who answered, what it cost, where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from causalbench.score.honesty import choice_loss
from causalbench.score.losses import Status, loss
from causalbench.task.answer import answer_from_dict
from causalbench.task.span import legal_range
from causalbench.task.types import Traits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.answer import Answer
    from causalbench.task.types import Case, Item
    from causalbench.truth.knowledge import Knowledge

__all__ = ["COSTS", "MISSING", "TRAITS", "Group", "Outcome", "Record", "cell_kind", "record_of"]

Group = Literal["learning", "reasoning", "beyond"]
COSTS = ("rows", "interventions", "replays", "env_steps", "seconds")
TRAITS = tuple(each.name for each in fields(Traits))


def cell_kind(rung: int, knowledge: Knowledge) -> Group:
    """Tell learning from reasoning: the two are never pooled.

    Args:
        rung: of the question, 1 to 3.
        knowledge: what the dossier gives.

    Returns:
        ``reasoning`` where the mechanisms are shown, or the diagram with access below the
        question's rung; ``learning`` where the access reaches the rung; ``beyond`` where neither
        holds, which leaves nothing but to say that it can't be known.
    """
    if knowledge.shown == "mechanisms":
        return "reasoning"
    if knowledge.rung >= rung:
        return "learning"
    return "reasoning" if knowledge.shown == "diagram" else "beyond"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an agent said to one question, and how that went; a line of a log holds one.

    Args:
        answer: what was said, or None.
        status: how it was reached.
        cost: the item's share of what its dossier cost (`COSTS`); shares sum to that cost.
        error: what went wrong, "" where nothing did.
    """

    answer: Answer | None
    status: Status
    cost: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "answer": None if self.answer is None else self.answer.to_dict(),
            "status": self.status,
            "cost": dict(self.cost),
            "error": self.error,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Rebuild an outcome from its dict; AnswerError where its answer is none."""
        answer = None if data["answer"] is None else answer_from_dict(data["answer"])
        return cls(answer, data["status"], dict(data["cost"]), data["error"])


MISSING = Outcome(None, "missing")


@dataclass(frozen=True, slots=True)
class Record:
    """One item answered by one agent in one training repeat.

    Args:
        agent: the agent's name.
        control: True for a control (built-in, sees the keys, shown apart).
        repeat: which training repeat, from 0.
        dossier: the dossier's id.
        question: the question's id.
        kind: ``estimate``, ``bet``, ``act`` or ``redo``.
        track: ``estimates`` or ``decisions``.
        cell: ``mechanisms``, ``diagram`` or ``lab``.
        group: see `cell_kind`.
        rung: 1 to 3.
        role: ``skill``, ``honesty`` or ``named``.
        pair: the pair's id.
        side: 0 or 1.
        base: the base world, which the bootstrap resamples.
        status: how the answer was reached.
        loss: what it cost, weight included, >= 0.
        floor: the question's share of its pair's floor, weight included, >= 0.
        weight: how often the observation occurs, 1 for an estimate.
        identified: whether the dossier settles the question.
        bounds: the least and largest answer of the worlds that the dossier allows, where it does
            not settle the question; None elsewhere.
        span: the least and largest value that the form of an honesty item's query allows.
        choice: what an honesty item's choice cost, and what declining it costs; None elsewhere.
        truth: the true value or the best action's label.
        readings: what the perfect solvers of each rung answer.
        answer: what was said, or None.
        cost: the item's share of what its dossier cost (`COSTS`); sums to the dossier's cost.
        error: what went wrong, "" where nothing did.
        real: whether the true value is on a linear world's own scale, not a probability.
        construction: how the twins were made.
        form: the type of question; this and the next five as in `causalbench.task.types.Traits`,
            "" where the suite does not say.
        access: what is given.
        size: of the world.
        motif: the shape at the core of its diagram.
        family: of its mechanisms.
        surface: how it is told.
        ceiling: the most skill in expectation that the lab's budget allows on the pair, in [0, 1];
            None where it is not known to be below 1.
    """

    agent: str
    control: bool
    repeat: int
    dossier: str
    question: str
    kind: str
    track: str
    cell: str
    group: Group
    rung: int
    role: str
    pair: str
    side: int
    base: str
    status: Status
    loss: float
    floor: float
    weight: float
    identified: bool
    truth: float | str
    readings: Mapping[str, float | str]
    answer: Answer | None = None
    cost: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    real: bool = False
    bounds: tuple[float, float] | None = None
    span: tuple[float, float] | None = None
    choice: tuple[float, float] | None = None
    construction: str = ""
    form: str = ""
    access: str = ""
    size: str = ""
    motif: str = ""
    family: str = ""
    surface: str = ""
    ceiling: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "agent": self.agent,
            "control": self.control,
            "repeat": self.repeat,
            "dossier": self.dossier,
            "question": self.question,
            "kind": self.kind,
            "track": self.track,
            "cell": self.cell,
            "group": self.group,
            "rung": self.rung,
            "role": self.role,
            "pair": self.pair,
            "side": self.side,
            "base": self.base,
            "status": self.status,
            "loss": self.loss,
            "floor": self.floor,
            "weight": self.weight,
            "identified": self.identified,
            "truth": self.truth,
            "readings": dict(self.readings),
            "answer": None if self.answer is None else self.answer.to_dict(),
            "cost": dict(self.cost),
            "error": self.error,
            "real": self.real,
            "bounds": None if self.bounds is None else list(self.bounds),
            "span": None if self.span is None else list(self.span),
            "choice": None if self.choice is None else list(self.choice),
            "construction": self.construction,
            **{name: getattr(self, name) for name in TRAITS},
            "ceiling": self.ceiling,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild a record from its dict; AnswerError where its answer is none."""
        answer = None if data["answer"] is None else answer_from_dict(data["answer"])
        given = {name: data.get(name) for name in ("bounds", "span", "choice")}
        ends = {name: None if pair is None else tuple(pair) for name, pair in given.items()}
        return cls(**{**data, **ends, "answer": answer})


def record_of(
    case: Case,
    item: Item,
    outcome: Outcome,
    *,
    agent: str,
    control: bool = False,
    repeat: int = 0,
) -> Record:
    """Score one answer and note where its item stands.

    Args:
        case: the item's case.
        item: question and key.
        outcome: what the agent said and how that went.
        agent: the agent's name.
        control: whether it is a control.
        repeat: which training repeat, from 0.

    Raises:
        ScoreError: a key that doesn't belong to its question.
    """
    priced = loss(outcome.answer, item.question, item.key, outcome.status)
    placement, key = case.placement, item.key
    honest, estimate = placement.role == "honesty", item.question.kind == "estimate"
    return Record(
        agent=agent,
        control=control,
        repeat=repeat,
        dossier=case.dossier.id,
        question=item.question.id,
        kind=item.question.kind,
        track=placement.track,
        cell=placement.cell,
        group=cell_kind(key.rung, case.dossier.knowledge),
        rung=key.rung,
        role=placement.role,
        pair=placement.pair_id,
        side=placement.side,
        base=placement.base,
        status=priced.status,
        loss=priced.value,
        floor=key.floor,
        weight=key.weight,
        identified=key.certificate.identified,
        truth=key.truth,
        readings=key.readings,
        answer=outcome.answer,
        cost=dict(outcome.cost),
        error=outcome.error,
        real=item.question.kind == "estimate" and not case.scm.is_discrete,
        bounds=key.certificate.bounds,
        span=legal_range(item.question.query, case.dossier) if honest and estimate else None,
        choice=(
            choice_loss(outcome.answer, priced.status, item.question, key)
            if honest and not estimate
            else None
        ),
        construction=placement.construction,
        **{name: getattr(placement.traits, name) for name in TRAITS},
        ceiling=placement.ceiling,
    )
