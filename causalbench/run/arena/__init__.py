"""Arenas: train learners in sequential worlds and value them exactly, over budgets and seeds."""

from __future__ import annotations

from causalbench.run.arena.config import CONFIG_KEYS, Page, read_page
from causalbench.run.arena.hold import arena
from causalbench.run.arena.plan import Plan, plan
from causalbench.run.arena.result import Arena, Finding
from causalbench.run.arena.study import Contestant, Ground, Stage, Study, is_sequential

__all__ = [
    "CONFIG_KEYS",
    "Arena",
    "Contestant",
    "Finding",
    "Ground",
    "Page",
    "Plan",
    "Stage",
    "Study",
    "arena",
    "is_sequential",
    "plan",
    "read_page",
]
