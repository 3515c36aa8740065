"""What readers make of a diagram, by hand, and as others compute it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import causalbench as cb
from causalbench.graph import Diagram
from causalbench.run.audit.asked import asked, parts_of
from causalbench.run.audit.drawn import Drawing
from causalbench.run.audit.readers import READERS, reader_losses
from causalbench.run.audit.roles import Part, question_part
from causalbench.run.audit.watched import Watched
from causalbench.scm import Variable
from causalbench.task.types import Dossier, Law, Question
from causalbench.truth import Knowledge

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "shortcuts.py"
FRONT = Diagram.parse("x -> m; m -> y; x <-> y")
TABLE = np.array([[[0.30, 0.10], [0.05, 0.05]], [[0.02, 0.08], [0.10, 0.30]]])  # x, m, y


def dossier(**more):
    """Return a dossier on x, m and y with a law and the front door."""
    variables = tuple(Variable(name, ("0", "1")) for name in "xmy")
    given = {"diagram": FRONT, "laws": (Law((), TABLE),), **more}
    return Dossier("d", "diagram", variables, Knowledge("see", "diagram"), **given)


def test_what_is_seen_is_read_off_the_law():
    """P(y=1 | x=1) = .38 / .5, and the plain P(y=1) = .53."""
    seen = Watched(dossier())
    assert seen.chance((("y", "=", "1"),), (("x", "=", "1"),)) == pytest.approx(0.76, abs=1e-12)
    assert seen.chance((("y", "!=", "0"),)) == pytest.approx(0.53, abs=1e-12)


def test_what_is_never_seen_leaves_the_plain_chance():
    """A condition of probability zero is dropped."""
    table = TABLE.copy()
    table[1] = 0.0
    seen = Watched(dossier(laws=(Law((), table / table.sum()),)))
    plain = seen.chance((("y", "=", "1"),))
    assert seen.chance((("y", "=", "1"),), (("x", "=", "1"),)) == plain


def test_an_average_is_taken_over_what_is_seen():
    """The back-door sum over m, worked out by hand."""
    seen = Watched(dossier())
    value = seen.averaged((("y", "=", "1"),), (), (("x", "=", "1"),), ["m"])
    by_hand = 0.5 * 0.08 / 0.10 + 0.5 * 0.30 / 0.40
    assert value == pytest.approx(by_hand, abs=1e-12)


def test_rows_stand_in_for_a_law():
    """Shares of rows, where no law is shown."""
    rows = np.array([[1, 0, 1], [1, 1, 1], [1, 1, 0], [0, 0, 0]])
    seen = Watched(dossier(laws=(), rows=rows))
    assert seen.chance((("y", "=", "1"),), (("x", "=", "1"),)) == pytest.approx(2 / 3, abs=1e-12)


def test_a_question_s_parts():
    """What is asked for, set, and told."""
    query = cb.parse("P(y=1 | do(x=1), z=0) - P(y=1 | do(x=0), z=0)")
    part = question_part(query)
    assert (part.y, part.x, part.m, part.z) == ("y", "x", "", "z")
    assert part.settings == (("x", "1"), ("x", "0"))


def test_the_diagram_round_a_question():
    """The front door: a bow, one mediator, no arrow, two steps."""
    found = Drawing(dossier(), FRONT).around(Part(y="y", x="x"))
    names = ("edge", "bow", "distance", "mediators", "paths", "levers under a bow")
    assert [found[f"x, y: {name}"] for name in names] == [0.0, 1.0, 2.0, 1.0, 1.0, 0.0]


def test_a_question_is_described_without_its_world():
    """The law and the diagram change nothing in how a question is asked."""
    question = Question("q", "P(y=1 | do(x=1))", "estimate", text="How likely?")
    other = dossier(diagram=Diagram.parse("x -> y; m"), laws=(Law((), TABLE[::-1]),))
    assert asked(dossier(), question) == asked(other, question)


def test_every_action_has_its_own_description():
    """Three actions, of which one is pass."""
    query = "argmax a in {pass, x=0, x=1}: P(y=1 | do(a))"
    actions = ("pass", "x=0", "x=1")
    question = Question("q", query, "act", actions, "d", {"m": "1", "x": "unseen"})
    rows = asked(dossier(), question)
    assert [row["pass"] for row in rows] == [1.0, 0.0, 0.0]
    assert [part.x for part in parts_of(dossier(), question)] == ["m", "x", "x"]
    assert all(row.keys() == rows[0].keys() for row in rows)


@pytest.mark.slow
def test_readers_lose_what_the_benchmark_s_lose():
    """The same readers, written twice: on every rung-2 pair of a suite that shows a diagram."""
    spec = importlib.util.spec_from_file_location("shortcuts_benchmark", BENCHMARK)
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    names = {"no-bow", "half-way", "adjust", "parents", "no-front-door", "mediator"}
    assert names <= READERS.keys()
    where = {"role": "skill", "rung": 2, "cell": ["diagram", "mechanisms"]}
    for case in cb.make("ladder-mini", seed=3, limit=8, where=where):
        for item in case.items:
            found = reader_losses(case, item)
            for name in names:
                expected = other.Reader(case).loss(name, item)
                assert found[name] == pytest.approx(expected, abs=1e-9)
