"""Explain a query about a world: its rung and why, its readings, and where they part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.query import Choice, Query, normalise, parse, worlds
from causalbench.task.words import Speaker
from causalbench.truth import truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.truth import Truth

__all__ = ["explain"]

_RUNGS = {
    1: "association (see): it asks only about what happens by itself",
    2: "intervention (do): everything in it lies in one changed world",
    3: "counterfactual (imagine): it holds several worlds together in one and the same case",
}
_READERS = {
    "marginal": "knows each variable alone",
    "see": "takes seeing for doing",
    "do": "experiments, and forgets the case at hand",
    "imagine": "keeps the case at hand: the truth",
}
_DEVIATIONS = 4
_APART = 0.1  # where readings differ by this much a profile can tell solvers apart


def explain(world: Any, query: str | Query | Choice) -> str:
    """Say which rung a query is on and why, and what a perfect solver of each rung would answer.

    Args:
        world: a World or an SCM.
        query: text, a query or a choice.

    Returns:
        A few lines of text.

    Raises:
        QueryError: the query cannot be read or asked.
        ZeroProbabilityError: its condition never happens.
    """
    scm = getattr(world, "scm", world)
    asked = parse(query, scm.vocabulary) if isinstance(query, str) else query
    found = truth(scm, asked)
    lines = [str(asked)]
    if isinstance(asked, Query):
        words = Speaker(getattr(world, "phrases", None)).query(asked)
        lines.append(f"In words: {words}.")
    lines.append(f"Rung {found.rung}, {_RUNGS[found.rung]}.")
    lines += _reasons(asked)
    lines.append("Readings:")
    lines += _readings(found.readings)
    lines.append(_parting(found))
    return "\n".join(lines)


def _reasons(asked: Query | Choice) -> list[str]:
    """Show the normal form that the rung was read from, where it differs from what was asked."""
    if isinstance(asked, Choice):
        return [f"Its options are of rungs {', '.join(str(q.rung) for q in asked.objectives)}."]
    normal = normalise(asked)
    lines = []
    if normal != asked:
        lines.append(f"By effectiveness and composition it is the same as {normal}.")
    count = max((len(worlds(quantity)) for _, quantity in normal.terms), default=1)
    if count > 1:
        lines.append(f"One conjunction names {count} worlds of the same case.")
    return lines


def _readings(readings: Mapping[str, float | str]) -> list[str]:
    width = max(len(name) for name in readings)
    return [
        f"  {name:<{width}}  {_shown(value):>12}  {_READERS[name]}"
        for name, value in readings.items()
    ]


def _parting(found: Truth) -> str:
    """Say from which rung on the answer is right."""
    truth_ = found.readings["imagine"]
    right = [name for name, value in found.readings.items() if _agree(value, truth_, found.error)]
    wrong = [name for name in found.readings if name not in right]
    if not wrong:
        return "All readings agree: this query tells no solver from another."
    gaps = [
        abs(value - truth_)
        for value in found.readings.values()
        if isinstance(value, float) and isinstance(truth_, float)
    ]
    far = f" by up to {max(gaps):.3f}" if gaps else ""
    near = " (too little to tell solvers apart)" if gaps and max(gaps) < _APART else ""
    return f"Wrong{far}: {', '.join(wrong)}; right: {', '.join(right)}{near}."


def _agree(value: float | str, other: float | str, error: float) -> bool:
    if isinstance(value, str) or isinstance(other, str):
        return value == other
    # Keys are written to 12 digits; where both were simulated, each has an error of its own.
    return abs(value - other) <= max(1e-12, _DEVIATIONS * error)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6f}"
