"""Pairs told in every surface, and the reader of texts that tests hold the writer to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from causalbench.rng import child, generator
from causalbench.task.construct.generate import generate
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.suite import make
from causalbench.task.surface import tell
from causalbench.task.twin import LAB

sys.path.insert(0, str(Path(__file__).parent))

from told_builders import PLACES


@pytest.fixture(scope="session")
def drafts():
    """One pair of each rung, track and cell, as drawn: place -> draft."""
    return {
        place: generate(generator(3, "surfaces", index), *place, index)
        for index, place in enumerate(PLACES)
    }


@pytest.fixture(scope="session")
def cases(drafts):
    """The same pairs told in every surface: (place, surface) -> the case of side 0."""
    found = {}
    for place, draft in drafts.items():
        for surface in ("plain", "sensible", "nonsense", "anti-commonsense"):
            rng = generator(5, f"{place}/{surface}")
            told = tell(draft, surface, child(rng))
            _, track, cell = place
            where = Place("told", track, cell, 0, story=told.story, phrases=told.phrases)
            lab = {**LAB, "rows": 300}
            found[place, surface] = pair_cases(told.draft, where, lab=lab, rng=child(rng))[0]
    return found


@pytest.fixture(scope="session")
def mini():
    """A few cases of every part of ladder-mini."""
    return make("ladder-mini", seed=1, limit=18)


@pytest.fixture(scope="session")
def umbrellas():
    """The whole of umbrella-rain: listed twins, honesty items, a world's own questions."""
    return make("umbrella-rain", seed=2)
