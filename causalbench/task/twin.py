"""Build one pair of twins, anywhere, from its suite, seed and place alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.rng import child, generator
from causalbench.task.construct.generate import generate
from causalbench.task.dossiers import Place, pair_cases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.types import Case

__all__ = ["LAB", "make_pair"]

LAB: Mapping[str, int] = {"rows": 2000, "interventions": 8192, "replays": 8192}


def make_pair(
    place: Place, rung: int, seed: int, *, lab: Mapping[str, int] = LAB
) -> tuple[Case, Case]:
    """Build a generated pair; the same arguments give the same bytes in any process.

    Args:
        place: suite, track, cell and index.
        rung: 1, 2 or 3.
        seed: of the suite.
        lab: rows, interventions and replays of a lab.

    Returns:
        The two cases, side 0 first; a private coin says which world is which.
    """
    task = f"{place.suite}/{rung}/{place.track}/{place.cell}"
    rng = generator(seed, task, place.index)
    # The private draws do not depend on how many worlds the search threw away.
    private, search = child(rng), child(rng)
    draft = generate(search, rung, place.track, place.cell, place.index)
    return pair_cases(draft, place, lab=lab, rng=private)
