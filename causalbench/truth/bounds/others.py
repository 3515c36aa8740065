"""Bound a query with witnesses that hold all that is known, and look further where none are met."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from causalbench.errors import CausalBenchError, TooWideError
from causalbench.truth.bounds.door import bounds
from causalbench.truth.bounds.nearby import nearby_witnesses
from causalbench.truth.bounds.redrawn import redrawn, turned
from causalbench.truth.bounds.shown import shown_bounds
from causalbench.truth.bounds.witness import witness
from causalbench.truth.permitted import Permitted
from causalbench.truth.witnesses import TOLERANCE, largest_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.query.ast import Query
    from causalbench.truth.bounds.types import Bounds
    from causalbench.truth.certificate import Witness

__all__ = ["bounds_with_witnesses"]

_COUNTERFACTUAL = 3


def bounds_with_witnesses(permitted: Permitted, query: Query) -> Bounds:
    """Bound a query; where the witnesses of the bounds prove nothing, look for others.

    Args:
        permitted: what is known.
        query: over visible variables.

    Returns:
        The bounds. Their witnesses are None, or have one value, where none were found that differ.
    """
    found = bounds(permitted, query)
    if not _kept(permitted, found.witnesses):
        # The bounds know of experiments alone; what is told of units run again narrows them down.
        found = replace(found, sharp=False, witnesses=None)
    if found.upper - found.lower <= TOLERANCE or _apart(found.witnesses):
        return found
    for pair in _others(permitted, query):
        if _apart(pair) and _kept(permitted, pair):
            low, high = pair[0].value, pair[1].value
            return replace(found, inner_lower=low, inner_upper=high, witnesses=pair)
    return found


def _apart(pair: tuple[Witness, Witness] | None) -> bool:
    """Tell whether witnesses differ."""
    return pair is not None and pair[1].value - pair[0].value > TOLERANCE


def _kept(permitted: Permitted, pair: tuple[Witness, Witness] | None) -> bool:
    """Tell whether witnesses agree with the world on single units, where regimes tell of them."""
    if pair is None or permitted.knowledge.rung < _COUNTERFACTUAL:
        return True
    world = permitted.scm
    try:
        return all(largest_difference(permitted, world, w.scm) <= TOLERANCE for w in pair)
    except TooWideError:
        return False


def _others(permitted: Permitted, query: Query) -> Iterator[tuple[Witness, Witness]]:
    """Yield further pairs of worlds with the permitted laws; they may have one value.

    Where no diagram is shown, worlds of one diagram and one law are among those of one law: so the
    diagram of the world itself serves, and any with idle arrows besides.
    """
    world = permitted.scm
    drawn = replace(permitted.knowledge, shown="diagram")
    if permitted.knowledge.shown != "none":
        near = nearby_witnesses(permitted, world, query)
        if near is not None:
            yield near
        return
    for each in (world, *redrawn(world, query)):
        known = Permitted(each, drawn)
        try:
            pair = shown_bounds(known, each, query).witnesses
        except CausalBenchError:
            pair = None  # another diagram may be easier
        near = nearby_witnesses(known, each, query)
        yield from (found for found in (pair, near) if found is not None)
    other = None
    if not permitted.manipulable and not permitted.knowledge.assumptions:
        other = turned(world, query)
    if other is not None:
        with suppress(CausalBenchError):  # its condition may never happen there
            both = [witness(permitted, world, each, query) for each in (world, other)]
            low, high = sorted(both, key=lambda each: each.value)
            yield low, high
