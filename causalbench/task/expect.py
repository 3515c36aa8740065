"""The known answers and known bounds that keep a world file honest; `check_world` holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from causalbench.truth.knowledge import Knowledge, Regime, Shown

__all__ = ["Expect", "ExpectBounds"]


@dataclass(frozen=True, slots=True)
class Expect:
    """A known answer.

    Args:
        query: in the query language.
        value: a number, or the label of a choice.
        origin: where the number comes from.
        tolerance: largest absolute deviation; the precision to which the origin states the value.
    """

    query: str
    value: float | str
    origin: str
    tolerance: float = 1e-9

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "query": self.query,
            "value": self.value,
            "origin": self.origin,
            "tolerance": self.tolerance,
        }


@dataclass(frozen=True, slots=True)
class ExpectBounds:
    """Known bounds on what a state of knowledge leaves open.

    Args:
        query: in the query language, over visible variables.
        lower: the lower end.
        upper: the upper end; the same where the knowledge settles the query.
        origin: where the numbers come from.
        regime: as in `Knowledge`.
        shown: as in `Knowledge`.
        assumptions: as in `Knowledge`.
        tolerance: largest absolute deviation of either end.
    """

    query: str
    lower: float
    upper: float
    origin: str
    regime: Regime = "see"
    shown: Shown = "diagram"
    assumptions: tuple[str, ...] = ()
    tolerance: float = 1e-9

    @property
    def knowledge(self) -> Knowledge:
        """What `certify` is told."""
        return Knowledge(self.regime, self.shown, self.assumptions)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        data: dict[str, Any] = {
            "query": self.query,
            "regime": self.regime,
            "shown": self.shown,
            "lower": self.lower,
            "upper": self.upper,
            "origin": self.origin,
            "tolerance": self.tolerance,
        }
        if self.assumptions:
            data["assumptions"] = list(self.assumptions)
        return data
