"""Find what of a step is read when, so that a law over it can drop the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.scm.program import Program

__all__ = ["Layout", "live"]


class Layout:
    """The columns of a step, by key, in the order in which they are drawn.

    With V slots, key v < V is slot v in the acted course, V + v its value one step earlier, and
    2 V + v and 3 V + v the same in nature's course, where that is a different one.

    Args:
        program: what is played.
        regime: what is shown.
        logged: whether actions are read off what nature does.

    Attributes:
        cards: key -> number of codes.
        late: (slot, the keys that are read after it), for what follows the action.
        early: likewise for what comes before it; nature's own values last.
        state: the keys that a state is made of.
        entry: the earlier values that a step begins with.
        overridden: the slots that every action sets, so that their mechanisms count for nothing.
        twins: the slots whose noise has already spoken in nature's course.
        shown_late: (slot, stride) of late slots that the next observation shows.
        shown_early: key -> stride of what the observation before the action shows.
        unseen: the code of an observation that shows nothing.
        views: the number of codes of observations.
    """

    def __init__(
        self, program: Program, regime: Literal["do", "intent", "replay"], *, logged: bool
    ) -> None:
        count = len(program.names)
        self._count = count
        self.cards = {c * count + v: int(program.cards[v]) for c in range(4) for v in range(count)}
        # A play that redoes a unit shows nothing of a fresh one.
        blind = program.play.mode == "redo" and regime != "replay"
        shown = [int(slot) for slot in program.seen]
        self.strides = {}
        self.views, self.unseen = 1, 0
        for slot in reversed(shown):
            self.strides[slot] = self.views
            self.unseen += self.views * int(program.cards[slot])
            self.views *= int(program.cards[slot]) + 1
        shown = [] if blind else shown
        alive = live(program, keep_forced=logged or regime == "intent")
        early = [v for v in range(count) if v in alive and program.early[v]]
        late = [v for v in range(count) if v in alive and not program.early[v]]
        choices = [v for v in shown if program.forced[v]] if regime == "intent" else []
        natural = [v for v in _upstream(program, choices) if not program.early[v]]
        self._natural = set(natural)
        self.twins = set(natural) if regime == "intent" else set()
        if regime == "replay":
            self.twins = set(alive)
        self.shown_late = [
            (v, self.strides[v]) for v in shown if not program.early[v] and v not in set(choices)
        ]
        self.shown_early = {v: self.strides[v] for v in shown if program.early[v]}
        self.shown_early |= {2 * count + v: self.strides[v] for v in choices}
        terms = [*program.terms, *program.goal_terms]
        terms += [] if program.ends is None else [program.ends]
        final = {slot for term in terms for slot, _ in term.atoms}
        final |= {v for v in alive if program.carried[v]}
        final |= {v for v, _ in self.shown_late}
        if logged:
            final |= {int(v) for v in np.flatnonzero(program.forced)}
        reads = {v: self._reads(program, v) for v in range(count)}
        self.overridden = frozenset[int]()
        if not (logged or regime == "intent"):
            self.overridden = frozenset(int(v) for v in np.flatnonzero((program.force >= 0).all(0)))
        reads |= {v: set() for v in self.overridden}
        if regime == "intent":
            for v in natural:
                reads[v] |= {2 * count + v, *(self.twin(p) for p in reads[v])}
        self.late, before = _needed([(v, reads[v]) for v in late], final)
        self.state = tuple(sorted(before))
        own = [(v, reads[v]) for v in early]
        own += [(2 * count + v, {self.twin(p) for p in self._reads(program, v)}) for v in natural]
        self.early, entry = _needed(own, before)
        self.entry = tuple(sorted(entry))

    def twin(self, key: int) -> int:
        """Return the key of the same value in nature's course."""
        if not self._natural:
            return key + 2 * self._count
        return key + 2 * self._count if key in self._natural else key

    def _reads(self, program: Program, slot: int) -> set[int]:
        return {int(p) for lines in (program.first, program.later) for p in lines[slot].parents}


def live(program: Program, *, keep_forced: bool) -> set[int]:
    """Return the slots that rewards, goals, ends or observations depend on.

    Args:
        program: what is played.
        keep_forced: whether nature's own choices matter even where every action overrides them.
    """
    terms = [*program.terms, *program.goal_terms]
    terms += [] if program.ends is None else [program.ends]
    found = {slot for term in terms for slot, _ in term.atoms} | {int(v) for v in program.seen}
    if keep_forced:
        found |= {int(v) for v in np.flatnonzero(program.forced)}
    always = set() if keep_forced else {int(v) for v in np.flatnonzero((program.force >= 0).all(0))}
    count, queue = len(program.names), list(found)
    while queue:
        slot = queue.pop()
        if slot in always:
            continue
        for lines in (program.first, program.later):
            for parent in lines[slot].parents:
                if (of := int(parent) % count) not in found:
                    found.add(of)
                    queue.append(of)
    return found


def _upstream(program: Program, slots: Iterable[int]) -> list[int]:
    """Return slots and what they depend on within a step, in causal order."""
    count = len(program.names)
    found = set(slots)
    for slot in range(count - 1, -1, -1):
        if slot in found:
            for lines in (program.first, program.later):
                found |= {int(p) for p in lines[slot].parents if p < count}
    return sorted(found)


def _needed(
    draws: list[tuple[int, set[int]]], final: set[int]
) -> tuple[list[tuple[int, frozenset[int]]], set[int]]:
    """Return each draw with what is read after it, and what is read before all of them."""
    needed, found = set(final), []
    for key, reads in reversed(draws):
        found.append((key, frozenset(needed)))
        needed = (needed - {key}) | reads
    return found[::-1], needed
