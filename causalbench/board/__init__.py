"""Leaderboards that anyone can recompute: pack a log, verify a submission, build the pages."""

from __future__ import annotations

import inspect

from causalbench.board.pack import pack
from causalbench.board.site import board
from causalbench.board.verify import Verdict, verify

__all__ = ["Verdict", "board", "pack", "verify"]

__doc__ = f"{inspect.getdoc(board)}\n\n{__doc__}"  # what a reader of help(causalbench.board) wants
