"""Search for a question whose answers in two worlds lie far enough apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.query.render import quote
from causalbench.task.construct.payoff import CLEAR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.task.construct.net import Floats, Net
    from causalbench.task.construct.units import Oracle

__all__ = [
    "EVIDENCE",
    "GAP",
    "WRONG",
    "Ask",
    "Labels",
    "Spot",
    "association",
    "counterfactual",
    "intervention",
]

GAP = 0.2  # the least distance of the two answers
EVIDENCE = 0.01  # the least probability of what is conditioned on
WRONG = 0.05  # a reading further off than this is wrong


@dataclass(frozen=True)
class Labels:
    """Write atoms: value codes become labels, names are quoted where needed.

    Args:
        values: variable -> its value labels.
    """

    values: Mapping[str, Sequence[str]]

    def atom(self, name: str, code: int, subscript: str = "", op: str = "=") -> str:
        """Return ``"y=1"`` or ``"y[x=0]=1"``."""
        forced = f"[{subscript}]" if subscript else ""
        return f"{quote(name)}{forced}{op}{quote(self.values[name][code])}"


@dataclass(frozen=True)
class Spot:
    """What a rung-2 question asks for, as codes: a sum of ``P(y=value | do(x=code), seen)``.

    Args:
        x: the variable that is set.
        y: the outcome.
        value: its code.
        steps: (code of x, weight) pairs.
        seen: the variables that are evidence.
        row: the number of their values, counted in the order of ``seen``.
    """

    x: str
    y: str
    value: int
    steps: tuple[tuple[int, float], ...]
    seen: tuple[str, ...] = ()
    row: int = 0


@dataclass(frozen=True)
class Ask:
    """A candidate question.

    Args:
        query: its text.
        first: the answer in one world.
        second: the answer in the other.
        misread: how far the see reading is off in the world where it is better (rung 2).
        form: ``simple``, or ``named`` for differences and named quantities.
        spot: what it asks for (rung 2).
    """

    query: str
    first: float
    second: float
    misread: float = 0.0
    form: str = "simple"
    spot: Spot | None = None

    @property
    def good(self) -> bool:
        """Whether the answers lie at least 0.2 apart, and guessing at random does not pay."""
        gap = round(abs(self.first - self.second), 9)
        guess = [_guess(value) for value in (self.first, self.second)]
        spread = round(sum(mean for mean, _ in guess) - gap, 9)
        deviation = round(math.sqrt(sum(variance for _, variance in guess)), 9)
        return gap >= GAP and spread >= CLEAR * deviation

    @property
    def misleads(self) -> bool:
        """Whether watching is more than 0.05 off in both worlds."""
        return round(self.misread, 9) > WRONG


def _guess(truth: float) -> tuple[float, float]:
    """Return mean and variance of ``|u - truth|`` for u uniform in [0, 1]."""
    if not 0.0 <= truth <= 1.0:
        return abs(truth - 0.5), 1 / 12
    mean = (truth**2 + (1.0 - truth) ** 2) / 2
    return mean, (truth**3 + (1.0 - truth) ** 3) / 3 - mean**2


def association(
    nets: tuple[Net, Net], y: str, labels: Labels, focus: Sequence[str]
) -> Iterator[Ask]:
    """Yield ``P(y | x)`` and ``P(y | x, z)`` for a sink whose dependence differs.

    Args:
        nets: two nets that differ in y's table alone.
        y: the sink.
        labels: writes the query.
        focus: the variables that may be evidence.
    """
    net = nets[0]
    causes = [name for name in focus if name != y and name in net.ancestors([y])]
    groups = [(x,) for x in causes] + list(combinations(causes, 2))
    for names in groups:
        laws = [each.law((*names, y)) for each in nets]
        mass = laws[0].sum(axis=-1)
        for codes in product(*(range(net.cards[name]) for name in names)):
            if round(float(mass[codes]), 9) < EVIDENCE:
                continue
            given = ", ".join(labels.atom(*pair) for pair in zip(names, codes, strict=True))
            for code in range(net.cards[y]):
                first, second = (float(law[(*codes, code)] / mass[codes]) for law in laws)
                yield Ask(f"P({labels.atom(y, code)} | {given})", first, second)


def intervention(
    nets: tuple[Net, Net], x: str, y: str, labels: Labels, focus: Sequence[str]
) -> Iterator[Ask]:
    """Yield ``P(y | do(x))``, the same given a cause z, and ATEs.

    Args:
        nets: two nets with one seen law.
        x: the variable that is set.
        y: the outcome.
        labels: writes the query.
        focus: the variables that may be evidence.
    """
    net = nets[0]
    later = {name for each in nets for name in each.descendants(x)}
    groups = [(), *((name,) for name in focus if name not in later and name != y)]
    for names in groups:
        seen = net.law((*names, x, y))
        acts = [[each.law((*names, y), {x: code}) for code in range(net.cards[x])] for each in nets]
        for row, codes in enumerate(product(*(range(net.cards[name]) for name in names))):
            mass = float(acts[0][0][codes].sum())
            if round(mass, 9) < EVIDENCE:
                continue
            given = "".join(f", {labels.atom(*pair)}" for pair in zip(names, codes, strict=True))
            done = np.array([[law[codes] / mass for law in side] for side in acts])
            watched = seen[codes]
            rare = round(float(watched.sum(axis=-1).min()), 9) < EVIDENCE
            see = watched / np.where(watched > 0.0, watched.sum(axis=-1, keepdims=True), 1.0)
            off = np.where(rare, 0.0, np.abs(done - see).min(axis=0))
            for a, v in np.ndindex(net.cards[x], net.cards[y]):
                query = f"P({labels.atom(y, v)} | do({labels.atom(x, a)}){given})"
                spot = Spot(x, y, v, ((a, 1.0),), names, row)
                pair = float(done[0, a, v]), float(done[1, a, v])
                yield Ask(query, *pair, float(off[a, v]), spot=spot)
            if not names:
                yield from _effects(net, x, y, labels, done, see)


def _effects(net: Net, x: str, y: str, labels: Labels, done: Floats, see: Floats) -> Iterator[Ask]:
    for a, b in combinations(range(net.cards[x]), 2):
        for v in range(net.cards[y]):
            effect = done[:, b, v] - done[:, a, v]
            watched = see[b, v] - see[a, v]
            query = (
                f"P({labels.atom(y, v)} | do({labels.atom(x, b)})) - "
                f"P({labels.atom(y, v)} | do({labels.atom(x, a)}))"
            )
            off = float(np.abs(effect - watched).min())
            spot = Spot(x, y, v, ((b, 1.0), (a, -1.0)))
            yield Ask(query, float(effect[0]), float(effect[1]), off, "named", spot)


def counterfactual(
    oracles: tuple[Oracle, Oracle], net: Net, x: str, y: str, labels: Labels, focus: Sequence[str]
) -> Iterator[Ask]:
    """Yield unit-level questions, PN, PS and PNS of x and y.

    Args:
        oracles: tables of two worlds that differ in the coupling of one mechanism.
        net: their conditional tables.
        x: the variable that would have been otherwise.
        y: the outcome.
        labels: writes the query.
        focus: further variables that may be evidence, one at a time.
    """
    groups = [(), *((name,) for name in focus if name not in {x, y})]
    for b in range(net.cards[x]):
        after = labels.atom(x, b)
        for names in groups:
            joint = [each.joint((x, y, *names), y, {x: b}) for each in oracles]
            mass = joint[0].sum(axis=-1)
            for codes in product(*(range(size) for size in mass.shape)):
                if codes[0] == b or round(float(mass[codes]), 9) < EVIDENCE:
                    continue
                facts = ", ".join(
                    labels.atom(*pair) for pair in zip((x, y, *names), codes, strict=True)
                )
                for v in range(net.cards[y]):
                    first, second = (float(each[(*codes, v)] / mass[codes]) for each in joint)
                    yield Ask(f"P({labels.atom(y, v, after)} | {facts})", first, second)
    for a, b in product(range(net.cards[x]), repeat=2):
        if a != b:
            yield from _named(oracles, net, (x, a, b), y, labels)


def _named(
    oracles: tuple[Oracle, Oracle], net: Net, change: tuple[str, int, int], y: str, labels: Labels
) -> Iterator[Ask]:
    """Yield PN, PS and PNS of a change (x, from, to)."""
    x, a, b = change
    step = f"{quote(x)}: {quote(labels.values[x][a])} -> {quote(labels.values[x][b])}"
    undone = [each.joint((x, y), y, {x: a})[b] for each in oracles]
    done = [each.joint((x, y), y, {x: b})[a] for each in oracles]
    both = [each.twice(y, {x: a}, {x: b}) for each in oracles]
    for v in range(net.cards[y]):
        tail = f"({step}; {labels.atom(y, v)})"
        taken = float(undone[0][v].sum())
        if round(taken, 9) >= EVIDENCE:
            first, second = (1.0 - float(each[v, v] / taken) for each in undone)
            yield Ask(f"PN{tail}", first, second, form="named")
        rest = [code for code in range(net.cards[y]) if code != v]
        left = float(done[0][rest].sum())
        if round(left, 9) >= EVIDENCE:
            first, second = (float(each[rest, v].sum() / left) for each in done)
            yield Ask(f"PS{tail}", first, second, form="named")
        first, second = (float(each[rest, v].sum()) for each in both)
        yield Ask(f"PNS{tail}", first, second, form="named")
