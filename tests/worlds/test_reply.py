"""Replies in free text: what is understood, what is refused, and that nothing else can happen."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causalbench.errors import AnswerError
from causalbench.task.answer import Abstain, Choice, Estimate, Interval
from causalbench.task.reply import parse_reply
from causalbench.task.types import Question

NUMBER = Question("q", "P(y=1)", "estimate")
LABELS = ("pass", "umbrella=no", "seed=yes", "m=0, x=1", "x=1", '"odd name"="<5"')
ACT = Question("q", "...", "act", LABELS)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("0.3", 0.3),
        (".3", 0.3),
        ("  0.3\n", 0.3),
        ("0.3.", 0.3),
        ("+0.3", 0.3),
        ("-0.05", -0.05),
        ("\u22120.05", -0.05),
        ("1e-3", 0.001),
        ("30%", 0.3),
        ("12.5 %", 0.125),
        ("30 percent", 0.3),
        ("30 per cent", 0.3),
        ("1/4", 0.25),
        ("-1 / 4", -0.25),
        ("answer: 0.3", 0.3),
        ("Answer: **0.35**", 0.35),
        ("The answer is 1/4.", 0.25),
        ("First I thought 0.7.\n\nAnswer: 0.35", 0.35),
        ("Of 3 rows 2 are wet.\n0.35", 0.35),
        ("answer: 0.2\nno, answer: 0.4", 0.4),
        ("P(rain=yes | do(x=1)) = 0.25", 0.25),
        ("P(rain=yes | x=1) is 25%", 0.25),
        ("E[salary[x=1] | x=0] = 76", 76.0),
        ("x1 = .5", 0.5),
        ("approximately 0.4", 0.4),
        ("$0.25$", 0.25),
        ('{"value": 0.3}', 0.3),
        ('{"answer": "30%"}', 0.3),
        ('```json\n{"value": 0.3}\n```', 0.3),
    ],
)
def test_numbers(reply, expected):
    """A plain number, percentage, fraction, marked answer or JSON value is an estimate."""
    assert parse_reply(NUMBER, reply) == Estimate(expected)


@pytest.mark.parametrize(
    ("reply", "low", "high"),
    [
        ("0.2 to 0.4", 0.2, 0.4),
        ("between .2 and .6", 0.2, 0.6),
        ("from 0.2 to 0.6", 0.2, 0.6),
        ("[0.2, 0.6]", 0.2, 0.6),
        ("[0.2,0.6]", 0.2, 0.6),
        ("(0.2; 0.6)", 0.2, 0.6),
        ("0.2-0.4", 0.2, 0.4),
        ("0.2 \u2013 0.4", 0.2, 0.4),
        ("0.2..0.4", 0.2, 0.4),
        ("-0.2 to 0.1", -0.2, 0.1),
        ("-0.2 - -0.1", -0.2, -0.1),
        ("20% to 40%", 0.2, 0.4),
        ("20 to 40%", 0.2, 0.4),
        ("1/4 to 3/4", 0.25, 0.75),
        ("Answer: 0.2 to 0.4", 0.2, 0.4),
        ("P(y=1 | do(x=1)) in [0.2, 0.6]", 0.2, 0.6),
        ("It cannot be determined: between 0.2 and 0.6.", 0.2, 0.6),
        ('{"low": 0.2, "high": 0.4}', 0.2, 0.4),
    ],
)
def test_ranges(reply, low, high):
    """A range in any usual form is an interval, also beside a claim that it is all one can say."""
    assert parse_reply(NUMBER, reply) == Interval(low, high)


@pytest.mark.parametrize(
    ("reply", "low", "high"),
    [
        ("0.5 (0.4 to 0.6)", 0.4, 0.6),
        ("0.5 [0.4, 0.6]", 0.4, 0.6),
        ("0.5 +- 0.25", 0.25, 0.75),
        ("0.5 \u00b1 0.25", 0.25, 0.75),
        ('{"value": 0.5, "low": 0.4, "high": 0.6}', 0.4, 0.6),
    ],
)
def test_estimates_with_their_spread(reply, low, high):
    """A number with a range around it is an estimate that says how sure it is."""
    assert parse_reply(NUMBER, reply) == Estimate(0.5, low, high)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("pass", "pass"),
        ("PASS", "pass"),
        ('"pass"', "pass"),
        ("'umbrella = no'", "umbrella=no"),
        ("**seed=yes**", "seed=yes"),
        ("I choose seed=yes.", "seed=yes"),
        ("Answer: seed=yes", "seed=yes"),
        ("seed=yes: you have the clouds seeded", "seed=yes"),
        ("I thought of x=1.\nanswer: seed=yes", "seed=yes"),
        ("x=1", "x=1"),
        ("m=0, x=1", "m=0, x=1"),
        ("x=1, m=0", "m=0, x=1"),
        ("the best is X=1,M=0 by far", "m=0, x=1"),
        ("the best is x=1 by far", "x=1"),
        ('"odd name"="<5"', '"odd name"="<5"'),
        ("odd name = <5", '"odd name"="<5"'),
        ('{"action": "seed=yes"}', "seed=yes"),
        ('{"answer": "PASS"}', "pass"),
    ],
)
def test_choices(reply, expected):
    """A label in any case, quoted, reordered or in a sentence is that choice."""
    assert parse_reply(ACT, reply) == Choice(expected)


def test_exact_label_wins_over_case():
    """Labels that differ in case alone are told apart where they are written exactly."""
    question = Question("q", "...", "act", ("x=a", "x=A"))
    assert parse_reply(question, "x=A") == Choice("x=A")
    with pytest.raises(AnswerError, match="2 options"):
        parse_reply(question, "I take X=a, said shouting")


@pytest.mark.parametrize("question", [NUMBER, ACT])
@pytest.mark.parametrize(
    ("reply", "unidentified"),
    [
        ("cannot be determined", True),
        ("It can't be known from what is given.", True),
        ("Answer: not identified", True),
        ("The effect is not identifiable.", True),
        ("unidentified", True),
        ("I don't know", False),
        ("I don\u2019t know.", False),
        ("I abstain", False),
        ("no idea", False),
        ('{"abstain": "too hard"}', False),
        ('{"abstain": "bow", "unidentified": true}', True),
    ],
)
def test_abstentions(question, reply, unidentified):
    """Saying that it can't be settled differs from not knowing; neither is an error."""
    answer = parse_reply(question, reply)
    assert isinstance(answer, Abstain)
    assert answer.unidentified is unidentified


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("abc", "no number"),
        ("nan", "no number"),
        ("infinity", "no number"),
        ("0,3", "with a point"),
        ("1,000", "with a point"),
        ("0.3 0.4", "2 numbers"),
        ("0.3 or 0.4 or 0.5", "3 numbers"),
        ("1/0", "not a number"),
        ("1e999", "finite"),
        ("0.4 to 0.2", "low <= high"),
        ("0.1 and 0.2 to 0.3 and 0.4", "range"),
        ('{"value": null}', "not a number"),
        ('{"value": true}', "finite"),
        ('{"value": [0.3]}', "not a number"),
        ('{"low": 0.2, "high": "x"}', "not a number"),
        ('{"value": 0.5, "low": 0.6, "high": 0.4}', "low <= high"),
    ],
)
def test_unreadable_numbers(reply, told):
    """What is no number, or more than one, is refused with the reason."""
    with pytest.raises(AnswerError) as caught:
        parse_reply(NUMBER, reply)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("umbrella=none", "names none"),
        ("the first", "names none"),
        ("0.3", "names none"),
        ("pass or seed=yes", "names 2 options"),
        ('{"action": 3}', "names no action"),
        ('{"action": "jump"}', "names none"),
    ],
)
def test_unreadable_choices(reply, told):
    """What names no option, or more than one, is refused with the reason."""
    with pytest.raises(AnswerError, match=told):
        parse_reply(ACT, reply)


@pytest.mark.parametrize("reply", [None, 0.3, b"0.3", ["0.3"]])
def test_replies_that_are_no_text(reply):
    """Anything but text is refused."""
    with pytest.raises(AnswerError, match="a reply is text"):
        parse_reply(NUMBER, reply)


def test_question_parses_its_reply():
    """`Question.parse` reads a reply."""
    assert NUMBER.parse("0.3") == Estimate(0.3)


WORDS = "0.3 1 / % - to and between [ ] ( ) , ; = P( E[ answer: pass x=1 m=0 \" ' { } +- percent"
WORDS += ' per cent e 1e9 . .. not * ```json null true : abstain {"value": \u00b1 \u0664 \u00b2'
PIECES = st.sampled_from(
    [*WORDS.split(), " ", "\n", "answer is", "cannot be known", "9" * 400, "\x00", "\u2212"]
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join)))
@example("{" * 5000 + "}")
@example('{"a":' * 5000 + "1" + "}" * 5000)
@example("answer:")
@example("1/" + "9" * 400)
@example("9" * 400 + "%")
def test_no_reply_breaks_the_reader(reply):
    """Whatever the text, the reader gives an answer or an AnswerError of one line."""
    for question, kinds in ((NUMBER, (Estimate, Interval, Abstain)), (ACT, (Choice, Abstain))):
        try:
            answer = parse_reply(question, reply)
        except AnswerError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert isinstance(answer, kinds)
            assert not isinstance(answer, Choice) or answer.action in LABELS


@pytest.mark.parametrize(
    "reply",
    [
        piece * (400_000 // len(piece))
        for piece in ("P(", "1", "1 ", "- ", "x=1 ", "[1,", "answer ", "1/", "not be ", "={", "E[)")
    ],
    ids=lambda text: text[:7],
)
def test_long_replies_are_read_quickly(reply):
    """A reply of hundreds of thousands of characters is settled in bounded time."""
    start = time.perf_counter()
    for question in (NUMBER, ACT):
        try:
            parse_reply(question, reply)
        except AnswerError as error:
            assert len(str(error)) < 1000  # noqa: PT017
    assert time.perf_counter() - start < 5  # it takes some .05 s; quadratic reading took minutes
