"""The rows that tables print."""

from __future__ import annotations

import json

import pytest

from causalbench.errors import ScoreError
from causalbench.score import (
    Outcome,
    Record,
    cell_kind,
    named_rows,
    score_table,
    skill_rows,
    status_counts,
)
from causalbench.task.answer import Estimate
from causalbench.truth.knowledge import Knowledge


def rows(records):
    """Return the skill rows of records."""
    return skill_rows(records, seed=0, digest="x")


def test_rows_have_the_pinned_keys(pair):
    """What ``run --json`` promises is there, and all of it is JSON."""
    table = score_table([*pair("p", (0, 0)), *pair("q", (0.1, 0))], suite="s", seed=3, digest="x")
    assert (table["suite"], table["seed"], table["digest"]) == ("s", 3, "x")
    assert table["rows"][0].keys() >= {
        "agent",
        "track",
        "cell",
        "rung",
        "skill",
        "low",
        "high",
        "pairs",
        "maximum",
        "profile",
        "cost",
    }
    assert table["agents"][0].keys() >= {"agent", "track", "height", "honesty", "status_counts"}
    assert json.loads(json.dumps(table, allow_nan=False)) == table


def test_table_of_nothing_raises():
    """No records, no table of zeros."""
    with pytest.raises(ScoreError, match="no answers"):
        score_table([], suite="s", seed=0, digest="x")


def test_tracks_and_cells_are_never_merged(pair):
    """One row for each (agent, track, cell, rung), in the order of the ladder."""
    records = [
        *pair("p", (0, 0), cell="lab", rung=2),
        *pair("q", (0, 0), cell="mechanisms", rung=2, group="reasoning"),
        *pair("r", (0, 0), cell="lab", rung=1),
        *pair("s", (0, 0), cell="lab", rung=1, track="decisions"),
    ]
    assert [(row["track"], row["rung"], row["cell"]) for row in rows(records)] == [
        ("estimates", 1, "lab"),
        ("estimates", 2, "mechanisms"),
        ("estimates", 2, "lab"),
        ("decisions", 1, "lab"),
    ]


def test_what_was_not_played_has_no_row(pair):
    """An agent that plays one cell has one row: absent is not 0."""
    records = [*pair("p", (0, 0)), *pair("q", (0, 0), agent="b", rung=1)]
    assert [(row["agent"], row["rung"]) for row in rows(records)] == [("a", 2), ("b", 1)]


def test_cell_without_pairs_has_no_skill(record):
    """Named and honesty questions give a row with 0 pairs, and null, never 0."""
    (row,) = rows([record(role="named", floor=0.0)])
    assert (row["skill"], row["low"], row["high"], row["pairs"]) == (None, None, None, 0)


def test_failures_stay_in_and_are_counted(pair):
    """A failed side costs half its floor: 1 - (.2 + 0) / .4, and shows in the statuses."""
    good, bad = pair("p", (0.0, 0.2))
    (row,) = rows(
        [good, Record(**{**{f: getattr(bad, f) for f in bad.__slots__}, "status": "failed"})]
    )
    assert row["skill"] == 0.5
    assert row["status_counts"]["failed"] == 1


def test_maximum_is_one_where_what_is_shown_settles_the_question(pair):
    """And in a lab of which no better bound is known; null without pairs alone."""
    shown = pair("p", (0, 0), cell="mechanisms")
    assert [row["maximum"] for row in rows([*shown, *pair("q", (0, 0))])] == [1.0, 1.0]
    assert rows(pair("p", (0, 0), role="named"))[0]["maximum"] is None


def test_maximum_of_a_lab_weighs_ceilings_by_floors(pair):
    """(.4 * .5 + .1 * 1) / (.4 + .1) = .6, whatever the repeats."""
    records = [
        record
        for repeat in (0, 1)
        for record in (
            *pair("p", (0, 0), ceiling=0.5, repeat=repeat),
            *pair("q", (0, 0), floor=0.1, ceiling=1.0, repeat=repeat),
        )
    ]
    assert rows(records)[0]["maximum"] == pytest.approx(0.6)


def test_an_unknown_ceiling_counts_as_one(pair):
    """Which bounds it too: (.5 + 1) / 2."""
    records = [*pair("p", (0, 0), ceiling=0.5), *pair("q", (0, 0))]
    assert rows(records)[0]["maximum"] == 0.75


def test_sampled_rows_have_a_ceiling_too(pair):
    """A diagram with 500 rows settles the question in the limit alone."""
    assert rows(pair("p", (0, 0), cell="diagram", ceiling=0.7))[0]["maximum"] == 0.7


def test_cost_is_the_mean_per_dossier(pair):
    """Two items share a dossier's cost; another dossier cost nothing."""
    one, two = pair("p", (0, 0))
    fields = {f: getattr(one, f) for f in one.__slots__}
    half = {"rows": 50.0, "seconds": 0.5}
    records = [
        Record(**{**fields, "cost": half}),
        Record(**{**fields, "cost": half, "question": "second"}),
        two,
    ]
    cost = rows(records)[0]["cost"]
    assert (cost["rows"], cost["seconds"], cost["replays"]) == (50.0, 0.5, 0.0)


def test_height_pools_the_cells_of_a_group_only(pair):
    """Learning: skill 1 on both rungs. Reasoning: 1 and -1 pooled over two cells gives 0."""
    records = [
        r
        for n in range(3)
        for r in (
            *pair(f"p{n}", (0, 0), rung=1),
            *pair(f"q{n}", (0, 0), rung=2),
            *pair(f"r{n}", (0, 0), rung=1, cell="mechanisms", group="reasoning", base=f"b{n}"),
            *pair(f"s{n}", (0.4, 0.4), rung=1, cell="diagram", group="reasoning", base=f"b{n}"),
        )
    ]
    table = score_table(records, suite="s", seed=0, digest="x")
    heights = {row["group"]: row["height"] for row in table["agents"]}
    assert heights == {"learning": 2, "reasoning": 0}


def test_named_questions_have_their_own_table(record):
    """Mean absolute error over those answered; the silent one is counted, not averaged."""
    named = {"role": "named", "floor": 0.0}
    records = [
        record(loss=0.1, question="a", **named),
        record(loss=0.3, question="b", **named),
        record(loss=0.0, question="c", status="abstained", answer=None, **named),
        record(),
    ]
    (row,) = named_rows(records)
    assert (row["questions"], row["error"]) == (3, pytest.approx(0.2))
    assert row["status_counts"]["abstained"] == 1


def test_estimates_on_linear_worlds_are_not_averaged_with_probabilities(record):
    """An error of 20 exam points says nothing of errors of a probability: a row of its own."""
    named = {"role": "named", "floor": 0.0}
    records = [
        record(loss=20.0, question="a", **named, real=True),
        record(loss=0.1, question="b", **named),
    ]
    assert [(row["real"], row["error"]) for row in named_rows(records)] == [
        (False, 0.1),
        (True, 20.0),
    ]


def test_named_questions_that_nobody_answered_have_no_error(record):
    """None, not 0."""
    (row,) = named_rows([record(role="named", status="failed", answer=None)])
    assert row["error"] is None


def test_intervals_do_not_depend_on_the_company(pair):
    """An agent's row is the same with and without another agent beside it."""
    mine = [r for n in range(5) for r in pair(f"p{n}", (0.1 * n, 0.0))]
    other = [r for n in range(5) for r in pair(f"p{n}", (0.2, 0.1), agent="b")]
    assert rows([*other, *mine])[1] == rows(mine)[0]


def test_status_counts_name_every_status(record):
    """A status that doesn't occur is 0, not absent."""
    assert status_counts([record()]) == {
        "answered": 1,
        "abstained": 0,
        "unseen": 0,
        "invalid": 0,
        "failed": 0,
        "missing": 0,
    }


@pytest.mark.parametrize(
    ("rung", "regime", "shown", "group"),
    [
        (1, "see", "none", "learning"),
        (2, "see", "none", "beyond"),
        (2, "do", "none", "learning"),
        (3, "replay", "none", "learning"),
        (1, "see", "diagram", "learning"),
        (2, "see", "diagram", "reasoning"),
        (3, "do", "diagram", "reasoning"),
        (1, "see", "mechanisms", "reasoning"),
        (3, "replay", "mechanisms", "reasoning"),
    ],
)
def test_cell_kind(rung, regime, shown, group):
    """Learning has access to the rung; reasoning is shown what stands in for it."""
    assert cell_kind(rung, Knowledge(regime, shown)) == group


def test_record_survives_json(record):
    """A record of a log reads back equal."""
    one = record(cost={"rows": 3.0}, error="oh", form="ATE", access="lab-do-256", ceiling=0.5)
    assert Record.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_outcome_survives_json():
    """So does an outcome."""
    one = Outcome(Estimate(0.1, 0.0, 0.2), "answered", {"seconds": 0.25})
    assert Outcome.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_pairs_are_not_mixed_with_other_items(pair, record):
    """An honesty item of another group in the same cell and rung changes nothing of the row."""
    honest = record(role="honesty", group="beyond", dossier="h", question="h", floor=0.0)
    alone = rows([*pair("p", (0.1, 0)), *pair("q", (0, 0))])
    assert rows([honest, *pair("p", (0.1, 0)), *pair("q", (0, 0))]) == alone


def test_groups_are_never_pooled(pair):
    """Pairs of two groups in one cell and rung have a row each."""
    made = rows([*pair("p", (0, 0)), *pair("q", (0.2, 0.2), group="reasoning")])
    assert [(row["group"], row["skill"]) for row in made] == [("learning", 1.0), ("reasoning", 0.0)]
