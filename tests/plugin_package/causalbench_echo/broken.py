"""A module that cannot be imported."""

from __future__ import annotations

msg = "this module is broken on purpose"
raise RuntimeError(msg)
