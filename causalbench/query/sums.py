"""Read quantities and linear combinations of them."""

from __future__ import annotations

from math import isfinite

from causalbench.errors import suggest
from causalbench.query.ast import Atom, Expectation, Probability, Quantity, Query, Subscript
from causalbench.query.atoms import MAX_DEPTH, AtomReader
from causalbench.query.lexer import Token, describe
from causalbench.query.named import NAMED, read_named

__all__ = ["Sum", "SumReader"]

_QUANTITY = "a quantity such as P(y=1 | do(x=1)) or E[y]"


class Sum:
    """A linear combination under construction."""

    __slots__ = ("constant", "weights")

    def __init__(self, constant: float = 0.0) -> None:
        self.constant = constant
        self.weights: dict[Quantity, float] = {}

    def add(self, other: Sum, factor: float) -> None:
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


class SumReader(AtomReader):
    """Read linear combinations of quantities; see `Cursor` for the arguments."""

    def query(self) -> Query:
        """Read a whole text as one query."""
        return self.top(self.text)

    def top(self, text: str) -> Query:
        """Read a sum that must ask something and end the text."""
        start = self.token
        total = self.sum(0)
        if self.token.kind != "end":
            follows = self.token.kind == "word" or self.sees("(")
            why = "write '*' between a weight and a quantity" if follows else ""
            self.expect_failed("'+', '-' or the end of the text", why)
        if not total.weights:
            self.fail(f"expected {_QUANTITY}, found only numbers", start)
        if not total.finite:
            self.fail("a weight is too large for a float; write a smaller one", start)
        terms = tuple((weight, quantity) for quantity, weight in total.weights.items())
        return Query(terms, total.constant, text)

    def sum(self, depth: int) -> Sum:
        """Read summands."""
        total = Sum()
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

    def product(self, depth: int) -> Sum:
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

    def factor(self, depth: int) -> Sum:
        """Read a number, a sum in brackets, or a quantity."""
        token = self.token
        if token.kind == "number":
            self.index += 1
            value = float(token.text)
            if not isfinite(value):
                self.fail("this number is too large for a float; write a smaller one", token)
            return Sum(value)
        if token.text == "(" and token.kind == "sign":
            if depth >= MAX_DEPTH:
                self.fail(f"brackets nest more than {MAX_DEPTH} deep; write a flatter query")
            self.index += 1
            inner = self.sum(depth + 1)
            self.need(")", "'+', '-' or ')'")
            return inner
        return self.quantity()

    def quantity(self) -> Sum:
        """Read P(...), E[...] or a named quantity."""
        token = self.token
        opening = self.after.text if self.after.kind == "sign" else ""
        result = Sum()
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
            weighted, result.constant = read_named(self, name)
            for weight, quantity in weighted:
                result.weights[quantity] = result.weights.get(quantity, 0.0) + weight
        else:
            known = ("P", "E", *NAMED)
            near = suggest(name[:8].upper(), known)
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

    def _given(self, close: str) -> tuple[Subscript | None, tuple[Atom, ...], Token]:
        """Read the condition if there is one, and tell where it starts."""
        if not self.take("|"):
            return None, (), self.token
        start = self.token
        forced, given = self.condition(close)
        return forced, given, start
