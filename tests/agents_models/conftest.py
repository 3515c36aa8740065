"""Dossiers of random worlds, made by hand: what these tests ask agents about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.couplings import couple
from causalbench.scm.random import random_scm
from causalbench.task.lab import Lab
from causalbench.task.types import Dossier, Law, Question
from causalbench.truth import law
from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from causalbench.task.types import Decision


def world(seed: int, *, n: int = 4, hidden: int = 0, **options) -> SCM:
    """Return a random world."""
    return random_scm(rng=np.random.default_rng(seed), n=n, hidden=hidden, **options)


def make(parents: dict[str, tuple[str, ...]], *, hidden=(), seed=0, coupling="monotone") -> SCM:
    """Return a binary world of a given shape; names in ``hidden`` are hidden."""
    rng = np.random.default_rng(seed)
    variables, mechanisms = {}, {}
    for name, above in parents.items():
        variables[name] = Variable(name, ("0", "1"), name in hidden, (0.0, 1.0))
        chance = rng.uniform(0.1, 0.9, size=(2,) * len(above))
        mechanisms[name] = couple(np.stack([1 - chance, chance], axis=-1), coupling, above)
    return SCM(variables, mechanisms)


def confounded_pair() -> SCM:
    """Return z -> x -> y, z -> y, in which seeing and doing lie .28 apart.

    P(y=1 | x=1) = .8 x .9 + .2 x .2 = .76, P(y=1 | do(x=1)) = .5 x .9 + .5 x .2 = .55,
    P(y=1 | do(x=0)) = .5 x .8 + .5 x .1 = .45.
    """
    binary = {name: Variable(name, ("0", "1"), numbers=(0.0, 1.0)) for name in "zxy"}
    y = np.array([[[0.9, 0.1], [0.8, 0.2]], [[0.2, 0.8], [0.1, 0.9]]])
    mechanisms: dict[str, Mechanism] = {
        "z": couple(np.array([0.5, 0.5]), "monotone"),
        "x": couple(np.array([[0.8, 0.2], [0.2, 0.8]]), "monotone", ("z",)),
        "y": couple(y, "monotone", ("z", "x")),
    }
    return SCM(binary, mechanisms)


def visible(scm: SCM) -> tuple[Variable, ...]:
    """Return the visible variables."""
    return tuple(scm.variable(name) for name in scm.visible)


def mechanisms_dossier(scm: SCM) -> Dossier:
    """Show the whole world."""
    knowledge = Knowledge("see", "mechanisms")
    diagram = None if scm.is_linear else scm.diagram
    return Dossier("d", "mechanisms", visible(scm), knowledge, diagram=diagram, mechanisms=scm)


def diagram_dossier(scm: SCM, *, single: bool = False, couplings=(), rows=None) -> Dossier:
    """Show the diagram and the exact laws, or rows in their place."""
    laws = [Law((), law(scm, scm.visible))]
    for variable in visible(scm) if single else ():
        for label in variable.labels:
            do = ((variable.name, label),)
            laws.append(Law(do, law(scm, scm.visible, do=dict(do))))
    knowledge = Knowledge("do" if single else "see", "diagram")
    if rows is not None:
        return Dossier("d", "diagram", visible(scm), knowledge, diagram=scm.diagram, rows=rows)
    return Dossier(
        "d", "diagram", visible(scm), knowledge,
        diagram=scm.diagram, laws=tuple(laws), couplings=tuple(couplings),
    )  # fmt: skip


def lab_dossier(scm: SCM, regime: str, decisions: tuple[Decision, ...] = (), **budget) -> Dossier:
    """Show nothing, and let the agent experiment."""
    return Dossier(
        "d", "lab", visible(scm), Knowledge(regime), budget=Budget(**budget), decisions=decisions
    )


def ask(query: str, kind: str = "estimate", actions=()) -> Question:
    """Return a question."""
    return Question("q", query, kind, tuple(actions))


def open_lab(scm: SCM, dossier: Dossier, seed: int = 0) -> Lab:
    """Open a lab."""
    return Lab(scm, dossier, np.random.default_rng(seed))


def effects(scm: SCM) -> list[str]:
    """Return a ``P(y=1 | do(x=0))`` for every ordered pair of visible variables."""
    return [f"P({y}=1 | do({x}=0))" for x in scm.visible for y in scm.visible if x != y]


@pytest.fixture(scope="session")
def made():
    """Return the makers of worlds, dossiers, questions and labs."""
    return SimpleNamespace(
        world=world,
        make=make,
        confounded_pair=confounded_pair,
        mechanisms_dossier=mechanisms_dossier,
        diagram_dossier=diagram_dossier,
        lab_dossier=lab_dossier,
        ask=ask,
        open_lab=open_lab,
        effects=effects,
    )


@pytest.fixture
def rng():
    """Return a generator."""
    return np.random.default_rng(20)
