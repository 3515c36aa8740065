"""Agents that tabulate decline worlds whose table would not fit in memory."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.dowhy_agent import DowhyAgent
from causalbench.agent.model_based import ModelDiagram
from causalbench.agent.protocol import Clock
from causalbench.task.answer import Abstain
from causalbench.task.jobs import jobs_of
from causalbench.task.suite import load_suite


@pytest.fixture(scope="module")
def large():
    """A case of twenty or more variables, told by its diagram and 500 rows."""
    stratum = "interventional/diagram-see-500/discrete"
    jobs = [job for job in jobs_of(load_suite("ladder-v1").recipe, None) if job.part == stratum]
    return next(job for job in jobs if job.traits.size == "large").build(0)[0]


@pytest.mark.parametrize("agent", [DowhyAgent, ModelDiagram])
def test_a_wide_world_is_declined_and_not_tabulated(agent, large):
    """The table would have at least 2**20 cells a copy; the agent abstains and says why."""
    one = agent()
    one.study(large.dossier, None, rng=np.random.default_rng(0), clock=Clock())
    said = one.answer(large.items[0].question, rng=np.random.default_rng(0))
    assert isinstance(said, Abstain)
    assert "too wide" in said.reason
