"""The two kinds of certificate: identified, with an estimand; or not, with bounds and witnesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.truth.identify.estimand import Estimand

__all__ = ["Identified", "Unidentified", "Witness"]


@dataclass(frozen=True, eq=False)
class Witness:
    """A world that agrees with the given one on all that is permitted.

    Args:
        scm: the world; its visible variables, and its diagram where that is shown, are the same.
        value: the query's value in it.
    """

    scm: SCM
    value: float


@dataclass(frozen=True, eq=False)
class Identified:
    """What is permitted settles the query.

    Args:
        query: its normal form.
        value: what the estimand evaluates to on the permitted laws; equal to the truth to 1e-9.
        estimand: an expression over permitted laws.
        method: the name of the algorithm or argument, e.g. ``"ID"``.
        source: where it is proved, e.g. ``"Shpitser and Pearl (2006)"``.
        knowledge: what was permitted, in words.
    """

    query: str
    value: float
    estimand: Estimand
    method: str
    source: str
    knowledge: str

    @property
    def identified(self) -> bool:
        """True."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "identified": True,
            "query": self.query,
            "knowledge": self.knowledge,
            "value": self.value,
            "estimand": str(self.estimand),
            "latex": self.estimand.latex(),
            "method": self.method,
            "source": self.source,
        }


@dataclass(frozen=True, eq=False)
class Unidentified:
    """What is permitted does not settle the query.

    Args:
        query: its normal form.
        lower: no world that agrees on what is permitted has a smaller value.
        upper: nor a larger one.
        sharp: whether the witnesses attain both ends (to 1e-9).
        witnesses: two worlds, the one with the smaller value first.
        method: how the bounds were found, e.g. ``"linear program over response types"``.
        source: where it is proved.
        knowledge: what was permitted, in words.
    """

    query: str
    lower: float
    upper: float
    sharp: bool
    witnesses: tuple[Witness, Witness]
    method: str
    source: str
    knowledge: str

    @property
    def identified(self) -> bool:
        """False."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; witnesses are whole worlds, in the schema of world files."""
        return {
            "identified": False,
            "query": self.query,
            "knowledge": self.knowledge,
            "lower": self.lower,
            "upper": self.upper,
            "sharp": self.sharp,
            "witnesses": [
                {"value": witness.value, "world": witness.scm.to_dict()}
                for witness in self.witnesses
            ],
            "method": self.method,
            "source": self.source,
        }
