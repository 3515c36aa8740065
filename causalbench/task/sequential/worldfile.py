"""Check the file of a sequential world against its schema, and build the world.

    {"schema": 1, "kind": "sequence", "id": ..., "version": 1, "title": ..., "source": ...,
     "story": ..., "process": {"horizon": 5, "variables": {...}, "first": {...}, "later": {...}},
     "phases": {"dry": {}, "oily": {"first": {...}, "later": {...}}},
     "play": {"id": "act", "actions": [...], "observes": [...], "reward": [[1, "y=yes"]]}}

A phase lists the mechanisms in which it differs from ``process``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from causalbench.errors import CausalBenchError, WorldError
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SequenceFile", "sequence_from_dict", "sequence_to_dict"]

_Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
_Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Pay = tuple[_Number, _Text]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _PhraseForm(_Strict):
    noun: _Text
    values: dict[str, _Text] = {}
    do: dict[str, _Text] = {}


class _PlayForm(_Strict):
    id: _Id
    mode: Literal["bet", "act", "redo"] = "act"
    actions: list[_Text] = Field(min_length=2)
    observes: list[str] = []
    reward: list[_Pay] = []
    goal: list[_Pay] = []
    ends: str = ""
    returns: tuple[_Number, _Number] | None = None
    goal_returns: tuple[_Number, _Number] | None = None


class _PhaseForm(_Strict):
    first: dict[str, Any] = {}
    later: dict[str, Any] = {}
    horizon: Annotated[int, Field(ge=1)] | None = None


class SequenceFile(_Strict):
    """The schema of the file; ``process`` and the mechanisms of phases are checked by `Process`."""

    schema_: Literal[1] = Field(alias="schema")
    kind: Literal["sequence"]
    id: _Id
    version: Annotated[int, Field(ge=1)]
    title: _Text
    source: _Text
    story: str = ""
    family: str = ""
    knobs: dict[str, _Number] = {}
    process: dict[str, Any]
    phases: dict[_Id, _PhaseForm] = {}
    play: _PlayForm
    phrases: dict[str, _PhraseForm] = {}


def sequence_from_dict(data: Mapping[str, Any], place: str) -> SequentialWorld:
    """Build a sequential world from a file's content.

    Args:
        data: the file's content.
        place: how to call the file in messages.

    Raises:
        WorldError: names the file, the place in it, and what to do.
    """
    try:
        file = SequenceFile.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise WorldError(f"{place}: {where}: {first['msg'].lower()}") from None
    try:
        base = Process.from_dict(file.process)
        for name in file.phrases:
            base.variable(name)
        phases = [Phase(name, _phase(file, form)) for name, form in file.phases.items()]
        return SequentialWorld(
            id=file.id,
            version=file.version,
            title=file.title,
            source=file.source,
            story=file.story,
            play=Play.from_dict(file.play.model_dump()),
            phases=tuple(phases) or (Phase(BASE, base),),
            phrases={n: Phrase(p.noun, p.values, p.do) for n, p in file.phrases.items()},
            family=file.family,
            knobs=file.knobs,
        )
    except CausalBenchError as error:
        raise WorldError(f"{place}: {error}") from None


def sequence_to_dict(world: SequentialWorld) -> dict[str, Any]:
    """Return a world as the dict of its file."""
    base = world.process.to_dict()
    phases = {}
    for phase in world.phases:
        own = phase.process.to_dict()
        # A later mechanism that equals the first step's is not listed, so one that a phase turns
        # back to it has to be.
        later = {name: own["later"].get(name, own["first"][name]) for name in own["first"]}
        usual = {name: base["later"].get(name, base["first"][name]) for name in base["first"]}
        form: dict[str, Any] = {
            "first": {n: m for n, m in own["first"].items() if m != base["first"][n]},
            "later": {n: m for n, m in later.items() if m != usual[n]},
        }
        if own["horizon"] != base["horizon"]:
            form["horizon"] = own["horizon"]
        phases[phase.name] = form
    plain = len(phases) == 1 and world.phases[0].name == BASE
    return {
        "schema": 1,
        "kind": "sequence",
        "id": world.id,
        "version": world.version,
        "title": world.title,
        "source": world.source,
        "story": world.story,
        "family": world.family,
        "knobs": dict(world.knobs),
        "process": base,
        "phases": {} if plain else phases,
        "play": world.play.to_dict(),
        "phrases": {name: phrase.to_dict() for name, phrase in world.phrases.items()},
    }


def _phase(file: SequenceFile, form: _PhaseForm) -> Process:
    """Build the process of a phase: the file's, with the phase's mechanisms put in."""
    given = file.process
    later = {**(given.get("later") or {})}
    for name in form.first:
        later.setdefault(name, given["first"].get(name))
    return Process.from_dict(
        {
            **given,
            "first": {**given["first"], **form.first},
            "later": {**later, **form.later},
            "horizon": form.horizon or given["horizon"],
        }
    )
