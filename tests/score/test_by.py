"""Skill by a trait of the tasks."""

from __future__ import annotations

import json

import pytest

from causalbench.errors import ScoreError, UnknownNameError
from causalbench.score import trait_rows
from causalbench.score.by import said, trait_rank


def rows(records, by="form"):
    """Return the rows by a trait."""
    return trait_rows(records, by, seed=0, digest="x")


def test_each_type_of_question_has_its_own_line(pair):
    """In the order of the ladder, whatever the order of the records; all of it JSON."""
    records = [
        *pair("p", (0.2, 0.2), form="PN", rung=3),
        *pair("q", (0, 0), form="CATE"),
        *pair("r", (0.1, 0.1), form="ATE"),
        *pair("s", (0.1, 0), form="ATE"),
    ]
    made = rows(records)
    assert [(r["rung"], r["form"], r["pairs"], r["skill"]) for r in made] == [
        (2, "ATE", 2, pytest.approx(0.625)),
        (2, "CATE", 1, 1.0),
        (3, "PN", 1, 0.0),
    ]
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_groups_and_tracks_are_never_pooled(pair):
    """Four rows of one type of question."""
    records = [
        record
        for number, (group, track) in enumerate(
            (g, t) for g in ("learning", "reasoning") for t in ("estimates", "decisions")
        )
        for record in pair(f"p{number}", (0, 0), form="ATE", group=group, track=track)
    ]
    assert [(row["track"], row["group"]) for row in rows(records)] == [
        ("estimates", "learning"),
        ("estimates", "reasoning"),
        ("decisions", "learning"),
        ("decisions", "reasoning"),
    ]


def test_rows_name_intervals_statuses_and_the_maximum(pair):
    """What a line of the main table has, a line by trait has."""
    records = [
        *pair("p", (0, 0.2), form="ATE", ceiling=0.5),
        *pair("q", (0, 0), form="ATE", ceiling=1.0, status="failed"),
    ]
    (row,) = rows(records)
    assert (row["low"], row["high"]) == (0.5, 1.0)
    assert (row["maximum"], row["items"]) == (0.75, 4)
    assert (row["status_counts"]["answered"], row["status_counts"]["failed"]) == (2, 2)


def test_an_agents_interval_does_not_depend_on_the_company(pair):
    """All agents are resampled alike."""
    mine = [r for n in range(5) for r in pair(f"p{n}", (0.1 * n, 0.0), form="ATE")]
    other = [r for n in range(5) for r in pair(f"p{n}", (0.2, 0.1), form="ATE", agent="b")]
    assert rows([*other, *mine])[1] == rows(mine)[0]


def test_pairs_that_do_not_say_are_left_out(pair):
    """A part of the suite may have traits and another none."""
    assert len(rows([*pair("p", (0, 0), form="ATE"), *pair("q", (0, 0))])) == 1


def test_a_trait_that_no_pair_says_is_refused(pair):
    """The message tells which are said."""
    records = pair("p", (0, 0), size="small", construction="coupling")
    with pytest.raises(ScoreError, match="the suite tells size, construction"):
        rows(records)
    assert said(records, "size")


def test_an_unknown_trait_is_refused(pair):
    """With a suggestion."""
    with pytest.raises(UnknownNameError, match="Did you mean 'form'"):
        rows(pair("p", (0, 0)), by="from")


def test_access_is_ordered_by_what_it_gives():
    """Regimes in the order of the ladder, budgets by size, exact laws after samples."""
    ordered = [
        "mechanisms",
        "diagram-see-500",
        "diagram-see-5000",
        "diagram-see-exact",
        "diagram-do",
        "diagram-do-coupled",
        "lab-see-256",
        "lab-see-4096",
        "lab-do-1024",
        "lab-do-16384",
        "lab-intent-256",
        "lab-replay-256",
    ]
    mixed = ordered[::-1]
    assert sorted(mixed, key=lambda name: trait_rank("access", name)) == ordered


def test_sizes_are_ordered_by_size():
    """Not by the alphabet."""
    sizes = ["large", "medium", "small"]
    assert sorted(sizes, key=lambda name: trait_rank("size", name)) == sizes[::-1]
