"""ID* and IDC* against ctf-ID and ctf-IDC: two ways to one verdict and one value."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ctf_builders import generic_world, random_counterfactual, truth_of
from identify_builders import ground_of, random_diagram

from causalbench.errors import ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.query import Vocabulary, parse
from causalbench.truth import Knowledge
from causalbench.truth.identify.ctf import Ctf
from causalbench.truth.identify.ctf_network import Network
from causalbench.truth.identify.idstar import id_star, idc_star, make_cg
from causalbench.truth.identify.rename import tidy
from causalbench.truth.identify.unnest import Unnester
from causalbench.truth.permitted import Permitted


def plain(rng, diagram, labels, *, conditions):
    """Draw a conjunction with constant subscripts and equalities."""
    return random_counterfactual(
        rng, diagram, labels, nested=0.0, unequal=0.0, mean=0.0, conditions=conditions
    )


def both_ways(ground, quantity):
    """Return the estimands of ID* or IDC* and of ctf-ID or ctf-IDC; (0, 0) for no condition."""
    network, unnester = Network(ground.diagram), Unnester(ground)
    given, target = unnester.events(quantity.given), unnester.events(quantity.event)
    ctf = Ctf(ground, network, unnester)
    if not ctf.possible(given):
        return None
    star = idc_star(network, target, given, unnester)
    both = (*given, *target)
    other = ctf.conditional(both, given) if given else ctf.joint(both)
    return star, None if ctf.used_consistency else other


def test_conjunctions_agree_on_verdict_and_value():
    """Without conditions the two are equal in power; both values are the truth."""
    rng = np.random.default_rng(11)
    verdicts = Counter()
    for _ in range(200):
        diagram = random_diagram(rng, int(rng.integers(3, 6)), edge=0.5, bow=0.3)
        scm = generic_world(diagram, rng, rows=3)
        permitted = Permitted(scm, Knowledge("do", "diagram"))
        for _ in range(4):
            quantity = plain(rng, diagram, permitted.labels, conditions=0)
            star, other = both_ways(permitted.ground, quantity)
            assert (star is None) == (other is None), (diagram, quantity)
            verdicts[star is not None] += 1
            if star is not None:
                expected = pytest.approx(truth_of(scm, quantity), abs=1e-9)
                assert tidy(star).evaluate(permitted) == expected
                assert tidy(other).evaluate(permitted) == expected
    assert min(verdicts.values()) > 40


def test_conditionals_agree_where_both_answer():
    """ctf-IDC finds all that IDC* finds, with the same value.

    What it finds beyond are conditions that settle something by contraposition (y=1 and y[x=0]=0
    say that x is not 0) or that contain the target; those are few.
    """
    rng = np.random.default_rng(12)
    verdicts = Counter()
    for _ in range(200):
        diagram = random_diagram(rng, int(rng.integers(3, 6)), edge=0.5, bow=0.3)
        scm = generic_world(diagram, rng, rows=3)
        permitted = Permitted(scm, Knowledge("do", "diagram"))
        for _ in range(4):
            quantity = plain(rng, diagram, permitted.labels, conditions=2)
            found = both_ways(permitted.ground, quantity)
            if found is None:
                continue
            star, other = found
            verdicts[star is not None, other is not None] += 1
            if star is None:
                continue
            try:
                expected = pytest.approx(truth_of(scm, quantity), abs=1e-9)
            except ZeroProbabilityError:
                continue
            assert tidy(star).evaluate(permitted) == expected, (diagram, quantity)
            assert tidy(other).evaluate(permitted) == expected, (diagram, quantity)
    assert verdicts[True, False] == 0
    assert verdicts[False, True] < verdicts[False, False] / 20
    assert verdicts[True, True] > 200


def events(text, diagram):
    """Return the events of a probability over binary variables."""
    ground = ground_of(Diagram.parse(diagram))
    ((_, quantity),) = parse(text, Vocabulary(dict(ground.labels))).terms
    unnester = Unnester(ground)
    return Network(ground.diagram), unnester.events(quantity.event), unnester


def test_make_cg_merges_what_is_equal():
    """Copies that do not descend from what differs are one node; figure 9 of the paper."""
    network, found, _ = events(
        "P(y[x=1]=1, x=0, z[d=1]=1, d=1)", "x -> w -> y; d -> z -> y; x <-> y"
    )
    graph = make_cg(network, found)
    # z[d=1] and z are one node, since d is 1; w stays apart from its natural copy, not an ancestor.
    assert sorted(node.variable for node in graph.nodes) == ["d", "w", "x", "y", "z"]


def test_make_cg_finds_contradictions():
    """Where x is 1, y and y[x=1] are equal."""
    network, found, unnester = events("P(y[x=1]=1, x=1, y=0)", "x -> y; x <-> y")
    assert make_cg(network, found) is None
    assert str(id_star(network, found, unnester)) == "0"


def test_effects_of_two_settings_fail_on_line_8():
    """P(y[x=1], y[x=0]) asks one mechanism twice."""
    network, found, unnester = events("P(y[x=1]=1, y[x=0]=0)", "x -> y")
    assert id_star(network, found, unnester) is None


def test_lines_1_to_3():
    """Nothing is certain; what effectiveness says is certain goes, what it denies is zero."""
    network, found, unnester = events("P(x[x=1]=1)", "x -> y")
    assert str(id_star(network, (), unnester)) == "1"
    assert str(id_star(network, found, unnester)) == "1"
    network, found, unnester = events("P(x[x=1]=0)", "x -> y")
    assert str(id_star(network, found, unnester)) == "0"
