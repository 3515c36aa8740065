"""anticausal-proxy: the gauge tells all and does nothing."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.task.sequential import load_family
from causalbench.truth.laws import law
from causalbench.truth.policy import natural, references

FAMILY = load_family("anticausal-proxy")


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_gauge_foretells_and_changes_nothing(level: str) -> None:
    """P(warm) is high where the gauge stands high, and the same whoever sets it."""
    scm = FAMILY.world(1, level).process.unroll(2)
    joint = law(scm, ["gauge_1", "warm_1"])
    plain = joint.sum(axis=0)[1]
    assert joint[1, 1] / joint[1].sum() > plain + 0.25
    for step in (1, 2):
        natural = law(scm, [f"warm_{step}"])
        np.testing.assert_allclose(law(scm, [f"warm_{step}"], {"gauge_1": "high"}), natural)


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_stove_works_better_than_it_looks(level: str) -> None:
    """What a fire goes with in the log is less than half of what it does."""
    scm = FAMILY.world(1, level).process.first
    joint = law(scm, ["stove", "warm"])
    looks = joint[1, 1] / joint[1].sum() - joint[0, 1] / joint[0].sum()
    does = np.subtract(*(law(scm, ["warm"], {"stove": to})[1] for to in ("on", "off")))
    assert does > 0.25
    assert looks < does / 2


def test_reader_of_the_log_gets_what_nature_gets() -> None:
    """Setting the needle is worth exactly as much as doing nothing."""
    program = FAMILY.world(0, "easy").program()
    read = references(program, ("see",))["see"].value.value
    assert read == pytest.approx(natural(program).value, abs=1e-12)
