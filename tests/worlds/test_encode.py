"""Dossiers, questions and keys survive JSON, and malformed records are refused in one line."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalbench.errors import AnswerError, WorldError
from causalbench.task.encode import (
    canonical_json,
    decision_from_dict,
    dossier_from_dict,
    dossier_to_dict,
    key_from_dict,
    key_to_dict,
    question_from_dict,
    rounded,
)
from causalbench.task.types import Certificate, Decision, Dossier, Key, Law, Question
from causalbench.task.world import list_worlds, load_world
from causalbench.truth import law
from causalbench.truth.knowledge import Budget, Knowledge


def full_dossier():
    """Return a dossier in which every field holds something."""
    world = load_world("umbrella-rain")
    scm = world.scm
    variables = tuple(scm.variable(name) for name in reversed(scm.visible))
    names = [variable.name for variable in variables]
    drawn = scm.draw(5, rng=np.random.default_rng(1))
    log = {
        "obs": np.array([[2, 2, 2, 2], [0, 1, 2, 2]]),
        "action": np.array([0, 2]),
        "reward": np.array([0.1, 1 / 3]),
        "terminal": np.array([True, True]),
        "source": np.array(["policy", "policy"]),
    }
    return Dossier(
        id="d7",
        cell="diagram",
        variables=variables,
        knowledge=Knowledge("do", "mechanisms", ("coupling:rain=monotone",)),
        budget=Budget(3, 2, 1),
        diagram=scm.diagram,
        mechanisms=scm,
        laws=(
            Law((), law(scm, names)),
            Law((("seed", "yes"),), law(scm, names, {"seed": "yes"})),
        ),
        couplings=(("rain", "monotone"), ("wet", "independent")),
        rows=np.stack([drawn[name] for name in names], axis=1),
        logs={"act-cheap": log},
        decisions=world.decisions,
        story="A town wants less rain.",
    )


def linear_dossier():
    """Return a small dossier of a linear world, with a row of real numbers."""
    scm = load_world("salary").scm
    variables = tuple(scm.variable(name) for name in scm.names)
    rows = np.array([[1.5, -2.25, 1 / 3]])
    return Dossier("d1", "mechanisms", variables, Knowledge(), mechanisms=scm, rows=rows)


def same(left, right):
    """Whether two dossiers are equal in content, arrays and their types included."""
    pairs = [
        (getattr(left, name), getattr(right, name))
        for name in [
            "id",
            "cell",
            "variables",
            "knowledge",
            "budget",
            "diagram",
            "mechanisms",
            "couplings",
            "decisions",
            "story",
        ]
    ]
    arrays = [(left.rows, right.rows)]
    arrays += [(a.table, b.table) for a, b in zip(left.laws, right.laws, strict=True)]
    for name, log in left.logs.items():
        arrays += [(array, right.logs[name][field]) for field, array in log.items()]
    return (
        all(a == b for a, b in pairs)
        and [a.do for a in left.laws] == [b.do for b in right.laws]
        and set(left.logs) == set(right.logs)
        and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in arrays)
    )


@pytest.mark.parametrize("make", [full_dossier, linear_dossier])
def test_dossier_survives_canonical_json(make):
    """A dossier comes back equal, to the last bit and in the same order of variables."""
    dossier = make()
    text = canonical_json(dossier_to_dict(dossier))
    back = dossier_from_dict(json.loads(text))
    assert same(dossier, back)
    assert canonical_json(dossier_to_dict(back)) == text
    if dossier.mechanisms is not None:
        assert back.mechanisms.names == dossier.mechanisms.names


def test_to_dict_of_a_dossier_is_this_encoding():
    """`Dossier.to_dict` gives the same bytes."""
    dossier = full_dossier()
    assert dossier.to_dict() == dossier_to_dict(dossier)


def test_empty_rows_keep_their_shape():
    """Rows of shape (0, k) come back with k columns."""
    dossier = linear_dossier()
    object.__setattr__(dossier, "rows", np.empty((0, 3), dtype=np.int64))
    assert dossier_from_dict(dossier_to_dict(dossier)).rows.shape == (0, 3)


def strip(record, path):
    """Return the record without the field at a path."""
    changed = copy.deepcopy(record)
    place = changed
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return changed


def put(record, path, value):
    """Return the record with another value at a path."""
    changed = copy.deepcopy(record)
    place = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize("name", sorted(dossier_to_dict(linear_dossier())))
def test_missing_field_of_a_dossier(name):
    """Every field of a dossier is needed."""
    with pytest.raises(WorldError, match=f"field '{name}' is missing"):
        dossier_from_dict(strip(dossier_to_dict(full_dossier()), [name]))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["side"], 1, "unknown field 'side'"),
        (["budget", "steps"], 1, "unknown field 'steps'"),
        (["variables", 0, "mean"], 1, "unknown field 'mean'"),
        (["knowledge", "key"], 1, "unknown field 'key'"),
        (["diagram", "latent"], [], "unknown field 'latent'"),
        (["mechanisms", "noise"], [], "unknown field 'noise'"),
        (["laws", 0, "error"], 0, "unknown field 'error'"),
        (["logs", "act-cheap", "unit"], [1, 2], "unknown field 'unit'"),
        (["decisions", 0, "best"], "pass", "unknown field 'best'"),
        (["id"], 3, "not text"),
        (["variables"], None, "malformed"),
        (["variables", 0, "values"], "no", "not a list"),
        (["variables", 0, "hidden"], 1, "not true or false"),
        (["budget", "rows"], -1, "whole number"),
        (["budget", "rows"], 1.5, "whole number"),
        (["rows", "codes"], [[0, 1]], "malformed"),
        (["rows", "codes"], [["x"] * 4], "malformed"),
        (["laws", 0, "table"], [0.5, 0.5], "shape"),
        (["logs", "act-cheap", "action"], [0], "unequal length"),
        (["couplings"], [["rain"]], "malformed"),
        (["decisions", 0, "mode"], "dance", "dance"),
        (["decisions", 1, "utility"], [["rain=yes", -1]], "malformed"),
    ],
)
def test_malformed_dossier(path, value, told):
    """An unknown or malformed field is refused in one line that names it."""
    with pytest.raises(WorldError) as caught:
        dossier_from_dict(put(dossier_to_dict(full_dossier()), path, value))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


QUESTION = Question(
    "q1", "P(y=1)", "act", ("pass", "x=1"), "act", {"z": "1", "w": "unseen"}, "What?"
)


@pytest.mark.parametrize("question", [QUESTION, Question("q2", "P(y=1)", "estimate")])
def test_question_survives_json(question):
    """A question comes back equal."""
    record = json.loads(canonical_json(question.to_dict()))
    assert question_from_dict(record) == question


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "guess"), ("id", None), ("actions", "pass"), ("observation", 3), ("truth", 0.5)],
)
def test_malformed_question(field, value):
    """A question with a wrong or unknown field, a truth above all, is refused."""
    with pytest.raises(WorldError, match="question"):
        question_from_dict({**QUESTION.to_dict(), field: value})


@pytest.mark.parametrize("name", list_worlds())
def test_decisions_survive_json(name):
    """Every shipped decision comes back equal from its own dict."""
    for decision in load_world(name).decisions:
        assert decision_from_dict(json.loads(json.dumps(decision.to_dict()))) == decision


def test_order_of_stated_facts_survives_sorting():
    """The order of a decision's stated facts outlives sorted JSON keys, in a dossier."""
    facts = (("wet", "no"), ("rain", "yes"))
    decision = Decision("r", "redo", ("pass", "seed=yes"), ((-1.0, "rain=yes"),), given=facts)
    dossier = linear_dossier()
    object.__setattr__(dossier, "decisions", (decision,))
    back = dossier_from_dict(json.loads(canonical_json(dossier_to_dict(dossier))))
    assert back.decisions[0].given == facts


KEY = Key(
    "q1",
    2,
    0.1 + 0.2,
    {"marginal": 1 / 3, "see": 0.5, "do": 0.3, "imagine": 0.3},
    Certificate(identified=False, proof="a program", bounds=(0.1, 2 / 3)),
    values=(0.1, 1 / 7),
    weight=0.25,
    floor=1e-13,
)


def test_key_is_written_to_12_digits():
    """Every number of a key has at most 12 digits after the point."""
    record = key_to_dict(KEY)
    assert record["truth"] == 0.3
    assert record["readings"]["marginal"] == 0.333333333333
    assert record["certificate"]["bounds"] == [0.1, 0.666666666667]
    assert record["values"] == [0.1, 0.142857142857]
    assert record["floor"] == 0.0


def test_key_survives_json_once_rounded():
    """Writing a key twice gives the same bytes: rounding is idempotent."""
    text = canonical_json(key_to_dict(KEY))
    assert canonical_json(key_to_dict(key_from_dict(json.loads(text)))) == text


def test_key_of_a_choice_keeps_its_labels():
    """A decision's key has labels for truth and readings."""
    key = Key("q", 3, "pass", {"see": "x=1"}, Certificate(True, "mechanisms shown"), (0.5, 1.0))  # noqa: FBT003
    assert key_from_dict(key_to_dict(key)) == key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["rung"], 4),
        (["rung"], True),
        (["truth"], None),
        (["truth"], float("nan")),
        (["readings", "see"], []),
        (["certificate", "identified"], "yes"),
        (["certificate", "bounds"], [0]),
        (["certificate", "bounds"], ["0", 1]),
        (["certificate", "witness"], 0.5),
        (["values"], [None]),
        (["weight"], "1"),
        (["extra"], 1),
    ],
)
def test_malformed_key(path, value):
    """A malformed key is refused in one line."""
    with pytest.raises(AnswerError, match="key") as caught:
        key_from_dict(put(key_to_dict(KEY), path, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("record", [None, [], "text", 3])
def test_records_of_other_types(record):
    """Anything but a mapping is refused."""
    with pytest.raises(AnswerError, match="mapping"):
        key_from_dict(record)
    with pytest.raises(WorldError, match="mapping"):
        dossier_from_dict(record)
    with pytest.raises(WorldError, match="mapping"):
        question_from_dict(record)


def test_canonical_json_is_canonical():
    """Keys are sorted, blanks are gone, text is ASCII."""
    assert canonical_json({"b": [1, 2.5], "a": "\u00e9"}) == '{"a":"\\u00e9","b":[1,2.5]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_canonical_json_refuses(value):
    """NaN, infinities and values without a JSON form are refused."""
    with pytest.raises(AnswerError, match="JSON"):
        canonical_json({"x": value})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_is_idempotent_and_unsigned(number):
    """Rounding twice is rounding once, moves by at most half a unit, and leaves no -0.0."""
    once = rounded(number)
    assert rounded(once) == once
    # Half a unit of the 12th digit, plus half a spacing of floats where they are coarser.
    assert abs(once - number) <= 0.5e-12 * (1 + 1e-3) + math.ulp(number)
    assert not str(once).startswith("-0.0") or once != 0
