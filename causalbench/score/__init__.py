"""Scores: losses, skill, its interval, profile, honesty, and the rows of every table."""

from __future__ import annotations

from causalbench.score.bootstrap import iqm, skill_interval
from causalbench.score.by import BY, trait_rows
from causalbench.score.honesty import honesty, honesty_loss, verdict, verdicts
from causalbench.score.items import item_rows
from causalbench.score.losses import STATUSES, Loss, Status, loss, status_of
from causalbench.score.profile import profile
from causalbench.score.record import MISSING, Outcome, Record, cell_kind, record_of
from causalbench.score.skill import Skill, height, per_pair_mean, skill
from causalbench.score.table import (
    agent_rows,
    maximum,
    named_rows,
    score_table,
    skill_rows,
    status_counts,
)

__all__ = [
    "BY",
    "MISSING",
    "STATUSES",
    "Loss",
    "Outcome",
    "Record",
    "Skill",
    "Status",
    "agent_rows",
    "cell_kind",
    "height",
    "honesty",
    "honesty_loss",
    "iqm",
    "item_rows",
    "loss",
    "maximum",
    "named_rows",
    "per_pair_mean",
    "profile",
    "record_of",
    "score_table",
    "skill",
    "skill_interval",
    "skill_rows",
    "status_counts",
    "status_of",
    "trait_rows",
    "verdict",
    "verdicts",
]
