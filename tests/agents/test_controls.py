"""Controls say what their names promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from causalbench.agent.controls import Control, Reachability
from causalbench.agent.protocol import Abstain, Choice, Estimate
from causalbench.agent.registry import make_agent
from causalbench.errors import AgentError, QueryError
from causalbench.graph import Diagram
from causalbench.scm import Variable
from causalbench.task.span import legal_range
from causalbench.task.types import Certificate, Decision, Dossier, Item, Key, Law, Question
from causalbench.truth.knowledge import Knowledge

READINGS = {"marginal": 0.1, "see": 0.2, "do": 0.3, "imagine": 0.4}
LABELS = {"marginal": "x=0", "see": "x=1", "do": "pass", "imagine": "pass"}
VARIABLES = (
    Variable("x", ("0", "1")),
    Variable("y", ("0", "1")),
    Variable("n", ("few", "many"), numbers=(2.0, 10.0)),
    Variable("t", None),
)
ACTIONS = ("x=0", "x=1", "pass")


def dossier(diagram: str | None = None) -> Dossier:
    """Return a dossier that shows a diagram, or none."""
    shown = None
    if diagram is not None:
        parsed = Diagram.parse(diagram)
        shown = Diagram(("x", "y", "n", "t"), parsed.directed, parsed.bidirected)
    return Dossier("d", "diagram", VARIABLES, Knowledge("see", "diagram"), diagram=shown)


def estimate(query: str = "P(y=1 | do(x=1))", *, identified: bool = True) -> Item:
    """Return an estimate whose readings are all different."""
    key = Key("q", 2, 0.4, READINGS, Certificate(identified, "told so"))
    return Item(Question("q", query, "estimate"), key)


def choice() -> Item:
    """Return a decision's item."""
    key = Key("q", 2, "pass", LABELS, Certificate(identified=True, proof=""), (0.0, 0.5, 1.0))
    query = "argmax a in {x=0, x=1, pass}: P(y=1 | do(a))"
    return Item(Question("q", query, "act", ACTIONS, "d", {}), key)


def said(name, item, shown=None):
    """Return what a control says."""
    control = make_agent(name).factory()
    return control.consult(dossier(shown), item, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "value"),
    [("exact", 0.4), ("majority", 0.1), ("see-reader", 0.2), ("do-reader", 0.3), ("constant", 0.5)],
)
def test_estimates(name, value):
    """Each control gives its own reading of an estimate."""
    assert said(name, estimate()) == Estimate(value)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("exact", "pass"),
        ("majority", "x=0"),
        ("see-reader", "x=1"),
        ("do-reader", "pass"),
        ("constant", "x=0"),
        ("reachability", "x=1"),
    ],
)
def test_choices(name, label):
    """Each control gives its own reading of a decision."""
    assert said(name, choice()) == Choice(label)


def test_exact_abstains_where_nothing_settles_the_question():
    """An honesty item's truth is "not identified"."""
    assert said("exact", estimate(identified=False)) == Abstain("told so", unidentified=True)


def test_readers_answer_unidentified_items():
    """A reader does not know what it does not know."""
    assert said("see-reader", estimate(identified=False)) == Estimate(0.2)


@pytest.mark.parametrize(
    ("query", "low", "high"),
    [
        ("P(y=1 | do(x=1))", 0, 1),
        ("P(y=1 | do(x=1)) - P(y=1 | do(x=0))", -1, 1),
        ("0.5*P(y=1) - 2*P(x=1) + 1", -1, 1.5),
        ("E[n | do(x=1)]", 2, 10),
        ("E[n[x=1]] - E[n[x=0]]", -8, 8),
        ("E[t | do(x=1)]", -1, 1),
    ],
)
def test_the_legal_range_follows_the_form(query, low, high):
    """Probabilities, differences, expectations and sums of them."""
    assert legal_range(query, dossier()) == (low, high)


def test_a_choice_has_no_range():
    """Asking for one is an error of the caller."""
    with pytest.raises(QueryError, match="has no range"):
        legal_range(choice().question.query, dossier())


def test_constant_takes_the_middle():
    """0 for a difference."""
    assert said("constant", estimate("P(y=1 | do(x=1)) - P(y=1 | do(x=0))")) == Estimate(0.0)


def test_random_is_uniform_over_range_and_actions():
    """Within Hoeffding's bound at 1e-9."""
    control = make_agent("random").factory()
    rng = np.random.default_rng(0)
    query = estimate("P(y=1 | do(x=1)) - P(y=1 | do(x=0))")
    values = np.array([control.consult(dossier(), query, rng=rng).value for _ in range(2000)])
    counts = Counter(control.consult(dossier(), choice(), rng=rng).action for _ in range(2000))
    bound = np.sqrt(np.log(2e9) / (2 * 2000))
    assert abs(values.mean()) <= 2 * bound
    assert abs((values < -0.5).mean() - 0.25) <= bound
    assert all(abs(counts[action] / 2000 - 1 / 3) <= bound for action in ACTIONS)


@pytest.mark.parametrize(
    ("diagram", "query", "reading"),
    [
        ("x -> y", "P(y=1 | do(x=1))", "see"),
        ("y -> x", "P(y=1 | do(x=1))", "marginal"),
        ("x <-> y", "P(y=1 | do(x=1))", "marginal"),
        ("x -> n; n -> y", "P(y=1 | do(x=1)) - P(y=1 | do(x=0))", "see"),
        ("y -> x", "P(y=1 | x=1)", "see"),
        ("y -> x", "P(y[x=1]=1 | x=0, y=0)", "marginal"),
        ("x -> n; n -> y", "E[t[n=n[x=1]]]", "marginal"),
        ("x -> n; n -> t", "E[t[n=n[x=1]]]", "see"),
        (None, "P(y=1 | do(x=1))", "see"),
    ],
)
def test_reachability_reads_the_diagram(diagram, query, reading):
    """P(y | x) where something forced is an ancestor of the event, else P(y)."""
    assert said("reachability", estimate(query), diagram) == Estimate(READINGS[reading])


@pytest.mark.parametrize(
    ("name", "diagram", "reading"),
    [
        ("adjacency", "x -> y", "see"),
        ("adjacency", "x -> n; n -> y", "marginal"),
        ("adjacency", "y -> x", "marginal"),
        ("edge-count", "x -> y", "see"),
        ("edge-count", "x -> n; n -> y; x <-> y", "see"),
        ("edge-count", "x -> y; n -> y", "marginal"),
    ],
)
def test_other_readers_of_the_diagram(name, diagram, reading):
    """One wants the edge itself, one counts edges."""
    assert said(name, estimate(), diagram) == Estimate(READINGS[reading])


@pytest.mark.parametrize(
    ("name", "diagram", "action"),
    [
        ("reachability", "x -> y", "x=1"),
        ("reachability", "x <-> y", "x=0"),
        ("reachability", "x -> n; n -> y", "x=1"),
        ("adjacency", "x -> n; n -> y", "x=0"),
        ("edge-count", "x -> y; n -> y", "x=0"),
    ],
)
def test_readers_of_the_diagram_judge_each_action(name, diagram, action):
    """Of P(x, y) with P(y=1 | x=1) = .9 and P(y=1) = .5; ties go to the action stated first."""
    parsed = Diagram.parse(diagram)
    shown = Diagram(("x", "y", "n"), parsed.directed, parsed.bidirected)
    law = Law((), np.array([[[0.225, 0.225], [0.025, 0.025]], [[0.025, 0.025], [0.225, 0.225]]]))
    given = Dossier(
        "d", "diagram", VARIABLES[:3], Knowledge("see", "diagram"), diagram=shown, laws=(law,)
    )
    control = make_agent(name).factory()
    assert control.consult(given, choice(), rng=np.random.default_rng(0)) == Choice(action)


@pytest.mark.parametrize(
    ("x", "y", "action"),
    [("0", "1", "x=0"), ("1", "1", "x=1"), ("0", "0", "x=1"), ("1", "0", "pass")],
)
def test_win_stay_lose_shift(x, y, action):
    """What was done is done again if the goal was reached, else the next action is taken."""
    decision = Decision("d", "redo", ACTIONS, ((1.0, "y=1"), (-0.1, "x=1")), ("x", "y"))
    given = Dossier("d", "lab", VARIABLES, Knowledge("see"), decisions=(decision,))
    item = choice()
    asked = replace(item.question, kind="redo", observation={"x": x, "y": y})
    control = make_agent("win-stay-lose-shift").factory()
    rng = np.random.default_rng(0)
    assert control.consult(given, replace(item, question=asked), rng=rng) == Choice(action)
    assert control.consult(given, item, rng=rng) == Choice(LABELS["see"])


def test_controls_refuse_to_answer_without_the_key():
    """Outside a run a control has nothing to say."""
    with pytest.raises(AgentError, match="without its key"):
        Reachability().answer(estimate().question, rng=np.random.default_rng(0))


def test_the_base_class_says_nothing():
    """Whoever forgets to write consult is told."""
    with pytest.raises(NotImplementedError):
        Control().consult(dossier(), estimate(), rng=np.random.default_rng(0))
