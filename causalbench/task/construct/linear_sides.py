"""Rung 2 in linear worlds: the same joint law of what is seen, from other causes.

Closed forms: nothing is estimated and no matrix inverted, so both sides share their law to
rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.construct.linear_net import LinearNet
    from causalbench.task.construct.net import Floats

__all__ = ["HIDDEN", "confounded", "covered_edges", "seen_edges", "turned"]

HIDDEN = "uh"  # the role of the cause that `confounded` adds


def seen_edges(net: LinearNet) -> Iterator[tuple[str, str]]:
    """Yield the (cause, effect) pairs among visible variables."""
    for effect in net.visible:
        for cause in net.parents[effect]:
            if not cause.startswith("u"):
                yield cause, effect


def covered_edges(net: LinearNet) -> Iterator[tuple[str, str]]:
    """Yield the edges whose effect has the causes of the cause, hidden ones too, and no others."""
    for cause, effect in seen_edges(net):
        if {*net.parents[cause], cause} == {*net.parents[effect]}:
            yield cause, effect


def turned(net: LinearNet, tail: str, head: str) -> LinearNet:
    """Turn a covered edge round; no joint law of all variables changes.

    With tail = a'p + s n and head = b'p + c tail + t m, head alone is (b + c a)'p plus noise of
    variance v = c^2 s^2 + t^2, and tail given head is a'p + (c s^2 / v) (head - (b + c a)'p) plus
    noise of variance s^2 t^2 / v.

    Reference:
        Chickering (1995), A transformational characterization of equivalent Bayesian network
        structures.
    """
    above = net.parents[tail]
    first = net.weights[tail]
    places = [net.parents[head].index(parent) for parent in above]
    own = net.weights[head][:, net.parents[head].index(tail)]
    second = net.weights[head][:, places] + own[:, None] * first
    s2, t2 = net.std[tail] ** 2, net.std[head] ** 2
    whole = own**2 * s2 + t2
    back = own * s2 / whole
    return net.replace(
        {head: above, tail: (*above, head)},
        {
            head: second,
            tail: np.concatenate([first - back[:, None] * second, back[:, None]], axis=1),
        },
        {head: np.sqrt(whole), tail: np.sqrt(s2 * t2 / whole)},
    )


def confounded(rng: np.random.Generator, net: LinearNet, x: str, y: str) -> LinearNet:
    """Turn x -> y into a hidden cause of both; the joint law of what is seen stays.

    y reads what x would be by itself in place of x: x's causes become y's. What x's own noise gave
    to both, of covariance b s^2, now comes from a new hidden cause; it takes as much of either's
    noise as a draw says, within what each has.
    """
    above = net.parents[x]
    place = net.parents[y].index(x)
    slope = net.weights[y][:, place]
    s, t = net.std[x], net.std[y]
    whole = slope**2 * s**2 + t**2
    least = np.abs(slope) * s / np.sqrt(whole)
    share = least + (1.0 - least) * (0.2 + 0.6 * draws.uniforms(rng, len(net)))
    to_x, to_y = share * s, slope * s / share
    rest = {parent: net.weights[y][:, i] for i, parent in enumerate(net.parents[y]) if i != place}
    for i, parent in enumerate(above):
        rest[parent] = rest.get(parent, np.zeros(len(net))) + slope * net.weights[x][:, i]
    return net.replace(
        {HIDDEN: (), x: (*above, HIDDEN), y: (*rest, HIDDEN)},
        {
            HIDDEN: np.zeros((len(net), 0)),
            x: np.concatenate([net.weights[x], to_x[:, None]], axis=1),
            y: _stacked([*rest.values(), to_y]),
        },
        {
            HIDDEN: np.ones(len(net)),
            x: np.sqrt(s**2 - to_x**2),
            y: np.sqrt(whole - to_y**2),
        },
    )


def _stacked(columns: list[Floats]) -> Floats:
    return np.stack(columns, axis=1)
