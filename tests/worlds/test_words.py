"""Worlds in words: questions, dossiers and explanations say what they mean, and all of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench.errors import QueryError
from causalbench.query import parse
from causalbench.task.decide import observations
from causalbench.task.explain import explain
from causalbench.task.text import dossier_text, question_text
from causalbench.task.types import Decision, Dossier, Law
from causalbench.task.words import joined
from causalbench.task.world import list_worlds, load_world
from causalbench.truth import law
from causalbench.truth.knowledge import Budget, Knowledge

UMBRELLA = load_world("umbrella-rain")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("P(rain=yes)", "the probability that it rains"),
        (
            "P(rain=yes | umbrella=no)",
            "the probability that it rains, given that people carry no umbrellas",
        ),
        (
            "P(rain=yes | do(umbrella=no))",
            "the probability that it rains when you take all umbrellas away",
        ),
        (
            "P(rain=yes | do(umbrella=no), seed=no)",
            (
                "the probability that it rains when you take all umbrellas away, given that "
                "then the clouds are not seeded"
            ),
        ),
        (
            "P(wet[umbrella=no]=yes | umbrella=yes, wet=no)",
            (
                "the probability that people get wet when you take all umbrellas away, in a "
                "case in which in fact people carry umbrellas and people stay dry, with all "
                "chance left as it was in that case"
            ),
        ),
        (
            "P(rain[seed=yes]=no, rain[seed=no]=yes)",
            (
                "the probability that, in one and the same case, it does not rain when you have"
                " the clouds seeded; and it rains when you keep the clouds from being seeded"
            ),
        ),
        (
            "P(wet=yes, rain[seed=no]=yes | seed[umbrella=no]=yes, umbrella=yes)",
            (
                "the probability that, in one and the same case, people get wet with nothing "
                "changed; and it rains when you keep the clouds from being seeded, given that, "
                "in that case, the clouds are seeded when you take all umbrellas away; and "
                "people carry umbrellas with nothing changed"
            ),
        ),
        (
            "P(wet[seed=yes, rain=rain[seed=no]]=yes)",
            (
                "the probability that people get wet when you have the clouds seeded and you "
                "set rain to the value that it would take when you keep the clouds from being "
                "seeded"
            ),
        ),
        ("P(rain != yes)", "the probability that it does not rain"),
        (
            "0.5*P(rain=yes) - P(wet=yes) + 1",
            (
                "0.5 times (the probability that it rains) minus (the probability that people "
                "get wet) plus 1"
            ),
        ),
    ],
)
def test_questions_in_words(query, words):
    """Each form of query has its words, and the query itself stands beside them."""
    text = question_text(query, phrases=UMBRELLA.phrases, vocabulary=UMBRELLA.vocabulary)
    assert f" {words}? " in text
    assert f"In the query language: {parse(query)}." in text


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("P(y=1)", "one number between 0 and 1."),
        ("P(y=1) - P(x=1)", "one number between -1 and 1."),
        ("2*P(y=1) - 0.5*P(x=1) + 1", "one number between 0.5 and 3."),
        ("E[y]", "one number."),
    ],
)
def test_format_of_answers(query, answer):
    """The text names the range in which the answer must lie."""
    assert f"Answer with {answer}" in question_text(query)


def test_generic_names():
    """Without phrases, variables are called by name and labels by themselves."""
    text = question_text("P(v3=b | do(v1=a), v2 != c)")
    assert "the probability that v3 is b when you set v1 to a, given that then v2 is not c" in text


def test_real_variables_in_words():
    """Comparisons of real variables are said in words, and means are means."""
    world = load_world("salary")
    text = question_text("P(salary > 85 | do(education=2))", phrases=world.phrases)
    assert "the probability that the salary is above 85 when you set education to 2" in text
    text = question_text("E[salary | experience <= 8]", phrases=world.phrases)
    assert "the mean of the salary, given that experience is at most 8" in text


def test_every_shipped_question_has_words_of_its_own():
    """No two questions of a world read alike, so the words leave nothing out."""
    for name in list_worlds():
        world = load_world(name)
        texts = [
            question_text(q.query, phrases=world.phrases, vocabulary=world.vocabulary)
            for q in world.questions
        ]
        cut = {text.split(" In the query language")[0] for text in texts}
        assert len(cut) == len(texts)


def test_queries_that_differ_read_differently():
    """Across subscripts, evidence and order of minus, different queries give different words."""
    atoms = ["y=1", "y[x=1]=1", "y[x=0]=1", "z=1", "z[x=1]=1"]
    queries = [f"P({a})" for a in atoms]
    queries += [f"P({a} | {b})" for a, b in itertools.permutations(atoms, 2)]
    queries += [f"P({a}, {b})" for a, b in itertools.combinations(atoms, 2)]
    queries += [f"P({a}) - P({b})" for a, b in itertools.permutations(atoms, 2)]
    distinct = {str(parse(query)) for query in queries}
    texts = {question_text(query).split(" In the query language")[0] for query in queries}
    assert len(texts) == len(distinct)


def test_choice_without_a_decision():
    """An argmax is said option by option."""
    text = question_text("argmax a in {x=0, x=1, pass}: P(y=1 | do(a))")
    assert "- x=1: the probability that y is 1 when you set x to 1" in text
    assert "- pass: the probability that y is 1\n" in text


def test_unreadable_query():
    """Text that is no query raises, as parsing it does."""
    with pytest.raises(QueryError):
        question_text("P(y=1")


@pytest.mark.parametrize("name", list_worlds())
def test_decisions_in_words(name):
    """A decision's text holds each label, each weight, and every fact that is seen."""
    world = load_world(name)
    for decision in world.decisions:
        for seen, _ in observations(world.scm, decision):
            text = question_text("", decision=decision, observation=seen, phrases=world.phrases)
            for label in decision.actions:
                assert f"\n- {label}: " in text
            for weight, _ in decision.utility:
                assert f"{weight:g} if " in text
            for variable, label in seen.items():
                assert world.phrases[variable].values[label] in text


def test_unseen_variables_are_not_said():
    """An unseen variable is left out, and seeing nothing is said."""
    decision = Decision("b", "bet", ("y=0", "y=1"), observes=("x",))
    text = question_text("", decision=decision, observation={"x": "unseen"})
    assert "You see nothing of the case." in text


def test_redo_after_an_intervention_is_said():
    """A redo's first course is part of its text."""
    decision = load_world("greedy-casino").decision("redo-after-being-sent")
    text = question_text("", decision=decision)
    assert "In one case it turned out that payout is no when you set play to one." in text


def dossier(**fields):
    """Return a dossier of umbrella-rain with some of its parts."""
    variables = tuple(UMBRELLA.scm.variable(name) for name in UMBRELLA.scm.visible)
    return Dossier("d", "lab", variables, **{"knowledge": Knowledge(), **fields})


def test_dossier_names_its_variables_and_values():
    """Every variable stands with its values."""
    text = dossier_text(dossier())
    for name in UMBRELLA.scm.visible:
        assert f"- {name}: no or yes\n" in text


def test_dossier_leaves_out_what_it_lacks():
    """A bare dossier has no headings of parts it does not hold."""
    headings = [line for line in dossier_text(dossier()).splitlines() if line.isupper()]
    assert headings == ["VARIABLES", "WHAT YOU MAY DO"]


def test_dossier_tells_every_arrow():
    """Each arrow of the diagram is a sentence."""
    text = dossier_text(dossier(diagram=UMBRELLA.diagram))
    for a, b in UMBRELLA.diagram.directed:
        assert f"- {a} is a direct cause of {b}." in text
    for a, b in UMBRELLA.diagram.bidirected:
        assert f"A hidden cause acts on both {a} and {b}." in text or (
            f"A hidden cause acts on both {b} and {a}." in text
        )


def test_dossier_tells_every_mechanism():
    """Each noise value's probability and answers are a row, hidden variables included."""
    text = dossier_text(dossier(mechanisms=UMBRELLA.scm))
    assert "- season (hidden: never observed) has no parents." in text
    for name in UMBRELLA.scm.names:
        mechanism = UMBRELLA.scm.mechanism(name)
        labels = UMBRELLA.scm.variable(name).values
        for chance, row in zip(mechanism.noise, mechanism.table, strict=True):
            answers = ", ".join(labels[code] for code in np.ravel(row))
            assert f"    {chance:.12g}: {answers}\n" in text


def test_dossier_tells_laws_and_leaves_no_probability_out():
    """A law's probabilities, read back from the text, are the law's."""
    names = UMBRELLA.scm.visible
    table = law(UMBRELLA.scm, names, {"seed": "yes"})
    text = dossier_text(dossier(laws=(Law((("seed", "yes"),), table),)))
    part = text.split("When seed is set to yes")[1].split("\n\n")[0]
    found = np.zeros_like(table)
    for line in part.splitlines()[1:]:
        values, _, number = line.strip().rpartition(": ")
        if values != "any other":
            found[tuple(("no", "yes").index(v) for v in values.split(", "))] = float(number)
    assert np.abs(found - table).max() <= 5e-13


def test_dossier_counts_every_row():
    """The counts told sum to the rows given."""
    drawn = UMBRELLA.scm.draw(200, rng=np.random.default_rng(3))
    rows = np.stack([drawn[name] for name in UMBRELLA.scm.visible], axis=1)
    text = dossier_text(dossier(rows=rows))
    part = text.split("200 cases were observed")[1].split("\n\n")[0]
    assert sum(int(line.rpartition(": ")[2]) for line in part.splitlines()[1:]) == 200


def test_dossier_tells_budget_couplings_and_assumptions():
    """Budget, couplings and assumptions are told."""
    knowledge = Knowledge("replay", "diagram", ("coupling:rain=monotone",))
    couplings = (("rain", "antitone in seed"),)
    text = dossier_text(
        dossier(knowledge=knowledge, budget=Budget(5, 1, 2), couplings=couplings, story="Rain!")
    )
    assert text.startswith("Rain!\n\n")
    assert "5 cases to watch, 1 case to intervene in and 2 cases to run again" in text
    assert "You may assume: coupling:rain=monotone." in text
    assert "- rain: antitone in seed\n" in text
    assert "'antitone' means" in text


@pytest.mark.parametrize("name", list_worlds())
def test_dossier_tells_every_decision(name):
    """Each decision's id, labels and weights are told."""
    world = load_world(name)
    text = dossier_text(dossier(decisions=world.decisions))
    for decision in world.decisions:
        (line,) = [each for each in text.splitlines() if each.startswith(f"- {decision.id}:")]
        for label in decision.actions:
            assert label in line
        for weight, _ in decision.utility:
            assert f"{weight:g} if " in line


def test_dossier_property_is_this_text():
    """`Dossier.text` gives the same words."""
    assert dossier().text == dossier_text(dossier())


@pytest.mark.parametrize(
    ("parts", "expected"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_joined(parts, expected):
    """Lists are joined as people do."""
    assert joined(parts) == expected


def test_explanation_of_a_rung_2_query():
    """`explain` names the rung, gives the readings, and says who is wrong."""
    text = explain(UMBRELLA, "P(rain=yes | do(umbrella=no))")
    assert "Rung 2" in text
    assert "see           0.122929" in text
    assert "Wrong by up to 0.604: see; right: marginal, do, imagine." in text


def test_explanation_shows_the_axioms():
    """A query that the axioms lower is shown in its lower form."""
    text = explain(UMBRELLA, "P(rain[umbrella=no]=yes | umbrella=no)")
    assert "By effectiveness and composition it is the same as P(rain=yes | umbrella=no)." in text
    assert "Rung 1" in text


def test_explanation_of_a_choice():
    """A choice's readings are actions."""
    decision = "argmax a in {pass, umbrella=no, seed=yes}: -P(rain=yes | do(a))"
    text = explain(UMBRELLA, decision)
    assert "Its options are of rungs 1, 2, 2." in text
    assert "Wrong: marginal, see; right: do, imagine." in text


def test_explanation_without_a_difference():
    """Where all readings agree, that is said; an SCM serves as well as a world."""
    scm = load_world("firing-squad").scm
    assert "All readings agree" in explain(scm, "P(order=yes)")
