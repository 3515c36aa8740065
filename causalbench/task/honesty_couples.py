"""Honesty items in couples: an open one and a settled one whose questions read alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.task.construct.generate import ATTEMPTS
from causalbench.task.honesty_acts import act_sketch, untried_act
from causalbench.task.honesty_effects import (
    drawn_effect,
    drawn_sketch,
    watched_sketch,
    watched_unit,
)
from causalbench.task.honesty_items import Place, certified, dressed
from causalbench.task.honesty_units import (
    drawn_unit,
    drawn_unit_sketch,
    tried_unit,
    tried_unit_sketch,
)
from causalbench.task.terms import terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from causalbench.task.honesty_items import Asked, Sketch
    from causalbench.task.types import Case
    from causalbench.truth import Knowledge

__all__ = ["COUPLED", "couple_case"]


class _Maker(NamedTuple):
    """How items of a kind are made.

    Attributes:
        rung: of the cell.
        access: on which terms they are given.
        sketch: draws what a couple has in common.
        attempt: draws a world and asks; None where it fits nothing.
    """

    rung: int
    access: str
    sketch: Callable[[np.random.Generator, int], Sketch]
    attempt: Callable[..., Asked | None]


_MAKERS: Mapping[str, _Maker] = {
    "drawn-effects": _Maker(2, "diagram-see-exact", drawn_sketch, drawn_effect),
    "watched-units": _Maker(2, "lab-see-4096", watched_sketch, watched_unit),
    "untried-acts": _Maker(2, "lab-do-4096", act_sketch, untried_act),
    "drawn-units": _Maker(3, "diagram-do", drawn_unit_sketch, drawn_unit),
    "tried-units": _Maker(3, "lab-do-4096", tried_unit_sketch, tried_unit),
}

COUPLED: Mapping[str, tuple[int, str, Knowledge]] = {
    kind: (maker.rung, terms(maker.access).cell, terms(maker.access).knowledge())
    for kind, maker in _MAKERS.items()
}
"""Kind -> rung of the cell, cell, and what is known there; an item may be told a little more."""


def couple_case(suite: str, kind: str, index: int, seed: int) -> Case:
    """Build one item; even indices are open, odd ones settled, and 2k and 2k + 1 are a couple.

    Args:
        suite: name of the suite.
        kind: a key of `COUPLED`.
        index: the item's number.
        seed: of the suite.

    Raises:
        TwinError: no attempt gave an item; take another seed.
    """
    task, maker = f"{suite}/honesty/{kind}", _MAKERS[kind]
    number, still_open = index // 2, index % 2 == 0
    sketch = maker.sketch(draws.generator(seed, f"{task}/sketch", number), number)
    rng = draws.generator(seed, task, index)
    private, search = draws.child(rng), draws.child(rng)
    for _ in range(ATTEMPTS):
        asked = maker.attempt(search, sketch, still_open=still_open)
        found = None if asked is None else certified(asked)
        if asked is not None and found is not None and found.identified != still_open:
            place = Place(f"{task}/{index}", kind, maker.rung, maker.access)
            return dressed(asked, sketch, place, private)
    msg = f"no honesty item of kind '{kind}' was found in {ATTEMPTS} attempts; take another seed."
    raise TwinError(msg)
