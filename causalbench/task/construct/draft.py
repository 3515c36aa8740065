"""A pair before it is dressed: two worlds, one question or decision, and how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.couplings import monotone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.net import Net
    from causalbench.task.types import Decision

__all__ = ["Draft", "functions_of", "world_of"]


@dataclass(frozen=True)
class Draft:
    """Two worlds that agree on the rungs below and differ in the answer.

    Args:
        sides: the worlds; neither is the original by right, and a coin decides which comes first.
        rung: of the question.
        construction: how they were made.
        query: the question of an estimate, else None.
        decision: the decision, else None.
        couplings: for each world: variable -> its coupling, where the dossier may name it.
        misleads: rung 2: watching is more than 0.05 off in both worlds.
        mixed: rung 3: the worlds differ in the law of a hidden cause, not in a coupling.
        motif: the shape that the worlds were made of.
        attempts: how many attempts it took to find them.
    """

    sides: tuple[SCM, SCM]
    rung: int
    construction: str
    query: str | None = None
    decision: Decision | None = None
    couplings: tuple[Mapping[str, Coupling], Mapping[str, Coupling]] = field(
        default_factory=lambda: ({}, {})
    )
    misleads: bool = False
    mixed: bool = False
    motif: str = ""
    attempts: int = 1


def functions_of(net: Net) -> dict[str, Mechanism]:
    """Give every table of a net a mechanism; rungs 1 and 2 do not depend on which."""
    return {name: monotone(net.cpts[name], net.parents[name]) for name in net.order()}


def world_of(
    functions: Mapping[str, Mechanism],
    net: Net,
    values: Mapping[str, Sequence[str]] | None = None,
    known: Mapping[str, Variable] | None = None,
) -> SCM:
    """Put mechanisms together as a world, variables in the order of the net.

    Args:
        functions: variable -> mechanism.
        net: says which variables there are, how many values they have, and which are hidden.
        values: variable -> labels; by default "0", "1", ...
        known: variables that exist already and stay as they are.
    """
    labels, have = values or {}, known or {}
    variables = {}
    for name, card in net.cards.items():
        own = tuple(labels.get(name) or (str(code) for code in range(card)))
        variables[name] = have.get(name) or Variable(name, own, hidden=name in net.hidden)
    return SCM(variables, {name: functions[name] for name in net.cards})
