"""Dossiers of random worlds, made by hand: what these tests ask agents about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.scm.random import random_scm
from causalbench.task.types import Decision, Dossier, Law, Question
from causalbench.truth import law
from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from causalbench.scm import SCM


def world(seed: int, *, n: int = 4, hidden: int = 0, **options) -> SCM:
    """Return a random world."""
    return random_scm(rng=np.random.default_rng(seed), n=n, hidden=hidden, **options)


def visible(scm: SCM):
    """Return the visible variables."""
    return tuple(scm.variable(name) for name in scm.visible)


def mechanisms_dossier(scm: SCM, decisions: tuple[Decision, ...] = ()) -> Dossier:
    """Show the whole world."""
    return Dossier(
        "d", "mechanisms", visible(scm), Knowledge("see", "mechanisms"),
        diagram=scm.diagram, mechanisms=scm, decisions=decisions,
    )  # fmt: skip


def diagram_dossier(scm: SCM, *, single: bool = False, couplings=()) -> Dossier:
    """Show the diagram and the exact laws."""
    laws = [Law((), law(scm, scm.visible))]
    if single:
        for variable in visible(scm):
            for label in variable.labels:
                do = ((variable.name, label),)
                laws.append(Law(do, law(scm, scm.visible, do=dict(do))))
    knowledge = Knowledge("do" if single else "see", "diagram")
    return Dossier(
        "d", "diagram", visible(scm), knowledge,
        diagram=scm.diagram, laws=tuple(laws), couplings=couplings,
    )  # fmt: skip


def lab_dossier(scm: SCM, regime: str, budget: Budget, decisions=()) -> Dossier:
    """Show nothing, and let the agent experiment."""
    return Dossier(
        "d", "lab", visible(scm), Knowledge(regime, "none"), budget=budget, decisions=decisions
    )


def ask(query: str, **fields) -> Question:
    """Return a question for an estimate."""
    return Question("q", query, "estimate", **fields)


def singles(scm: SCM, x: str, y: str) -> list[str]:
    """Return every ``P(y=v | do(x=a))``."""
    return [
        f"P({y}={v} | do({x}={a}))" for a in scm.variable(x).labels for v in scm.variable(y).labels
    ]
