"""Write the published world of every family as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from causalbench.task.sequential.catalogue import FAMILIES, load_family

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.task.sequential.world import SequentialWorld

__all__ = ["published_text", "published_world", "write_published"]


def published_world(name: str) -> SequentialWorld:
    """Make the published world of a family: its world 0 of difficulty medium.

    Raises:
        NotFoundError: no family of that name.
    """
    family = load_family(name)
    knobs: dict[str, Any] = dict(family.published)
    return family.world(0, "medium", **knobs)


def published_text(world: SequentialWorld) -> str:
    """Return the file of a sequential world as YAML."""
    return yaml.safe_dump(
        world.to_dict(), sort_keys=False, default_flow_style=None, width=100, allow_unicode=True
    )


def write_published(folder: str | Path, names: Iterable[str] = tuple(FAMILIES)) -> list[Path]:
    """Write the published worlds, one file each, over those that stand there.

    Args:
        folder: such as ``tasks/sequences`` of a checkout.
        names: of families.

    Returns:
        The files' paths.
    """
    written = []
    for name in names:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(published_text(published_world(name)), encoding="utf-8", newline="\n")
        written.append(path)
    return written
