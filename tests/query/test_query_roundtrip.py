"""Text and queries turn into each other without loss, and no text breaks the parser."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causalbench.query import (
    Atom,
    Choice,
    Expectation,
    Probability,
    Query,
    QueryError,
    Term,
    Vocabulary,
    action_label,
    parse,
    parse_action,
    parse_event,
    quote,
)

texts = st.text(max_size=6) | st.text(string.ascii_letters + string.digits + '._-"<\\ ', max_size=6)
words = st.sampled_from(["x", "y", "do", "P", "E", "argmax", "in", "pass", "a", "1", "-1", "ATE"])
names = words | texts
labels = names | st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3})?(e-?[0-9])?", fullmatch=True)
reals = st.floats(allow_nan=False, allow_infinity=False)
REAL = "t"


def kept_apart(strategy):
    """Keep the one real variable's name out of the discrete names."""
    return strategy.filter(lambda name: name != REAL)


def settings_of(inner):
    """Draw subscripts: labels, numbers for the real variable, nested terms."""

    def entry(name):
        constant = reals if name == REAL else labels
        nested = st.builds(Term, st.just(name), inner)
        return st.tuples(st.just(name), constant | nested)

    chosen = st.lists(kept_apart(names) | st.just(REAL), max_size=3, unique=True)
    return chosen.flatmap(lambda some: st.tuples(*map(entry, sorted(some))))


subscripts = st.recursive(st.just(()), settings_of, max_leaves=4)
discrete_atoms = st.builds(
    Atom,
    st.builds(Term, kept_apart(names), subscripts),
    st.sampled_from(["=", "!="]),
    labels,
)
real_atoms = st.builds(
    Atom,
    st.builds(Term, st.just(REAL), subscripts),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    reals,
)
conjunctions = st.lists(discrete_atoms | real_atoms, max_size=3).map(tuple)
events = st.lists(discrete_atoms | real_atoms, min_size=1, max_size=3).map(tuple)
quantities = st.one_of(
    st.builds(Probability, events, conjunctions),
    st.builds(Expectation, st.builds(Term, names, subscripts), conjunctions),
)
queries = st.builds(
    lambda pairs, constant: Query(tuple((weight, key) for key, weight in pairs.items()), constant),
    st.dictionaries(quantities, reals, min_size=1, max_size=3),
    reals,
)


class Everything(dict):
    """Hold every label for every name, and know that one variable is real."""

    def __contains__(self, name):
        return True

    def __missing__(self, name):
        return AllLabels()


class AllLabels(tuple):
    """Hold every label."""

    __slots__ = ()

    def __contains__(self, label):
        return True


ANY = Vocabulary(Everything({REAL: None}))


@settings(max_examples=500, deadline=None)
@given(queries)
def test_query_round_trip(query):
    """str() of any query parses back to an equal query."""
    assert query == parse(str(query), ANY)


@settings(max_examples=300, deadline=None)
@given(queries)
def test_text_is_a_fixed_point(query):
    """Without a vocabulary too, what was parsed is written so that it is parsed the same."""
    parsed = parse(str(query))
    assert parsed == parse(str(parsed))
    assert str(query) == str(parsed)


actions = st.dictionaries(names, labels, max_size=3).map(lambda some: tuple(sorted(some.items())))


@settings(max_examples=300, deadline=None)
@given(actions)
def test_action_round_trip(action):
    """An action's label parses back to the action."""
    assert action == parse_action(action_label(action))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(actions, min_size=1, max_size=4, unique=True),
    st.sampled_from(["P(y=1 | do(act), z=0)", "E[y[act]] - 2*P(w=0)", "P(y=1 | act)  "]),
)
def test_choice_round_trip(options, template):
    """str() of a choice parses back to an equal choice."""
    inside = ", ".join(f"({action_label(act)})" if act else "pass" for act in options)
    choice = parse(f"argmax act in {{{inside}}}:{template}")
    assert isinstance(choice, Choice)
    assert choice.actions == tuple(options)
    assert choice == parse(str(choice))


@given(names)
def test_quote(name):
    """A quoted name or value is one name or value."""
    assert (Atom(Term(name), "=", name),) == parse_event(f"{quote(name)}={quote(name)}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P(rain=yes | do(umbrella=no))", "P(rain=yes | do(umbrella=no))"),
        ("P( y[x = 1]=1 | z[x=1]=0 )", "P(y=1 | do(x=1), z=0)"),
        ("P(y[x=1]=1 | z=0)", "P(y[x=1]=1 | z=0)"),
        ("1 - P(y=1)*0.5", "-0.5*P(y=1) + 1"),
        ("P(t>2|do())", "P(t > 2)"),
        ('P("a b"="1", "c"="<5")', 'P("a b"=1, c="<5")'),
        ("P(y[m=m[ ]]!=1)", "P(y != 1 | do(m=m[]))"),
        ("argmax a in { x=0 ,pass}:  P(y=1|do(a)) ", "argmax a in {x=0, pass}: P(y=1|do(a))"),
    ],
)
def test_written_form(text, expected):
    """The written form is the one that the documentation promises."""
    assert expected == str(parse(text))


FEW = Vocabulary({"x": ("0", "1"), "y": ("0", "1"), "t": None})


def survivors(text):
    """Return (read, written again and read) wherever a parser takes a text.

    Only a QueryError of one line may come out of a parser.
    """
    found = []
    for read in (parse, parse_action):
        write = str if read is parse else action_label
        for vocabulary in (None, ANY, FEW):
            try:
                result = read(text, vocabulary)
            except QueryError as error:
                found.append((1, len(str(error).splitlines())))
            else:
                found.append((result, read(write(result), vocabulary)))
    return found


def survives(text):
    """Tell whether all that is read of a text is read again from what is written of it."""
    return all(first == again for first, again in survivors(text))


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
@example("\ud800")
@example("P(" * 5000)
@example("E[y[y=" * 5000)
@example("E[" + "y[y=" * 5000)
@example("(" * 5000)
@example("-" * 5000)
@example('"' * 4999)
@example("\x00")
@example("1" * 5000 + "*P(y=1)")
@example("P(t>" + "9" * 5000 + ")")
@example("P(y=1)/1e-320")
def test_any_text_is_read_or_refused(text):
    """Arbitrary text raises a QueryError of one line, or is read and can be written."""
    assert survives(text)


PIECES = (
    *"()[]{},;:|=<>*/+-",
    *("->", "!=", "<=", ">=", "==", "x", "y", "t", "m", "a", "0", "1", "2.5", '"<5"', "do", "P"),
    *("P(", "E[", "do(", "y=1", "x=1", "ATE(x: 0 -> 1; y=1", "NDE(", "PN(", "CATE(x -> y | "),
    *("argmax a in {x=0, x=1}: ", "argmax", "in", "pass", "do(a)", "y[x=1]", "m=m[x=0]", "1e999"),
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join))
def test_any_tokens_are_read_or_refused(text):
    """Arbitrary sequences of the language's own pieces are refused, or read and written."""
    assert survives(text)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
@example("y=1, x[y=1]=0")
def test_an_event_is_what_p_may_hold(text):
    """What parse_event takes is what P(...) takes before its bar."""
    try:
        event = parse_event(text)
    except QueryError:
        event = ()
    if event:
        assert Query(((1.0, Probability(event)),)) == parse(f"P({text})")


SEEDS = (
    "P(y=1 | do(x=1), x=0)",
    "E[t[x=1] | y=0] - 2*P(t > 1.5)",
    "ATE(x: 0 -> 1; y=1 | t > 2) + 1",
    "argmax a in {x=0, x=1, pass}: P(y=1 | do(a), t < 3)",
)


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_queries_are_read_or_refused(text, data):
    """A query with a piece cut out and others put in is refused, or read and written."""
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 4)))
    inserted = data.draw(st.text('()[]{},;:|=<>*/+-"01xyta \\', max_size=3))
    assert survives(text[:start] + inserted + text[stop:])


@pytest.mark.parametrize("text", SEEDS)
def test_undamaged_queries_are_read(text):
    """The texts that the test above damages are queries to begin with."""
    assert isinstance(parse(text, FEW), Query | Choice)
