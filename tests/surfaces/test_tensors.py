"""Facts for neural agents: they give dossier and question back, in any order, in any batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from told_builders import PLACES, linear_world
from told_dossiers import VARIED, umbrella_dossier

from causalbench.errors import WorldError
from causalbench.query import parse
from causalbench.rng import generator, permutation
from causalbench.task.encode import canonical_json, dossier_to_dict
from causalbench.task.facts import KINDS
from causalbench.task.strata import SURFACES
from causalbench.task.tensor import (
    Facts,
    decode_facts,
    decode_question,
    encode_facts,
    pad,
    to_torch,
)
from causalbench.task.types import Dossier, Law, Question
from causalbench.truth.knowledge import Knowledge


def same(left, right):
    """Whether two dossiers are equal to the last bit, array types included."""
    text = canonical_json(dossier_to_dict(left))
    return (
        canonical_json(dossier_to_dict(right)) == text
        and left.rows.dtype == right.rows.dtype
        and [a.table.dtype for a in left.laws] == [b.table.dtype for b in right.laws]
        and (left.mechanisms is None or left.mechanisms.names == right.mechanisms.names)
    )


def shuffled(facts, seed=0):
    """Return the same set of facts in another order."""
    order = permutation(generator(seed, "facts"), len(facts))
    parts = {name: array[order] for name, array in facts.arrays.items()}
    return Facts(**parts, names=facts.names, labels=facts.labels, texts=facts.texts)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_facts_give_a_told_case_back(cases, place, surface):
    """Dossier and question of any rung, track and cell come back equal, but for words."""
    case = cases[place, surface]
    for item in case.items:
        facts = encode_facts(case.dossier, item.question)
        assert same(case.dossier, decode_facts(facts))
        assert decode_question(facts) == replace(item.question, text="")


@pytest.mark.parametrize("name", VARIED)
def test_facts_give_any_dossier_back(name):
    """Logs, tables without couplings, real variables, equations and large worlds come back."""
    dossier = VARIED[name]()
    assert same(dossier, decode_facts(encode_facts(dossier)))


def test_facts_give_ladder_mini_back(mini):
    """Every case of ladder-mini comes back, questions too."""
    for case in mini:
        for item in case.items:
            facts = encode_facts(case.dossier, item.question)
            assert same(case.dossier, decode_facts(facts))
            assert decode_question(facts) == replace(item.question, text="")


def test_facts_give_umbrella_rain_back(umbrellas):
    """So does every case of a named world's suite, with all its questions."""
    for case in umbrellas:
        for item in case.items:
            facts = encode_facts(case.dossier, item.question)
            assert same(case.dossier, decode_facts(facts))
            assert decode_question(facts) == replace(item.question, text="")


@pytest.mark.parametrize("name", VARIED)
def test_the_order_of_facts_means_nothing(name):
    """A set shuffled gives the same dossier."""
    dossier = VARIED[name]()
    assert same(dossier, decode_facts(shuffled(encode_facts(dossier))))


@pytest.mark.parametrize(
    "query",
    [
        "P(wet=yes, rain=no)",
        "P(wet=yes | do(seed=yes, umbrella=no), rain != no) - 0.25*P(wet=yes) + 0.5",
        "P(wet[seed=yes, rain=rain[seed=no], umbrella=umbrella[rain=rain[seed=yes]]]=yes)",
        "P(wet[seed=yes, umbrella=umbrella[]]=yes | wet=no, seed[umbrella=no]=no)",
        "P(wet[seed=yes]=yes, wet[seed=no]=no, rain[seed=yes]=yes | rain=no)",
    ],
)
def test_questions_of_any_form(query):
    """Joint, weighted, nested and cross-world queries come back equal."""
    question = Question("q", str(parse(query)), "estimate")
    for order in range(3):
        facts = shuffled(encode_facts(umbrella_dossier(), question), order)
        assert decode_question(facts) == question


def test_questions_about_real_variables():
    """Real values keep their digits in questions too."""
    scm = linear_world()
    dossier = Dossier("l", "lab", tuple(scm.variables.values()), Knowledge("do"))
    text = "E[z[x=0.1, y=y[x=-2.5]] | x=3.3] - 2*P(z > 1e-07, y <= 0.30000000000000004)"
    question = Question("q", str(parse(text, scm.vocabulary)), "estimate")
    assert decode_question(encode_facts(dossier, question)) == question


def test_numbers_survive_to_the_last_bit():
    """Probabilities and real values are kept as float64."""
    dossier = VARIED["salary"]()
    odd = np.nextafter(dossier.rows, np.inf)
    back = decode_facts(encode_facts(replace(dossier, rows=odd)))
    assert np.array_equal(back.rows, odd)
    assert not np.array_equal(back.rows, dossier.rows)


def test_shapes_are_as_stated():
    """Arrays have the shapes and types that the documentation gives."""
    facts = encode_facts(umbrella_dossier())
    count, width = len(facts), facts.codes.shape[1]
    shapes = {name: (array.shape, array.dtype.name) for name, array in facts.arrays.items()}
    assert shapes == {
        "kind": ((count,), "int64"),
        "place": ((count, 2), "int64"),
        "variables": ((count, width), "int64"),
        "codes": ((count, width), "int64"),
        "number": ((count,), "float64"),
    }
    assert facts.kind.min() > 0
    assert facts.kind.max() < len(KINDS)
    assert facts.variables.max() < len(facts.names) == len(facts.labels)


@pytest.mark.parametrize("name", VARIED)
def test_a_batch_holds_each_set(name):
    """Cutting a batch by its mask gives every set back."""
    many = [encode_facts(VARIED[name]()), encode_facts(umbrella_dossier())]
    batch = pad(many)
    assert batch["mask"].sum(axis=1).tolist() == [len(facts) for facts in many]
    assert (batch["kind"][~batch["mask"]] == 0).all()
    for row, facts in enumerate(many):
        mine = batch["mask"][row]
        parts = {part: batch[part][row, mine] for part in facts.arrays}
        cut = Facts(**parts, names=facts.names, labels=facts.labels, texts=facts.texts)
        assert same(decode_facts(facts), decode_facts(cut))


def test_an_empty_batch_is_refused():
    """There is nothing to put together."""
    with pytest.raises(WorldError, match="at least one"):
        pad([])


def test_tensors_of_torch():
    """Indices become int64, numbers float32 or, where exactness is asked for, float64."""
    import torch

    facts = encode_facts(umbrella_dossier())
    tensors = to_torch(facts)
    assert tensors["codes"].dtype == torch.int64
    assert tensors["number"].dtype == torch.float32
    exact = to_torch(pad([facts, facts]), exact=True)
    assert exact["number"].dtype == torch.float64
    assert exact["mask"].dtype == torch.bool
    assert np.array_equal(exact["number"][1].numpy(), facts.number)


def test_odd_couplings_and_assumptions_are_kept_as_texts():
    """What has no usual form comes back all the same."""
    texts = (
        "as the wind blows",
        '{"mixture": {"of": ["monotone"], "weights": [1]}}',
        '{"antitone": {"in": "nobody"}}',
        '{"antitone": {"in": "seed", "by": 2}}',
        '{"mixture": []}',
        "{broken",
        "{}",
        '{"mixture": {"of": [], "weights": []}}',
        "independent",
        '{"antitone": {"in": "seed"}}',
    )
    told = (*(f"coupling:wet={text}" for text in texts), "monotone: x -> y", "monotone:rain->wet")
    dossier = replace(
        umbrella_dossier(),
        couplings=tuple(("wet", text) for text in texts),
        knowledge=Knowledge("do", "mechanisms", told),
    )
    assert same(dossier, decode_facts(shuffled(encode_facts(dossier))))


@pytest.mark.parametrize("manipulable", [None, (), ("wet", "seed")])
def test_what_may_be_set(manipulable):
    """Nothing said, nothing allowed and a list are three things."""
    knowledge = Knowledge("do", "none", (), manipulable)
    dossier = replace(umbrella_dossier(), knowledge=knowledge, diagram=None, mechanisms=None)
    assert decode_facts(encode_facts(dossier)).knowledge == knowledge


def test_impossible_cells_are_left_out():
    """Cells of probability zero need no fact."""
    dossier = umbrella_dossier()
    table = np.zeros((2, 2, 2, 2))
    table[1, 0, 1, 0] = 1.0
    facts = encode_facts(replace(dossier, laws=(Law((), table),)))
    assert len(facts.of("probability")) == 1
    assert np.array_equal(decode_facts(facts).laws[0].table, table)


def test_variables_are_declared_alike():
    """Mechanisms that list a visible variable's values otherwise are refused."""
    dossier = umbrella_dossier()
    turned = dossier.mechanisms.relabel({"rain": [1, 0]})
    with pytest.raises(WorldError, match="'rain' is declared otherwise"):
        encode_facts(replace(dossier, mechanisms=turned))


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (Question("q", "P(y=1)", "estimate"), "no variable"),
        (Question("q", "P(rain=maybe)", "estimate"), "no value"),
        (Question("q", "argmax a in {rain=yes}: P(wet=yes | do(a))", "estimate"), "a choice"),
        (Question("q", "", "act", decision_id="nap"), "'nap' is not of this dossier"),
    ],
)
def test_questions_of_another_dossier(question, told):
    """A question that is not of the dossier is refused in one line."""
    with pytest.raises(WorldError, match=told):
        encode_facts(umbrella_dossier(), question)


def test_facts_without_a_question():
    """Reading a question where there is none is refused."""
    with pytest.raises(WorldError, match="0 facts of kind 'question'"):
        decode_question(encode_facts(umbrella_dossier()))


def test_a_fact_that_comes_twice():
    """A dossier has one regime; two are refused."""
    facts = encode_facts(umbrella_dossier())
    parts = {name: np.concatenate([array, array]) for name, array in facts.arrays.items()}
    with pytest.raises(WorldError, match="exactly one"):
        decode_facts(Facts(**parts, names=facts.names, labels=facts.labels, texts=facts.texts))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("codes", lambda array: np.where(array >= 0, 99, array)),
        ("codes", lambda array: array[:-1]),
        ("place", lambda array: array.reshape(-1)),
        ("variables", lambda array: array.reshape(-1)),
        ("kind", lambda array: array[:-1]),
    ],
)
def test_facts_that_were_changed_or_cut(name, change):
    """Arrays that point nowhere, or do not fit each other, are refused in one line."""
    facts = encode_facts(umbrella_dossier())
    broken = replace(facts, **{name: change(getattr(facts, name))})
    with pytest.raises(WorldError) as caught:
        decode_facts(broken)
    assert "\n" not in str(caught.value)
