"""Read, normalise and rank causal queries; knows names and values, no world."""

from __future__ import annotations

from causalbench.errors import QueryError, QuerySyntaxError, UnknownNameError
from causalbench.query.algebra import conjunctions, normalise, variables, worlds
from causalbench.query.ast import (
    COMPARE,
    Action,
    Atom,
    Choice,
    Constant,
    Expectation,
    Operator,
    Probability,
    Quantity,
    Query,
    Subscript,
    Term,
    Vocabulary,
    action_label,
)
from causalbench.query.parser import parse, parse_action, parse_event
from causalbench.query.render import quote, render, render_choice
from causalbench.query.rung import rung_of

__all__ = [
    "COMPARE",
    "Action",
    "Atom",
    "Choice",
    "Constant",
    "Expectation",
    "Operator",
    "Probability",
    "Quantity",
    "Query",
    "QueryError",
    "QuerySyntaxError",
    "Subscript",
    "Term",
    "UnknownNameError",
    "Vocabulary",
    "action_label",
    "conjunctions",
    "normalise",
    "parse",
    "parse_action",
    "parse_event",
    "quote",
    "render",
    "render_choice",
    "rung_of",
    "variables",
    "worlds",
]
