"""Runs: play agents on a suite, log every answer, go on after a crash, score again from the log."""

from __future__ import annotations

from causalbench.run.evaluate import evaluate
from causalbench.run.rescore import rescore
from causalbench.run.result import Run

__all__ = ["Run", "evaluate", "rescore"]
