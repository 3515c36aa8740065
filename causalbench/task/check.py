"""Check that a world keeps its promises: what `causalbench check world NAME` runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causalbench.errors import CausalBenchError
from causalbench.query import Query, parse, variables
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.legal import redo_problem
from causalbench.task.text import question_text
from causalbench.task.world import World
from causalbench.truth import Identified, certify, truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.types import Decision
    from causalbench.task.world import Expect, ExpectBounds, WorldQuestion

__all__ = ["check_world"]

_SAME = 1e-9  # decisions are valued by two routes; both sum fewer than 1e6 products


def check_world(world: World) -> list[str]:
    """Find everything that is wrong with a world.

    Checked: every expected value and all expected bounds; every question parses, has a truth, names
    no hidden variable and can be said in words; every decision is legal, is worth asking, and is
    valued alike by the table and by the query; every visible variable and value has its phrase;
    there is a source; and the world survives ``from_dict(to_dict())``.

    Args:
        world: any world.

    Returns:
        One line for each problem; empty if there is none.
    """
    problems = [*_form(world), *_phrases(world)]
    for i, expect in enumerate(world.expect):
        problems += [f"expect[{i}] '{expect.query}': {why}" for why in _expectation(world, expect)]
    for i, known in enumerate(world.expect_bounds):
        problems += [f"expect_bounds[{i}] '{known.query}': {why}" for why in _bounds(world, known)]
    for question in world.questions:
        problems += [f"question '{question.id}': {why}" for why in _question(world, question)]
    for decision in world.decisions:
        problems += list(_decision(world, decision))
    return problems


def _form(world: World) -> Iterator[str]:
    if not world.source.strip():
        yield "source: it is empty; say where the world comes from"
    if not world.title.strip():
        yield "title: it is empty; give one line"
    try:
        if World.from_dict(world.to_dict()) != world:
            yield "to_dict: from_dict gives another world back; report this"
    except CausalBenchError as error:
        yield f"to_dict: from_dict refuses it: {error}"


def _phrases(world: World) -> Iterator[str]:
    if not world.phrases and not world.story:
        return  # a bare network makes no promise of words
    for name in world.scm.visible:
        phrase = world.phrases.get(name)
        labels = world.scm.variable(name).values or ()
        if phrase is None:
            yield f"phrases: '{name}' has none; add a noun and a clause for each value"
            continue
        for part, clauses in (("values", phrase.values), ("do", phrase.do)):
            for label in labels:
                if label not in clauses:
                    yield f"phrases.{name}.{part}: '{label}' has no clause; add one"
            for label in clauses:
                if label not in labels:
                    yield f"phrases.{name}.{part}: '{label}' is no value of '{name}'; remove it"


def _expectation(world: World, expect: Expect) -> Iterator[str]:
    try:
        found = truth(world, expect.query).value
    except CausalBenchError as error:
        yield str(error)
        return
    if isinstance(found, str) or isinstance(expect.value, str):
        if found != expect.value:
            yield f"expected {expect.value!r} ({expect.origin}), found {found!r}"
    elif not abs(found - expect.value) <= expect.tolerance:
        yield (
            f"expected {expect.value!r} within {expect.tolerance!r} ({expect.origin}), "
            f"found {found!r}"
        )


def _bounds(world: World, known: ExpectBounds) -> Iterator[str]:
    try:
        found = certify(world, known.query, known.knowledge)
    except CausalBenchError as error:
        yield str(error)
        return
    if isinstance(found, Identified):
        low = high = found.value
    else:
        low, high = found.lower, found.upper
    if not max(abs(low - known.lower), abs(high - known.upper)) <= known.tolerance:
        yield (
            f"expected {known.lower!r} to {known.upper!r} within {known.tolerance!r} "
            f"({known.origin}), found {low!r} to {high!r} given {found.knowledge}"
        )


def _question(world: World, question: WorldQuestion) -> Iterator[str]:
    try:
        query = parse(question.query, world.vocabulary)
        found = truth(world, query)
        question_text(question.query, phrases=world.phrases, vocabulary=world.vocabulary)
        if parse(str(query), world.vocabulary) != query:
            yield f"its normal form '{query}' parses to another query; report this"
    except CausalBenchError as error:
        yield str(error)
        return
    if isinstance(found.value, float) and not math.isfinite(found.value):
        yield f"its truth is {found.value}; ask something finite"
    asked = [query] if isinstance(query, Query) else list(query.objectives)
    for name in sorted({name for each in asked for name in variables(each)}):
        if world.scm.variable(name).hidden:
            yield f"it names '{name}', which is hidden; ask about visible variables"


def _decision(world: World, decision: Decision) -> Iterator[str]:
    where = f"decision '{decision.id}'"
    try:
        rows = decision_values(world.scm, decision)
        trivial = redo_problem(decision)
        if trivial:
            yield trivial
        for row in rows:
            query = decision_query(decision, row.observation)
            values = truth(world, query).values or {}
            question_text(
                query, phrases=world.phrases, decision=decision, observation=row.observation
            )
            for value, raw in zip(row.values, values.values(), strict=True):
                if abs(decision.scale(raw) - value) > _SAME:
                    yield f"{where}: table {value} and query {raw} disagree; report this"
    except CausalBenchError as error:
        text = str(error)
        yield text if text.startswith(where) else f"{where}: {text}"
