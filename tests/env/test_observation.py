"""The encoding that environments and questions share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalbench.errors import NotFoundError, UnknownNameError
from causalbench.scm import Variable
from causalbench.task.observation import ObservationSpace
from causalbench.task.types import UNSEEN, Decision, Question

SPACE = ObservationSpace(
    (
        [Variable("a", ("no", "yes")), Variable("b", ("lo", "mid", "hi")), Variable("t", None)],
        [
            Decision("d0", "act", ("pass", "a=yes"), ((1.0, "b=hi"),)),
            Decision("d1", "bet", ("a=no",)),
        ],
    )
)


def test_nvec_counts_unseen_modes_and_goals():
    """Each variable has one code more than values; a real one has only "unseen"."""
    assert SPACE.nvec.tolist() == [3, 4, 1, 3, 2]


def test_encode_puts_codes_mode_and_goal():
    """Seen values give their index, unseen ones the cardinality, then mode and goal."""
    assert SPACE.encode({"b": "mid"}, "redo", "d1").tolist() == [2, 1, 0, 2, 1]


def test_encode_question_uses_kind_and_decision():
    """A question and an environment of the same decision speak one language."""
    question = Question("q", "", "act", ("pass",), "d0", {"a": "yes", "b": UNSEEN})
    assert (
        SPACE.encode_question(question).tolist() == SPACE.encode({"a": "yes"}, "act", "d0").tolist()
    )


@given(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)))
def test_decode_is_the_inverse(code):
    """Encoding what was decoded gives the same vector back."""
    a, b, mode, goal = code
    vector = np.array([a, b, 0, mode, goal])
    assert SPACE.encode(*SPACE.decode(vector)).tolist() == vector.tolist()


def test_codes_and_labels_agree():
    """Encoding by codes, -1 for unseen, equals encoding by labels."""
    codes = np.array([[1, -1, -1], [-1, 2, -1]])
    expected = [
        SPACE.encode({"a": "yes"}, "act", "d0").tolist(),
        SPACE.encode({"b": "hi"}, "act", "d0").tolist(),
    ]
    assert expected == SPACE.encode_codes(codes, "act", "d0").tolist()


@pytest.mark.parametrize(
    ("observation", "mode", "decision", "error"),
    [
        ({"c": "no"}, "act", "d0", UnknownNameError),
        ({"a": "maybe"}, "act", "d0", UnknownNameError),
        ({"t": "1.5"}, "act", "d0", UnknownNameError),
        ({}, "watch", "d0", UnknownNameError),
        ({}, "act", "d9", NotFoundError),
    ],
)
def test_what_does_not_exist_is_refused(observation, mode, decision, error):
    """Unknown variables, values, modes and decisions each raise one line."""
    with pytest.raises(error, match=r"^[^\n]+$"):
        SPACE.encode(observation, mode, decision)
