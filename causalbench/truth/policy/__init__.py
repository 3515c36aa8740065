"""Value policies in sequential worlds exactly, and find the best one that each rung allows."""

from __future__ import annotations

from causalbench.truth.policy.controller import Controller, Uniform
from causalbench.truth.policy.controls import clone, natural, planner, uniform
from causalbench.truth.policy.references import reference, references
from causalbench.truth.policy.types import Moment, Policy, Reference, Value
from causalbench.truth.policy.value import policy_value

__all__ = [
    "Controller",
    "Moment",
    "Policy",
    "Reference",
    "Uniform",
    "Value",
    "clone",
    "natural",
    "planner",
    "policy_value",
    "reference",
    "references",
    "uniform",
]
