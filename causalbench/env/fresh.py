"""Random worlds of one step that come fresh and fast: another one after every few episodes.

World g of a copy has the key ``word(copy's key, g)`` (`causalbench.env.stream`), and what happens
in it is that of a `SequenceEnv` with this key. So a copy's worlds depend on its seed alone, on no
other copy; and world g of seed s is ``random_program(g, seed=s)`` as an ordinary program.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from causalbench.env.plan import Plan
from causalbench.env.sequence import SequenceEnv
from causalbench.env.sequence_vector import SequenceVectorEnv
from causalbench.env.stack import HEAD, Stack
from causalbench.env.stream import key_of, word, words
from causalbench.errors import AgentError, WorldError
from causalbench.rng import GRID
from causalbench.scm.couplings import couple
from causalbench.scm.model import SCM
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.scm.play import PlayRegime

__all__ = ["ACTIONS", "FreshEnv", "FreshVectorEnv", "names_of", "program_of", "random_program"]

ACTIONS = ("pass", "v1=0", "v1=1")
_HIDDEN = 2  # as in `causalbench.env.laws`, which loads numba
_FEWEST, _MOST = 5, 31
_OVER = 2  # as in `causalbench.env.kernel`
_UNTOLD = -2  # stands for the number of an episode


def random_program(index: int, *, num_variables: int = 10, seed: int = 0) -> Program:
    """Draw a binary world in which to set ``v1`` for the good of what it changes, once.

    The variables' causal order is drawn, so which of them can be seen before the action differs
    from world to world, as does what is paid: one or two of the variables that ``v1`` changes.
    Two more variables are hidden confounders. All couplings are monotone. No benchmark's world is
    among the draws: these are for practice.

    Args:
        index: which of the worlds of this seed.
        num_variables: how many, the hidden ones among them; from 5 to 31.
        seed: of the draws.

    Raises:
        WorldError: too few variables, or too many; or a number below 0.
    """
    for name, number in (("index", index), ("seed", seed)):
        if not _whole(number) or number < 0:
            raise WorldError(f"random world: {name} is {number!r}; give a whole number, 0 or more")
    return program_of(word(key_of(seed), index), num_variables)


def names_of(num_variables: int) -> tuple[str, ...]:
    """Return the variables' names: ``v1``, ``v2``, ..., then the hidden ``h1`` and ``h2``.

    Raises:
        WorldError: too few variables, or too many.
    """
    if not _whole(num_variables) or not _FEWEST <= num_variables <= _MOST:
        raise WorldError(f"num_variables is {num_variables!r}; give {_FEWEST} to {_MOST}")
    seen = [f"v{number + 1}" for number in range(num_variables - _HIDDEN)]
    return (*seen, *(f"h{number + 1}" for number in range(_HIDDEN)))


def program_of(key: int, num_variables: int = 10) -> Program:
    """Return the world of a key as an ordinary program."""
    from causalbench.env.binary import HALF, NOBODY
    from causalbench.env.laws import draw_laws, no_laws

    names = names_of(num_variables)
    drawn, laws = no_laws(1, len(names))
    keys = np.array([key], dtype=np.uint64)
    draw_laws(keys, np.ones(1, dtype=np.bool_), _sorted(num_variables), drawn, laws)
    variables = {name: Variable(name, ("0", "1"), name.startswith("h")) for name in names}
    place = {int(number): k for k, number in enumerate(drawn.bits[0, :, 0] % HALF)}
    mechanisms = {}
    for number, name in enumerate(names):
        # Bit j of a row is the value of parent j, so the last parent has the greatest stride.
        line = drawn.parents[0, place[number], ::-1, 0] % HALF
        parents = tuple(names[parent] for parent in line if parent != NOBODY)
        zero = (drawn.last[0, place[number], : 2 ** len(parents), 0] + 1) / GRID
        cpt = np.stack([zero, 1 - zero], axis=-1).reshape((2,) * len(parents) + (2,))
        mechanisms[name] = couple(cpt, "monotone", parents)
    scm = SCM(variables, mechanisms)
    weights = (1.0, float(laws.weights[0]) / GRID)
    reward = tuple(
        (weight, f"{names[paid]}={good}")
        for weight, paid, good in zip(weights, drawn.paid[0, :, 0], laws.good[0], strict=True)
        if paid != NOBODY
    )
    play = Play(id="act", actions=ACTIONS, observes=scm.visible, reward=reward)
    return Program(Process(scm, scm, 1), play)


@cache
def _sorted(num_variables: int) -> NDArray[np.uint64]:
    """Return the variables in the order of their names as texts, which diagrams go by."""
    names = names_of(num_variables)
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.uint64)


def _whole(given: Any) -> bool:
    return isinstance(given, int | np.integer) and not isinstance(given, bool)


def _renews(renew: int) -> int:
    if not _whole(renew) or renew < 0:
        raise AgentError(f"renew is {renew!r}; give a number of episodes, or 0 to keep each world.")
    return renew


class FreshEnv(SequenceEnv):
    """A random world, another one after every ``renew`` episodes, stepped in plain Python.

    A new world takes some milliseconds here; `FreshVectorEnv` draws millions.

    Args:
        num_variables: of each world, as in `random_program`.
        renew: how many episodes a world lasts; 0 for ever.
        regime: as in `SequenceEnv`.
        render_mode: likewise.

    Raises:
        AccessError: no such regime.
        AgentError: a negative number of episodes.
        WorldError: too few variables, or too many.
    """

    def __init__(
        self,
        num_variables: int = 10,
        *,
        renew: int = 16,
        regime: PlayRegime = "do",
        render_mode: str | None = None,
    ) -> None:
        self._size_of, self._renew_after = num_variables, _renews(renew)
        self._copy: int | None = None
        self._number = 0
        super().__init__(program_of(0, num_variables), regime, render_mode=render_mode)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin an episode, in the next world where this one has had its episodes.

        Args:
            seed: begins that seed's worlds; None goes on with the present ones.
            options: none are known.
        """
        if seed is not None:
            gymnasium.Env.reset(self, seed=seed)
            self._renew(key_of(seed), 0)
        elif self._copy is None:
            self._renew(int(self.np_random.integers(2**64, dtype=np.uint64)), 0)
        elif self._renew_after and self._episode + 1 >= self._renew_after:
            self._renew(self._copy, self._number + 1)
        return super().reset(options=options)

    def _renew(self, copy: int, number: int) -> None:
        """Go over to a world of a copy."""
        self._copy, self._number = copy, number
        key = word(copy, number)
        self._program = program_of(key, self._size_of)
        self._plan = Plan(self._program, self.regime)
        self._rekey(key)
        self._watching = False
        self._write()


class FreshVectorEnv(SequenceVectorEnv):
    """`FreshEnv`, ``num_envs`` times over: worlds are drawn and stepped by compiled loops.

    Copy i after ``reset(seed=s)`` is the scalar environment with seed ``s + i``, bit for bit.

    Args:
        num_envs: how many copies, at least 1.
        num_variables: of each world, as in `random_program`.
        renew: how many episodes a world lasts; 0 for ever.
        regime: as in `SequenceVectorEnv`.
        autoreset_mode: likewise.

    Raises:
        AccessError: no such regime.
        AgentError: no copies, a negative number of episodes, or another mode of autoreset.
        WorldError: too few variables, or too many.
    """

    def __init__(
        self,
        num_envs: int = 1,
        num_variables: int = 10,
        *,
        renew: int = 16,
        regime: PlayRegime = "do",
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    ) -> None:
        from causalbench.env.laws import SHIFT, no_laws

        face = program_of(0, num_variables)
        self._copies = np.zeros(max(num_envs, 0), dtype=np.uint64)
        self._numbers = np.zeros(max(num_envs, 0), dtype=np.uint64)
        self._renew_after = _renews(renew)
        super().__init__(face, num_envs, regime, autoreset_mode=autoreset_mode)
        self._drawn, self._laws = no_laws(num_envs, num_variables)
        if self._binary is None:
            self._stack = _room(num_envs, self._plan)
        else:
            self._binary, self._shift = self._drawn, SHIFT

    @property
    def programs(self) -> tuple[Program, ...]:
        """The worlds in which the copies are; making them takes milliseconds each."""
        return tuple(self.program(copy) for copy in range(self.num_envs))

    def program(self, copy: int) -> Program:
        """Return the world in which a copy is, as an ordinary program."""
        return program_of(int(self._keys[copy]), len(self._plan.order))

    def _rekey(self, seed: int | Sequence[int | None] | None, which: NDArray[np.bool_]) -> None:
        # The keys that seeds give are the copies'; those of their worlds follow from them.
        begun = self._clocks[0::3].copy()
        self._clocks[0::3] = _UNTOLD
        self._keys, worlds = self._copies, self._keys
        super()._rekey(seed, which)
        self._keys = worlds
        told = self._clocks[0::3] != _UNTOLD
        self._clocks[0::3] = np.where(told, -1, begun)
        self._numbers[told] = 0
        self._draw(told)

    def _run(self, actions: NDArray[np.int64], *, begin: bool = False) -> tuple[Any, ...]:
        if not self._renew_after:
            return super()._run(actions, begin=begin)
        # A world is over when its last episode is, and another is needed where the next one begins.
        last = self._clocks[0::3] + 1 >= self._renew_after
        if begin or not self._same:
            self._renew(last & ((actions > 0) if begin else (self._clocks[2::3] == _OVER)))
            return super()._run(actions, begin=begin)
        if not last.any():
            return super()._run(actions)
        # Episodes have one step, so all end in this one; they are begun once the worlds are new.
        # The fast loops begin them in any case, and that is done again where the world is new.
        slow = self._binary is None
        self._same = not slow
        seen, final, *rest = super()._run(actions)
        self._same = True
        if slow:
            seen, final = np.empty_like(seen), seen
        if rest[-1] < 0:
            self._renew(last)
            anew = np.ones_like(last) if slow else last
            opened, *_ = super()._run(anew.astype(np.int64), begin=True)
            np.copyto(seen, opened, where=anew[:, None])
        return seen, final, *rest

    def _renew(self, which: NDArray[np.bool_]) -> None:
        self._numbers[which] += np.uint64(1)
        self._clocks[0::3][which] = -1
        self._draw(which)

    def _draw(self, which: NDArray[np.bool_]) -> None:
        """Draw the copies' worlds."""
        from causalbench.env.laws import draw_laws, put_laws

        np.copyto(self._keys, words(self._copies, self._numbers), where=which)
        draw_laws(self._keys, which, _sorted(len(self._plan.order)), self._drawn, self._laws)
        if self._binary is None:
            put_laws(which, self._drawn, bool(self._plan.intends.any()), self._stack)


def _room(worlds: int, plan: Plan) -> Stack:
    """Return a stack for worlds that are alike in face, to be filled."""
    size, observed = len(plan.order), len(plan.program.places)
    actions, parts, rows, most = len(plan.actions), 1 + bool(plan.intends.any()), 8, 3
    sizes = [worlds, size, most, len(plan.nvec), actions, 2, 2, parts, 0]
    return Stack(
        lines=np.zeros(worlds * parts * size * (HEAD + 2 * most), dtype=np.uint32),
        cells=np.zeros(worlds * size * rows, dtype=np.uint64),
        last=np.zeros(1, dtype=np.uint32),
        values=np.zeros(1, dtype=np.uint8),
        force=np.zeros(worlds * (actions + 1) * size, dtype=np.uint8),
        places=plan.program.places.astype(np.uint32),
        maps=np.zeros(worlds * 3 * observed, dtype=np.uint16),
        intends=np.zeros(worlds * size, dtype=np.uint8),
        pays=np.zeros(worlds * 2 * 6, dtype=np.uint32),
        pay=np.zeros(1 + 4 * worlds),
        offset=np.zeros(worlds),
        shape=np.zeros((worlds, 4), dtype=np.uint64),
        sizes=np.array(sizes, dtype=np.uint64),
    )
