"""Reports: the ladder as a table for a terminal, skill by kind of task, and figures of both."""

from __future__ import annotations

from causalbench.report.arena import print_arena, write_arena
from causalbench.report.budgets import plot_budgets
from causalbench.report.by import print_lines
from causalbench.report.curves import plot_arena
from causalbench.report.items import print_items
from causalbench.report.ladder import ladder, print_run
from causalbench.report.plot import plot_ladder

__all__ = [
    "ladder",
    "plot_arena",
    "plot_budgets",
    "plot_ladder",
    "print_arena",
    "print_items",
    "print_lines",
    "print_run",
    "write_arena",
]
