"""Walk along the arrows of a shape: what reaches a variable, and orders with parents first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Parents = Mapping[str, Sequence[str]]

__all__ = ["ancestors", "depth_first", "layered"]


def ancestors(parents: Parents, names: Iterable[str], cut: Iterable[str] = ()) -> set[str]:
    """Return the names and all that reaches them, not passing through ``cut``.

    Args:
        parents: variable -> its parents.
        names: where to start.
        cut: variables that are set, so that nothing reaches them.
    """
    closed, found = set(cut), set(names)
    stack = list(found)
    while stack:
        name = stack.pop()
        for parent in () if name in closed else parents[name]:
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    return found


def depth_first(parents: Parents, names: Iterable[str]) -> tuple[str, ...]:
    """Order variables and their causes, parents first: each right behind the causes it needs."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in done:
            for parent in parents[name]:
                visit(parent)
            done[name] = None

    for name in names:
        visit(name)
    return tuple(done)


def layered(parents: Parents) -> list[str]:
    """Order all variables, parents first: in each pass those, as declared, that can come next."""
    done: list[str] = []
    while len(done) < len(parents):
        done.extend(
            name
            for name in parents
            if name not in done and all(parent in done for parent in parents[name])
        )
    return done
