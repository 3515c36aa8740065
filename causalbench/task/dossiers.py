"""Dress a pair of worlds as two cases that only the permitted evidence can tell apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.query import parse, rung_of
from causalbench.scm.couplings import coupling_text
from causalbench.task.ceiling import pair_ceiling
from causalbench.task.certificates import item_certificate
from causalbench.task.construct.payoff import floors
from causalbench.task.decide import DecisionValue, decision_query, decision_values
from causalbench.task.dressing import align, exact_laws, mask, opaque_id, sample_rows
from causalbench.task.encode import rounded
from causalbench.task.proof import prove
from causalbench.task.rungs import ASSOCIATION, COUNTERFACTUAL, INTERVENTION
from causalbench.task.text import question_text
from causalbench.task.types import (
    UNSEEN,
    Case,
    Decision,
    Dossier,
    Item,
    Key,
    Law,
    Placement,
    Question,
    Traits,
)
from causalbench.truth import Budget, Knowledge, truth
from causalbench.truth.exact import read_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.query import Choice, Query
    from causalbench.scm import SCM
    from causalbench.task.construct.draft import Draft
    from causalbench.task.terms import Terms
    from causalbench.task.types import Certificate, Track
    from causalbench.task.world import Phrase

__all__ = ["LOWER", "Place", "budget_of", "dossier_of", "knowledge_of", "pair_cases", "worded"]

LOWER = {1: ("marginal",), 2: ("marginal", "see"), 3: ("marginal", "see", "do")}
"""The readings that twins of a rung share."""

_REGIMES = {1: "see", 2: "do", 3: "replay"}
_TIE = 1e-9
_SAME = 1e-11


@dataclass(frozen=True)
class Place:
    """Where a pair stands: what goes into its `Placement`, and how its questions are worded.

    Args:
        suite: name of the suite, or of the practice stream.
        track: ``estimates`` or ``decisions``.
        cell: ``mechanisms``, ``diagram`` or ``lab``.
        index: the pair's number within its block.
        story: one paragraph, the same for both twins.
        phrases: how questions speak of each variable; None calls them by name.
        base: the base world; by default the pair itself.
        terms: what is given; None leaves it to the cell and the rung.
        traits: what kind of task it is.
    """

    suite: str
    track: Track
    cell: str
    index: int
    story: str = ""
    phrases: Mapping[str, Phrase] | None = None
    base: str = ""
    terms: Terms | None = None
    traits: Traits = field(default_factory=Traits)

    def pair_id(self, rung: int) -> str:
        """Return the pair's id, unique within a suite and seed."""
        if self.terms is not None:
            kind = f"{self.traits.form}/{self.terms.name}/{self.traits.family}"
            return f"{self.suite}/{kind}/{self.index}"
        return f"{self.suite}/{rung}/{self.track}/{self.cell}/{self.index}"


def knowledge_of(rung: int, cell: str, couplings: Mapping[str, Any] | None = None) -> Knowledge:
    """Return what a cell tells at a rung."""
    told = _assumed(couplings or {})
    if cell == "mechanisms":
        return Knowledge("see", "mechanisms")
    if cell == "diagram":
        return Knowledge("do" if rung == COUNTERFACTUAL else "see", "diagram", told)
    return Knowledge(_REGIMES[rung], "none")  # type: ignore[arg-type]


def _assumed(couplings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the couplings as stated assumptions."""
    pairs = sorted(couplings.items())
    return tuple(f"coupling:{name}={coupling_text(each)}" for name, each in pairs)


def budget_of(rung: int, cell: str, lab: Mapping[str, int]) -> Budget:
    """Return what the lab of a cell allows; ``lab`` has rows, interventions and replays."""
    if cell != "lab":
        return Budget()
    return Budget(
        rows=lab["rows"],
        interventions=lab["interventions"] if rung > 1 else 0,
        replays=lab["replays"] if rung == COUNTERFACTUAL else 0,
    )


def pair_cases(
    draft: Draft, place: Place, *, lab: Mapping[str, int], rng: np.random.Generator
) -> tuple[Case, Case]:
    """Dress a pair.

    A private coin says which world is side 0. Variables stand in one random order in both; shown
    noise has one size and 12 digits; given laws are side 0's, for both, where the rungs below fix
    them; ids are words of the private coin.

    Args:
        draft: the two worlds and the question.
        place: where the pair stands.
        lab: rows, interventions and replays of a lab.
        rng: draws everything that is private.

    Returns:
        The two cases, side 0 first.

    Raises:
        TwinError: the proof fails, or a side shows.
    """
    sides, couplings = draft.sides, draft.couplings
    if int(draws.integers(rng, 2)):
        sides, couplings = (sides[1], sides[0]), (couplings[1], couplings[0])
    sides = align(sides, rng)
    if place.cell == "mechanisms":
        sides = mask(sides, rng)
    proof = prove(sides, draft.rung, rng=rng, mixed=draft.mixed)
    dossiers = _dossiers(sides, couplings, draft, place, lab, rng)
    items = (
        _estimates(dossiers, sides, draft, place, rng)
        if draft.decision is None
        else _decisions(dossiers, sides, draft.decision, draft.rung, place, rng)
    )
    name, given = place.pair_id(draft.rung), dossiers[0]
    ceiling = None
    if given.cell != "mechanisms" and not given.laws and not given.couplings:
        rows = len(given.rows)
        ceiling = pair_ceiling(sides, given.knowledge, rows, given.budget, given.decisions)
    placements = [
        Placement(
            pair_id=name,
            side=side,
            role="skill",
            rung=draft.rung,
            track=place.track,
            cell=place.cell,
            base=place.base or name,
            construction=draft.construction,
            proof={**proof, "attempts": draft.attempts},
            traits=place.traits,
            ceiling=ceiling,
        )
        for side in (0, 1)
    ]
    first, second = (
        Case(dossiers[side], tuple(items[side]), placements[side], sides[side]) for side in (0, 1)
    )
    return first, second


def dossier_of(
    scm: SCM,
    cell: str,
    knowledge: Knowledge,
    budget: Budget,
    *,
    rng: np.random.Generator,
    decisions: tuple[Decision, ...] = (),
    story: str = "",
    rows: int | None = None,
) -> Dossier:
    """Return the dossier of one world as a cell shows it (without laws, see `exact_laws`).

    It holds as many watched rows as its lab allows, or ``rows`` of them.
    """
    identity = opaque_id(rng)
    watched = np.empty((0, len(scm.visible)), dtype=np.int64)
    if rows is None and cell == "lab" and scm.is_discrete:
        rows = budget.rows
    if rows:
        watched = sample_rows(scm, rows, draws.child(rng))
    return Dossier(
        id=identity,
        cell=cell,
        variables=tuple(scm.variable(name) for name in scm.visible),
        knowledge=knowledge,
        budget=budget,
        diagram=None if knowledge.shown == "none" else scm.diagram,
        mechanisms=scm if knowledge.shown == "mechanisms" else None,
        rows=watched,
        decisions=decisions,
        story=story,
    )


def _dossiers(
    sides: tuple[SCM, SCM],
    couplings: tuple[Mapping[str, Any], Mapping[str, Any]],
    draft: Draft,
    place: Place,
    lab: Mapping[str, int],
    rng: np.random.Generator,
) -> tuple[Dossier, Dossier]:
    if place.terms is not None:
        return _on_terms(sides, couplings, draft, place, place.terms, rng)
    rung, cell = draft.rung, place.cell
    made = []
    # Below its rung a pair has one law, and both twins are given the same bytes of it.
    shared = exact_laws(sides[0], interventions=rung == COUNTERFACTUAL) if cell == "diagram" else ()
    for side, told in zip(sides, couplings, strict=True):
        dossier = dossier_of(
            side,
            cell,
            knowledge_of(rung, cell, told),
            budget_of(rung, cell, lab),
            rng=rng,
            decisions=() if draft.decision is None else (draft.decision,),
            story=place.story,
        )
        laws = exact_laws(side, interventions=False) if shared and rung == 1 else shared
        made.append(replace(dossier, laws=laws, couplings=_named(side, told)))
    return made[0], made[1]


def _on_terms(
    sides: tuple[SCM, SCM],
    couplings: tuple[Mapping[str, Any], Mapping[str, Any]],
    draft: Draft,
    place: Place,
    terms: Terms,
    rng: np.random.Generator,
) -> tuple[Dossier, Dossier]:
    """Return the dossiers of a pair on stated terms; what the rungs below fix is byte-equal."""
    shared: tuple[Law, ...] = ()
    if terms.laws:
        shared = exact_laws(sides[0], interventions=terms.laws == "do")
    made = []
    for number, (side, told) in enumerate(zip(sides, couplings, strict=True)):
        dossier = dossier_of(
            side,
            terms.cell,
            terms.knowledge(_assumed(told) if terms.coupled else ()),
            terms.budget,
            rng=rng,
            decisions=() if draft.decision is None else (draft.decision,),
            story=place.story,
            rows=terms.rows,
        )
        laws = shared
        if number and draft.rung == ASSOCIATION:
            laws = exact_laws(side, interventions=False) if shared else ()
        elif number and draft.rung == INTERVENTION and terms.laws == "do":
            # Watching is alike in both; setting is what tells them apart.
            laws = (shared[0], *exact_laws(side, interventions=True)[1:])
        named = _named(side, told) if terms.coupled else ()
        made.append(replace(dossier, laws=laws, couplings=named))
    return made[0], made[1]


def _named(side: SCM, told: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, coupling_text(told[name])) for name in side.visible if name in told)


def _settled(dossier: Dossier, side: SCM, query: Query | Choice) -> Certificate:
    """Certify a skill question, which what the dossier gives must settle.

    Raises:
        TwinError: it does not.
    """
    found = item_certificate(side, query, dossier.knowledge)
    if not found.identified:
        msg = f"what is given does not settle {query} ({found.proof}); rebuild the pair."
        raise TwinError(msg)
    return found


def _estimates(
    dossiers: tuple[Dossier, Dossier],
    sides: tuple[SCM, SCM],
    draft: Draft,
    place: Place,
    rng: np.random.Generator,
) -> list[list[Item]]:
    query = parse(str(draft.query), sides[0].vocabulary)
    answers = [truth(side, query) for side in sides]
    values = [rounded(float(answer.value)) for answer in answers]
    floor = rounded(abs(values[0] - values[1]))
    asked = Question(id="", query=str(query), kind="estimate")
    asked = worded(asked, sides[0], None, place.phrases)  # twins are asked in the same words
    items = []
    for dossier, side, answer, value in zip(dossiers, sides, answers, values, strict=True):
        readings: dict[str, float | str] = {
            kind: rounded(float(number)) for kind, number in answer.readings.items()
        }
        for kind in LOWER[draft.rung]:
            other = float(answers[0].readings[kind])
            if abs(float(answer.readings[kind]) - other) > _SAME * 10:
                msg = f"twins differ in the '{kind}' reading of {query}; rebuild the pair."
                raise TwinError(msg)
            readings[kind] = rounded(other)
        question = replace(asked, id=opaque_id(rng))
        key = Key(
            question_id=question.id,
            rung=rung_of(query),
            truth=value,
            readings=readings,
            certificate=_settled(dossier, side, query),
            floor=floor,
        )
        items.append([Item(question, key)])
    return items


def _decisions(
    dossiers: tuple[Dossier, Dossier],
    sides: tuple[SCM, SCM],
    decision: Decision,
    rung: int,
    place: Place,
    rng: np.random.Generator,
) -> list[list[Item]]:
    rows = [decision_values(side, decision) for side in sides]
    seen = [[row.observation for row in side] for side in rows]
    if seen[0] != seen[1]:
        msg = f"twins meet different observations in decision '{decision.id}'; rebuild the pair."
        raise TwinError(msg)
    weights = np.array([rounded(row.weight) for row in rows[0]])
    values = [np.array([[rounded(v) for v in row.values] for row in side]) for side in rows]
    parts = floors(weights, values[0], values[1])
    items: list[list[Item]] = [[], []]
    for number, here in enumerate(zip(*rows, strict=True)):
        shared = _shared_readings(sides, decision, here, rung)
        query = read_query(sides[0], decision_query(decision, here[0].observation))
        seen_first = here[0].observation
        asked = Question(
            id="",
            query=str(query),
            kind=decision.mode,
            actions=decision.actions,
            decision_id=decision.id,
            observation={name: seen_first.get(name, UNSEEN) for name in sides[0].visible},
        )
        asked = worded(asked, sides[0], decision, place.phrases)
        for side, row in enumerate(here):
            question = replace(asked, id=opaque_id(rng))
            worth = tuple(float(v) for v in values[side][number])
            key = Key(
                question_id=question.id,
                rung=query.rung,
                truth=decision.actions[int(np.argmax(worth))],
                readings={**row.readings, **shared},
                certificate=_settled(dossiers[side], sides[side], query),
                values=worth,
                weight=float(weights[number]),
                floor=rounded(float(parts[number])),
            )
            items[side].append(Item(question, key))
    return items


def _shared_readings(
    sides: tuple[SCM, SCM], decision: Decision, rows: tuple[DecisionValue, ...], rung: int
) -> dict[str, str]:
    """Return the readings that twins share, side 0's where rounding alone broke a tie."""
    shared = {kind: rows[0].readings[kind] for kind in LOWER[rung]}
    if all(rows[1].readings[kind] == label for kind, label in shared.items()):
        return shared
    query = decision_query(decision, rows[0].observation)
    options = [truth(side, query).option_readings or {} for side in sides]
    for kind, label in shared.items():
        for action, number in options[0][kind].items():
            if abs(number - options[1][kind][action]) > _TIE:
                msg = (
                    f"twins differ in the '{kind}' reading of decision '{decision.id}' for "
                    f"'{label}'; rebuild the pair."
                )
                raise TwinError(msg)
    return shared


def worded(
    question: Question,
    scm: SCM,
    decision: Decision | None = None,
    phrases: Mapping[str, Phrase] | None = None,
) -> Question:
    """Return the question with its text."""
    text = question_text(
        question.query,
        phrases=phrases,
        vocabulary=scm.vocabulary,
        decision=decision,
        observation=question.observation,
    )
    return replace(question, text=text)
