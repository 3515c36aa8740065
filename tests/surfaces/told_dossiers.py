"""Dossiers of every kind of world and evidence, to be told in three forms."""

from __future__ import annotations

import json

import numpy as np
from told_builders import linear_world

from causalbench.rng import generator
from causalbench.scm.random import random_scm
from causalbench.task.construct.draft import Draft
from causalbench.task.dressing import exact_laws, sample_rows
from causalbench.task.surface import tell
from causalbench.task.types import Dossier
from causalbench.task.world import load_world
from causalbench.truth.knowledge import Budget, Knowledge


def umbrella_dossier():
    """Return a dossier of umbrella-rain in which every part holds something."""
    world = load_world("umbrella-rain")
    scm = world.scm
    log = {
        "obs": np.array([[-1, -1, -1, -1], [0, 1, -1, 1], [0, 1, -1, 1], [0, 1, -1, 1]]),
        "action": np.array([0, 2, 2, 1]),
        "reward": np.array([0.5, 0.125, 0.125, 0.0]),
        "terminal": np.array([True, True, True, False]),
        "source": np.array(["town", "town", "town", "sailor"]),
    }
    mixture = {"mixture": {"of": ["monotone", {"antitone": {"in": "seed"}}], "weights": [0.5, 0.5]}}
    coupling = json.dumps(mixture, sort_keys=True)
    return Dossier(
        id="d7",
        cell="mechanisms",
        variables=tuple(scm.variable(name) for name in scm.visible),
        knowledge=Knowledge(
            "replay",
            "mechanisms",
            ("coupling:rain=monotone", f"coupling:wet={coupling}", "monotone: rain -> wet"),
            ("seed", "umbrella"),
        ),
        budget=Budget(3, 2, 1),
        diagram=scm.diagram,
        mechanisms=scm,
        laws=exact_laws(scm, interventions=True),
        couplings=(("rain", "independent"), ("wet", coupling)),
        rows=sample_rows(scm, 40, np.random.default_rng(1)),
        logs={"act-cheap": log},
        decisions=world.decisions,
        story="A town wants less rain.",
    )


def real_dossier(name):
    """Return a dossier of a world of real variables, with rows."""
    scm = load_world(name).scm
    rows = np.stack(list(scm.draw(20, rng=np.random.default_rng(2)).values()), axis=1)
    return Dossier(
        id="d1",
        cell="mechanisms",
        variables=tuple(scm.variable(each) for each in scm.names),
        knowledge=Knowledge("see", "mechanisms"),
        diagram=scm.diagram,
        mechanisms=scm,
        rows=rows,
    )


def network_dossier():
    """Return a dossier of a network: tables without couplings, and a lab of many rows."""
    scm = load_world("bnlearn/asia").scm
    scm = scm.rename({name: f"v_{name}" for name in scm.names})
    return Dossier(
        id="n",
        cell="diagram",
        variables=tuple(scm.variable(each) for each in scm.names),
        knowledge=Knowledge("do", "mechanisms", (), ()),
        diagram=scm.diagram,
        mechanisms=scm,
        rows=sample_rows(scm, 3000, np.random.default_rng(4)),
    )


def hidden_linear():
    """Return a dossier of a linear world with a hidden variable."""
    scm = linear_world(hidden=("x",))
    return Dossier(
        "l",
        "mechanisms",
        tuple(scm.variable(each) for each in scm.visible),
        Knowledge("see", "mechanisms"),
        diagram=scm.diagram,
        mechanisms=scm,
    )


def large_dossier():
    """Return a dossier of a large world in the words of a whole district, with a lab's rows."""
    scm = random_scm(rng=generator(6, "large"), n=30, cards=(2, 3, 4), hidden=4)
    asked = f"P({scm.visible[0]}={scm.variable(scm.visible[0]).labels[0]})"
    told = tell(Draft((scm, scm), 1, "dependence", asked), "sensible", generator(7, "large"))
    side = told.draft.sides[0]
    return Dossier(
        id="w",
        cell="diagram",
        variables=tuple(side.variable(each) for each in side.visible),
        knowledge=Knowledge("see", "diagram"),
        diagram=side.diagram,
        rows=sample_rows(side, 500, generator(8, "large")),
        story=told.story,
    )


VARIED = {
    "umbrella-rain": umbrella_dossier,
    "salary": lambda: real_dossier("salary"),
    "dose-response": lambda: real_dossier("dose-response"),
    "braking": lambda: real_dossier("braking"),
    "asia": network_dossier,
    "hidden linear": hidden_linear,
    "large": large_dossier,
}
