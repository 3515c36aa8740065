"""Diagrams: separation, projection and components, against networkx and brute force."""

from __future__ import annotations

import itertools
import pickle

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalbench.errors import WorldError
from causalbench.graph import Diagram


@st.composite
def diagrams(draw, most=6):
    """Draw an acyclic mixed graph of up to ``most`` nodes."""
    n = draw(st.integers(1, most))
    names = draw(st.permutations([f"v{i}" for i in range(n)]))
    pairs = list(itertools.combinations(names, 2))
    kinds = draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    directed = [pair for pair, kind in zip(pairs, kinds, strict=True) if kind & 1]
    bidirected = [pair for pair, kind in zip(pairs, kinds, strict=True) if kind & 2]
    return Diagram(sorted(names), directed, bidirected)


@given(diagrams(), st.data())
@settings(max_examples=300, deadline=None)
def test_separation_agrees_with_networkx(diagram, data):
    """m-separation is d-separation in the DAG that spells out each hidden cause."""
    if len(diagram.nodes) < 2:
        return
    roles = data.draw(
        st.lists(st.sampled_from("xyzn"), min_size=len(diagram.nodes), max_size=len(diagram.nodes))
    )
    sets = {
        role: {node for node, drawn in zip(diagram.nodes, roles, strict=True) if drawn == role}
        for role in "xyz"
    }
    if not sets["x"] or not sets["y"]:
        return
    expected = nx.is_d_separator(diagram.to_networkx(), sets["x"], sets["y"], sets["z"])
    assert diagram.d_separated(sets["x"], sets["y"], sets["z"]) == expected


@given(diagrams(), st.data())
@settings(max_examples=150, deadline=None)
def test_projection_keeps_every_separation(diagram, data):
    """The latent projection separates exactly what the whole diagram separates."""
    keep = data.draw(st.sets(st.sampled_from(diagram.nodes), min_size=1))
    small = diagram.project(keep)
    for x, y in itertools.combinations(sorted(keep), 2):
        rest = sorted(keep - {x, y})
        for size in range(len(rest) + 1):
            for given_set in itertools.combinations(rest, size):
                expected = diagram.d_separated(x, y, given_set)
                assert small.d_separated(x, y, given_set) == expected


def _directed_through(graph, start, hidden):
    """Return the nodes that directed paths through hidden nodes reach from a node."""
    found, stack = set(), [start]
    while stack:
        for effect in graph.successors(stack.pop()):
            if effect not in found:
                found.add(effect)
                if effect in hidden:
                    stack.append(effect)
    return found


@given(diagrams(), st.data())
@settings(max_examples=200, deadline=None)
def test_projection_agrees_with_its_definition(diagram, data):
    """Edges of the projection are the paths that define it, found by brute force on the DAG."""
    keep = data.draw(st.sets(st.sampled_from(diagram.nodes), min_size=1))
    dag = diagram.to_networkx()
    hidden = set(dag) - keep
    reach = {node: _directed_through(dag, node, hidden) & keep for node in dag}
    directed = {(a, b) for a in keep for b in reach[a]}
    bidirected = {
        tuple(sorted(pair))
        for latent in hidden
        for pair in itertools.combinations(sorted(reach[latent]), 2)
    }
    assert diagram.project(keep) == Diagram(sorted(keep), directed, bidirected)


@given(diagrams())
@settings(max_examples=100, deadline=None)
def test_components_agree_with_networkx(diagram):
    """c-components are the connected parts of the bidirected edges."""
    graph = nx.Graph()
    graph.add_nodes_from(diagram.nodes)
    graph.add_edges_from(diagram.bidirected)
    expected = {frozenset(part) for part in nx.connected_components(graph)}
    assert set(diagram.c_components()) == expected


@given(diagrams())
@settings(max_examples=100, deadline=None)
def test_text_reads_back(diagram):
    """A diagram's text parses to an equal diagram."""
    assert Diagram.parse(str(diagram)) == diagram


@given(diagrams())
@settings(max_examples=100, deadline=None)
def test_order_puts_causes_first(diagram):
    """Every cause stands before its effects, and every node stands once."""
    place = {node: i for i, node in enumerate(diagram.order())}
    assert sorted(place) == sorted(diagram.nodes)
    assert all(place[a] < place[b] for a, b in diagram.directed)


@given(diagrams())
@settings(max_examples=100, deadline=None)
def test_ancestors_agree_with_networkx(diagram):
    """Ancestors and descendants include the node itself."""
    graph = nx.DiGraph(list(diagram.directed))
    graph.add_nodes_from(diagram.nodes)
    for node in diagram.nodes:
        assert diagram.ancestors(node) == nx.ancestors(graph, node) | {node}
        assert diagram.descendants([node]) == nx.descendants(graph, node) | {node}


def test_parse_reads_every_form():
    """Chains, both arrows, line ends, lone nodes and quoted names are read."""
    found = Diagram.parse('x -> m -> y; x <-> y\nz, "a b" <- y')
    expected = Diagram(
        ["x", "m", "y", "z", "a b"], [("x", "m"), ("m", "y"), ("y", "a b")], [("y", "x")]
    )
    assert found == expected


def test_text_of_a_small_diagram():
    """Lone nodes come first, then arrows, then hidden causes, in the order of the nodes."""
    assert str(Diagram(["z", "y", "x"], [("x", "y")], [("x", "y")])) == "z; x -> y; y <-> x"


def test_text_quotes_odd_names():
    """Names with blanks or arrows are quoted, and read back."""
    diagram = Diagram(["a -> b", 'say "hi"'], [("a -> b", 'say "hi"')])
    assert Diagram.parse(str(diagram)) == diagram


def test_order_of_nodes_takes_no_part_in_equality():
    """Diagrams with the same nodes and edges are equal, and hash alike."""
    first, second = Diagram(["a", "b"], [("a", "b")]), Diagram(["b", "a"], [("a", "b")])
    assert first == second
    assert hash(first) == hash(second)


def test_surgery_cuts_the_right_edges():
    """Incoming cuts -> and <-> into the set; outgoing cuts -> out of it."""
    diagram = Diagram.parse("z -> x -> y; x <-> y; z <-> y")
    assert diagram.without_incoming("x") == Diagram.parse("z; x -> y; z <-> y")
    assert diagram.without_outgoing("x") == Diagram.parse("z -> x; y; x <-> y; z <-> y")


def test_induced_keeps_edges_inside():
    """The subgraph on a set keeps the edges with both ends in it."""
    assert Diagram.parse("a -> b -> c; a <-> c").induced(["a", "c"]) == Diagram.parse("a <-> c")


def test_pickled_diagrams_are_equal():
    """A diagram survives pickling."""
    diagram = Diagram.parse("a -> b; a <-> b")
    assert pickle.loads(pickle.dumps(diagram)) == diagram  # noqa: S301


def test_neighbours_come_in_the_order_of_the_nodes():
    """Parents, children and siblings follow the order of the nodes."""
    diagram = Diagram(["c", "b", "a", "y"], [("a", "y"), ("c", "y")], [("a", "b"), ("c", "b")])
    assert diagram.parents("y") == ("c", "a")
    assert diagram.children("a") == ("y",)
    assert diagram.siblings("b") == ("c", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a -> b -> c -> a", "'a -> b -> c -> a' is a cycle"),
        ("a -> a", "joins a node to itself"),
        ("a <-> a", "joins a node to itself"),
        ("a ->", "leads to no name"),
        ("a -> ; b", "leads to no name"),
        ("-> b", "needs a name before"),
        ("a -> -> b", "needs a name before"),
        ("a b", "lacks an arrow"),
        ('a -> "b', "cannot read column"),
    ],
)
def test_bad_text_is_explained(text, message):
    """Text that is no diagram is refused, and the message says why."""
    with pytest.raises(WorldError, match=message):
        Diagram.parse(text)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (["a", "a"], [], "named twice"),
        (["rain"], [("rain", "rian")], "Did you mean 'rain'"),
    ],
)
def test_bad_parts_are_explained(nodes, edges, message):
    """A node named twice and an edge to nowhere are refused."""
    with pytest.raises(WorldError, match=message):
        Diagram(nodes, edges)


def test_unknown_nodes_are_refused():
    """Asking about a node that isn't there names a near one."""
    with pytest.raises(WorldError, match="Did you mean 'rain'"):
        Diagram(["rain"]).parents("rein")


def test_separation_needs_disjoint_sets():
    """A node can't be both asked about and given."""
    with pytest.raises(WorldError, match="two of the sets"):
        Diagram(["a", "b"]).d_separated("a", "b", "a")


def test_diagrams_are_frozen():
    """A diagram's parts can't be set."""
    with pytest.raises(AttributeError):
        Diagram(["a"]).nodes = ("b",)
