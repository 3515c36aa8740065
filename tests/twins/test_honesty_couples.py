"""Honesty items in couples: questions that read alike, one settled and one open."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from causalbench.query import parse
from causalbench.task.answer import Abstain
from causalbench.task.certificates import decision_certificate
from causalbench.task.check_suite import check_cases
from causalbench.task.encode import canonical_json, key_from_dict, key_to_dict
from causalbench.task.honesty import KINDS, WIDTH, honesty_case
from causalbench.task.honesty_couples import COUPLED
from causalbench.task.lab import Lab
from causalbench.task.suite import case_to_dict
from causalbench.task.twin import LAB
from causalbench.truth import certify, truth, value

COUNT = 16  # of a kind; one turn of every form
DECIDED = "untried-acts"
ESTIMATED = tuple(kind for kind in COUPLED if kind != DECIDED)


@pytest.fixture(scope="module")
def made():
    """Sixteen cases of each kind."""
    return {
        kind: [honesty_case("test", kind, index, 0, lab=LAB) for index in range(COUNT)]
        for kind in COUPLED
    }


@pytest.mark.parametrize("kind", COUPLED)
def test_verdicts_take_turns(made, kind):
    """Half of a kind is open."""
    verdicts = [case.items[0].key.certificate.identified for case in made[kind]]
    assert verdicts == [False, True] * (COUNT // 2)


@pytest.mark.parametrize("kind", COUPLED)
def test_nothing_is_wrong_with_the_items(made, kind):
    """Certificates, ids and the way to JSON and back are as a suite's must be."""
    assert check_cases(made[kind]) == []


@pytest.mark.parametrize("kind", COUPLED)
def test_the_same_seed_gives_the_same_item(made, kind):
    """Whatever else was built before it."""
    again = honesty_case("test", kind, 3, 0, lab=LAB)
    assert canonical_json(case_to_dict(again)) == canonical_json(case_to_dict(made[kind][3]))


@pytest.mark.parametrize("kind", ESTIMATED)
def test_bounds_are_sharp_and_two_worlds_attain_them(made, kind):
    """The certificate is made again, and its witnesses are evaluated by themselves."""
    for case in made[kind][: COUNT // 2 : 2]:
        item = case.items[0]
        found = certify(case.scm, item.question.query, case.dossier.knowledge)
        assert item.key.certificate.bounds == pytest.approx((found.lower, found.upper))
        ends = [value(each.scm, item.question.query) for each in found.witnesses]
        assert ends == pytest.approx(item.key.certificate.bounds, abs=1e-9)
        assert found.upper - found.lower >= WIDTH


@pytest.mark.parametrize("kind", COUPLED)
def test_a_couple_asks_the_same_in_the_same_words(made, kind):
    """But for the names of variables, which mean nothing, and an order that follows from them."""
    for first, second in zip(made[kind][::2], made[kind][1::2], strict=True):
        assert _features(first) == _features(second)


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUPLED)
def test_a_reader_of_the_question_alone_cannot_tell(kind):
    """A classifier by counts of words is at chance on couples that it did not learn from."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score

    cases = [honesty_case("test", kind, index, 1, lab=LAB) for index in range(60)]
    counts = [_features(case) for case in cases]
    words = sorted({word for each in counts for word in each})
    data = np.array([[each.get(word, 0) for word in words] for each in counts], dtype=float)
    verdicts = np.array([case.items[0].key.certificate.identified for case in cases])
    model = LogisticRegression(max_iter=2000)
    folds = GroupKFold(5)
    couples = np.arange(60) // 2
    score = cross_val_score(model, data, verdicts, groups=couples, cv=folds).mean()
    assert score <= 0.5 + 3 * np.sqrt(0.25 / 60)  # three standard errors of a coin


def _features(case):
    """Count the words of a question, each variable's name as one word."""
    text = case.items[0].question.text
    text = re.sub(rf"\b({'|'.join(case.dossier.names)})\b", "NAME", text)
    found = {}
    for word in re.sub(r"[(),;]", " ", text).split():
        found[word] = found.get(word, 0) + 1
    return found


def test_effects_with_a_diagram_are_asked_in_several_forms_and_shapes(made):
    """Four types of question; shapes of the literature."""
    traits = [case.placement.traits for case in made["drawn-effects"]]
    assert {trait.form for trait in traits} == {
        "interventional",
        "ATE",
        "conditional-interventional",
        "CDE",
    }
    assert len({trait.motif for trait in traits}) >= 6
    assert {trait.size for trait in traits} == {"small", "medium"}
    assert {trait.access for trait in traits} == {"diagram-see-exact"}


def test_an_effect_that_is_settled_is_not_what_watching_shows(made):
    """The see reading is more than 0.05 off, save in the two shapes where it seldom is."""
    for case in made["drawn-effects"]:
        if case.placement.traits.motif not in {"confounded-mediation", "napkin"}:
            key = case.items[0].key
            assert abs(key.truth - key.readings["see"]) > 0.05


def test_something_is_hidden_whether_an_effect_is_settled_or_not(made):
    """Else a diagram without ``<->`` would give the verdict away, with nothing to work out."""
    assert all(case.dossier.diagram.bidirected for case in made["drawn-effects"])


def test_what_a_watched_unit_was_is_said_by_leaving_one_of_two_values(made):
    """Open items leave two of three values; the question is the same."""
    for case in made["watched-units"]:
        item = case.items[0]
        ((_, quantity),) = parse(item.question.query).terms
        atoms = (*quantity.event, *quantity.given)
        (told,) = [atom for atom in atoms if atom.op == "!="]
        known = {variable.name: variable.cardinality for variable in case.dossier.variables}
        assert known[told.term.variable] == (2 if item.key.certificate.identified else 3)


def test_assumptions_are_true_and_told_to_both_halves(made):
    """Each PN, PS and PNS item tells of one monotone effect; only that of x settles it."""
    seen = set()
    for case in (*made["drawn-units"], *made["tried-units"]):
        if case.placement.traits.form in {"PN", "PS", "PNS"}:
            (told,) = case.dossier.knowledge.assumptions
            seen.add(case.items[0].key.certificate.identified)
            assert told.startswith("monotone: ")
            assert told in case.dossier.text
    assert seen == {True, False}


def test_the_best_open_action_cannot_be_tried(made):
    """The lab refuses it in a plain line, and charges nothing."""
    for case in made[DECIDED][::2]:
        key, question = case.items[0].key, case.items[0].question
        name, label = key.truth.split("=")
        assert name not in case.dossier.knowledge.manipulable
        lab = Lab(case.scm, case.dossier, np.random.default_rng(0))
        before = lab.spent
        with pytest.raises(Exception, match=f"'{name}' may not be set in this lab"):
            lab.do({name: label})
        assert lab.spent == before
        assert len(question.actions) == len(key.values) == len(key.certificate.option_bounds)


def test_some_settled_actions_cannot_be_tried_either(made):
    """So what may be set does not tell which half it is."""
    untried = [
        key.truth.split("=")[0] not in case.dossier.knowledge.manipulable
        for case in made[DECIDED][1::2]
        for key in (case.items[0].key,)
    ]
    assert any(untried)
    assert not all(untried)


def test_options_bounds_hold_the_values_and_leave_every_action_in_doubt(made):
    """Each action may fall short of another by the margin, as its certificate says again."""
    for case in made[DECIDED][::2]:
        key = case.items[0].key
        (decision,) = case.dossier.decisions
        ends = key.certificate.option_bounds
        again = decision_certificate(case.scm, decision, case.dossier.knowledge)
        assert again.option_bounds == ends
        assert again.sharp
        for place, (low, high) in enumerate(ends):
            assert low - 1e-9 <= key.values[place] <= high + 1e-9
            others = max(most for at, (_, most) in enumerate(ends) if at != place)
            assert others - low >= WIDTH - 1e-9


def test_an_act_is_worth_what_the_engine_says(made):
    """Each value is the probability of the goal under the action."""
    for case in made[DECIDED][:6]:
        (decision,) = case.dossier.decisions
        ((_, goal),) = decision.utility
        values = [
            float(truth(case.scm, f"P({goal} | do({action}))").value) for action in decision.actions
        ]
        assert case.items[0].key.values == pytest.approx(values, abs=1e-11)


def test_a_key_with_option_bounds_survives_json(made):
    """And one without keeps the bytes that it had."""
    opened, settled = (made[DECIDED][place].items[0].key for place in (0, 1))
    assert key_from_dict(key_to_dict(opened)) == opened
    assert "option_bounds" in key_to_dict(opened)["certificate"]
    assert "option_bounds" not in key_to_dict(settled)["certificate"]


def test_a_reply_that_it_cannot_be_known_is_read(made):
    """The question says how; the answer is a verdict."""
    question = made[DECIDED][0].items[0].question
    assert "cannot be determined" in question.text
    assert question.parse("cannot be determined") == Abstain(
        "'cannot be determined'", unidentified=True
    )


def test_kinds_of_couples_are_kinds():
    """Recipes name them as they name the others."""
    assert set(COUPLED) < set(KINDS)
    assert all(len(KINDS[kind]) == 3 for kind in KINDS)


def test_items_of_a_kind_share_no_id(made):
    """Dossiers and questions, over all kinds."""
    cases = [case for kind in made for case in made[kind]]
    ids = sorted(name for case in cases for name in (case.dossier.id, case.items[0].question.id))
    assert all(first != second for first, second in pairwise(ids))
