"""Edits that make dishonest submissions of an honest one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def member(members: dict[str, bytes], agent: str, ending: str) -> str:
    """Return the name of an agent's member."""
    return next(name for name in members if f"-{agent}-" in name and name.endswith(ending))


def edit_lines(
    members: dict[str, bytes], agent: str, edit: Callable[[list[dict[str, object]]], None]
) -> None:
    """Edit an agent's answer lines."""
    name = member(members, agent, "answers.jsonl")
    lines = [json.loads(line) for line in members[name].splitlines()]
    edit(lines)
    members[name] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def edit_manifest(
    members: dict[str, bytes], agent: str, edit: Callable[[dict[str, object]], None]
) -> None:
    """Edit an agent's manifest."""
    name = member(members, agent, "manifest.json")
    manifest = json.loads(members[name])
    edit(manifest)
    members[name] = json.dumps(manifest).encode()
