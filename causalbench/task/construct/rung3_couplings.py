"""Rung 3: couplings of the mechanisms of two worlds, of which one mechanism has two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.scm.couplings import couple
from causalbench.task.construct.draft import world_of
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm import SCM, Mechanism
    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Net
    from causalbench.task.construct.rung3_worlds import Copies

    Sides = tuple[dict[str, Coupling], dict[str, Coupling]]

__all__ = ["coupled_worlds", "loosely", "renamed", "two_couplings_of"]

_NOISE, _FEW = 32, 8  # the most noise values of an independent coupling: at stake, and elsewhere


def two_couplings_of(
    rng: np.random.Generator, batch: Batch, copies: Copies
) -> tuple[str, Sides] | None:
    """Choose a mechanism that is read at several rows, and couplings: two of it, one of others."""
    if not copies.twice:
        return None
    stake = draws.choice(rng, copies.twice)
    rows = list(copies.rows[stake].values())
    turns = [
        parent
        for place, parent in enumerate(batch.parents[stake])
        if len({row[place] for row in rows}) > 1
    ]
    options: list[Coupling] = ["monotone"]
    for parent in turns:
        opposed: Coupling = {"antitone": {"in": parent}}
        share = draws.choice(rng, (0.25, 0.5, 0.75))
        parts = {"of": ["monotone", opposed], "weights": [share, 1.0 - share]}
        options += [opposed, {"mixture": parts}]
    if _responses(batch, stake) <= _NOISE:
        options.append("independent")
    first, second, *_ = (options[int(place)] for place in draws.permutation(rng, len(options)))
    shared = {name: loosely(rng, batch, name) for name in batch.cards}
    return stake, ({**shared, stake: first}, {**shared, stake: second})


def loosely(rng: np.random.Generator, net: Net | Batch, name: str) -> Coupling:
    """Draw the coupling of a mechanism that is not at stake."""
    return "independent" if _responses(net, name) <= _FEW and coin(rng) else "monotone"


def _responses(net: Net | Batch, name: str) -> float:
    """Return how many functions of the parents there are."""
    rows = math.prod(net.cards[parent] for parent in net.parents[name])
    return float(net.cards[name]) ** rows


def renamed(coupling: Coupling, roles: Mapping[str, str]) -> Coupling:
    """Write a coupling with the names that roles were given."""
    if isinstance(coupling, str):
        return coupling
    if "antitone" in coupling:
        return {"antitone": {"in": roles[coupling["antitone"]["in"]]}}
    mixture = coupling["mixture"]
    return {"mixture": {**mixture, "of": [renamed(each, roles) for each in mixture["of"]]}}


def coupled_worlds(nets: tuple[Net, Net], couplings: Sides, labels: Labels) -> tuple[SCM, SCM]:
    """Put tables and couplings together as two worlds; what they share is made once."""
    made: list[dict[str, Mechanism]] = []
    for net, told in zip(nets, couplings, strict=True):
        own = {}
        for name, cpt in net.cpts.items():
            alike = made and cpt is nets[0].cpts[name] and told[name] == couplings[0][name]
            own[name] = made[0][name] if alike else couple(cpt, told[name], net.parents[name])
        made.append(own)
    first, second = (world_of(own, net, labels.values) for own, net in zip(made, nets, strict=True))
    return first, second
