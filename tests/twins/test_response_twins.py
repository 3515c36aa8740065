"""Response types: one hidden cause, the same kinds of unit, mixed in two ways that no law tells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench.errors import TwinError
from causalbench.query import parse
from causalbench.query.ast import Probability, Term
from causalbench.query.render import render_quantity
from causalbench.rng import generator, simplex
from causalbench.task.construct.asks import EVIDENCE, Labels
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.effects import mediated_effects, treated_effects
from causalbench.task.construct.mixed import HIDDEN, confounded_mediator, many_valued
from causalbench.task.construct.responses import apart, kinds_of, margins
from causalbench.task.construct.units import Units
from causalbench.task.proof import prove
from causalbench.truth import Knowledge, value
from causalbench.truth.bounds import bounds
from causalbench.truth.permitted import Permitted

SEEDS = range(6)
LEAST = 3 / 1024
TREATED = ({"x": 3, "y": 2}, {"x": (), "y": ("x",)}, 6)
MEDIATED = ({"x": 2, "m": 2, "y": 2}, {"m": ("x",), "y": ("x", "m")}, 6)


def setup(seed, motif):
    """Return kinds, a base mixture, the sums that are fixed, and what is wanted."""
    rng = generator(seed, "test-mixtures")
    kinds = kinds_of(rng, *motif)
    if "m" in motif[0]:
        wanted = kinds.values({"x": 1, "m": kinds.values({"x": 0})["m"]})["y"] == 1
    else:
        wanted = (kinds.values({})["x"] == 0) & (kinds.values({"x": 1})["y"] == 1)
    base = simplex(rng, len(kinds), 8 / 1024)
    return kinds, base, margins(kinds), wanted.astype(float)


def test_kinds_are_different():
    """A ternary x and all 8 response types of a binary y give 24 kinds, each once."""
    kinds = kinds_of(generator(0, "all"), {"x": 3, "y": 2}, {"x": (), "y": ("x",)}, 8)
    found = {(int(x), *map(int, y)) for x, y in zip(*kinds.functions.values(), strict=True)}
    assert found == set(itertools.product(range(3), range(2), range(2), range(2)))


def test_kinds_answer_by_their_functions():
    """By hand: y follows m[x], and takes m as it is set."""
    kinds = kinds_of(generator(0, "answers"), *MEDIATED)
    for number in range(len(kinds)):
        own = {name: table[number] for name, table in kinds.functions.items()}
        assert kinds.values({"x": 1})["y"][number] == own["y"][1, own["m"][1]]
        assert kinds.values({"x": 1, "m": 0})["y"][number] == own["y"][1, 0]


@pytest.mark.parametrize("motif", [TREATED, MEDIATED])
@pytest.mark.parametrize("seed", SEEDS)
def test_both_mixtures_keep_every_sum_and_every_kind(seed, motif):
    """The local identity to 1e-12, total 1, and no kind rarer than the least share."""
    kinds, base, fixed, wanted = setup(seed, motif)
    assert len(kinds) == len(base)
    for side in apart(base, fixed, wanted, LEAST):
        np.testing.assert_allclose(fixed @ side, fixed @ base, atol=1e-12)
        assert side.sum() == pytest.approx(1.0, abs=1e-12)
        assert side.min() >= LEAST


@pytest.mark.parametrize("motif", [TREATED, MEDIATED])
def test_tables_hold_what_the_kinds_say(motif):
    """P(type), and the earlier variable's table given the type, add up to the kinds' own sums."""
    kinds, base, _, _ = setup(3, motif)
    first, last = kinds.parents
    share, tables = kinds.tables(base)
    outer = {} if first == "x" else {"x": 1}
    own = tables[first][:, 1] if outer else tables[first]
    for each, code in itertools.product(range(kinds.types), range(kinds.cards[first])):
        is_type = np.arange(len(kinds)) % kinds.types == each
        fits = is_type & (kinds.values(outer)[first] == code)
        assert share[each] * own[each, code] == pytest.approx(base[fits].sum(), abs=1e-15)
    np.testing.assert_array_equal(tables[last].sum(axis=-1), 1.0)


@pytest.mark.parametrize("motif", [TREATED, MEDIATED])
@pytest.mark.parametrize("seed", SEEDS)
def test_mixtures_lie_within_what_the_program_allows(seed, motif):
    """By another solver: both lie within the bounds, above and below the base, and far out."""
    from scipy.optimize import linprog

    _, base, fixed, wanted = setup(seed, motif)
    more, less = apart(base, fixed, wanted, LEAST)
    box = [(LEAST, 1.0)] * len(base)
    ends = [
        sign * linprog(sign * wanted, A_eq=fixed, b_eq=fixed @ base, bounds=box).fun
        for sign in (1, -1)
    ]
    assert ends[0] - 1e-7 <= wanted @ less <= wanted @ base <= wanted @ more <= ends[1] + 1e-7
    assert wanted @ (more - less) >= 0.5 * (ends[1] - ends[0])


def test_with_a_binary_x_nothing_is_left_open():
    """P(y[x=1] | x=0) is fixed by experiments where x has two values: the base stays itself."""
    rng = generator(0, "binary")
    kinds = kinds_of(rng, {"x": 2, "y": 2}, {"x": (), "y": ("x",)}, 4)
    wanted = (kinds.values({})["x"] == 0) & (kinds.values({"x": 1})["y"] == 1)
    base = simplex(rng, 8, 8 / 1024)
    for side in apart(base, margins(kinds), wanted.astype(float), LEAST):
        np.testing.assert_array_equal(side, base)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("draw", ["treated", "mediated", "seen"])
def test_worlds_agree_on_every_intervention_by_listing_units(seed, draw):
    """Every subset of the visible variables, every setting, by adding up units: 1e-12."""
    worlds, _ = sides(seed, draw)
    listed = [units(scm) for scm in worlds]
    names = worlds[0].visible
    for pick in itertools.chain.from_iterable(
        itertools.combinations(names, size) for size in range(len(names))
    ):
        for codes in itertools.product(*(range(worlds[0].variable(n).cardinality) for n in pick)):
            do = dict(zip(pick, codes, strict=True))
            first, second = (seen(s, *each, do) for s, each in zip(worlds, listed, strict=True))
            np.testing.assert_allclose(first, second, atol=1e-12)


def sides(seed, draw):
    """Return two worlds and their nets, roles as names."""
    rng = generator(seed, f"test-{draw}")
    nets = (
        many_valued(rng)
        if draw == "treated"
        else confounded_mediator(rng, nested=draw == "mediated")
    )
    return [world_of(functions_of(each), each) for each in nets], nets


def units(scm):
    """Return every unit of a world (noise codes), and each one's probability."""
    sizes = [len(scm.mechanism(name).noise) for name in scm.names]
    codes = np.unravel_index(np.arange(np.prod(sizes)), sizes)
    unit = dict(zip(scm.names, codes, strict=True))
    weight = np.ones(np.prod(sizes))
    for name in scm.names:
        weight = weight * scm.mechanism(name).noise[unit[name]]
    return unit, weight


def seen(scm, unit, weight, do):
    """Return the joint law of the visible variables by adding up units."""
    shape = tuple(scm.variable(name).cardinality for name in scm.visible)
    solved = scm.solve(unit, do)
    codes = [np.broadcast_to(solved[name], weight.shape) for name in scm.visible]
    flat = np.bincount(np.ravel_multi_index(codes, shape), weights=weight, minlength=np.prod(shape))
    return flat.reshape(shape)


@pytest.mark.parametrize("draw", ["treated", "mediated"])
def test_answers_are_those_of_the_truth_engine(draw):
    """A search's numbers, from listed units, against the engine's, from the query's text."""
    worlds, nets = sides(1, draw)
    first, second = (Units(functions_of(each), each.cards, each.visible) for each in nets)
    labels = Labels({name: worlds[0].vocabulary.values[name] for name in nets[0].visible})
    if draw == "treated":
        asks = treated_effects((first, second), nets[0], "x", "y", labels, nets[0].visible)
    else:
        asks = mediated_effects((first, second), nets[0], "x", "m", "y", labels)
    asked = list(asks)
    assert {ask.form for ask in asked} == {"simple", "named"}
    for ask in asked[:: max(1, len(asked) // 12)]:
        assert value(worlds[0], ask.query) == pytest.approx(ask.first, abs=1e-12)
        assert value(worlds[1], ask.query) == pytest.approx(ask.second, abs=1e-12)


def test_the_proof_refuses_a_mixture_that_an_experiment_tells():
    """Another mixture of the same kinds has other laws."""
    worlds, (net, _) = sides(0, "treated")
    other = net.replace({HIDDEN: np.roll(net.cpts[HIDDEN], 1)})
    with pytest.raises(TwinError, match="differ by"):
        prove(
            (worlds[0], world_of(functions_of(other), other)),
            3,
            rng=generator(0, "unused"),
            mixed=True,
        )


def test_the_proof_refuses_other_diagrams():
    """Shares of kinds may differ, arrows may not."""
    worlds, _ = sides(0, "treated")
    other = worlds[1].do({worlds[1].visible[0]: worlds[1].variable(worlds[1].visible[0]).labels[0]})
    with pytest.raises(TwinError):
        prove((worlds[0], other), 3, rng=generator(0, "unused"), mixed=True)


def test_mixtures_do_not_pass_for_couplings():
    """Without leave to mix hidden causes otherwise, tables given all parents must agree."""
    worlds, _ = sides(0, "mediated")
    with pytest.raises(TwinError, match="tables given all parents"):
        prove((worlds[0], worlds[1]), 3, rng=generator(0, "unused"))


@pytest.fixture(scope="module")
def mixed(pairs):
    """The pairs of response types in ladder-mini."""
    return [pair for pair in pairs if pair[0].placement.construction == "response-types"]


def test_half_of_rung_three_without_named_couplings_is_mixed(mixed):
    """In mechanisms and lab; where couplings are named none can be, for a shared cause."""
    count = {"mechanisms": 0, "lab": 0}
    for pair in mixed:
        count[pair[0].placement.cell] += 1
    assert count == {"mechanisms": 16, "lab": 8}


def test_what_goes_with_the_hidden_cause_differs_and_nothing_else(mixed):
    """Same diagram, same noise; the hidden cause's law may differ, one effect's table does."""
    for pair in mixed:
        first, second = (case.scm for case in pair)
        assert first.diagram == second.diagram
        (cause,) = first.hidden
        differ = set()
        for name in first.names:
            card = first.variable(name).cardinality
            tables = [scm.mechanism(name).cpt(card) for scm in (first, second)]
            if np.abs(tables[0] - tables[1]).max() > 1e-9:
                differ.add(name)
            assert pair[0].placement.cell == "lab" or len(first.mechanism(name).noise) == len(
                second.mechanism(name).noise
            )
        (effect,) = differ - {cause}
        assert cause in first.parents(effect)


def test_diagram_and_all_experiments_leave_both_answers_open(mixed):
    """By the room of bounds: both twins have one interval, and both answers lie in it."""
    for pair in mixed[::4]:
        if pair[0].placement.track != "estimates":
            continue
        found = []
        for case in pair:
            query = parse(case.items[0].question.query, case.scm.vocabulary)
            found.append(bounds(Permitted(case.scm, Knowledge("do", "diagram")), query))
        # Programs are solved to 1e-7, on laws that shown mechanisms keep to 1e-11.
        assert found[0].lower == pytest.approx(found[1].lower, abs=1e-6)
        assert found[0].upper == pytest.approx(found[1].upper, abs=1e-6)
        for case in pair:
            assert found[0].lower - 1e-6 <= case.items[0].key.truth <= found[0].upper + 1e-6


def test_both_motifs_are_asked_about(mixed):
    """Effects on the treated, and along one path: nested subscripts in half of the estimates."""
    asked = [
        pair[0].items[0].question.query for pair in mixed if pair[0].placement.track == "estimates"
    ]
    nested = [
        any(isinstance(forced, Term) for atom in atoms(query) for _, forced in atom.term.subscript)
        for query in asked
    ]
    assert sum(nested) * 2 == len(nested)


def atoms(query):
    """Return all atoms of a query's events."""
    return [atom for _, quantity in parse(query).terms for atom in quantity.event]


def test_what_is_given_is_not_rare(mixed):
    """Conditions of estimates have probability 0.01 or more in both worlds."""
    for pair in mixed:
        for case in pair:
            if case.placement.track == "estimates":
                for _, quantity in parse(case.items[0].question.query).terms:
                    if quantity.given:
                        facts = render_quantity(Probability(quantity.given))
                        assert value(case.scm, facts) >= EVIDENCE - 1e-9
