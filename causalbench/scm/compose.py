"""Make processes of processes: one of several worlds that isn't told which, and many episodes.

Both give an ordinary `Process`, so whatever runs or solves a process runs and solves them: the best
do-policy of a mixture is the Bayes-optimal agent for that prior over worlds, and over several
episodes it is the Bayes-adaptive one.

Reference:
    Duff, "Optimal learning: computational procedures for Bayes-adaptive Markov decision processes"
    (2002); Duan et al., "RL2: fast reinforcement learning via slow reinforcement learning" (2016),
    for episodes chained into trials.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import WorldError
from causalbench.scm.mechanism import Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.process import BEFORE, Process
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.scm.play import Play

__all__ = ["TICK", "WHICH", "mixture", "trials"]

WHICH = "which_world"
"""The hidden variable of a mixture: the number of the process that runs."""
TICK = "tick"
"""The visible variable of trials: the step within the present episode."""
_MERGE = 1e-15  # cumulative sums nearer than this differ by rounding, not by intent


def mixture(processes: Sequence[Process], weights: Sequence[float] | None = None) -> Process:
    """Return the process that runs one of several, drawn at the start and never shown.

    Each keeps its own law on all rungs: a unit of the mixture is a world and a unit of that world.

    Args:
        processes: with the same variables and horizon, at least one.
        weights: the probability of each; None for equal ones.

    Raises:
        WorldError: they differ in their variables or horizon, or know no couplings.
    """
    base = processes[0]
    for other in processes:
        same = base.first.variables == other.first.variables and base.horizon == other.horizon
        if not same:
            raise WorldError("only processes with the same variables and horizon can be mixed")
        if other.uncoupled:
            raise WorldError("a process without couplings can't be mixed; name them first")
    prior = np.full(len(processes), 1 / len(processes)) if weights is None else np.array(weights)
    which = Variable(WHICH, tuple(str(i + 1) for i in range(len(processes))), hidden=True)
    number = np.arange(len(processes))
    root = Mechanism((), prior, number)
    kept = Mechanism((WHICH + BEFORE,), np.ones(1), number[None])
    slices = []
    for step, own in ((1, root), (2, kept)):
        parts = [process.slice(step) for process in processes]
        cards = {name: v.cardinality for part in parts for name, v in part.variables.items()}
        mechanisms = {
            name: _chosen([_table(part, name) for part in parts], WHICH, number, cards)
            for name in base.names
        }
        slices.append(_slice(parts, {WHICH: which}, {**mechanisms, WHICH: own}))
    return Process(slices[0], slices[1], base.horizon)


def trials(process: Process, play: Play, episodes: int) -> tuple[Process, Play]:
    """Chain several episodes of one world into one, told apart by a visible clock.

    Nothing is carried over from one episode to the next but what an agent remembers.

    Args:
        process: the world.
        play: what is decided in it; the trial's return is the mean of its episodes'.
        episodes: at least 1.

    Returns:
        The trial, with ``tick``, the step within the episode, besides; and its play, which shows
        it.

    Raises:
        WorldError: the play ends episodes early, or the process knows no couplings.
    """
    if play.ends.strip():
        raise WorldError(f"play '{play.id}' ends early; chain episodes of a fixed length only")
    if process.uncoupled:
        raise WorldError("a process without couplings can't be chained; name them first")
    length = process.horizon
    tick = Variable(TICK, tuple(str(i + 1) for i in range(length)))
    begin = Mechanism((), np.ones(1), np.zeros(1, dtype=np.int64))
    count = Mechanism((TICK + BEFORE,), np.ones(1), (np.arange(length)[None] + 1) % length)
    parts = [process.first, process.later]
    cards = {name: v.cardinality for part in parts for name, v in part.variables.items()}
    choose = np.minimum(np.arange(length), 1)
    later = {
        name: _chosen([_table(part, name) for part in parts], TICK, choose, cards)
        for name in process.names
    }
    first = SCM({**process.first.variables, TICK: tick}, {**process.first.mechanisms, TICK: begin})
    chained = Process(first, _slice(parts, {TICK: tick}, {**later, TICK: count}), episodes * length)
    spans = {
        key: None if span is None else (episodes * span[0], episodes * span[1])
        for key, span in (("returns", play.returns), ("goal_returns", play.goal_returns))
    }
    shown = replace(
        play,
        observes=(*play.observes, TICK),
        returns=spans["returns"],
        goal_returns=spans["goal_returns"],
    )
    return chained, shown


def _table(scm: SCM, name: str) -> Mechanism:
    mechanism = scm.mechanism(name)
    if not isinstance(mechanism, Mechanism):
        raise WorldError(f"'{name}' has no table of functions; name its coupling")
    return mechanism


def _slice(
    parts: Sequence[SCM], more: dict[str, Variable], mechanisms: dict[str, Mechanism]
) -> SCM:
    """Put a slice together, with a blank root for every earlier value that is read."""
    variables = {**parts[0].variables, **more}
    declared = {name: v for part in parts for name, v in part.variables.items()} | variables
    read = {parent for mechanism in mechanisms.values() for parent in mechanism.parents}
    blank = Mechanism((), np.ones(1), np.zeros(1, dtype=np.int64))
    variables = {name: v for name, v in variables.items() if not name.endswith(BEFORE)}
    put: dict[str, Mechanism] = {name: mechanisms[name] for name in variables}
    for name in sorted(read):
        if name.endswith(BEFORE):
            of = declared[name.removesuffix(BEFORE)]
            variables[name] = replace(of, name=name, hidden=True)
            put[name] = blank
    return SCM(variables, put)


def _chosen(
    mechanisms: Sequence[Mechanism],
    by: str,
    number: NDArray[np.int64],
    cards: dict[str, int],
) -> Mechanism:
    """Return the mechanism that runs the one of several that a further parent names.

    Args:
        mechanisms: of one variable.
        by: the further parent.
        number: int64[card of ``by``], which mechanism each of its values names.
        cards: of all variables, earlier values too.
    """
    if all(_equal(mechanisms[0], each) for each in mechanisms):
        return mechanisms[0]
    parents = tuple(dict.fromkeys(p for each in mechanisms for p in each.parents))
    noise, codes = _refined([each.noise for each in mechanisms])
    tables = []
    for each, code in zip(mechanisms, codes, strict=True):
        # Axes in the order of all parents; those that this mechanism does not read are repeated.
        place = [each.parents.index(p) for p in parents if p in each.parents]
        shape = [cards[p] if p in each.parents else 1 for p in parents]
        table = each.table[code].transpose(0, *(1 + i for i in place))
        full = (len(noise), *(cards[p] for p in parents))
        tables.append(np.broadcast_to(table.reshape(len(noise), *shape), full))
    stacked = np.stack([tables[i] for i in number], axis=1)
    return Mechanism((by, *parents), noise, stacked)


def _equal(one: Mechanism, other: Mechanism) -> bool:
    same = one.parents == other.parents and np.array_equal(one.noise, other.noise)
    return bool(same and np.array_equal(one.table, other.table))


def _refined(
    laws: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    """Return one noise law that all the given ones are functions of, and the functions."""
    sums = [np.cumsum(law)[:-1] for law in laws]
    cuts = np.unique(np.concatenate([[0.0], *sums, [1.0]]))
    cuts = cuts[(cuts >= 0) & (cuts <= 1)]
    cuts = cuts[np.append(True, np.diff(cuts) > _MERGE)]
    cuts[-1] = 1.0
    middle = (cuts[1:] + cuts[:-1]) / 2
    codes = [np.searchsorted(each, middle, side="right").astype(np.int64) for each in sums]
    return np.diff(cuts), codes
