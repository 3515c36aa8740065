"""Hold what a drawing of an environment may show: what the agent sees, and no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program

__all__ = ["Picture"]


@dataclass(frozen=True, slots=True)
class Picture:
    """The state of one environment as its agent has it before it.

    Args:
        program: what is played; its diagram, names and labels are public.
        values: variable that the play observes -> its label in the present observation, None where
            it is unseen. Nothing else has a value here, hidden variables least of all.
        set: variable -> the label that the last action set it to; {} before the first action, after
            an action that sets nothing, and where nature acts.
        natural: action variable -> the natural value that the present observation shows of it; {}
            but under ``see`` and ``intent``.
        step: how many steps of the course on show are over, from 0.
        horizon: how many it has at most.
        paid: the return so far, scaled as rewards are.
        regime: ``see``, ``do``, ``intent`` or ``replay``.
        watching: whether nature acts: under ``see``, and in the watched course of ``replay``.
        over: whether the episode is over, so that all values are of the step just played.
        earlier: what the observation before this one showed, as ``values``; {} at the first one.
    """

    program: Program
    values: Mapping[str, str | None]
    set: Mapping[str, str]
    natural: Mapping[str, str]
    step: int
    horizon: int
    paid: float
    regime: PlayRegime
    watching: bool
    over: bool = False
    earlier: Mapping[str, str | None] = field(default_factory=dict)
