"""Ways in which one unit's noise settles a variable's value at every setting of its inputs.

Rows of any kind below a replay leave this open, so it is an assumption: Gumbel-max (the default:
argmax of log p + noise, one noise a value) or a coupling that the dossier names.
Each way can draw noise, draw it given that a value was seen (abduction, in closed form), and settle
a value.

Reference: M. Oberst, D. Sontag (2019), Counterfactual off-policy evaluation with Gumbel-max SCMs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = ["Antitone", "Coupling", "Gumbel", "Independent", "Mixture", "Monotone", "from_told"]

Array = np.ndarray
_TINY = 1e-12


class Coupling(Protocol):
    """How noise settles a value. p is [..., card], setting an int array [...], both per unit."""

    def draw(self, shape: tuple[int, ...], card: int, rng: np.random.Generator) -> Any:
        """Draw noise for units of that shape."""
        ...

    def abduct(self, p: Array, setting: Array, value: int, rng: np.random.Generator) -> Any:
        """Draw noise given that the value was seen at that setting."""
        ...

    def settle(self, noise: Any, p: Array, setting: Array) -> Array:
        """Return the value at that setting."""
        ...


@dataclass(frozen=True, slots=True)
class Gumbel:
    """argmax over values of log p + Gumbel noise."""

    def draw(self, shape: tuple[int, ...], card: int, rng: np.random.Generator) -> Array:
        """Draw one Gumbel a value."""
        return rng.gumbel(size=(*shape, card))

    def abduct(self, p: Array, setting: Array, value: int, rng: np.random.Generator) -> Array:
        """Draw by the top-down construction: the maximum first, the others cut off below it."""
        del setting
        log_p = np.log(np.maximum(p, _TINY))
        top = rng.gumbel(size=p.shape[:-1])[..., None]
        below = log_p + rng.gumbel(size=p.shape)
        cut = -np.logaddexp(-top, -below)
        cut[..., value] = top[..., 0]
        result: np.ndarray = cut - log_p
        return result

    def settle(self, noise: Array, p: Array, setting: Array) -> Array:
        """Return the argmax."""
        del setting
        result: np.ndarray = np.argmax(np.log(np.maximum(p, _TINY)) + noise, axis=-1)
        return result


@dataclass(frozen=True, slots=True)
class Monotone:
    """The quantile of one uniform, the same at every setting."""

    def draw(self, shape: tuple[int, ...], card: int, rng: np.random.Generator) -> Array:
        """Draw a uniform a unit."""
        del card
        return rng.random(shape)

    def abduct(self, p: Array, setting: Array, value: int, rng: np.random.Generator) -> Array:
        """Draw a uniform within the value's stretch."""
        del setting
        low = p[..., :value].sum(-1)
        result: np.ndarray = low + rng.random(low.shape) * p[..., value]
        return result

    def settle(self, noise: Array, p: Array, setting: Array) -> Array:
        """Return the quantile."""
        del setting
        result: np.ndarray = (noise[..., None] >= np.cumsum(p, axis=-1)[..., :-1]).sum(-1)
        return result


@dataclass(frozen=True, slots=True)
class Antitone:
    """The quantile of a uniform that is turned round at some settings.

    Args:
        turned: bool per setting.
    """

    turned: tuple[bool, ...]

    def draw(self, shape: tuple[int, ...], card: int, rng: np.random.Generator) -> Array:
        """Draw a uniform a unit."""
        return Monotone().draw(shape, card, rng)

    def abduct(self, p: Array, setting: Array, value: int, rng: np.random.Generator) -> Array:
        """Draw a uniform that gives the value there."""
        return self._turn(Monotone().abduct(p, setting, value, rng), setting)

    def settle(self, noise: Array, p: Array, setting: Array) -> Array:
        """Return the quantile of the uniform, turned round where it must be."""
        return Monotone().settle(self._turn(noise, setting), p, setting)

    def _turn(self, noise: Array, setting: Array) -> Array:
        return np.where(np.asarray(self.turned)[setting], 1.0 - noise, noise)


@dataclass(frozen=True, slots=True)
class Independent:
    """A uniform of its own at every setting.

    Args:
        settings: how many settings there are.
    """

    settings: int

    def draw(self, shape: tuple[int, ...], card: int, rng: np.random.Generator) -> Array:
        """Draw a uniform a unit and setting."""
        del card
        return rng.random((*shape, self.settings))

    def abduct(self, p: Array, setting: Array, value: int, rng: np.random.Generator) -> Array:
        """Draw the setting's uniform within the value's stretch, the others freely."""
        noise = self.draw(setting.shape, p.shape[-1], rng)
        there = Monotone().abduct(p, setting, value, rng)
        np.put_along_axis(noise, setting[..., None], there[..., None], axis=-1)
        return noise

    def settle(self, noise: Array, p: Array, setting: Array) -> Array:
        """Return the quantile of the setting's uniform."""
        own = np.take_along_axis(noise, setting[..., None], axis=-1)[..., 0]
        return Monotone().settle(own, p, setting)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A coin a unit that says which coupling acts; every part has the same table.

    Args:
        parts: the couplings.
        weights: their probabilities.
    """

    parts: tuple[Coupling, ...]
    weights: tuple[float, ...]

    def draw(self, shape: tuple[int, ...], card: int, rng: np.random.Generator) -> Any:
        """Draw the coin, and noise for every part."""
        return self._coin(shape, rng), [part.draw(shape, card, rng) for part in self.parts]

    def abduct(self, p: Array, setting: Array, value: int, rng: np.random.Generator) -> Any:
        """Draw the coin freely (no part makes the value likelier), then each part's noise."""
        coin = self._coin(setting.shape, rng)
        return coin, [part.abduct(p, setting, value, rng) for part in self.parts]

    def settle(self, noise: Any, p: Array, setting: Array) -> Array:
        """Return the value of the part that the coin names."""
        coin, each = noise
        values = [part.settle(own, p, setting) for part, own in zip(self.parts, each, strict=True)]
        result: np.ndarray = np.choose(coin, values)
        return result

    def _coin(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        edges = np.cumsum(self.weights)[:-1]
        return np.searchsorted(edges, rng.random(shape), side="right")


def from_told(
    spec: str | Mapping[str, Any] | None, inputs: Sequence[str], cards: Sequence[int]
) -> Coupling:
    """Return the coupling that a dossier names; Gumbel-max where it names none.

    Args:
        spec: as `causalbench.scm.couplings.couple` takes it, or None.
        inputs: what the variable reads, in the order of its settings.
        cards: how many values each has.
    """
    if spec == "monotone":
        return Monotone()
    if spec == "independent":
        return Independent(int(np.prod(cards, dtype=np.int64)))
    if isinstance(spec, Mapping) and "mixture" in spec:
        parts = tuple(from_told(part, inputs, cards) for part in spec["mixture"]["of"])
        return Mixture(parts, tuple(spec["mixture"]["weights"]))
    if isinstance(spec, Mapping) and spec.get("antitone", {}).get("in") in inputs:
        turn = list(inputs).index(spec["antitone"]["in"])
        return Antitone(tuple(setting[turn] % 2 == 1 for setting in np.ndindex(*cards)))
    return Gumbel()
