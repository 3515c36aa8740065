"""Tell what was seen: exact distributions, rows and logs."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from causalbench.task.terms import UPFRONT
from causalbench.task.words import digits, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm import Variable
    from causalbench.task.types import Dossier, Law

__all__ = ["cases_text", "laws_text", "logs_text", "rows_text"]

_MOST_COUNTS = 64  # combinations counted in words where a lab hands out over UPFRONT rows
_LOGGED = ("action", "reward", "terminal", "source")


def laws_text(laws: Sequence[Law], variables: Sequence[Variable]) -> str:
    """Tell exact distributions: every combination of values that is possible."""
    parts = []
    names = ", ".join(variable.name for variable in variables)
    for law in laws:
        forced = joined([f"{name} is set to {value}" for name, value in law.do])
        title = f"When {forced}" if law.do else "With nothing changed"
        lines = [f"{title}, the probability of each combination of {names}:"]
        for index in np.argwhere(law.table != 0):
            values = [(v.values or ())[code] for v, code in zip(variables, index, strict=True)]
            lines.append(f"    {', '.join(values)}: {digits(law.table[tuple(index)])}")
        if not law.table.all():
            lines.append("    any other: 0")
        parts.append("\n".join(lines))
    return "\n".join(parts)


def rows_text(dossier: Dossier) -> str:
    """Tell the rows: counted by combination, or one by one where they are real."""
    count = len(dossier.rows)
    if not count:
        return ""
    names = ", ".join(dossier.names)
    were = "was" if count == 1 else "were"
    lead = f"{cases_text(count)} {were} observed with nothing changed"
    if any(variable.is_real for variable in dossier.variables):
        lines = [f"{lead}. The values of {names} in each:"]
        lines += [f"    {', '.join(map(digits, row))}" for row in dossier.rows]
        return "\n".join(lines)
    combinations, counts = np.unique(dossier.rows, axis=0, return_counts=True)
    # Of a lab with that many rows the agent may ask for more; all other rows are told in full.
    cut = _MOST_COUNTS if dossier.cell == "lab" and count > UPFRONT else None
    shown = np.argsort(-counts, kind="stable")[:cut]
    lines = [f"{lead}. How often each combination of {names} occurred:"]
    for index in shown:
        codes = combinations[index]
        values = [(v.values or ())[c] for v, c in zip(dossier.variables, codes, strict=True)]
        lines.append(f"    {', '.join(values)}: {counts[index]}")
    left = count - int(counts[shown].sum())
    if left:
        lines.append(f"    other combinations, not listed: {left} in all")
    elif len(combinations) < prod(variable.cardinality for variable in dossier.variables):
        lines.append("    any other: 0")
    return "\n".join(lines)


def logs_text(dossier: Dossier) -> str:
    """Tell the logs of decisions, counted."""
    lines = []
    known = {decision.id: decision for decision in dossier.decisions}
    for name, log in dossier.logs.items():
        labels = known[name].actions if name in known else ()
        lines.append(
            f"Decision '{name}' was made {_times(len(log['action']))} by others, who may have "
            f"known more than you are told. By what was seen, done and earned:"
        )
        fields = (log["obs"].tolist(), *(log[each].tolist() for each in _LOGGED))
        entries = Counter((tuple(seen), *rest) for seen, *rest in zip(*fields, strict=True))
        for (seen, code, reward, terminal, source), count in entries.most_common():
            facts = _seen(dossier.variables, seen)
            label = labels[code] if 0 <= code < len(labels) else f"action {code}"
            end = "" if terminal else ", and the episode went on"
            lines.append(
                f"    {facts}; {label}: {_times(count)}, reward {digits(reward)}, "
                f"recorded by {source}{end}"
            )
    return "\n".join(lines)


def _seen(variables: Sequence[Variable], codes: Sequence[int]) -> str:
    facts = [
        f"{variable.name}={(variable.values or ())[code]}"
        for variable, code in zip(variables, codes, strict=True)
        if 0 <= code < len(variable.values or ())
    ]
    return ", ".join(facts) or "nothing seen"


def cases_text(count: int) -> str:
    """Count cases."""
    return "1 case" if count == 1 else f"{count} cases"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
