"""No simple reading of the seen law gets by on rung-2 pairs, whichever the diagram suggests."""

from __future__ import annotations

import numpy as np
import pytest
from rung2_oracle import draft_of

from causalbench.query import parse
from causalbench.rng import generator
from causalbench.task.construct.batch import draw_batch
from causalbench.task.construct.lures import Lures
from causalbench.task.construct.lures_batch import READERS, Readings
from causalbench.task.construct.net import Net
from causalbench.task.construct.rung2_moves import confounded, diagram_of
from causalbench.truth import truth

SHOWN = ("mechanisms", "diagram-see-exact", "diagram-do")
SHAPE = {"z": (), "x": ("z",), "m": ("x",), "y": ("x", "m", "z"), "s": ("y", "x")}
CARDS = {"z": 2, "x": 3, "m": 2, "y": 2, "s": 2}


@pytest.fixture(scope="module")
def batch():
    """Three candidates of z -> x -> m -> y with x -> y turned into confounding."""
    return confounded(draw_batch(generator(2, "readers"), SHAPE, CARDS, 3), "x", ["y"], "uh0")


def least_losses(draft):
    """The gap, and for each side how far the best of the older readers is off."""
    query = parse(draft.query, draft.sides[0].vocabulary)
    nets = tuple(Net.from_scm(side) for side in draft.sides)
    lures = Lures(nets)
    truths = [float(truth(side, query).value) for side in draft.sides]
    lost = []
    for side, value in enumerate(truths):
        said = 0.0
        for weight, quantity in query.terms:
            (atom,) = quantity.event
            ((x, label),) = atom.term.subscript
            seen = [each.term.variable for each in quantity.given]
            cards = [nets[0].cards[name] for name in seen]
            codes = [int(each.value) for each in quantity.given]
            row = int(np.ravel_multi_index(codes, cards)) if seen else 0
            table = lures.read(side, x, int(label), atom.term.variable, seen)
            said = said + weight * table[:, row, int(atom.value)]
        lost.append(float(np.abs(said - value).min()))
    return abs(truths[0] - truths[1]), lost


@pytest.mark.parametrize("form", ["interventional", "ATE", "CATE"])
@pytest.mark.parametrize("access", SHOWN)
@pytest.mark.parametrize("index", range(3))
def test_the_older_readers_lose_the_floor_too(form, access, index):
    """Even the luckiest of them on either side lose together as much as one answer for both."""
    gap, lost = least_losses(draft_of(form, access, "mediation", index))
    assert lost[0] + lost[1] >= gap - 1e-9


@pytest.mark.parametrize("form", ["CDE", "joint-intervention", "soft-intervention"])
@pytest.mark.parametrize("access", SHOWN)
def test_watching_or_ignoring_never_pays(form, access):
    """Reading P(y | x) on one side and P(y) on the other, or either on both, loses the floor."""
    draft = draft_of(form, access, "front-door", 2)
    found = [truth(side, draft.query) for side in draft.sides]
    lost = [
        min(abs(each.value - each.readings[kind]) for kind in ("see", "marginal")) for each in found
    ]
    assert sum(lost) >= abs(found[0].value - found[1].value) - 1e-9


@pytest.mark.parametrize("form", ["interventional", "ATE", "CDE", "soft-intervention"])
def test_watching_misleads_in_both_worlds_on_every_pair_that_says_so(form):
    """Two pairs of five are asked for on which the see reading is more than 0.05 off twice."""
    for index in (0, 1):
        draft = draft_of(form, "diagram-see-exact", "fork", index)
        for side in draft.sides:
            answer = truth(side, draft.query)
            assert abs(answer.value - answer.readings["see"]) > 0.05


def test_readings_are_sums_of_the_seen_law(batch):
    """See, marginal, adjust and mediator of P(y | do(x)) are what pure Python makes of the law."""
    read = Readings.of(batch).read(diagram_of(batch), ("x",), "y", ())
    assert read.shape == (3, len(READERS), 3, 1, 2)
    for place in range(3):
        net = batch.pick(place)
        law = {codes: float(net.law(net.visible)[codes]) for codes in np.ndindex(2, 3, 2, 2, 2)}

        def p(event, law=law, names=net.visible):
            fits = [
                chance
                for codes, chance in law.items()
                if all(codes[names.index(name)] == code for name, code in event.items())
            ]
            return sum(fits)

        for x in range(3):
            fact = {"x": x, "y": 1}
            see = p(fact) / p({"x": x})
            adjust = sum(p({"z": z}) * p({**fact, "z": z}) / p({"x": x, "z": z}) for z in (0, 1))
            through = sum(
                p({"x": x, "m": m}) / p({"x": x}) * p({"m": m, "y": 1}) / p({"m": m})
                for m in (0, 1)
            )
            said = dict(zip(READERS, read[place, :, x, 0, 1], strict=True))
            assert said["see"] == pytest.approx(see, abs=1e-12)
            assert said["marginal"] == pytest.approx(p({"y": 1}), abs=1e-12)
            assert said["half"] == pytest.approx((see + p({"y": 1})) / 2, abs=1e-12)
            assert said["adjust"] == said["parents"] == pytest.approx(adjust, abs=1e-12)
            assert said["mediator"] == pytest.approx(through, abs=1e-12)
            assert said["last-mediator"] == pytest.approx(p({"y": 1}), abs=1e-12)


def test_adjusting_with_evidence_of_either_kind_is_right_where_nothing_is_hidden():
    """With z before x and s after y, adjusting gives P(y | do(x), z) and P(y | do(x), s)."""
    base = draw_batch(generator(3, "readers"), SHAPE, CARDS, 2)
    for seen in (("z",), ("s",), ("s", "z")):
        said = Readings.of(base).read(diagram_of(base), ("x",), "y", seen)
        for place, x in np.ndindex(2, 3):
            law = base.pick(place).law((*seen, "y"), {"x": x}).reshape(-1, 2)
            right = law / law.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(said[place, READERS.index("adjust"), x], right, atol=1e-12)


def test_a_bow_seldom_tells_on_which_side_of_a_policy_watching_is_farther_off():
    """Mostly it is drawn between cause and outcome on both sides or on neither.

    Where one side has the arrow and the other the bow, the one with the bow is farther off. No
    coin can turn that round, so such pairs are not made of the effect that is asked about first.
    """
    alone = 0
    for index in range(24):
        motif = ("back-door", "chain", "collider")[index % 3]
        draft = draft_of("soft-intervention", "diagram-see-exact", motif, index)
        query = parse(draft.query, draft.sides[0].vocabulary)
        atom = query.terms[0][1].event[0]
        ends = tuple(sorted((atom.term.subscript[0][0], atom.term.variable)))
        alone += len({ends in side.diagram.bidirected for side in draft.sides}) > 1
    assert alone <= 24 // 6


@pytest.mark.parametrize("form", ["interventional", "conditional-interventional"])
def test_the_side_with_more_ways_is_farther_off_by_turns(form):
    """Of pairs that differ in the ways, all of one turn go one way, and the next the other way."""
    found = {True: set(), False: set()}
    for index in range(16):
        draft = draft_of(form, "diagram-see-exact", "collider", index)
        (atom,) = parse(draft.query, draft.sides[0].vocabulary).terms[0][1].event
        x, y = atom.term.subscript[0][0], atom.term.variable
        answers = [truth(side, draft.query) for side in draft.sides]
        off = [abs(each.value - each.readings["see"]) for each in answers]
        ways = [
            len({*each.children(x)} & {y, *each.ancestors([y])})
            for each in (side.diagram for side in draft.sides)
        ]
        if ways[0] != ways[1]:
            turn = (index + index // 8) % 2 == 1
            found[turn].add((ways[0] > ways[1]) == (off[0] > off[1]))
    assert found == {True: {True}, False: {False}}
