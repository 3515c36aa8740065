"""Probabilities of boxes under linear forms of independent standard normal noise.

A box says that each form r . z lies between two bounds. Forms that the noise does not move are
settled at once, forms along one line are merged, and groups of forms that are independent are
multiplied. One form left over is closed form; two are one smooth integral, with its error; three
and more take a fixed lattice rule, so that the same box always gives the same number.

Reference: Genz (1992), Numerical computation of multivariate normal probabilities.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["box_mean", "box_probability", "interval"]

Form = tuple["NDArray[np.float64]", float, float]  # coefficients, lower bound, upper bound

_ALONG = 1e-11  # unit forms that differ by less are one form; that moves no answer by more
_SINGULAR = 1e-14  # a share of variance that is round-off
_TAIL = 38.5  # beyond this a standard normal has no mass that a float can hold
_POINTS = 2**15
_SHIFTS = 12
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)


def interval(low: float, high: float) -> float:
    """Return P(low < Z < high) for a standard normal Z, accurate in both tails."""
    if not low < high:
        return 0.0
    if low > 0:
        low, high = -high, -low
    return 0.5 * (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2)))


def box_probability(forms: Sequence[Form]) -> tuple[float, float]:
    """Return the probability that every form lies within its bounds, and the error.

    Args:
        forms: (coefficients, lower bound, upper bound); bounds may be infinite.
    """
    lines = _lines(forms)
    if lines is None:
        return 0.0, 0.0
    total, doubt = 1.0, 0.0
    for group in _groups(lines):
        part, error = _group(group)
        doubt = doubt * part + total * error
        total *= part
    return total, doubt


def box_mean(row: NDArray[np.float64], forms: Sequence[Form]) -> tuple[float, float]:
    """Return E[row . z | every form within its bounds] and the error; the box must have mass.

    Stein's identity: the mean is the sum over the faces of the box of the covariance with the
    face's form times the density there.

    Reference: Tallis (1961), The moment generating function of the truncated multi-normal.
    """
    lines = _lines(forms) or []
    whole, doubt = box_probability(lines)
    total = error = 0.0
    for number, (unit, low, high) in enumerate(lines):
        others = lines[:number] + lines[number + 1 :]
        slope = float(row @ unit)
        for bound, sign in ((low, 1.0), (high, -1.0)):
            if math.isinf(bound) or slope == 0.0:
                continue
            density = math.exp(-0.5 * bound * bound) / math.sqrt(2 * math.pi)
            face = [_on_face(other, unit, bound) for other in others]
            part, wobble = box_probability(face)
            total += sign * slope * density * part
            error += abs(slope) * density * wobble
    return total / whole, (error + abs(total) * doubt / whole) / whole


def _on_face(form: Form, unit: NDArray[np.float64], bound: float) -> Form:
    """Return a form given that unit . z is at a bound."""
    row, low, high = form
    slope = float(row @ unit)
    rest = row - slope * unit
    if float(np.linalg.norm(rest)) < _ALONG * float(np.linalg.norm(row)):
        rest = np.zeros_like(row)
    return rest, low - slope * bound, high - slope * bound


def _lines(forms: Sequence[Form]) -> list[Form] | None:
    """Scale forms to unit length, settle constants, merge parallels; None if nothing is left."""
    lines: list[Form] = []
    for row, below, above in forms:
        size = float(np.linalg.norm(row))
        if size == 0.0:
            if not below <= 0.0 <= above:
                return None
            continue
        unit, low, high = row / size, below / size, above / size
        for number, (other, low2, high2) in enumerate(lines):
            cosine = float(unit @ other)
            if float(np.linalg.norm(unit - cosine * other)) < _ALONG:
                if cosine < 0:
                    low, high = -high, -low
                lines[number] = (other, max(low, low2), min(high, high2))
                break
        else:
            lines.append((unit, low, high))
    if any(not low < high for _, low, high in lines):
        return None
    return [line for line in lines if not (math.isinf(line[1]) and math.isinf(line[2]))]


def _groups(lines: list[Form]) -> list[list[Form]]:
    """Split lines into groups that are independent of each other."""
    left, groups = list(lines), []
    while left:
        group, frontier = [], [left.pop(0)]
        while frontier:
            line = frontier.pop()
            group.append(line)
            linked = [other for other in left if abs(float(other[0] @ line[0])) > _ALONG]
            frontier += linked
            left = [other for other in left if not any(other is link for link in linked)]
        groups.append(group)
    return groups


def _group(lines: list[Form]) -> tuple[float, float]:
    if len(lines) == 1:
        return interval(*lines[0][1:]), 0.0
    if len(lines) == 2:  # noqa: PLR2004
        return _pair(lines)
    return _lattice(lines)


def _pair(lines: list[Form]) -> tuple[float, float]:
    """Integrate the conditional probability of one line over the other."""
    from scipy.integrate import quad

    (first, low, high), (second, low2, high2) = lines
    slope = float(first @ second)
    spread = float(np.linalg.norm(second - slope * first))

    def density(x: float) -> float:
        inside = interval((low2 - slope * x) / spread, (high2 - slope * x) / spread)
        return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) * inside

    left, right = max(low, -_TAIL), min(high, _TAIL)
    if not left < right:
        return 0.0, 0.0
    marks = [-8.0, -3.0, 0.0, 3.0, 8.0]
    marks += [b / slope for b in (low2, high2) if not math.isinf(b)]
    edges = [left, *sorted(m for m in marks if left < m < right), right]
    total = error = 0.0
    for start, stop in pairwise(edges):
        part, doubt = quad(density, start, stop, epsabs=1e-14, epsrel=1e-12, limit=200)
        total += part
        error += doubt
    return min(1.0, total), error


def _lattice(lines: list[Form]) -> tuple[float, float]:
    """Estimate the probability by a shifted Richtmyer lattice; the error is three deviations."""
    from scipy.special import ndtr, ndtri

    units = np.stack([line[0] for line in lines])
    lows = np.array([line[1] for line in lines])
    highs = np.array([line[2] for line in lines])
    lower = _triangle(units @ units.T)
    count = len(lines)
    index = np.arange(1, _POINTS + 1)[:, None]
    roots = np.sqrt(np.array(_PRIMES[: count - 1], dtype=np.float64))
    means = []
    for shift in range(_SHIFTS):
        raw = (index * roots + (shift + 0.5) / _SHIFTS * np.pi) % 1.0
        points = np.abs(2.0 * raw - 1.0)
        value = np.ones(_POINTS)
        draws = np.zeros((_POINTS, count))
        for i in range(count):
            centre = draws[:, :i] @ lower[i, :i]
            if lower[i, i] == 0.0:
                value = value * ((lows[i] <= centre) & (centre <= highs[i]))
                continue
            start = ndtr((lows[i] - centre) / lower[i, i])
            stop = ndtr((highs[i] - centre) / lower[i, i])
            value = value * (stop - start)
            if i < count - 1:
                inside = start + points[:, i] * (stop - start)
                draws[:, i] = ndtri(np.clip(inside, 1e-300, 1 - 1e-16))
        means.append(value.mean())
    spread = float(np.std(means, ddof=1)) / math.sqrt(_SHIFTS)
    return float(np.mean(means)), 3.0 * spread + 1e-12


def _triangle(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a lower triangle L with L L' = covariance, zero columns where it is singular."""
    size = len(covariance)
    lower = np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            if lower[j, j] > 0:
                lower[i, j] = (covariance[i, j] - lower[i, :j] @ lower[j, :j]) / lower[j, j]
        rest = covariance[i, i] - lower[i, :i] @ lower[i, :i]
        lower[i, i] = math.sqrt(rest) if rest > _SINGULAR else 0.0
    return lower
