"""The doors of the truth engine: `truth`, `truth_many`, `value` and `option_values`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from causalbench.errors import CausalBenchError, CouplingError, QueryError
from causalbench.query.ast import Choice, Query
from causalbench.query.parser import parse
from causalbench.truth.compiled.doors import answers, names, packed
from causalbench.truth.discrete import Discrete
from causalbench.truth.family import Family
from causalbench.truth.readings import RANKS, cached_rung, query_reading
from causalbench.truth.subject import scm_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm import SCM
    from causalbench.truth.compiled.doors import Packed
    from causalbench.truth.readings import Judge

__all__ = [
    "Truth",
    "best",
    "option_values",
    "prepare",
    "read_query",
    "truth",
    "truth_many",
    "value",
]

_KEPT = 4096
DIGITS = 12
"""Values that agree to this many decimals tie, and a tie goes to the action stated first."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true, and what solvers of the lower rungs would say.

    Args:
        value: a number, or for a choice the label of the best action.
        readings: ``marginal``, ``see``, ``do`` and ``imagine``, each of the value's kind;
            ``imagine`` is the truth.
        error: 0.0 where the value is exact. Else a bound on its absolute error in linear-Gaussian
            worlds, and its standard error in worlds of additive noise, where it is simulated; the
            errors of the parts of a sum add up. It speaks of the value, not of the readings.
        rung: the query's rung, 1 to 3.
        values: for a choice, each action's value by label; else None.
        option_readings: for a choice, reading -> action label -> value; else None.
    """

    value: float | str
    readings: Mapping[str, float | str]
    error: float
    rung: int
    values: Mapping[str, float] | None = None
    option_readings: Mapping[str, Mapping[str, float]] | None = None


def truth(world: Any, query: str | Query | Choice) -> Truth:
    """Answer a query exactly, with its readings.

    Args:
        world: an SCM, or anything with one as ``.scm``.
        query: text, a query or a choice.

    Returns:
        The truth.

    Raises:
        QueryError: text that is no query, names the world lacks, or a comparison it cannot make.
        ZeroProbabilityError: a condition of probability zero.
        CouplingError: the world gives tables without couplings, and the answer hangs on some; the
            message bounds it (see `causalbench.truth.bounds.couplings.coupling_bounds`).
        TooWideError: the answer would need too large a table.
    """
    scm = scm_of(world)
    asked = read_query(scm, query)
    try:
        return _truth(_judge(scm), asked)
    except CouplingError:
        from causalbench.truth.bounds.couplings import coupling_error

        raise coupling_error(scm, asked) from None


def _truth(judge: Judge, asked: Query | Choice) -> Truth:
    if isinstance(asked, Query):
        number, error = _value(judge, asked)
        readings: dict[str, float | str] = {
            kind: query_reading(judge, asked, kind) for kind in RANKS if kind != "imagine"
        }
        readings["imagine"] = number
        return Truth(number, readings, error, cached_rung(asked))
    options = {label: _value(judge, objective) for label, objective in asked.options()}
    values = {label: number for label, (number, _) in options.items()}
    numbers: dict[str, dict[str, float]] = {}
    for kind in RANKS:
        numbers[kind] = (
            values
            if kind == "imagine"
            else {label: query_reading(judge, q, kind) for label, q in asked.options()}
        )
    return Truth(
        best(values),
        {kind: best(by_label) for kind, by_label in numbers.items()},
        max(error for _, error in options.values()),
        max(cached_rung(objective) for objective in asked.objectives),
        values,
        numbers,
    )


def value(world: Any, query: str | Query) -> float:
    """Return the value of a query alone, without its readings.

    Args:
        world: an SCM, or anything with one as ``.scm``.
        query: text or a query; a choice has no number (see `option_values`).

    Raises:
        QueryError: as `truth`; also a choice.
        ZeroProbabilityError: a condition of probability zero.
        CouplingError: as `truth`, without the bounds.
        TooWideError: the answer would need too large a table.
    """
    return _value(*prepare(world, query))[0]


def option_values(world: Any, query: str | Choice) -> dict[str, float]:
    """Return each action's value by label, in stated order, without readings."""
    scm = scm_of(world)
    asked, judge = read_query(scm, query), _judge(scm)
    if isinstance(asked, Query):
        raise QueryError("this query offers no actions; ask value(world, query) for its number.")
    return {label: _value(judge, objective)[0] for label, objective in asked.options()}


def best(values: Mapping[str, float]) -> str:
    """Return the label with the largest value after rounding to 12 decimals; ties to the first."""
    return max(values, key=lambda label: round(values[label], DIGITS))


def truth_many(
    worlds: Any,
    queries: Any,
    errors: Literal["raise", "nan"] = "raise",
    *,
    device: Literal["cpu", "cuda"] | None = None,
) -> NDArray[np.float64]:
    """Answer many queries.

    Args:
        worlds: one world or several, or a `Family` of N parameter sets, which counts as N worlds.
        queries: one query or several; lengths are equal, or one of them is 1.
        errors: ``raise``, or ``nan`` to put NaN where a query cannot be answered.
        device: where torch answers for a family; None (our own compiled loops) is the fastest on
            a CPU.

    Returns:
        float64 array with one value for each pair.

    Raises:
        QueryError: lengths that do not fit, or ``errors`` of another name.
        CausalBenchError: as `value`, where errors are raised.
    """
    if errors not in ("raise", "nan"):
        raise QueryError(f"errors='{errors}' does not exist; choose 'raise' or 'nan'.")
    if isinstance(worlds, Family):
        from causalbench.truth.family_run import family_values

        asked = _several(queries, single=isinstance(queries, str | Query | Choice))
        return family_values(worlds, asked, errors, device)
    if device is not None:
        raise QueryError("a device is for families of worlds alone; make one with Family.stack.")
    single = isinstance(worlds, str) or hasattr(worlds, "scm") or hasattr(worlds, "mechanisms")
    left = [scm_of(world) for world in _several(worlds, single=single)]
    right = _several(queries, single=isinstance(queries, str | Query | Choice))
    length = max(len(left), len(right)) if left and right else 0
    if any(len(side) not in {1, length} for side in (left, right)):
        msg = (
            f"{len(left)} worlds and {len(right)} queries do not pair up; "
            "give equal numbers, or one of either."
        )
        raise QueryError(msg)
    return _pairs(
        left if len(left) == length else left * length,
        right if len(right) == length else right * length,
        strict=errors == "raise",
    )


def _pairs(worlds: list[SCM], queries: list[Any], *, strict: bool) -> NDArray[np.float64]:
    """Answer pair by pair; those of discrete worlds in one call of compiled code."""
    found = np.full(len(queries), np.nan)
    places: list[int] = []
    addresses: list[int] = []
    kept: list[Any] = []  # addresses are good while what they point to lives
    ready: dict[int, Packed] = {}
    for place, (scm, query) in enumerate(zip(worlds, queries, strict=True)):
        try:
            world = ready.get(id(scm))
            if world is None:
                if not scm.is_discrete:
                    found[place] = _value(*prepare(scm, query))[0]
                    continue
                world = ready[id(scm)] = packed(scm)
            if type(query) is not Query:
                query = prepare(scm, query)[1]  # noqa: PLW2901  (read)
            packed_query = world.names.query(query, scm)
        except CausalBenchError:
            if strict:
                raise
            continue
        places.append(place)
        addresses += (world.address, packed_query.address)
        kept.append(packed_query)
    values, states = answers(addresses)
    failed = (states[:, 0] != 0) | ~np.isfinite(values)
    found[places] = np.where(failed, np.nan, values)
    if strict and failed.any():
        place = places[int(np.flatnonzero(failed)[0])]
        value(worlds[place], queries[place])  # raises, in its own words
    return found


def _several(items: Any, *, single: bool) -> list[Any]:
    if single:
        return [items]
    if not isinstance(items, Iterable):
        msg = f"{type(items).__name__} is neither one of them nor a list; pass one or a list."
        raise QueryError(msg)
    return list(items)


def _judge(scm: SCM) -> Judge:
    if scm.is_discrete:
        return Discrete(scm)
    if not scm.is_linear:
        from causalbench.truth.montecarlo import MonteCarlo

        return MonteCarlo(scm)
    from causalbench.truth.gaussian import Gaussian

    return Gaussian(scm)


def read_query(scm: SCM, query: object) -> Query | Choice:
    """Return a query read in a world's vocabulary; a text that was read before is not read again.

    Raises:
        QueryError: text that is no query, or neither text nor a query.
    """
    if isinstance(query, Query | Choice):
        return query
    if not isinstance(query, str):
        kind = type(query).__name__
        raise QueryError(f"a query is text, a Query or a Choice, not {kind}; pass one of these.")
    if not scm.is_discrete:
        return parse(query, scm.vocabulary)
    parsed = names(scm).parsed
    found: Query | Choice | None = parsed.get(query)
    if found is None:
        if len(parsed) >= _KEPT:
            parsed.clear()
        found = parsed[query] = parse(query, scm.vocabulary)
    return found


def prepare(world: Any, query: str | Query) -> tuple[Judge, Query]:
    """Return the world as a judge, and the query read; a choice is refused.

    Raises:
        QueryError: text that is no query, or a choice.
    """
    scm = scm_of(world)
    asked = read_query(scm, query)
    if isinstance(asked, Choice):
        msg = "a choice has a label and no number; ask truth(...) or option_values(...)."
        raise QueryError(msg)
    return _judge(scm), asked


def _value(judge: Judge, query: Query) -> tuple[float, float]:
    total, error = query.constant, 0.0
    for weight, quantity in query.terms:
        part, doubt = judge.quantity(quantity)
        total += weight * part
        error += abs(weight) * doubt
    if not math.isfinite(total):
        raise QueryError(f"the query adds up to {total}; give weights that are ordinary numbers.")
    return total, error
