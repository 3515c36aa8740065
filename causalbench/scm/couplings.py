"""Turn a CPT into a mechanism: the coupling says how one unit answers at different parent rows.

A CPT fixes rungs 1 and 2. Which rows of it a unit's noise ties together is rung-3 content, and the
coupling states it. Every coupling here returns a mechanism with the CPT it was given.
"""

from __future__ import annotations

import heapq
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError, suggest
from causalbench.rng import permutation
from causalbench.scm.mechanism import MAX_CELLS, Mechanism, as_distribution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MAX_NOISE",
    "Coupling",
    "antitone",
    "couple",
    "coupling_from_text",
    "coupling_text",
    "independent",
    "mixture",
    "monotone",
    "natural_coupling",
    "pad_noise",
    "shuffle_noise",
]

MAX_NOISE = 4096
_SMALL = 256  # the most numbers of a table whose mechanism is remembered
_MERGE = 1e-15  # thresholds nearer than this differ by rounding, not by intent
_NAMES = ("independent", "monotone", "antitone", "mixture")

Coupling = str | Mapping[str, Any]


def couple(cpt: ArrayLike, coupling: Coupling, parents: Sequence[str] = ()) -> Mechanism:
    """Return a mechanism with the given CPT and coupling.

    Args:
        cpt: float[*cards, card], P(value | parents).
        coupling: ``"independent"``, ``"monotone"``, ``{"antitone": {"in": "x"}}`` or
            ``{"mixture": {"of": [couplings], "weights": [probabilities]}}``.
        parents: the names of the CPT's axes but the last.

    Raises:
        WorldError: no such coupling, a CPT that is no CPT, or too many noise values.
    """
    table = as_distribution(cpt, "cpt")
    names = tuple(parents)
    if table.ndim != 1 + len(names):
        raise WorldError(f"cpt has {table.ndim - 1} parent axes for {len(names)} parents")
    name, options = _read(coupling)
    if name == "independent":
        return independent(table, names)
    if name == "monotone":
        return monotone(table, names)
    if name == "antitone":
        _fields(options, name, {"in"})
        return antitone(table, names, str(options["in"]))
    _fields(options, name, {"of", "weights"})
    parts, weights = options["of"], options["weights"]
    if not isinstance(parts, Sequence) or isinstance(parts, str) or not len(parts):
        raise WorldError("coupling: mixture 'of' must be a list of couplings")
    if not isinstance(weights, Sequence) or isinstance(weights, str):
        raise WorldError("coupling: mixture 'weights' must be a list of probabilities")
    if any(isinstance(part, Mapping) and "mixture" in part for part in parts):
        raise WorldError("coupling: a mixture stands in a mixture; write one with all the weights")
    return mixture([couple(table, part, names) for part in parts], weights)


def natural_coupling(cpt: NDArray[np.float64]) -> str:
    """Return "independent" where that needs at most 4096 noise values, else "monotone"."""
    support = (cpt > 0).sum(axis=-1).astype(np.float64)
    return "independent" if np.log(support).sum() <= math.log(MAX_NOISE) + 1e-9 else "monotone"


def independent(cpt: NDArray[np.float64], parents: tuple[str, ...] = ()) -> Mechanism:
    """Draw the answer at every parent row on its own: noise is a whole response function."""
    rows = cpt.reshape(-1, cpt.shape[-1])
    support = [np.flatnonzero(row).tolist() for row in rows]
    count = math.prod(len(values) for values in support)
    if count > MAX_NOISE:
        raise WorldError(
            f"coupling: independent needs {_big(count)} noise values, over {MAX_NOISE};"
            " use 'monotone', or fewer parents"
        )
    noise = np.ones(1)
    for row, values in zip(rows, support, strict=True):
        noise = np.multiply.outer(noise, row[values]).ravel()
    table = np.array(list(itertools.product(*support)), dtype=np.int64)
    return Mechanism(parents, noise, table.reshape(count, *cpt.shape[:-1]))


def monotone(cpt: NDArray[np.float64], parents: tuple[str, ...] = ()) -> Mechanism:
    """Let one uniform number answer at every row by its quantile (the comonotone coupling)."""
    if cpt.dtype != np.float64 or cpt.size > _SMALL:
        return _quantile(cpt, parents, np.zeros(cpt.shape[:-1], dtype=bool))
    return _monotone(cpt.tobytes(), cpt.shape, parents)


@lru_cache(1024)
def _monotone(data: bytes, shape: tuple[int, ...], parents: tuple[str, ...]) -> Mechanism:
    """Return the same mechanism for the same table: twins share most of theirs."""
    cpt = np.frombuffer(data, dtype=np.float64).reshape(shape)
    return _quantile(cpt, parents, np.zeros(shape[:-1], dtype=bool))


def antitone(cpt: NDArray[np.float64], parents: tuple[str, ...], axis: str) -> Mechanism:
    """Let u answer where a parent's code is even, and 1 - u where it is odd.

    For a binary parent that ties its two values as oppositely as can be; with more values,
    neighbours are opposed and every other one agrees.

    Args:
        cpt: float64[*cards, card].
        parents: the names of the axes.
        axis: the parent that turns the quantile round.
    """
    if axis not in parents:
        hint = suggest(axis, parents)
        raise WorldError(f"coupling: antitone in '{axis}', which is no parent; name one.{hint}")
    odd = np.indices(cpt.shape[:-1])[parents.index(axis)] % 2 == 1
    return _quantile(cpt, parents, odd)


def mixture(parts: Sequence[Mechanism], weights: Sequence[float]) -> Mechanism:
    """Let a coin with the given weights choose which of the mechanisms acts in a unit."""
    chances = as_distribution(list(weights), "coupling: mixture weights")
    if chances.shape != (len(parts),):
        raise WorldError(f"coupling: mixture has {len(parts)} parts and {chances.size} weights")
    noise = np.concatenate([w * part.noise for w, part in zip(chances, parts, strict=True)])
    return Mechanism(parts[0].parents, noise, np.concatenate([part.table for part in parts]))


def coupling_text(coupling: Coupling) -> str:
    """Write a coupling as one word, or as JSON where it has options."""
    return coupling if isinstance(coupling, str) else json.dumps(coupling, sort_keys=True)


def coupling_from_text(text: str) -> Coupling:
    """Read what `coupling_text` wrote, ready for `couple`.

    Raises:
        json.JSONDecodeError: it starts as JSON and is none.
        WorldError: it is nested too deep to be read.
    """
    if not text.startswith("{"):
        return text
    try:
        read: Mapping[str, Any] = json.loads(text)
    except RecursionError:
        raise WorldError("coupling: the JSON is nested too deep; simplify it") from None
    return read


def pad_noise(mechanism: Mechanism, size: int) -> Mechanism:
    """Split the likeliest noise values in half until there are ``size``: the same law, relabelled.

    Raises:
        WorldError: the mechanism already has more.
    """
    have = len(mechanism.noise)
    if size < have:
        raise WorldError(f"pad_noise: cannot shrink {have} noise values to {size}")
    heap = [(-p, i, i) for i, p in enumerate(mechanism.noise.tolist())]
    heapq.heapify(heap)
    for extra in range(have, size):
        weight, place, row = heap[0]
        heapq.heapreplace(heap, (weight / 2, place, row))
        heapq.heappush(heap, (weight / 2, extra, row))
    heap.sort(key=lambda entry: entry[1])
    rows = [row for _, _, row in heap]
    noise = np.array([-weight for weight, _, _ in heap])
    return Mechanism(mechanism.parents, noise, mechanism.table[rows])


def shuffle_noise(mechanism: Mechanism, rng: np.random.Generator) -> Mechanism:
    """Put the noise values into a random order: the same law, relabelled."""
    order = permutation(rng, len(mechanism.noise))
    return Mechanism(mechanism.parents, mechanism.noise[order], mechanism.table[order])


def _quantile(
    cpt: NDArray[np.float64], parents: tuple[str, ...], flipped: NDArray[np.bool_]
) -> Mechanism:
    card = cpt.shape[-1]
    rows = cpt.reshape(-1, card)
    turned = flipped.reshape(-1)
    ahead = np.where(turned[:, None], rows[:, ::-1], rows)
    cuts = np.minimum(np.cumsum(ahead, axis=-1)[:, :-1], 1.0)
    cuts[np.abs(cuts - 1) < _MERGE] = 1.0
    levels = np.sort(cuts[(cuts > _MERGE) & (cuts < 1)])
    # Thresholds that differ by rounding alone would make noise values of probability 1e-17.
    fresh = np.empty(len(levels), dtype=bool)
    fresh[:1] = True
    np.greater(levels[1:] - levels[:-1], _MERGE, out=fresh[1:])
    edges = np.concatenate([[0.0], levels[fresh], [1.0]])
    if (len(edges) - 1) * len(rows) > MAX_CELLS:
        raise WorldError("coupling: the table would have over 1e7 cells; use fewer parents")
    # Noise value s covers [edges[s], edges[s + 1]); a row passes a cut from its level on.
    place = np.concatenate([[0], np.cumsum(fresh), [len(edges) - 1]])
    reached = place[np.searchsorted(levels, cuts) + 1]
    reached[cuts <= _MERGE] = 0
    passed = np.zeros((len(edges), len(rows)), dtype=np.int64)
    every = np.arange(len(rows))
    for column in reached.T:
        passed[column, every] += 1
    table = np.cumsum(passed, axis=0)[:-1]
    table = np.where(turned, card - 1 - table, table)
    return Mechanism(parents, np.diff(edges), table.reshape(-1, *cpt.shape[:-1]))


def _big(count: int) -> str:
    """Write a count that may be too large for a float."""
    return f"{count:.4g}" if count < 10**300 else f"about 1e{math.floor(math.log10(count))}"


def _read(coupling: Coupling) -> tuple[str, Mapping[str, Any]]:
    name: Any
    options: Any
    if isinstance(coupling, str):
        name, options = coupling, {}
    elif isinstance(coupling, Mapping) and len(coupling) == 1:
        name, options = next(iter(coupling.items()))
    else:
        raise WorldError(f"coupling: {coupling!r} is no coupling; name one of {', '.join(_NAMES)}")
    if name not in _NAMES:
        hint = suggest(str(name), _NAMES)
        raise WorldError(f"coupling: no '{name}'; there are {', '.join(_NAMES)}.{hint}")
    if name in _NAMES[:2] and options:
        raise WorldError(f"coupling: '{name}' takes no options; write it alone")
    if name in _NAMES[2:] and not isinstance(options, Mapping):
        raise WorldError(f"coupling: '{name}' needs options, e.g. {{'antitone': {{'in': 'x'}}}}")
    return str(name), options


def _fields(options: Mapping[str, Any], name: str, wanted: set[str]) -> None:
    if set(options) != wanted:
        given = ", ".join(sorted(map(str, options))) or "none"
        needed = ", ".join(sorted(wanted))
        raise WorldError(f"coupling: '{name}' needs the options {needed}; given: {given}")
