"""Dossiers made by hand, and the question that a decision asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from causalbench.task.lab import Lab
from causalbench.task.types import Decision, Dossier, Question
from causalbench.task.world import load_world
from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.scm import SCM


def question_of(decision: Decision, observation: dict[str, str] | None = None) -> Question:
    """Return the question of a decision after an observation (its stated one by default)."""
    seen = dict(decision.given or ()) if observation is None else observation
    return Question("q", "", decision.mode, decision.actions, decision.id, seen)


@pytest.fixture
def ask() -> Callable[..., Question]:
    """Return `question_of`."""
    return question_of


@pytest.fixture
def lab_case() -> Callable[..., tuple[SCM, Dossier]]:
    """Return a function that makes (world, dossier) of a named world's lab."""

    def make(
        world: str, *ids: str, regime: str = "replay", rows: int = 0, seed: int = 0, **budget: int
    ) -> tuple[SCM, Dossier]:
        loaded = load_world(world)
        scm = loaded.scm
        drawn = scm.draw(rows, rng=np.random.default_rng([7, seed]))
        dossier = Dossier(
            id=f"{world}-{seed}",
            cell="lab",
            variables=tuple(scm.variable(name) for name in scm.visible),
            knowledge=Knowledge(regime),  # type: ignore[arg-type]
            budget=Budget(**budget),
            rows=np.stack([drawn[name] for name in scm.visible], axis=-1),
            decisions=tuple(loaded.decision(name) for name in ids),
        )
        return scm, dossier

    return make


@pytest.fixture
def lab_for() -> Callable[..., Any]:
    """Return a function that opens the lab of (world, dossier)."""

    def make(scm: SCM, dossier: Dossier, seed: int = 0) -> Lab:
        return Lab(scm, dossier, np.random.default_rng([11, seed]))

    return make
