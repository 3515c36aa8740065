"""Walk over tokens, read names and values against a vocabulary, and say where text goes wrong."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NoReturn

from causalbench.errors import QuerySyntaxError, UnknownNameError, suggest
from causalbench.query.lexer import Token, describe, shorten, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.query.ast import Constant, Vocabulary

__all__ = ["Cursor"]

_LISTED = 8
_COMPARED = 80
_ODD = frozenset({"-", "+", "*", "/", "<", ">", "<=", ">=", "->"})
_LABEL_KINDS = frozenset({"word", "number", "string"})


class Cursor:
    """A place in a query's tokens.

    Args:
        text: the text to read.
        vocabulary: the names that exist, or None to take every name as it comes.
    """

    def __init__(self, text: str, vocabulary: Vocabulary | None) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self.vocabulary = vocabulary

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.index]

    @property
    def after(self) -> Token:
        """The token after the next, or the last one."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        """Raise a syntax error at a token."""
        column = (token or self.token).column
        raise QuerySyntaxError(f"column {column}: {message}", text=self.text, column=column)

    def expect_failed(self, expected: str, why: str = "") -> NoReturn:
        """Raise the error that says what was expected and what was found."""
        why = why or self._quote_hint()
        tail = f"; {why}" if why else ""
        self.fail(f"expected {expected}, found {describe(self.token)}{tail}")

    def _quote_hint(self) -> str:
        """Return advice where a sign touches a name or value, as in ``level=5-12``."""
        token = self.token
        if self.index == 0 or token.kind != "sign" or token.text not in _ODD:
            return ""
        before = self.tokens[self.index - 1]
        touches = before.end == token.column and (before.kind in _LABEL_KINDS or before.text == "=")
        return "put odd names and values in double quotes" if touches else ""

    def sees(self, sign: str) -> bool:
        """Tell whether the next token is this sign."""
        token = self.tokens[self.index]
        return token.text == sign and token.kind == "sign"

    def take(self, sign: str) -> bool:
        """Step over a sign if it is next."""
        token = self.tokens[self.index]
        if token.text == sign and token.kind == "sign":
            self.index += 1
            return True
        return False

    def need(self, sign: str, expected: str = "", why: str = "") -> None:
        """Step over a sign that must be next."""
        if not self.take(sign):
            self.expect_failed(expected or f"'{sign}'", why)

    def finish(self, expected: str) -> None:
        """Make sure that nothing is left."""
        if self.token.kind != "end":
            self.expect_failed(expected)

    def is_word(self, word: str) -> bool:
        """Tell whether the next token is this bare word."""
        return self.token.kind == "word" and self.token.text == word

    def label(self, expected: str) -> str:
        """Read a name or a value: a word, a number with or without a minus, or a quoted text."""
        minus = self.sees("-") and self.after.kind == "number"
        if minus:
            self.index += 1
        token = self.token
        if token.kind not in _LABEL_KINDS:
            self.expect_failed(expected)
        self.index += 1
        return f"-{token.text}" if minus else token.text

    def variable(self) -> str:
        """Read a variable's name.

        Raises:
            UnknownNameError: the vocabulary does not have it.
        """
        token = self.token
        name = self.label("a variable's name")
        if self.vocabulary is not None and name not in self.vocabulary.values:
            known = self.vocabulary.values
            raise UnknownNameError(
                f"column {token.column}: unknown variable {shorten(name)}; expected one of "
                f"{_listing(known)}.{suggest(name[:_COMPARED], known)}"
            )
        return name

    def values_of(self, name: str) -> tuple[str, ...] | None:
        """Return a variable's labels; None where it is real or nothing is known of it."""
        return None if self.vocabulary is None else self.vocabulary.values[name]

    def is_real(self, name: str) -> bool:
        """Tell whether the vocabulary says that a variable is real."""
        return self.vocabulary is not None and self.vocabulary.values[name] is None

    def value(self, name: str, *, ordered: bool = False) -> Constant:
        """Read a value of a variable: a label, or a number where it is real.

        Args:
            name: the variable.
            ordered: whether the value stands in an order comparison, so that it must be a number.

        Raises:
            UnknownNameError: the variable has no such value.
            QuerySyntaxError: no value is there, or no finite number where one is needed.
        """
        token = self.token
        label = self.label(f"a value of {name!r}")
        if ordered or self.is_real(name):
            return self._real(name, label, token)
        values = self.values_of(name)
        if values is not None and label not in values:
            hint = suggest(label[:_COMPARED], values)
            if label == name:
                hint = f" For the natural value of {name!r} write {name}[]."
            raise UnknownNameError(
                f"column {token.column}: {shorten(label)} is not a value of {name!r}; expected "
                f"one of {_listing(values)}.{hint}"
            )
        return label

    def _real(self, name: str, label: str, token: Token) -> float:
        """Read a label as a finite number."""
        try:
            number = float(label)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            self.fail(f"expected a finite number for {name!r}, found {describe(token)}", token)
        return number


def _listing(names: Iterable[str]) -> str:
    """Return the first few names, for a message."""
    shown = [repr(name) for name in names]
    return ", ".join(shown[:_LISTED]) + (", ..." if len(shown) > _LISTED else "")
