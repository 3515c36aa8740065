"""Hold mechanisms of real variables with additive noise: ``value = f(parents) + noise``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError
from causalbench.scm.expression import Expression, parse_expression, shorten
from causalbench.scm.mechanism import LinearMechanism
from causalbench.scm.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["AdditiveMechanism", "additive_equation", "mean_of", "noise_of"]


@dataclass(frozen=True)
class AdditiveMechanism:
    """``value = expression(parents) + noise``, with independent noise of a known law.

    Given the parents, the noise can be read off the value: abduction is a subtraction.

    Reference: Hoyer, Janzing, Mooij, Peters, Schoelkopf (2008), Nonlinear causal discovery with
    additive noise models.

    Args:
        parents: names; kept in the order in which the expression first names them.
        expression: text over the parents (see `causalbench.scm.expression`); kept in normal form.
        noise: its law; none makes the variable a function of its parents.

    Raises:
        WorldError: text that is no expression, or parents that are not the names it has.
    """

    parents: tuple[str, ...]
    expression: str
    noise: Noise = Noise()  # noqa: RUF009  (frozen)
    formula: Expression = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        formula = parse_expression(self.expression)
        given, found, shown = tuple(self.parents), formula.names, shorten(str(formula))
        lost = [name for name in given if name not in found]
        if lost:
            raise WorldError(
                f"equation '{shown}': the parent '{lost[0]}' does not stand in it;"
                " take it off the parents, or write 0 * it"
            )
        strange = [name for name in found if name not in given]
        if strange:
            raise WorldError(f"equation '{shown}': '{strange[0]}' is not among the parents; add it")
        put = object.__setattr__
        put(self, "parents", found)
        put(self, "expression", str(formula))
        put(self, "formula", formula)

    def mean(self, name: str, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the expression at the parents' values.

        Args:
            name: the variable on the left, for the message.
            values: parent to number or array.

        Raises:
            WorldError: a step gives no finite number, e.g. the logarithm of a negative one.
        """
        try:
            return self.formula(values)
        except ArithmeticError as error:
            shown = shorten(self.expression)
            raise WorldError(
                f"'{name}' = {shown}: {error}; keep its parents where it is defined"
            ) from None

    def forced(self, value: float) -> LinearMechanism:
        """Return the mechanism under an intervention: the constant."""
        return LinearMechanism((), np.zeros(0), value, 0.0)

    def renamed(self, names: Mapping[str, str]) -> AdditiveMechanism:
        """Return the mechanism with its parents renamed, old name to new."""
        formula = self.formula.renamed(names)
        return AdditiveMechanism(formula.names, str(formula), self.noise)

    def __reduce__(self) -> tuple[Any, ...]:
        return (AdditiveMechanism, (self.parents, self.expression, self.noise))


def additive_equation(text: str, noise: Mapping[str, Any] | None) -> AdditiveMechanism:
    """Read the two parts of a file's form, ``equation`` and ``noise``.

    Raises:
        WorldError: either is malformed.
    """
    law = Noise() if noise is None else Noise.read(noise)
    return AdditiveMechanism(parse_expression(text).names, text, law)


def mean_of(
    name: str, mechanism: LinearMechanism | AdditiveMechanism, values: Mapping[str, Any]
) -> NDArray[np.float64]:
    """Return what a real variable would be without its noise, at its parents' values.

    Raises:
        WorldError: it is no finite number; the message names the variable.
    """
    if isinstance(mechanism, AdditiveMechanism):
        return mechanism.mean(name, values)
    total: Any = mechanism.intercept
    with np.errstate(over="ignore", invalid="ignore"):
        for parent, weight in zip(mechanism.parents, mechanism.weights, strict=True):
            total = total + weight * values[parent]
    if not np.isfinite(total).all():
        raise WorldError(f"'{name}' grows beyond all numbers in this world; take other units")
    return np.asarray(total, dtype=np.float64)


def noise_of(mechanism: LinearMechanism | AdditiveMechanism) -> Noise:
    """Return the law of what a mechanism adds to the mean."""
    if isinstance(mechanism, AdditiveMechanism):
        return mechanism.noise
    return Noise("normal", (mechanism.std,)) if mechanism.std > 0 else Noise()
