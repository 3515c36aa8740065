"""A suite of hand-made pairs, small enough to run in no time; other processes can import it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

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
)
from causalbench.truth.knowledge import Budget, Knowledge

ROWS = 20


def world(chance):
    """Return x -> y with P(y=1 | do(x=1)) = chance."""
    noise = np.array([chance, 1 - chance])
    return SCM(
        {name: Variable(name, ("0", "1")) for name in "xy"},
        {
            "x": Mechanism((), np.array([0.5, 0.5]), np.array([0, 1])),
            "y": Mechanism(("x",), noise, np.array([[0, 1], [0, 0]])),
        },
    )


def case(pair, side, seed, cell="lab", rung=2):
    """Return one side of a pair: an estimate of .3 or .7, and for odd pairs an act worth it."""
    chance = (0.3, 0.7)[side]
    code = hashlib.sha256(f"{seed} {pair} {side} {cell} {rung}".encode()).hexdigest()[:8]
    scm = world(chance)
    identified = Certificate(identified=True, proof="by hand")
    readings = {"marginal": 0.5, "see": 0.5, "do": chance, "imagine": chance}
    decisions = pair % 2 == 1
    act = Decision("d", "act", ("pass", "x=1"), utility=((1.0, "y=1"),))
    if decisions:
        question = Question(f"{code}-q", "argmax ...", "act", act.actions, "d", {})
        values = (0.5, chance)
        best = act.actions[values.index(max(values))]
        key = Key(
            question.id,
            rung,
            best,
            {"see": "pass", "do": best},
            identified,
            values=values,
            floor=0.2,
        )
        items = (Item(question, key),)
    else:
        items = tuple(
            Item(
                Question(f"{code}-{n}", "P(y=1 | do(x=1))", "estimate"),
                Key(f"{code}-{n}", rung, chance, readings, identified, floor=0.4),
            )
            for n in range(2)
        )
    dossier = Dossier(
        id=code,
        cell=cell,
        variables=tuple(scm.variable(name) for name in scm.visible),
        knowledge=Knowledge("do"),
        budget=Budget(rows=ROWS, interventions=ROWS),
        decisions=(act,) if decisions else (),
    )
    placement = Placement(
        pair_id=f"p{pair}",
        side=side,
        role="skill",
        rung=rung,
        track="decisions" if decisions else "estimates",
        cell=cell,
        base=f"b{pair}",
    )
    return Case(dossier, items, placement, scm)


@dataclass(frozen=True)
class Practice:
    """Worlds to train on."""

    seed: int

    def cases(self):
        """Yield one case of another world."""
        yield case(0, 0, self.seed + 1000)


@dataclass(frozen=True)
class ToySuite:
    """Pairs 0, 1, 2, ...: even ones of estimates, odd ones of decisions."""

    pairs: int = 4
    version: str = "1"
    name: str = "toy"

    @property
    def digest(self):
        """Digest the recipe."""
        return hashlib.sha256(f"{self.name} {self.version} {self.pairs}".encode()).hexdigest()

    def cases(self, seed, *, limit=None, filter=None):  # noqa: A002
        """Return the cases, filtered."""
        count = self.pairs if limit is None else min(limit, self.pairs)
        made = [case(pair, side, seed) for pair in range(count) for side in (0, 1)]
        wanted = filter or {}
        return [
            one
            for one in made
            if all(str(getattr(one.placement, key)) == str(wanted[key]) for key in wanted)
        ]

    def practice(self, seed):
        """Return worlds that are not in the suite."""
        return Practice(seed)
