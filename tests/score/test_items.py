"""Difficulty and discrimination of items."""

from __future__ import annotations

import pytest

from causalbench.score.items import item_rows, share, strata_rows


def answers(pair, losses, **fields):
    """Return four agents' records on pairs p0, p1, ...: losses[pair][agent], on both sides."""
    return [
        record
        for agent in range(4)
        for name, row in enumerate(losses)
        for record in pair(f"p{name}", (row[agent],) * 2, agent=f"a{agent}", **fields)
    ]


def test_share_is_one_for_silence_and_never_more(record):
    """Half of the floor .4 is .2; a loss of .5 is no worse than silence here."""
    assert [share(record(loss=loss)) for loss in (0.0, 0.05, 0.2, 0.5)] == [0.0, 0.25, 1.0, 1.0]


def test_difficulty_is_the_mean_share(pair):
    """(0 + .5 + 1 + 1) / 4."""
    rows = item_rows(answers(pair, [(0.0, 0.1, 0.2, 0.9)]))
    assert [(row["difficulty"], row["answerers"]) for row in rows] == [(0.625, 4)] * 2


def test_discrimination_is_the_item_rest_correlation(pair):
    """By hand: scores (1, 0, 1, 0) against the rest's mean (1, .5, .75, .25) of three items."""
    easy, mixed = (0.0, 0.0, 0.2, 0.2), (0.0, 0.2, 0.0, 0.2)
    graded = (0.0, 0.1, 0.1, 0.2)
    rows = item_rows(answers(pair, [mixed, easy, graded]))
    scores = [
        [1 - share / 0.2 for share in row] for row in (mixed, mixed, easy, easy, graded, graded)
    ]
    rest = [sum(column) - column[0] for column in zip(*scores, strict=True)]
    own = scores[0]
    mean = sum(rest) / 4
    top = sum((a - 0.5) * (b - mean) for a, b in zip(own, rest, strict=True))
    bottom = sum((a - 0.5) ** 2 for a in own) * sum((b - mean) ** 2 for b in rest)
    assert rows[0]["discrimination"] == pytest.approx(top / bottom**0.5, abs=1e-12)


def test_an_item_that_misleads_has_negative_discrimination(pair):
    """Those that know the others miss this one."""
    good = (0.0, 0.0, 0.2, 0.2)
    rows = item_rows(answers(pair, [good, good, good, good[::-1]]))
    assert rows[-1]["discrimination"] == pytest.approx(-1.0)
    assert rows[0]["discrimination"] > 0.9


def test_no_variance_is_none(pair):
    """An item that all know tells nothing, and 0 would say that it was seen."""
    rows = item_rows(answers(pair, [(0.0,) * 4, (0.0, 0.1, 0.2, 0.2)]))
    assert [row["discrimination"] is None for row in rows] == [True, True, False, False]


def test_two_answerers_correlate_with_nothing(pair):
    """Two points lie on a line whatever they are."""
    records = [
        r for r in answers(pair, [(0, 0.2, 0, 0), (0, 0.2, 0, 0)]) if r.agent in ("a0", "a1")
    ]
    assert {row["discrimination"] for row in item_rows(records)} == {None}


def test_the_rest_are_the_items_of_the_same_answerers(pair):
    """An agent that plays easy items alone changes nothing of the others."""
    losses = [(0.0, 0.1, 0.2, 0.2), (0.0, 0.0, 0.1, 0.2)]
    more = [r for n in range(3) for r in pair(f"e{n}", (0, 0), agent="new")]
    assert item_rows([*answers(pair, losses), *more])[:4] == item_rows(answers(pair, losses))


def test_repeats_are_answerers_of_their_own(pair):
    """Two trainings of four agents are eight."""
    records = [
        r for n in (0, 1) for r in answers(pair, [(0, 0.1, 0.2, 0.2), (0, 0, 0.2, 0.1)], repeat=n)
    ]
    assert {row["answerers"] for row in item_rows(records)} == {8}


def test_items_without_a_floor_are_left_out(pair, record):
    """Where one answer is best in both twins, silence costs nothing; so is what has no twin."""
    records = [*pair("p", (0, 0), floor=0.0), record(role="named")]
    assert item_rows(records) == []


def test_strata_pool_budgets(pair):
    """Labs of 256 and 1,024 units are one stratum; items without a type of question are none."""
    traits = {"form": "ATE", "size": "small", "family": "discrete"}
    records = [
        *pair("p", (0.0, 0.2), access="lab-do-256", **traits),
        *pair("q", (0.1, 0.1), access="lab-do-1024", **traits),
        *pair("r", (0.1, 0.1)),
    ]
    assert strata_rows(item_rows(records)) == {
        "ATE/lab-do/small/discrete": {"difficulty": 0.5, "discrimination": None, "items": 4}
    }
