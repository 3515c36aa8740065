"""Say what an agent may know: its regime, what it is shown, what it may assume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from causalbench.errors import AccessError

__all__ = ["REGIMES", "SHOWN", "Budget", "Knowledge", "Regime", "Shown"]

Regime = Literal["see", "do", "intent", "replay"]
Shown = Literal["none", "diagram", "mechanisms"]
REGIMES: tuple[str, ...] = get_args(Regime)
SHOWN: tuple[str, ...] = get_args(Shown)
_RUNG = {"see": 1, "do": 2, "intent": 3, "replay": 3}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an agent is given about a world.

    Args:
        regime: ``see`` (watch), ``do`` (intervene), ``intent`` (intervene after seeing one's own
            natural choice) or ``replay`` (intervene on a unit already seen).
        shown: ``none`` (unless you say more), ``diagram`` or ``mechanisms``.
        assumptions: stated assumptions, sorted: ``"monotone: x -> y"`` (in no unit does raising x,
            in the order of its values, lower y, whatever y's other parents are), ``"antitone: x ->
            y"`` (raise it), or ``"coupling:y=monotone"``.
        manipulable: the visible variables that an experiment may set, alone or together; None for
            all. It matters in regime ``do`` and above.

    Raises:
        AccessError: a regime or shown that does not exist, or what should be texts is not.
    """

    regime: Regime = "see"
    shown: Shown = "none"
    assumptions: tuple[str, ...] = ()
    manipulable: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.regime not in REGIMES:
            msg = f"regime '{self.regime}' does not exist; choose one of {', '.join(REGIMES)}."
            raise AccessError(msg)
        if self.shown not in SHOWN:
            msg = f"shown '{self.shown}' does not exist; choose one of {', '.join(SHOWN)}."
            raise AccessError(msg)
        put = object.__setattr__
        put(self, "assumptions", _texts("assumptions", self.assumptions))
        if self.manipulable is not None:
            put(self, "manipulable", _texts("manipulable", self.manipulable))

    @property
    def rung(self) -> int:
        """The highest rung that the regime itself gives access to: 1, 2 or 3."""
        return _RUNG[self.regime]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        data: dict[str, Any] = {
            "regime": self.regime,
            "shown": self.shown,
            "assumptions": list(self.assumptions),
        }
        if self.manipulable is not None:
            data["manipulable"] = list(self.manipulable)
        return data


def _texts(field: str, given: Any) -> tuple[str, ...]:
    """Return some texts as a tuple; one text alone would be read letter by letter."""
    if isinstance(given, tuple | list) and all(isinstance(text, str) for text in given):
        return tuple(given)
    msg = f"{field} is {given!r:.60}; give a tuple of texts, such as ('x',)."
    raise AccessError(msg)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much more than its dossier an agent may ask of its lab, in units (>= 0).

    Args:
        rows: units it may watch.
        interventions: units it may intervene on (one environment step is one of them).
        replays: units it may run again under another action (one replay step is one of them).
    """

    rows: int = 0
    interventions: int = 0
    replays: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return a JSON-ready dict."""
        return {
            "rows": self.rows,
            "interventions": self.interventions,
            "replays": self.replays,
        }
