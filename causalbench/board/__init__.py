"""Leaderboards that anyone can recompute: pack a log, verify a submission, build the pages."""

from __future__ import annotations

from causalbench.board.pack import pack
from causalbench.board.site import board
from causalbench.board.verify import Verdict, verify

__all__ = ["Verdict", "board", "pack", "verify"]
