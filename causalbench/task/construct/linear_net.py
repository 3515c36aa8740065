"""Many linear-Gaussian worlds of one shape at once: weights, and what follows from them.

Every variable has variance 1 when nothing is set. Its value is a sum over noise: one number for
each variable's own standard normal noise, one more for each variable that is set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.task.construct.walk import depth_first

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from causalbench.task.construct.net import Floats

__all__ = ["LinearNet", "draw_linear", "mixed_weights"]

_SHARE = (0.25, 0.9)  # how much of a variable's variance its causes explain
_LEAST = 0.35  # the least of a weight, in units of the largest that may be drawn


@dataclass(frozen=True, eq=False)
class LinearNet:
    """Linear worlds of one shape, one a candidate.

    Args:
        parents: variable -> its parents, parents first.
        weights: variable -> float64[candidate, parents].
        std: variable -> float64[candidate], of its own noise.
    """

    parents: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, Floats]
    std: Mapping[str, Floats]
    _known: dict[tuple[str, ...], dict[str, Floats]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Count the candidates."""
        return len(next(iter(self.std.values())))

    @property
    def visible(self) -> tuple[str, ...]:
        """The variables that are shown; the roles of hidden ones begin with ``u``."""
        return tuple(name for name in self.parents if not name.startswith("u"))

    def descendants(self, name: str) -> set[str]:
        """Return the name and all that it reaches."""
        found = {name}
        for other in self.order():
            if found.intersection(self.parents[other]):
                found.add(other)
        return found

    def order(self) -> tuple[str, ...]:
        """Return the variables, parents first."""
        return depth_first(self.parents, self.parents)

    def forms(self, forced: Sequence[str] = ()) -> dict[str, Floats]:
        """Return every variable as a sum, float64[candidate, variables + forced].

        Args:
            forced: variables that are set; theirs are the last columns, in this order.
        """
        key = tuple(forced)
        if key not in self._known:
            columns = {name: place for place, name in enumerate(self.parents)}
            found: dict[str, Floats] = {}
            for name in self.order():
                row = np.zeros((len(self), len(columns) + len(key)))
                if name in key:
                    row[:, len(columns) + key.index(name)] = 1.0
                else:
                    row[:, columns[name]] = self.std[name]
                    for place, parent in enumerate(self.parents[name]):
                        row = row + self.weights[name][:, place, None] * found[parent]
                found[name] = row
            self._known[key] = found
        return self._known[key]

    def slopes(self, y: str, forced: Sequence[str]) -> Floats:
        """Return how much y moves with each variable that is set, float64[candidate, forced]."""
        return self.forms(forced)[y][:, len(self.parents) :]

    def spread(self, y: str, forced: Sequence[str]) -> Floats:
        """Return the variance of y while others are set, float64[candidate]."""
        row = self.forms(forced)[y][:, : len(self.parents)]
        result: Floats = (row * row).sum(axis=1)
        return result

    def covariance(self, names: Sequence[str]) -> Floats:
        """Return the covariance with nothing set, float64[candidate, names, names]."""
        rows = np.stack([self.forms()[name] for name in names], axis=1)
        result: Floats = (rows[:, :, None, :] * rows[:, None, :, :]).sum(axis=-1)
        return result

    def regression(self, y: str, given: Sequence[str]) -> Floats:
        """Return the weights of the regression of y on others, float64[candidate, given]."""
        if not given:
            return np.zeros((len(self), 0))
        whole = self.covariance([*given, y])
        solved = np.linalg.solve(whole[:, :-1, :-1], whole[:, :-1, -1:])[..., 0]
        return np.asarray(solved, dtype=np.float64)

    def replace(
        self,
        parents: Mapping[str, tuple[str, ...]],
        weights: Mapping[str, Floats],
        std: Mapping[str, Floats],
    ) -> LinearNet:
        """Return worlds with some mechanisms changed, or variables added."""
        return LinearNet(
            {**self.parents, **parents}, {**self.weights, **weights}, {**self.std, **std}
        )

    def world(self, place: int, names: Mapping[str, str], means: Mapping[str, float]) -> SCM:
        """Return one candidate as a world.

        Args:
            place: which.
            names: role -> name, in the order of declaration.
            means: role -> mean; 0 where it is not said.
        """
        variables, mechanisms = {}, {}
        for role, name in names.items():
            if role not in self.parents:
                continue
            weights = self.weights[role][place]
            level = means.get(role, 0.0)
            for parent, weight in zip(self.parents[role], weights.tolist(), strict=True):
                level -= weight * means.get(parent, 0.0)
            above = tuple(names[parent] for parent in self.parents[role])
            variables[name] = Variable(name, None, hidden=role.startswith("u"))
            mechanisms[name] = LinearMechanism(above, weights, level, float(self.std[role][place]))
        return SCM(variables, mechanisms)


def draw_linear(
    rng: np.random.Generator, shape: Mapping[str, Sequence[str]], count: int
) -> LinearNet:
    """Draw weights for a shape, many times over, so that every variable has variance 1.

    Args:
        rng: draws everything.
        shape: variable -> parents, parents first; names that start with ``u`` are hidden.
        count: of candidates.
    """
    net = LinearNet({}, {}, {})
    for name, above in shape.items():
        weights, std = mixed_weights(rng, net, tuple(above), count)
        net = net.replace({name: tuple(above)}, {name: weights}, {name: std})
    return net


def mixed_weights(
    rng: np.random.Generator, net: LinearNet, above: Collection[str], count: int
) -> tuple[Floats, Floats]:
    """Draw weights of either sign and noise for a variable of variance 1 with these parents.

    Returns:
        float64[count, parents] and float64[count].
    """
    if not above:
        return np.zeros((count, 0)), np.ones(count)
    raw = draws.uniforms(rng, (count, len(above))) * 2.0 - 1.0
    raw = np.sign(raw) * (_LEAST + (1.0 - _LEAST) * np.abs(raw))
    rows = np.stack([net.forms()[parent] for parent in above], axis=1)
    total = (raw[:, :, None] * rows).sum(axis=1)
    low, high = _SHARE
    share = low + (high - low) * draws.uniforms(rng, count)
    scale = np.sqrt(share / (total * total).sum(axis=1))
    return raw * scale[:, None], np.sqrt(1.0 - share)
