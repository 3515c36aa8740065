"""Sort skill by one trait of the tasks: type of question, access, size, and so on, a line each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from causalbench.errors import ScoreError, UnknownNameError, suggest
from causalbench.score.record import TRAITS
from causalbench.score.skill import scored, skill
from causalbench.score.table import GROUPS, TRACKS, maximum, numbers, seeded, split, status_counts
from causalbench.task.construct.order import SIZES
from causalbench.task.forms import FORMS
from causalbench.truth.knowledge import REGIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.score.record import Record

__all__ = ["BY", "said", "trait_rank", "trait_rows"]

BY = (*TRAITS, "construction")
_SIZES = tuple(SIZES)
_ACCESS = (
    "mechanisms",
    "diagram-see",
    "diagram-do",
    "diagram-do-coupled",
    *(f"lab-{regime}" for regime in REGIMES),
)


def trait_rows(
    records: Sequence[Record], by: str, *, seed: int, digest: str
) -> list[dict[str, Any]]:
    """Compute one row for each (agent, track, group, rung, trait) that has pairs.

    Learning and reasoning are never pooled, nor are tracks; what a trait's row pools is said by
    the trait alone: the row of a type of question is over all the terms on which it is asked, that
    of an access over all the questions asked on it.

    Args:
        records: of all agents, in the order in which tables show the agents.
        by: one of `BY`.
        seed: seeds the bootstrap.
        digest: seeds the bootstrap too.

    Returns:
        Rows in the order of tracks, groups, rungs, the trait's values and agents; the trait's value
        stands under its own name, ``by``.

    Raises:
        UnknownNameError: no such trait.
        ScoreError: no pair says it.
    """
    if by not in BY:
        msg = f"there is no trait '{by}' to sort skill by; take one of {', '.join(BY)}."
        raise UnknownNameError(msg + suggest(by, BY))
    pairs = [record for record in scored(records) if getattr(record, by)]
    if not pairs:
        told = ", ".join(name for name in BY if said(records, name)) or "no trait at all"
        msg = f"no pair of this run says its {by}; the suite tells {told}."
        raise ScoreError(msg)
    order = {name: place for place, name in enumerate(dict.fromkeys(r.agent for r in records))}
    places = split(pairs, lambda one: (one.track, one.group, one.rung, getattr(one, by), one.agent))
    rows = []
    for place in sorted(places, key=lambda each: _rank(each, by, order)):
        held = places[place]
        track, group, rung, value, agent = place
        found = skill(held, rng=seeded(seed, digest, by, track, group, rung, value))
        rows.append(
            {
                "agent": agent,
                "track": track,
                "group": group,
                "rung": rung,
                by: value,
                **numbers(found),
                "maximum": maximum(held),
                "items": len({(one.dossier, one.question) for one in held}),
                "status_counts": status_counts(held),
                "control": held[0].control,
            }
        )
    return rows


def said(records: Sequence[Record], by: str) -> bool:
    """Say whether any pair tells a trait."""
    return any(getattr(record, by) for record in scored(records))


def trait_rank(by: str, value: str) -> tuple[int, float, str]:
    """Return the place of a trait's value among the others: by meaning where there is one."""
    if by == "form" and value in FORMS:
        return list(FORMS).index(value), 0.0, value
    if by == "size" and value in _SIZES:
        return _SIZES.index(value), 0.0, value
    if by == "access":
        kind, _, last = value.rpartition("-")
        units = float(last) if last.isdigit() else math.inf
        kind = kind if last.isdigit() or last == "exact" else value
        return _ACCESS.index(kind) if kind in _ACCESS else len(_ACCESS), units, value
    return 0, 0.0, value


def _rank(place: tuple[str, str, int, str, str], by: str, order: dict[str, int]) -> tuple[Any, ...]:
    track, group, rung, value, agent = place
    return TRACKS.index(track), GROUPS.index(group), rung, trait_rank(by, value), order[agent]
