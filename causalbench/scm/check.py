"""Refuse variables and mechanisms that make no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import WorldError, suggest
from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.tables import TableMechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.variable import Variable

__all__ = ["AnyMechanism", "check_parts"]

AnyMechanism = Mechanism | LinearMechanism | AdditiveMechanism | TableMechanism


def check_parts(variables: Mapping[str, Variable], mechanisms: Mapping[str, AnyMechanism]) -> None:
    """Refuse variables and mechanisms that do not belong together; cycles are left to `Diagram`.

    Raises:
        WorldError: naming the variable and the place.
    """
    if not variables:
        raise WorldError("variables: none are given; a model needs at least one")
    for name, variable in variables.items():
        if name != variable.name:
            raise WorldError(f"variables: '{name}' stands for a variable named '{variable.name}'")
        if name not in mechanisms:
            raise WorldError(f"mechanism of '{name}' is missing; add it")
    for name, mechanism in mechanisms.items():
        place = f"mechanism of '{name}'"
        if name not in variables:
            hint = suggest(name, variables)
            raise WorldError(f"{place}: there is no variable '{name}'; add it.{hint}")
        for parent in mechanism.parents:
            if parent not in variables:
                hint = suggest(parent, variables)
                raise WorldError(f"{place}: there is no parent '{parent}'.{hint}")
        _check_kind(variables, name, mechanism, place)
    if len({variable.is_real for variable in variables.values()}) > 1:
        real = next(name for name, variable in variables.items() if variable.is_real)
        raise WorldError(f"variable '{real}' is real and others are discrete; make all alike")


def _check_kind(
    variables: Mapping[str, Variable], name: str, mechanism: AnyMechanism, place: str
) -> None:
    variable = variables[name]
    if variable.is_real != isinstance(mechanism, LinearMechanism | AdditiveMechanism):
        fit = "noise and table, or a CPT"
        if variable.is_real:
            fit = "a linear mechanism, or an equation with noise"
        kind = "real" if variable.is_real else "discrete"
        raise WorldError(f"{place}: '{name}' is {kind} and needs {fit}")
    if isinstance(mechanism, LinearMechanism | AdditiveMechanism):
        return
    cards = []
    for parent in mechanism.parents:
        if variables[parent].is_real:
            raise WorldError(f"{place}: parent '{parent}' is real and '{name}' is discrete")
        cards.append(variables[parent].cardinality)
    if mechanism.shape != tuple(cards):
        raise WorldError(
            f"{place}: table rows have shape {mechanism.shape}, but the parents"
            f" ({', '.join(mechanism.parents)}) have {tuple(cards)} values"
        )
    card = variable.cardinality
    if isinstance(mechanism, TableMechanism):
        if mechanism.cpt.shape[-1] != card:
            found = mechanism.cpt.shape[-1]
            raise WorldError(
                f"{place}: its rows have {found} entries, but '{name}' has {card} values"
            )
        return
    if mechanism.table.size and mechanism.table.max() >= card:
        at = tuple(np.argwhere(mechanism.table >= card)[0])
        spot = "".join(f"[{i}]" for i in at)
        raise WorldError(
            f"{place}, table{spot}: {mechanism.table[at]} is out of range; '{name}' has values"
            f" 0 to {card - 1}"
        )
