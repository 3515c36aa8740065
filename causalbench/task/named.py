"""Cases of named worlds: their own questions and decisions, which have no twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.query import Choice, parse, rung_of
from causalbench.task.certificates import item_certificate
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.dossiers import dossier_of, worded
from causalbench.task.dressing import align, opaque_id
from causalbench.task.encode import rounded
from causalbench.task.types import UNSEEN, Case, Item, Key, Placement, Question
from causalbench.truth import Budget, Knowledge, truth

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.task.types import Decision, Dossier, Track
    from causalbench.task.world import World

__all__ = ["named_cases"]

_RUNGS = {"bet": 1, "act": 2, "redo": 3}
_KNOWN = Knowledge("see", "mechanisms")


def named_cases(suite: str, world: World, seed: int) -> list[Case]:
    """Build the cases of a world's own questions: one for each rung and track, mechanisms shown.

    Args:
        suite: name of the suite.
        world: its questions and decisions may be none.
        seed: of the suite.

    Returns:
        Cases of role ``named``, floor 0; estimates of each rung, then decisions of each rung.
    """
    rng = draws.generator(seed, f"{suite}/named/{world.id}")
    scm, _ = align((world.scm, world.scm), rng)
    cases = []
    for rung in (1, 2, 3):
        asked = [parse(question.query, scm.vocabulary) for question in world.questions]
        mine = [
            (question.text, query)
            for question, query in zip(world.questions, asked, strict=True)
            if not isinstance(query, Choice) and rung_of(query) == rung
        ]
        if mine:
            dossier = _dossier(scm, world, (), rng)
            items = []
            for text, query in mine:
                answer = truth(scm, query)
                question = Question(opaque_id(rng), str(query), "estimate", text=text)
                key = Key(
                    question_id=question.id,
                    rung=rung,
                    truth=rounded(float(answer.value)),
                    readings={k: rounded(float(v)) for k, v in answer.readings.items()},
                    certificate=item_certificate(scm, query, _KNOWN),
                )
                worded_ = question if text else worded(question, scm, None, world.phrases)
                items.append(Item(worded_, key))
            cases.append(_case(suite, world, dossier, items, rung, "estimates", scm))
    for rung in (1, 2, 3):
        decisions = tuple(each for each in world.decisions if _RUNGS[each.mode] == rung)
        if decisions:
            dossier = _dossier(scm, world, decisions, rng)
            items = [
                item for each in decisions for item in _decision_items(scm, world, each, rung, rng)
            ]
            cases.append(_case(suite, world, dossier, items, rung, "decisions", scm))
    return cases


def _dossier(
    scm: SCM, world: World, decisions: tuple[Decision, ...], rng: np.random.Generator
) -> Dossier:
    return dossier_of(
        scm,
        "mechanisms",
        _KNOWN,
        Budget(),
        rng=rng,
        decisions=decisions,
        story=world.story,
    )


def _decision_items(
    scm: SCM, world: World, decision: Decision, rung: int, rng: np.random.Generator
) -> list[Item]:
    items = []
    for row in decision_values(scm, decision):
        query = parse(decision_query(decision, row.observation), scm.vocabulary)
        question = Question(
            id=opaque_id(rng),
            query=str(query),
            kind=decision.mode,
            actions=decision.actions,
            decision_id=decision.id,
            observation={name: row.observation.get(name, UNSEEN) for name in scm.visible},
        )
        values = tuple(rounded(worth) for worth in row.values)
        key = Key(
            question_id=question.id,
            rung=rung,
            truth=decision.actions[int(np.argmax(values))],
            readings=row.readings,
            certificate=item_certificate(scm, query, _KNOWN),
            values=values,
            weight=rounded(row.weight),
        )
        items.append(Item(worded(question, scm, decision, world.phrases), key))
    return items


def _case(
    suite: str,
    world: World,
    dossier: Dossier,
    items: list[Item],
    rung: int,
    track: Track,
    scm: SCM,
) -> Case:
    placement = Placement(
        pair_id=f"{suite}/named/{world.id}/{rung}/{track}",
        side=0,
        role="named",
        rung=rung,
        track=track,
        cell="mechanisms",
        base=world.id,
    )
    return Case(dossier, tuple(items), placement, scm)
