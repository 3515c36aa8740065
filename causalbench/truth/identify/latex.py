r"""Write names, values and queries as LaTeX: ``P(y_{x=1}=1 \mid x=0)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query.algebra import shared_subscript
from causalbench.query.ast import Expectation, Term
from causalbench.query.render import number

if TYPE_CHECKING:
    from causalbench.query.ast import Atom, Constant, Quantity, Query, Subscript

__all__ = ["name_latex", "quantity_latex", "query_latex", "value_latex"]

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_SIGNS = {"!=": r"\neq", "<=": r"\leq", ">=": r"\geq"}


def name_latex(name: str) -> str:
    r"""Return a name: ``x`` as it is, a longer one upright and escaped, ``\mathrm{rain}``."""
    if len(name) == 1 and name.isalpha() and name.isascii():
        return name
    return _upright(name)


def value_latex(value: Constant) -> str:
    """Return a label or a number."""
    if not isinstance(value, str):
        return number(value)
    return value if value.isascii() and value.isalnum() and len(value) == 1 else _upright(value)


def query_latex(query: Query) -> str:
    """Return a whole query, as a sum."""
    parts: list[str] = []
    for weight, quantity in query.terms:
        factor = "" if abs(weight) == 1 else number(abs(weight)) + r"\,"
        sign = "-" if weight < 0 else "+" if parts else ""
        parts.append(f"{sign} {factor}{quantity_latex(quantity)}".strip())
    if query.constant or not parts:
        sign = "-" if query.constant < 0 else "+" if parts else ""
        parts.append(f"{sign} {number(abs(query.constant))}".strip())
    return " ".join(parts)


def quantity_latex(quantity: Quantity) -> str:
    r"""Return ``P(...)`` or ``E[...]``; a shared subscript is written ``\mathrm{do}(...)``."""
    shared = shared_subscript(quantity)
    given = [_atom(atom, bare=bool(shared)) for atom in quantity.given]
    if shared:
        given.insert(0, rf"\mathrm{{do}}({_subscript(shared)})")
    if isinstance(quantity, Expectation):
        target = _term(quantity.term, bare=bool(shared))
    else:
        target = ", ".join(_atom(atom, bare=bool(shared)) for atom in quantity.event)
    inside = rf"{target} \mid {', '.join(given)}" if given else target
    return f"E[{inside}]" if isinstance(quantity, Expectation) else f"P({inside})"


def _atom(atom: Atom, *, bare: bool) -> str:
    sign = _SIGNS.get(atom.op, atom.op)
    between = sign if sign == "=" else f" {sign} "
    return f"{_term(atom.term, bare=bare)}{between}{value_latex(atom.value)}"


def _term(term: Term, *, bare: bool) -> str:
    if bare or not term.subscript:
        return name_latex(term.variable)
    return f"{name_latex(term.variable)}_{{{_subscript(term.subscript)}}}"


def _subscript(subscript: Subscript) -> str:
    parts = []
    for name, value in subscript:
        if isinstance(value, Term):
            inner = f"_{{{_subscript(value.subscript)}}}" if value.subscript else ""
            shown = name_latex(value.variable) + inner
        else:
            shown = value_latex(value)
        parts.append(f"{name_latex(name)}={shown}")
    return ", ".join(parts)


def _upright(text: str) -> str:
    return rf"\mathrm{{{''.join(_ESCAPES.get(char, char) for char in text)}}}"
