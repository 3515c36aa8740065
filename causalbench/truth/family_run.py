"""Answer one query for every set of a family."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from causalbench.errors import CausalBenchError, QueryError
from causalbench.query.ast import Choice, Query
from causalbench.truth.family_query import work_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from causalbench.truth.family import Family
    from causalbench.truth.family_program import Program
    from causalbench.truth.family_query import Work

__all__ = ["family_values", "run_program"]

Device = Literal["cpu", "cuda"]

_WORTH = 2**21  # rows worked out, times sets, from which a second thread pays for being woken
_RARE = 1e-290  # below this, floats lose digits and then vanish: ask set by set, rescaled
_THREADS = 2


def family_values(
    family: Family,
    queries: Sequence[str | Query | Choice],
    errors: Literal["raise", "nan"] = "raise",
    device: Device | None = None,
) -> NDArray[np.float64]:
    """Return one value for each set, or for each pair of set and query.

    Args:
        family: N sets.
        queries: one, asked of every set; N, the i-th asked of set i; or any number where N is 1.
        errors: ``raise``, or ``nan`` to put NaN where a set has no answer.
        device: None for our own loops; ``cpu`` or ``cuda`` for torch.

    Returns:
        float64[N], or float64[len(queries)] where N is 1.

    Raises:
        QueryError: lengths that do not fit, a choice, or no such device.
        CausalBenchError: as `causalbench.truth.value`, where errors are raised.
    """
    count, asked = len(family), len(queries)
    if not asked:
        return np.empty(0)
    if asked != 1 and count not in {1, asked}:
        msg = (
            f"{count} sets and {asked} queries do not pair up; give equal numbers, or one of"
            " either (for every query of every set, ask one query at a time)."
        )
        raise QueryError(msg)
    runner = _runner(device)
    if asked == 1:
        return _values(family, queries[0], errors, runner)
    places: dict[Any, list[int]] = {}
    for i, query in enumerate(queries):
        known = isinstance(query, str | Query | Choice)  # else refused below, in its place
        places.setdefault(query if known else id(query), []).append(i)
    answers = np.empty(asked)
    for sets in places.values():
        query = queries[sets[0]]
        some = family if count == 1 else family.take(sets)
        answers[sets] = _values(some, query, errors, runner)
    return answers


def _runner(device: Device | None) -> Callable[[Program, Family], NDArray[np.float64]]:
    if device is None:
        return run_program
    from causalbench.truth.family_torch import torch_runner

    return torch_runner(device)


def _values(
    family: Family,
    query: str | Query | Choice,
    errors: Literal["raise", "nan"],
    runner: Callable[[Program, Family], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Answer one query for every set."""
    try:
        asked = _parsed(family, query)
        work = work_of(family, asked)
    except CausalBenchError:
        if errors == "raise":
            raise
        return np.full(len(family), np.nan)
    if work is None:
        return np.array([_single(family, i, asked, errors) for i in range(len(family))])
    outputs = runner(work.program, family)
    total = np.full(len(family), work.constant)
    doubtful = np.zeros(len(family), dtype=bool)
    for answer in work.answers:
        part = outputs[answer.over]
        if answer.under is not None:
            whole = outputs[answer.under]
            rare = ~(whole > _RARE)
            if rare.any():
                doubtful |= rare
                whole = np.where(rare, np.nan, whole)
            part = part / whole
        if answer.bounded:
            part = np.minimum(part, 1.0)
        total += answer.weight * part if answer.weight != 1.0 else part
    if doubtful.any():
        _settle(family, asked, work, outputs, total, doubtful, errors)
    return total


def _settle(
    family: Family,
    query: Query,
    work: Work,
    outputs: NDArray[np.float64],
    total: NDArray[np.float64],
    doubtful: NDArray[np.bool_],
    errors: Literal["raise", "nan"],
) -> None:
    """Put values where a condition seems never to happen: NaN, or what asking one by one gives."""
    unders = [answer.under for answer in work.answers if answer.under is not None]
    # Where no product of the family's numbers can be too small for a float, zero means never.
    smallest = work.depth * np.log10(min(family.least, 1.0))
    if errors == "nan" and smallest > np.log10(_RARE):
        doubtful = doubtful & ~(outputs[unders] == 0.0).any(axis=0)
    for i in np.flatnonzero(doubtful).tolist():
        total[i] = _single(family, i, query, errors)


def _single(family: Family, i: int, query: Query, errors: Literal["raise", "nan"]) -> float:
    from causalbench.truth.exact import value

    try:
        return value(family[i], query)
    except CausalBenchError as error:
        if errors == "nan":
            return float("nan")
        message = f"set {i}: {error}" if len(family) > 1 else str(error)
        raise type(error)(message) from None


def _parsed(family: Family, query: str | Query | Choice) -> Query:
    from causalbench.truth.exact import prepare

    text: Any = query  # a choice is refused there
    return prepare(family.template, text)[1]


def run_program(program: Program, family: Family) -> NDArray[np.float64]:
    """Return the program's outputs for every set, float64[outputs, N]."""
    from causalbench.truth.family_loops import run

    blocks, _, width = family.numbers.shape
    answers = np.empty((blocks, len(program.outputs), width))

    def part(start: int, stop: int) -> None:
        run(
            program.loads,
            program.code,
            program.operands,
            program.constants,
            program.outputs,
            program.height,
            family.numbers,
            family.tables,
            answers,
            start,
            stop,
        )

    if program.height * len(family) < _WORTH:
        part(0, blocks)
    else:
        middle = blocks // _THREADS
        other = _pool().submit(part, 0, middle)
        part(middle, blocks)
        other.result()
    flat = answers.transpose(1, 0, 2).reshape(len(program.outputs), blocks * width)
    return flat[:, : len(family)]


@cache
def _pool() -> ThreadPoolExecutor:
    """Return the thread that works beside the caller's."""
    return ThreadPoolExecutor(_THREADS - 1, thread_name_prefix="causalbench-family")
