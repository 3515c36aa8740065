"""Write queries as text that parses back to an equal query."""

from __future__ import annotations

import re
from functools import lru_cache

from causalbench.query.algebra import shared_subscript
from causalbench.query.ast import (
    Action,
    Atom,
    Choice,
    Constant,
    Expectation,
    Quantity,
    Query,
    Subscript,
    Term,
    action_label,
)
from causalbench.query.lexer import NUMBER, WORD

__all__ = ["number", "quote", "render", "render_choice", "render_quantity"]

_BARE = re.compile(rf"(?:{WORD}|-?{NUMBER})")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def number(value: float) -> str:
    """Return the shortest text of a float, without a trailing ``.0``."""
    return repr(float(value)).removesuffix(".0")


def quote(name_or_value: Constant) -> str:
    """Return a name or value as a query writes it, in double quotes only where they are needed."""
    return _quoted(name_or_value) if isinstance(name_or_value, str) else number(name_or_value)


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


def render(query: Query) -> str:
    """Return a query in normal form: ``w*P(...) + ... + constant``."""
    parts: list[str] = []
    for weight, quantity in query.terms:
        size = abs(weight)
        factor = "" if size == 1 else f"{number(size)}*"
        parts.append(_signed(weight < 0, factor + render_quantity(quantity), first=not parts))
    if query.constant or not parts:
        size = abs(query.constant)
        parts.append(_signed(query.constant < 0, number(size), first=not parts))
    return " ".join(parts)


def _signed(negative: bool, text: str, *, first: bool) -> str:  # noqa: FBT001
    """Put a sign before a summand, as a sum is read."""
    if first:
        return f"-{text}" if negative else text
    return f"- {text}" if negative else f"+ {text}"


def render_quantity(quantity: Quantity) -> str:
    """Return ``P(...)`` or ``E[...]``; a subscript that all share is written as ``do(...)``."""
    shared = shared_subscript(quantity)
    given = [_atom(atom, bare=bool(shared)) for atom in quantity.given]
    if shared:
        given.insert(0, f"do({_subscript(shared)})")
    if isinstance(quantity, Expectation):
        target = _term(quantity.term, bare=bool(shared))
    else:
        target = ", ".join(_atom(atom, bare=bool(shared)) for atom in quantity.event)
    inside = f"{target} | {', '.join(given)}" if given else target
    return f"E[{inside}]" if isinstance(quantity, Expectation) else f"P({inside})"


def _atom(atom: Atom, *, bare: bool) -> str:
    """Return ``y[x=1]=1``; order comparisons get blanks."""
    sign = atom.op if atom.op == "=" else f" {atom.op} "
    return f"{_term(atom.term, bare=bare)}{sign}{quote(atom.value)}"


def _term(term: Term, *, bare: bool) -> str:
    """Return ``y`` or ``y[x=1]``; without its subscript where ``bare``."""
    if bare or not term.subscript:
        return quote(term.variable)
    return f"{quote(term.variable)}[{_subscript(term.subscript)}]"


def _subscript(subscript: Subscript) -> str:
    """Return ``x=1, m=m[x=0]``; a nested natural value keeps its empty brackets."""
    parts = []
    for name, value in subscript:
        if isinstance(value, Term):
            shown = f"{quote(value.variable)}[{_subscript(value.subscript)}]"
        else:
            shown = quote(value)
        parts.append(f"{quote(name)}={shown}")
    return ", ".join(parts)


def render_choice(choice: Choice) -> str:
    """Return ``argmax a in {...}: objective`` with the objective as it was written."""
    actions = ", ".join(_option(action) for action in choice.actions)
    return f"argmax {choice.placeholder} in {{{actions}}}: {choice.template}"


def _option(action: Action) -> str:
    """Return an action's label, in brackets where it sets several variables."""
    label = action_label(action)
    return f"({label})" if len(action) > 1 else label
