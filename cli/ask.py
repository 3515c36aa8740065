"""``causalbench ask``: the exact answer to one query, and what lesser solvers would say."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .common import JsonOption, print_json

__all__ = ["ask"]

_RUNGS = {1: "see", 2: "do", 3: "imagine"}


def ask(
    world: Annotated[
        str, typer.Argument(help="A world's name, or the path of a YAML or BIF file.")
    ],
    query: Annotated[str, typer.Argument(help='E.g. "P(rain=yes | do(umbrella=no))".')],
    as_json: JsonOption = False,
) -> None:
    """Answer a query exactly, and say what a perfect solver of each rung would answer."""
    from causalbench.query import parse
    from causalbench.task.world import load_world
    from causalbench.truth import truth

    loaded = load_world(world)
    parsed = parse(query, loaded.scm.vocabulary)
    found = truth(loaded, parsed)
    if as_json:
        answer = {
            "query": str(parsed),
            "rung": found.rung,
            "value": found.value,
            "error": found.error,
            "readings": dict(found.readings),
        }
        if found.values is not None:
            answer["values"] = dict(found.values)
        print_json(answer)
        return
    print(parsed)
    print(f"rung     {found.rung} ({_RUNGS[found.rung]})")
    print(f"value    {_shown(found.value)}{f' +- {found.error:.2g}' if found.error else ''}")
    for name, reading in found.readings.items():
        print(f"{name:<9}{_shown(reading)}")
    if found.values is not None:
        print("values of the actions")
        for label, value in found.values.items():
            print(f"  {label:<20}{_shown(value)}")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
