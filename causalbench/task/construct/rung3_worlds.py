"""One unit taken through several courses, for many worlds at once: what a rung-3 search sums over.

A course sets some variables, each to a value or to what it is in another course. A variable has a
copy in every course; copies with the same causes are one and the same. The copies of one mechanism
share its noise: its coupling says how. Written one after another, each given those before it, they
make a plain network, and `Batch.law` does the rest.

Reference:
    Balke and Pearl (1994), Probabilistic evaluation of counterfactual queries: twin networks.
    Shpitser and Pearl (2007), What counterfactuals can be tested: which copies are the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.scm.couplings import coupling_text
from causalbench.task.construct.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.net import Floats

    Codes = NDArray[np.int64]
    Courses = Mapping[str, Mapping[str, int | str]]

__all__ = ["NATURAL", "Copies", "joint_law", "unrolled"]

NATURAL = ""
"""The course in which nothing is set."""

_MOST = 2**19  # the most numbers of one table over all candidates


@dataclass(frozen=True)
class Copies:
    """Which copies of which variables some courses need.

    Args:
        places: (variable, course) -> the copy's name, or the code that the course sets.
        rows: variable -> its copies that matter, each with its causes: copies' names, or codes.
    """

    places: Mapping[tuple[str, str], str | int]
    rows: Mapping[str, Mapping[str, tuple[str | int, ...]]]

    @classmethod
    def of(
        cls,
        parents: Mapping[str, tuple[str, ...]],
        courses: Courses,
        asked: Sequence[tuple[str, str]],
    ) -> Copies:
        """Make the copies.

        Args:
            parents: variable -> its parents, parents first.
            courses: name -> variable -> the code it is set to, or the course, named earlier, whose
                value it takes.
            asked: the (variable, course) pairs that are looked at; what bears on none is left out.
        """
        places: dict[tuple[str, str], str | int] = {}
        rows: dict[str, dict[str, tuple[str | int, ...]]] = {}
        for name, above in parents.items():
            known: dict[tuple[str | int, ...], str] = {}
            for course, settings in courses.items():
                if name in settings:
                    value = settings[name]
                    places[name, course] = places[name, value] if isinstance(value, str) else value
                    continue
                causes = tuple(places[cause, course] for cause in above)
                places[name, course] = known.setdefault(causes, name + "'" * len(known))
            rows[name] = {copy: causes for causes, copy in known.items()}
        above_of = {copy: causes for each in rows.values() for copy, causes in each.items()}
        needed: set[str | int] = set()
        stack: list[str | int] = [places[each] for each in asked]
        while stack:
            copy = stack.pop()
            if isinstance(copy, str) and copy not in needed:
                needed.add(copy)
                stack.extend(above_of[copy])
        kept = {
            name: {copy: causes for copy, causes in each.items() if copy in needed}
            for name, each in rows.items()
        }
        return cls(places, kept)

    @property
    def twice(self) -> list[str]:
        """The variables that have two copies or more."""
        return [name for name, each in self.rows.items() if len(each) > 1]


def unrolled(batch: Batch, copies: Copies, couplings: Mapping[str, Coupling]) -> Batch:
    """Write the copies as a plain network.

    Args:
        batch: the worlds' tables.
        copies: of the batch's variables.
        couplings: variable -> its coupling, of all that have two copies or more.

    Returns:
        A batch over the copies' names.

    Raises:
        TooWideError: a table would be too large.
    """
    cards: dict[str, int] = {}
    parents: dict[str, tuple[str, ...]] = {}
    cpts: dict[str, Floats] = {}
    for name, each in copies.rows.items():
        if not each:
            continue
        cards.update(dict.fromkeys(each, batch.cards[name]))
        coupling = couplings.get(name, "monotone")
        # Twins differ in one coupling, and what is done after a case leaves most copies as they
        # are: the tables of a batch are asked for again and again.
        key = name, coupling_text(coupling), tuple(each.items())
        if key not in batch.noted:
            batch.noted[key] = _chain(batch, name, coupling, each, cards)
        for copy, (above, table) in batch.noted[key].items():
            parents[copy], cpts[copy] = above, table
    return Batch(cards, parents, cpts, batch.hidden.intersection(cards))


def _chain(
    batch: Batch,
    name: str,
    coupling: Coupling,
    copies: Mapping[str, tuple[str | int, ...]],
    cards: Mapping[str, int],
) -> dict[str, tuple[tuple[str, ...], Floats]]:
    """Write the copies of a variable one after another, each given its causes and those before it.

    Raises:
        TooWideError: a table would be too large.
    """
    made: dict[str, tuple[tuple[str, ...], Floats]] = {}
    own = list(copies)
    joint: Floats = np.ones(len(batch))
    seen: tuple[str, ...] = ()
    for number, copy in enumerate(own):
        rows = [copies[other] for other in own[: number + 1]]
        axes = tuple(dict.fromkeys(c for row in rows for c in row if isinstance(c, str)))
        shape = tuple(cards[axis] for axis in axes)
        if len(batch) * math.prod(shape) * batch.cards[name] ** (number + 1) > _MOST:
            msg = f"the copies of '{name}' make a table of over {_MOST} numbers."
            raise TooWideError(msg)
        places = [_places(batch, name, row, axes, shape) for row in rows]
        wide = _coupled(batch, name, coupling, places)
        # The causes that are new come last among the causes, before the answers.
        split = 1 + len(seen)
        new = (1,) * (len(axes) - len(seen))
        below = joint.reshape((*joint.shape[:split], *new, *joint.shape[split:], 1))
        below = np.broadcast_to(below, wide.shape)
        table = np.divide(wide, below, out=np.zeros_like(wide), where=below > 0.0)
        made[copy] = (*axes, *own[:number]), table
        joint, seen = wide, axes
    return made


def joint_law(
    batch: Batch,
    couplings: Mapping[str, Coupling],
    copies: Copies,
    asked: Sequence[tuple[str, str]],
) -> Floats:
    """Return the joint law of variables in several courses, float64[candidate, *asked].

    Args:
        batch: the worlds' tables.
        couplings: variable -> its coupling, of all that have two copies or more.
        copies: of the batch's variables, for what is asked or more.
        asked: (variable, course) pairs; what a course sets is allowed, and so are equal copies.

    Raises:
        TooWideError: a table would be too large.
    """
    places = [copies.places[each] for each in asked]
    axes = list(dict.fromkeys(place for place in places if isinstance(place, str)))
    cells = math.prod(batch.cards[name] for name, _ in asked)
    if len(batch) * cells > _MOST:
        msg = f"what is asked has a table of over {_MOST} numbers."
        raise TooWideError(msg)
    law = unrolled(batch, copies, couplings).law(axes)
    # What is set, or stands there already, has one value: an axis that is zero elsewhere.
    for number, (place, (name, _)) in enumerate(zip(places, asked, strict=True)):
        if isinstance(place, str) and place not in places[:number]:
            continue
        card = batch.cards[name]
        shape = [1] * number
        if isinstance(place, str):
            shape[places.index(place)] = card
            only = np.eye(card).reshape(*shape, card)
        else:
            only = (np.arange(card) == place).astype(np.float64).reshape(*shape, card)
        rest = law.ndim - 1 - number
        law = np.expand_dims(law, 1 + number) * only.reshape(*only.shape, *(1,) * rest)
    return law


def _places(
    batch: Batch, name: str, row: Sequence[str | int], axes: Sequence[str], shape: tuple[int, ...]
) -> Codes:
    """Return the number of the row of a table that a copy reads, for all values of some causes."""
    grid = np.indices(shape)
    place = np.zeros(shape, dtype=np.int64)
    for cause, parent in zip(row, batch.parents[name], strict=True):
        code = grid[axes.index(cause)] if isinstance(cause, str) else cause
        place = place * batch.cards[parent] + code
    return place


def _coupled(batch: Batch, name: str, coupling: Coupling, places: Sequence[Codes]) -> Floats:
    """Return the joint law of the answers at some rows, float64[candidate, *causes, *answers]."""
    if not isinstance(coupling, str) and "mixture" in coupling:
        parts = zip(coupling["mixture"]["weights"], coupling["mixture"]["of"], strict=True)
        laws = [weight * _coupled(batch, name, part, places) for weight, part in parts]
        return reduce(np.add, laws)
    table = batch.cpts[name].reshape(len(batch), -1, batch.cards[name])
    if coupling == "independent":
        return reduce(np.multiply, [_own(table, places, number) for number in range(len(places))])
    high = np.cumsum(table, axis=-1)
    low = np.concatenate([np.zeros_like(high[..., :1]), high[..., :-1]], axis=-1)
    if not isinstance(coupling, str):
        axis = batch.parents[name].index(coupling["antitone"]["in"])
        sizes = [batch.cards[parent] for parent in batch.parents[name]]
        turned = (np.indices(sizes)[axis].reshape(-1, 1) % 2) == 1
        low, high = np.where(turned, 1.0 - high, low), np.where(turned, 1.0 - low, high)
    # A value answers to an interval of the unit's quantile; several answers, to what they share.
    count = len(places)
    ends = [_answer(high[:, place], number, count) for number, place in enumerate(places)]
    starts = [_answer(low[:, place], number, count) for number, place in enumerate(places)]
    return np.maximum(reduce(np.minimum, ends) - reduce(np.maximum, starts), 0.0)


def _own(table: Floats, places: Sequence[Codes], number: int) -> Floats:
    """Return the law of one answer given those before it, where rows answer each on its own."""
    count, place = len(places), places[number]
    part = _answer(table[:, place], number, count)
    for earlier, before in enumerate(places[:number]):
        # At one row there is one answer.
        sizes = [1] * count
        sizes[earlier] = sizes[number] = table.shape[-1]
        same = np.eye(table.shape[-1]).reshape((1,) * (1 + place.ndim) + tuple(sizes))
        equal = (place == before).reshape((1, *place.shape, *(1,) * count))
        part = np.where(equal, same, part)
    return part


def _answer(law: Floats, number: int, count: int) -> Floats:
    """Put the last axis at its place among the axes of several answers."""
    sizes = (1,) * number + law.shape[-1:] + (1,) * (count - number - 1)
    return law.reshape(law.shape[:-1] + sizes)
