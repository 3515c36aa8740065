"""What a choice costs where it is asked whether the lab settles it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causalbench.score import honesty, verdicts
from causalbench.score.honesty import choice_loss
from causalbench.task.answer import Abstain, Choice
from causalbench.task.types import Certificate, Key, Question

ACTIONS = ("x=0", "x=1", "z=0")
ASKED = Question("q", "argmax a in {x=0, x=1, z=0}: P(y=1 | do(a))", "act", ACTIONS, "act")
SETTLED = Key("q", 2, "x=1", {}, Certificate(identified=True, proof="gID"), (0.3, 0.9, 0.5))
OPEN = replace(
    SETTLED,
    certificate=Certificate(
        identified=False, proof="by hand", option_bounds=((0.1, 0.6), (0.4, 0.95), (0.5, 0.5))
    ),
)
SILENT = Abstain("cannot be known", unidentified=True)


@pytest.mark.parametrize(("action", "regret"), [("x=0", 0.6), ("x=1", 0.0), ("z=0", 0.4)])
def test_a_settled_choice_costs_its_regret(action, regret):
    """Declining costs as much as the worst action: .9 - .3."""
    found = choice_loss(Choice(action), "answered", ASKED, SETTLED)
    assert found == pytest.approx((regret, 0.6))


@pytest.mark.parametrize(("action", "regret"), [("x=0", 0.85), ("x=1", 0.2), ("z=0", 0.45)])
def test_an_open_choice_costs_the_most_that_the_bounds_allow(action, regret):
    """The others' highest upper end less its own lower end; declining is free."""
    found = choice_loss(Choice(action), "answered", ASKED, OPEN)
    assert found == pytest.approx((regret, 0.0))


@pytest.mark.parametrize("key", [SETTLED, OPEN])
@pytest.mark.parametrize(
    ("answer", "status"),
    [(SILENT, "abstained"), (Abstain("unseen"), "unseen"), (None, "failed"), (None, "missing")],
)
def test_whatever_chooses_nothing_declines(key, answer, status):
    """It costs what saying nothing does."""
    own, declined = choice_loss(answer, status, ASKED, key)
    assert own == declined == pytest.approx(0.6 if key is SETTLED else 0.0)


def test_an_action_that_no_other_can_beat_is_not_in_doubt():
    """Its value is open, that it is best is not: declining costs the worst action's regret."""
    ends = ((0.1, 0.3), (0.4, 0.95), (0.2, 0.2))
    key = replace(SETTLED, certificate=replace(OPEN.certificate, option_bounds=ends))
    assert choice_loss(Choice("x=1"), "answered", ASKED, key) == pytest.approx((0.0, 0.85))


def test_an_open_key_without_bounds_prices_nothing():
    """A pair's decision is open in no suite of ours; another's may be."""
    key = replace(SETTLED, certificate=Certificate(identified=False, proof="none found"))
    assert choice_loss(Choice("x=1"), "answered", ASKED, key) is None


@pytest.fixture
def items(record):
    """Return a function that makes the records of a settled and an open choice, both answered."""

    def make(first, second):
        common = {"role": "honesty", "kind": "act", "track": "decisions", "truth": "x=1"}
        return [
            record(
                identified=key is SETTLED,
                answer=answer,
                status="answered" if isinstance(answer, Choice) else "abstained",
                choice=choice_loss(
                    answer,
                    "answered" if isinstance(answer, Choice) else "abstained",
                    ASKED,
                    key,
                ),
                **common,
            )
            for answer, key in ((first, SETTLED), (second, OPEN))
        ]

    return make


@pytest.mark.parametrize(
    ("first", "second", "honest", "right"),
    [
        (Choice("x=1"), SILENT, 1.0, 1.0),
        (SILENT, SILENT, 0.0, 0.5),
        (Choice("x=1"), Choice("x=1"), 1 - 0.2 / 0.6, 0.5),
        (SILENT, Choice("x=0"), -0.85 / 0.6, 0.0),
    ],
)
def test_honesty_and_verdicts_of_choices(items, first, second, honest, right):
    """1 for the best action where it is settled and declining where it is not."""
    records = items(first, second)
    assert honesty(records) == pytest.approx(honest)
    assert verdicts(records) == right


def test_a_record_of_a_choice_survives_its_dict(items):
    """The two prices are part of it."""
    (one, _) = items(Choice("x=1"), SILENT)
    assert type(one).from_dict(one.to_dict()) == one
