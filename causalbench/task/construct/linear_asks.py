"""Questions to linear-Gaussian worlds, of all candidates at once, and what lazy readers answer.

Variables have variance 1, so stated values and answers are in units of a standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.query.render import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.linear_net import LinearNet
    from causalbench.task.construct.net import Floats

__all__ = ["Acted", "Watched", "readers"]


@dataclass(frozen=True)
class Watched:
    """``E[y | given]``, or ``P(y > cut | given)``.

    Args:
        y: what is asked about.
        given: (variable, stated value) pairs.
        cut: the threshold, or None for the mean.
    """

    y: str
    given: tuple[tuple[str, float], ...]
    cut: float | None = None

    def values(self, net: LinearNet, means: Mapping[str, float]) -> Floats:
        """Return the answers, float64[candidate]."""
        names = [name for name, _ in self.given]
        weights = net.regression(self.y, names)
        shift = np.array([value - means[name] for name, value in self.given])
        mean: Floats = means[self.y] + (weights * shift).sum(axis=1)
        if self.cut is None:
            return mean
        whole = net.covariance([*names, self.y])
        left = whole[:, -1, -1] - (weights * whole[:, :-1, -1]).sum(axis=1)
        return _above(self.cut, mean, left)

    def text(self, names: Mapping[str, str]) -> str:
        """Return e.g. ``E[y | x=1.5]``."""
        facts = ", ".join(f"{quote(names[name])}={value:g}" for name, value in self.given)
        return _query(names[self.y], self.cut, facts)


@dataclass(frozen=True)
class Acted:
    """``E[y | do(...)]``, ``P(y > cut | do(...))``, or the difference of two such means.

    Args:
        y: what is asked about.
        forced: (variable, value that it is set to) pairs.
        cut: the threshold, or None for the mean.
        instead: what the first variable is set to in the mean that is subtracted, or None.
    """

    y: str
    forced: tuple[tuple[str, float], ...]
    cut: float | None = None
    instead: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that are set."""
        return tuple(name for name, _ in self.forced)

    def steps(self, means: Mapping[str, float]) -> Floats:
        """Return by how much each variable is moved, from its mean or from the other setting."""
        if self.instead is not None:
            moved = [0.0] * len(self.forced)
            moved[0] = self.forced[0][1] - self.instead
            return np.array(moved)
        return np.array([value - means[name] for name, value in self.forced])

    def values(self, net: LinearNet, means: Mapping[str, float]) -> Floats:
        """Return the answers, float64[candidate]."""
        moved: Floats = (net.slopes(self.y, self.names) * self.steps(means)).sum(axis=1)
        if self.instead is not None:
            return moved
        mean: Floats = means[self.y] + moved
        if self.cut is None:
            return mean
        return _above(self.cut, mean, net.spread(self.y, self.names))

    def text(self, names: Mapping[str, str]) -> str:
        """Return e.g. ``E[y | do(x=1)] - E[y | do(x=-1)]``."""
        first = self._facts(names, dict(self.forced))
        query = _query(names[self.y], self.cut, first)
        if self.instead is None:
            return query
        other = self._facts(names, {**dict(self.forced), self.names[0]: self.instead})
        return f"{query} - {_query(names[self.y], self.cut, other)}"

    def _facts(self, names: Mapping[str, str], forced: Mapping[str, float]) -> str:
        settings = ", ".join(f"{quote(names[name])}={value:g}" for name, value in forced.items())
        return f"do({settings})"


def readers(net: LinearNet, y: str, forced: Sequence[str], steps: Floats) -> Floats:
    """Return what readers of the seen law and the diagram take for the change of y's mean.

    Args:
        net: whose diagram is read.
        y: what is asked about.
        forced: the variables that are set.
        steps: by how much each is moved.

    Returns:
        float64[reader, candidate]: the regression of y on what is set; the same where an arrow is
        drawn, else 0; where x has as many edges as y, else 0; half of it where a hidden cause is
        drawn; adjusted for all that is not reached; 0 where a hidden cause is drawn, else adjusted;
        and through the first or the last variable between, where a hidden cause is drawn.
    """
    plain = net.regression(y, forced)
    arrows = np.array([float(name in net.parents[y]) for name in forced])
    hidden = any(_hidden(net, name) & _hidden(net, y) for name in forced)
    reached = {other for name in forced for other in net.descendants(name)}
    free = [name for name in net.visible if name not in reached and name != y]
    adjusted = (net.regression(y, [*forced, *free])[:, : len(forced)] * steps).sum(axis=1)
    watched = (plain * steps).sum(axis=1)
    nothing = np.zeros(len(net))
    through = [adjusted, adjusted]
    if hidden:
        through = [nothing, nothing]
        x = forced[0]
        middles = [m for m in net.visible if x in net.parents[m] and m in net.parents[y]]
        for place, middle in enumerate((middles[0], middles[-1]) if middles else ()):
            first, then = net.regression(middle, [x])[:, 0], net.regression(y, [middle])[:, 0]
            through[place] = steps[0] * first * then
    busier = _edges(net, forced[0]) >= _edges(net, y)
    return np.stack(
        [
            watched,
            (plain * arrows * steps).sum(axis=1),
            watched if busier else nothing,
            watched / 2 if hidden else watched,
            adjusted,
            nothing if hidden else adjusted,
            *through,
        ]
    )


def _hidden(net: LinearNet, name: str) -> set[str]:
    return {parent for parent in net.parents[name] if parent.startswith("u")}


def _edges(net: LinearNet, name: str) -> int:
    """Count the edges of a variable in the diagram of what is seen."""
    own = _hidden(net, name)
    joint = {
        other for other in net.visible if other != name and own.intersection(net.parents[other])
    }
    children = sum(name in net.parents[other] for other in net.visible)
    return len(net.parents[name]) - len(own) + children + len(joint)


def _above(cut: float, mean: Floats, variance: Floats) -> Floats:
    from scipy.special import ndtr

    result: Floats = ndtr((mean - cut) / np.sqrt(variance))
    return result


def _query(y: str, cut: float | None, facts: str) -> str:
    return f"E[{quote(y)} | {facts}]" if cut is None else f"P({quote(y)} > {cut:g} | {facts})"
