"""Suites of hand-made pairs, clean or with one planted leak, that take no engine to build."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from causalbench.graph import Diagram
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.task.types import (
    Case,
    Certificate,
    Decision,
    Dossier,
    Item,
    Key,
    Placement,
    Question,
    Traits,
)
from causalbench.truth.knowledge import Knowledge

DRAWN = (Diagram.parse("x -> y; z"), Diagram.parse("x -> y; x <-> y; z -> x"))
QUERY = "P(y=1 | do(x=1))"
ACTIONS = ("pass", "x=1")
GAP = 0.4
PROVED = Certificate(identified=True, proof="by hand")


def world():
    """Return a world with the three variables; nothing that is audited depends on it."""
    half = np.array([0.5, 0.5])
    copy = Mechanism(("x",), half, np.array([[0, 1], [0, 1]]))
    free = Mechanism((), half, np.array([0, 1]))
    variables = {name: Variable(name, ("0", "1")) for name in "xyz"}
    return SCM(variables, {"x": free, "y": copy, "z": free})


@dataclass(frozen=True)
class Audited:
    """Pairs of one estimate each, on rung 2, with a diagram shown.

    Args:
        pairs: how many.
        leak: what tells the answer or the side: "", ``diagram``, ``story``, ``id``, ``order``,
            ``see``.
        decisions: ask for an action in place of a number.
    """

    pairs: int = 80
    leak: str = ""
    decisions: bool = False
    name: str = "audited"
    version: str = "1"

    @property
    def digest(self):
        """Digest the recipe."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def cases(self, seed, *, limit=None, filter=None):  # noqa: A002, ARG002
        """Return the cases; a coin says which of a pair comes in the first half."""
        scm = world()
        count = min(self.pairs, limit or self.pairs)
        coins = np.random.default_rng([seed, 1 << 20]).integers(0, 2, count)
        if self.leak == "order":
            coins[:] = 0
        order = [(pair, (int(coins[pair]) + half) % 2) for half in (0, 1) for pair in range(count)]
        return [self._case(scm, seed, pair, side) for pair, side in order]

    def practice(self, seed):
        """Return nothing: no agent is trained on it."""
        raise NotImplementedError(seed)

    def _case(self, scm, seed, pair, side):
        rng = np.random.default_rng([seed, pair])
        level, coin, noise = 0.3 + 0.4 * rng.random(), rng.integers(2), rng.integers(2)
        high = (side + coin) % 2  # the coin says which side has the larger answer
        truth = level + GAP * (high - 0.5)
        told = {"diagram": high, "story": high, "id": side, "see": high}.get(self.leak, noise)
        code = hashlib.sha256(f"{seed} {pair} {side} {self.leak}".encode()).hexdigest()[:15]
        drawn = DRAWN[told if self.leak == "diagram" else noise]
        words = ("A dry day.", "A wet day.")[told if self.leak == "story" else noise]
        dossier = Dossier(
            id=f"{'ab'[side] if self.leak == 'id' else code[0]}{code}",
            cell="diagram",
            variables=tuple(scm.variable(name) for name in "xyz"),
            knowledge=Knowledge("see", "diagram"),
            diagram=drawn,
            decisions=(self._decision(),) if self.decisions else (),
            story=words,
        )
        item = self._act(code, truth) if self.decisions else self._estimate(code, truth, level)
        placement = Placement(
            pair_id=f"p{pair}",
            side=side,
            role="skill",
            rung=2,
            track="decisions" if self.decisions else "estimates",
            cell="diagram",
            base=f"p{pair}",
            traits=Traits(form="best-action" if self.decisions else "interventional"),
        )
        return Case(dossier, (item,), placement, scm)

    def _estimate(self, code, truth, level):
        seen = truth if self.leak == "see" else level
        readings = {"marginal": level, "see": seen, "do": truth, "imagine": truth}
        question = Question(f"{code}q", QUERY, "estimate", text="How likely is y when x is set?")
        return Item(question, Key(question.id, 2, truth, readings, PROVED, floor=GAP))

    def _decision(self):
        return Decision("d", "act", ACTIONS, utility=((1.0, "y=1"),))

    def _act(self, code, truth):
        values = (0.5, truth) if abs(truth - 0.5) > 0.05 else (0.5, 0.3)
        best = ACTIONS[int(np.argmax(values))]
        readings = {"marginal": "pass", "see": "pass", "do": best, "imagine": best}
        query = "argmax a in {pass, x=1}: P(y=1 | do(a))"
        question = Question(f"{code}q", query, "act", ACTIONS, "d", {}, "Set x or not?")
        key = Key(question.id, 2, best, readings, PROVED, values=values, floor=0.1)
        return Item(question, key)
