"""Reports: the ladder as a table for a terminal, and as a figure."""

from __future__ import annotations

from causalbench.report.ladder import ladder, print_run
from causalbench.report.plot import plot_ladder

__all__ = ["ladder", "plot_ladder", "print_run"]
