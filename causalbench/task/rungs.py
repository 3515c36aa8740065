"""The rungs of Pearl's ladder, by name."""

from __future__ import annotations

__all__ = ["ASSOCIATION", "COUNTERFACTUAL", "INTERVENTION"]

ASSOCIATION = 1
INTERVENTION = 2
COUNTERFACTUAL = 3
