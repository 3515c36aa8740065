"""Read an answer from free text: a number, a range, a label, or an abstention."""

from __future__ import annotations

import json
import re
from itertools import permutations
from typing import TYPE_CHECKING, Any

from causalbench.errors import AnswerError
from causalbench.task.answer import Abstain, Answer, Choice, Estimate, Interval

if TYPE_CHECKING:
    from causalbench.task.types import Question

__all__ = ["parse_reply"]

_LONGEST = 20_000  # characters from the end of a reply that are read
_SENTENCE = 2000  # characters in which a number is looked for
_SHOWN = 60
_ANSWERED = ("value", "low", "high", "action", "choice", "answer")  # fields of a JSON object
_CLAUSE = 80  # characters before an option in which a "not" is looked for
_MOST_PARTS = 4  # assignments of a label that are read in any order
_DECIMAL = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER = rf"[-+]?\s?{_DECIMAL}(?:\s*/\s*{_DECIMAL})?(?:\s*(?:%|percent\b|per cent\b))?"
_EDGE = r"(?<![\w.,])"  # a number starts where no word, number or comma group goes on
_END = r"(?![\w]|[.,][0-9])"
_ONE = re.compile(rf"{_EDGE}(?P<one>{_NUMBER}){_END}")
_RANGE = re.compile(
    rf"[\[(]\s*(?P<low>{_NUMBER})\s*[,;]\s*(?P<high>{_NUMBER})\s*[\])]"
    rf"|{_EDGE}(?P<from>{_NUMBER})\s*(?:\bto\b|\band\b|-|\.\.+|;)\s*(?P<to>{_NUMBER}){_END}",
    re.IGNORECASE,
)
_SPREAD = re.compile(rf"{_EDGE}(?P<one>{_NUMBER})\s*(?:±|\+/-|\+-)\s*(?P<by>{_NUMBER}){_END}")
_NAMED = re.compile(r"\b[PE]\s?[(\[].*[)\]]\s*(?:=|:|\bis\b|\bin\b|\blies\b)")
_MARK = re.compile(r"\banswer\b\s*(?:is\b|=|:)+\s*:?", re.IGNORECASE)
_UNIDENTIFIED = re.compile(
    r"(?:can\s?not|can't|could not|impossible to) (?:be )?(?:determine|identif(?:y|ied)|know)"
    r"|not (?:be )?(?:identif(?:ied|iable)|determined|determinable|settled)"
    r"|\bunidentif(?:ied|iable)\b|\bundetermined\b|\bunderdetermined\b",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:do not|don't|dont) know\b|\babstain\b|\bno idea\b|\bnot sure\b|\bunsure\b|\bno answer\b",
    re.IGNORECASE,
)
_TURNS = re.compile(  # before a number: what makes it a bound, its negative, or no answer at all
    r"(?:\b(?:less|lower|smaller|fewer|more|greater|higher|larger|other) than|\bat (?:least|most)"
    r"|\b(?:above|below|over|under|not|up to|exceeds?|isn't|minus|negative)"
    r"|\b(?:lower\w*|decreas\w*|reduc\w*|drops?|falls?|down)(?: it| them)? by|[<>\u2264\u2265])"
    r"\s*(?:about|around|roughly|some)?\s*$",
    re.IGNORECASE,
)
_TURNED = re.compile(r"\s*(?:lower|less|fewer|smaller|below|or (?:more|less))\b", re.IGNORECASE)
_NOT = re.compile(  # before an option, with no stop between
    r"(?:\b(?:not|never|avoid|against|except|without|neither|rather than|instead of)\b|n[' ]t\b)"
    r"[^.:;,!?\n]*$",
    re.IGNORECASE,
)
_PLAIN = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2019": "'", "\u2018": "'", "\u201c": '"'}
    | {"\u201d": '"', "\u00a0": " ", "\u2248": "=", "`": '"', "*": " ", "$": " "}
)


def parse_reply(question: Question, reply: object) -> Answer:
    r"""Read a reply to a question.

    Understood: ``0.3``, ``30%``, ``1/3``, ``answer: 0.3``, ``P(...) = 0.3``, ``0.3 +- 0.1``;
    ``0.2 to 0.4``, ``between .2 and .6``, ``[0.2, 0.6]``; an action's label in any case, quoted or
    in a sentence that names no other; ``cannot be determined``; ``I don't know``; JSON objects with
    ``value``, or ``low`` and ``high``, or ``action``, or ``abstain``. In a long reply, what follows
    the last ``answer:`` counts, else its last line. What may mean two things is refused: a bound
    (``at most 0.3``), an answer beside a claim that there is none, an option spoken against.

    Args:
        question: what was asked.
        reply: the text; anything else is refused.

    Returns:
        An `Estimate`, `Interval`, `Choice` or `Abstain`.

    Raises:
        AnswerError: it cannot be read as one of these; says why.
    """
    if not isinstance(reply, str):
        msg = f"a reply is text, not {type(reply).__name__}; give a string."
        raise AnswerError(msg)
    text = reply[-_LONGEST:].translate(_PLAIN).strip()
    if not text:
        msg = "the reply is empty; answer, or say 'I don't know'."
        raise AnswerError(msg)
    found = _json(question, text)
    if found is not None:
        return found
    marks = list(_MARK.finditer(text))
    after = text[marks[-1].end() :].strip() if marks else ""
    candidate = _first_line(after) if after else text
    try:
        return _read(question, candidate)
    except AnswerError:
        last = text.splitlines()[-1].strip()
        if after or last == candidate:
            raise
        return _read(question, last)


def _read(question: Question, text: str) -> Answer:
    return _number(text) if question.kind == "estimate" else _choice(question, text)


def _number(text: str) -> Answer:
    tail = _behind_sign(_NAMED.sub("", text[-_SENTENCE:]), text)
    spread = _SPREAD.search(tail)
    if spread:
        value, by = _value(spread["one"]), abs(_value(spread["by"], spread["one"]))
        return Estimate(value, value - by, value + by)
    ranges = list(_RANGE.finditer(tail))
    ones = list(_ONE.finditer(tail))
    if ranges:
        return _interval(text, ranges[0], tail, ones)
    if len(ones) == 1:
        if _TURNS.search(tail[: ones[0].start()]) or _TURNED.match(tail[ones[0].end() :]):
            msg = f"{_quoted(text)} is a bound, or turned by words; write one number, or both ends."
            raise AnswerError(msg)
        _refuse_doubt(text, "a number")
        return Estimate(_value(ones[0]["one"]))
    if not ones:
        return _abstention(
            text, "it holds no number; write for example 0.25 (with a point), 25% or 1/4"
        )
    msg = f"{_quoted(text)} holds {len(ones)} numbers; write 'answer: ' and one of them."
    raise AnswerError(msg)


def _behind_sign(tail: str, text: str) -> str:
    """Return what follows the last ``=``; a chain such as ``0.3 * 0.5 = 0.15`` has one answer."""
    *before, last = tail.split("=")
    if before and before[-1].endswith(("<", ">", "!")):
        msg = f"{_quoted(text)} compares, and gives no number; write 'answer: ' and one of them."
        raise AnswerError(msg)
    for part in before[1:]:
        if _ONE.search(part) and re.search(r"[^\W\d_]|[,;]", part):
            msg = f"{_quoted(text)} sets several things equal; write 'answer: ' and one number."
            raise AnswerError(msg)
    return last


def _refuse_doubt(text: str, what: str) -> None:
    """Refuse an answer beside a claim that there is none: who reads it cannot tell which counts."""
    if _UNIDENTIFIED.search(text) or _UNSURE.search(text):
        msg = f"{_quoted(text)} gives {what} and says there is none; write one of the two."
        raise AnswerError(msg)


def _interval(text: str, found: re.Match[str], tail: str, ones: list[re.Match[str]]) -> Answer:
    """Read a range, alone or behind the one number that it surrounds."""
    first, last = found["low"] or found["from"], found["high"] or found["to"]
    low, high = _value(first, last), _value(last)
    outside = [one for one in ones if not found.start() <= one.start("one") < found.end()]
    if not outside:
        return Interval(low, high)
    if len(outside) == 1 and outside[0].end() <= found.start():
        return Estimate(_value(outside[0]["one"]), low, high)
    msg = f"{_quoted(tail or text)} holds a range and other numbers; write one range."
    raise AnswerError(msg)


def _value(text: str, unit: str = "") -> float:
    """Read a number, fraction or percentage; a percent sign of ``unit`` counts for both."""
    plain = text.replace(" ", "").lower()
    percent = "%" in plain or "per" in plain
    plain = plain.replace("%", "").replace("percent", "")
    above, _, below = plain.partition("/")
    if below == above != "1":
        msg = f"{_quoted(text)} may mean 1 or a half; write 1 or 0.5."
        raise AnswerError(msg)
    try:
        value = float(above) / float(below) if below else float(above)
    except (ValueError, ZeroDivisionError, OverflowError):
        msg = f"{_quoted(text)} is not a number; write for example 0.25."
        raise AnswerError(msg) from None
    shared = unit.lower()
    return value / 100 if percent or "%" in shared or "per" in shared else value


def _choice(question: Question, text: str) -> Answer:
    wanted = text.strip("\"'.! ")
    if wanted in question.actions:
        return Choice(wanted)
    names: dict[str, list[str]] = {}
    for label in question.actions:
        for name in _orders(label):
            names.setdefault(name, []).append(label)
    whole = names.get(_key(text))
    found, denied = (whole, False) if whole else _mentioned(names, f" {_key(text)} ")
    if len(set(found)) == 1:
        if denied:
            msg = f"{_quoted(text)} may speak against the option it names; write a label alone."
            raise AnswerError(msg)
        if not whole:
            _refuse_doubt(text, "an option")
        return Choice(found[0])
    options = "; ".join(question.actions)
    if not found:
        return _abstention(text, f"it names none of the options; write one of: {options}")
    msg = f"{_quoted(text)} names {len(set(found))} options; write one of: {options}."
    raise AnswerError(msg)


def _mentioned(names: dict[str, list[str]], text: str) -> tuple[list[str], bool]:
    """Return the options that a folded text mentions, and whether it speaks against any."""
    found, denied = [], False
    for name in sorted(names, key=len, reverse=True):  # "x=1, z=0" before "x=1"
        pattern = rf"(?<![\w=]){re.escape(name)}(?![\w=]|\.[0-9])"
        for match in re.finditer(pattern, text):
            found += names[name]
            before = text[max(0, match.start() - _CLAUSE) : match.start()]
            denied = denied or _NOT.search(before) is not None
        text = re.sub(pattern, " ", text)
    return found, denied


def _orders(label: str) -> list[str]:
    """Return a label's key in every order of its assignments, as people may write them."""
    parts = [_key(part) for part in label.split(",")]
    if len(parts) > _MOST_PARTS:
        return [_key(label)]
    return [",".join(order) for order in permutations(parts)]


def _key(text: str) -> str:
    """Fold case, quotes and blanks, so that labels compare as people mean them."""
    folded = re.sub(r"[\"'\s]+", " ", text.casefold())
    return re.sub(r"\s*([=,<>!]+)\s*", r"\1", folded).strip(" .!:()")


def _abstention(text: str, why_not: str) -> Abstain:
    if _UNIDENTIFIED.search(text):
        return Abstain(_quoted(text), unidentified=True)
    if _UNSURE.search(text):
        return Abstain(_quoted(text))
    msg = f"{_quoted(text)} cannot be read: {why_not}."
    raise AnswerError(msg)


def _json(question: Question, text: str) -> Answer | None:
    """Read a reply that is one JSON object; None where it is none."""
    inner = re.sub(r"^\"{3}(?:json)?\s*|\s*\"{3}$", "", text).strip()  # a fenced block
    if not (inner.startswith("{") and inner.endswith("}")):
        return None
    try:
        record: Any = json.loads(inner)
    except (ValueError, RecursionError):
        return None
    return _record(question, {str(name).lower(): value for name, value in record.items()}, inner)


def _record(question: Question, fields: dict[str, Any], text: str) -> Answer:
    """Read the fields of a JSON object."""
    if fields.get("abstain"):
        answered = [name for name in _ANSWERED if fields.get(name) is not None]
        if answered or str(fields["abstain"]).casefold() in {"false", "no"}:
            msg = f"{_quoted(text)} abstains and does not; write either 'abstain' or an answer."
            raise AnswerError(msg)
        return Abstain(str(fields["abstain"])[:_SHOWN], fields.get("unidentified") is True)
    if question.kind != "estimate":
        label = next((fields[n] for n in ("action", "choice", "answer") if n in fields), None)
        if isinstance(label, str):
            return _choice(question, label)
        msg = f'{_quoted(text)} names no action; write {{"action": label}}.'
        raise AnswerError(msg)
    value = fields.get("value", fields.get("answer"))
    if value is None and {"low", "high"} <= fields.keys():
        return Interval(fields["low"], fields["high"])
    if isinstance(value, str):
        return _number(value)
    return Estimate(value, fields.get("low"), fields.get("high"))  # type: ignore[arg-type]


def _first_line(text: str) -> str:
    return text.splitlines()[0].strip()


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return f"'{flat if len(flat) <= _SHOWN else flat[:_SHOWN] + '...'}'"
