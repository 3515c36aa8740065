"""Cut query text into tokens, each with its column."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from causalbench.errors import QuerySyntaxError

__all__ = ["NUMBER", "WORD", "Token", "describe", "shorten", "tokenize"]

NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
WORD = r"\w+(?:\.\w+)*"

# A number is a number only where no name goes on after it, so that 1a and 1_2 are words.
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
    | (?P<number>{NUMBER}(?![\w.]))
    | (?P<word>{WORD})
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<sign>->|!=|<=|>=|==|[-+*/()\[\]{{}},;:|=<>])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SHOWN = 24


class Token(NamedTuple):
    """One piece of a query.

    Args:
        kind: word, number, string, sign or end.
        text: what it says; a string's text is without its quotes and escapes.
        column: 1-based column of its first character.
        end: 1-based column just after its last character.
    """

    kind: str
    text: str
    column: int
    end: int


def describe(token: Token) -> str:
    """Return how a message names what was found."""
    if token.kind == "end":
        return "the end of the text"
    return shorten(token.text)


def shorten(text: str) -> str:
    """Return a text in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


@lru_cache(maxsize=1024)
def tokenize(text: str) -> tuple[Token, ...]:
    """Cut text into tokens; the last has kind ``end``.

    Raises:
        QuerySyntaxError: a character that no query has, or a quote that is never closed.
    """
    tokens = []
    position = 0
    length = len(text)
    match_at = _TOKEN.match
    while position < length:
        match = match_at(text, position)
        if match is None:
            raise _refuse(text, position)
        kind = match.lastgroup or ""
        end = match.end()
        if kind != "space":
            piece = match.group()
            if kind == "string":
                piece = _unquote(piece)
            tokens.append(Token(kind, piece, position + 1, end + 1))
        position = end
    tokens.append(Token("end", "", length + 1, length + 1))
    return tuple(tokens)


def _unquote(piece: str) -> str:
    """Take the quotes off a string and read its escapes."""
    inner = piece[1:-1]
    if "\\" not in inner:
        return inner
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), inner, flags=re.DOTALL)


def _refuse(text: str, position: int) -> QuerySyntaxError:
    """Make the error for a character that starts no token."""
    column = position + 1
    if text[position] == '"':
        message = f"column {column}: this quote is never closed; expected a closing '\"'"
    else:
        message = (
            f"column {column}: expected a name, a number or a sign of the query language, "
            f'found {text[position]!r}; put odd names and values in double quotes ("<5")'
        )
    return QuerySyntaxError(message, text=text, column=column)
