"""Sequential worlds: a process with a story and a play, in families with knobs."""

from __future__ import annotations

from causalbench.task.sequential.catalogue import (
    FAMILIES,
    list_families,
    load_family,
    load_sequence,
)
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.world import Phase, SequentialWorld

__all__ = [
    "FAMILIES",
    "Knob",
    "Phase",
    "SequentialWorld",
    "WorldFamily",
    "list_families",
    "load_family",
    "load_sequence",
]
