"""Pairs for rung 3, to order: every form, several shapes, every kind of terms."""

from __future__ import annotations

import itertools
import re
from functools import cache

import numpy as np
import pytest
from unit_table import MOST, AllUnits, unit_count

from causalbench.errors import TooWideError
from causalbench.query import Probability, parse
from causalbench.query.render import render_quantity
from causalbench.rng import generator, permutation
from causalbench.scm.couplings import couple, coupling_text
from causalbench.task.certificates import item_certificate
from causalbench.task.construct import rung3
from causalbench.task.construct.asks import EVIDENCE, GAP
from causalbench.task.construct.net import cpt_of
from causalbench.task.construct.order import Order
from causalbench.task.construct.payoff import MARGIN, enough, floors
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.forms import FORMS
from causalbench.task.legal import check_decision, redo_problem
from causalbench.task.proof import prove
from causalbench.task.terms import terms
from causalbench.truth import Knowledge, truth

EXACT = 1e-9
CALLS = 1500
REPLAY, COUPLED, INTENT = "lab-replay-1024", "diagram-do-coupled", "lab-intent-1024"
MOTIFS = ("chain", "front-door", "feedback", "free")
ESTIMATES = [name for name, each in FORMS.items() if each.rung == 3 and each.track == "estimates"]
TREATED = ["ETT", "ETU"]
MADE = [
    *((form, REPLAY, motif) for form, motif in itertools.product(ESTIMATES, MOTIFS)),
    *((form, COUPLED, "back-door") for form in ESTIMATES if form not in TREATED),
    *((form, INTENT, "mediation") for form in [*TREATED, "unit"]),
    *((form, "mechanisms", "instrument") for form in ESTIMATES),
]
SHAPES = {
    "unit": r"P\(\w+\[.*\]=\d \| .*\)|P\(\w+=\d \| do\(.*",
    "ETT": r"ETT\(.*",
    "ETU": r"ETU\(.*",
    "PN": r"PN\(.*",
    "PS": r"PS\(.*",
    "PNS": r"PNS\(.*",
    "NDE": r"NDE\(.*; \w+\)",
    "NIE": r"NIE\(.*; \w+\)",
    "path-specific": r"P\(\w+\[.*\]=\d\) - P\(\w+=\d \| do\(\w+=\d\)\)",
    "cross-world": r"P\(\w+\[\w+=\d\]=\d, \w+\[\w+=\d\]=\d( \| .*)?\)",
    "but-for": r"P\(\w+\[\w+=\d\]!=\d \| (\w+=\d, ){2,3}\w+=\d\)",
    "actual-cause": r"AC\(\w+: \d -> \d; \w+=\d; \w+(, \w+){0,2}( \| .*)?\)",
}


@cache
def draft(form, access, motif, index=0, size="small"):
    """Return the first pair that the builder finds whose units can be listed."""
    order = Order(form, terms(access), size, motif, "discrete", index)
    for attempt in range(CALLS):
        try:
            found = rung3.build(generator(attempt, f"{form}{access}{motif}{index}"), order)
        except TooWideError:
            continue
        if found is not None and max(map(unit_count, found.sides)) <= MOST:
            return found
    pytest.fail(f"no pair for {form}, {access}, {motif} in {CALLS} calls")
    return None


@pytest.fixture(params=MADE, ids="/".join)
def made(request):
    """A pair of each kind, with what was ordered."""
    return request.param, draft(*request.param)


def test_answers_lie_apart_by_adding_up_units(made):
    """Both answers, and the probability of what is known, unit by unit; and so says the engine."""
    _, pair = made
    units = [AllUnits(scm) for scm in pair.sides]
    values = [each.value(pair.query) for each in units]
    assert abs(values[0] - values[1]) >= GAP - EXACT
    for scm, each, number in zip(pair.sides, units, values, strict=True):
        assert truth(scm, pair.query).value == pytest.approx(number, abs=EXACT)
        assert each.evidence(pair.query) >= EVIDENCE - EXACT


def test_experiments_agree_by_adding_up_units(made):
    """Watching, every single intervention, and some joint ones: the law of all that is visible."""
    _, pair = made
    units = [AllUnits(scm) for scm in pair.sides]
    names = pair.sides[0].visible
    cards = {name: pair.sides[0].variable(name).cardinality for name in names}
    acts = [{}, *({name: code} for name in names for code in range(cards[name]))]
    for turn in range(4):
        order = permutation(generator(turn, "joint"), len(names))[:2]
        acts.append({names[int(place)]: turn % 2 for place in order})
    for do in acts:
        first, second = (each.joint(names, do) for each in units)
        np.testing.assert_allclose(first, second, atol=1e-12)


def test_lower_readings_agree(made):
    """What a perfect solver of the rungs below answers is the same in both."""
    _, pair = made
    first, second = (truth(scm, pair.query).readings for scm in pair.sides)
    for kind in ("marginal", "see", "do"):
        assert first[kind] == pytest.approx(second[kind], abs=EXACT)


def test_the_proof_goes_through(made):
    """The local identities, on all that is there."""
    _, pair = made
    rng = generator(0, "proof")
    assert prove(pair.sides, 3, rng=rng, mixed=pair.mixed)["max_deviation"] <= EXACT


def test_the_question_is_of_its_form(made):
    """It is written as its form is, and of rung 3."""
    (form, access, _), pair = made
    assert re.fullmatch(SHAPES[form], pair.query), pair.query
    assert parse(pair.query, pair.sides[0].vocabulary).rung == 3
    if access == INTENT and form == "unit":
        assert re.fullmatch(r"P\(\w+\[(\w+)=\d\]=\d \| \1=\d\)", pair.query)


def test_what_is_given_settles_it(made):
    """By the certificate of the terms, in both worlds."""
    (_, access, _), pair = made
    for scm, told in zip(pair.sides, pair.couplings, strict=True):
        names = tuple(f"coupling:{name}={coupling_text(each)}" for name, each in told.items())
        known = terms(access).knowledge(names)
        assert item_certificate(scm, parse(pair.query, scm.vocabulary), known).identified


@pytest.mark.parametrize("form", [name for name in ESTIMATES if name not in TREATED])
def test_named_couplings_make_the_worlds(form):
    """No hidden causes; the table and the coupling told give each mechanism; one differs."""
    pair = draft(form, COUPLED, "back-door")
    for scm, told in zip(pair.sides, pair.couplings, strict=True):
        assert not scm.hidden
        assert set(told) == set(scm.names)
        for name, coupling in told.items():
            again = couple(cpt_of(scm, name), coupling, scm.parents(name))
            assert again == scm.mechanism(name)
    first, second = pair.couplings
    assert sum(first[name] != second[name] for name in first) == 1
    assert set(first) == set(second)


@pytest.mark.parametrize("form", TREATED)
def test_couplings_do_not_serve_effects_on_the_treated(form):
    """They read every mechanism once, so where couplings are all that differs there is no pair."""
    order = Order(form, terms(COUPLED), index=0)
    assert all(rung3.build(generator(n, "none"), order) is None for n in range(20))


@pytest.mark.parametrize("form", TREATED)
def test_treatments_have_three_values(form):
    """With two, experiments settle the effect."""
    pair = draft(form, REPLAY, "chain")
    (cause,) = re.findall(r"\((\w+):", pair.query)
    assert pair.sides[0].variable(cause).cardinality >= 3


@pytest.mark.parametrize("motif", MOTIFS)
def test_actual_causes_by_the_definition(motif):
    """Halpern (2015), on every unit: any set of any other variables is held as it was."""
    pair = draft("actual-cause", REPLAY, motif)
    query = parse(pair.query, pair.sides[0].vocabulary)
    part = query.terms[0][1]
    facts = {atom.term.variable: atom.value for atom in part.given}
    outcome, setting = part.event[0].term.variable, part.event[0].term.subscript
    cause = setting[0][0] if len(setting) == 1 else None
    assert cause is not None
    for scm in pair.sides:
        units = AllUnits(scm)
        actual = units.solve({})
        known = np.all([actual[n] == scm.variable(n).code(v) for n, v in facts.items()], axis=0)
        caused = np.zeros(len(units.weights), dtype=bool)
        others = [name for name in scm.names if name not in {cause, outcome}]
        for size in range(len(others) + 1):
            for held in itertools.combinations(others, size):
                code = scm.variable(cause).code(setting[0][1])
                do = {cause: code, **{name: actual[name] for name in held}}
                caused |= units.solve(do)[outcome] != actual[outcome]
        share = units.weights[known & caused].sum() / units.weights[known].sum()
        assert units.value(pair.query) == pytest.approx(share, abs=EXACT)


@pytest.mark.parametrize("motif", MOTIFS)
def test_actual_causes_are_more_than_but_for(motif):
    """In one of the worlds holding variables finds a twentieth of the causes, or more."""
    pair = draft("actual-cause", REPLAY, motif)
    query = parse(pair.query, pair.sides[0].vocabulary)
    part = query.terms[0][1]
    plain = f"1 - {render_quantity(Probability(part.event[:1], part.given))}"
    found = [truth(s, pair.query).value - truth(s, plain).value for s in pair.sides]
    assert min(found) >= -EXACT
    assert max(found) >= 0.05 - EXACT


@pytest.mark.parametrize("size", ["small", "medium"])
@pytest.mark.parametrize("access", [REPLAY, COUPLED])
def test_gaps_and_answers_are_spread(access, size):
    """Over a few indices, gaps reach beyond .3, and answers lie on both sides of the middle."""
    pairs = [draft("PN", access, "back-door", index, size) for index in range(12)]
    values = np.array([[truth(s, pair.query).value for s in pair.sides] for pair in pairs])
    gaps = np.abs(values[:, 0] - values[:, 1])
    assert gaps.min() >= GAP - EXACT
    assert np.quantile(gaps, 0.75) > 0.3
    assert (values < 0.4).mean() > 0.2
    assert (values > 0.6).mean() > 0.2


def test_the_same_draws_give_the_same_pair():
    """Bytes follow from the generator."""
    order = Order("PN", terms(REPLAY), motif="chain")
    drawn = [
        next(
            pair
            for attempt in range(CALLS)
            if (pair := rung3.build(generator(attempt, "again"), order)) is not None
        )
        for _ in range(2)
    ]
    assert drawn[0].query == drawn[1].query
    assert [scm.digest for scm in drawn[0].sides] == [scm.digest for scm in drawn[1].sides]


REDOS = [(REPLAY, motif, index) for motif in MOTIFS for index in range(3)]
REDOS += [(COUPLED, "chain", 0), (COUPLED, "free", 1), ("mechanisms", "front-door", 0)]


@pytest.mark.parametrize(("access", "motif", "index"), REDOS)
def test_redos_disagree_and_resist_guessing(access, motif, index):
    """The floor keeps its margin, random play lies below 0, win-stay-lose-shift is no solution."""
    pair = draft("best-redo", access, motif, index)
    rows = [decision_values(scm, pair.decision) for scm in pair.sides]
    assert [row.observation for row in rows[0]] == [row.observation for row in rows[1]]
    weights = np.array([row.weight for row in rows[0]])
    np.testing.assert_allclose(weights, [row.weight for row in rows[1]], atol=1e-12)
    values = [np.array([row.values for row in side]) for side in rows]
    assert floors(weights, *values).sum() >= MARGIN - EXACT
    assert enough(weights, *values)
    assert redo_problem(pair.decision) is None
    for scm in pair.sides:
        check_decision(scm, pair.decision)


def test_some_redos_follow_something_done():
    """Where something had been set, that is stated, and it is not what was seen."""
    pairs = [draft("best-redo", *each) for each in REDOS]
    done = [each.decision for each in pairs if each.decision.factual != "pass"]
    assert 0 < len(done) < len(pairs)
    assert all(each.factual.split("=")[0] not in each.observes for each in done)


@pytest.mark.parametrize("index", range(3))
def test_redo_values_by_adding_up_units(index):
    """What each action is worth after what was seen, unit by unit."""
    pair = draft("best-redo", REPLAY, "chain", index)
    for scm in pair.sides:
        units = AllUnits(scm)
        for row in decision_values(scm, pair.decision):
            choice = parse(decision_query(pair.decision, row.observation), scm.vocabulary)
            for (_, objective), worth in zip(choice.options(), row.values, strict=True):
                number = pair.decision.scale(units.value(str(objective)))
                assert number == pytest.approx(worth, abs=EXACT)


@pytest.mark.parametrize("form", ["PN", "path-specific", "NDE"])
def test_experiments_leave_it_open(form):
    """From the diagram and all experiments, no certificate comes that it is settled."""
    pair = draft(form, REPLAY, "free")
    scm = pair.sides[0]
    query = parse(pair.query, scm.vocabulary)
    assert not item_certificate(scm, query, Knowledge("do", "diagram")).identified
