"""Bounds on what is not identified, with the worlds that attain them."""

from __future__ import annotations

from causalbench.truth.bounds.door import bounds
from causalbench.truth.bounds.types import Bounds

__all__ = ["Bounds", "bounds"]
