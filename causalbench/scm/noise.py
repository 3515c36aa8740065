"""Laws of the noise of a real variable: density, mass, quantiles, all exact to rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalbench.errors import WorldError, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LAWS", "Noise"]

Array = NDArray[Any]
LAWS: dict[str, tuple[str, ...]] = {  # law -> its parameters, in order
    "none": (),
    "normal": ("std",),
    "uniform": ("low", "high"),
    "laplace": ("scale",),
    "logistic": ("scale",),
    "student_t": ("df", "scale"),
}


@dataclass(frozen=True)
class Noise:
    """A law of noise; all but ``uniform`` have mean 0 and are symmetric.

    Args:
        law: ``none`` (always 0), ``normal`` (std), ``uniform`` (low, high), ``laplace`` (scale),
            ``logistic`` (scale) or ``student_t`` (df over 2, scale).
        parameters: in that order.

    Raises:
        WorldError: an unknown law, or parameters that make no law.
    """

    law: str = "none"
    parameters: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            hint = suggest(str(self.law), LAWS)
            raise WorldError(f"noise: there is no law '{self.law}'; take {', '.join(LAWS)}.{hint}")
        wanted = LAWS[self.law]
        values = tuple(float(value) + 0.0 for value in self.parameters)
        object.__setattr__(self, "parameters", values)
        if len(values) != len(wanted):
            needs = ", ".join(wanted) or "nothing"
            raise WorldError(f"noise: '{self.law}' takes {needs}, not {len(values)} numbers")
        for name, value in zip(wanted, values, strict=True):
            if not math.isfinite(value):
                raise WorldError(f"noise: {name} is {value}; give a finite number")
        if self.law == "uniform":
            low, high = values
            if not low < high or not math.isfinite(high - low):
                raise WorldError(f"noise: uniform from {low:g} to {high:g} is empty; low < high")
        elif self.law != "none" and not values[-1] > 0:
            why = f"noise: {wanted[-1]} is {values[-1]:g}; give more than 0"
            raise WorldError(f"{why}, or leave the noise out")
        if self.law == "student_t" and not values[0] > 2:  # noqa: PLR2004
            raise WorldError(f"noise: df is {values[0]:g}; over 2 is needed for a variance")

    @classmethod
    def read(cls, form: Mapping[str, Any]) -> Noise:
        """Read a law and its numbers: ``{"normal": 1}``, ``{"student_t": [4, 0.5]}``.

        One number for ``uniform`` is its half-width.

        Raises:
            WorldError: it is no such form.
        """
        if len(form) != 1:
            raise WorldError(f"noise: {len(form)} laws are given; give one, e.g. {{normal: 1}}")
        ((law, given),) = form.items()
        values = given if isinstance(given, list | tuple) else [given]
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise WorldError(f"noise: {value!r} stands where a number should")
        if law == "uniform" and not isinstance(given, list | tuple):
            values = [-given, given]
        return cls(str(law), tuple(values))

    def to_dict(self) -> dict[str, Any]:
        """Return the form that `read` reads: one number, or a list of two."""
        one = len(self.parameters) == 1
        return {self.law: self.parameters[0] if one else list(self.parameters)}

    @property
    def mean(self) -> float:
        """The mean."""
        return sum(self.parameters) / 2 if self.law == "uniform" else 0.0

    @property
    def _place(self) -> tuple[float, float]:
        """Location and scale: the noise is location + scale times the standard law."""
        if self.law == "uniform":
            return self.parameters[0], self.parameters[1] - self.parameters[0]
        return 0.0, self.parameters[-1] if self.parameters else 0.0

    def quantile(self, u: Any) -> Array:
        """Return the noise at probabilities in (0, 1)."""
        u = np.asarray(u, dtype=np.float64)
        if self.law == "none":
            return np.zeros(u.shape)
        location, scale = self._place
        return np.asarray(location + scale * self._standard("quantile")(u))

    def density(self, noise: Any) -> Array:
        """Return the logarithm of the density, -inf outside the support."""
        location, scale = self._place
        with np.errstate(over="ignore"):  # a number beyond floats lies where the density is 0
            standard = (np.asarray(noise) - location) / scale
            return np.asarray(self._standard("density")(standard) - math.log(scale))

    def mass(self, low: Any, high: Any) -> Array:
        """Return P(low < noise < high), accurate in both tails."""
        low, high, _ = self._lower(low, high)
        cdf = self._standard("cdf")
        return np.asarray(np.maximum(cdf(high) - cdf(low), 0.0))

    def between(self, u: Any, low: Any, high: Any) -> Array:
        """Return the quantile of the noise given that it lies between two bounds.

        Where the bounds hold no mass the answer is some finite number.
        """
        location, scale = self._place
        low, high, turned = self._lower(low, high)
        cdf = self._standard("cdf")
        start, stop = cdf(low), cdf(high)
        level = np.clip(start + np.where(turned, 1.0 - u, u) * (stop - start), 1e-300, 1 - 2.0**-53)
        inside = np.clip(self._standard("quantile")(level), low, np.maximum(low, high))
        inside = np.where(np.isfinite(inside), inside, 0.0)
        return np.asarray(location + scale * np.where(turned, -inside, inside))

    def _lower(self, low: Any, high: Any) -> tuple[Array, Array, Array]:
        """Return bounds on the standard law, turned round where they lie in the upper half.

        Far in the upper tail a distribution function is 1 to rounding; mirrored it is exact.
        """
        location, scale = self._place
        with np.errstate(over="ignore"):  # far out is as good as infinite
            low = (np.asarray(low, dtype=np.float64) - location) / scale
            high = (np.asarray(high, dtype=np.float64) - location) / scale
        turned = low > 0 if self.law != "uniform" else np.zeros(np.shape(low), dtype=bool)
        return np.where(turned, -high, low), np.where(turned, -low, high), turned

    def _standard(self, part: str) -> Callable[[Any], Any]:
        index = ("quantile", "cdf", "density").index(part)
        if self.law == "student_t":
            return _student(self.parameters[0])[index]
        return _standards()[self.law][index]


def _standards() -> dict[str, tuple[Callable[[Any], Any], ...]]:
    """Return quantile, distribution function and log density of the standard laws."""
    from scipy.special import expit, logit, ndtr, ndtri

    half_log_tau = 0.5 * math.log(2 * math.pi)

    def laplace(u: Any) -> Any:
        tail = np.minimum(u, 1.0 - u)
        return np.where(u < 0.5, 1.0, -1.0) * np.log(2.0 * tail)  # noqa: PLR2004

    def laplace_cdf(x: Any) -> Any:
        tail = 0.5 * np.exp(-np.abs(x))
        return np.where(x < 0, tail, 1.0 - tail)

    return {
        "normal": (ndtri, ndtr, lambda x: -0.5 * x * x - half_log_tau),
        "uniform": (
            lambda u: u,
            lambda x: np.clip(x, 0.0, 1.0),
            lambda x: np.where((x >= 0) & (x <= 1), 0.0, -np.inf),
        ),
        "laplace": (laplace, laplace_cdf, lambda x: -np.abs(x) - math.log(2.0)),
        "logistic": (
            logit,
            expit,
            lambda x: -np.abs(x) - 2.0 * np.log1p(np.exp(-np.abs(x))),
        ),
    }


def _student(df: float) -> tuple[Callable[[Any], Any], ...]:
    from scipy.special import betaln, stdtr, stdtrit

    constant = -float(betaln(0.5, df / 2)) - 0.5 * math.log(df)  # keeps its digits at any df
    return (
        lambda u: stdtrit(df, u),
        lambda x: stdtr(df, x),
        lambda x: constant - (df + 1) / 2 * np.log1p(x * x / df),
    )
