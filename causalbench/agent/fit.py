"""Fit a diagram to exact laws: conditioning where nothing is hidden, else EM and L-BFGS.

Every bidirected edge becomes a hidden root with a few values. Any model of the diagram that has the
laws gives the right value of an identified query; models that have the laws and disagree are
witnesses that a query is not identified. So a fit is asked for from several starts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from causalbench.errors import TooWideError

if TYPE_CHECKING:
    from causalbench.graph import Diagram

__all__ = ["STARTS", "Fitted", "Start", "fit_laws"]

Start = Literal["weak", "natural", "random"]
STARTS: tuple[Start, ...] = ("weak", "natural", "random")
Array = np.ndarray
Laws = Sequence[tuple[Mapping[str, int], Array]]
_MOST_HIDDEN = 8
_CELLS = 2**16
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Fitted:
    """A Bayesian network with hidden roots.

    Args:
        cards: variable -> number of values, hidden ones first.
        parents: variable -> parents, in the order of its table's axes.
        tables: variable -> P(value | parents), float [*cards, card].
        hidden: the hidden variables.
        gap: the largest total variation between a law and the model's.
    """

    cards: Mapping[str, int]
    parents: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Array]
    hidden: frozenset[str]
    gap: float


def fit_laws(
    diagram: Diagram,
    cards: Mapping[str, int],
    laws: Laws,
    *,
    start: Start = "weak",
    rng: np.random.Generator,
) -> Fitted:
    """Fit a network of the diagram to laws over its variables.

    Args:
        diagram: over the variables of the laws.
        cards: variable -> number of values, in the order of the laws' axes.
        laws: (forced variable -> code, table) pairs; the first is observation.
        start: ``weak`` (hidden causes do almost nothing), ``natural`` (a child reads what its
            confounded parent would have been) or ``random``.
        rng: source of randomness.

    Raises:
        TooWideError: the joint table, hidden variables included, would be too large.
    """
    observed = laws[0][1]
    names = tuple(cards)
    parents = {name: tuple(sorted(diagram.parents(name), key=names.index)) for name in names}
    place = {name: i for i, name in enumerate(diagram.order())}
    hidden: dict[str, int] = {}
    confounded: dict[str, list[str]] = {}
    for a, b in sorted(diagram.bidirected):
        root = f"hidden cause of {a} and {b}"
        hidden[root] = min(_MOST_HIDDEN, *(_responses(cards, parents, v) for v in (a, b)))
        for v in (a, b):
            confounded.setdefault(v, []).append(root)
    every = {**hidden, **cards}
    if math.prod(every.values()) > _CELLS:
        msg = f"a fit over {len(every)} variables is too wide; abstain, or show mechanisms."
        raise TooWideError(msg)
    tables = {name: condition(observed, names, name, parents[name]) for name in names}
    full = {name: (*parents[name], *confounded.get(name, ())) for name in names}
    if hidden:
        seed = _Seed(every, parents, confounded, hidden, place)
        tables = {**tables, **seed.tables(tables, start, rng)}
        full = {**dict.fromkeys(hidden, ()), **full}
        problem = _Problem(every, full, names, laws, free=(*hidden, *confounded))
        tables = problem.polish(problem.climb(tables, steps=30))
        return Fitted(every, full, tables, frozenset(hidden), problem.gap(tables))
    problem = _Problem(every, full, names, laws, free=())
    return Fitted(every, full, tables, frozenset(), problem.gap(tables))


def condition(law: Array, names: Sequence[str], target: str, given: Sequence[str]) -> Array:
    """Return P(target | given) from a joint table; uniform where the condition never happens."""
    keep = [*given, target]
    other = tuple(i for i, name in enumerate(names) if name not in keep)
    left = [name for name in names if name in keep]
    joint = law.sum(axis=other).transpose([left.index(name) for name in keep])
    mass = joint.sum(-1, keepdims=True)
    result: np.ndarray = np.where(
        mass > 0, joint / np.where(mass > 0, mass, 1.0), 1.0 / joint.shape[-1]
    )
    return result


def _responses(cards: Mapping[str, int], parents: Mapping[str, tuple[str, ...]], v: str) -> int:
    """Return how many functions a variable can be of its parents: what a hidden cause can fix."""
    rows = math.prod(cards[p] for p in parents[v])
    return _MOST_HIDDEN if rows > 3 else int(cards[v] ** rows)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class _Seed:
    """First tables for hidden roots and what hangs on them."""

    cards: Mapping[str, int]
    parents: Mapping[str, tuple[str, ...]]
    confounded: Mapping[str, list[str]]
    hidden: Mapping[str, int]
    place: Mapping[str, int]

    def tables(
        self, seen: Mapping[str, Array], start: Start, rng: np.random.Generator
    ) -> dict[str, Array]:
        """Return a table per hidden root and confounded variable."""
        spread = 0.3 if start == "weak" else 1.0
        first = {root: rng.dirichlet(np.full(k, 5.0)) for root, k in self.hidden.items()}
        for v, roots in self.confounded.items():
            sizes = tuple(self.cards[root] for root in roots)
            base = seen[v].reshape(*seen[v].shape[:-1], *(1 for _ in roots), self.cards[v])
            shape = (*seen[v].shape[:-1], *sizes, self.cards[v])
            if start == "natural":
                first[v] = self._natural(v, roots, base, shape, rng)
                continue
            tilt = np.exp(rng.normal(scale=spread * 2.0, size=shape))
            if start == "weak":
                tilt = np.exp(rng.normal(scale=0.1, size=shape))
            table = np.maximum(base, 0.02) * tilt
            first[v] = table / table.sum(-1, keepdims=True)
        return first

    def _natural(
        self,
        v: str,
        roots: Sequence[str],
        base: Array,
        shape: tuple[int, ...],
        rng: np.random.Generator,
    ) -> Array:
        """Let an edge's earlier end show the hidden cause, and its later end read that alone."""
        own = len(self.parents[v])
        tilt = rng.normal(scale=0.5, size=shape[own:])
        table = np.maximum(base, 0.02) * np.exp(tilt)
        for k, root in enumerate(roots):
            other = next(w for w, rs in self.confounded.items() if root in rs and w != v)
            if self.place[v] < self.place[other]:
                code = np.arange(self.hidden[root]) % self.cards[v]
                show = np.where(code[:, None] == np.arange(self.cards[v]), 1.0, 0.05)
                where = [1] * len(shape)
                where[own + k], where[-1] = show.shape
                table = table * show.reshape(where)
            elif other in self.parents[v]:
                table = table.mean(self.parents[v].index(other), keepdims=True)
                table = np.broadcast_to(table, shape)
        result: np.ndarray = table / table.sum(-1, keepdims=True)
        return result


class _Problem:
    """Maximum likelihood of exact laws over tables, some of which are free.

    Args:
        cards: variable -> number of values; its order is the order of the joint's axes.
        parents: variable -> parents, hidden ones too.
        names: the variables of the laws, which are the joint's last axes.
        laws: (forced variable -> code, table).
        free: the variables whose tables move.
    """

    def __init__(
        self,
        cards: Mapping[str, int],
        parents: Mapping[str, tuple[str, ...]],
        names: Sequence[str],
        laws: Laws,
        *,
        free: Sequence[str],
    ) -> None:
        self._axes = list(cards)
        self._cards = cards
        self._parents = parents
        self._laws = laws
        self._free = tuple(free)
        self._roots = tuple(range(len(cards) - len(names)))
        self._masks = [self._mask(forced) for forced, _ in laws]

    def climb(self, tables: Mapping[str, Array], *, steps: int) -> dict[str, Array]:
        """Take steps of expectation maximisation."""
        now = dict(tables)
        for _ in range(steps):
            _, counts = self._expect(now)
            for name, count in counts.items():
                mass = count.sum(-1, keepdims=True)
                now[name] = np.where(mass > _FLOOR, count / np.maximum(mass, _FLOOR), now[name])
        return now

    def polish(self, tables: Mapping[str, Array]) -> dict[str, Array]:
        """Finish with L-BFGS over logits, whose gradient expectation gives for free."""
        from scipy.optimize import minimize

        shapes = {name: tables[name].shape for name in self._free}
        logits = [np.log(np.maximum(tables[name], 1e-9)).ravel() for name in self._free]

        def unpack(vector: Array) -> dict[str, Array]:
            now, at = dict(tables), 0
            for name, shape in shapes.items():
                size = math.prod(shape)
                part = vector[at : at + size].reshape(shape)
                part = np.exp(part - part.max(-1, keepdims=True))
                now[name] = part / part.sum(-1, keepdims=True)
                at += size
            return now

        def loss(vector: Array) -> tuple[float, Array]:
            now = unpack(vector)
            value, counts = self._expect(now)
            slopes = [
                (counts[name].sum(-1, keepdims=True) * now[name] - counts[name]).ravel()
                for name in self._free
            ]
            return value, np.concatenate(slopes)

        found = minimize(
            loss,
            np.concatenate(logits),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 500, "maxfun": 600, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 20},
        )
        return unpack(found.x)

    def gap(self, tables: Mapping[str, Array]) -> float:
        """Return the largest total variation between a law and the model's."""
        gaps = [
            0.5 * np.abs(self._joint(tables, forced, mask).sum(self._roots) - law).sum()
            for (forced, law), mask in zip(self._laws, self._masks, strict=True)
        ]
        return float(max(gaps))

    def _expect(self, tables: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
        """Return minus the log-likelihood, and the expected counts of the free tables."""
        total = 0.0
        counts = {name: np.zeros(tables[name].shape) for name in self._free}
        for (forced, law), mask in zip(self._laws, self._masks, strict=True):
            joint = self._joint(tables, forced, mask)
            model = np.maximum(joint.sum(self._roots), 1e-300)
            total -= float((law * np.log(model)).sum())
            weight = joint * (law / model)
            for name in self._free:
                if name not in forced:
                    counts[name] += self._collect(weight, name)
        return total, counts

    def _joint(self, tables: Mapping[str, Array], forced: Mapping[str, int], mask: Array) -> Array:
        """Return the joint of all variables under an intervention."""
        joint = mask
        for name in self._axes:
            if name not in forced:
                joint = joint * self._spread(tables[name], name)
        return joint

    def _mask(self, forced: Mapping[str, int]) -> Array:
        """Return 1 where the forced variables have their values."""
        mask = np.ones([self._cards[name] for name in self._axes])
        for name, code in forced.items():
            shape = [1] * len(self._axes)
            shape[self._axes.index(name)] = self._cards[name]
            mask = mask * (np.arange(self._cards[name]) == code).reshape(shape)
        return mask

    def _spread(self, table: Array, name: str) -> Array:
        """Return a table with its axes in their places in the joint."""
        places = [self._axes.index(each) for each in (*self._parents[name], name)]
        shape = [1] * len(self._axes)
        for place in places:
            shape[place] = self._cards[self._axes[place]]
        return table.transpose(np.argsort(places)).reshape(shape)

    def _collect(self, joint: Array, name: str) -> Array:
        """Sum a joint down to a table's axes."""
        places = [self._axes.index(each) for each in (*self._parents[name], name)]
        rest = tuple(i for i in range(len(self._axes)) if i not in places)
        result: np.ndarray = joint.sum(rest).transpose(np.argsort(np.argsort(places)))
        return result
