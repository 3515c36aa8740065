r"""Write estimands as text, ``sum_{z} P(y=1 | x=1, z) P(z)``, and as LaTeX.

A sum binds like a product: it reaches over all the factors to its right. An index prints as its
variable, with a prime for each mark, so that ``P(y=1 | x')`` is the law at the value of x that the
sum over ``x'`` runs over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.query.render import number, quote
from causalbench.truth.identify.estimand import (
    Estimand,
    Index,
    Law,
    Linear,
    Product,
    Ratio,
    Setting,
    Sum,
)
from causalbench.truth.identify.latex import name_latex, value_latex

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["latex", "text"]


@dataclass(frozen=True)
class _Style:
    """The words of one notation."""

    name: Callable[[str], str]
    value: Callable[[str], str]
    bar: str
    do: str
    sum: str
    among: tuple[str, str, str]
    times: str
    brackets: tuple[str, str]
    fraction: str
    foreign: Callable[[Estimand], str]
    bare_fraction: bool


_TEXT = _Style(
    quote,
    quote,
    " | ",
    "do",
    "sum",
    (" in {", ", ", "}"),
    "*",
    ("(", ")"),
    "{} / {}",
    str,
    bare_fraction=False,
)
_LATEX = _Style(
    name_latex,
    value_latex,
    r" \mid ",
    r"\mathrm{do}",
    r"\sum",
    (r" \in \{", ", ", r"\}"),
    r"\,",
    (r"\left(", r"\right)"),
    r"\frac{{{}}}{{{}}}",
    lambda node: node.latex(),
    bare_fraction=True,
)


def text(estimand: Estimand) -> str:
    """Return the readable text of an estimand."""
    return _write(estimand, _TEXT)


def latex(estimand: Estimand) -> str:
    """Return the LaTeX of an estimand, without dollar signs."""
    return _write(estimand, _LATEX)


def _write(node: Estimand, style: _Style) -> str:
    match node:
        case Law():
            return _law(node, style)
        case Sum(over, body):
            indices = ", ".join(_over(index, style) for index in over)
            return f"{style.sum}_{{{indices}}} {_operand(body, style)}"
        case Product(factors):
            return _product(factors, style)
        case Ratio(above, below):
            wrap = _write if style.bare_fraction else _atom
            return style.fraction.format(wrap(above, style), wrap(below, style))
        case Linear(terms, constant):
            return _linear(terms, constant, style)
    return style.foreign(node)


def _law(node: Law, style: _Style) -> str:
    given = [_setting(setting, style) for setting in node.given]
    if node.do:
        given.insert(0, f"{style.do}({', '.join(_setting(one, style) for one in node.do)})")
    outcome = ", ".join(_setting(setting, style) for setting in node.outcome)
    return f"P({outcome}{style.bar}{', '.join(given)})" if given else f"P({outcome})"


def _setting(setting: Setting, style: _Style) -> str:
    name, value = setting
    if isinstance(value, Index):
        return _index(value, style)
    return f"{style.name(name)}={style.value(value)}"


def _index(index: Index, style: _Style) -> str:
    return style.name(index.variable) + "'" * index.mark


def _over(index: Index, style: _Style) -> str:
    if index.among is None:
        return _index(index, style)
    before, comma, after = style.among
    return _index(index, style) + before + comma.join(map(style.value, index.among)) + after


def _product(factors: tuple[Estimand, ...], style: _Style) -> str:
    if not factors:
        return "1"
    *front, last = factors
    # A sum in front would swallow the factors behind it.
    shown = [
        _atom(factor, style) if isinstance(factor, Sum | Product) else _operand(factor, style)
        for factor in front
    ]
    return " ".join([*shown, _operand(last, style)])


def _linear(terms: tuple[tuple[float, Estimand], ...], constant: float, style: _Style) -> str:
    parts: list[tuple[bool, str]] = []
    for weight, term in terms:
        factor = "" if abs(weight) == 1 else number(abs(weight)) + style.times
        body = _atom(term, style) if isinstance(term, Linear) else _write(term, style)
        parts.append((weight < 0, factor + body))
    if constant or not parts:
        parts.append((constant < 0, number(abs(constant))))
    (negative, first), *rest = parts
    shown = ["-" + first if negative else first]
    return " ".join(shown + [f"{'-' if negative else '+'} {part}" for negative, part in rest])


def _operand(node: Estimand, style: _Style) -> str:
    """Write a factor, or the body of a sum."""
    loose = isinstance(node, Linear) or (isinstance(node, Ratio) and not style.bare_fraction)
    return _atom(node, style) if loose else _write(node, style)


def _atom(node: Estimand, style: _Style) -> str:
    """Write a node that stands alone: all but laws in brackets."""
    shown = _write(node, style)
    if isinstance(node, Sum | Ratio | Linear) or (isinstance(node, Product) and node.factors):
        before, after = style.brackets
        return f"{before}{shown}{after}"
    return shown
