"""What the honesty items of a large suite are made of, and how they are certified and dressed.

Items come in couples, an open one and a settled one, that share a `Sketch`: type of question,
shape to start from, number of variables, and which values are asked. So the question's words tell
nothing of which of the two it is; what is shown does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from causalbench.errors import CertificateError, TooWideError, ZeroProbabilityError
from causalbench.query import parse, rung_of
from causalbench.task.certificates import decision_certificate, item_certificate
from causalbench.task.construct.order import SIZES
from causalbench.task.construct.shapes import MOTIFS
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.dossiers import dossier_of, worded
from causalbench.task.dressing import align, exact_laws, opaque_id
from causalbench.task.encode import rounded
from causalbench.task.terms import terms
from causalbench.task.types import UNSEEN, Case, Item, Key, Placement, Question, Traits
from causalbench.truth import truth

if TYPE_CHECKING:
    import numpy as np

    from causalbench.scm import SCM
    from causalbench.task.types import Certificate, Decision
    from causalbench.truth import Knowledge

__all__ = ["WIDTH", "Asked", "Place", "Sketch", "certified", "dressed"]

WIDTH = 0.1  # the least width of an open item's bounds, the least loss of an open choice
_MAY_ABSTAIN = (
    "If what you know does not settle which action that is, answer 'cannot be determined'."
)


@dataclass(frozen=True)
class Sketch:
    """What an open item and a settled one have in common.

    Args:
        form: the type of question, a name of `causalbench.task.forms`.
        motif: the shape to start from: a motif, or one that its kind knows.
        visible: how many visible variables.
        number: the couple's number; what takes turns, turns by it.
        picks: uniform numbers in [0, 1) that choose the values asked.
    """

    form: str
    motif: str
    visible: int
    number: int
    picks: tuple[float, ...]

    def code(self, place: int, card: int) -> int:
        """Return one of ``card`` value codes, by the pick of that place."""
        return int(self.picks[place] * card)

    def two(self, place: int, card: int) -> tuple[int, int]:
        """Return two different value codes, by the picks of that place and the next."""
        first = self.code(place, card)
        return first, (first + 1 + self.code(place + 1, card - 1)) % card


@dataclass(frozen=True)
class Asked:
    """A world, what is told of it, and what is asked.

    Args:
        scm: the world.
        knowledge: what the dossier tells.
        query: the question of an estimate, else None.
        decision: the decision, else None.
    """

    scm: SCM
    knowledge: Knowledge
    query: str | None = None
    decision: Decision | None = None


@dataclass(frozen=True)
class Place:
    """Where an item stands.

    Args:
        name: its id in its suite.
        kind: one of `causalbench.task.honesty.KINDS`.
        rung: of the cell.
        access: on which terms it is given, a name of `causalbench.task.terms`.
    """

    name: str
    kind: str
    rung: int
    access: str


def certified(asked: Asked) -> Certificate | None:
    """Return the certificate; None where bounds are not sharp or too near, or none was found.

    An open choice needs bounds by which every action may be the wrong one, by `WIDTH` at least.
    """
    try:
        if asked.decision is not None:
            found = decision_certificate(asked.scm, asked.decision, asked.knowledge)
            return found if found.identified or _undecided(found) else None
        query = parse(str(asked.query), asked.scm.vocabulary)
        found = item_certificate(asked.scm, query, asked.knowledge)
    except (CertificateError, TooWideError, ZeroProbabilityError):
        return None
    if found.bounds is None:
        return found
    return found if found.sharp and found.bounds[1] - found.bounds[0] >= WIDTH else None


def _undecided(found: Certificate) -> bool:
    """Say whether each action may turn out worse than another, within sharp bounds."""
    ends = found.option_bounds
    rest = [max(high for j, (_, high) in enumerate(ends) if j != i) for i in range(len(ends))]
    return found.sharp and all(
        round(most - low, 9) >= WIDTH for most, (low, _) in zip(rest, ends, strict=True)
    )


def dressed(asked: Asked, sketch: Sketch, place: Place, rng: np.random.Generator) -> Case:
    """Dress a certified question as a case.

    Args:
        asked: the world and the question.
        sketch: what it was made of.
        place: where it stands.
        rng: draws everything that is private.
    """
    given = terms(place.access)
    scm, _ = align((asked.scm, asked.scm), rng)
    asked = replace(asked, scm=scm)
    dossier = dossier_of(
        scm,
        given.cell,
        asked.knowledge,
        given.budget,
        rng=rng,
        decisions=() if asked.decision is None else (asked.decision,),
        rows=given.rows,
    )
    if given.laws:
        laws = exact_laws(scm, interventions=given.laws == "do")
        dossier = replace(dossier, laws=laws)
    identity = opaque_id(rng)
    estimate = asked.decision is None
    item = _estimate(asked, identity) if estimate else _choice(asked, identity)
    count = len(scm.visible)
    size = next(name for name, (least, most) in SIZES.items() if least <= count <= most)
    motif = sketch.motif if sketch.motif in MOTIFS else "free"
    placement = Placement(
        pair_id=place.name,
        side=0,
        role="honesty",
        rung=place.rung,
        track="estimates" if estimate else "decisions",
        cell=given.cell,
        base=place.name,
        construction=place.kind,
        traits=Traits(sketch.form, place.access, size, motif, "discrete", "plain"),
    )
    return Case(dossier, (item,), placement, scm)


def _estimate(asked: Asked, identity: str) -> Item:
    query = parse(str(asked.query), asked.scm.vocabulary)
    answer = truth(asked.scm, query)
    key = Key(
        question_id=identity,
        rung=rung_of(query),
        truth=rounded(float(answer.value)),
        readings={kind: rounded(float(number)) for kind, number in answer.readings.items()},
        certificate=item_certificate(asked.scm, query, asked.knowledge),
    )
    question = Question(id=identity, query=str(query), kind="estimate")
    return Item(worded(question, asked.scm), key)


def _choice(asked: Asked, identity: str) -> Item:
    scm, decision = asked.scm, asked.decision
    assert decision is not None  # noqa: S101  (what `dressed` looked at)
    (row,) = decision_values(scm, decision)
    query = parse(decision_query(decision), scm.vocabulary)
    values = tuple(rounded(float(value)) for value in row.values)
    key = Key(
        question_id=identity,
        rung=query.rung,
        truth=decision.actions[values.index(max(values))],
        readings=row.readings,
        certificate=decision_certificate(scm, decision, asked.knowledge),
        values=values,
    )
    question = Question(
        id=identity,
        query=str(query),
        kind=decision.mode,
        actions=decision.actions,
        decision_id=decision.id,
        observation=dict.fromkeys(scm.visible, UNSEEN),
    )
    question = worded(question, scm, decision)
    return Item(replace(question, text=f"{question.text} {_MAY_ABSTAIN}"), key)
