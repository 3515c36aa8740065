"""Turn observation vectors into other forms and back; nothing is lost, and nothing is added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gymnasium import spaces

from causalbench.errors import AgentError, WorldError
from causalbench.query import parse_action, parse_event
from causalbench.task.facts import KINDS, Book, Facts
from causalbench.task.observation import MODES
from causalbench.task.tensor_codes import KINDS_OF_QUESTION, NOT

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from causalbench.scm.program import Program

__all__ = ["DictCode", "FactCode", "FlatCode", "ObservationCode", "program_of"]


class ObservationCode(Protocol):
    """A form of observations."""

    @property
    def space(self) -> spaces.Space[Any]:
        """The space of one observation in this form."""
        ...

    def encode(self, vectors: NDArray[Any]) -> Any:
        """Turn vectors, integers [n, D], into a batch of n observations."""
        ...

    def decode(self, batch: Any) -> NDArray[np.int64]:
        """Turn a batch back into vectors, int64[n, D]."""
        ...


class FlatCode:
    """Each place of a vector as a one-hot stretch.

    Args:
        nvec: the number of codes in each place.
    """

    def __init__(self, nvec: NDArray[Any]) -> None:
        self._starts = np.concatenate([[0], np.cumsum(nvec)]).astype(np.int64)
        self.space: spaces.Space[Any] = spaces.Box(0.0, 1.0, (int(self._starts[-1]),), np.float32)

    def encode(self, vectors: NDArray[Any]) -> NDArray[np.float32]:
        """Turn vectors into float32[n, sum of nvec]."""
        flat = np.zeros((len(vectors), int(self._starts[-1])), dtype=np.float32)
        rows = np.arange(len(vectors))[:, None]
        flat[rows, self._starts[:-1] + vectors.astype(np.int64)] = 1.0
        return flat

    def decode(self, batch: NDArray[np.float32]) -> NDArray[np.int64]:
        """Turn one-hot stretches back into codes."""
        stretches = np.split(np.asarray(batch), self._starts[1:-1], axis=-1)
        return np.stack([each.argmax(axis=-1) for each in stretches], axis=-1).astype(np.int64)


class DictCode:
    """One entry a visible variable, by name, then ``mode`` and ``goal``.

    Args:
        names: of the visible variables.
        nvec: the number of codes in each place.

    Raises:
        WorldError: a variable is called as one of the last two.
    """

    def __init__(self, names: tuple[str, ...], nvec: NDArray[Any]) -> None:
        for name in ("mode", "goal"):
            if name in names:
                raise WorldError(
                    f"a variable is called '{name}', as an entry of DictObservation; wrap the"
                    " environment in FlatObservation instead."
                )
        self._keys = (*names, "mode", "goal")
        self.space: spaces.Space[Any] = spaces.Dict(
            {key: spaces.Discrete(int(n)) for key, n in zip(self._keys, nvec, strict=True)}
        )

    def encode(self, vectors: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
        """Turn vectors into int64[n] for each entry."""
        columns = vectors.astype(np.int64).T
        return {key: columns[place].copy() for place, key in enumerate(self._keys)}

    def decode(self, batch: dict[str, Any]) -> NDArray[np.int64]:
        """Put the entries in a row again."""
        return np.stack([np.asarray(batch[key], dtype=np.int64) for key in self._keys], axis=-1)


class FactCode:
    """The facts that `causalbench.task.facts` has words for, padded to one size.

    Facts that never change say what variables there are (``variable``) and what actions set
    (``action``). A ``seen`` fact stands for each variable that is seen, and none for one that is
    not. The ``question`` holds the mode and the goal.

    Args:
        program: whose observations they are.

    Raises:
        AgentError: an action names a hidden variable.
    """

    def __init__(self, program: Program) -> None:
        process, play = program.process, program.play
        names = process.visible
        self._cards = np.array([process.variable(n).cardinality for n in names], dtype=np.int64)
        labels = tuple(process.variable(name).labels for name in names)
        book = Book(names, labels)
        book.add("question", codes=[0, 0, -1])
        for place in range(len(names)):
            book.add("seen", place=[place], variables=[place], codes=[0])
        for place, card in enumerate(self._cards):
            book.add("variable", variables=[place], codes=[int(card)])
        for number, label in enumerate(play.actions):
            if play.mode == "bet":
                event = parse_event(label, process.first.vocabulary)
                pairs = [(e.term.variable, str(e.value), e.op == "=") for e in event]
            else:
                action = parse_action(label, process.first.vocabulary)
                pairs = [(name, str(value), True) for name, value in action]
            for name, _, _ in pairs:
                if name not in names:
                    raise AgentError(
                        f"action '{label}' names '{name}', which is hidden and no fact's variable;"
                        " use another form of observations."
                    )
            codes = [process.variable(name).code(value) for name, value, _ in pairs]
            book.add(
                "action",
                place=[0, number],
                variables=[names.index(name) for name, _, _ in pairs],
                codes=[c if is_ else NOT - c for c, (_, _, is_) in zip(codes, pairs, strict=True)],
            )
        self.facts: Facts = book.facts()
        self._kinds = np.array([KINDS_OF_QUESTION.index(mode) for mode in MODES], dtype=np.int64)
        most = int(max(self._cards.max(), len(play.actions), len(KINDS_OF_QUESTION))) + 1
        low = NOT - most
        size, wide = len(self.facts), self.facts.codes.shape[1]
        self.space: spaces.Space[Any] = spaces.Dict(
            {
                "kind": _whole(len(KINDS), 0, (size,)),
                "place": _whole(max(most, len(names)) + 1, -1, (size, 2)),
                "variables": _whole(len(names) + 1, -1, (size, wide)),
                "codes": _whole(most - low, low, (size, wide)),
                "number": spaces.Box(0.0, 1.0, (size,), np.float32),
                "mask": spaces.MultiBinary(size),
            }
        )

    def encode(self, vectors: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Turn vectors into arrays as `causalbench.task.facts.pad` gives them."""
        count, size = len(vectors), len(self._cards)
        codes = vectors.astype(np.int64)
        seen = codes[:, :-2] < self._cards
        batch: dict[str, NDArray[Any]] = {
            name: np.repeat(array[None], count, axis=0) for name, array in self.facts.arrays.items()
        }
        batch["number"] = batch["number"].astype(np.float32)
        batch["mask"] = np.ones((count, len(self.facts)), dtype=np.int8)
        batch["codes"][:, 0, 0] = self._kinds[codes[:, -2]]
        batch["codes"][:, 0, 1] = codes[:, -1]
        rows = slice(1, 1 + size)
        batch["mask"][:, rows] = seen
        batch["kind"][:, rows] *= seen
        batch["codes"][:, rows, 0] = np.where(seen, codes[:, :-2], -1)
        for name in ("place", "variables"):
            batch[name][:, rows] = np.where(seen[..., None], batch[name][:, rows], -1)
        return batch

    def decode(self, batch: dict[str, Any]) -> NDArray[np.int64]:
        """Read the facts that are there, in whatever order they stand."""
        kind = np.where(np.asarray(batch["mask"], dtype=np.bool_), batch["kind"], 0)
        variables, codes = np.asarray(batch["variables"]), np.asarray(batch["codes"])
        vectors = np.empty((len(kind), len(self._cards) + 2), dtype=np.int64)
        vectors[:, :-2] = self._cards
        row, at = np.nonzero(kind == KINDS.index("seen"))
        vectors[row, variables[row, at, 0]] = codes[row, at, 0]
        row, at = np.nonzero(kind == KINDS.index("question"))
        asked = codes[row, at, 0]
        vectors[row, -2] = np.argmax(asked[:, None] == self._kinds, axis=1)
        vectors[row, -1] = codes[row, at, 1]
        return vectors


def program_of(env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]) -> Program:
    """Return the (first) program of a sequential environment.

    Raises:
        AgentError: an environment of another kind.
    """
    inner: Any = env.unwrapped
    # Sealed environments do not tell their program; wrappers read names and values alone off it.
    plan = getattr(inner, "_plan", None)
    if plan is None:
        raise AgentError(f"{inner} is no sequential environment; wrap a SequenceEnv.")
    program: Program = plan.program
    return program


def _whole(count: int, start: int, shape: tuple[int, ...]) -> spaces.MultiDiscrete:
    """Return the space of whole numbers from ``start`` on, of some shape."""
    return spaces.MultiDiscrete(
        np.full(shape, count, dtype=np.int64), start=np.full(shape, start, dtype=np.int64)
    )
