"""Read query text: sums of quantities, and choices.

query    := sum | "argmax" name "in" "{" option ("," option)* "}" ":" sum
sum      := ["-"] product (("+" | "-") product)*
product  := factor (("*" | "/") factor)*          at most one factor is not a number
factor   := number | "(" sum ")" | quantity
quantity := "P(" atoms ["|" condition] ")" | "E[" term ["|" condition] "]" | NAME "(" ... ")"
condition:= (atom | "do(" settings ")") ("," ...)*
atom     := term ("=" | "!=" | "<" | "<=" | ">" | ">=") value
term     := name ["[" settings "]"]               setting := name "=" (value | term with "[")
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite

from causalbench.errors import QueryError, suggest
from causalbench.query.ast import (
    Action,
    Atom,
    Choice,
    Expectation,
    Probability,
    Quantity,
    Query,
    Vocabulary,
    action_label,
)
from causalbench.query.atoms import MAX_DEPTH, AtomReader, Binding
from causalbench.query.lexer import describe
from causalbench.query.named import NAMED, read_named

__all__ = ["parse", "parse_action", "parse_event"]

_QUANTITY = "a quantity such as P(y=1 | do(x=1)) or E[y]"


def parse(text: str, vocabulary: Vocabulary | None = None) -> Query | Choice:
    """Read a query or a choice.

    Args:
        text: the query.
        vocabulary: the names and values that exist. Without one, names go unchecked, every value
            is a label, except that an order comparison's is a number, and the named quantities
            must state their values.

    Returns:
        The query, or the choice if the text starts with ``argmax``; its ``text`` is what was given.

    Raises:
        QuerySyntaxError: the text is no query; the message names the column.
        UnknownNameError: the vocabulary lacks a variable or a value.
    """
    if not isinstance(text, str):
        raise QueryError(f"a query is text, not {type(text).__name__}; pass a string")
    return _parse_unchecked(text) if vocabulary is None else _parse(text, vocabulary)


@lru_cache(maxsize=1024)
def _parse_unchecked(text: str) -> Query | Choice:
    """Read a query without a vocabulary; queries are values, so they can be shared."""
    return _parse(text, None)


def _parse(text: str, vocabulary: Vocabulary | None) -> Query | Choice:
    """Read a query."""
    reader = _Parser(text, vocabulary)
    reader.ensure_text()
    return reader.choice() if reader.is_word("argmax") else reader.query()


def parse_event(text: str, vocabulary: Vocabulary | None = None) -> tuple[Atom, ...]:
    """Read a conjunction such as ``wet=yes, rain=no``; a blank text is the empty one.

    Raises:
        QuerySyntaxError: the text is no conjunction.
        UnknownNameError: the vocabulary lacks a variable or a value.
    """
    reader = _Parser(text, vocabulary)
    if reader.token.kind == "end":
        return ()
    atoms = reader.atoms("")
    reader.finish("',' or the end of the text")
    return atoms


def parse_action(text: str, vocabulary: Vocabulary | None = None) -> Action:
    """Read an action's label: ``pass``, ``x=1``, or ``x=1, z=0``.

    Returns:
        The settings, sorted by variable; () is pass.

    Raises:
        QuerySyntaxError: the text is no action.
        UnknownNameError: the vocabulary lacks a variable or a value.
    """
    reader = _Parser(text, vocabulary)
    if reader.is_word("pass") and reader.after.kind == "end":
        return ()
    action = reader.bracketed() if reader.sees("(") else reader.settings()
    reader.finish("',' or the end of the text")
    return action


class _Sum:
    """A linear combination under construction."""

    __slots__ = ("constant", "weights")

    def __init__(self, constant: float = 0.0) -> None:
        self.constant = constant
        self.weights: dict[Quantity, float] = {}

    def add(self, other: _Sum, factor: float) -> None:
        """Add a multiple of another combination; equal quantities are merged."""
        self.constant += factor * other.constant
        for quantity, weight in other.weights.items():
            self.weights[quantity] = self.weights.get(quantity, 0.0) + factor * weight

    def scale(self, factor: float) -> None:
        """Multiply by a number."""
        self.constant *= factor
        for quantity in self.weights:
            self.weights[quantity] *= factor

    @property
    def finite(self) -> bool:
        """Whether no number has run over."""
        return isfinite(self.constant) and all(map(isfinite, self.weights.values()))


class _Parser(AtomReader):
    """Read sums and choices."""

    def query(self) -> Query:
        """Read a whole text as one query."""
        total = self.top(self.text)
        self.finish("'+', '-' or the end of the text")
        return total

    def top(self, text: str) -> Query:
        """Read a sum that must ask something."""
        start = self.token
        total = self.sum(0)
        if not total.weights:
            self.fail(f"expected {_QUANTITY}, found only numbers", start)
        if not total.finite:
            self.fail("a weight is too large for a float; write a smaller one", start)
        terms = tuple((weight, quantity) for quantity, weight in total.weights.items())
        return Query(terms, total.constant, text)

    def sum(self, depth: int) -> _Sum:
        """Read summands."""
        total = _Sum()
        sign = -1.0 if self.take("-") else 1.0
        if sign > 0:
            self.take("+")
        while True:
            total.add(self.product(depth), sign)
            if self.take("+"):
                sign = 1.0
            elif self.take("-"):
                sign = -1.0
            else:
                return total

    def product(self, depth: int) -> _Sum:
        """Read factors, at most one of which asks something."""
        left = self.factor(depth)
        while self.sees("*") or self.sees("/"):
            sign = self.token
            self.index += 1
            right = self.factor(depth)
            if sign.text == "/":
                if right.weights:
                    self.fail(
                        "a ratio of quantities is not a linear query; expected a number after '/',"
                        " and for P(A, E) / P(E) write P(A | E)",
                        sign,
                    )
                if right.constant == 0 or not isfinite(1.0 / right.constant):
                    self.fail("a quantity cannot be divided by zero", sign)
                for quantity in left.weights:
                    left.weights[quantity] /= right.constant
                left.constant /= right.constant
            elif left.weights and right.weights:
                self.fail(
                    "a product of quantities is not a linear query; expected a number on one side "
                    "of '*', so ask for each quantity by itself",
                    sign,
                )
            elif right.weights:
                right.scale(left.constant)
                left = right
            else:
                left.scale(right.constant)
        return left

    def factor(self, depth: int) -> _Sum:
        """Read a number, a sum in brackets, or a quantity."""
        token = self.token
        if token.kind == "number":
            self.index += 1
            return _Sum(float(token.text))
        if token.text == "(" and token.kind == "sign":
            if depth >= MAX_DEPTH:
                self.fail(f"brackets nest more than {MAX_DEPTH} deep; write a flatter query")
            self.index += 1
            inner = self.sum(depth + 1)
            self.need(")", "'+', '-' or ')'")
            return inner
        return self.quantity()

    def quantity(self) -> _Sum:
        """Read P(...), E[...] or a named quantity."""
        token = self.token
        opening = self.after.text if self.after.kind == "sign" else ""
        result = _Sum()
        if token.kind != "word" or opening not in {"(", "["}:
            why = "argmax stands at the very start" if self.is_word("argmax") else ""
            self.expect_failed(_QUANTITY, why)
        name = token.text
        if name == "P":
            self._need_opening(opening, "(", "P(...) takes round brackets")
            result.weights[self.probability()] = 1.0
        elif name == "E":
            self._need_opening(opening, "[", "E[...] takes square brackets")
            result.weights[self.expectation()] = 1.0
        elif name in NAMED:
            self._need_opening(opening, "(", f"{name}(...) takes round brackets")
            for weight, quantity in read_named(self, name):
                result.weights[quantity] = result.weights.get(quantity, 0.0) + weight
        else:
            known = ("P", "E", *NAMED)
            near = suggest(name.upper(), known)
            self.fail(f"expected one of {', '.join(known)}, found {describe(token)}.{near}")
        return result

    def _need_opening(self, found: str, wanted: str, why: str) -> None:
        """Step over a name and the bracket that must follow it."""
        self.index += 1
        if found != wanted:
            self.expect_failed(f"'{wanted}'", why)
        self.index += 1

    def probability(self) -> Probability:
        """Read ``event | condition)``."""
        start = self.token
        event = self.atoms("|)")
        if not event:
            self.fail("'pass' is no event; give every option of a bet as x=1", start)
        forced, given, at = self._given(")")
        self.need(")", "',', '|' or ')'" if not given and forced is None else "',' or ')'")
        return Probability(self.put_all(event, forced, start), self.put_all(given, forced, at))

    def expectation(self) -> Expectation:
        """Read ``term | condition]``."""
        start = self.token
        term = self.term()
        forced, given, at = self._given("]")
        self.need(
            "]",
            "'|' or ']'" if not given and forced is None else "',' or ']'",
            "E[...] is of one variable; for an event write P(...)",
        )
        return Expectation(self.put(term, forced, start), self.put_all(given, forced, at))

    def _given(self, close: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        """Read the condition if there is one."""
        if not self.take("|"):
            return None, (), self.token
        start = self.token
        forced, given = self.condition(close)
        return forced, given, start

    # -- choices --------------------------------------------------------------------------------

    def choice(self) -> Choice:
        """Read ``argmax a in {x=0, x=1, pass}: objective``."""
        self.index += 1
        if self.token.kind != "word":
            self.expect_failed("a placeholder's name", "as in argmax a in {x=0, x=1}: ...")
        placeholder = self.token.text
        self.index += 1
        if not self.is_word("in"):
            self.expect_failed("'in'", "as in argmax a in {x=0, x=1}: ...")
        self.index += 1
        self.need("{")
        actions = self.options()
        self.need(":", why="the objective follows the actions")
        start = self.index
        objectives = []
        for action in actions:
            self.index = start
            self.binding = Binding(placeholder, action)
            objectives.append(self.top(""))
            self.finish("'+', '-' or the end of the text")
            if not self.binding.used:
                self.fail(
                    f"the objective never uses {placeholder!r}; put it in do({placeholder}), in "
                    f"y[{placeholder}] or as an event",
                    self.tokens[start],
                )
        template = self.text[self.tokens[start].column - 1 : self.tokens[-2].end - 1]
        return Choice(placeholder, actions, tuple(objectives), template, self.text)

    def options(self) -> tuple[Action, ...]:
        """Read the actions up to the closing brace."""
        found: list[Action] = []
        while True:
            token = self.token
            action = self.option()
            if action in found:
                self.fail(f"the action {action_label(action)!r} is given twice", token)
            found.append(action)
            if not self.take(","):
                self.need("}", "',' or '}'")
                return tuple(found)

    def option(self) -> Action:
        """Read one action: ``pass``, ``x=1`` or ``(x=1, z=0)``."""
        if self.sees("("):
            return self.bracketed()
        if self.is_word("pass") and not (self.after.kind == "sign" and self.after.text == "="):
            self.index += 1
            return ()
        return (self.assignment(),)

    def bracketed(self) -> Action:
        """Read ``(x=1, z=0)``."""
        self.need("(")
        action = self.settings()
        self.need(")", "',' or ')'")
        return action

    def settings(self) -> Action:
        """Read ``x=1, z=0``."""
        found: dict[str, str | float] = {}
        while True:
            token = self.token
            name, value = self.assignment()
            if name in found:
                self.fail(f"{name!r} is set twice; set each variable once", token)
            found[name] = value
            if not self.take(","):
                return tuple(sorted(found.items()))

    def assignment(self) -> tuple[str, str | float]:
        """Read ``x=1``."""
        name = self.variable()
        self.need("=", why="an action is 'pass' or sets variables to values, as in x=1")
        return name, self.value(name)
