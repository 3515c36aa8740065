"""Rung 1: keep every variable's own law, and bend how a sink depends on its parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TwinError

if TYPE_CHECKING:
    from causalbench.task.construct.net import Floats, Net

__all__ = ["dependence"]

_LEAST = 0.01  # no probability of a bent table falls below this share of its former size


def dependence(
    net: Net, y: str, *, rng: np.random.Generator, blend: float = 0.0, common: bool = False
) -> tuple[Net, Net]:
    """Return two nets whose tables of the sink y are ``base + delta`` and ``base - delta``.

    ``sum over pa of P(pa) delta(pa) = 0`` for every value of y, so all one-variable laws agree; y
    has no children, so nothing else changes. The two are mirror images: neither is the original.

    Args:
        net: the base.
        y: a variable with at least one parent and no children.
        rng: draws delta.
        blend: how far ``base`` is first moved from y's table to its own law, in [0, 1]; every
            one-variable law stays the same whatever the blend.
        common: bend only between y's two most common values, where rare ones leave no room.

    Raises:
        TwinError: y is no sink, or has no parents.
    """
    if net.children(y) or not net.parents[y]:
        msg = f"{y} has children or no parents; bend the dependence of a sink that has a cause."
        raise TwinError(msg)
    cpt = net.cpts[y]
    weight = net.law(net.parents[y]).reshape(-1, 1)
    rows = cpt.reshape(-1, cpt.shape[-1])
    own = _sum(weight * rows)
    base = (1.0 - blend) * rows + blend * own
    delta = draws.uniforms(rng, base.shape) - 0.5
    delta = np.sign(delta) * (0.25 + np.abs(delta))
    if common:
        first, second = np.argsort(-own, kind="stable")[:2]
        paired = np.zeros_like(delta)
        paired[:, first], paired[:, second] = delta[:, first], -delta[:, first]
        delta = paired
    delta = delta - (_sum(delta.T) / base.shape[1])[:, None]
    delta = delta - _sum(weight * delta)
    # A row's room: how far it can go both ways without leaving [0, 1]. Small rows set the scale.
    room = np.minimum(base, 1.0 - base) * (1.0 - _LEAST)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(np.abs(delta) > 0.0, room / np.abs(delta), np.inf).min()
    delta = delta * scale
    sides = [(base + sign * delta).reshape(cpt.shape) for sign in (1.0, -1.0)]
    return net.replace({y: sides[0]}), net.replace({y: sides[1]})


def _sum(rows: Floats) -> Floats:
    """Add the rows one after another: the same bytes on every machine."""
    total = np.zeros(rows.shape[1:])
    for row in rows:
        total = total + row
    return total
