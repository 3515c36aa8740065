"""Every network that pgmpy ships: it loads, and its answers are pyAgrum's."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from causalbench.errors import CouplingError, TooWideError, WorldError
from causalbench.query import Atom, Probability, Query, Term
from causalbench.task.catalogue import bnlearn_file, list_bnlearn
from causalbench.task.world import load_world
from causalbench.truth import law, truth, value
from causalbench.truth.bounds.couplings import coupling_bounds

gum = pytest.importorskip("pyagrum")

QUERIES = 5
EVIDENCE = 4
AGREE = 1e-9
SHIPPED = [
    "alarm andes asia barley cancer child diabetes earthquake hailfinder hepar2 insurance link",
    "mildew munin munin1 munin2 munin3 munin4 pathfinder pigs sachs survey water win95pts",
]
NAMES = " ".join(SHIPPED).split()
LARGE = {"barley", "diabetes", "link", "mildew", "munin", "munin1", "munin2", "munin3", "munin4"}
MARKED = [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in NAMES]
SINGLE = 2.0**-23  # pyAgrum reads numbers in single precision


def network(scm):
    """Build the network in pyAgrum, from the tables; variables are numbered."""
    built = gum.BayesNet()
    number = {name: str(place) for place, name in enumerate(scm.names)}
    for name in scm.names:
        built.add(gum.LabelizedVariable(number[name], "", scm.variable(name).cardinality))
    for name in scm.names:
        for parent in scm.parents(name):
            built.addArc(number[parent], number[name])
    for name in scm.names:
        # pyAgrum's flat order has the variable itself fastest, then the first parent added.
        table = scm.cpt(name)
        turned = table.transpose([*reversed(range(table.ndim - 1)), table.ndim - 1])
        built.cpt(number[name]).fillWith(turned.ravel().tolist())
    return built, number


def posterior(built, target, evidence):
    """Return P(target | evidence) by lazy propagation; evidence by code."""
    engine = gum.LazyPropagation(built)
    engine.addTarget(target)
    engine.setEvidence(evidence)
    engine.makeInference()
    return engine.posterior(target).toarray()


def forced(built, name, code):
    """Return the network after do(name = code)."""
    cut = gum.BayesNet(built)
    for parent in list(cut.parents(name)):
        cut.eraseArc(gum.Arc(parent, cut.idFromName(name)))
    row = [0.0] * cut.variable(name).domainSize()
    row[code] = 1.0
    cut.cpt(name).fillWith(row)
    return cut


def asked(scm, target, given, do):
    """Return the query P(target's first value | do(...), given)."""
    subscript = tuple((name, scm.variable(name).label(code)) for name, code in do.items())
    atoms = [
        Atom(Term(name, subscript), "=", scm.variable(name).label(code))
        for name, code in given.items()
    ]
    event = Atom(Term(target, subscript), "=", scm.variable(target).label(0))
    return Query(((1.0, Probability((event,), tuple(atoms))),))


def test_these_are_the_networks_that_are_shipped():
    """The list above is the installed pgmpy's."""
    assert [f"bnlearn/{name}" for name in NAMES] == list_bnlearn()


def chosen(scm, rng):
    """Return a target with many causes if there is one, a cause of it, and variables near both."""
    diagram = scm.full_diagram
    for _ in range(QUERIES):
        target = scm.names[rng.integers(len(scm.names))]
        causes = sorted(diagram.ancestors({target}) - {target})
        if len(causes) > EVIDENCE:
            break
    x = causes[rng.integers(len(causes))] if causes else next(n for n in scm.names if n != target)
    near = sorted(
        (set(causes) | diagram.descendants({x, target}) | set(scm.names[:9])) - {x, target}
    )
    return target, x, [near[i] for i in rng.permutation(len(near))[:EVIDENCE]]


@pytest.mark.parametrize("name", MARKED)
def test_see_and_do_agree_with_pyagrum(name):
    """P(y | x, e) and P(y | do(x), e) are pyAgrum's to 1e-9, evidence drawn from the network."""
    scm = load_world(f"bnlearn/{name}").scm
    built, number = network(scm)
    rng = np.random.default_rng(sum(map(ord, name)))
    for _ in range(QUERIES):
        target, x, rest = chosen(scm, rng)
        unit = {v: int(code[0]) for v, code in scm.draw(1, rng=rng).items()}
        given = {v: unit[v] for v in (x, *rest)}
        theirs = posterior(built, number[target], {number[v]: c for v, c in given.items()})
        assert abs(value(scm, asked(scm, target, given, {})) - theirs[0]) < AGREE
        code = int(rng.integers(scm.variable(x).cardinality))
        unit = {v: int(c[0]) for v, c in scm.draw(1, rng=rng, do={x: code}).items()}
        given = {v: unit[v] for v in rest}
        cut = forced(built, number[x], code)
        theirs = posterior(cut, number[target], {number[v]: c for v, c in given.items()})
        assert abs(value(scm, asked(scm, target, given, {x: code})) - theirs[0]) < AGREE


@pytest.mark.parametrize("name", [each for each in MARKED if each.values[0] != "child"])
def test_tables_are_those_that_pyagrum_reads(name, tmp_path):
    """Every table is what pyAgrum's reader finds; it does not read the slash in child's labels."""
    path = tmp_path / "network.bif"
    with gzip.open(bnlearn_file(f"bnlearn/{name}"), "rt", encoding="utf-8") as file:
        path.write_text(file.read(), encoding="utf-8")
    theirs, scm = gum.loadBN(str(path)), load_world(f"bnlearn/{name}").scm
    assert set(theirs.names()) == set(scm.names)
    for node in scm.names:
        axes, wanted = list(reversed(theirs.cpt(node).names)), (*scm.parents(node), node)
        table = theirs.cpt(node).toarray().transpose([axes.index(each) for each in wanted])
        for axis, each in enumerate(wanted):
            labels = list(theirs.variable(each).labels())
            turn = [labels.index(label) for label in scm.variable(each).labels]
            table = table.take(turn, axis=axis)
        assert np.abs(table - scm.cpt(node)).max() < SINGLE


def test_a_question_too_wide_says_the_table_it_needs():
    """The joint law of munin1's 31 sinks is no table to make; the message has its cells."""
    scm = load_world("bnlearn/munin1").scm
    parents = {parent for name in scm.names for parent in scm.parents(name)}
    sinks = [name for name in scm.names if name not in parents]
    with pytest.raises(TooWideError, match=r"a table of \d{10,} cells and the limit is 67108864"):
        law(scm, sinks)


def test_rows_off_by_printing_are_divided_and_counted():
    """Where printed digits leave rows off 1, the world says how many they are and how far off."""
    world = load_world("bnlearn/sachs")
    assert world.source.endswith("; 29 rows renormalised, which missed 1 by 1e-07 at most")
    assert load_world("bnlearn/asia").source == "pgmpy's copy of the bnlearn repository"


def test_rows_further_off_are_refused_unless_asked(tmp_path):
    """A row that printing does not explain is said, with their number, and divided on request."""
    with gzip.open(bnlearn_file("bnlearn/cancer"), "rt", encoding="utf-8") as file:
        text = file.read()
    assert "0.9, 0.1" in text
    assert "0.2, 0.8" in text
    path = tmp_path / "off.bif"
    path.write_text(text.replace("0.9, 0.1", "0.9, 0.101").replace("0.2, 0.8", "0.2, 0.805"))
    with pytest.raises(WorldError) as caught:
        load_world(path)
    message = str(caught.value)
    assert "line" in message
    assert "not 1" in message
    assert "0.005 off" in message
    assert "renormalise=True (--renormalise)" in message
    assert "\n" not in message
    assert "rows renormalised, which missed 1 by 0.005 at most" in (
        load_world(path, renormalise=True).source
    )


def test_rung_three_says_that_it_needs_a_coupling_and_gives_the_bounds():
    """The message names the variable, the bounds and what to do; a named coupling answers."""
    world = load_world("bnlearn/asia")
    query = "PN(smoke: no -> yes; lung=yes)"
    with pytest.raises(CouplingError) as caught:
        truth(world, query)
    assert str(caught.value) == (
        "P(lung[smoke=no] != yes | smoke=yes, lung=yes) depends on the coupling of 'lung', which"
        " this world does not give: it lies in [0.9, 1]; name one, e.g. world.coupled('monotone'),"
        " or --coupling monotone."
    )
    assert truth(world.coupled("monotone"), query).value == pytest.approx(0.9, abs=1e-12)


def test_rung_three_is_answered_where_no_coupling_matters():
    """The effect on the treated reads each table at one row alone, so the network answers it."""
    world = load_world("bnlearn/asia")
    tied = world.coupled("monotone")
    query = "ETT(smoke: no -> yes; dysp=yes)"
    assert truth(world, query).rung == 3
    assert truth(world, query).value == pytest.approx(truth(tied, query).value, abs=1e-12)


def test_a_coupling_too_wide_names_its_variable():
    """Barley has a table too fine for one mechanism; those that a question needs may be named."""
    world = load_world("bnlearn/barley")
    with pytest.raises(WorldError, match=r"mechanism of '\w+': .*over 1e7 .*name couplings for"):
        world.coupled("monotone")
    few = world.coupled({"nedbarea": "monotone"})
    assert not few.scm.couplings_known
    assert "nedbarea" not in few.scm.uncoupled


@pytest.mark.slow
def test_bounds_where_the_shared_variables_are_too_many():
    """Given all that diabetes' worlds share a table is too large: fewer give bounds that hold."""
    happened = "meal_7=95g, tot_bal_12=__2_8mmol_kg_h"
    query = f"P(tot_bal_12[meal_7=100g]=2_8mmol_kg_h | {happened})"
    found = coupling_bounds(load_world("bnlearn/diabetes"), query)
    assert 0.0 <= found.lower <= found.inner_lower <= found.inner_upper <= found.upper <= 1.0
    assert not found.sharp
