"""Sentences of every type of question: each says one thing, and no two queries read alike."""

from __future__ import annotations

import itertools

import pytest

from causalbench.query import Vocabulary, parse
from causalbench.scm import Variable
from causalbench.task.dossier_text import dossier_text
from causalbench.task.text import question_text
from causalbench.task.types import Decision, Dossier
from causalbench.task.world import Phrase, load_world
from causalbench.truth.knowledge import Knowledge

LABELS = {"x": ("low", "high"), "w": ("flat", "full"), "z": ("thin", "thick")}
LABELS["y"] = ("sour", "neutral", "cheerful")
NOUNS = {"x": "oven heat", "w": "dough rise", "z": "sauce", "y": "guest mood"}
PHRASES = {
    name: Phrase(
        f"the {noun}",
        {label: f"the {noun} is {label}" for label in LABELS[name]},
        {label: f"you make the {noun} {label}" for label in LABELS[name]},
    )
    for name, noun in NOUNS.items()
}
WORDS = Vocabulary(LABELS)


def said(query, phrases=PHRASES):
    """Return how a query is said, without the query itself and the format of its answer."""
    text = question_text(query, phrases=phrases, vocabulary=WORDS)
    return text.split("? In the query language")[0].removeprefix("What is ")


SENTENCES = [
    (
        "P(y=sour, z=thin)",
        ("the probability that the guest mood is sour and the sauce is thin"),
    ),
    (
        "P(w=flat | z=thin, x=low) - P(w=flat | z=thin)",
        (
            "this number: (the probability that the dough rise is flat, given that the "
            "sauce is thin and the oven heat is low) minus (the probability that the "
            "dough rise is flat, given that the sauce is thin)"
        ),
    ),
    (
        "P(y=sour | do(x=high, w=flat))",
        (
            "the probability that the guest mood is sour when you make the dough rise "
            "flat and you make the oven heat high"
        ),
    ),
    (
        "0.1*P(y=sour | do(x=high)) + 0.2*P(y=sour | do(x=high)) + 0.7*P(y=sour | do(x=low))",
        (
            "this number: 0.3 times (the probability that the guest mood is sour when you "
            "make the oven heat high) plus 0.7 times (the probability that the guest mood "
            "is sour when you make the oven heat low)"
        ),
    ),
    (
        "P(y[w=w[x=low], z=z[w=w[x=high]]]=sour)",
        (
            "the probability that the guest mood is sour when (you set the dough rise to "
            "the value that it would take when you make the oven heat low) and (you set "
            "the sauce to the value that it would take when you set the dough rise to the "
            "value that it would take when you make the oven heat high)"
        ),
    ),
    (
        "P(y[x=high, w=w[x=low, z=thin]]=sour)",
        (
            "the probability that the guest mood is sour when you make the oven heat high "
            "and (you set the dough rise to the value that it would take when you make "
            "the oven heat low and you make the sauce thin)"
        ),
    ),
    (
        "P(y[x=high, w=w[]]=sour)",
        (
            "the probability that the guest mood is sour when you make the oven heat high "
            "and you set the dough rise to the value that it takes with nothing changed"
        ),
    ),
    (
        "P(y[x=high]=sour, z[x=low]=thin)",
        (
            "the probability that, in one and the same case, the guest mood is sour when "
            "you make the oven heat high; and the sauce is thin when you make the oven "
            "heat low"
        ),
    ),
    (
        "P(y[x=low] != sour | x=high, y=sour)",
        (
            "the probability that the guest mood is not sour when you make the oven heat "
            "low, in a case in which in fact the oven heat is high and the guest mood is "
            "sour, with all chance left as it was in that case"
        ),
    ),
]


@pytest.mark.parametrize(("query", "words"), SENTENCES)
def test_types_of_question_in_words(query, words):
    """Every type of question has its sentence."""
    assert said(query) == words


NESTED = [
    "x=high, w=w[x=low], z=z[x=low]",
    "x=high, w=w[x=low, z=z[x=low]]",
    "x=high, w=w[x=low, z=z[]]",
    "x=high, w=w[x=low], z=z[]",
    "x=high, w=w[x=low], z=thin",
    "x=high, w=w[x=low, z=thin]",
    "w=w[x=low], z=z[w=w[x=low]]",
    "w=w[x=low], z=z[w=w[]]",
    "w=w[], z=z[w=w[x=low]]",
    "z=z[w=w[x=low]]",
    "x=high, z=z[w=w[x=low]]",
    "z=z[w=w[x=low], x=high]",
    "x=high, w=w[], z=z[]",
]


@pytest.mark.parametrize("phrases", [PHRASES, None], ids=["phrases", "names"])
def test_nested_settings_read_one_way(phrases):
    """Settings that nest in different ways are said in different words."""
    queries = [f"P(y[{inner}]=sour)" for inner in NESTED]
    texts = {said(query, phrases) for query in queries}
    assert len(texts) == len({str(parse(query)) for query in queries}) == len(NESTED)


def test_brackets_close():
    """Every bracket that a sentence opens is closed, and closed after it was opened."""
    for one, other in itertools.permutations(NESTED, 2):
        depth = 0
        for sign in said(f"P(y[{one}]=sour) - 0.5*P(y[{other}]=sour | x=low)"):
            depth += {"(": 1, ")": -1}.get(sign, 0)
            assert depth >= 0
        assert depth == 0


def test_ends_of_a_range_carry_no_rounding():
    """Weights that sum to 1 up to rounding give the range from 0 to 1."""
    text = question_text("0.7*P(y=sour) + 0.1*P(x=low) + 0.2*P(z=thin)")
    assert "one number between 0 and 1." in text


JOINT = Decision(
    "d",
    "act",
    ("pass", "w=flat, x=high"),
    ((1.0, "y=sour, z=thin"), (0.5, "y=neutral")),
)


def test_conjunctions_of_a_utility_stand_in_brackets():
    """Where one event of a utility is a conjunction, brackets keep it apart from the next."""
    text = question_text("", decision=JOINT, phrases=PHRASES)
    assert (
        "the sum of 1 if (the guest mood is sour and the sauce is thin) and 0.5 if the guest "
        "mood is neutral." in text
    )
    assert "- w=flat, x=high: you make the dough rise flat and you make the oven heat high" in text


def test_decisions_of_a_dossier_read_one_way():
    """Joint bets stand in brackets, and what is stated is told for bets and acts too."""
    bet = Decision(
        "b", "bet", ("y=sour, z=thin", "y=neutral, z=thin"), given=(("x", "low"), ("w", "flat"))
    )
    text = dossier_text(
        Dossier("d", "lab", (), knowledge=Knowledge(), decisions=(JOINT, bet)),
    )
    assert "1 if (y is sour and z is thin) and 0.5 if y is neutral" in text
    assert "(x is low and w is flat), bet on (y=sour, z=thin) or (y=neutral, z=thin);" in text


def test_real_settings_and_comparisons():
    """Real variables are set to numbers and compared in words."""
    phrases = {name: Phrase(f"the {name}") for name in ("rain", "yield")}
    vocabulary = Vocabulary(dict.fromkeys(phrases))
    text = question_text(
        "E[yield[rain=2.5] | rain=-1, yield <= 3]", phrases=phrases, vocabulary=vocabulary
    )
    assert (
        "the mean of the yield when you set the rain to 2.5, in a case in which in fact the rain "
        "is -1 and the yield is at most 3, with all chance" in text
    )


def test_shipped_phrases_start_small():
    """The clauses of world files fit into sentences as those of stories do."""
    for name in ("umbrella-rain", "greedy-casino"):
        for phrase in load_world(name).phrases.values():
            for clause in (*phrase.values.values(), *phrase.do.values()):
                assert clause[0].islower()
                assert not clause.endswith(".")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("1 - P(y=sour)", "1 minus (the probability that y is sour)"),
        ("P(y=sour) - 1", "(the probability that y is sour) minus 1"),
        ("-P(y=sour) - 1", "minus (the probability that y is sour) minus 1"),
        ("-0.5*P(y=sour) + 0.25", "0.25 minus 0.5 times (the probability that y is sour)"),
    ],
)
def test_constants_in_words(query, words):
    """A number that a probability is taken from comes first."""
    assert said(query, None) == f"this number: {words}"


@pytest.mark.parametrize(
    ("count", "words"), [(2, "at one value"), (3, "at one value"), (4, "at every other value")]
)
def test_antitone_is_explained_for_any_number_of_values(count, words):
    """With four values a random number is turned round at two of them, and the text says so."""
    variables = (Variable("x", tuple("abcd"[:count])), Variable("y", ("0", "1")))
    coupling = '{"mixture": {"of": ["monotone", {"antitone": {"in": "x"}}], "weights": [0.5, 0.5]}}'
    dossier = Dossier("d", "diagram", variables, Knowledge("do"), couplings=(("y", coupling),))
    assert f"the random number is turned round {words} of a parent" in dossier_text(dossier)
