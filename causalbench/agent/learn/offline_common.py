"""What learners from logs share: reading the log, steps as instances of actions, checkpoints.

A logged step is an instance of every action whose settings it satisfies, whatever brought it about.
So a learner that takes the log at its word learns conditional expectations, E[r | x = 1], which are
effects, E[r | do(x = 1)], only where nothing hidden moves both the action and the reward.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.window import Window
from causalbench.errors import AccessError, AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.agent.learn.protocol import Field
    from causalbench.env.log import Log
    from causalbench.truth.policy import Moment, Policy

__all__ = ["Offline", "Steps", "TablePolicy", "one_torch_thread"]

Arrays = dict[str, "NDArray[Any]"]


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a log, each of them once for each action that it is an instance of.

    Args:
        window: how states are coded.
        codes: int16[E, T + 1, P], the states of the log.
        row: int64[N], the state of each instance, as a row of ``states``.
        action: int64[N].
        reward: float64[N].
        done: bool[N], whether the episode ended with the step.
        own: bool[N], whether the action is the one that the behaviour policy is said to have done.
    """

    window: Window
    codes: NDArray[np.int16]
    row: NDArray[np.int64]
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    done: NDArray[np.bool_]
    own: NDArray[np.bool_]

    @property
    def states(self) -> NDArray[np.int16]:
        """int16[E * (T + 1), P]; the state after the one in row i is in row i + 1."""
        return self.codes.reshape(-1, self.codes.shape[2])

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(cls, log: Log, window: Window) -> Steps:
        """Read the steps of a log."""
        codes = window.of_log(log)
        episode, step, action = np.nonzero(log.matches)
        return cls(
            window,
            codes,
            episode * codes.shape[1] + step,
            action,
            log.reward[episode, step],
            step + 1 == log.length[episode],
            log.action[episode, step] == action,
        )


class Offline:
    """A learner that reads logs and never acts.

    Subclasses give `_begun` (parameters at the start), `_fitted` (parameters after more of the log)
    and `policy`. All that has been learnt is in ``_learnt``, so that is what a checkpoint holds.

    Args:
        history: how many observations it remembers.
        config: all options.
    """

    name = ""
    regimes = frozenset({"see"})
    rung3: Mapping[str, str] = {"see": "rung-2"}
    needs_rewards = True

    def __init__(self, history: int, config: Mapping[str, Any]) -> None:
        if history < 1:
            raise AgentError(f"{self.name}: history is {history}; give 1 observation or more.")
        self.config: Mapping[str, Any] = dict(config)
        self._history = history
        self._field: Field | None = None
        self._window: Window | None = None
        self._key: list[int] = []
        self._before = 0
        self._read = 0
        self._learnt: Arrays = {}

    @property
    def window(self) -> Window:
        """How states are coded.

        Raises:
            AgentError: nothing was started.
        """
        if self._window is None:
            raise AgentError(f"{self.name} has no field yet; call start(field, rng=...) first.")
        return self._window

    def start(self, field: Field, *, rng: np.random.Generator) -> None:
        """Begin anew in a field of logs.

        Raises:
            AccessError: the field's regime is not ``see``.
        """
        self._window = None
        self._key = [int(word) for word in rng.integers(0, 2**32, size=4)]
        self._before = self._read = 0
        self.enter(field)
        self._learnt = self._begun(np.random.default_rng(self._key))

    def enter(self, field: Field) -> None:
        """Go on with another field's log, from what has been learnt."""
        if field.regime not in self.regimes:
            raise AccessError(
                f"{self.name} learns from logs and never acts; give it regime see, not"
                f" {field.regime}."
            )
        nvec = tuple(int(size) for size in field.nvec)
        window = Window(nvec, len(field.actions), field.horizon, self._history)
        if self._window not in {None, window}:
            raise AgentError(
                f"{self.name} has learnt in a field of other observations, actions or horizon;"
                " start anew."
            )
        self._field, self._window, self._before = field, window, self._read

    def train(self, until: int) -> None:
        """Read the log until so many steps have been read in all, and learn from it.

        Raises:
            AgentError: nothing was started, or the log holds no rewards to learn from.
        """
        window = self.window
        wanted = until - self._before
        if self._field is None or wanted < 1 or until <= self._read:
            return
        log = self._field.log(wanted)
        if self.needs_rewards and not log.rewarded:
            raise AgentError(f"{self.name} learns from rewards, which the log lacks; give bc one.")
        # Keyed by what is read, so that a resumed run draws what an unbroken one does.
        rng = np.random.default_rng([*self._key, until])
        self._learnt = self._fitted(log, Steps.of(log, window), rng)
        self._read = until

    def policy(self) -> Policy:
        """Return the present policy, which later training does not change."""
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Write a checkpoint into a folder."""
        path.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = self._learnt
        np.savez(path / "learnt.npz", **arrays)
        state = {
            "name": self.name,
            "config": dict(self.config),
            "key": self._key,
            "read": self._read,
            "before": self._before,
        }
        (path / "state.json").write_text(json.dumps(state), encoding="utf-8")

    def load(self, path: Path) -> None:
        """Read a checkpoint, after `start`.

        Raises:
            AgentError: another learner wrote it, or one with other options.
        """
        state = json.loads((path / "state.json").read_text(encoding="utf-8"))
        if state["name"] != self.name or state["config"] != dict(self.config):
            raise AgentError(
                f"'{path}' is a checkpoint of {state['name']} with {state['config']}; give that"
                " learner and those options."
            )
        with np.load(path / "learnt.npz") as arrays:
            self._learnt = {name: arrays[name] for name in arrays.files}
        self._key, self._read, self._before = state["key"], state["read"], state["before"]

    def _begun(self, rng: np.random.Generator) -> Arrays:
        """Return what is known at the start."""
        raise NotImplementedError

    def _fitted(self, log: Log, steps: Steps, rng: np.random.Generator) -> Arrays:
        """Return what is known after a log, going on from ``_learnt``."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class TablePolicy:
    """Act by a table of windows.

    Args:
        window: what it sees.
        keys: int64[S], the windows known, sorted.
        shares: float64[S, A], the probability of each action at each of them.
        usual: float64[A], the same at a window that is not in the table.
    """

    window: Window
    keys: NDArray[np.int64]
    shares: NDArray[np.float64]
    usual: NDArray[np.float64]

    reads_reward = False

    @property
    def recalls(self) -> bool:
        """Whether it remembers more than the last observation."""
        return self.window.history > 1

    def begin(self, n: int) -> NDArray[np.int16] | None:
        """Return the memory of n copies at the start."""
        return self.window.begin(n)

    def act(self, moment: Moment, memory: Any) -> tuple[NDArray[np.float64], Any]:
        """Return the probabilities of the actions, and the memory afterwards."""
        codes, memory = self.window.codes(moment, memory)
        if not len(self.keys):
            return np.tile(self.usual, (len(codes), 1)), memory
        key = self.window.keys(codes)
        at = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        known = (self.keys[at] == key)[:, None]
        return np.where(known, self.shares[at], self.usual), memory


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Train on one thread, and put the number of threads back."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
