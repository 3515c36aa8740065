"""Lay a diagram out as slots in causal order, and every input of every slot as one row.

A slot's distribution reads three blocks: its parents' values in this world; the *natural* values of
earlier variables that share its hidden causes (what they would have been, had nobody forced them);
and the values of those variables' parents. That is Tian's factorisation of a c-component, so a
decoder of this shape can fit any law of the diagram, and forcing a variable leaves its natural
value, which stands in for the hidden cause, where it was.

Reference: J. Tian (2002), Studies in causal reasoning and learning, lemma 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.graph import Diagram

__all__ = ["FEATURES", "MAX_CARD", "MAX_ROWS", "MAX_SLOTS", "Layout", "Slot", "fits", "lay_out"]

MAX_SLOTS = 8
MAX_CARD = 6
MAX_ROWS = 1024
FEATURES = 3 * MAX_SLOTS * MAX_CARD + MAX_SLOTS + MAX_CARD


@dataclass(frozen=True, slots=True)
class Slot:
    """One variable in causal order.

    Args:
        name: the variable.
        card: how many values it has.
        parents: slots of its parents.
        proxies: earlier slots of its c-component, read at their natural values.
        around: slots of the proxies' parents, parents of this slot excepted.
        offset: its first row among the layout's rows.
    """

    name: str
    card: int
    parents: tuple[int, ...]
    proxies: tuple[int, ...]
    around: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class Layout:
    """Slots in causal order."""

    slots: tuple[Slot, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables in causal order."""
        return tuple(slot.name for slot in self.slots)

    @property
    def rows(self) -> int:
        """How many rows (slot, setting of its inputs) there are."""
        last = self.slots[-1]
        return last.offset + self.settings(last)

    def inputs(self, slot: Slot) -> tuple[int, ...]:
        """Return the slots that a slot reads: parents, proxies, around."""
        return slot.parents + slot.proxies + slot.around

    def settings(self, slot: Slot) -> int:
        """Return how many settings a slot's inputs have."""
        return int(np.prod([self.slots[i].card for i in self.inputs(slot)], dtype=np.int64))

    def row_of(
        self, slot: Slot, current: Mapping[int, np.ndarray], natural: Mapping[int, np.ndarray]
    ) -> np.ndarray | int:
        """Return the row that a slot reads in each unit.

        Args:
            slot: which.
            current: slot -> value codes in this world, any shape.
            natural: slot -> value codes before anything was forced, the same shape.
        """
        row: np.ndarray | int = 0
        for i in slot.parents:
            row = row * self.slots[i].card + current[i]
        for i in slot.proxies:
            row = row * self.slots[i].card + natural[i]
        for i in slot.around:
            row = row * self.slots[i].card + current[i]
        return row + slot.offset

    @cached_property
    def features(self) -> np.ndarray:
        """One-hot description of every row, float32 [rows, FEATURES]."""
        table = np.zeros((self.rows, FEATURES), dtype=np.float32)
        block = MAX_SLOTS * MAX_CARD
        for position, slot in enumerate(self.slots):
            blocks = [0] * len(slot.parents) + [1] * len(slot.proxies) + [2] * len(slot.around)
            cards = [self.slots[i].card for i in self.inputs(slot)]
            for row, values in enumerate(np.ndindex(*cards)):
                line = table[slot.offset + row]
                for which, i, value in zip(blocks, self.inputs(slot), values, strict=True):
                    line[which * block + i * MAX_CARD + value] = 1.0
                line[3 * block + position] = 1.0
                line[3 * block + MAX_SLOTS + slot.card - 1] = 1.0
        return table

    @cached_property
    def legal(self) -> np.ndarray:
        """Which values each row's variable has, bool [rows, MAX_CARD]."""
        cards = np.concatenate([np.full(self.settings(s), s.card) for s in self.slots])
        return np.arange(MAX_CARD)[None, :] < cards[:, None]


def fits(cards: Sequence[int]) -> bool:
    """Say whether the decoder has room for that many variables of so many values."""
    return len(cards) <= MAX_SLOTS and max(cards) <= MAX_CARD


def lay_out(
    diagram: Diagram, cards: Mapping[str, int], *, order: tuple[str, ...] | None = None
) -> Layout:
    """Lay a diagram out.

    Args:
        diagram: over the variables.
        cards: how many values each has.
        order: a causal order to use, else the diagram's own.

    Raises:
        TooWideError: more slots, values or rows than the decoder has room for.
    """
    names = tuple(diagram.order()) if order is None else order
    if not fits([cards[name] for name in names]):
        msg = (
            f"the diagram has {len(names)} variables of up to {max(cards.values())} values; "
            f"the decoder holds {MAX_SLOTS} of up to {MAX_CARD}: abstain, or use another agent."
        )
        raise TooWideError(msg)
    place = {name: i for i, name in enumerate(names)}
    partners = _partners(diagram, place)
    slots: list[Slot] = []
    offset = 0
    for i, name in enumerate(names):
        parents = tuple(sorted(place[p] for p in diagram.parents(name)))
        proxies = tuple(sorted(_reach(i, partners)))
        around = {place[p] for j in proxies for p in diagram.parents(names[j])}
        slot = Slot(name, cards[name], parents, proxies, tuple(sorted(around - {*parents})), offset)
        slots.append(slot)
        read = (*slot.parents, *slot.proxies, *slot.around)
        offset += int(np.prod([cards[names[k]] for k in read], dtype=np.int64))
        if offset > MAX_ROWS:
            msg = f"the mechanisms read more than {MAX_ROWS} settings: abstain, or use another."
            raise TooWideError(msg)
    return Layout(tuple(slots))


def _partners(diagram: Diagram, place: Mapping[str, int]) -> list[set[int]]:
    """Return, per slot, the slots joined to it by a bidirected edge."""
    partners: list[set[int]] = [set() for _ in place]
    for a, b in diagram.bidirected:
        partners[place[a]].add(place[b])
        partners[place[b]].add(place[a])
    return partners


def _reach(i: int, partners: list[set[int]]) -> set[int]:
    """Return the earlier slots that bidirected edges among slots up to i join to slot i."""
    seen, front = {i}, [i]
    while front:
        for j in partners[front.pop()]:
            if j < i and j not in seen:
                seen.add(j)
                front.append(j)
    return seen - {i}
