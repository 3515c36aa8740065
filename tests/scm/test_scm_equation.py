"""Equations: what they mean, and that nothing else is run."""

from __future__ import annotations

import itertools
import random

import pytest

from causalbench.errors import WorldError
from causalbench.scm import Variable
from causalbench.scm.equation import equation_mechanism

VARIABLES = {
    variable.name: variable
    for variable in (
        Variable("a", ("no", "yes")),
        Variable("b", ("0", "1")),
        Variable("h", ("no", "yes"), hidden=True),
        Variable("n", ("few", "some", "many"), numbers=(0, 1, 2)),
        Variable("m", ("few", "some", "many"), numbers=(0, 1, 2)),
        Variable("colour", ("red", "green", "blue")),
        Variable("odd name", ("no", "yes")),
        Variable("digits", ("0", "1", "2", "3", "4")),
        Variable("t", None),
        Variable("y", ("no", "yes")),
        Variable("k", ("low", "mid", "high"), numbers=(0, 1, 2)),
        Variable("same", ("blue", "red", "green", "black")),
    )
}


@pytest.mark.parametrize(
    ("target", "text", "parents", "table"),
    [
        ("y", "a or b", ("a", "b"), [[0, 1], [1, 1]]),
        ("y", "a and not b", ("a", "b"), [[0, 0], [1, 0]]),
        ("y", "a != b", ("a", "b"), [[0, 1], [1, 0]]),
        ("y", "(a and b) != h", ("a", "b", "h"), [[[0, 1], [0, 1]], [[0, 1], [1, 0]]]),
        ("y", "a", ("a",), [0, 1]),
        ("y", "b", ("b",), [0, 1]),
        ("y", "n >= 1", ("n",), [0, 1, 1]),
        ("y", "0 < n < 2", ("n",), [0, 1, 0]),
        ("y", "n == 'many'", ("n",), [0, 0, 1]),
        ("y", "'red' != colour", ("colour",), [0, 1, 1]),
        ("y", "n == m", ("n", "m"), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("k", "min(n, m)", ("n", "m"), [[0, 0, 0], [0, 1, 1], [0, 1, 2]]),
        ("k", "max(n, m, 1)", ("n", "m"), [[1, 1, 2], [1, 1, 2], [2, 2, 2]]),
        ("k", "(n + m) % 3", ("n", "m"), [[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
        ("k", "2 - n", ("n",), [2, 1, 0]),
        ("k", "-n + 2", ("n",), [2, 1, 0]),
        ("k", "n * b", ("n", "b"), [[0, 0], [0, 1], [0, 2]]),
        ("digits", "n + m", ("n", "m"), [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
        ("same", "colour", ("colour",), [1, 2, 0]),
        ("same", "'black'", (), 3),
        ("same", "colour if a else 'black'", ("colour", "a"), [[3, 1], [3, 2], [3, 0]]),
        ("y", "`odd name` or a", ("odd name", "a"), [[0, 1], [1, 1]]),
        ("y", "True", (), 1),
        ("k", "1", (), 1),
        ("y", "1.0", (), None),
        ("y", "(n > m) == a", ("n", "m", "a"), [[[1, 0], [1, 0], [1, 0]], [[0, 1], [1, 0], [1, 0]],
                                               [[0, 1], [0, 1], [1, 0]]]),
    ],
)  # fmt: skip
def test_meaning(target, text, parents, table):
    """An equation becomes the deterministic table that it states."""
    if table is None:
        with pytest.raises(WorldError, match="has no 'numbers'"):
            equation_mechanism(VARIABLES, target, text)
        return
    found = equation_mechanism(VARIABLES, target, text)
    assert found.parents == parents
    assert found.noise.tolist() == [1.0]
    assert found.table[0].tolist() == table


@pytest.mark.parametrize(
    ("target", "text", "message"),
    [
        ("y", "", "cannot be read"),
        ("y", "a or", "cannot be read at column"),
        ("y", "a; b", "cannot be read"),
        ("y", "c", "no variable 'c'"),
        ("y", "colours == 'red'", "Did you mean 'colour'"),
        ("y", "a == yes", "labels take quotes"),
        ("y", "a == 'yess'", "no value 'yess'"),
        ("y", "colour < 'red'", "labels have no order"),
        ("y", "colour", "is neither|has no 'numbers'"),
        ("y", "not n", "'n' is neither true nor false"),
        ("y", "n", "it can give 0|has no 'numbers'"),
        ("k", "n + m", "it can give 3, no value of 'k'"),
        ("k", "a + 1", "'a' has no 'numbers'"),
        ("k", "a", "true or false, but 'k' has 3 values"),
        ("k", "n % m", "by a number that can be 0"),
        ("k", "n / 2", "Div is not allowed at column|Div is not allowed"),
        ("k", "n ** 9", "Pow is not allowed"),
        ("k", "n << 3", "LShift is not allowed"),
        ("k", "~n", "this sign is not allowed"),
        ("y", "a in b", "In is not allowed"),
        ("y", "a is b", "Is is not allowed"),
        ("y", "lambda: a", "Lambda is not allowed"),
        ("y", "[a][0]", "Subscript is not allowed"),
        ("y", "a.__class__", "Attribute is not allowed"),
        ("y", "__import__('os').system('true')", "Call|may be called"),
        ("y", "eval('a')", "may be called"),
        ("y", "min(a)", "may be called"),
        ("y", "min(a, b, key=a)", "may be called"),
        ("y", "(a := b)", "NamedExpr is not allowed"),
        ("y", "f'{a}'", "JoinedStr is not allowed"),
        ("y", "t > 0", "'t' is real"),
        ("t", "a", "'t' is real"),
        ("y", "'maybe'", "no value 'maybe'"),
        ("k", "b'1'", "is not allowed here"),
        ("k", "1j", "is not allowed here"),
        ("k", "n + 10**400", "Pow is not allowed|not allowed"),
        ("k", "9" * 400, "not allowed here"),
        ("y", "a\x00", "cannot be read"),
        ("y", " or ".join(["a"] * 600), "over 2000"),
        ("y", "(" * 500 + "a" + ")" * 500, "cannot be read|too deep"),
        ("y", "not " * 100 + "a", ""),
    ],
)
def test_what_is_not_allowed(target, text, message):
    """Anything outside the grammar, or without meaning, is one clear WorldError."""
    if not message:
        assert equation_mechanism(VARIABLES, target, text).parents == ("a",)
        return
    with pytest.raises(WorldError, match=message) as caught:
        equation_mechanism(VARIABLES, target, text)
    assert "\n" not in str(caught.value)


def test_equations_agree_with_python():
    """Two hundred random formulas over truth values mean what they mean in Python."""
    source = random.Random(7)  # noqa: S311  (a test's own formulas)

    def formula(depth):
        if not depth or source.random() < 0.2:
            return source.choice(["a", "b", "h"])
        kind = source.choice(["and", "or", "!=", "==", "not", "if"])
        if kind == "not":
            return f"(not {formula(depth - 1)})"
        if kind == "if":
            first, test, last = (formula(depth - 1) for _ in range(3))
            return f"(({first}) if ({test}) else ({last}))"
        return f"({formula(depth - 1)} {kind} {formula(depth - 1)})"

    for _ in range(200):
        text = formula(3)
        found = equation_mechanism(VARIABLES, "y", text)
        code = compile(text, "formula", "eval")
        for row in itertools.product((0, 1), repeat=len(found.parents)):
            names = {name: bool(v) for name, v in zip(found.parents, row, strict=True)}
            expected = eval(code, {}, names)  # noqa: S307  (formulas made above)
            assert found.table[(0, *row)] == int(expected)
