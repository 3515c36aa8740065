"""Worlds to learn in, fields that let learners in, and exact values of what they learn."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from causalbench.agent.learn.registry import make_learner
from causalbench.run.arena.field import ArenaField
from causalbench.task.sequential.catalogue import load_family
from causalbench.truth.policy import policy_value, references


@cache
def program_of(family, level="easy", index=0, **knobs):
    """Return the program of a practice world."""
    return load_family(family).world(index, level, **dict(knobs)).program()


@cache
def ladder_of(family, level="easy", regimes=("see", "do", "intent", "replay")):
    """Return the value of each regime's best policy."""
    found = references(program_of(family, level), regimes)
    return {regime: reference.value.value for regime, reference in found.items()}


def field_of(program, regime, seed=0, family=""):
    """Return a field of a program."""
    return ArenaField(program, regime, family=family, rng=np.random.default_rng([3, seed]))


@pytest.fixture(name="program_of")
def _program_of():
    """Return `program_of`."""
    return program_of


@pytest.fixture(name="ladder_of")
def _ladder_of():
    """Return `ladder_of`."""
    return ladder_of


@pytest.fixture(name="field_of")
def _field_of():
    """Return `field_of`."""
    return field_of


@pytest.fixture
def trained():
    """Return a function: a learner after so many steps in a field."""

    def run(name, field, *parts, seed=0, **options):
        learner = make_learner(name, options)
        learner.start(field, rng=np.random.default_rng([5, seed]))
        for steps in parts:
            learner.train(steps)
        return learner

    return run


@pytest.fixture
def worth():
    """Return a function: the exact value of a learner's likeliest actions."""

    def value(learner, program, regime):
        acted = "do" if regime == "see" else regime
        found = policy_value(program, learner.policy(), acted, greedy=True)
        assert found.exact
        return found.value

    return value
