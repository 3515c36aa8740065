"""Write a model as plain JSON values, and hash it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.mechanism import LinearMechanism
from causalbench.scm.tables import UNKNOWN, TableMechanism

if TYPE_CHECKING:
    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.model import SCM
    from causalbench.scm.variable import Variable

__all__ = ["SCHEMA", "canonical", "digest", "to_dict"]

SCHEMA = 1


def to_dict(scm: SCM) -> dict[str, Any]:
    """Return the model in the schema's form.

    Mechanisms are noise and table, linear, or a CPT whose coupling is unknown.
    """
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "variables": {name: _variable(variable) for name, variable in scm.variables.items()},
        "mechanisms": {name: _mechanism(scm.mechanisms[name]) for name in scm.names},
    }
    if not scm.couplings_known:
        data["couplings_known"] = False
    return data


def canonical(data: Any) -> str:
    """Return JSON text with sorted keys and no blanks: equal data give equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(scm: SCM) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(to_dict(scm)).encode()).hexdigest()


def _variable(variable: Variable) -> dict[str, Any]:
    data: dict[str, Any] = (
        {"kind": "real"} if variable.values is None else {"values": list(variable.values)}
    )
    if variable.hidden:
        data["hidden"] = True
    if variable.numbers is not None:
        data["numbers"] = list(variable.numbers)
    if variable.unit is not None:
        data["unit"] = variable.unit
    return data


def _mechanism(mechanism: AnyMechanism) -> dict[str, Any]:
    if isinstance(mechanism, LinearMechanism):
        weights = dict(zip(mechanism.parents, mechanism.weights.tolist(), strict=True))
        return {"linear": weights, "intercept": mechanism.intercept, "std": mechanism.std}
    if isinstance(mechanism, AdditiveMechanism):
        equation: dict[str, Any] = {"equation": mechanism.expression}
        noisy = mechanism.noise.law != "none"
        return {**equation, "noise": mechanism.noise.to_dict()} if noisy else equation
    if isinstance(mechanism, TableMechanism):
        cpt = mechanism.cpt.tolist()
        return {"parents": list(mechanism.parents), "cpt": cpt, "coupling": UNKNOWN}
    return {
        "parents": list(mechanism.parents),
        "noise": mechanism.noise.tolist(),
        "table": mechanism.table.tolist(),
    }
