"""Malformed queries: the column, what was expected, what was found."""

import pytest

from causalbench.errors import CausalBenchError
from causalbench.query import (
    QuerySyntaxError,
    UnknownNameError,
    Vocabulary,
    parse,
    parse_action,
    parse_event,
)

VOCABULARY = Vocabulary(
    {
        "rain": ("no", "yes"),
        "umbrella": ("no", "yes"),
        "level": ("low", "mid", "high"),
        "t": None,
    }
)

DEEP = 30

MALFORMED = [
    ("", 1, "found an empty text"),
    ("   ", 4, "found an empty text"),
    ("rain", 1, "expected a quantity such as P(y=1 | do(x=1)) or E[y], found 'rain'"),
    ("0.5 + 1", 1, "found only numbers"),
    ("Prob(y=1)", 1, "expected one of P, E, ATE"),
    ("ATT(x: 0 -> 1; y=1)", 1, "Did you mean 'ETT'?"),
    ("P[y=1]", 2, "expected '(', found '['"),
    ("E(y)", 2, "E[...] takes square brackets"),
    ("P(y)", 4, "expected a comparison such as y=..., found ')'"),
    ("P(y==1)", 4, "equality is written with one '='"),
    ("P(y=1", 6, "expected ',', '|' or ')', found the end of the text"),
    ("P(y=1))", 7, "expected '+', '-' or the end of the text, found ')'"),
    ("P(y=1 | x=1 | z=1)", 13, "expected ',' or ')', found '|'"),
    ("P(y=1 z=1)", 7, "expected ',', '|' or ')', found 'z'"),
    ("P(y= | x=1)", 6, "expected a value of 'y', found '|'"),
    ("P(=1)", 3, "expected a variable's name, found '='"),
    ("P()", 3, "expected a variable's name, found ')'"),
    ("P(y=1 |)", 8, "expected a variable's name, found ')'"),
    ("P(y=1, )", 8, "expected a variable's name, found ')'"),
    ("E[y=1]", 4, "for an event write P(...)"),
    ("P(do(x=1))", 3, "do(...) stands among the conditions"),
    ("P(y=1 | do(x=1), do(z=0))", 18, "write do(x=1, z=0)"),
    ("P(y=1 | do(x=1, x=0))", 17, "'x' is set twice"),
    ("P(y=1 | do(x>1))", 13, "expected '=', found '>'"),
    ("P(y[x=1]=1 | do(x=1))", 3, "do(...) already puts its subscript on every variable"),
    ("P(y=1 | do(x=1), z[x=1]=1)", 9, "do(...) already puts its subscript on every variable"),
    ("P(y[x=1=1)", 8, "expected ',' or ']', found '='"),
    ("P(y[x=1, x=1]=1)", 10, "'x' is set twice"),
    ("P(y[m=n[x=0]]=1)", 7, "not to a value of 'n'"),
    ('P(y="<5)', 5, "this quote is never closed"),
    ("P(y=<5)", 5, "expected a value of 'y', found '<'; put odd names and values in double"),
    ("P(y=5-12)", 6, "found '-'; put odd names and values in double quotes"),
    ("P(y=1 & x=1)", 7, "expected a name, a number or a sign of the query language, found '&'"),
    ("P(t > warm)", 7, "expected a finite number for 't', found 'warm'"),
    ("P(t > 1e999)", 7, "expected a finite number for 't', found '1e999'"),
    ("P(y=1)*P(x=1)", 7, "a product of quantities is not a linear query"),
    ("P(y=1, x=1)/P(x=1)", 12, "write P(A | E)"),
    ("P(y=1)/0", 7, "cannot be divided by zero"),
    ("1e999*P(y=1)", 1, "too large for a float"),
    ("1e300*(1e300*P(y=1))", 1, "too large for a float"),
    ("P(y=1) + ", 10, "expected a quantity such as"),
    ("2 P(y=1)", 3, "found 'P'; write '*' between a weight and a quantity"),
    ("(P(y=1)", 8, "expected '+', '-' or ')', found the end of the text"),
    ("1 + argmax a in {x=0}: P(y=1 | do(a))", 5, "argmax stands at the very start"),
    ("ATE(x -> y)", 5, "needs a cause that is known to have two values"),
    ("ATE(x)", 6, "expected ':' or '->', found ')'"),
    ("ATE(x: 0; y=1)", 9, "the cause goes from one value to another"),
    ("ATE(x: 0 -> 1)", 14, "the outcome follows the cause"),
    ("ATE(x: 0 -> 1; x=1)", 16, "the outcome must not be the cause 'x' itself"),
    ("ATE(x: 0 -> 1; y=1 | do(z=1))", 22, "the conditions of ATE are plain"),
    ("CATE(x: 0 -> 1; y=1)", 20, "CATE is the effect in a stratum"),
    ("ETT(x: 0 -> 1; y=1 | z=1)", 20, "ETT takes no condition"),
    ("NDE(x: 0 -> 1; y=1)", 19, "NDE needs its mediators"),
    ("NDE(x: 0 -> 1; y=1; x)", 21, "expected a mediator, found 'x'"),
    ("CDE(x: 0 -> 1; y=1; m)", 22, "CDE holds its mediators at values"),
    ("PNS(x: 0 -> 1; y)", 17, "expected an event such as y=v"),
    ("PN(x: 0 -> 1; y=1; m)", 18, "write PN(x: a -> b; y=v)"),
    ("argmax", 7, "expected a placeholder's name"),
    ("argmax a of {x=0}: P(y=1 | do(a))", 10, "expected 'in', found 'of'"),
    ("argmax a in x=0: P(y=1 | do(a))", 13, "expected '{', found 'x'"),
    ("argmax a in {}: P(y=1 | do(a))", 14, "expected a variable's name, found '}'"),
    ("argmax a in {x=0, x=0}: P(y=1 | do(a))", 19, "the action 'x=0' is given twice"),
    ("argmax a in {(x=0, z=1), (z=1, x=0)}: E[y | do(a)]", 26, "is given twice"),
    ("argmax a in {(x=0, x=1)}: E[y | do(a)]", 20, "'x' is set twice"),
    ("argmax a in {x=0 x=1}: E[y | do(a)]", 18, "expected ',' or '}', found 'x'"),
    ("argmax a in {x=0} P(y=1 | do(a))", 19, "the objective follows the actions"),
    ("argmax a in {x=0}: P(y=1)", 20, "the objective never uses 'a'"),
    ("argmax a in {x=0}: E[y | do(a, x=1)]", 32, "'x' is set twice"),
    ("argmax b in {pass}: P(b | z=1)", 23, "'pass' is no event"),
    ("P(y=1 | do(a))", 13, "expected '=', found ')'"),
    ("E[" + "y[y=" * DEEP, 85, "subscripts nest more than 20 deep"),
    ("(" * DEEP + "P(y=1)", 21, "brackets nest more than 20 deep"),
]


@pytest.mark.parametrize(("text", "column", "part"), MALFORMED)
def test_malformed(text, column, part):
    """A malformed query names its column, in the message and as an attribute."""
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert caught.value.column == column
    assert caught.value.text == text
    assert str(caught.value).startswith(f"column {column}: ")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


CHECKED = [
    ("P(level > 1)", 9, "expected '=' or '!=', found '>'; 'level' has labels"),
    ("P(rain=yes | do(t=warm))", 19, "expected a finite number for 't', found 'warm'"),
    ('P(t="nan")', 5, "expected a finite number for 't'"),
    ("ATE(t -> rain)", 5, "needs a cause that is known to have two values"),
    ("ATE(level -> rain)", 5, "needs a cause that is known to have two values"),
    ("ATE(rain -> level)", 13, "needs an outcome that is known to have two values"),
    ("PNS(rain -> t)", 13, "needs an outcome that is known to have two values"),
    ("ATE(rain: no -> yes; t=2)", 22, "write it alone for its mean"),
]


@pytest.mark.parametrize(("text", "column", "part"), CHECKED)
def test_malformed_for_the_vocabulary(text, column, part):
    """What a vocabulary forbids is a syntax error with its column too."""
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text, VOCABULARY)
    assert caught.value.column == column
    assert part in str(caught.value)


UNKNOWN = [
    ("P(rian=yes)", "column 3: unknown variable 'rian'; expected one of 'rain'"),
    ("P(rian=yes)", "Did you mean 'rain'?"),
    ("P(rain=yes | do(umbrela=no))", "column 17: unknown variable 'umbrela'"),
    ("P(rain=yse)", "column 8: 'yse' is not a value of 'rain'; expected one of 'no', 'yes'."),
    ("P(rain=yse)", "Did you mean 'yes'?"),
    ("P(rain[umbrella=nope]=yes)", "Did you mean 'no'?"),
    ("E[rain[umbrella=umbrella]]", "For the natural value of 'umbrella' write umbrella[]."),
    ("ATE(rain: no -> maybe; t)", "column 17: 'maybe' is not a value of 'rain'"),
    ("argmax a in {umbrella=of}: P(rain=yes | do(a))", "column 23: 'of' is not a value"),
]


@pytest.mark.parametrize(("text", "part"), UNKNOWN)
def test_unknown_name(text, part):
    """An unknown name or value names its column, what exists, and the nearest name."""
    with pytest.raises(UnknownNameError) as caught:
        parse(text, VOCABULARY)
    assert part in str(caught.value)


def test_long_names_are_cut_in_messages():
    """A message stays readable when the text is huge."""
    with pytest.raises(UnknownNameError) as caught:
        parse(f"P({'q' * 10_000}=1)", VOCABULARY)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "column"), [("", 1), ("pass, x=1", 5), ("x", 2), ("x=1, x=0", 6), ("x=1)", 4)]
)
def test_malformed_action(text, column):
    """A malformed action names its column."""
    with pytest.raises(QuerySyntaxError) as caught:
        parse_action(text)
    assert caught.value.column == column


@pytest.mark.parametrize(("text", "column"), [("x", 2), ("x=1,", 5), ("x=1)", 4), ("x=1 | y=1", 5)])
def test_malformed_event(text, column):
    """A malformed event names its column."""
    with pytest.raises(QuerySyntaxError) as caught:
        parse_event(text)
    assert caught.value.column == column


def test_errors_are_value_errors():
    """Syntax errors are caught by the project's root and by ValueError."""
    assert issubclass(QuerySyntaxError, CausalBenchError)
    assert issubclass(QuerySyntaxError, ValueError)
