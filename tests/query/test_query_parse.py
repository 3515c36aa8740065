"""What each construct of the query language is read as."""

import pytest

from causalbench.query import (
    Atom,
    Choice,
    Expectation,
    Probability,
    Query,
    Term,
    Vocabulary,
    parse,
    parse_action,
    parse_event,
    quote,
)

VOCABULARY = Vocabulary(
    {
        "x": ("0", "1"),
        "y": ("0", "1"),
        "z": ("0", "1"),
        "m": ("low", "high"),
        "n": ("0", "1", "2"),
        "t": None,
        "LowerBodyO2": ("<5", "5-12", "12+"),
    }
)


def eq(name, value, **subscript):
    """Make the atom ``name[subscript] = value``."""
    return Atom(Term(name, tuple(sorted(subscript.items()))), "=", value)


def one(quantity):
    """Make the query of a single quantity."""
    return Query(((1.0, quantity),))


def test_plain_conditional():
    """A conditional keeps event and condition apart, in stated order."""
    expected = one(Probability((eq("y", "1"),), (eq("z", "0"), eq("x", "1"))))
    assert expected == parse("P(y=1 | z=0, x=1)")


def test_do_is_put_on_every_atom():
    """do(...) puts one subscript on event and condition alike, wherever it stands."""
    expected = one(Probability((eq("y", "1", x="1"),), (eq("z", "1", x="1"),)))
    assert expected == parse("P(y=1 | do(x=1), z=1)")
    assert expected == parse("P(y=1 | z=1, do(x=1))")


def test_empty_do():
    """do() forces nothing."""
    assert one(Probability((eq("y", "1"),))) == parse("P(y=1 | do())")


def test_subscript_is_sorted():
    """The order in which a subscript is written does not matter."""
    assert parse("P(y[x=1, m=low]=1)") == parse("P(y[m=low, x=1]=1)")


def test_nested_subscript():
    """A subscript may be what the variable would be elsewhere, at any depth."""
    inner = Term("m", (("x", Term("x", (("z", "0"),))),))
    expected = one(Expectation(Term("y", (("m", inner), ("x", "1")))))
    assert expected == parse("E[y[x=1, m=m[x=x[z=0]]]]")


def test_natural_value_in_subscript():
    """Empty brackets stand for the variable's own natural value."""
    assert one(Expectation(Term("y", (("m", Term("m")),)))) == parse("E[y[m=m[]]]")
    assert one(Expectation(Term("y", (("m", "m"),)))) == parse("E[y[m=m]]")


def test_conjunction_of_worlds():
    """Atoms of one event may live in different worlds."""
    expected = one(Probability((eq("y", "1", x="1"), eq("y", "0", x="0"))))
    assert expected == parse("P(y[x=1]=1, y[x=0]=0)")


def test_contradiction_is_read():
    """A conjunction that cannot happen is a query all the same."""
    assert one(Probability((eq("x", "0"), eq("x", "1")))) == parse("P(x=0, x=1)")


def test_quoted_names_and_values():
    """Quotes make any text a name or a value, keywords and signs included."""
    expected = one(Probability((eq("LowerBodyO2", "<5"),), (eq("do", 'a "b" \\'),)))
    assert expected == parse(r'P("LowerBodyO2"="<5" | "do"="a \"b\" \\")')


def test_keywords_as_names():
    """Words of the language are names where no bracket follows."""
    expected = one(Probability((eq("do", "in"),), (eq("P", "pass"), eq("argmax", "E"))))
    assert expected == parse("P(do=in | P=pass, argmax=E)")


@pytest.mark.parametrize("value", ["1", "0.5", "-1", "1e-3", "no", "1a", "v1.2", "Müll"])
def test_bare_values_are_labels(value):
    """Numbers and words are labels of a discrete variable, spelt as written."""
    assert one(Probability((eq("w", value),))) == parse(f"P(w={value})")
    assert value == quote(value)


def test_real_values_are_floats():
    """A real variable's values are numbers, in atoms and in subscripts."""
    atom = Atom(Term("t", (("x", "1"),)), ">", 2.0)
    assert one(Probability((atom,))) == parse("P(t > 2 | do(x=1))", VOCABULARY)
    assert one(Probability((eq("y", "1", t=-1.5),))) == parse("P(y=1 | do(t=-1.5))", VOCABULARY)


def test_order_makes_numbers_without_vocabulary():
    """Unchecked, only an order comparison tells that a value is a number."""
    expected = one(Probability((Atom(Term("t"), "<=", 2.0),), (eq("s", "2"),)))
    assert expected == parse("P(t <= 2 | s=2)")


def test_linear_combination():
    """Weights, brackets, division by numbers and constants come out as one sum."""
    p, e = Probability((eq("y", "1"),)), Expectation(Term("t"))
    expected = Query(((0.5, p), (-2.0, e)), 1.0)
    assert expected == parse("0.5*P(y=1) - 2*E[t] + 1")
    assert expected == parse("-(-P(y=1) + 4*E[t] - 2) / 2")
    assert expected == parse("+P(y=1) * 2 * .25 - E[t] - E[t] + 1")


def test_cancelled_quantity_stays():
    """A quantity of weight zero is kept: its condition must still be possible."""
    assert Query(((0.0, Probability((eq("y", "1"),))),)) == parse("P(y=1) - P(y=1)")


def test_text_is_kept_and_not_compared():
    """A query remembers what was typed, and compares by what it means."""
    query = parse(" P( y=1|z = 0 ) ")
    assert query.text == " P( y=1|z = 0 ) "
    assert query == parse("P(y=1 | z=0)")


EXPANSIONS = [
    ("ATE(x: 0 -> 1; y=1)", "P(y=1 | do(x=1)) - P(y=1 | do(x=0))"),
    ("ATE(x: 0 -> 1; y=1 | z=1)", "P(y=1 | do(x=1), z=1) - P(y=1 | do(x=0), z=1)"),
    ("CATE(x: 0 -> 1; y=1 | z=1)", "P(y=1 | do(x=1), z=1) - P(y=1 | do(x=0), z=1)"),
    ("TE(x: 0 -> 1; y=1)", "P(y=1 | do(x=1)) - P(y=1 | do(x=0))"),
    ("TE(x: 0 -> 1; y=1; m)", "P(y=1 | do(x=1)) - P(y=1 | do(x=0))"),
    ("ETT(x: 0 -> 1; y=1)", "P(y[x=1]=1 | x=1) - P(y[x=0]=1 | x=1)"),
    ("ETU(x: 0 -> 1; y=1)", "P(y[x=1]=1 | x=0) - P(y[x=0]=1 | x=0)"),
    ("CDE(x: 0 -> 1; y=1; m=low)", "P(y=1 | do(x=1, m=low)) - P(y=1 | do(x=0, m=low))"),
    ("NDE(x: 0 -> 1; y=1; m)", "P(y[x=1, m=m[x=0]]=1) - P(y[x=0]=1)"),
    ("NIE(x: 0 -> 1; y=1; m)", "P(y[x=0, m=m[x=1]]=1) - P(y[x=0]=1)"),
    ("NDE(x: 0 -> 1; y=1; m, z)", "P(y[x=1, m=m[x=0], z=z[x=0]]=1) - P(y[x=0]=1)"),
    ("PN(x: 0 -> 1; y=1)", "P(y[x=0] != 1 | x=1, y=1)"),
    ("PS(x: 0 -> 1; y=1)", "P(y[x=1]=1 | x=0, y != 1)"),
    ("PNS(x: 0 -> 1; y=1)", "P(y[x=1]=1, y[x=0] != 1)"),
    ("ATE(x: 0 -> 1; t)", "E[t | do(x=1)] - E[t | do(x=0)]"),
    ("CATE(x: 0 -> 1; t | z=1)", "E[t | do(x=1), z=1] - E[t | do(x=0), z=1]"),
    ("ETT(x: 0 -> 1; t)", "E[t[x=1] | x=1] - E[t[x=0] | x=1]"),
    ("NDE(x: 0 -> 1; t; m)", "E[t[x=1, m=m[x=0]]] - E[t[x=0]]"),
    ("PN(x: 0 -> 1; t > 2)", "P(t[x=0] <= 2 | x=1, t > 2)"),
    ("2*ATE(x: 0 -> 1; y=1) + 1", "2*P(y=1 | do(x=1)) - 2*P(y=1 | do(x=0)) + 1"),
    ("ATE(t: -1 -> 1.5; y=1)", "P(y=1 | do(t=1.5)) - P(y=1 | do(t=-1))"),
]


@pytest.mark.parametrize(("named", "expanded"), EXPANSIONS)
def test_named_quantity(named, expanded):
    """A named quantity is its expansion, with and without a vocabulary."""
    assert parse(expanded, VOCABULARY) == parse(named, VOCABULARY)
    assert parse(expanded) == parse(named)


@pytest.mark.parametrize("name", ["ATE", "ETT", "ETU", "PN", "PS", "PNS", "TE"])
def test_short_form(name):
    """X -> y is from the first value of x to its last, and y at its last value."""
    assert parse(f"{name}(x: 0 -> 1; m=high)") == parse(f"{name}(x -> m)", VOCABULARY)


def test_short_form_with_more_arguments():
    """The short form takes strata and mediators as the long one does."""
    assert parse("CATE(x: 0 -> 1; y=1 | z=0)") == parse("CATE(x -> y | z=0)", VOCABULARY)
    assert parse("NDE(x: 0 -> 1; y=1; m)") == parse("NDE(x -> y; m)", VOCABULARY)
    assert parse("ATE(x: 0 -> 1; t)") == parse("ATE(x -> t)", VOCABULARY)


def test_choice_with_do():
    """The placeholder in do(...) is each action in turn; pass forces nothing."""
    choice = parse("argmax a in {x=0, (z=1, x=1), pass}: P(y=1 | do(a), m=low)")
    assert isinstance(choice, Choice)
    assert choice.actions == ((("x", "0"),), (("x", "1"), ("z", "1")), ())
    assert choice.labels == ("x=0", "x=1, z=1", "pass")
    assert choice.template == "P(y=1 | do(a), m=low)"
    assert choice.objectives == (
        parse("P(y=1 | do(x=0), m=low)"),
        parse("P(y=1 | do(x=1, z=1), m=low)"),
        parse("P(y=1 | m=low)"),
    )


def test_choice_with_subscript():
    """The placeholder in brackets is a subscript; a fixed setting may stand beside it."""
    choice = parse("argmax a in {x=0, pass}: P(y[a, z=1]=1 | y=0) - 0.1*E[t]")
    expected = (
        parse("P(y[x=0, z=1]=1 | y=0) - 0.1*E[t]"),
        parse("P(y[z=1]=1 | y=0) - 0.1*E[t]"),
    )
    assert expected == choice.objectives


def test_choice_of_bets():
    """The placeholder among the atoms is an event, or a condition."""
    choice = parse("argmax b in {x=0, x=1}: P(b | do(z=1), m=low)")
    assert choice.objectives[1] == parse("P(x=1 | do(z=1), m=low)")
    watched = parse("argmax a in {x=0, pass}: P(y=1 | a)")
    assert watched.objectives == (parse("P(y=1 | x=0)"), parse("P(y=1)"))


def test_choice_options():
    """Labels and objectives come in stated order."""
    choice = parse("argmax a in {x=1, x=0}: P(y=1 | do(a))")
    expected = [("x=1", parse("P(y=1 | do(x=1))")), ("x=0", parse("P(y=1 | do(x=0))"))]
    assert expected == list(choice.options())


@pytest.mark.parametrize("label", ["pass", "x=1", "x=1, z=0", '"a b"="<5"', "x=-1"])
def test_action_label_round_trip(label):
    """An action's label is read back as the same action."""
    action = parse_action(label)
    choice = parse(f"argmax a in {{({label})}}: E[y | do(a)]") if action else None
    assert choice is None or choice.labels == (label,)
    assert parse_action(f"({label})") == action if action else action == ()


def test_parse_action_checks_values():
    """An action's real values are numbers."""
    assert parse_action("x=1, t=2", VOCABULARY) == (("t", 2.0), ("x", "1"))


def test_parse_event():
    """An event is a conjunction in stated order; blank text is the empty one."""
    assert (eq("y", "1"), eq("x", "0")) == parse_event("y=1, x=0", VOCABULARY)
    assert parse_event("  ", VOCABULARY) == ()


def test_parse_takes_text_only():
    """Anything but text is refused with the type's name."""
    with pytest.raises(ValueError, match="not int"):
        parse(3)
