"""Keep what was worked out of a world for as long as the world lives."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from causalbench.scm import SCM

__all__ = ["WhileAlive"]

T = TypeVar("T")


class WhileAlive(dict[int, tuple["weakref.ref[SCM]", T]], Generic[T]):
    """What was made of each world, by the world's identity.

    Not by equality: to compare worlds is to write them out, which costs more than most answers.
    """

    def of(self, scm: SCM) -> T | None:
        """Return what was kept for a world, or None."""
        found = self.get(id(scm))
        return found[1] if found is not None and found[0]() is scm else None

    def keep(self, scm: SCM, made: T) -> T:
        """Keep something until the world goes, and return it."""
        key = id(scm)
        self[key] = (weakref.ref(scm, lambda _: self.pop(key, None)), made)
        return made
