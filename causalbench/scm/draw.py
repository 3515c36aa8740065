"""Run a model forward: from noise to values, vectorised over units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalbench.errors import CouplingError, WorldError
from causalbench.rng import uniforms
from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.tables import TableMechanism, uncoupled_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.model import SCM

__all__ = ["MANY", "draw", "draw_noise", "solve"]

Array = NDArray[Any]
MANY = 2**17
"""Units from which compiled loops pay for being loaded; they give the same bits."""
_FEW = 24  # up to here counting thresholds is faster than bisection


def draw_noise(scm: SCM, n: int, rng: np.random.Generator) -> dict[str, Array]:
    """Draw the noise of ``n`` units: one word a variable and unit, variables in sorted order.

    Sorted order makes equal models draw equal units however they were written down.
    """
    _know(scm)
    return _noise(scm, n, rng)


def solve(scm: SCM, unit: Mapping[str, Any], do: Mapping[str, Any] | None) -> dict[str, Array]:
    """Compute every variable of the given units (see `SCM.solve`)."""
    _know(scm)
    return _solved(scm, unit, do)


def draw(
    scm: SCM,
    n: int,
    rng: np.random.Generator,
    do: Mapping[str, Any] | None,
    *,
    small: bool = False,
) -> dict[str, Array]:
    """Draw ``n`` fresh units (see `SCM.draw`); each is used once, so no coupling is needed.

    ``small`` allows codes of one byte; the values are the same.
    """
    if n >= MANY and not do:
        from causalbench.scm.rapid import rapid_draw

        found = rapid_draw(scm, n, rng, small=small)
        if found is not None:
            return found
    return _solved(scm, _noise(scm, n, rng), do)


def _know(scm: SCM) -> None:
    """Refuse to speak of a unit's noise where a table has no coupling."""
    if scm.uncoupled:
        told = uncoupled_text(scm.uncoupled, "what a unit does")
        raise CouplingError(f"{told}; draw and sample need none")


def _noise(scm: SCM, n: int, rng: np.random.Generator) -> dict[str, Array]:
    if n < 0:
        raise WorldError(f"cannot draw {n} units; ask for 0 or more")
    noise: dict[str, Array] = {}
    for name in sorted(scm.names):
        u = uniforms(rng, n)
        mechanism = scm.mechanisms[name]
        if isinstance(mechanism, TableMechanism):
            noise[name] = u
        elif isinstance(mechanism, AdditiveMechanism):
            noise[name] = mechanism.noise.quantile(_inside(u))
        else:
            noise[name] = _codes(mechanism, u) if isinstance(mechanism, Mechanism) else _normal(u)
    return {name: noise[name] for name in scm.names}


def _solved(scm: SCM, unit: Mapping[str, Any], do: Mapping[str, Any] | None) -> dict[str, Array]:
    try:
        return _solve(scm, unit, _forced(scm, do or {}))
    except ValueError as error:
        if isinstance(error, WorldError):
            raise
        raise WorldError(f"solve: the arrays do not fit together ({error}); match them") from error


def _solve(
    scm: SCM, unit: Mapping[str, Any], forced: Mapping[str, tuple[Array, Array | None]]
) -> dict[str, Array]:
    values: dict[str, Array] = {}
    for name in scm.order:
        wanted, mask = forced.get(name, (None, None))
        if wanted is not None and mask is None:
            values[name] = wanted
            continue
        if name not in unit:
            raise WorldError(f"solve: the unit lacks the noise of '{name}'; give every variable's")
        mechanism = scm.mechanisms[name]
        noise = np.asarray(unit[name])
        free: Array
        if isinstance(mechanism, Mechanism):
            free = _lookup(name, mechanism, noise, values)
        elif isinstance(mechanism, TableMechanism):
            free = _quantile(mechanism, noise, values)
        elif isinstance(mechanism, AdditiveMechanism):
            free = _additive(name, mechanism, noise, values)
        else:
            free = _linear(mechanism, noise, values)
        values[name] = free if wanted is None or mask is None else np.where(mask, wanted, free)
    ordered = {name: values[name] for name in scm.names}
    shape = np.broadcast_shapes(*(np.shape(value) for value in ordered.values()))
    return {
        name: value[()] if np.shape(value) == shape else np.broadcast_to(value, shape).copy()
        for name, value in ordered.items()
    }


def _codes(mechanism: Mechanism, u: NDArray[np.float64]) -> NDArray[np.int64]:
    cuts = mechanism.thresholds
    if len(cuts) > _FEW:
        return np.searchsorted(cuts, u, side="right").astype(np.int64)
    codes = np.zeros(len(u), dtype=np.int8)
    for cut in cuts:
        codes += u >= cut
    return codes.astype(np.int64)


def _normal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtri

    result: NDArray[np.float64] = ndtri(_inside(u))
    return result


def _inside(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return u in (0, 1): a multiple of 2**-53 may be 0, and the middle of its cell is not."""
    return np.minimum(u + 2.0**-54, 1 - 2.0**-53)


def _lookup(
    name: str, mechanism: Mechanism, noise: Array, values: Mapping[str, Array]
) -> NDArray[np.int64]:
    size = len(mechanism.noise)
    if noise.dtype.kind not in "iu":
        raise WorldError(f"solve: the noise of '{name}' must be whole numbers, its noise codes")
    if noise.size and (noise.min() < 0 or noise.max() >= size):
        raise WorldError(f"solve: the noise of '{name}' is out of range; take 0 to {size - 1}")
    index: Array = noise
    for parent, card in zip(mechanism.parents, mechanism.shape, strict=True):
        index = index * card + values[parent]
    result: NDArray[np.int64] = mechanism.table.ravel().take(index)
    return result


def _quantile(
    mechanism: TableMechanism, u: Array, values: Mapping[str, Array]
) -> NDArray[np.int64]:
    """Return the value at which the row's cumulative probability passes u."""
    row: Array = np.zeros((), dtype=np.int64)
    for parent, card in zip(mechanism.parents, mechanism.shape, strict=True):
        row = row * card + values[parent]
    codes = np.zeros(np.broadcast_shapes(u.shape, row.shape), dtype=np.int64)
    for cut in mechanism.thresholds.T:
        codes += u >= cut[row]
    return codes


def _linear(
    mechanism: LinearMechanism, noise: Array, values: Mapping[str, Array]
) -> NDArray[np.float64]:
    total: Array = mechanism.intercept + mechanism.std * noise.astype(np.float64)
    for parent, weight in zip(mechanism.parents, mechanism.weights, strict=True):
        total = total + weight * values[parent]
    return np.asarray(total)


def _additive(
    name: str, mechanism: AdditiveMechanism, noise: Array, values: Mapping[str, Array]
) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        total = mechanism.mean(name, values) + noise.astype(np.float64)
    if not np.isfinite(total).all():
        raise WorldError(f"solve: '{name}' is not finite for this noise; give finite numbers")
    return np.asarray(total)


def _forced(scm: SCM, do: Mapping[str, Any]) -> dict[str, tuple[Array, Array | None]]:
    """Return, for each forced variable, its value and where it is forced (None: everywhere)."""
    result: dict[str, tuple[Array, Array | None]] = {}
    for name, given in do.items():
        variable = scm.variable(name)
        if variable.is_real:
            wanted = np.array(given, dtype=np.float64)
            mask = ~np.isnan(wanted)
        elif isinstance(given, str):
            wanted, mask = np.asarray(variable.code(given)), np.asarray(True)  # noqa: FBT003
        else:
            wanted = np.asarray(given)
            if wanted.dtype.kind not in "iu":
                raise WorldError(f"do: '{name}' takes a label or codes, not {given!r}")
            if wanted.size and (wanted.min() < -1 or wanted.max() >= variable.cardinality):
                last = variable.cardinality - 1
                raise WorldError(f"do: codes of '{name}' go from 0 to {last} (-1: left alone)")
            wanted = wanted.astype(np.int64)
            mask = wanted >= 0
        result[name] = (wanted, None if mask.all() else mask)
    return result
