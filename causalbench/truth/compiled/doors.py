"""Ask the compiled engine: one pair of a world and a query, or many at once."""

from __future__ import annotations

import os
import threading
from array import array
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import CouplingError, QueryError, TooWideError, ZeroProbabilityError
from causalbench.query.ast import Probability
from causalbench.query.render import render_quantity
from causalbench.scm.tables import TableMechanism, uncoupled_text
from causalbench.truth.alive import WhileAlive
from causalbench.truth.compiled.layout import HEAD, IMPOSSIBLE, MORE_INTS, TOO_WIDE, WORK
from causalbench.truth.compiled.names import names_of
from causalbench.truth.plan import too_wide
from causalbench.truth.structure import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from causalbench.errors import CausalBenchError
    from causalbench.query.ast import Atom
    from causalbench.scm import SCM
    from causalbench.truth.compiled.names import Asked, Names

__all__ = ["Packed", "answer", "answers", "names", "no_such_case", "packed", "refusal"]

_KEPT_FLOATS = 2**22  # a workspace with more than this gives them back after an answer
_FEW = 192  # pairs for which a second thread costs more than it saves


class Packed:
    """A discrete world as the compiled engine reads it.

    Args:
        scm: a discrete world.

    Attributes:
        address: of its whole numbers; good while this object lives.
        names: its declared names.
    """

    __slots__ = ("_whole", "address", "names")

    def __init__(self, scm: SCM) -> None:
        self.names: Names = names_of(scm)
        index = self.names.index
        mechanisms: list[Any] = list(scm.mechanisms.values())
        parents = [each.parents for each in mechanisms]
        edges = [index[name] for names in parents for name in names]
        sizes = [0 if type(each) is TableMechanism else len(each.noise) for each in mechanisms]
        coupled = list(zip(mechanisms, sizes, strict=True))
        laws = [m.noise if size else m.cpt.ravel() for m, size in coupled]
        tables = [m.table for m, size in coupled if size]
        facts = array("q", self.names.cards + sizes + list(map(len, parents)) + edges)
        # Joining the arrays' bytes takes a third of the time of numpy's concatenation.
        joined = np.frombuffer(bytearray().join((facts, *laws, *tables)), np.int64)
        self.address, self._whole = _compiled()[1](joined, len(sizes), len(edges))

    def declared(self, place: int) -> int:
        """Return the declared position of a variable, given its topological place."""
        n = len(self.names.cards)
        return int(np.flatnonzero(self._whole[HEAD + 6 * n : HEAD + 7 * n] == place)[0])


_packed: WhileAlive[Packed] = WhileAlive()


def packed(scm: SCM) -> Packed:
    """Return the packed form of a discrete world, made once while the world lives.

    Raises:
        QueryError: the world is not discrete.
    """
    found = _packed.of(scm)
    if found is not None:
        return found
    if not scm.is_discrete:
        raise QueryError(
            "this world is not discrete and the compiled engine is for discrete worlds alone; "
            "ask truth(world, query), which knows worlds of real variables too."
        )
    return _packed.keep(scm, Packed(scm))


def names(scm: SCM) -> Names:
    """Return the declared names of a discrete world, without loading the machine code."""
    found = _packed.of(scm)
    return found.names if found is not None else names_of(scm)


def refusal(scm: SCM, state: int, detail: int, given: tuple[Atom, ...]) -> CausalBenchError:
    """Return the error that a state stands for.

    Args:
        scm: the world that was asked.
        state: not `layout.OK`.
        detail: of the state.
        given: the condition of the quantity that failed.
    """
    if state == IMPOSSIBLE:
        return no_such_case(given)
    if state == TOO_WIDE:
        return TooWideError(too_wide(detail))
    name = scm.names[packed(scm).declared(detail)]
    return CouplingError(f"{uncoupled_text([name])}.")


def no_such_case(given: tuple[Atom, ...]) -> ZeroProbabilityError:
    """Return the error for a condition of probability zero."""
    what = render_quantity(Probability(given))
    return ZeroProbabilityError(
        f"the condition never happens in this world, {what} = 0, so nothing can be asked given "
        "it; drop or change a part of the condition."
    )


class _Workspace:
    """Memory for one thread: what the engine works in, and one pair of a world and a query."""

    def __init__(self) -> None:
        self.ints, self.floats = np.empty(2**16, np.int64), np.empty(2**17, np.float64)
        self.pair, self.state, self.value = (
            array("q", (0, 0)),
            array("q", (0, 0)),
            array("d", (0.0,)),
        )
        self.pair_at = self.pair.buffer_info()[0]
        self.state_at = self.state.buffer_info()[0]
        self.value_at = self.value.buffer_info()[0]
        self._place()

    def _place(self) -> None:
        self.places = (
            self.ints.ctypes.data,
            len(self.ints),
            self.floats.ctypes.data,
            len(self.floats),
        )

    def grow(self, state: int, size: int) -> None:
        """Make room for what the engine said that it needs."""
        if state == MORE_INTS:
            self.ints = np.empty(size + size // 2, np.int64)
        else:
            self.floats = np.empty(size, np.float64)
        self._place()

    def shrink(self) -> None:
        """Give back what only a wide answer needed."""
        if len(self.floats) > _KEPT_FLOATS:
            self.floats = np.empty(2**17, np.float64)
            self._place()


_spaces: list[_Workspace] = []  # those that no thread uses; a list's pop and append are atomic


def _borrow() -> _Workspace:
    try:
        return _spaces.pop()
    except IndexError:
        return _Workspace()


@cache
def _compiled() -> tuple[Callable[..., int], Callable[..., Any]]:
    """Load numba and the machine code, on first use."""
    from causalbench.truth.compiled.packing import pack
    from causalbench.truth.compiled.running import run

    return run, pack


def answer(
    world: Packed, asked: Asked, limit: int = LIMIT, work: int = WORK
) -> tuple[float, int, int]:
    """Answer one pair: the value, its state (`layout.OK` where it is good) and the state's detail.

    Args:
        world: the packed world.
        asked: the packed query.
        limit: the most cells of all tables together; above it, conditioning.
        work: the most cells that conditioning may look at.
    """
    run = _compiled()[0]
    space = _borrow()
    at = space.pair_at, 0, 1, space.value_at, space.state_at
    space.pair[0], space.pair[1] = world.address, asked.address
    while not run(*at, *space.places, limit, work):
        space.grow(*space.state)
    found = space.value[0], space.state[0], space.state[1]
    space.shrink()
    _spaces.append(space)
    return found


def answers(
    addresses: Sequence[int], threads: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Answer many pairs, each by itself, so that the number of threads changes nothing.

    Args:
        addresses: world, query, world, query, ...; the packed objects must be alive.
        threads: how many; None takes the cores there are, and one for few pairs.

    Returns:
        The values, and state and detail of each.
    """
    pairs = np.array(addresses, np.int64)
    count = len(pairs) // 2
    values, states = np.empty(count), np.zeros((count, 2), np.int64)
    if threads is None:
        threads = min(_cores(), max(1, count // _FEW))
    bounds = [count * k // threads for k in range(threads + 1)]

    failed: list[BaseException] = []

    def work(low: int, high: int) -> None:
        try:
            _work(pairs, low, high, values, states)
        except BaseException as problem:  # noqa: BLE001  (raised again by the caller's thread)
            failed.append(problem)

    others = [threading.Thread(target=work, args=pair) for pair in pairwise(bounds[1:])]
    for other in others:
        other.start()
    work(0, bounds[1])
    for other in others:
        other.join()
    if failed:
        raise failed[0]
    return values, states


def _work(
    pairs: NDArray[np.int64],
    low: int,
    high: int,
    values: NDArray[np.float64],
    states: NDArray[np.int64],
) -> None:
    """Answer the pairs from `low` to `high` in a workspace of this thread's own."""
    run = _compiled()[0]
    space = _borrow()
    at = values.ctypes.data, states.ctypes.data
    while (low := run(pairs.ctypes.data, low, high, *at, *space.places, LIMIT, WORK)) < high:
        space.grow(*states[low].tolist())
    space.shrink()
    _spaces.append(space)


@cache
def _cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
