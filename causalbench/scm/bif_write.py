"""Write a model's CPTs in BIF."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from causalbench.errors import WorldError
from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.mechanism import LinearMechanism

if TYPE_CHECKING:
    from causalbench.scm.model import SCM

__all__ = ["to_bif"]

_PLAIN = re.compile(r'(?!//|/\*)[^\s{}()\[\];,|"]+\Z')


def to_bif(scm: SCM) -> str:
    """Return BIF text: all variables, hidden ones too, with their CPTs.

    Raises:
        WorldError: the model is linear, or a name cannot be written.
    """
    parts = ["network unknown {\n}"]
    for name in scm.names:
        labels = scm.variable(name).labels
        values = ", ".join(_token(label) for label in labels)
        kind = f"  type discrete [ {len(labels)} ] {{ {values} }};"
        parts.append(f"variable {_token(name)} {{\n{kind}\n}}")
    parts += [_block(scm, name) for name in scm.order]
    return "\n".join(parts) + "\n"


def _block(scm: SCM, name: str) -> str:
    mechanism = scm.mechanism(name)
    if isinstance(mechanism, LinearMechanism | AdditiveMechanism):
        raise WorldError(f"to_bif: '{name}' is real; BIF holds discrete variables")
    cpt = scm.cpt(name)
    parents = mechanism.parents
    if not parents:
        return f"probability ( {_token(name)} ) {{\n  table {_numbers(cpt.tolist())};\n}}"
    head = f"probability ( {_token(name)} | {', '.join(map(_token, parents))} ) {{"
    rows = []
    for at in itertools.product(*map(range, mechanism.shape)):
        labels = (scm.variable(p).labels[i] for p, i in zip(parents, at, strict=True))
        rows.append(f"  ({', '.join(map(_token, labels))}) {_numbers(cpt[at].tolist())};")
    return "\n".join([head, *rows, "}"])


def _numbers(row: list[float]) -> str:
    return ", ".join(map(repr, row))


def _token(name: str) -> str:
    if _PLAIN.match(name):
        return name
    if '"' in name or "\n" in name:
        raise WorldError(f"to_bif: {name!r} cannot be written in BIF; rename it")
    return f'"{name}"'
