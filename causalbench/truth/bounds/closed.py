"""Bounds in closed form, in microseconds: the instrument, probabilities of causation, no diagram.

Each equals the program of the same name; programs also give the worlds that attain the ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import ZeroProbabilityError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Interval",
    "instrument_ate",
    "instrument_effect",
    "necessity",
    "necessity_and_sufficiency",
    "no_diagram",
    "sufficiency",
]

Interval = tuple[float, float]


def instrument_ate(law: NDArray[np.float64]) -> Interval:
    """Bound P(y | do(x)) - P(y | do(x')) for binary z -> x -> y with x <-> y.

    Args:
        law: float64[2, 2, 2], P(x, y | z) with axes z, x, y.

    Reference:
        Balke and Pearl (1997); Pearl (2009), equations 8.14a and 8.14b.
    """
    a00, a01, a10, a11, b00, b01, b10, b11 = law.ravel().tolist()  # z = 0, then z = 1; xy
    lower = max(
        b11 + a00 - 1.0,
        a11 + b00 - 1.0,
        a11 - b11 - b01 - a10 - a01,
        b11 - a11 - a01 - b10 - b01,
        -b10 - b01,
        -a10 - a01,
        b00 - b10 - b01 - a10 - a00,
        a00 - a10 - a01 - b10 - b00,
    )
    upper = min(
        1.0 - b10 - a01,
        1.0 - a10 - b01,
        b10 - a10 + b00 + a11 + a00,
        a10 - b10 + b11 + b00 + a00,
        b11 + b00,
        a11 + a00,
        a01 - b01 + b11 + b00 + a11,
        b01 - a01 + a11 + a00 + b11,
    )
    return lower, upper


def instrument_effect(law: NDArray[np.float64], x: int) -> Interval:
    """Bound P(y | do(x)) for binary z -> x -> y with x <-> y, y the second value.

    Args:
        law: as in `instrument_ate`.
        x: 0 or 1, the value that is set.

    Reference:
        Balke and Pearl (1997); Pearl (2009), equations 8.15 and 8.16.
    """
    a00, a01, a10, a11, b00, b01, b10, b11 = law.ravel().tolist()
    if x == 0:  # P(y | do(x')) is P(y | do(x)) with the values of x swapped
        a00, a01, a10, a11 = a10, a11, a00, a01
        b00, b01, b10, b11 = b10, b11, b00, b01
    lower = max(a11, b11, b11 + b00 - a00 - a10, a11 + a00 - b00 - b10)
    lower = max(lower, b11 + b01 - a10 - a01, a11 + a01 - b10 - b01)
    upper = min(1.0 - b10, 1.0 - a10, a00 + a11 + b01 + b11, b00 + b11 + a01 + a11)
    return lower, upper


def necessity_and_sufficiency(
    law: NDArray[np.float64] | None = None, effects: tuple[float, float] | None = None
) -> Interval:
    """Bound PNS, the chance that x decides y, for binary x and y.

    Args:
        law: float64[2, 2], P(x, y) as it is seen; None where only experiments are told.
        effects: P(y | do(x')) and P(y | do(x)); None where only seeing is told.

    Returns:
        Sharp ends where x and y are all that is seen and no diagram is shown.

    Reference:
        Tian and Pearl (2000), Probabilities of causation: bounds and identification.
    """
    lows, highs = [0.0], [1.0]
    if effects is not None:
        without, having = effects
        lows.append(having - without)
        highs += [having, 1.0 - without]
    if law is not None:
        (p00, p01), (p10, p11) = law.tolist()
        highs.append(p11 + p00)
        if effects is not None:
            lows += [p01 + p11 - without, having - p01 - p11]
            highs.append(having - without + p10 + p01)
    return max(lows), min(highs)


def necessity(law: NDArray[np.float64], effects: tuple[float, float]) -> Interval:
    """Bound PN = P(y would not have been, had x not been | x, y) for binary x and y.

    Args:
        law: float64[2, 2], P(x, y).
        effects: P(y | do(x')) and P(y | do(x)).

    Raises:
        ZeroProbabilityError: x and y never occur together.

    Reference:
        Tian and Pearl (2000).
    """
    (p00, p01), (_, p11) = law.tolist()
    return _share(p01 + p11 - effects[0], 1.0 - effects[0] - p00, p11)


def sufficiency(law: NDArray[np.float64], effects: tuple[float, float]) -> Interval:
    """Bound PS = P(y would have been, had x been | not x, not y) for binary x and y.

    Args:
        law: as in `necessity`.
        effects: as in `necessity`.

    Raises:
        ZeroProbabilityError: x' and y' never occur together.

    Reference:
        Tian and Pearl (2000).
    """
    (p00, p01), (_, p11) = law.tolist()
    return _share(effects[1] - p01 - p11, effects[1] - p11, p00)


def no_diagram(joint: float, given: float, set_here: float) -> Interval:
    """Bound P(y | do(x), z) by what is seen alone, whatever the diagram.

    Args:
        joint: P(x, y, z), for any events y and z.
        given: P(x, z).
        set_here: P(x).

    Reference:
        Manski (1990), Nonparametric bounds on treatment effects.
    """
    free = 1.0 - set_here  # units that chose otherwise may do anything under do(x)
    whole = given + free
    if not whole > 0.0:
        raise _never()
    return joint / whole, (joint + free) / whole


def _share(low: float, high: float, whole: float) -> Interval:
    if not whole > 0.0:
        raise _never()
    return max(0.0, low / whole), min(1.0, high / whole)


def _never() -> ZeroProbabilityError:
    return ZeroProbabilityError(
        "the condition never happens, so nothing can be asked given it; drop or change a part."
    )
