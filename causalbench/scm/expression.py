"""Read an expression over real variables, such as ``"2 * x ** 2 + sin(z)"``, without ``eval``.

The grammar, loosest first: one comparison (``< <= > >=``, worth 1 or 0), ``+ -``, ``* /``, unary
``-``, ``**`` (right to left); numbers; names, in backticks where they are odd; parentheses; and the
functions sin, cos, exp, log, sqrt, tanh, abs of one argument, min and max of two or more.

An expression is kept in postfix order, so that neither reading it out nor evaluating it recurses.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalbench.errors import WorldError, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FUNCTIONS", "MAX_EXPRESSION", "Expression", "Step", "parse_expression", "shorten"]

MAX_EXPRESSION = 4000
_DEEPEST = 60
Array = NDArray[Any]
Step = tuple[str, "str | float", int]  # kind ("number", "name" or "call"), what, how many operands

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<name>[^\W\d]\w*)"
    r"|`(?P<odd>[^`]+)`|(?P<sign>\*\*|<=|>=|[-+*/<>(),]))"
)


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a comparison as 1 or 0."""
    return lambda a, b: np.asarray(compare(a, b), dtype=np.float64)


_INFIX: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {  # precedence and meaning
    "<": (1, _ordered(operator.lt)),
    "<=": (1, _ordered(operator.le)),
    ">": (1, _ordered(operator.gt)),
    ">=": (1, _ordered(operator.ge)),
    "+": (2, np.add),
    "-": (2, np.subtract),
    "*": (3, np.multiply),
    "/": (3, np.divide),
    "**": (5, np.power),
}
_NEGATION, _POWER, _ATOM = 4, 5, 6
_ONE: dict[str, Callable[[Any], Any]] = {
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "abs": np.abs,
}
_MANY: dict[str, Callable[[Any, Any], Any]] = {"min": np.minimum, "max": np.maximum}
FUNCTIONS = (*_ONE, *_MANY)
_SAFE = {"sin", "cos", "tanh", "abs", "min", "max", "neg", "<", "<=", ">", ">="}


@dataclass(frozen=True)
class Expression:
    """An expression in postfix order; expressions that read alike are equal.

    Args:
        steps: made by `parse_expression`.
    """

    steps: tuple[Step, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in order of first appearance."""
        return tuple(dict.fromkeys(str(what) for kind, what, _ in self.steps if kind == "name"))

    def renamed(self, names: Mapping[str, str]) -> Expression:
        """Return the expression over other names, old name to new."""
        return Expression(
            tuple(
                (kind, names.get(str(what), what) if kind == "name" else what, size)
                for kind, what, size in self.steps
            )
        )

    def __call__(self, values: Mapping[str, Any]) -> Array:
        """Return the value at the variables' values, numbers or arrays of one shape.

        Every step must give numbers: a limit such as 1 / (1 / 0) = 0 is an error too.

        Raises:
            ArithmeticError: a step that gives no number; its text says which.
        """
        stack: list[Any] = []
        with np.errstate(all="ignore"):
            for kind, what, size in self.steps:
                if kind == "number":
                    stack.append(np.float64(what))
                elif kind == "name":
                    stack.append(values[str(what)])
                else:
                    operands = stack[-size:]
                    del stack[-size:]
                    stack.append(_apply(str(what), operands))
        return np.asarray(stack.pop(), dtype=np.float64)

    def __str__(self) -> str:
        stack: list[tuple[str, int]] = []
        for kind, what, size in self.steps:
            if kind == "number":
                stack.append((_number_text(float(what)), _ATOM))
            elif kind == "name":
                name = str(what)
                plain = re.fullmatch(r"[^\W\d]\w*", name)
                stack.append((name if plain else f"`{name}`", _ATOM))
            else:
                operands = stack[-size:]
                del stack[-size:]
                stack.append(_call_text(str(what), operands))
        return stack.pop()[0]


def parse_expression(text: str) -> Expression:
    """Read an expression.

    Raises:
        WorldError: it is no expression; the message gives the column.
    """
    if len(text) > MAX_EXPRESSION:
        raise WorldError(f"equation has {len(text)} characters, over {MAX_EXPRESSION}; shorten it")
    return Expression(_Parser(text).whole())


def shorten(text: str) -> str:
    """Return the beginning of a text, for a message."""
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004


class _Parser:
    """Precedence climbing; steps are appended as they are complete."""

    def __init__(self, text: str) -> None:
        # Blanks of any kind read alike, and an error stays on one line.
        text = "".join(" " if letter.isspace() else letter for letter in text)
        self.text, self.steps, self.depth = text, list[Step](), 0
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                column = at + len(text[at:]) - len(text[at:].lstrip())
                raise self.fail(f"'{text[column]}' does not fit", column)
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            at = match.end()
        self.tokens.append(("end", "the end", len(text)))
        self.at = 0

    def fail(self, why: str, column: int) -> WorldError:
        return WorldError(f"equation '{shorten(self.text)}' at column {column + 1}: {why}")

    def take(self, sign: str) -> bool:
        """Step over a sign if it comes next."""
        kind, found, _ = self.tokens[self.at]
        if kind == "sign" and found == sign:
            self.at += 1
            return True
        return False

    def expect(self, sign: str, after: str) -> None:
        _, found, column = self.tokens[self.at]
        if not self.take(sign):
            raise self.fail(f"expected '{sign}' {after}, found '{found}'", column)

    def whole(self) -> tuple[Step, ...]:
        self.sum(1)
        kind, found, column = self.tokens[self.at]
        if kind != "end":
            raise self.fail(f"expected an operator or the end, found '{found}'", column)
        return tuple(self.steps)

    def sum(self, least: int) -> None:
        """Read what binds at least as tightly as ``least``."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail("it is nested too deep; simplify it", self.tokens[self.at][2])
        if self.take("-"):
            self.sum(_NEGATION)
            self.steps.append(("call", "neg", 1))
        else:
            self.atom()
        while self.tokens[self.at][0] == "sign":
            sign = self.tokens[self.at][1]
            rank = _INFIX[sign][0] if sign in _INFIX else 0
            if rank < max(least, 1):
                break
            self.at += 1
            # The right side of a power may be negative; one comparison does not follow another.
            self.sum(_NEGATION if rank == _POWER else rank + 1)
            self.steps.append(("call", sign, 2))
            if rank == 1:
                least = 2
        self.depth -= 1

    def atom(self) -> None:
        kind, found, column = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            number = float(found)
            if not math.isfinite(number):
                raise self.fail(f"{found} is too large for a number", column)
            self.steps.append(("number", number, 0))
        elif kind == "name" and self.take("("):
            self.call(found, column)
        elif kind in {"name", "odd"}:
            self.steps.append(("name", found, 0))
        elif kind == "sign" and found == "(":
            self.sum(1)
            self.expect(")", "to close the bracket")
        else:
            raise self.fail(f"expected a number, a name or '(', found '{found}'", column)

    def call(self, name: str, column: int) -> None:
        if name not in FUNCTIONS:
            hint = suggest(name, FUNCTIONS)
            allowed = ", ".join(FUNCTIONS)
            raise self.fail(f"'{name}' is no function; there are {allowed}.{hint}", column)
        count = 0
        while count == 0 or self.take(","):
            self.sum(1)
            count += 1
        self.expect(")", f"to close {name}(")
        if (name in _ONE) != (count == 1):
            wanted = "one argument" if name in _ONE else "two arguments or more"
            raise self.fail(f"{name} takes {wanted}, not {count}", column)
        self.steps.append(("call", name, count))


def _apply(what: str, operands: list[Any]) -> Any:
    if what == "neg":
        return np.negative(operands[0])
    if what in _ONE:
        result = _ONE[what](operands[0])
    elif what in _MANY:
        result = operands[0]
        for operand in operands[1:]:
            result = _MANY[what](result, operand)
    elif what == "**" and np.ndim(operands[1]) == 0 and operands[1] == 2.0:  # noqa: PLR2004
        result = np.square(operands[0])  # many times faster than a general power, and as exact
    else:
        result = _INFIX[what][1](*operands)
    if what not in _SAFE and not np.isfinite(result).all():
        at = tuple(np.argwhere(~np.isfinite(result))[0])
        given = [float(np.broadcast_to(o, np.shape(result))[at]) for o in operands]
        shown = f" {what} ".join(f"{x:g}" for x in given)
        step = f"{what}({given[0]:g})" if what in _ONE else shown
        raise ArithmeticError(f"{step} is not a finite number")
    return result


def _number_text(number: float) -> str:
    return str(int(number)) if number.is_integer() and number < 1e16 else repr(number)  # noqa: PLR2004


def _call_text(what: str, operands: list[tuple[str, int]]) -> tuple[str, int]:
    def bound(place: int, least: int) -> str:
        text, rank = operands[place]
        return text if rank >= least else f"({text})"

    if what == "neg":
        return f"-{bound(0, _NEGATION)}", _NEGATION
    if what in FUNCTIONS:
        return f"{what}({', '.join(text for text, _ in operands)})", _ATOM
    rank = _INFIX[what][0]
    if rank == _POWER:
        return f"{bound(0, _ATOM)} ** {bound(1, _NEGATION)}", rank
    left = bound(0, 2 if rank == 1 else rank)
    return f"{left} {what} {bound(1, rank + 1)}", rank
