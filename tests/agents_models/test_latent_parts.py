"""The latent reasoner's parts: layout, context, couplings, Monte Carlo."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causalbench.agent.latent.context import Rows, count, scramble
from causalbench.agent.latent.coupling import (
    Antitone,
    Gumbel,
    Independent,
    Mixture,
    Monotone,
    from_told,
)
from causalbench.agent.latent.imagine import Mind, imagine
from causalbench.agent.latent.layout import MAX_CARD, lay_out
from causalbench.agent.latent.pairs import candidates, infer_coupling, pairs_of
from causalbench.errors import QueryError, TooWideError
from causalbench.graph import Diagram
from causalbench.query import parse
from causalbench.scm.couplings import couple
from causalbench.truth import value

COUPLINGS = [
    Gumbel(),
    Monotone(),
    Antitone((False, True)),
    Independent(2),
    Mixture((Monotone(), Antitone((False, True))), (0.5, 0.5)),
]
TABLE = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])


def _mind(scm, couplings):
    """Return a mind that has the world's own tables and the given couplings, once."""
    layout = lay_out(scm.full_diagram, {n: scm.variable(n).cardinality for n in scm.names})
    tables = np.zeros((1, layout.rows, MAX_CARD))
    for slot in layout.slots:
        order = [layout.slots[i].name for i in slot.parents]
        mechanism = scm.mechanism(slot.name)
        axes = [mechanism.parents.index(name) for name in order]
        cpt = mechanism.cpt(slot.card).transpose([*axes, len(axes)]).reshape(-1, slot.card)
        tables[0, slot.offset : slot.offset + len(cpt), : slot.card] = cpt
    values = {name: scm.variable(name).labels for name in scm.names}
    numbers = {name: scm.variable(name).numbers for name in scm.names}
    ways = tuple(
        from_told(
            couplings.get(slot.name, "monotone"),
            [layout.slots[i].name for i in slot.parents],
            [layout.slots[i].card for i in slot.parents],
        )
        for slot in layout.slots
    )
    return Mind(layout, tables, values, numbers, ways)


def test_a_confounded_child_reads_natural_values():
    """In z -> x -> m -> y, x <-> y: y reads m, the natural x, and z around it."""
    diagram = Diagram.parse("z -> x -> m -> y; x <-> y")
    layout = lay_out(diagram, dict.fromkeys("zxmy", 2), order=("z", "x", "m", "y"))
    slot = layout.slots[3]
    assert (slot.parents, slot.proxies, slot.around) == ((2,), (1,), (0,))


def test_every_row_looks_different():
    """No two rows of a layout have the same features."""
    diagram = Diagram.parse("z -> x -> m -> y; x <-> y")
    layout = lay_out(diagram, {"z": 2, "x": 3, "m": 2, "y": 4})
    assert layout.rows == len(np.unique(layout.features, axis=0))


def test_a_world_without_room_is_refused():
    """Seven values are more than the decoder holds."""
    with pytest.raises(TooWideError, match="up to 7 values"):
        lay_out(Diagram(["x"]), {"x": 7})


def test_forced_variables_are_not_counted():
    """Under do(x) the slot of x, and the slot that reads its natural value, get no counts."""
    diagram = Diagram.parse("x -> m -> y; x <-> y")
    layout = lay_out(diagram, dict.fromkeys("xmy", 2), order=("x", "m", "y"))
    codes = np.array([[0, 1, 1], [0, 0, 1]])
    counts = count(layout, Rows(("x", "m", "y"), codes, frozenset("x")))
    by_slot = [counts[s.offset : s.offset + layout.settings(s)].sum() for s in layout.slots]
    assert by_slot == [0, 2, 0]


def test_scrambling_keeps_margins(rng):
    """Each column keeps its values, in another order."""
    codes = rng.integers(3, size=(50, 4))
    mixed = scramble(Rows(tuple("abcd"), codes), rng).codes
    assert np.array_equal(np.sort(codes, axis=0), np.sort(mixed, axis=0))
    assert not np.array_equal(codes, mixed)


@pytest.mark.parametrize("way", COUPLINGS, ids=lambda way: type(way).__name__)
def test_every_coupling_has_the_table(way, rng):
    """Whatever the coupling, a value's frequency is its probability, to five standard errors."""
    n = 20000
    noise = way.draw((n,), 3, rng)
    for setting in (0, 1):
        p = np.broadcast_to(TABLE[setting], (n, 3))
        values = way.settle(noise, p, np.full(n, setting))
        shares = np.bincount(values, minlength=3) / n
        assert TABLE[setting] == pytest.approx(shares, abs=5 * math.sqrt(0.25 / n))


@pytest.mark.parametrize("way", COUPLINGS, ids=lambda way: type(way).__name__)
def test_abducted_noise_gives_what_was_seen(way, rng):
    """Noise drawn given a value settles to that value again."""
    for setting in (0, 1):
        for seen in range(3):
            p = np.broadcast_to(TABLE[setting], (500, 3))
            at = np.full(500, setting)
            noise = way.abduct(p, at, seen, rng)
            assert (way.settle(noise, p, at) == seen).all()


@pytest.mark.parametrize("way", COUPLINGS, ids=lambda way: type(way).__name__)
def test_abduction_is_conditioning(way, rng):
    """P(value at 1 | value 0 seen at 0) is the same by abduction and by rejection.

    A fifth of n draws survive rejection, so five standard errors of a difference of two shares.
    """
    n = 40000
    zero, one = np.full(n, 0), np.full(n, 1)
    p0, p1 = np.broadcast_to(TABLE[0], (n, 3)), np.broadcast_to(TABLE[1], (n, 3))
    noise = way.draw((n,), 3, rng)
    kept = way.settle(noise, p0, zero) == 0
    rejected = np.bincount(way.settle(noise, p1, one)[kept], minlength=3) / kept.sum()
    noise = way.abduct(p0, zero, 0, rng)
    abducted = np.bincount(way.settle(noise, p1, one), minlength=3) / n
    assert rejected == pytest.approx(abducted, abs=5 * math.sqrt(0.25 / (0.2 * n) + 0.25 / n))


QUERIES = [
    "P(y=1 | x=1)",
    "P(y=1 | do(x=1), z=0)",
    "P(y[x=0]=0 | x=1, y=1)",
    "P(y[x=1]=1, y[x=0] != 1)",
    "P(y[x=0]=1 | y[x=1]=1, z=1)",
    "E[y[x=1, z=z[x=0]]] - E[y]",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("coupling", ["monotone", {"antitone": {"in": "x"}}, "independent"])
def test_imagining_agrees_with_the_engine(made, rng, query, coupling):
    """With the world's own tables and couplings, Monte Carlo is the engine's value.

    20,000 units of which at least a tenth meet the evidence, weights at most 1: five standard
    errors of a mean over 2,000, twice for a difference of two.
    """
    base = made.confounded_pair()
    table = base.mechanism("y").cpt(2)
    scm = base.replace(mechanisms={"y": couple(table, coupling, ("z", "x"))})
    (found,) = imagine(_mind(scm, {"y": coupling}), parse(query), units=20000, rng=rng)
    expected = value(scm, query)
    assert expected == pytest.approx(found, abs=2 * 5 * math.sqrt(0.25 / 2000) / 2**0.5)


def test_a_forced_variable_keeps_its_natural_value(rng):
    """The front door, by hand: y reads the natural x, so do(x) leaves P(natural x) at .5.

    With P(m=1 | x) = .2, .8 and P(y=1 | m, natural x) = .1 .5 / .4 .9, P(y=1 | do(x=1)) is
    .2 (.1 + .5) / 2 + .8 (.4 + .9) / 2 = .58.
    """
    diagram = Diagram.parse("x -> m -> y; x <-> y")
    layout = lay_out(diagram, dict.fromkeys("xmy", 2), order=("x", "m", "y"))
    chances = [0.5, 0.2, 0.8, 0.1, 0.5, 0.4, 0.9]
    tables = np.zeros((1, 7, MAX_CARD))
    tables[0, :, 1] = chances
    tables[0, :, 0] = 1 - tables[0, :, 1]
    values = dict.fromkeys("xmy", ("0", "1"))
    mind = Mind(layout, tables, values, dict.fromkeys("xmy"), (Gumbel(),) * 3)
    (found,) = imagine(mind, parse("P(y=1 | do(x=1))"), units=20000, rng=rng)
    assert found == pytest.approx(0.58, abs=5 * math.sqrt(0.25 / 20000))


def test_labels_have_no_mean(made, rng):
    """An expectation of labels without numbers is refused."""
    mind = _mind(made.confounded_pair(), {})
    mind.numbers["y"] = None
    with pytest.raises(QueryError, match="no mean"):
        imagine(mind, parse("E[y]"), units=10, rng=rng)


@pytest.mark.parametrize(
    ("coupling", "kind"),
    [
        ("monotone", (Monotone, Gumbel)),
        ({"antitone": {"in": "x"}}, (Antitone,)),
        ("independent", (Independent,)),
    ],
)
def test_couplings_are_inferred_from_pairs(made, rng, coupling, kind):
    """From units run twice, the coupling that made them gets the largest share.

    With two values Gumbel-max is the monotone coupling, so either will do there.
    """
    base = made.confounded_pair()
    table = base.mechanism("y").cpt(2)
    scm = base.replace(mechanisms={"y": couple(table, coupling, ("z", "x"))})
    mind = _mind(scm, {})
    place = mind.layout.names.index("y")
    slot = mind.layout.slots[place]
    pairs = pairs_of(scm, mind.layout, units=6000, rng=rng)[place]
    own = mind.tables[0, slot.offset : slot.offset + 4, :2]
    found = infer_coupling(candidates(mind.layout, slot), own, pairs, rng=rng)
    best = found.parts[int(np.argmax(found.weights))]
    assert isinstance(best, kind)


def test_pairs_that_say_nothing_leave_gumbel(made, rng):
    """A root has one setting, so no pair can tell its coupling."""
    scm = made.confounded_pair()
    mind = _mind(scm, {})
    place = mind.layout.names.index("z")
    pairs = pairs_of(scm, mind.layout, units=100, rng=rng)[place]
    ways = candidates(mind.layout, mind.layout.slots[place])
    found = infer_coupling(ways, mind.tables[0, :1, :2], pairs, rng=rng)
    assert isinstance(found, Gumbel)
