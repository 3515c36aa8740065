"""Read story files: places, and what can be said of them in the order in which it comes about.

A file of ``tasks/stories`` holds a place and at least ten concepts, causes before effects as people
think of them. A concept is a singular noun, four adjectives in order, and a unit:

    {noun: soil moisture, scale: [low, fair, good, excessive], unit: percent}

so that "the soil moisture is good" and "you make the soil moisture good" are English.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from causalbench.errors import WorldError
from causalbench.scm.yaml_text import load_yaml
from causalbench.task.catalogue import data_files

__all__ = ["RESERVED", "Concept", "Story", "stories", "story_from_dict"]

_KEPT = """
a an and any argmax at be case do e either given if in is it most not number or other p pass
probability set than that the then to unseen value what when with you
independent monotone antitone mixture
"""
RESERVED = frozenset(_KEPT.split())
"""Words that mean something in the query language, in a label or in a sentence around one."""
_Words = Annotated[str, StringConstraints(pattern=r"^[a-z]+( [a-z]+)*$", max_length=40)]
_Word = Annotated[str, StringConstraints(pattern=r"^[a-z]+$", max_length=20)]


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that may be so or otherwise.

    Args:
        noun: singular, without an article, e.g. ``"soil moisture"``.
        scale: four adjectives, from little to much.
        unit: what it is measured in, a plural, e.g. ``"litres"``.
    """

    noun: str
    scale: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Story:
    """A place and what can be said of it.

    Args:
        name: of the file.
        place: with its article, e.g. ``"a hill farm"``.
        case: what one case is, e.g. ``"one week"``.
        concepts: causes before effects, as people think of them.
    """

    name: str
    place: str
    case: str
    concepts: tuple[Concept, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Concept(_Strict):
    noun: _Words
    scale: Annotated[list[_Word], Field(min_length=4, max_length=4)]
    unit: _Words


class _Story(_Strict):
    schema_: Literal[1] = Field(alias="schema")
    name: Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]
    place: _Words
    case: _Words
    concepts: Annotated[list[_Concept], Field(min_length=10)]


@lru_cache(maxsize=1)
def stories() -> tuple[Story, ...]:
    """Return all stories, sorted by name.

    Raises:
        WorldError: a file is malformed; the message names it.
    """
    files = sorted(data_files("stories").items())
    return tuple(
        story_from_dict(load_yaml(file.read_text(encoding="utf-8"), file.name), file.name)
        for _, file in files
    )


def story_from_dict(data: Any, place: str) -> Story:
    """Build a story from the content of a file.

    Args:
        data: as YAML reads it.
        place: the file's name, for messages.

    Raises:
        WorldError: a field is missing, unknown or malformed, a noun or an adjective comes twice, or
            a word is reserved.
    """
    if not isinstance(data, dict):
        raise WorldError(f"{place}: a {type(data).__name__} stands here; write a mapping of keys.")
    try:
        form = _Story.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WorldError(f"{place}: {where}: {first['msg']}; mend it.") from None
    nouns = [concept.noun for concept in form.concepts]
    _check(nouns, f"{place}: nouns")
    for concept in form.concepts:
        _check(concept.scale, f"{place}: scale of '{concept.noun}'")
    return Story(
        name=form.name,
        place=form.place,
        case=form.case,
        concepts=tuple(
            Concept(concept.noun, tuple(concept.scale), concept.unit) for concept in form.concepts
        ),
    )


def _check(words: list[str], where: str) -> None:
    """Refuse a word that comes twice or that is reserved."""
    for place, word in enumerate(words):
        if word in words[:place]:
            raise WorldError(f"{where}: '{word}' comes twice; each must differ.")
        if word in RESERVED:
            raise WorldError(f"{where}: '{word}' is reserved; take another word.")
