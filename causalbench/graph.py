"""Hold acyclic directed mixed graphs: causal diagrams whose hidden causes are ``<->`` edges.

Reference: Richardson, Evans, Robins, Shpitser, "Nested Markov properties for acyclic directed mixed
graphs" (2023), sections 2 and 3, for m-separation and latent projection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from causalbench.errors import WorldError, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import networkx as nx

__all__ = ["Diagram"]

_TOKEN = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<arrow><->|->|<-)|(?P<end>[;,\n])'
    r'|(?P<name>(?:(?!<->|->|<-)[^\s;,"])+))'
)
_BARE = re.compile(r"[^\W\d][\w.]*\Z")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Diagram:
    """An acyclic directed mixed graph.

    ``a -> b`` says that a is a direct cause of b; ``a <-> b`` that hidden causes act on both.
    Diagrams compare by nodes and edges; the order of the nodes is kept for presentation only.

    Args:
        nodes: the names, in the order to present them.
        directed: pairs (cause, effect).
        bidirected: pairs, in either order.

    Raises:
        WorldError: a name twice, an edge with an unknown end or to itself, or a directed cycle.
    """

    nodes: tuple[str, ...]
    directed: frozenset[tuple[str, str]]
    bidirected: frozenset[tuple[str, str]]

    def __init__(
        self,
        nodes: Iterable[str],
        directed: Iterable[tuple[str, str]] = (),
        bidirected: Iterable[tuple[str, str]] = (),
    ) -> None:
        names = tuple(nodes)
        put = object.__setattr__
        put(self, "nodes", names)
        put(self, "directed", frozenset((a, b) for a, b in directed))
        put(self, "bidirected", frozenset((min(p), max(p)) for p in map(tuple, bidirected)))
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise WorldError(f"diagram: node '{twice}' is named twice; name each node once")
        for kind, edges in (("->", self.directed), ("<->", self.bidirected)):
            for a, b in sorted(edges):
                self._known((a, b), f"edge '{a} {kind} {b}'")
                if a == b:
                    raise WorldError(f"diagram: edge '{a} {kind} {b}' joins a node to itself")
        self.order()

    @classmethod
    def parse(cls, text: str) -> Diagram:
        """Read ``"x -> y; x <-> y; z"``.

        Statements end in ``;``, ``,`` or a line end; chains (``x -> m -> y``) and ``<-`` are
        allowed; a lone name is a node without edges; odd names stand in double quotes.

        Raises:
            WorldError: the text is no diagram.
        """
        nodes: dict[str, None] = {}
        edges: dict[str, list[tuple[str, str]]] = {"->": [], "<->": []}
        last: str | None = None
        arrow: str | None = None
        at = 0
        # A regular expression's \s would swallow the line ends that close statements.
        text = re.sub(r"\s*\n\s*", "\n", text.strip()).replace("\n", ";")
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise WorldError(f"diagram: cannot read column {at + 1}; write like 'x -> y; z'")
            here = f"column {match.end()}"
            at = match.end()
            if match["end"]:
                if arrow is not None:
                    raise WorldError(f"diagram: '{arrow}' before {here} leads to no name; add one")
                last = None
            elif match["arrow"]:
                if last is None or arrow is not None:
                    raise WorldError(f"diagram: '{match['arrow']}' at {here} needs a name before")
                arrow = match["arrow"]
            else:
                quoted = match["quoted"]
                name = match["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                nodes.setdefault(name)
                if last is not None:
                    if arrow is None:
                        raise WorldError(f"diagram: '{last} {name}' lacks an arrow or ';' between")
                    pair = (name, last) if arrow == "<-" else (last, name)
                    edges["<->" if arrow == "<->" else "->"].append(pair)
                last, arrow = name, None
        if arrow is not None:
            raise WorldError(f"diagram: the last '{arrow}' leads to no name; add one")
        return cls(nodes, edges["->"], edges["<->"])

    def __str__(self) -> str:
        place = {name: i for i, name in enumerate(self.nodes)}
        joined = {name for pair in self.directed | self.bidirected for name in pair}
        parts = [_quote(name) for name in self.nodes if name not in joined]
        for arrow, edges in (("->", self.directed), ("<->", self.bidirected)):
            turned = [
                tuple(sorted(pair, key=place.__getitem__)) if arrow == "<->" else pair
                for pair in edges
            ]
            for a, b in sorted(turned, key=lambda pair: (place[pair[0]], place[pair[1]])):
                parts.append(f"{_quote(a)} {arrow} {_quote(b)}")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"Diagram.parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagram):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Diagram, (self.nodes, tuple(self.directed), tuple(self.bidirected)))

    @cached_property
    def _key(self) -> tuple[frozenset[str], frozenset[Any], frozenset[Any]]:
        return (frozenset(self.nodes), self.directed, self.bidirected)

    @cached_property
    def _maps(self) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, list[str]]]:
        parents: dict[str, list[str]] = {name: [] for name in self.nodes}
        children: dict[str, list[str]] = {name: [] for name in self.nodes}
        siblings: dict[str, list[str]] = {name: [] for name in self.nodes}
        for a, b in sorted(self.directed):
            parents[b].append(a)
            children[a].append(b)
        for a, b in sorted(self.bidirected):
            siblings[a].append(b)
            siblings[b].append(a)
        return parents, children, siblings

    @cached_property
    def _order(self) -> tuple[str, ...]:
        parents, children, _ = self._maps
        waiting = {name: len(parents[name]) for name in self.nodes}
        ready = [name for name in self.nodes if not waiting[name]]
        done: list[str] = []
        while ready:
            name = ready.pop(0)
            done.append(name)
            for effect in children[name]:
                waiting[effect] -= 1
                if not waiting[effect]:
                    ready.append(effect)
        if len(done) < len(self.nodes):
            raise WorldError(f"diagram: {_cycle(parents, waiting)} is a cycle; drop an edge of it")
        return tuple(done)

    def parents(self, node: str) -> tuple[str, ...]:
        """Return the direct causes of a node, in the order of the nodes."""
        return self._sorted(self._maps[0][self._one(node)])

    def children(self, node: str) -> tuple[str, ...]:
        """Return the direct effects of a node, in the order of the nodes."""
        return self._sorted(self._maps[1][self._one(node)])

    def siblings(self, node: str) -> tuple[str, ...]:
        """Return the nodes that share a ``<->`` edge with a node, in the order of the nodes."""
        return self._sorted(self._maps[2][self._one(node)])

    def order(self) -> tuple[str, ...]:
        """Return a topological order: causes before effects, else in the order of the nodes."""
        return self._order

    def ancestors(self, nodes: str | Iterable[str]) -> frozenset[str]:
        """Return the nodes with a directed path into the set, the set included."""
        return self._reach(nodes, self._maps[0])

    def descendants(self, nodes: str | Iterable[str]) -> frozenset[str]:
        """Return the nodes that the set has a directed path to, the set included."""
        return self._reach(nodes, self._maps[1])

    def d_separated(
        self, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
    ) -> bool:
        """Tell whether the diagram alone makes x independent of y given a set (m-separation).

        Args:
            x: a node or a set of nodes.
            y: the same, disjoint from x.
            given: the same, disjoint from both.

        Raises:
            WorldError: an unknown node, or sets that overlap.
        """
        first, second, kept = self._set(x), self._set(y), self._set(given)
        shared = (first & second) | (first & kept) | (second & kept)
        if shared:
            raise WorldError(f"d_separated: '{min(shared)}' is in two of the sets; keep them apart")
        parents, children, siblings = self._maps
        opened = self.ancestors(kept)  # a collider here lets influence pass
        # A state is (node, whether the walk came in by an arrowhead).
        seen = {(name, False) for name in first}
        stack = list(seen)
        while stack:
            node, by_head = stack.pop()
            if node in second:
                return False
            steps: list[tuple[str, bool]] = []
            if node not in kept:
                steps += [(name, True) for name in children[node]]
            if node in opened if by_head else node not in kept:
                steps += [(name, False) for name in parents[node]]
                steps += [(name, True) for name in siblings[node]]
            fresh = [step for step in steps if step not in seen]
            seen.update(fresh)
            stack.extend(fresh)
        return True

    def c_components(self) -> tuple[frozenset[str], ...]:
        """Return the sets of nodes joined by ``<->`` paths, in the order of their first nodes."""
        found: list[frozenset[str]] = []
        done: set[str] = set()
        for name in self.nodes:
            if name not in done:
                found.append(self._reach(name, self._maps[2]))
                done |= found[-1]
        return tuple(found)

    def project(self, keep: Iterable[str]) -> Diagram:
        """Return the latent projection onto a set: the others become hidden.

        a -> b is kept where a directed path runs through hidden nodes only, a <-> b where a path
        without colliders runs through hidden nodes only and points at both ends.
        """
        kept = self._set(keep)
        parents = {name: set(near) for name, near in self._maps[0].items()}
        children = {name: set(near) for name, near in self._maps[1].items()}
        siblings = {name: set(near) for name, near in self._maps[2].items()}
        for gone in (name for name in self.nodes if name not in kept):
            above, below, beside = parents.pop(gone), children.pop(gone), siblings.pop(gone)
            for name in above:
                children[name].discard(gone)
                children[name] |= below
            for name in beside:
                siblings[name].discard(gone)
            for name in below:
                parents[name].discard(gone)
                parents[name] |= above
                for other in (below | beside) - {name}:
                    siblings[name].add(other)
                    siblings[other].add(name)
        directed = [(a, b) for a, near in children.items() for b in near]
        bidirected = [(a, b) for a, near in siblings.items() for b in near]
        return Diagram((n for n in self.nodes if n in kept), directed, bidirected)

    def induced(self, keep: Iterable[str]) -> Diagram:
        """Return the subgraph on a set: its nodes, and the edges with both ends in it."""
        kept = self._set(keep)
        inside = [
            [pair for pair in edges if kept.issuperset(pair)]
            for edges in (self.directed, self.bidirected)
        ]
        return Diagram((n for n in self.nodes if n in kept), *inside)

    def without_incoming(self, nodes: str | Iterable[str]) -> Diagram:
        """Return the diagram after an intervention: no arrowhead points at the set."""
        cut = self._set(nodes)
        directed = [(a, b) for a, b in self.directed if b not in cut]
        return Diagram(self.nodes, directed, [p for p in self.bidirected if not cut & set(p)])

    def without_outgoing(self, nodes: str | Iterable[str]) -> Diagram:
        """Return the diagram without the ``->`` edges that leave the set."""
        cut = self._set(nodes)
        return Diagram(self.nodes, [p for p in self.directed if p[0] not in cut], self.bidirected)

    def to_networkx(self) -> nx.DiGraph[str]:
        """Return the canonical DAG: each ``a <-> b`` is a node ``"U(a,b)"`` with hidden=True."""
        import networkx as nx

        dag: nx.DiGraph[str] = nx.DiGraph()
        dag.add_nodes_from(self.nodes, hidden=False)
        dag.add_edges_from(sorted(self.directed))
        for a, b in sorted(self.bidirected):
            latent = f"U({a},{b})"
            while latent in self.nodes:
                latent += "'"
            dag.add_node(latent, hidden=True)
            dag.add_edges_from([(latent, a), (latent, b)])
        return dag

    def _sorted(self, names: Iterable[str]) -> tuple[str, ...]:
        wanted = set(names)
        return tuple(name for name in self.nodes if name in wanted)

    def _one(self, node: str) -> str:
        self._known((node,), "node")
        return node

    def _set(self, nodes: str | Iterable[str]) -> frozenset[str]:
        names = frozenset((nodes,) if isinstance(nodes, str) else nodes)
        self._known(sorted(names), "node")
        return names

    def _known(self, names: Sequence[str], what: str) -> None:
        for name in names:
            if name not in self.nodes:
                hint = suggest(name, self.nodes)
                raise WorldError(f"diagram: {what}: there is no node '{name}'.{hint}")

    def _reach(self, nodes: str | Iterable[str], step: dict[str, list[str]]) -> frozenset[str]:
        found = set(self._set(nodes))
        stack = list(found)
        while stack:
            for name in step[stack.pop()]:
                if name not in found:
                    found.add(name)
                    stack.append(name)
        return frozenset(found)


def _quote(name: str) -> str:
    if _BARE.match(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _cycle(parents: dict[str, list[str]], waiting: dict[str, int]) -> str:
    """Spell out one cycle among the nodes that no order could place."""
    name = next(name for name, left in waiting.items() if left)
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(cause for cause in parents[name] if waiting[cause])
    loop = [*path[path.index(name) :], name][::-1]
    return "'" + " -> ".join(loop) + "'"
