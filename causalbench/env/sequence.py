"""One sequential world to act in, stepped in plain Python."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from causalbench.env.episodes import action_index
from causalbench.env.picture import Picture
from causalbench.env.plan import Plan
from causalbench.env.script import written
from causalbench.env.sealed import Sealed, budget_spent
from causalbench.env.stream import key_of, noise_codes
from causalbench.errors import AccessError, AgentError, BudgetExhausted
from causalbench.rng import words
from causalbench.task.observation import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.env.episodes import Purse
    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program

__all__ = ["SequenceEnv"]

Observation = NDArray[np.uint8]
Step = tuple[Observation, float, bool, bool, dict[str, Any]]
_BLOCK = 4096  # steps whose noise is drawn at once, so that NumPy's overhead is spread
_MADE = (
    "_script",
    "_shown",
    "_turn",
    "_later",
    "_row",
    "_kept",
)  # made anew where a copy is unpickled
_KEPT = 1 << 16  # observations that are kept, to be copied when they come again


class SequenceEnv(Sealed, gymnasium.Env[Observation, np.int64]):
    """Act in a process, step by step, under a regime.

    An observation shows, per visible variable, its code or "unseen", then the mode and the goal, as
    `causalbench.task.observation.ObservationSpace` lays them out. Before the action of a step it
    shows what no action of that step can change as it is, and the rest as the last step left it.
    Rewards are scaled, so that a return lies in [0, 1]. ``info`` is empty.

    Regimes:
        see: nature acts, and the only action is to watch; natural choices are shown before they
            are carried out. (A bet changes nothing, so bets can be placed.)
        do: the agent acts.
        intent: likewise, and it is shown what nature was about to choose at this step.
        replay: a natural course of the unit is watched, its second observation first; then the
            agent acts on the same unit again.

    Args:
        program: what is played.
        regime: one of these.
        render_mode: ``"ansi"``, ``"rgb_array"`` or None.
        rng: a lab's source of units; None for a public environment, which honours seeds.
        meter: what pays for each step as it is shown, or None.

    Raises:
        AccessError: no such regime.
        AgentError: no such ``render_mode``.
        CouplingError: a regime that runs a unit twice, in a world without couplings.
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 2}  # noqa: RUF012

    def __init__(
        self,
        program: Program,
        regime: PlayRegime = "do",
        *,
        render_mode: str | None = None,
        rng: np.random.Generator | None = None,
        meter: Purse | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise AgentError(f"render_mode is {render_mode!r}; give ansi, rgb_array or None.")
        self._plan = plan = Plan(program, regime)
        self._program, self.regime, self.render_mode = program, regime, render_mode
        self.observation_space = gymnasium.spaces.MultiDiscrete(plan.nvec, dtype=np.uint8)
        self.action_space = gymnasium.spaces.Discrete(len(plan.actions))
        self._seal(rng, meter, regime, program.play.mode)
        self._replay = regime == "replay"
        self._count, self._nature = len(plan.actions), len(plan.force)
        self._key: int | None = None if rng is None else int(words(rng, 1)[0])
        self._noise, self._form, self._wide = b"", "", 0
        self._rekey(self._key)
        # Nothing is to be done at a step but to take it, where nobody watches, draws or pays.
        self._plain = self._usual = meter is None and render_mode is None
        self._watching = self._spent = False
        self._state: tuple[int, ...] | None = None
        self._first, self._at, self._last, self._paid, self._acted = 0, 0, 0, 0.0, -1
        self._now: tuple[int, ...] = ()
        self._earlier: tuple[int, ...] = ()
        self._write()

    def _write(self) -> None:
        """Make what cannot be pickled."""
        self._script = written(self._plan)
        self._turn, self._later = self._script.turns
        self._row = Struct(self._form).unpack_from
        self._kept: tuple[dict[tuple[int, ...], Observation], ...] = ({}, {})
        self._shown = self._kept[self._watching]

    @property
    def program(self) -> Program:
        """What is played; a sealed environment does not tell."""
        self._unsealed("program")
        return self._program

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions' labels, by index."""
        return self._plan.actions

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode on a fresh unit.

        Args:
            seed: begins the stream of that seed; None goes on in the present one.
            options: none are known.

        Raises:
            BudgetExhausted: the budget does not pay for another step.
        """
        if seed is not None:
            super().reset(seed=seed, options=options)
        if not self._sealed:
            if seed is not None:
                self._rekey(key_of(seed))
            elif self._key is None:
                self._rekey(int(self.np_random.integers(2**64, dtype=np.uint64)))
        if self._meter is not None:
            self._pay_for(1)
        self._spent = False
        self._episode += 1
        self._paid, self._acted, self._earlier = 0.0, -1, ()
        self._first = (self._episode - self._from) * self._program.horizon
        if self._episode >= self._drawn:
            self._draw()
        self._last = self._first + self._program.horizon
        self._open(self._script.start)
        if self._replay:
            self._watching, self._plain, self._shown = True, False, self._kept[1]
            self._watch()
        return self._observation(), {}

    def step(self, action: Any) -> Step:
        """Play an action.

        Args:
            action: an index into `actions`.

        Returns:
            (observation, reward, whether the episode is over, whether the budget cut it short, {}).

        Raises:
            AccessError: under ``see``, anything but watching.
            BudgetExhausted: the last paid step has been delivered.
            ResetNeeded: no episode has begun, or it is over.
            UnknownNameError: no such action.
        """
        state = self._state
        if state is None:
            raise self._idle()
        if type(action) is not int or not 0 <= action < self._count:
            action = self._checked(action)
        if not self._plain:
            return self._full_step(action)
        self._at = at = self._at + 1
        reward, over, state, now = self._turn(
            action, state, self._row(self._noise, at * self._wide), at == self._last
        )
        self._turn = self._later
        self._state = None if over else state
        self._now = now
        shown = self._shown.get(now)
        return (self._observation() if shown is None else shown.copy()), reward, over, False, {}

    def _full_step(self, action: int) -> Step:
        """Play an action where more is to be done: watching, paying, or keeping what is drawn."""
        self._earlier = self._now
        reward, over = 0.0, False
        if self._watching:
            self._watch()
        else:
            self._at = at = self._at + 1
            reward, over, self._state, self._now = self._turn(
                action, self._state, self._row(self._noise, at * self._wide), at == self._last
            )
            self._turn = self._later
            self._paid += reward
            self._acted = action
            if over:
                self._state = None
        if self._meter is not None and not over:
            try:
                self._pay_for(1)
            except BudgetExhausted:
                self._spent, self._state = True, None
                self._now = tuple((self._plan.nvec[:-2] - 1)[self._program.places].tolist())
                return self._observation(), reward, False, True, {}
        return self._observation(), reward, over, False, {}

    @property
    def picture(self) -> Picture:
        """What a drawing may show: what the agent sees.

        The return so far, the last action and the observation before are kept only where the
        environment was made with a ``render_mode``. A sealed environment gives none, as the program
        is in it.
        """
        self._unsealed("program")
        return self._pictured()

    def _pictured(self) -> Picture:
        program, plan = self._program, self._plan
        play, size = program.play, len(plan.order)
        labels = [program.process.variable(program.names[slot]).labels for slot in program.seen]
        names = [program.names[slot] for slot in program.seen]
        over = self._state is None
        from_ = plan.maps[2 if over else 1, program.places]
        intended = [
            name for name, byte in zip(names, from_, strict=True) if 2 * size <= byte < 3 * size
        ]

        def told(codes: Sequence[int]) -> dict[str, str | None]:
            pairs = zip(names, labels, codes, strict=bool(codes))
            return {n: of[code] if code < len(of) else None for n, of, code in pairs}

        values = told(self._now)
        force = plan.force[self._acted] if self._acted >= 0 else []
        done = {
            name: program.process.variable(name).labels[code]
            for name, code in ((program.names[plan.order[p]], int(c)) for p, c in enumerate(force))
            if code >= 0
        }
        watches = self.regime == "see" and play.mode != "bet"
        return Picture(
            program=program,
            values=values,
            set=done,
            natural={name: str(values[name]) for name in intended if values.get(name)},
            step=self._at - self._first,
            horizon=program.horizon,
            paid=self._paid,
            regime=self.regime,
            watching=watches or self._watching,
            over=over,
            earlier=told(self._earlier),
        )

    def render(self) -> Any:
        """Draw what the agent sees, as ``render_mode`` says."""
        if self.render_mode is None:
            return None
        from causalbench.env.draw import render

        return render(self._pictured(), self.render_mode)

    def __getstate__(self) -> dict[str, Any]:
        self._unforked()
        return {name: value for name, value in vars(self).items() if name not in _MADE}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._write()
        self._turn = self._script.turns[self._at > self._first]

    def _open(self, state: tuple[int, ...]) -> None:
        """Open the first step of a course."""
        self._state, self._now = self._script.begin(
            state, self._row(self._noise, self._first * self._wide)
        )
        self._at, self._turn = self._first, self._script.turns[0]

    def _watch(self) -> None:
        """Let nature finish a step of the watched course, and open what comes next."""
        self._at = at = self._at + 1
        _, over, self._state, self._now = self._turn(
            self._nature, self._state, self._row(self._noise, at * self._wide), at == self._last
        )
        self._turn = self._later
        if over:
            self._watching, self._plain, self._shown = False, self._usual, self._kept[0]
            self._open(self._state)

    def _rekey(self, key: int | None) -> None:
        """Begin a stream: nothing of it is drawn."""
        self._key, self._episode, self._size = key, -1, 64
        self._from = self._drawn = 0

    def _draw(self) -> None:
        """Draw the noise of this episode, and of some that follow.

        Row i has what is needed to finish step i - 1 and to open step i.
        """
        program, script = self._program, self._script
        episodes = max(1, self._size // program.horizon)
        read = (*script.late, *script.early, *script.natural)
        slots = [int(self._plan.order[p]) for p in read]
        codes = noise_codes(program, self._key or 0, self._episode, episodes, slots)
        late = len(script.late)
        rows = np.zeros((len(codes) + 1, len(read)), dtype=codes.dtype)
        rows[1:, :late], rows[:-1, late:] = codes[:, :late], codes[:, late:]
        self._noise, self._form = (
            rows.tobytes(),
            f"={len(read)}{'B' if rows.itemsize == 1 else 'i'}",
        )
        self._row, self._wide = Struct(self._form).unpack_from, len(read) * rows.itemsize
        self._drawn = self._episode + episodes
        self._from, self._first, self._at = self._episode, 0, 0
        self._size = min(_BLOCK, 4 * self._size)

    def _observation(self) -> Observation:
        """Return the present observation; it is kept, for the next time that it comes."""
        shown = self._shown.get(self._now)
        if shown is None:
            shown = self._plan.blank.copy()
            shown[self._program.places] = self._now
            if self._replay:
                shown[-2] = MODES.index("act" if self._watching else "redo")
            if len(self._shown) < _KEPT:
                self._shown[self._now] = shown
        return shown.copy()

    def _checked(self, action: Any) -> int:
        if self.regime == "see" and self._count == 1 and action != 0:
            raise AccessError(
                f"action {action!r} is not for regime 'see', which only watches; give 0, or make"
                " the environment with regime 'do'."
            )
        return action_index(action, self._count)

    def _idle(self) -> Exception:
        """Return why there is no step to take."""
        if self._spent:
            return budget_spent()
        return ResetNeeded("no episode has begun, or it is over; call reset() before step().")
