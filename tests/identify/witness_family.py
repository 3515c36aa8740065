"""All models of a diagram whose hidden confounders have a given number of states.

Parameters are the hidden variables' laws and, for every visible variable, its CPT given parents and
hidden parents, or (``responses=True``) the law of its response type given hidden parents, so that
counterfactual probabilities are polynomials too. All laws are multilinear in the parameters, so
derivatives are exact: those of a product with one factor left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from causalbench.scm import SCM, Mechanism, Variable

__all__ = ["Family"]


@dataclass(frozen=True)
class Factor:
    """A block of parameters as a table: matrix maps its last axis to (parents, copies)."""

    axes: tuple[object, ...]
    shape: tuple[int, ...]
    matrix: np.ndarray | None


class Family:
    """All models of a diagram with hidden confounders of so many states.

    Args:
        diagram: over the visible variables.
        card: how many values each visible variable has.
        states: how many each hidden one has.
        cliques: one hidden variable for a maximal clique of bidirected edges, not for each edge.
        responses: whether parameters are laws of response types (rung 3) or CPTs.
    """

    def __init__(self, diagram, *, card=2, states=4, cliques=False, responses=False):
        self.diagram = diagram
        self.names = diagram.order()
        self.card = card
        self.states = states
        self.responses = responses
        groups = _cliques(diagram) if cliques else [frozenset(e) for e in diagram.bidirected]
        self.latents = {f"latent{i}": group for i, group in enumerate(sorted(groups, key=sorted))}
        self.parents = {name: diagram.parents(name) for name in self.names}
        self.above = {name: diagram.ancestors(name) for name in self.names}
        self.unseen = {
            name: tuple(u for u, group in self.latents.items() if name in group)
            for name in self.names
        }
        self.shapes = dict.fromkeys(self.latents, (states,))
        for name in self.names:
            rows = card ** len(self.parents[name])
            inner = (card**rows,) if responses else (rows, card)
            self.shapes[name] = (states ** len(self.unseen[name]), *inner)
        self.starts, self.size = {}, 0
        for block, shape in self.shapes.items():
            self.starts[block] = self.size
            self.size += int(np.prod(shape))

    def draw(self, rng):
        """Draw parameters away from the edge."""
        parts = []
        for shape in self.shapes.values():
            chances = rng.dirichlet(np.ones(shape[-1]), shape[:-1] or None)
            parts.append((0.8 * chances + 0.2 / shape[-1]).ravel())
        return np.concatenate(parts)

    def block(self, theta, name):
        """Return a block of parameters in its shape."""
        shape = self.shapes[name]
        start = self.starts[name]
        return theta[start : start + int(np.prod(shape))].reshape(shape)

    def tangent(self, slopes):
        """Return the part of gradients (last axis: parameters) that keeps the sums at 1."""
        parts = []
        for name, shape in self.shapes.items():
            block = slopes[..., self._span(name)].reshape(*slopes.shape[:-1], *shape)
            level = block - block.mean(axis=-1, keepdims=True)
            parts.append(level.reshape(*slopes.shape[:-1], -1))
        return np.concatenate(parts, axis=-1)

    def law(self, theta, forced=()):
        """Return P(v | do(forced)) for all values, and its Jacobian.

        Returns:
            float64[card ** n] and float64[card ** n, parameters].
        """
        worlds = {name: (name,) for name in self.names}
        factors = {
            name: self._factor(name, [(worlds[name], [worlds[p] for p in self.parents[name]])])
            for name in self.names
            if name not in forced
        }
        return self._expand(theta, factors, [worlds[name] for name in self.names], {})

    def probability(self, theta, events):
        """Return P(all the counterfactual events) and its gradient."""
        copies = {name: [] for name in self.names}
        fixed = {}
        stack = [(name, dict(forced)) for name, forced, _ in events]
        copies_of = {}
        while stack:
            name, forced = stack.pop()
            here = self._copy(name, forced)
            if name in forced or here in copies_of:
                continue
            near = [forced[p] if p in forced else self._copy(p, forced) for p in self.parents[name]]
            copies_of[here] = near
            copies[name].append((here, near))
            stack += [(p, forced) for p in self.parents[name]]
        for name, forced, value in events:
            if name in forced:
                if forced[name] != value:
                    return 0.0, np.zeros(self.size)
                continue
            here = self._copy(name, forced)
            if fixed.setdefault(here, value) != value:
                return 0.0, np.zeros(self.size)
        factors = {name: self._factor(name, own) for name, own in copies.items() if own}
        value, jacobian = self._expand(theta, factors, [], fixed)
        return float(value[0]), jacobian[0]

    def scm(self, theta):
        """Return a member with responses as a world."""
        variables = {}
        mechanisms = {}
        for u in self.latents:
            labels = tuple(map(str, range(self.states)))
            variables[u] = Variable(u, labels, hidden=True)
            mechanisms[u] = Mechanism((), self.block(theta, u), np.arange(self.states))
        for name in self.names:
            near, unseen = self.parents[name], self.unseen[name]
            variables[name] = Variable(name, tuple(map(str, range(self.card))))
            laws = self.block(theta, name)
            rows = self.card ** len(near)
            kinds = range(laws.shape[-1])
            # One noise: the response type for every state of the hidden parents, independently.
            noise, table = [], []
            for chosen in product(kinds, repeat=len(laws)):
                noise.append(np.prod([laws[state, kind] for state, kind in enumerate(chosen)]))
                table.append(
                    [
                        [kind // self.card ** (rows - 1 - row) % self.card for row in range(rows)]
                        for kind in chosen
                    ]
                )
            shape = [self.states] * len(unseen) + [self.card] * len(near)
            array = np.array(table).reshape(len(noise), *shape)
            mechanisms[name] = Mechanism((*unseen, *near), np.array(noise), array)
        return SCM(variables, mechanisms)

    def conditional(self, theta, events, given=()):
        """Return P(events | given) and its gradient."""
        below, slope = self.probability(theta, list(given)) if given else (1.0, 0.0)
        above, rise = self.probability(theta, [*events, *given])
        return above / below, (rise - above / below * slope) / below

    def _copy(self, name, forced):
        return (name, *sorted((p, v) for p, v in forced.items() if p in self.above[name]))

    def _factor(self, name, copies):
        """Return the table of a variable's copies, given their parents (an axis or a value)."""
        outer = [axis for axis, _ in copies]
        inner = list(dict.fromkeys(p for _, near in copies for p in near if isinstance(p, tuple)))
        axes = (*self.unseen[name], *inner, *outer)
        shape = (*[self.states] * len(self.unseen[name]), *[self.card] * (len(inner) + len(outer)))
        plain = len(copies) == 1 and inner == list(copies[0][1])
        if plain and not self.responses:
            return Factor(axes, shape, None)
        if len(copies) > 1 and not self.responses:
            msg = "several worlds need a family with responses"
            raise ValueError(msg)
        rows = self.card ** len(self.parents[name])
        columns = self.card ** (len(inner) + len(outer))
        types = self.card**rows if self.responses else rows * self.card
        matrix = np.zeros((types, columns))
        for values in product(range(self.card), repeat=len(inner)):
            at = dict(zip(inner, values, strict=True))
            where = [
                int(np.ravel_multi_index([at.get(p, p) for p in near], [self.card] * len(near)))
                if near
                else 0
                for _, near in copies
            ]
            if self.responses:
                for kind in range(types):
                    out = [kind // self.card ** (rows - 1 - row) % self.card for row in where]
                    matrix[kind, self._flat([*values, *out])] = 1.0
            else:
                for out in range(self.card):
                    matrix[where[0] * self.card + out, self._flat([*values, out])] = 1.0
        return Factor(axes, shape, matrix)

    def _flat(self, digits):
        place = 0
        for digit in digits:
            place = place * self.card + digit
        return place

    def _expand(self, theta, factors, kept, fixed):
        """Multiply the factors out, sum all but the kept axes, and differentiate."""
        full = dict(factors)
        for u in self.latents:
            if any(u in factor.axes for factor in factors.values()):
                full[u] = Factor((u,), (self.states,), None)
        axes = list(dict.fromkeys([*kept, *(a for factor in full.values() for a in factor.axes)]))
        place = {axis: i for i, axis in enumerate(axes)}
        sizes = [self.states if axis in self.latents else self.card for axis in axes]
        for axis in fixed:
            sizes[place[axis]] = 1
        spread = []
        for name, factor in full.items():
            table = self._table(theta, name, factor)
            for at, axis in enumerate(factor.axes):
                if axis in fixed:
                    table = np.take(table, [fixed[axis]], axis=at)
            spread.append(_spread(table, factor.axes, place))
        before = [np.ones([1] * len(axes))]
        for table in spread:
            before.append(before[-1] * table)
        after = [np.ones([1] * len(axes))]
        for table in reversed(spread):
            after.append(after[-1] * table)
        after.reverse()
        cells = int(np.prod([self.card for _ in kept])) if kept else 1
        gone = tuple(range(len(kept), len(axes)))
        value = np.broadcast_to(before[-1], sizes).sum(axis=gone).reshape(cells)
        jacobian = np.zeros((cells, self.size))
        for number, (name, factor) in enumerate(full.items()):
            rest = np.broadcast_to(before[number] * after[number + 1], sizes)
            own = [place[axis] for axis in factor.axes]
            # Sum the axes that are neither the factor's own nor kept; then put each cell's share
            # to the factor's entry at that cell.
            idle = tuple(i for i in range(len(kept), len(axes)) if i not in own)
            share = rest.sum(axis=idle, keepdims=True)
            jacobian[:, self._span(name)] = self._pull(name, factor, share, place, cells, fixed)
        return value, jacobian

    def _pull(self, name, factor, share, place, cells, fixed):
        """Return d(kept cells) / d(parameters of a block)."""
        positions = np.indices(share.shape)
        kept = round(np.log(cells) / np.log(self.card))
        row = np.zeros(share.shape, dtype=np.int64)
        for at in range(kept):
            row = row * self.card + positions[at]
        column = np.zeros(share.shape, dtype=np.int64)
        for axis, size in zip(factor.axes, factor.shape, strict=True):
            here = fixed[axis] if axis in fixed else positions[place[axis]]
            column = column * size + here
        entries = np.zeros((cells, int(np.prod(factor.shape))))
        np.add.at(entries, (row.ravel(), column.ravel()), share.ravel())
        if factor.matrix is None:
            return entries
        outer = self.states ** len(self.unseen[name])
        pulled = entries.reshape(cells, outer, -1) @ factor.matrix.T
        return pulled.reshape(cells, -1)

    def _table(self, theta, name, factor):
        block = self.block(theta, name)
        if factor.matrix is None:
            return block.reshape(factor.shape)
        flat = block.reshape(block.shape[0], -1)
        return (flat @ factor.matrix).reshape(factor.shape)

    def _span(self, name):
        start = self.starts[name]
        return slice(start, start + int(np.prod(self.shapes[name])))


def _spread(table, axes, place):
    """Reshape a table so that it broadcasts over all axes."""
    order = sorted(range(len(axes)), key=lambda at: place[axes[at]])
    shape = [1] * len(place)
    for at in order:
        shape[place[axes[at]]] = table.shape[at]
    return table.transpose(order).reshape(shape)


def _cliques(diagram):
    """Return the maximal cliques of the bidirected edges."""
    edges = {frozenset(edge) for edge in diagram.bidirected}
    found = []
    for size in range(len(diagram.nodes), 1, -1):
        for group in combinations(diagram.nodes, size):
            pairs = {frozenset(pair) for pair in combinations(group, 2)}
            if pairs <= edges and not any({*group} <= other for other in found):
                found.append(frozenset(group))
    return found
