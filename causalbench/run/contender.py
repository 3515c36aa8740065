"""Make a contender of whatever was named as an agent, and say what it plays."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import AgentError, LogError

if TYPE_CHECKING:
    from causalbench.task.types import Case, Item

__all__ = ["Contender", "can_travel", "contender", "contenders", "is_control"]


@dataclass(frozen=True)
class Contender:
    """An agent that takes part in a run.

    Args:
        name: its name in tables, unique within the run.
        factory: gives a fresh agent.
        config: its JSON-ready options.
        source: the digest of its source.
        version: of the package it comes from.
        accepts: the kinds of question it answers.
        cells: the cells it can use, or None for all.
        control: True for a built-in control, which is handed the keys.
        trains: whether it learns across worlds first.
        spec: what it was named by, where that is text; None where it was an object.
        portable: whether another process can make it again.
    """

    name: str
    factory: Callable[[], Any]
    config: Mapping[str, Any]
    source: str
    version: str
    accepts: frozenset[str]
    cells: frozenset[str] | None
    control: bool
    trains: bool
    spec: str | None
    portable: bool

    def plays(self, case: Case) -> tuple[Item, ...]:
        """Return the case's items that this contender accepts: none is "not played"."""
        if self.cells is not None and case.placement.cell not in self.cells:
            return ()
        return tuple(item for item in case.items if item.question.kind in self.accepts)

    def to_dict(self) -> dict[str, Any]:
        """Return what a manifest says of it: what `from_dict` needs to score its log again."""
        return {
            "name": self.name,
            "spec": self.spec,
            "config": dict(self.config),
            "source_digest": self.source,
            "version": self.version,
            "accepts": sorted(self.accepts),
            "cells": None if self.cells is None else sorted(self.cells),
            "control": self.control,
            "trains": self.trains,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Contender:
        """Rebuild a contender from a manifest: it can be scored, not played.

        Raises:
            LogError: kinds or cells that are no texts.
        """
        for key in ("accepts", "cells"):
            if not all(isinstance(one, str) for one in data[key] or ()):
                msg = (
                    f"the manifest's agent.{key} is {str(data[key])[:40]!r}; give a list of texts."
                )
                raise LogError(msg)
        return cls(
            name=data["name"],
            factory=_absent,
            config=data["config"],
            source=data["source_digest"],
            version=data["version"],
            accepts=frozenset(data["accepts"]),
            cells=None if data["cells"] is None else frozenset(data["cells"]),
            control=data["control"],
            trains=data["trains"],
            spec=data["spec"],
            portable=False,
        )


def contenders(agents: Any, options: Mapping[str, Mapping[str, Any]] | None) -> list[Contender]:
    """Make the contenders of a run.

    Args:
        agents: one agent or a list of them, each anything that `make_agent` takes.
        options: agent as named -> its options; those under "" go to every agent.

    Raises:
        AgentError: no agent, two of one name, or options for an agent that isn't there.
    """
    listed = list(agents) if isinstance(agents, Sequence) and not _is_text(agents) else [agents]
    if not listed:
        msg = "there is no agent to run; name at least one (see: causalbench list agents)."
        raise AgentError(msg)
    given = dict(options or {})
    shared = given.pop("", {})
    made = []
    for raw in listed:
        own = given.pop(str(raw), {}) if _is_text(raw) else {}
        made.append(contender(raw, {**shared, **own}))
    if given:
        msg = f"options are given for '{min(given)}', which isn't run; name it as an agent too."
        raise AgentError(msg)
    names = [one.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"agent '{twice}' is named twice; a table can hold it once. Drop or rename one."
        raise AgentError(msg)
    return made


def contender(raw: Any, options: Mapping[str, Any] | None = None) -> Contender:
    """Make one contender and look at what it can do.

    Raises:
        AgentError: an agent that breaks the protocol.
        NotFoundError: no agent of that name.
    """
    from causalbench.agent.registry import make_agent

    spec = make_agent(str(raw) if isinstance(raw, Path) else raw, dict(options or {}))
    agent = spec.factory()
    trains = callable(getattr(agent, "train", None))
    if trains and not (hasattr(agent, "save") and hasattr(agent, "load")):
        msg = f"agent '{spec.name}' has train but not save and load: give it both, because every"
        msg += " dossier gets a fresh copy of what was trained."
        raise AgentError(msg)
    return Contender(
        name=spec.name,
        factory=spec.factory,
        config=dict(spec.config),
        source=spec.source_digest,
        version=spec.version,
        accepts=frozenset(spec.accepts),
        cells=None if spec.cells is None else frozenset(spec.cells),
        control=is_control(agent),
        trains=trains,
        spec=str(raw) if _is_text(raw) else None,
        portable=_portable(raw, spec.factory),
    )


def is_control(agent: Any) -> bool:
    """Say whether an agent is a built-in control: nobody else is ever handed a key."""
    room = sys.modules.get("causalbench.agent.controls")
    kind = type(agent)
    home = sys.modules.get(kind.__module__)
    return (
        room is not None
        and isinstance(agent, room.Control)
        and kind.__module__.startswith("causalbench.agent.")
        and getattr(home, kind.__name__, None) is kind
    )


def _is_text(raw: Any) -> bool:
    return isinstance(raw, str | Path)


def _portable(raw: Any, factory: Callable[[], Any]) -> bool:
    """Say whether another process can make this agent again: by name, or by an importable class."""
    if not _is_text(raw) and not (
        isinstance(raw, type) and not raw.__module__.startswith(("__main__", "_causalbench_file"))
    ):
        return False
    return can_travel(factory)


def can_travel(value: Any) -> bool:
    """Say whether a value can be sent to another process, which must find its classes there."""
    try:
        return b"__main__" not in pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False


def _absent() -> Any:
    msg = "an agent that was rebuilt from a log can't be played; name it again to run it."
    raise AgentError(msg)
