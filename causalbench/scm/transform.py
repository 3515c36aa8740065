"""Rename, reorder and relabel models: the same world, told in other words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import WorldError
from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.tables import TableMechanism

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.couplings import Coupling

__all__ = ["coupled", "relabel", "rename", "reorder"]

_WITH_OPTIONS = {"antitone", "mixture"}


def rename(scm: SCM, names: Mapping[str, str]) -> SCM:
    """Return the model with variables renamed, old name to new (see `SCM.rename`)."""
    for name in names:
        scm.variable(name)
    new = {name: names.get(name, name) for name in scm.names}
    if len(set(new.values())) < len(new):
        raise WorldError("rename: two variables would share a name; choose other names")
    variables = {new[name]: replace(v, name=new[name]) for name, v in scm.variables.items()}
    mechanisms = {
        new[name]: m.renamed(new)
        if isinstance(m, AdditiveMechanism)
        else replace(m, parents=tuple(new[parent] for parent in m.parents))
        for name, m in scm.mechanisms.items()
    }
    return SCM(variables, mechanisms, scm.couplings_known)


def reorder(scm: SCM, names: Sequence[str]) -> SCM:
    """Return an equal model that declares its variables in another order."""
    for name in names:
        scm.variable(name)
    if len(names) != len(scm.names) or set(names) != set(scm.names):
        raise WorldError("reorder: give every name exactly once")
    variables = {name: scm.variables[name] for name in names}
    return SCM(variables, scm.mechanisms, scm.couplings_known)


def relabel(scm: SCM, permutations: Mapping[str, Sequence[int]]) -> SCM:
    """Return the model with values listed in another order (see `SCM.relabel`)."""
    variables, mechanisms = dict(scm.variables), dict(scm.mechanisms)
    for name, order in permutations.items():
        variable = scm.variable(name)
        old = [int(i) for i in order]
        if sorted(old) != list(range(variable.cardinality)):
            raise WorldError(f"relabel: {old} is no permutation of the values of '{name}'")
        labels, numbers = variable.labels, variable.numbers
        variables[name] = replace(
            variable,
            values=tuple(labels[i] for i in old),
            numbers=None if numbers is None else tuple(numbers[i] for i in old),
        )
        back = np.argsort(old)
        for other, mechanism in mechanisms.items():
            if isinstance(mechanism, LinearMechanism | AdditiveMechanism):
                continue
            if isinstance(mechanism, TableMechanism):
                mechanisms[other] = _turned(mechanism, name, old, own=other == name)
                continue
            table: NDArray[np.int64] = mechanism.table
            if name in mechanism.parents:
                table = table.take(old, axis=1 + mechanism.parents.index(name))
            if other == name:
                table = back[table]
            if table is not mechanism.table:
                mechanisms[other] = Mechanism(mechanism.parents, mechanism.noise, table)
    return SCM(variables, mechanisms, scm.couplings_known)


def _turned(table: TableMechanism, name: str, old: list[int], *, own: bool) -> TableMechanism:
    """Return a table with a variable's values in another order: its own, or one of its parents'."""
    cpt = table.cpt
    if name in table.parents:
        cpt = cpt.take(old, axis=table.parents.index(name))
    if own:
        cpt = cpt.take(old, axis=-1)
    return table if cpt is table.cpt else TableMechanism(table.parents, cpt)


def coupled(scm: SCM, coupling: Coupling | Mapping[str, Coupling]) -> SCM:
    """Return the model with couplings for its tables (see `SCM.coupled`)."""
    open_ = scm.uncoupled
    if not open_:
        raise WorldError("coupled: no mechanism of this world lacks a coupling; leave it as it is")
    # {"antitone": {...}} is one coupling and {"x": "monotone"} names a variable's.
    if isinstance(coupling, str) or set(coupling) <= _WITH_OPTIONS - set(scm.names):
        wanted: Mapping[str, Coupling] = dict.fromkeys(open_, coupling)
    else:
        wanted = coupling
    mechanisms: dict[str, AnyMechanism] = dict(scm.mechanisms)
    for name, each in wanted.items():
        scm.variable(name)
        table = mechanisms[name]
        if not isinstance(table, TableMechanism):
            raise WorldError(f"coupled: the coupling of '{name}' is known already; leave it out")
        try:
            mechanisms[name] = table.coupled(each)
        except WorldError as error:
            wide = len(wanted) > 1 and " over " in f" {error}"
            few = (
                "; or name couplings for the variables alone that the question needs"
                if wide
                else ""
            )
            raise WorldError(f"mechanism of '{name}': {error}{few}") from None
    return SCM(scm.variables, mechanisms)
