"""Build one pair of twins, anywhere, from its suite, seed and place alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.rng import child, generator
from causalbench.task.construct.forge import forge
from causalbench.task.construct.generate import generate
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.surface import tell
from causalbench.task.types import Traits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.task.construct.draft import Draft
    from causalbench.task.strata import Stratum
    from causalbench.task.types import Case

__all__ = ["LAB", "make_pair", "stratum_draft", "stratum_pair"]

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


def stratum_pair(suite: str, stratum: Stratum, index: int, seed: int) -> tuple[Case, Case]:
    """Build a pair of a stratum; the same arguments give the same bytes in any process.

    Args:
        suite: name of the suite, or of the practice stream.
        stratum: what kind of pair.
        index: the pair's number in its stratum.
        seed: of the suite.

    Returns:
        The two cases, side 0 first; a private coin says which world is which.

    Raises:
        TwinError: no attempt kept the margins.
    """
    draft, place, private = stratum_draft(suite, stratum, index, seed)
    return pair_cases(draft, place, lab={}, rng=private)


def stratum_draft(
    suite: str, stratum: Stratum, index: int, seed: int
) -> tuple[Draft, Place, np.random.Generator]:
    """Draw the pair that `stratum_pair` dresses.

    Args:
        suite: name of the suite, or of the practice stream.
        stratum: what kind of pair.
        index: the pair's number in its stratum.
        seed: of the suite.

    Returns:
        The two worlds and the question in the words of their surface, where the pair stands, and
        what draws everything that is private.

    Raises:
        TwinError: no attempt kept the margins.
    """
    rng = generator(seed, f"{suite}/{stratum.name}", index)
    private, search, words = child(rng), child(rng), child(rng)
    order = stratum.order(index)
    told = tell(forge(search, order), stratum.surface(index), words)
    place = Place(
        suite,
        stratum.kind.track,
        stratum.terms.cell,
        index,
        story=told.story,
        phrases=told.phrases,
        terms=stratum.terms,
        traits=Traits(
            form=order.form,
            access=stratum.access,
            size=order.size,
            motif=told.draft.motif,
            family=order.family,
            surface=stratum.surface(index),
        ),
    )
    return told.draft, place, private
