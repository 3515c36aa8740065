"""Read atoms, subscripts and conditions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from causalbench.query.ast import Action, Atom, Constant, Operator, Subscript, Term, Vocabulary
from causalbench.query.cursor import Cursor

if TYPE_CHECKING:
    from causalbench.query.lexer import Token

__all__ = ["MAX_DEPTH", "AtomReader", "Binding"]

MAX_DEPTH = 20
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_ORDERED = frozenset({"<", "<=", ">", ">="})


@dataclass
class Binding:
    """What a choice's placeholder stands for while its objective is read."""

    name: str
    action: Action
    used: bool = False


class AtomReader(Cursor):
    """Read the parts of a quantity; see `Cursor` for the arguments."""

    def __init__(self, text: str, vocabulary: Vocabulary | None) -> None:
        super().__init__(text, vocabulary)
        self.binding: Binding | None = None

    def placeholder(self, closers: str) -> Action | None:
        """Step over the placeholder if it stands here by itself, and return its action."""
        if self.binding is None or not self.is_word(self.binding.name):
            return None
        after = self.after
        if after.kind != "sign" or after.text not in closers:
            return None
        self.index += 1
        self.binding.used = True
        return self.binding.action

    def subscript(self, close: str, depth: int = 1) -> Subscript:
        """Read ``x=1, m=m[x=0]`` up to a closing sign, which is stepped over."""
        entries: dict[str, Constant | Term] = {}
        if depth > MAX_DEPTH:
            self.fail(f"subscripts nest more than {MAX_DEPTH} deep; write a flatter query")
        if self.take(close):
            return ()
        while True:
            start = self.token
            action = self.placeholder("," + close)
            settings = self._setting(depth) if action is None else action
            for name, value in settings:
                if name in entries:
                    self.fail(f"{name!r} is set twice; set each variable once", start)
                entries[name] = value
            if self.take(","):
                continue
            self.need(close, f"',' or '{close}'")
            return tuple(sorted(entries.items(), key=lambda entry: entry[0]))

    def _setting(self, depth: int) -> Subscript:
        """Read ``x=1`` or ``m=m[x=0]``."""
        name = self.variable()
        self.need("=", why="a subscript and do(...) set variables to values, as in x=1")
        start = self.token
        follows = self.tokens[min(self.index + 1 + self.sees("-"), len(self.tokens) - 1)]
        if follows.kind == "sign" and follows.text == "[":
            inner = self.term(depth + 1)
            if inner.variable != name:
                self.fail(
                    f"{name!r} can be set to a value of its own or to what {name!r} would be "
                    f"elsewhere, as in {name}={name}[...], not to a value of {inner.variable!r}",
                    start,
                )
            return ((name, inner),)
        return ((name, self.value(name)),)

    def term(self, depth: int = 1) -> Term:
        """Read ``y`` or ``y[x=1]``."""
        name = self.variable()
        if self.take("["):
            return Term(name, self.subscript("]", depth))
        return Term(name)

    def atom(self) -> Atom:
        """Read ``y[x=1] = 1``."""
        if self.is_word("do") and self.after.text == "(" and self.after.kind == "sign":
            self.fail("do(...) stands among the conditions, after '|', as in P(y=1 | do(x=1))")
        term = self.term()
        return self.comparison(term)

    def comparison(self, term: Term) -> Atom:
        """Read the sign and the value that follow a term."""
        sign = self.token
        if sign.kind != "sign" or sign.text not in _COMPARISONS:
            why = "equality is written with one '='" if sign.text == "==" else ""
            example = f"{term.variable}=..."
            self.expect_failed(f"a comparison such as {example}", why)
        self.index += 1
        name = term.variable
        ordered = sign.text in _ORDERED
        if ordered and self.values_of(name) is not None:
            self.fail(
                f"expected '=' or '!=', found {sign.text!r}; {name!r} has labels for values, and "
                "only real variables are compared by order",
                sign,
            )
        return Atom(term, cast("Operator", sign.text), self.value(name, ordered=ordered))

    def atoms(self, closers: str) -> tuple[Atom, ...]:
        """Read a conjunction; stops before the first token that does not belong to it."""
        found: list[Atom] = []
        while True:
            found.extend(self._event_item(closers))
            if not self.take(","):
                return tuple(found)

    def _event_item(self, closers: str) -> tuple[Atom, ...]:
        """Read an atom, or the placeholder as an event."""
        action = self.placeholder("," + closers)
        if action is None:
            return (self.atom(),)
        return tuple(Atom(Term(name), "=", value) for name, value in action)

    def condition(self, close: str) -> tuple[Subscript | None, tuple[Atom, ...]]:
        """Read what follows ``|``: atoms, and at most one ``do(...)``.

        Returns:
            The subscript of ``do(...)``, or None if there is none; and the atoms.
        """
        forced: Subscript | None = None
        found: list[Atom] = []
        while True:
            if self.is_word("do") and self.after.text == "(" and self.after.kind == "sign":
                if forced is not None:
                    self.fail("expected one do(...), found a second; write do(x=1, z=0)")
                self.index += 2
                forced = self.subscript(")")
            else:
                found.extend(self._event_item(close))
            if not self.take(","):
                return forced, tuple(found)

    def put(self, term: Term, forced: Subscript | None, at: Token) -> Term:
        """Give a term the subscript of do(...)."""
        if forced is None:
            return term
        if term.subscript:
            self.fail(
                f"do(...) already puts its subscript on every variable here, and "
                f"{term.variable!r} has one of its own; use one of the two ways",
                at,
            )
        return Term(term.variable, forced)

    def put_all(
        self, atoms: tuple[Atom, ...], forced: Subscript | None, at: Token
    ) -> tuple[Atom, ...]:
        """Give every atom the subscript of do(...)."""
        if forced is None:
            return atoms
        return tuple(replace(atom, term=self.put(atom.term, forced, at)) for atom in atoms)

    def ensure_text(self) -> None:
        """Refuse a blank text."""
        if self.token.kind == "end" and self.index == 0:
            self.fail("expected a query such as P(y=1 | do(x=1)), found an empty text")
