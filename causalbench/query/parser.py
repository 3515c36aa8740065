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

from causalbench.errors import QueryError
from causalbench.query.ast import Action, Atom, Choice, Query, Vocabulary, action_label
from causalbench.query.atoms import Binding
from causalbench.query.sums import SumReader

__all__ = ["parse", "parse_action", "parse_event"]


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


class _Parser(SumReader):
    """Read choices, and the actions in them; see `Cursor` for the arguments."""

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
