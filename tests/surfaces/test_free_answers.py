"""Free answers in the words of the surfaces: read as meant, or refused with a reason."""

from __future__ import annotations

import pytest

from causalbench.errors import AnswerError
from causalbench.rng import generator
from causalbench.task.answer import Abstain, Choice, Estimate, Interval
from causalbench.task.reply import parse_reply
from causalbench.task.story import stories
from causalbench.task.types import Question
from causalbench.task.vocabulary import made_up

NUMBER = Question("q", "P(hay_stock=small | do(feed_price=high))", "estimate")
LABELS = ("pass", "hay_stock=small", "hay_stock=ample", "feed_price=high, soil_moisture=low")
ACT = Question("q", "...", "act", LABELS)
MADE_UP = Question(
    "q", "...", "bet", ("friflunk=drarfune", "friflunk=drarfunex", "sibralf=lampoid")
)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("P(hay_stock=small | do(feed_price=high)) = 0.25", Estimate(0.25)),
        ("P(hay_stock=small | do(feed_price=high)) is about 25%.", Estimate(0.25)),
        ("The probability that the hay stock is small is 0.4", Estimate(0.4)),
        ("hay_stock=small has probability 1/8", Estimate(0.125)),
        ("0.3 * 0.5 + 0.2 * 0.1 = 0.15 + 0.02 = 0.17", Estimate(0.17)),
        ("It is high: 0.9", Estimate(0.9)),
        ("I am unsure about hay_stock.\nAnswer: 0.5", Estimate(0.5)),
        ("cannot be determined exactly\nanswer: 0.2 to 0.3", Interval(0.2, 0.3)),
        ("It lies between 10% and 30%", Interval(0.1, 0.3)),
        ("between 10 and 30 percent", Interval(0.1, 0.3)),
        ("1/1", Estimate(1.0)),
        ("-0.3", Estimate(-0.3)),
        ("The difference is -30%.", Estimate(-0.3)),
        ("about 2.5 millimetres", Estimate(2.5)),
        ('{"value": 0.25, "confidence": "low"}', Estimate(0.25)),
        ('{"low": 0.1, "high": 0.2, "abstain": false}', Interval(0.1, 0.2)),
    ],
)
def test_numbers_among_words(reply, expected):
    """Adjectives and names of variables do not stand in a number's way."""
    assert parse_reply(NUMBER, reply) == expected


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("at least 0.3", "a bound, or turned"),
        ("less than 30%", "a bound, or turned"),
        ("> 0.3", "a bound, or turned"),
        ("P(hay_stock=small) >= 0.3", "compares"),
        ("it is not 0.3", "a bound, or turned"),
        ("up to 0.5", "a bound, or turned"),
        ("minus 0.3", "a bound, or turned"),
        ("negative 0.3", "a bound, or turned"),
        ("it falls by about 0.3", "a bound, or turned"),
        ("0.3 lower", "a bound, or turned"),
        ("0.3 or more", "a bound, or turned"),
        ("0.2 minus 0.5", "2 numbers"),
        ("50/50", "a half"),
        ("0.5/0.5", "a half"),
        ("P=0.3, n=2000", "several things"),
        ("x = 0.3 where m = 12", "several things"),
        ("It cannot be determined from the 3 variables.", "says there is none"),
        ("I don't know, there are 2000 cases", "says there is none"),
        ("3 in 10", "2 numbers"),
        ("2^-1", "2 numbers"),
        ("1.2.3", "no number"),
        ("low", "no number"),
        ("a quarter", "no number"),
        ("0.2, 0.3 or 0.4", "3 numbers"),
        ('{"abstain": true, "value": 0.3}', "abstains and does not"),
        ('{"abstain": "false"}', "abstains and does not"),
        ('{"value": "high"}', "no number"),
        ('{"value": "at most 0.3"}', "a bound, or turned"),
        ('{"answer": {"value": 0.3}}', "not a number"),
    ],
)
def test_what_is_no_one_number_is_refused(reply, told):
    """A bound, a doubt, two readings or no number at all are refused, each with its reason."""
    with pytest.raises(AnswerError, match=told) as caught:
        parse_reply(NUMBER, reply)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("hay_stock=small", "hay_stock=small"),
        ("I choose Hay_Stock = Small.", "hay_stock=small"),
        ("hay_stock=ample: you make the hay stock ample", "hay_stock=ample"),
        ("soil_moisture=low, feed_price=high", "feed_price=high, soil_moisture=low"),
        ("(feed_price=high, soil_moisture=low)", "feed_price=high, soil_moisture=low"),
        ("It is not close: hay_stock=small", "hay_stock=small"),
        ("Nothing else would do. hay_stock=small", "hay_stock=small"),
        ('{"action": "hay_stock=small", "why": "not the others"}', "hay_stock=small"),
        ("pass", "pass"),
    ],
)
def test_options_among_words(reply, expected):
    """A label is found in any case, order and sentence that does not speak against it."""
    assert parse_reply(ACT, reply) == Choice(expected)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("I would not choose hay_stock=small", "speak against"),
        ("anything except hay_stock=small", "speak against"),
        ("I wouldn't take hay_stock=small here", "speak against"),
        ("not pass", "speak against"),
        ("I don't know if hay_stock=small helps", "speak against|says there is none"),
        ("unsure; hay_stock=small", "says there is none"),
        ("hay_stock=small or pass", "names 2 options"),
        ("feed_price=high", "names none"),
        ("hay_stock=smaller", "names none"),
        ("small", "names none"),
        ("make the hay stock small", "names none"),
        ("hay_stock=small=ample", "names none"),
        ("the first", "names none"),
        ('{"abstain": "hard", "action": "pass"}', "abstains and does not"),
        ('{"choice": ["pass"]}', "names no action"),
    ],
)
def test_what_names_no_one_option_is_refused(reply, told):
    """An option denied, doubted, halved or not on offer is refused."""
    with pytest.raises(AnswerError, match=told):
        parse_reply(ACT, reply)


def test_numbers_as_values_are_not_cut():
    """The value 1 is not found in 1.5."""
    question = Question("q", "...", "act", ("x=1", "x=2"))
    with pytest.raises(AnswerError, match="names none"):
        parse_reply(question, "I set x=1.5")
    assert parse_reply(question, "I set x=1.") == Choice("x=1")


def test_made_up_words_are_told_apart():
    """A word that another one begins with is not taken for it."""
    assert parse_reply(MADE_UP, "I bet on friflunk=drarfunex") == Choice("friflunk=drarfunex")
    assert parse_reply(MADE_UP, "friflunk = Drarfune") == Choice("friflunk=drarfune")
    with pytest.raises(AnswerError, match="names none"):
        parse_reply(MADE_UP, "friflunk=drarf")


def test_every_label_of_every_surface_is_read_back():
    """Each label of each story, and made-up ones, alone and in a sentence, is that choice."""
    words = list(made_up(generator(0, "labels"), [4] * 40))
    named = [(word.name, word.labels) for word in words]
    for story in stories():
        named += [(c.noun.replace(" ", "_"), c.scale) for c in story.concepts]
    for name, labels in named:
        actions = tuple(f"{name}={label}" for label in labels)
        question = Question("q", "...", "bet", actions)
        for action in actions:
            for reply in (action, f"I bet on {action}.", f"Answer: {action.upper()}"):
                assert parse_reply(question, reply) == Choice(action)


def test_no_noun_ends_on_another():
    """A blank written for an underscore cannot turn one variable into another."""
    nouns = {concept.noun for story in stories() for concept in story.concepts}
    assert not [(one, other) for one in nouns for other in nouns if one.endswith(f" {other}")]


@pytest.mark.parametrize("question", [NUMBER, ACT])
@pytest.mark.parametrize(
    ("reply", "unidentified"),
    [
        ("cannot be determined", True),
        ("The hay stock is low, so the effect is not identifiable.", True),
        ("I abstain: no story tells me", False),
        ('{"abstain": true}', False),
        ('{"abstain": "unclear", "unidentified": "false"}', False),
    ],
)
def test_abstentions_in_words(question, reply, unidentified):
    """An abstention is one, whatever else is said, so long as there is no answer beside it."""
    answer = parse_reply(question, reply)
    assert isinstance(answer, Abstain)
    assert answer.unidentified is unidentified
