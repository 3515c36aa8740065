"""Records and questions made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causalbench.score import Record
from causalbench.task.answer import Estimate
from causalbench.task.types import Certificate, Key, Question

PLAIN = Record(
    agent="a",
    control=False,
    repeat=0,
    dossier="d0",
    question="q0",
    kind="estimate",
    track="estimates",
    cell="lab",
    group="learning",
    rung=2,
    role="skill",
    pair="p0",
    side=0,
    base="b0",
    status="answered",
    loss=0.0,
    floor=0.4,
    weight=1.0,
    identified=True,
    truth=0.7,
    readings={"marginal": 0.5, "see": 0.2, "do": 0.7, "imagine": 0.7},
    answer=Estimate(0.7),
)


@pytest.fixture
def record():
    """Return a function that makes a record, each field overridable by keyword."""
    return lambda **fields: replace(PLAIN, **fields)


@pytest.fixture
def pair(record):
    """Return a function that makes the two records of a pair with the losses given."""

    def make(name, losses, **fields):
        sides = ("x", "y")
        return [
            record(
                pair=name,
                side=side,
                dossier=f"{name}{sides[side]}",
                question=f"{name}{sides[side]}q",
                loss=losses[side],
                **{"base": name, **fields},
            )
            for side in (0, 1)
        ]

    return make


@pytest.fixture
def number():
    """Return a question that asks for a number, and its key: truth .7, floor .4."""
    key = Key(
        "q",
        2,
        0.7,
        {"see": 0.2, "do": 0.7},
        Certificate(identified=True, proof="by hand"),
        floor=0.4,
    )
    return Question("q", "P(y=1 | do(x=1))", "estimate"), key


@pytest.fixture
def decision():
    """Return a decision and its key: values .2, .9, .5, weight .5, floor .3."""
    question = Question("q", "argmax ...", "act", actions=("pass", "x=1", "x=0"), decision_id="d")
    key = Key(
        "q",
        2,
        "x=1",
        {"see": "x=0", "do": "x=1"},
        Certificate(identified=True, proof="by hand"),
        values=(0.2, 0.9, 0.5),
        weight=0.5,
        floor=0.3,
    )
    return question, key
