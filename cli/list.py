"""``causalbench list``: the worlds, suites and agents there are, found without loading any.

Sequential worlds, and the learners that train in them, stand under headings of their own.
"""

from __future__ import annotations

import re
from importlib import resources
from importlib.metadata import entry_points
from typing import Annotated, Literal

import typer

from .common import JsonOption, print_json

__all__ = ["agents", "learners", "list_names", "sequences", "suites", "worlds"]

Kind = Literal["worlds", "sequences", "suites", "agents", "learners"]
_HEADINGS = {"sequences": "sequential worlds", "learners": "learners in sequential worlds"}
_BELOW = {"worlds": "sequences", "agents": "learners"}
_TITLE = re.compile(r"^title:\s*(.+?)\s*$", re.MULTILINE)


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help="Leave it out for all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List worlds, suites and agents by name, each with a line about it."""
    found = {name: find() for name, find in _FINDERS.items() if kind in {None, name}}
    if as_json:
        print_json(found[kind] if kind else found)
        return
    if kind in _BELOW:
        found[_BELOW[kind]] = _FINDERS[_BELOW[kind]]()
    for place, (name, lines) in enumerate(found.items()):
        headed = kind is None or place > 0
        if headed:
            print(f"{'' if place == 0 else chr(10)}{_HEADINGS.get(name, name)}")
        width = max((len(one) for one in lines), default=0)
        for one, line in lines.items():
            print(f"{'  ' if headed else ''}{one:<{width}}  {line}".rstrip())


def worlds() -> dict[str, str]:
    """Return worlds and their titles: built-in ones, plug-ins, and the networks of pgmpy."""
    from causalbench.task.catalogue import list_bnlearn, list_worlds, world_titles

    titles = world_titles()
    found = {name: titles.get(name, "plug-in") for name in list_worlds()}
    return found | dict.fromkeys(list_bnlearn(), "a network that pgmpy ships")


def sequences() -> dict[str, str]:
    """Return the sequential worlds and their titles."""
    from causalbench.task.catalogue import world_titles

    return world_titles("sequences")


def suites() -> dict[str, str]:
    """Return suites and their titles: built-in ones, then plug-ins."""
    found = {}
    for file in sorted(
        (resources.files("causalbench.tasks") / "suites").iterdir(), key=lambda file: file.name
    ):
        if file.name.endswith(".yaml"):
            title = _TITLE.search(file.read_text(encoding="utf-8"))
            found[file.name.removesuffix(".yaml")] = title.group(1).strip("\"'") if title else ""
    for point in entry_points(group="causalbench"):
        if point.name.startswith("suite."):
            found.setdefault(point.name.removeprefix("suite."), f"plug-in ({point.value})")
    return found


def agents() -> dict[str, str]:
    """Return agents, each with a line about it."""
    from causalbench.agent.registry import list_agents

    return list_agents()


def learners() -> dict[str, str]:
    """Return the learners of sequential worlds, each with a line about it."""
    from causalbench.agent.learn.registry import list_learners

    return list_learners()


_FINDERS = {
    "worlds": worlds,
    "sequences": sequences,
    "suites": suites,
    "agents": agents,
    "learners": learners,
}
