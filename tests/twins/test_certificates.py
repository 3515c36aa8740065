"""The certificate of every item of ladder-mini, checked by a second code path."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from second_path import Laws, Reader, every_law

from causalbench.query import Choice, parse
from causalbench.query.ast import Query
from causalbench.truth import certify, law, table, value
from causalbench.truth.access import UnitRead
from causalbench.truth.coupled import Rebuilt
from causalbench.truth.identify.estimand import Linear
from causalbench.truth.permitted import Permitted

TOLERANCE = 1e-9


def objectives(case, item):
    """The queries of an item: one, or one for each action."""
    asked = parse(item.question.query, case.scm.vocabulary)
    return [query for _, query in asked.options()] if isinstance(asked, Choice) else [asked]


def parts(estimand):
    """The estimand's summands, with their weights."""
    if isinstance(estimand, Linear):
        yield from ((weight, part) for weight, each in estimand.terms
                    for factor, part in parts(each) for weight in [weight * factor])  # fmt: skip
    else:
        yield 1.0, estimand


def by_einsum(scm, query):
    """A query's value off whole tables of the planned einsum engine."""
    total = query.constant
    for weight, quantity in query.terms:
        if not hasattr(quantity, "event"):
            terms = (quantity.term,)
            column = table(scm, terms, quantity.given)
            numbers = scm.variable(quantity.term.variable).numbers
            part = sum(n * p for n, p in zip(numbers, column, strict=True)) / column.sum()
        else:
            below = float(table(scm, (), quantity.given)) if quantity.given else 1.0
            part = float(table(scm, (), (*quantity.event, *quantity.given))) / below
        total += weight * part
    return total


def second(estimand, laws, scm):
    """An estimand's value without its own evaluation.

    Its text is read by another grammar over row-by-row laws; what is computed from mechanisms or
    couplings is computed again, in the world itself, by the einsum engine.
    """
    constant = estimand.constant if isinstance(estimand, Linear) else 0.0
    total = constant
    for weight, part in parts(estimand):
        if isinstance(part, UnitRead | Rebuilt):
            total += weight * by_einsum(scm, Query(((1.0, part.quantity),)))
        elif isinstance(part, Linear):
            total += weight * part.constant
        else:
            total += weight * Reader(str(part), laws).value()
    return total


@pytest.mark.slow
def test_every_certificate_holds_by_a_second_path(mini):
    """Estimands by their printed text; open items by their witnesses, row by row."""
    seen = Counter()
    worlds = {}
    for case in mini:
        if not case.scm.is_discrete:
            continue  # a linear world's items are shown mechanisms, held by tests/truth
        laws = worlds.setdefault(id(case.scm), Laws(case.scm))
        for item in case.items:
            for number, query in enumerate(objectives(case, item)):
                found = certify(case.scm, query, case.dossier.knowledge)
                assert found.identified == item.key.certificate.identified
                truth = by_einsum(case.scm, query)
                if found.identified:
                    assert str(found.estimand) in item.key.certificate.estimand
                    assert second(found.estimand, laws, case.scm) == pytest.approx(
                        truth, abs=TOLERANCE
                    )
                else:
                    _check_open(case, query, found, truth)
                if not item.question.actions:
                    assert item.key.truth == pytest.approx(truth, abs=TOLERANCE)
                seen[item.key.certificate.identified, number == 0] += 1
    assert seen[True, True] > 700
    assert seen[False, True] == 18


def _check_open(case, query, found, truth):
    """Witnesses agree with the world on each permitted law, row by row, and attain the ends."""
    knowledge = case.dossier.knowledge
    settable = case.scm.visible if knowledge.regime == "do" else ()
    own = every_law(case.scm, settable)
    assert found.lower - TOLERANCE <= truth <= found.upper + TOLERANCE
    for witness, end in zip(found.witnesses, (found.lower, found.upper), strict=True):
        other = every_law(witness.scm, settable)
        gaps = [abs(own.get(key, 0.0) - other.get(key, 0.0)) for key in {*own, *other}]
        assert max(gaps) <= TOLERANCE
        assert by_einsum(witness.scm, query) == pytest.approx(end, abs=TOLERANCE)
        if knowledge.shown != "none":
            assert witness.scm.diagram == case.scm.diagram


def test_the_second_path_reads_what_the_first_prints():
    """An estimand with quotes, primes, partial sums and weights."""
    from causalbench.scm import SCM

    world = SCM.from_dict(
        {
            "schema": 1,
            "variables": {
                "the x": {"values": ["a b", "c"]},
                "y": {"values": ["0", "1", "2"], "numbers": [0, 1, 2.5]},
            },
            "mechanisms": {
                "the x": {"cpt": [0.25, 0.75]},
                "y": {"parents": ["the x"], "cpt": [[0.5, 0.25, 0.25], [0.125, 0.375, 0.5]]},
            },
        }
    )
    for query in ('P(y != 1 | do("the x"="a b"))', 'E[y | "the x"=c] - 2*P("the x"=c, y != 2)'):
        found = certify(world, query)
        assert second(found.estimand, Laws(world), world) == pytest.approx(
            value(world, query), abs=1e-12
        )


def test_the_row_by_row_laws_are_the_engines():
    """The oracle itself: seen and forced laws of a small world, both ways."""
    from causalbench.rng import generator
    from causalbench.scm.random import random_scm

    world = random_scm(rng=generator(1, "laws"), n=3, hidden=1, cards=(2, 3))
    laws = every_law(world, world.visible[:1])
    for label in (None, *world.variable(world.visible[0]).labels):
        do = () if label is None else ((world.visible[0], label),)
        joint = law(world, world.visible, dict(do))
        for codes in product(*(range(n) for n in joint.shape)):
            row = tuple(
                world.variable(name).labels[code]
                for name, code in zip(world.visible, codes, strict=True)
            )
            assert laws.get((do, row), 0.0) == pytest.approx(float(joint[codes]), abs=1e-12)


def test_permitted_laws_alone_feed_an_estimand(mini):
    """What a dossier does not permit cannot be evaluated: see never reads an experiment."""
    from causalbench.errors import AccessError
    from causalbench.truth.identify.estimand import Law

    case = next(c for c in mini if c.placement.cell == "diagram" and c.placement.rung == 2)
    x, y = case.scm.visible[:2]
    labels = [case.scm.variable(name).labels[0] for name in (x, y)]
    forbidden = Law(((y, labels[1]),), (), ((x, labels[0]),))
    with pytest.raises(AccessError, match="permits no law"):
        forbidden.evaluate(Permitted(case.scm, case.dossier.knowledge))
