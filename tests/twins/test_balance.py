"""The report on how a suite's pairs are spread, and the tests of its coins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causalbench.report.balance import balance_lines
from causalbench.task.balance import FormRow, balance, holm, skews
from causalbench.task.leaks import pairs_of
from causalbench.task.types import Traits


def with_traits(cases, **traits):
    """Return cases that say what kind of task they are, and after how many attempts."""
    return [
        replace(
            case,
            placement=replace(
                case.placement,
                traits=Traits(**traits),
                proof={**case.placement.proof, "attempts": 3 + case.placement.rung},
            ),
        )
        for case in cases
    ]


def test_every_pair_is_in_one_row(mini, pairs):
    """Forty pairs for each rung and track, with all their items."""
    rows = balance(mini).forms
    assert [(row.rung, row.track, row.pairs) for row in rows] == [
        (rung, track, 40) for rung in (1, 2, 3) for track in ("decisions", "estimates")
    ]
    items = sum(len(case.items) for pair in pairs for case in pair)
    assert sum(row.items for row in rows) == items


def test_floors_and_fifths_are_those_of_the_keys(mini, pairs):
    """Recounted from the keys: effects lie in [-1, 1], probabilities in [0, 1]."""
    row = next(row for row in balance(mini).forms if (row.rung, row.track) == (2, "estimates"))
    chosen = [p for p in pairs if (p[0].placement.rung, p[0].placement.track) == (2, "estimates")]
    floors = sorted(pair[0].items[0].key.floor for pair in chosen)
    assert row.floors == (floors[0], (floors[19] + floors[20]) / 2, floors[-1])
    lowest = 0
    for pair in chosen:
        for case in pair:
            item = case.items[0]
            effect = item.question.query.count("P(") > 1
            lowest += item.key.truth < (-0.6 if effect else 0.2)
    assert row.fifths[0] == pytest.approx(lowest / 80)
    assert sum(row.fifths) == pytest.approx(1.0)


def test_sides_and_order_are_counted(mini, pairs):
    """Which side has the larger truth, and which stands first, recounted."""
    row = next(row for row in balance(mini).forms if (row.rung, row.track) == (3, "estimates"))
    chosen = [p for p in pairs if (p[0].placement.rung, p[0].placement.track) == (3, "estimates")]
    ids = [case.dossier.id for case in mini]
    assert row.larger == sum(b.items[0].key.truth > a.items[0].key.truth for a, b in chosen)
    assert row.first == sum(ids.index(a.dossier.id) < ids.index(b.dossier.id) for a, b in chosen)


def test_a_suite_without_traits_counts_its_cells(mini):
    """Sizes and motifs that nobody said are not made up, nor are attempts."""
    found = balance(mini)
    assert dict(found.counts) == {
        "access": {"diagram": (32, 32, 32), "lab": (16, 16, 16), "mechanisms": (32, 32, 32)}
    }
    assert {row.attempts for row in found.making} == {None}


def test_traits_are_counted(mini):
    """Types of question have rows of their own; sizes, motifs and surfaces are counted by rung."""
    chosen = [case for case in mini if case.placement.role == "skill"]
    chosen = [case for case in chosen if case.placement.track == "estimates"]
    found = balance(with_traits(chosen, form="unit", access="diagram-do", size="small"))
    assert {row.form for row in found.forms} == {"unit"}
    assert dict(found.counts) == {
        "access": {"diagram-do": (40, 40, 40)},
        "size": {"small": (40, 40, 40)},
    }
    assert {(row.rung, row.attempts, row.most) for row in found.making} == {
        (1, 4.0, 4),
        (2, 5.0, 5),
        (3, 6.0, 6),
    }


def test_honesty_items_are_counted_with_those_left_open(mini):
    """Half of each kind."""
    assert dict(balance(mini).open) == {
        "rung 2, estimates, diagram": (12, 6),
        "rung 2, estimates, lab": (12, 6),
        "rung 3, estimates, lab": (12, 6),
    }


def test_linear_worlds_have_no_fifths(mini):
    """Values with a scale of their own lie in no fifth of anything."""
    first, second = pairs_of(mini)[0]
    real = replace(first.dossier.variables[0], values=None, numbers=None)
    pair = [
        replace(case, dossier=replace(case.dossier, variables=(real,))) for case in (first, second)
    ]
    assert balance(pair).forms[0].fifths == ()


def test_the_suite_s_coins_are_fair(mini):
    """Nothing to report of ladder-mini."""
    assert skews(balance(mini)) == []


def test_a_side_that_tells_the_answer_is_found(mini):
    """Sides put in the order of their truths: 120 pairs that a coin could not have thrown."""
    chosen = [case for case in mini if case.placement.track == "estimates"]
    turned = []
    for pair in pairs_of(chosen):
        low, high = sorted(pair, key=lambda case: case.items[0].key.truth)
        for side, case in enumerate((low, high)):
            turned.append(replace(case, placement=replace(case.placement, side=side)))
    order = {case.dossier.id: number for number, case in enumerate(mini)}
    turned.sort(key=lambda case: order[case.dossier.id])
    found = skews(balance(turned))
    assert len(found) == 3
    assert found[0].startswith("rung 1, estimates: side 1 has the larger answer in 40 of 40 pairs")


def test_an_order_that_tells_the_side_is_found(pairs):
    """Side 0 always first."""
    cases = [first for first, _ in pairs] + [second for _, second in pairs]
    assert len([line for line in skews(balance(cases)) if "comes first in 40 of 40" in line]) == 6


def test_holm_by_hand():
    """Holm's own example pattern: .01, .04, .03 -> .03, .06, .06."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_the_tables_show_every_row(mini):
    """One line a row, and nothing for what is not there."""
    found = balance(mini)
    lines = list(balance_lines(found))
    assert sum(line.startswith(("1 ", "2 ", "3 ")) for line in lines) == len(found.forms) + len(
        found.making
    )
    assert not any(line.startswith(("size", "motif", "surface")) for line in lines)


def test_a_row_is_json_ready(mini):
    """Rows come back from their dicts."""
    row = balance(mini).to_dict()["forms"][0]
    assert FormRow(**row) == balance(mini).forms[0]
