"""Keep of each case what the audit needs, as small numbers: a suite's cases need not be held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.controls import Constant, Majority
from causalbench.run.audit.asked import asked, parts_of
from causalbench.run.audit.drawn import Drawing, shown_diagram
from causalbench.run.audit.readers import reader_losses
from causalbench.run.audit.words import bag, for_action
from causalbench.score.losses import loss
from causalbench.task.dossiers import LOWER
from causalbench.task.leaks import sealed_view, traces
from causalbench.task.span import legal_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.run.audit.words import Bag
    from causalbench.task.types import Case, Item, Placement

__all__ = ["Asked", "Sketch", "sketch"]

_SEALED = 64  # places that the words of the sealed view are hashed to
_FIXED = (Constant(), Majority())


@dataclass(frozen=True, eq=False)
class Asked:
    """One item: what each kind of blind answerer may look at, and how answers are scored.

    Every view has one row for an estimate, and one for each action of a decision.

    Args:
        form: how it is asked, with the wording.
        drawn: the diagram around it; empty where none is shown.
        below: what perfect solvers of the rungs below answer.
        words: what is written, in the dossier and in the question.
        truth: the true value; 0 for a decision.
        worth: the true worth of each action; empty for an estimate.
        middle: the middle of the legal range of an estimate.
        weight: of a decision's observation, else 1.
        floor: its share of its pair's floor.
        costs: shortcut -> the loss of its answer, of those that need no training.
    """

    form: tuple[Mapping[str, float], ...]
    drawn: tuple[Mapping[str, float], ...]
    below: tuple[Mapping[str, float], ...]
    words: tuple[Bag, ...]
    truth: float
    worth: tuple[float, ...]
    middle: float
    weight: float
    floor: float
    costs: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is kept of a case.

    Args:
        placement: where it stands.
        items: its items.
        traces: statistics that should not tell its side.
    """

    placement: Placement
    items: tuple[Asked, ...]
    traces: Mapping[str, float]


def sketch(case: Case) -> Sketch:
    """Return what the audit keeps of a case; of one without a twin, its placement alone."""
    if case.placement.role != "skill":
        return Sketch(case.placement, (), {})
    diagram = shown_diagram(case.dossier)
    drawing = None if diagram is None else Drawing(case.dossier, diagram)
    text = bag(case.dossier.text)
    return Sketch(
        case.placement,
        tuple(_asked(case, item, drawing, text) for item in case.items),
        _traces(case),
    )


def _asked(case: Case, item: Item, drawing: Drawing | None, text: Bag) -> Asked:
    dossier, question, key = case.dossier, item.question, item.key
    rng = np.random.default_rng(0)  # none of these draws anything
    costs = {
        control.name: loss(control.consult(dossier, item, rng=rng), question, key).value
        for control in _FIXED
    }
    drawn = [] if drawing is None else [drawing.around(p) for p in parts_of(dossier, question)]
    words = _joined(text, bag(question.text))
    return Asked(
        form=tuple(asked(dossier, question)),
        drawn=tuple(drawn),
        below=tuple(_below(item, LOWER[case.placement.rung])),
        words=tuple(for_action(words, *each) for each in enumerate(question.actions)) or (words,),
        truth=0.0 if key.values else float(key.truth),
        worth=key.values,
        middle=0.0 if key.values else sum(legal_range(question.query, dossier)) / 2,
        weight=key.weight,
        floor=key.floor,
        costs={**costs, **reader_losses(case, item)},
    )


def _below(item: Item, kinds: Sequence[str]) -> list[dict[str, float]]:
    """Return the readings of the rungs below, which `check suite` finds alike in both twins."""
    said = {kind: item.key.readings[kind] for kind in kinds}
    if not item.question.actions:
        return [{kind: float(value) for kind, value in said.items()}]
    return [
        {kind: float(label == value) for kind, value in said.items()}
        for label in item.question.actions
    ]


def _joined(one: Bag, two: Bag) -> Bag:
    """Return the words of two texts; what both hold is held twice, and counted so."""
    return np.concatenate([one[0], two[0]]), np.concatenate([one[1], two[1]])


def _traces(case: Case) -> dict[str, float]:
    """Return all that is not permitted evidence, as numbers: traces, and the words of the rest."""
    sealed = sealed_view(case)
    places, values = bag(sealed)
    counts = np.zeros(_SEALED)
    np.add.at(counts, places % _SEALED, values)
    words = {f"sealed view: words {place}": float(each) for place, each in enumerate(counts)}
    return {**traces(case, sealed), **words}
