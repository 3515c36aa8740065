"""A small confounded world with decisions of every mode, and labs on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from causalbench.scm import SCM, Mechanism, Variable
from causalbench.task.lab import Lab
from causalbench.task.types import Decision, Dossier
from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).parent))  # for the drawn programs of this room

UTILITY = ((1.0, "y=1"), (-0.25, "x=1"))
DECISIONS = (
    Decision("bet", "bet", ("y=0", "y=1"), observes=("x",)),
    Decision("act", "act", ("x=0", "x=1", "pass"), UTILITY, observes=("w",)),
    Decision("redo", "redo", ("pass", "x=0", "x=1"), UTILITY, observes=("w", "x", "y")),
    Decision(
        "stated",
        "redo",
        ("pass", "x=0", "x=1"),
        UTILITY,
        observes=("x", "y"),
        given=(("x", "1"), ("y", "0")),
    ),
    Decision("again", "redo", ("x=0", "x=1"), UTILITY, observes=("w", "y"), factual="x=0"),
)


@pytest.fixture
def scm() -> SCM:
    """Return z (hidden) -> x, y; x -> y; w -> y."""
    variables = {
        "z": Variable("z", ("0", "1"), hidden=True),
        "w": Variable("w", ("no", "yes")),
        "x": Variable("x", ("0", "1")),
        "y": Variable("y", ("0", "1")),
    }
    mechanisms = {
        "z": Mechanism((), np.array([0.5, 0.5]), np.array([0, 1])),
        "w": Mechanism((), np.array([0.75, 0.25]), np.array([0, 1])),
        "x": Mechanism(("z",), np.array([0.75, 0.25]), np.array([[0, 1], [1, 0]])),
        "y": Mechanism(
            ("x", "z", "w"),
            np.array([0.5, 0.25, 0.25]),
            np.array(
                [
                    [[[0, 1], [1, 1]], [[0, 0], [1, 1]]],
                    [[[1, 0], [0, 1]], [[1, 1], [0, 1]]],
                    [[[0, 0], [0, 1]], [[1, 0], [0, 0]]],
                ]
            ),
        ),
    }
    return SCM(variables, mechanisms)


@pytest.fixture
def lab_of(scm: SCM) -> Callable[..., Lab]:
    """Return a function that makes a lab: ``lab_of(regime, seed=0, rows=..., ...)``."""

    def make(regime: str = "see", seed: int = 0, **budget: int) -> Lab:
        # The dossier lists variables, and the values of w, in another order than the world.
        variables = (scm.variable("y"), Variable("w", ("yes", "no")), scm.variable("x"))
        dossier = Dossier(
            id="d",
            cell="lab",
            variables=variables,
            knowledge=Knowledge(regime),  # type: ignore[arg-type]
            budget=Budget(**budget),
            decisions=DECISIONS,
        )
        return Lab(scm, dossier, np.random.default_rng(seed))

    return make
