"""Hold a sequential world: a process with a story, a play, and the phases it goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from causalbench.errors import NotFoundError, suggest
from causalbench.scm.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.play import Play
    from causalbench.scm.process import Process
    from causalbench.task.world import Phrase

__all__ = ["BASE", "Phase", "SequentialWorld"]

BASE = "base"
"""The name of the phase of a world that has one alone."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a world's life under one process, e.g. ``"dry"`` before ``"oily"``."""

    name: str
    process: Process


@dataclass(frozen=True)
class SequentialWorld:
    """A process with everything that makes environments of it.

    All phases have the same variables and the same play, so one agent can live through them.

    Args:
        id: its name; for built-in worlds the path under ``tasks/sequences``.
        version: rises whenever a value may change.
        title: one line.
        source: where the world comes from.
        story: a paragraph for readers of prose.
        play: what is decided at each step.
        phases: at least one, in the order in which they come.
        phrases: variable -> how to speak of it.
        family: the family that made it, or "".
        knobs: what the family made it with.
    """

    id: str
    version: int
    title: str
    source: str
    story: str
    play: Play
    phases: tuple[Phase, ...]
    phrases: Mapping[str, Phrase] = field(default_factory=dict, hash=False)
    family: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for phase in self.phases:
            Program(phase.process, self.play)  # refuses a play that does not fit

    @property
    def process(self) -> Process:
        """The process of the first phase."""
        return self.phases[0].process

    def phase(self, name: str | None = None) -> Phase:
        """Return a phase by name, the first for None.

        Raises:
            NotFoundError: the world has no such phase.
        """
        if name is None:
            return self.phases[0]
        known = {phase.name: phase for phase in self.phases}
        if name not in known:
            near = suggest(name, known) or f" It has {', '.join(known)}."
            raise NotFoundError(f"world '{self.id}' has no phase '{name}'.{near}")
        return known[name]

    def program(self, phase: str | None = None) -> Program:
        """Return the compiled form of a phase, the first for None."""
        return Program(self.phase(phase).process, self.play)

    def to_dict(self) -> dict[str, Any]:
        """Return the world as a JSON-ready dict of the file's schema."""
        from causalbench.task.sequential.worldfile import sequence_to_dict

        return sequence_to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], place: str = "world") -> SequentialWorld:
        """Build a world from the dict of a file; ``from_dict(w.to_dict()) == w``.

        Args:
            data: the file's content.
            place: how to call it in messages.

        Raises:
            WorldError: it breaks the schema; names the place.
        """
        from causalbench.task.sequential.worldfile import sequence_from_dict

        return sequence_from_dict(data, place)
