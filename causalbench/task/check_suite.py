"""Say what is wrong with a suite: the conformance test of suites, ours and other people's."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from causalbench.errors import TwinError
from causalbench.task.construct.asks import GAP, WRONG
from causalbench.task.construct.generate import effects_identified
from causalbench.task.construct.payoff import MARGIN
from causalbench.task.dossiers import LOWER
from causalbench.task.encode import canonical_json, dossier_from_dict, key_from_dict, key_to_dict
from causalbench.task.honesty import WIDTH
from causalbench.task.leaks import find_leaks, pairs_of, sealed_view
from causalbench.task.proof import TOLERANCE
from causalbench.task.rungs import INTERVENTION
from causalbench.task.suite import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from causalbench.task.suite import Suite
    from causalbench.task.types import Case, Item
    from causalbench.task.world import World

__all__ = ["check_cases", "check_suite"]

_ROUNDING = 1e-9
_SINGULAR = 2
_THIRD = 3


def check_suite(
    suite: str | Path | World | Suite, seed: int = 0, limit: int | None = None
) -> list[str]:
    """Build a suite and return everything that is wrong with it, a line each.

    Every pair keeps its margins and its proof; its twins agree on everything but the permitted
    evidence; readings of the rungs below are shared and gain nothing; ids and orders tell nothing;
    dossiers and keys survive writing and reading.

    Args:
        suite: a suite, or whatever `load_suite` takes.
        seed: of the cases.
        limit: at most so many pairs.
    """
    found = load_suite(suite)
    try:
        cases = found.cases(seed, limit=limit)
    except TwinError as error:
        return [str(error)]
    return check_cases(cases)


def check_cases(cases: list[Case]) -> list[str]:
    """Return everything that is wrong with the cases of a suite, in their order."""
    problems: list[str] = []
    try:
        pairs = pairs_of(cases)
    except TwinError as error:
        return [str(error)]
    for pair in pairs:
        problems.extend(f"{pair[0].placement.pair_id}: {text}" for text in _pair(pair))
    for case in cases:
        problems.extend(f"{case.placement.pair_id}: {text}" for text in _case(case))
    problems.extend(_misleading(pairs))
    problems.extend(_whole(cases))
    problems.extend(find_leaks(cases))
    return problems


def _pair(pair: tuple[Case, Case]) -> Iterator[str]:
    first, second = pair
    if sealed_view(first) != sealed_view(second):
        yield "the twins differ in more than the permitted evidence"
        return
    proof = first.placement.proof
    if proof.get("max_deviation", math.inf) > TOLERANCE:
        yield f"the proof is missing or deviates by {proof.get('max_deviation')}"
    couples = list(zip(first.items, second.items, strict=True))
    if any(a.key.floor != b.key.floor or a.key.weight != b.key.weight for a, b in couples):
        yield "the twins have different floors or weights"
    margin = MARGIN if first.placement.track == "decisions" else GAP
    if round(sum(item.key.floor for item in first.items), 9) < margin:
        yield f"the floor is below {margin}"
    yield from _theorem(couples, first.placement.rung)
    place = first.placement
    # A suite whose cases say what kind of task they are asks more than effects, and more than two
    # variables at a time: there the certificate of each question says that it is settled.
    if not place.traits.form and place.rung == INTERVENTION and place.cell == "diagram":
        for case in pair:
            if case.dossier.diagram is None or not effects_identified(case.dossier.diagram):
                yield "an effect is not identified from diagram and law in one of the twins"


def _misleading(pairs: list[tuple[Case, Case]]) -> Iterator[str]:
    """Check that watching is wrong in both twins of a third of the rung-2 pairs with a diagram."""
    found: dict[str, list[bool]] = {}
    for pair in pairs:
        place = pair[0].placement
        if place.rung == INTERVENTION and place.cell == "diagram":
            lost = [math.fsum(_reading_loss(item, "see") for item in case.items) for case in pair]
            found.setdefault(place.track, []).append(round(min(lost), 9) >= WRONG)
    for track, wrong in found.items():
        if len(wrong) >= _THIRD and sum(wrong) * _THIRD < len(wrong):
            yield (
                f"watching misleads in both twins of {sum(wrong)} of {len(wrong)} pairs (rung 2, "
                f"{track}, diagram); it should in a third."
            )


def _theorem(couples: list[tuple[Item, Item]], rung: int) -> Iterator[str]:
    """Check that readings below the rung are shared and that the truth is not below its floor."""
    for kind in LOWER[rung]:
        if any(a.key.readings[kind] != b.key.readings[kind] for a, b in couples):
            yield f"the twins have different '{kind}' readings"
            continue
        floor = math.fsum(a.key.floor for a, _ in couples)
        loss = math.fsum(_reading_loss(item, kind) for couple in couples for item in couple)
        if loss < floor - _ROUNDING:
            yield f"the '{kind}' reading loses {loss}, less than the floor {floor}"
    for couple in couples:
        for item in couple:
            if _reading_loss(item, "imagine") > _ROUNDING:
                yield "the 'imagine' reading is not the truth"


def _reading_loss(item: Item, kind: str) -> float:
    key, said = item.key, item.key.readings[kind]
    if key.values:
        worth = key.values[item.question.actions.index(str(said))]
        return key.weight * (max(key.values) - worth)
    return abs(float(said) - float(key.truth))


def _case(case: Case) -> Iterator[str]:
    record = case.dossier.to_dict()
    if canonical_json(dossier_from_dict(record).to_dict()) != canonical_json(record):
        yield "the dossier changes when it is written and read"
    for item in case.items:
        key = item.key
        if key.question_id != item.question.id:
            yield f"question {item.question.id} has the key of {key.question_id}"
        if key_from_dict(key_to_dict(key)) != key:
            yield f"the key of {key.question_id} changes when it is written and read"
        if not item.question.text:
            yield f"question {item.question.id} has no text"
        if case.placement.role != "skill" and key.floor:
            yield f"question {item.question.id} has a floor without a twin"
        yield from _certificate(item)
    ids = {variable.name for variable in case.dossier.variables}
    if ids & set(case.scm.hidden):
        yield "a hidden variable is shown as a visible one"


def _certificate(item: Item) -> Iterator[str]:
    """Check that a question is settled by an estimand, or open within sharp and wide bounds."""
    key, certificate = item.key, item.key.certificate
    where = f"question {item.question.id}"
    if not certificate.proof:
        yield f"{where} has no certificate"
    if certificate.identified:
        if not certificate.estimand:
            yield f"{where} is called settled without an estimand"
    elif certificate.option_bounds:
        yield from _options(item)
    elif certificate.bounds is None or not certificate.sharp:
        yield f"{where} is open without sharp bounds"
    else:
        low, high = certificate.bounds
        if not low - _ROUNDING <= float(key.truth) <= high + _ROUNDING:
            yield f"{where} has a truth outside its bounds"
        if high - low < WIDTH - _ROUNDING:
            yield f"{where} is open by less than {WIDTH}"


def _options(item: Item) -> Iterator[str]:
    """Check that an open choice has sharp bounds by which every action may be the wrong one."""
    key, ends = item.key, item.key.certificate.option_bounds
    where = f"question {item.question.id}"
    if len(ends) != len(key.values) or not key.certificate.sharp:
        yield f"{where} is open without sharp bounds of every action"
        return
    for place, (value, (low, high)) in enumerate(zip(key.values, ends, strict=True)):
        if not low - _ROUNDING <= value <= high + _ROUNDING:
            yield f"{where} has an action whose value is outside its bounds"
        most = max(top for at, (_, top) in enumerate(ends) if at != place)
        if most - low < WIDTH - _ROUNDING:
            yield f"{where} has an action that can't be wrong by {WIDTH}"


def _whole(cases: list[Case]) -> Iterator[str]:
    """Check ids, order, and that every kind of honesty item has both verdicts."""
    dossiers = [case.dossier.id for case in cases]
    if len(set(dossiers)) < len(dossiers):
        yield "two dossiers share an id"
    asked = [item.question.id for case in cases for item in case.items]
    if len(set(asked)) < len(asked):
        yield "two questions share an id"
    if len(cases) > _SINGULAR:
        for before, after in pairwise(cases):
            if before.placement.pair_id == after.placement.pair_id:
                yield f"{after.placement.pair_id}: the twins are adjacent"
    kinds: dict[tuple[int, str, str], list[bool]] = {}
    for case in cases:
        place = case.placement
        if place.role == "honesty":
            verdicts = kinds.setdefault((place.rung, place.cell, place.track), [])
            verdicts.extend(item.key.certificate.identified for item in case.items)
    for (rung, cell, track), verdicts in kinds.items():
        if len(verdicts) > 1 and len(set(verdicts)) < _SINGULAR:
            yield f"the honesty items of rung {rung}, {cell}, {track} all have one verdict"
