"""Train learners in sequential worlds, and value their policies over budgets."""

from __future__ import annotations

__all__: list[str] = []
