"""treatment-course: the sick are treated, and the drug helps late."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.task.sequential import load_family
from causalbench.truth.laws import law
from causalbench.truth.policy import Moment, references

FAMILY = load_family("treatment-course")


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_treated_fare_worse_and_are_helped(level: str) -> None:
    """In the log the treated have more symptoms, that week; the drug lessens the next week's."""
    scm = FAMILY.world(1, level).process.unroll(2)
    joint = law(scm, ["drug_1", "symptoms_1"])
    assert joint[1, 1] / joint[1].sum() > joint[0, 1] / joint[0].sum() + 0.5
    after = [law(scm, ["symptoms_2"], {"drug_1": given})[1] for given in ("no", "yes")]
    assert after[1] < after[0] - 0.2


def test_the_drug_hardly_helps_at_once() -> None:
    """Within the week the drug takes away a tenth of the symptoms at most."""
    scm = FAMILY.world(2).process.first
    now = [law(scm, ["symptoms"], {"drug": given})[1] for given in ("no", "yes")]
    assert 0 < now[0] - now[1] < 0.1


def test_load_counts_what_was_taken() -> None:
    """What has built up rises by one with each dose, and falls by one without."""
    scm = FAMILY.world(0).process.unroll(3)
    for doses, load in (("no no", 0), ("yes no", 0), ("no yes", 1), ("yes yes", 2)):
        first, second = doses.split()
        law_ = law(scm, ["load_3"], {"drug_1": first, "drug_2": second})
        assert law_[load] == pytest.approx(1.0)


def test_best_treatment_goes_by_history() -> None:
    """On one and the same observation the best policy treats or not, by what came before."""
    program = FAMILY.world(0).program()
    policy = references(program, ("do",))["do"].policy
    assert policy is not None
    chosen: dict[bytes, set[int]] = {}
    blank = np.array([[2, 3, 2, 2, 1, 0]], dtype=np.uint8)  # marker, load, drug, symptoms
    for first in range(2):
        for second in range(2):
            for then in range(2):
                for course in np.ndindex(2, 2):
                    chosen_by = _play(policy, blank, first, second, then, course)
                    for seen, action in chosen_by:
                        chosen.setdefault(seen, set()).add(action)
    assert any(len(actions) == 2 for actions in chosen.values())


def _play(policy, blank, first: int, second: int, then: int, course) -> list[tuple[bytes, int]]:
    """Return the third week's observation and choice, for a course of markers and symptoms."""
    memory, action, reward = policy.begin(1), np.array([-1]), np.zeros(1)
    doses: list[int] = []
    found = []
    for step, marker in enumerate((first, second, then)):
        seen = blank.copy()
        load = 0
        for dose in doses:
            load = min(2, load + 1) if dose else max(0, load - 1)
        seen[0, :2] = marker, load
        if step:
            seen[0, 2:4] = doses[-1], course[step - 1]
        law_, memory = policy.act(Moment(seen, action, reward, step), memory)
        action = np.argmax(law_, axis=1)
        doses.append(int(action[0]))
        if step == 2:
            found.append((seen.tobytes(), doses[-1]))
    return found
