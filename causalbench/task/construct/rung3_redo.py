"""Build decisions to redo a case another way, on which two couplings of a mechanism disagree."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.asks import EVIDENCE
from causalbench.task.construct.net import coin
from causalbench.task.construct.payoff import pick_payoff
from causalbench.task.construct.rung3_worlds import NATURAL, Copies, joint_law
from causalbench.task.legal import redo_problem
from causalbench.task.types import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.payoff import Event, Stakes
    from causalbench.task.construct.rung3_scene import Scene

    Sides = tuple[Mapping[str, Coupling], Mapping[str, Coupling]]

__all__ = ["Redo", "before", "draw_redo"]

_THEN = "then"
_DONE = 0.3  # how often the case was one in which something had been done
_SWING = 0.2  # how far the worlds must disagree, over all that may be seen
_FURTHER = 2  # how many more variables may be set or paid for


@dataclass(frozen=True)
class Redo:
    """What was done and seen of a case, as roles and codes.

    Args:
        done: what had been set.
        seen: the variables that were seen.
        stakes: the actions and the payoff.
        actions: what the stakes' places stand for.
        given: the values seen, where they are stated.
    """

    done: Mapping[str, int]
    seen: tuple[str, ...]
    stakes: Stakes
    actions: tuple[Event | None, ...]
    given: tuple[int, ...] | None

    def decision(self, roles: Mapping[str, str], labels: Labels) -> Decision | None:
        """Return the decision, or None where win-stay-lose-shift would solve it."""

        def atom(event: Event | None) -> str:
            return "pass" if event is None else labels.atom(roles[event[0]], event[1])

        given = None
        if self.given is not None:
            names = [roles[name] for name in self.seen]
            codes = zip(names, self.given, strict=True)
            given = tuple((name, labels.values[name][code]) for name, code in codes)
        made = Decision(
            id="redo",
            mode="redo",
            actions=tuple(atom(self.actions[place]) for place in self.stakes.actions),
            utility=tuple((weight, atom(event)) for weight, event in self.stakes.utility),
            observes=tuple(roles[name] for name in self.seen),
            given=given,
            factual=next((atom(event) for event in self.done.items()), "pass"),
        )
        return made if redo_problem(made) is None else None


def before(rng: np.random.Generator, scene: Scene) -> tuple[dict[str, int], tuple[str, ...]]:
    """Draw what had been set in the case, if anything, and what was seen of it."""
    done = (
        {scene.x: int(draws.integers(rng, scene.batch.cards[scene.x]))} if coin(rng, _DONE) else {}
    )
    others = [scene.others[int(i)] for i in draws.permutation(rng, len(scene.others))]
    more = others[: int(draws.integers(rng, 2))]
    seen = [scene.y, *more] if done else [scene.x, scene.y, *more]
    return done, tuple(seen[int(i)] for i in draws.permutation(rng, len(seen)))


def draw_redo(
    rng: np.random.Generator,
    scene: Scene,
    sides: Sides,
    case: tuple[Mapping[str, int], tuple[str, ...]],
) -> tuple[int, Redo] | None:
    """Choose a candidate on which the worlds disagree, a payoff, and actions, or return None.

    Args:
        rng: draws the choice.
        scene: the candidates, and the variable and goal at the centre.
        sides: the couplings in the two worlds.
        case: what had been set, and what was seen; see `before`.
    """
    done, seen = case
    batch, y = scene.batch, scene.y
    codes = [code for code in range(batch.cards[scene.x]) if done.get(scene.x) != code]
    trial = {scene.x: draws.choice(rng, codes)}
    first, second = (_after(batch, side, done, seen, trial, (y,)) for side in sides)
    swing = np.abs(first - second).max(axis=-1)  # [candidate, *seen]
    total = np.round(swing.sum(axis=tuple(range(1, swing.ndim))), 9)
    place = int(np.argmax(total))
    if float(total[place]) < _SWING:
        return None
    mass = first[place].sum(axis=-1).reshape(-1)
    stated = coin(rng) or round(float(mass.min()), 9) < EVIDENCE
    kept = np.arange(len(mass))
    if stated:
        common = np.round(mass, 9) >= EVIDENCE
        share = np.where(common, swing[place].reshape(-1) / np.maximum(mass, EVIDENCE), 0.0)
        kept = np.array([int(np.argmax(np.round(share, 9)))])
    others = [name for name in scene.others if name not in seen]
    further = [others[int(i)] for i in draws.permutation(rng, len(others))][:_FURTHER]
    focus = tuple(dict.fromkeys((scene.x, y, *seen, *further)))
    actions: list[Event | None] = [None]
    actions += [(name, code) for name in focus if name != y for code in range(batch.cards[name])]
    chosen = batch.take([place])
    tables = [_tables(chosen, side, case, actions, focus, kept) for side in sides]
    weights = np.ones(1) if stated else mass
    goals = [(y, code) for code in range(batch.cards[y])]
    stakes = pick_payoff(rng, actions, weights, tables, goals)
    if stakes is None:
        return None
    grid = list(product(*(range(batch.cards[name]) for name in seen)))
    given = grid[int(kept[0])] if stated else None
    return place, Redo(done, seen, stakes, tuple(actions), given)


def _after(
    batch: Batch,
    couplings: Mapping[str, Coupling],
    done: Mapping[str, int],
    seen: Sequence[str],
    do: Mapping[str, int],
    names: Sequence[str],
) -> Floats:
    """Return P(seen in the case, names once more), float64[candidate, *seen, *names]."""
    courses = {NATURAL: done, _THEN: do}
    asked = [*((name, NATURAL) for name in seen), *((name, _THEN) for name in names)]
    copies = Copies.of(batch.parents, courses, asked)
    return joint_law(batch, couplings, copies, asked)


def _tables(
    batch: Batch,
    couplings: Mapping[str, Coupling],
    case: tuple[Mapping[str, int], tuple[str, ...]],
    actions: Sequence[Event | None],
    focus: Sequence[str],
    kept: np.ndarray,
) -> dict[Event, Floats]:
    """Return event -> P(event after the action | what was seen), float64[o, actions]."""
    done, seen = case
    table: dict[Event, Floats] = {
        (name, code): np.zeros((len(kept), len(actions)))
        for name in focus
        for code in range(batch.cards[name])
    }
    for column, action in enumerate(actions):
        do = {} if action is None else dict([action])
        law = _after(batch, couplings, done, seen, do, focus)[0]
        law = law.reshape(-1, *law.shape[len(seen) :])[kept]
        for place, name in enumerate(focus):
            rest = tuple(axis for axis in range(1, law.ndim) if axis != place + 1)
            rows = law.sum(axis=rest)
            rows = rows / rows.sum(axis=-1, keepdims=True)
            for code in range(batch.cards[name]):
                table[name, code][:, column] = rows[:, code]
    return table
