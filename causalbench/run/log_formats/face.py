"""What a log's arrays stand for, and what writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from causalbench.errors import LogError, MissingExtraError
from causalbench.task.observation import codes_in
from causalbench.task.types import UNSEEN

if TYPE_CHECKING:
    from causalbench.env.log import Log
    from causalbench.scm.program import Program

__all__ = ["Face", "Writer", "extra"]


@dataclass(frozen=True, slots=True)
class Face:
    """The meaning of a log's codes.

    Args:
        places: for each observed variable (its name, its labels and then ``"unseen"``, its place in
            an observation).
        nvec: the codes in each place of an observation.
        actions: the actions' labels.
        horizon: the most steps of an episode.
    """

    places: tuple[tuple[str, tuple[str, ...], int], ...]
    nvec: tuple[int, ...]
    actions: tuple[str, ...]
    horizon: int

    @classmethod
    def of(cls, program: Program) -> Face:
        """Return what a program's observations and actions mean.

        Raises:
            LogError: a value is called as what is not seen.
        """
        process = program.process
        visible = [process.variable(name) for name in process.visible]
        places = []
        for place, variable in enumerate(visible):
            if variable.name not in program.play.observes:
                continue
            if UNSEEN in variable.labels:
                raise LogError(f"'{variable.name}' has a value '{UNSEEN}'; rename it for a log.")
            places.append((variable.name, (*variable.labels, UNSEEN), place))
        nvec = tuple(int(n) for n in codes_in(visible))
        return cls(tuple(places), nvec, program.play.actions, program.horizon)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "observation": [
                {"name": name, "place": place, "values": list(values)}
                for name, values, place in self.places
            ],
            "nvec": list(self.nvec),
            "actions": list(self.actions),
            "horizon": self.horizon,
        }


class Writer(Protocol):
    """Writes episodes into a folder as they come."""

    def add(self, log: Log) -> None:
        """Write some more episodes."""
        ...

    def close(self) -> None:
        """Finish the files; needed even after a failure, so that they can be removed."""
        ...


def extra(name: str) -> MissingExtraError:
    """Return the error for a package that is not installed."""
    return MissingExtraError(
        f"this format needs {name}, which is not installed; run"
        ' pip install "causalbench-ladder[logs]".'
    )
