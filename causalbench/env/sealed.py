"""Keep a lab's environment from being forked, and have its steps paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.env.episodes import COSTS
from causalbench.errors import AccessError, BudgetExhausted

if TYPE_CHECKING:
    import numpy as np

    from causalbench.env.episodes import Purse

__all__ = ["Sealed", "budget_spent"]


def budget_spent() -> BudgetExhausted:
    """Return what is raised once the last paid step has been delivered."""
    return BudgetExhausted(
        "the budget is spent and the last paid step was delivered; answer with what you have."
    )


class Sealed:
    """What `SequenceEnv` and `SequenceVectorEnv` share: a purse, and a seal.

    An environment that was given a generator belongs to a lab or a contest: the caller's seeds
    change nothing, it cannot be copied or pickled, as a fork would meet its units again, and it
    does not say what it plays. This keeps honest code honest: Python hides nothing from code in the
    same process that looks into private attributes.
    """

    _sealed: bool = False
    _meter: Purse | None = None
    cost: str = "interventions"

    def _seal(
        self, rng: np.random.Generator | None, meter: Purse | None, regime: str, mode: str
    ) -> None:
        self._sealed, self._meter = rng is not None, meter
        # Betting changes nothing, so a step of it costs what watching one does.
        self.cost = COSTS["see" if mode == "bet" and regime != "replay" else regime]

    def _pay_for(self, steps: int) -> None:
        if self._meter is not None and steps:
            self._meter.charge(self.cost, steps, steps=True)

    def _unsealed(self, what: str) -> None:
        """Refuse to hand out what a sealed environment plays.

        Raises:
            AccessError: it is sealed.
        """
        if self._sealed:
            raise AccessError(
                f"the {what} of a sealed environment is not told; act in it, or make a public one."
            )

    def _unforked(self) -> None:
        if self._sealed:
            raise AccessError(
                "an environment of a lab cannot be copied or pickled, because a fork would replay"
                " units; ask for another."
            )

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._unforked()
        return super().__reduce_ex__(protocol)

    def __getstate__(self) -> Any:
        self._unforked()
        return super().__getstate__()
