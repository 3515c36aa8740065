"""Take the model out of what is given as a world."""

from __future__ import annotations

from typing import Any

from causalbench.errors import QueryError
from causalbench.scm.model import SCM

__all__ = ["scm_of"]


def scm_of(world: Any) -> SCM:
    """Return the SCM of a world.

    Args:
        world: an SCM, or anything with one as ``.scm``.

    Raises:
        QueryError: it is something else, such as a world's name.
    """
    found = getattr(world, "scm", world)
    if isinstance(found, SCM):
        return found
    if isinstance(world, str):
        what = f"'{world:.60}' is a text, not a world"
    else:
        kind = f"the class {world.__name__}" if isinstance(world, type) else type(world).__name__
        what = f"{kind} is no world"
    msg = f"{what}; give the world that load_world(name) returns, or an SCM."
    raise QueryError(msg)
