"""Find what a log is made of: a world by name or file, one of its phases, and who acts in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from causalbench.errors import AccessError, AgentError, NotFoundError, WorldError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.program import Program
    from causalbench.task.world import World
    from causalbench.truth.policy import Policy

__all__ = ["POLICIES", "LogSource", "behaviour", "log_source"]

POLICIES: Mapping[str, str] = {
    "natural": "nature acts: the action variables follow their own mechanisms",
    "random": "each action is set with the same probability",
    "see": "the best policy of rung 1 acts",
    "do": "the best policy of rung 2 acts",
}
"""The behaviour policies that have a name."""


@dataclass(frozen=True)
class LogSource:
    """What a log is made of.

    Args:
        world: its name.
        version: the world's.
        title: one line.
        origin: where the world comes from.
        program: what is played.
        play: the id of the decision.
        phase: its name; "" for a world of one phase.
        family: what drew the world, or "".
        knobs: what the family made it with.
        index: which of the family's worlds it is; None for a published one.
        env: the registered environment to act in it (id, arguments), or None.
    """

    world: str
    version: int
    title: str
    origin: str
    program: Program
    play: str
    phase: str = ""
    family: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)
    index: int | None = None
    env: tuple[str, Mapping[str, Any]] | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of what is played."""
        from causalbench.task.encode import canonical_json

        told = {"process": self.program.process.to_dict(), "play": self.program.play.to_dict()}
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()


def log_source(
    world: str,
    *,
    decision: str | None = None,
    phase: str | None = None,
    difficulty: str | None = None,
    index: int | None = None,
    knobs: Mapping[str, float] | None = None,
) -> LogSource:
    """Find a world to play in.

    Args:
        world: a sequential world or family by name, an ordinary world, or the path of a file of
            either.
        decision: of an ordinary world.
        phase: of a sequential world; None for its first.
        difficulty: draw a world of the family: ``easy``, ``medium`` or ``hard``.
        index: which of those; 0 where a difficulty or a knob asks for one.
        knobs: settings in place of the difficulty's.

    Raises:
        NotFoundError: no world, decision, phase, difficulty or knob of that name.
        WorldError: a file that breaks its schema, or a decision that cannot be played in steps.
        AccessError: options that the world has no use for.
    """
    from causalbench.task.sequential.catalogue import FAMILIES

    drawn = difficulty is not None or index is not None or bool(knobs)
    sequence = world in FAMILIES or _is_sequence(world)
    if sequence and decision is not None:
        raise AccessError(f"'{world}' is a sequential world, of one play; leave --decision out.")
    if not sequence:
        if drawn or phase is not None:
            raise AccessError(
                f"'{world}' is no sequential world, and has neither phases nor knobs; leave"
                " --phase, --difficulty, --index and --knob out."
            )
        return _one_step(world, decision)
    from causalbench.env.ids import FAMILY_ENVS
    from causalbench.task.sequential.catalogue import load_family, load_sequence

    told: dict[str, Any] = {} if phase is None else {"phase": phase}
    if drawn:
        at, settings = 0 if index is None else index, _settings(world, knobs or {})
        made = load_family(world).world(at, difficulty or "medium", **settings)
        told |= {"world": at, "difficulty": difficulty or "medium", **settings}
    else:
        made, at = load_sequence(world), None
    chosen = made.phase(phase)
    env = (f"causalbench/{FAMILY_ENVS[world]}-v0", told) if world in FAMILY_ENVS else None
    return LogSource(
        made.id,
        made.version,
        made.title,
        made.source,
        made.program(chosen.name),
        made.play.id,
        chosen.name if len(made.phases) > 1 else "",
        made.family,
        made.knobs,
        at,
        env,
    )


def behaviour(name: str, program: Program) -> Any:
    """Return who acts, as `record` takes it.

    Args:
        name: one of `POLICIES`, or ``"file.py:NAME"``: a policy, or what makes one of a program.
        program: what is played.

    Raises:
        AccessError: the best policy of that rung is not known, but its value's bounds are.
        AgentError: what the file holds is no policy.
        NotFoundError: no such policy or file.
    """
    if name in {"natural", "random"}:
        return name
    if name in {"see", "do"}:
        from causalbench.truth.policy import reference

        found = reference(program, "see" if name == "see" else "do").policy
        if found is None:
            raise AccessError(
                f"the best policy of rung '{name}' is too large to work out here; take a smaller"
                " world, or another policy."
            )
        return found
    if ":" not in name:
        near = suggest(name, POLICIES) or f" There are {', '.join(POLICIES)};"
        raise NotFoundError(f"no policy is called '{name}'.{near} file.py:NAME works too.")
    return _from_file(name, program)


def _settings(name: str, knobs: Mapping[str, float]) -> dict[str, Any]:
    """Return settings that a family knows by name."""
    from causalbench.task.sequential.catalogue import load_family

    known = load_family(name).knobs
    for knob in knobs:
        if knob not in known:
            near = suggest(knob, known) or f" It has {', '.join(known)}."
            raise NotFoundError(f"family '{name}' has no knob '{knob}'.{near}")
    return dict(knobs)


def _from_file(name: str, program: Program) -> Policy:
    from causalbench.agent.source import load_target

    found = load_target(name)
    if isinstance(found, type) or not hasattr(found, "act"):
        if not callable(found):
            raise AgentError(f"'{name}' is neither a policy nor makes one; give it begin and act.")
        found = found(program)
    for part in ("begin", "act"):
        if not callable(getattr(found, part, None)):
            raise AgentError(f"'{name}' is no policy: it has no method {part}(); write one.")
    policy: Policy = found
    return policy


def _is_sequence(world: str) -> bool:
    """Tell whether a name or a path stands for a sequential world."""
    from causalbench.task.catalogue import data_files

    if not world.endswith((".yaml", ".yml")):
        return world in data_files("sequences")
    from pathlib import Path

    from causalbench.scm.yaml_text import is_file, load_yaml, text_of

    path = Path(world)
    if not is_file(path):
        raise NotFoundError(f"no world file at '{path}'; give a path that exists.")
    data = load_yaml(text_of(path), path.name)
    return isinstance(data, dict) and data.get("kind") == "sequence"


def _one_step(name: str, decision: str | None) -> LogSource:
    """Compile a decision of an ordinary world into a play of one step."""
    from causalbench.task.sequential.catalogue import FAMILIES
    from causalbench.task.world import load_world

    try:
        world = load_world(name)
    except NotFoundError:
        near = suggest(name, FAMILIES)
        if near:
            raise NotFoundError(f"no world is called '{name}'.{near}") from None
        raise
    if decision is None:
        known = ", ".join(one.id for one in world.decisions) or "none"
        raise NotFoundError(
            f"world '{world.id}' needs the name of a decision: --decision. It has {known}."
        )
    program = _compiled(world, decision)
    named = None if name.endswith((".yaml", ".yml", ".bif", ".gz")) else name
    env = named and ("causalbench/World-v0", {"world": named, "decision": decision})
    return LogSource(
        world.id, world.version, world.title, world.source, program, decision, env=env or None
    )


def _compiled(world: World, decision: str) -> Program:
    from causalbench.env.onestep import decision_program

    program = decision_program(world.scm, world.decision(decision))
    if program is None:
        raise WorldError(
            f"decision '{decision}' of world '{world.id}' has real variables, a stated observation"
            " or a first course, which a log of steps can't hold; take another."
        )
    return program
