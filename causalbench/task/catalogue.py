"""Find worlds by name and load nothing heavy: built-in files, plug-ins, pgmpy's networks."""

from __future__ import annotations

import re
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = [
    "bnlearn_file",
    "data_files",
    "list_bnlearn",
    "list_worlds",
    "plugin",
    "plugins",
    "world_file",
    "world_titles",
]

GROUP = "causalbench"
PREFIX = "world."
_TITLE = re.compile(r"^title:\s*(.+?)\s*$", re.MULTILINE)
_HEAD = 2000  # characters of a world file in which its title is looked for


def list_worlds() -> list[str]:
    """List the names that `load_world` knows: built-in worlds, then plug-ins, each sorted.

    The networks of `list_bnlearn` load by name too; they are listed apart because they are files of
    another package.
    """
    built_in = sorted(data_files("worlds"))
    return built_in + [name for name in sorted(plugins(PREFIX)) if name not in built_in]


def world_titles(folder: str = "worlds") -> dict[str, str]:
    """Map each built-in world's name to its title, reading no more than the head of each file.

    Args:
        folder: ``worlds`` or ``sequences``.
    """
    titles = {}
    for name, file in sorted(data_files(folder).items()):
        with file.open("r", encoding="utf-8") as stream:
            found = _TITLE.search(stream.read(_HEAD))
        titles[name] = found.group(1).strip("\"'") if found else ""
    return titles


def list_bnlearn() -> list[str]:
    """List the networks that the installed pgmpy ships, as names such as ``bnlearn/sachs``."""
    folder = _bnlearn_folder()
    if folder is None:
        return []
    names = [file.name.removesuffix(".bif.gz") for file in folder.glob("*.bif.gz")]
    return sorted(f"bnlearn/{name}" for name in names)


def world_file(name: str) -> Traversable | None:
    """Return the built-in world file of that name, or None."""
    return data_files("worlds").get(name)


def bnlearn_file(name: str) -> Path | None:
    """Return the BIF file behind ``bnlearn/...``, or None."""
    folder = _bnlearn_folder()
    if folder is None or name not in list_bnlearn():
        return None
    return folder / f"{name.removeprefix('bnlearn/')}.bif.gz"


def plugin(name: str) -> EntryPoint | None:
    """Return the entry point ``world.<name>`` of group ``causalbench``, or None."""
    return plugins(PREFIX).get(name)


def plugins(prefix: str) -> dict[str, EntryPoint]:
    """Return the entry points of group ``causalbench`` by name, those with a prefix, without it."""
    points = entry_points(group=GROUP)
    return {p.name.removeprefix(prefix): p for p in points if p.name.startswith(prefix)}


def data_files(kind: str) -> dict[str, Traversable]:
    """Return the built-in files of a kind, such as ``worlds`` or ``suites``, by name."""
    folder = resources.files("causalbench.tasks") / kind
    if not folder.is_dir():
        return {}
    return {
        file.name.removesuffix(".yaml"): file
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    }


def _bnlearn_folder() -> Path | None:
    # find_spec of a top-level package imports nothing; pgmpy itself takes seconds to import.
    spec = find_spec("pgmpy")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place) / "utils" / "example_models"
        if folder.is_dir():
            return folder
    return None
