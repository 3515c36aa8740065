"""Worlds to train on: drawn as a suite's are, from streams of their own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from causalbench.errors import NotFoundError
from causalbench.rng import generator
from causalbench.task.dossiers import Place
from causalbench.task.recipe import CELLS, RUNGS, TRACKS, Block
from causalbench.task.shifts import planned, practice_pair, shift_of
from causalbench.task.twin import make_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.strata import Stratum
    from causalbench.task.suite import Suite
    from causalbench.task.types import Case

__all__ = ["Practice"]

_RUNG_OF = {"bet": 1, "act": 2, "redo": 3}


class Practice:
    """An endless supply of training cases, keys included.

    Pairs are drawn by the suite's constructions under task ids that begin with ``practice/``, so no
    world is one of the suite's, whatever the seeds. A suite of named worlds practises on generated
    ones. A suite of strata takes them in turn; under a shift, only pairs of its training side.

    Args:
        suite: whose kinds of pair are drawn.
        seed: another seed gives other worlds (but for ``changed-mechanism``, whose worlds are known
            beforehand).
    """

    def __init__(self, suite: Suite, seed: int = 0) -> None:
        self.suite = suite
        self.seed = seed
        self._name = suite.recipe.name
        self._next = 0
        blocks = suite.recipe.blocks if suite.world is None else ()
        self._strata = suite.recipe.strata
        self._shift = suite.recipe.shift
        self._blocks = blocks or tuple(
            Block(rung, track, cell, 1) for rung in RUNGS for track in TRACKS for cell in CELLS
        )

    def cases(
        self, *, rung: int | None = None, track: str | None = None, cell: str | None = None
    ) -> Iterator[Case]:
        """Yield training cases without end, the kinds in turn; a new call starts again.

        Args:
            rung: only this rung.
            track: only ``estimates`` or ``decisions``.
            cell: only this cell.

        Raises:
            NotFoundError: the suite has no such pairs.
        """
        strata = [
            stratum
            for stratum in self._strata
            if rung in {None, stratum.kind.rung}
            and track in {None, stratum.kind.track}
            and cell in {None, stratum.terms.cell}
            and self._trains(stratum)
        ]
        wanted = [
            block
            for block in ([] if self._strata else self._blocks)
            if rung in {None, block.rung}
            and track in {None, block.track}
            and cell in {None, block.cell}
        ]
        if not wanted and not strata:
            msg = (
                f"suite '{self.suite.name}' has no pairs with rung={rung}, track={track}, "
                f"cell={cell}; loosen the choice."
            )
            raise NotFoundError(msg)
        for index in count():
            for stratum in strata:
                yield from practice_pair(self._name, self._shift, stratum, index, self.seed)
            for block in wanted:
                place = Place(f"practice/{self._name}", block.track, block.cell, index)
                yield from make_pair(place, block.rung, self.seed, lab=self.suite.recipe.lab)

    def env(self, kind: str, num_envs: int = 1) -> Any:
        """Return an environment of the next practice world in which to bet, act or redo.

        Args:
            kind: ``bet``, ``act`` or ``redo``.
            num_envs: 1 gives a `gymnasium.Env`, more a `gymnasium.vector.VectorEnv`.

        Raises:
            NotFoundError: no such kind.
        """
        from causalbench.task.lab import Lab

        if kind not in _RUNG_OF:
            msg = f"kind '{kind}' does not exist; take {', '.join(_RUNG_OF)}."
            raise NotFoundError(msg)
        place = Place(f"practice/{self._name}/env", "decisions", "lab", self._next)
        case = make_pair(place, _RUNG_OF[kind], self.seed, lab=self.suite.recipe.lab)[0]
        rng = generator(self.seed, f"practice/{self._name}/lab/{kind}", self._next)
        self._next += 1
        return Lab(case.scm, case.dossier, rng).env(kind, num_envs)

    def _trains(self, stratum: Stratum) -> bool:
        """Say whether any pair of a stratum is on the training side: what takes turns, returns."""
        if not self._shift:
            return True
        train = shift_of(self._shift).train
        turns = len(stratum.sizes) * len(stratum.surfaces) ** 2 * len(stratum.motifs)
        return any(train.may_hold(planned(stratum, index)) for index in range(turns))
