"""Find sequential worlds and their families by name; nothing heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from causalbench.errors import NotFoundError, WorldError, suggest
from causalbench.task.catalogue import data_files
from causalbench.task.sequential.world import SequentialWorld

if TYPE_CHECKING:
    from causalbench.task.sequential.family import WorldFamily

__all__ = ["FAMILIES", "list_families", "load_family", "load_sequence"]

FAMILIES: Mapping[str, str] = {
    "umbrella-days": "umbrella_days",
    "casino-rounds": "casino_rounds",
    "treatment-course": "treatment_course",
    "anticausal-proxy": "anticausal_proxy",
    "oily-gripper": "oily_gripper",
    "coast-runners": "coast_runners",
    "crouch-jump": "crouch_jump",
    "key-maze": "key_maze",
    "shifting-rules": "shifting_rules",
    "two-shifts": "two_shifts",
    "where-to-intervene": "where_to_intervene",
    "discover": "discover",
    "imitate": "imitate",
}
"""Family to its module in `causalbench.task.sequential.families`."""


def list_families() -> list[str]:
    """List the families' names."""
    return list(FAMILIES)


def load_family(name: str) -> WorldFamily:
    """Return a family of sequential worlds.

    Raises:
        NotFoundError: none of that name.
    """
    if name not in FAMILIES:
        near = suggest(name, FAMILIES) or f" There are {', '.join(FAMILIES)}."
        raise NotFoundError(f"no family of sequential worlds is called '{name}'.{near}")
    module = import_module(f"causalbench.task.sequential.families.{FAMILIES[name]}")
    found: WorldFamily = module.FAMILY
    return found


def load_sequence(name: str | Path | SequentialWorld) -> SequentialWorld:
    """Load a sequential world.

    Args:
        name: a family's name, for its published world; a path to a file; or a world, returned as
            it is.

    Raises:
        NotFoundError: nothing of that name.
        WorldError: a file that is malformed; names file and place.
    """
    from causalbench.scm.yaml_text import is_file, load_yaml, text_of

    if isinstance(name, SequentialWorld):
        return name
    text = str(name)
    if isinstance(name, Path) or text.endswith((".yaml", ".yml")):
        path = Path(name)
        if not is_file(path):
            raise NotFoundError(f"no world file at '{path}'; give a path that exists.")
        place, content = path.name, text_of(path)
    else:
        files = data_files("sequences")
        if text not in files:
            near = suggest(text, files) or f" There are {', '.join(sorted(files)) or 'none'}."
            raise NotFoundError(f"no sequential world is called '{text}'.{near}")
        place, content = f"{text}.yaml", files[text].read_text(encoding="utf-8")
    data = load_yaml(content, place)
    if not isinstance(data, Mapping):
        raise WorldError(f"{place} holds {type(data).__name__}; it must be a mapping of keys.")
    return SequentialWorld.from_dict(data, place)
