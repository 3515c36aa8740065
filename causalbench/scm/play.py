"""Hold what is decided at every step of a process: actions, what is seen, what is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["REGIMES", "Play", "PlayRegime"]

PlayRegime = Literal["see", "do", "intent", "replay"]
REGIMES: tuple[PlayRegime, ...] = ("see", "do", "intent", "replay")


@dataclass(frozen=True, slots=True)
class Play:
    """The decision that recurs at every step of a process.

    Within a step come first the variables that no action can change, then the action, then what
    follows from it. An observed variable of the first kind is seen before the action; one of the
    second kind at the next observation. An action sets variables in place of their own mechanisms;
    those mechanisms are the behaviour policy, and the values they give the natural choice.

    Args:
        id: its name within the world.
        actions: labels in shown order: ``"pass"`` (nature's choice), ``"x=1"`` or ``"x=1, z=0"``.
        observes: the visible variables that are seen.
        reward: (weight, event) pairs over a step's variables, paid for each event that holds.
        goal: what is meant, where that is not what is paid; measured, never shown. () if the same.
        ends: the event after whose step the episode ends early; "" for never.
        returns: the lowest and the highest sum of rewards of an episode, mapped onto [0, 1]; None
            for the horizon times what the weights allow.
        goal_returns: the same of ``goal``.
        mode: ``act``; or ``bet``, where actions are events, change nothing and pay 1 if they hold;
            or ``redo``, the same unit again.
    """

    id: str
    actions: tuple[str, ...]
    observes: tuple[str, ...]
    reward: tuple[tuple[float, str], ...] = ()
    goal: tuple[tuple[float, str], ...] = ()
    ends: str = ""
    returns: tuple[float, float] | None = None
    goal_returns: tuple[float, float] | None = None
    mode: Literal["bet", "act", "redo"] = "act"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "id": self.id,
            "mode": self.mode,
            "actions": list(self.actions),
            "observes": list(self.observes),
            "reward": [list(pair) for pair in self.reward],
            "goal": [list(pair) for pair in self.goal],
            "ends": self.ends,
            "returns": None if self.returns is None else list(self.returns),
            "goal_returns": None if self.goal_returns is None else list(self.goal_returns),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Play:
        """Read a play from a checked mapping, as `to_dict` gives it; absent keys take defaults."""
        return cls(
            id=data["id"],
            actions=tuple(data["actions"]),
            observes=tuple(data["observes"]),
            reward=_pairs(data.get("reward")),
            goal=_pairs(data.get("goal")),
            ends=data.get("ends", ""),
            returns=_span(data.get("returns")),
            goal_returns=_span(data.get("goal_returns")),
            mode=data.get("mode", "act"),
        )


def _pairs(given: Iterable[tuple[float, str]] | None) -> tuple[tuple[float, str], ...]:
    return tuple((float(weight), str(event)) for weight, event in given or ())


def _span(given: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if given is None else (float(given[0]), float(given[1]))
