"""Learners: what trains a policy in a sequential world, from a log or by acting."""

from __future__ import annotations

from causalbench.agent.learn.protocol import Field, Learner, Log

__all__ = ["Field", "Learner", "Log"]
