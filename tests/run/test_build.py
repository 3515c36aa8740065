"""Building a suite in several processes."""

from __future__ import annotations

import warnings

import pytest

from causalbench.run.build import cases_in
from causalbench.run.plan import cases_of, select
from causalbench.run.pool import Workers
from causalbench.task.suite import case_to_dict


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suite", "limit", "where"),
    [
        ("ladder-mini", 24, None),
        ("ladder-mini", 3, {"rung": 3, "construction": "coupling"}),
        ("umbrella-rain", None, None),
        ("monty-hall", None, None),
    ],
)
def test_two_processes_build_the_same(suite, limit, where):
    """The same cases in the same order, and the same warnings."""
    selection = select(suite, seed=3, limit=limit, where=where)
    with warnings.catch_warnings(record=True) as alone:
        warnings.simplefilter("always")
        expected = [case_to_dict(case) for case in cases_of(selection)]
    with warnings.catch_warnings(record=True) as together, Workers(2) as workers:
        warnings.simplefilter("always")
        actual = [case_to_dict(case) for case in cases_in(workers.pool, selection)]
    assert actual == expected
    assert [str(one.message) for one in together] == [str(one.message) for one in alone]


def test_a_suite_of_another_kind_is_built_here(toy):
    """Only the built-in kind comes in pieces."""
    selection = select(toy)
    with Workers(2) as workers:
        actual = cases_in(workers.pool, selection)
    assert [case.dossier.id for case in actual] == [case.dossier.id for case in toy.cases(0)]
