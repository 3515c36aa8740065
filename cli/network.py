"""The options of commands that load one world, which may be a Bayesian network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from causalbench.errors import WorldError

from .common import env

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm.couplings import Coupling
    from causalbench.task.world import World

__all__ = ["CouplingOption", "RenormaliseOption", "loaded"]

CouplingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--coupling",
        envvar=env("coupling"),
        help="For tables that have none: monotone, independent, or x=monotone for x alone.",
    ),
]
RenormaliseOption = Annotated[
    bool,
    typer.Option(
        "--renormalise",
        envvar=env("renormalise"),
        help="Divide a network's rows by their sums where these are not 1.",
    ),
]


def loaded(name: str, couplings: Sequence[str] | None, *, renormalise: bool) -> World:
    """Load a world, with couplings for its tables where they are named.

    Args:
        name: as in `load_world`.
        couplings: one for all (``monotone``), or some variables' (``x=monotone``); options are
            JSON, as in ``x={"antitone": {"in": "z"}}``.
        renormalise: as in `load_world`.

    Raises:
        WorldError: a coupling for all beside others, or as `World.coupled`.
    """
    from causalbench.task.world import load_world

    world = load_world(name, renormalise=renormalise)
    if not couplings:
        return world
    named = [_named(text) for text in couplings]
    if len(named) == 1 and named[0][0] is None:
        return world.coupled(named[0][1])
    if any(variable is None for variable, _ in named):
        given = ", ".join(couplings)
        raise WorldError(f"--coupling: {given} gives one for all and more; give one, or x=... each")
    chosen: dict[str, Coupling] = {}
    for variable, how in named:
        if variable in chosen:
            raise WorldError(f"--coupling: '{variable}' is given twice; give one coupling for it")
        chosen |= {variable: how} if variable is not None else {}
    return world.coupled(chosen)


def _named(text: str) -> tuple[str | None, Coupling]:
    """Read ``monotone`` or ``x=monotone``."""
    from causalbench.scm.couplings import coupling_from_text

    variable, equals, how = text.partition("=")
    name = variable.strip() if equals and not text.lstrip().startswith("{") else None
    try:
        return name, coupling_from_text((how if name else text).strip())
    except json.JSONDecodeError:
        raise WorldError(
            f"--coupling: '{text:.60}' is no JSON; write x=monotone or x={{...}}"
        ) from None
