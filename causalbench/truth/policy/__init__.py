"""Value policies in sequential worlds exactly, and find the best one that each rung allows."""

from __future__ import annotations

from causalbench.truth.policy.types import Moment, Policy, Reference, Value

__all__ = ["Moment", "Policy", "Reference", "Value"]
