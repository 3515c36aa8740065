"""Audit a suite: what do shortcuts score that look at the wrong things?"""

from __future__ import annotations

from causalbench.run.audit.figure import SHORTCUTS, Audit, Figure
from causalbench.run.audit.judge import audit

__all__ = ["SHORTCUTS", "Audit", "Figure", "audit"]
