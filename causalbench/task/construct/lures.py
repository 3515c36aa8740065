"""Readings that look at the diagram and reason too little: what rung-2 twins must not reward.

Each reader is given the seen law and the diagram, and takes it for the effect of setting x to read
something simple. A pair resists a reader if on both twins together it loses nearly as much as one
answer for both would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.task.construct.asks import WRONG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.task.construct.asks import Ask
    from causalbench.task.construct.net import Floats, Net
    from causalbench.task.construct.payoff import Event

__all__ = ["READERS", "Guard", "Lures"]

READERS = ("see", "adjacency", "half", "adjust", "no-front-door", "mediator", "last-mediator")
"""What is read for P(y | do(x)):

- ``see``: P(y | x).
- ``adjacency``: P(y | x) if x -> y is drawn, else P(y).
- ``half``: the mean of P(y | x) and P(y) if x <-> y is drawn, else P(y | x).
- ``adjust``: P(y | x) averaged over all visible variables that x does not reach.
- ``no-front-door``: P(y) if x <-> y is drawn, else as ``adjust``.
- ``mediator``: sum over m of P(m | x) P(y | m) if x <-> y is drawn, else as ``adjust``.
- ``last-mediator``: the same with another m, where several lie between.
"""


class Lures:
    """The readers' answers on a pair of nets with one seen law.

    Args:
        nets: the two nets.
    """

    def __init__(self, nets: tuple[Net, Net]) -> None:
        self._nets = nets
        self._names = nets[0].visible
        self.cards = nets[0].cards
        self._law = nets[0].law(self._names)
        self._reach = [{name: net.descendants(name) for name in self._names} for net in nets]

    def read(self, side: int, x: str, code: int, y: str, seen: Sequence[str]) -> Floats:
        """Return what each reader takes for ``P(y | do(x=code), seen)``.

        Args:
            side: 0 or 1: whose diagram is read.
            x: the variable that is set.
            code: its value.
            y: the variable that is asked for, another one.
            seen: variables that are observed first.

        Returns:
            float64[reader, o, value of y]: readers as in `READERS`, o over the values of ``seen``.
        """
        net, reach = self._nets[side], self._reach[side]
        plain = self.given(seen, y)
        if y not in reach[x]:
            watched = self.given((*seen, x), y)
            watched = watched.reshape(len(plain), -1, net.cards[y])[:, code]
            return np.stack([watched, *[plain] * (len(READERS) - 1)])
        watched = self.given((*seen, x), y).reshape(len(plain), -1, net.cards[y])[:, code]
        free = [name for name in self._names if name not in {*reach[x], *seen, y}]
        share = self.given(seen, *free).reshape(len(plain), -1, 1)
        table = self.given((*seen, *free, x), y)
        table = table.reshape(len(plain), share.shape[1], -1, net.cards[y])[:, :, code]
        adjusted = (share * table).sum(axis=1)
        hidden = any(name in net.hidden for name in {*net.parents[x]} & {*net.parents[y]})
        middles = [m for m in net.children(x) if y in net.children(m)]
        through = [plain, plain]
        for place, middle in enumerate((middles[0], middles[-1]) if middles and hidden else ()):
            if middle not in seen:
                size = net.cards[middle]
                first = self.given((*seen, x), middle).reshape(len(plain), -1, size)[:, code]
                then = self.given((*seen, middle), y).reshape(len(plain), size, -1)
                through[place] = (first[:, :, None] * then).sum(axis=1)
        return np.stack(
            [
                watched,
                watched if x in net.parents[y] else plain,
                (watched + plain) / 2 if hidden else watched,
                adjusted,
                plain if hidden else adjusted,
                *(through if hidden else [adjusted] * 2),
            ]
        )

    def given(self, given: Sequence[str], *names: str) -> Floats:
        """Return P(names | given), float64[values of given, values of names]."""
        axes = [self._names.index(name) for name in (*given, *names)]
        rest = tuple(axis for axis in range(self._law.ndim) if axis not in axes)
        table = self._law.sum(axis=rest)
        left = sorted(axes)
        table = table.transpose([left.index(axis) for axis in axes])
        table = table.reshape(int(np.prod(table.shape[: len(given)], dtype=np.int64)), -1)
        mass = table.sum(axis=1, keepdims=True)
        result: Floats = table / np.where(mass > 0.0, mass, 1.0)
        return result


@dataclass(frozen=True)
class Guard:
    """Refuse questions and decisions on which a reader does well, or on which watching suffices.

    Args:
        lures: the readers' answers on the pair.
        share: a reader must lose at least so much of the floor.
        misleads: watching must be wrong in both worlds, by more than 0.05 or by as much regret.
        readers: how many of `READERS`, from the first, are held off.
        aims: (outcome, action) pairs to build a decision on.
    """

    lures: Lures
    share: float
    misleads: bool = False
    readers: int = len(READERS)
    aims: tuple[tuple[Event, Event], ...] = ()

    def ask(self, ask: Ask) -> bool:
        """Say whether a question will do."""
        if self.misleads and not ask.misleads:
            return False
        spot = ask.spot
        if spot is None:
            return True
        total = np.zeros(len(READERS))
        for side, truth in enumerate((ask.first, ask.second)):
            said = np.zeros(len(READERS))
            for code, weight in spot.steps:
                table = self.lures.read(side, spot.x, code, spot.y, spot.seen)
                said += weight * table[:, spot.row, spot.value]
            total += np.abs(said - truth)
        return self._resists(total, abs(ask.first - ask.second))

    def watched(
        self, actions: Sequence[Event | None], seen: Sequence[str], rest: Sequence[str]
    ) -> dict[Event, Floats]:
        """Return event -> P(event | the action's event, what is seen), float64[o, actions]."""
        found: dict[Event, Floats] = {}
        for name in rest:
            columns = []
            for action in actions:
                if action is None:
                    columns.append(self.lures.given(seen, name))
                elif action[0] == name:
                    size = self.lures.cards[name]
                    rows = len(columns[0])
                    columns.append(np.tile(np.arange(size) == action[1], (rows, 1)).astype(float))
                else:
                    table = self.lures.given((*seen, action[0]), name)
                    table = table.reshape(-1, self.lures.cards[action[0]], table.shape[1])
                    columns.append(table[:, action[1]])
            stacked = np.stack(columns, axis=-1)
            found.update({(name, code): stacked[:, code] for code in range(stacked.shape[1])})
        return found

    def payoff(
        self,
        actions: Sequence[Event | None],
        seen: Sequence[str],
        weights: Floats,
        chosen: Sequence[int],
        utility: Sequence[tuple[float, Event]],
        worth: tuple[Floats, Floats],
    ) -> bool:
        """Say whether a decision will do.

        Args:
            actions: the candidates: (variable, code), or None for pass.
            seen: what is observed first.
            weights: float64[o], P(observation).
            chosen: places of the actions on offer.
            utility: (weight, event) pairs.
            worth: for each world, float64[o, actions on offer].
        """
        regrets = [side.max(axis=1, keepdims=True) - side for side in worth]
        lost = np.zeros((2, len(READERS)))
        for side, regret in enumerate(regrets):
            said = np.zeros((len(READERS), len(weights), len(chosen)))
            for column, place in enumerate(chosen):
                for weight, event in utility:
                    said[:, :, column] += weight * self._after(side, actions[place], event, seen)
            best = np.round(said, 12).argmax(axis=2)
            rows = np.arange(len(weights))
            lost[side] = [float((weights * regret[rows, each]).sum()) for each in best]
        if self.misleads and round(float(lost[:, 0].min()), 9) < WRONG:
            return False
        floor = float((weights * (regrets[0] + regrets[1]).min(axis=1)).sum())
        return self._resists(lost.sum(axis=0), floor)

    def _resists(self, lost: Floats, floor: float) -> bool:
        return round(float(lost[: self.readers].min()), 9) >= round(self.share * floor, 9)

    def _after(self, side: int, action: Event | None, event: Event, seen: Sequence[str]) -> Floats:
        """Return what readers expect of an event after an action, float64[readers, o]."""
        name, code = event
        if action is None:
            return self.lures.given(seen, name)[None, :, code]
        if action[0] == name:
            return np.full((1, 1), float(action[1] == code))
        return self.lures.read(side, *action, name, seen)[:, :, code]
