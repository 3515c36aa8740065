"""Read suite files: what a suite is made of, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from causalbench.errors import WorldError, suggest
from causalbench.task.honesty import KINDS
from causalbench.task.listed import ListedHonesty, ListedTwins
from causalbench.task.strata import Stratum, strata_from_list
from causalbench.task.twin import LAB
from causalbench.task.types import Track

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CELLS", "RUNGS", "TRACKS", "Block", "Recipe", "recipe_from_dict"]

TRACKS: tuple[Track, ...] = get_args(Track)
CELLS = ("mechanisms", "diagram", "lab")
RUNGS = (1, 2, 3)
_TWO = 2


@dataclass(frozen=True)
class Block:
    """Generated pairs of one rung, track and cell."""

    rung: int
    track: Track
    cell: str
    pairs: int


@dataclass(frozen=True)
class Recipe:
    """What a suite is made of.

    Args:
        name: of the suite.
        version: rises whenever an item may change.
        title: one line.
        story: told with every listed pair.
        lab: rows, interventions and replays of a lab.
        blocks: generated pairs.
        strata: generated pairs by type of question and terms.
        honesty: kind -> number of generated honesty items.
        twins: listed pairs.
        items: listed honesty items.
        worlds: named worlds whose own questions are asked.
        data: the file as read, which the digest covers.
        shift: what differs between practice and test, a name of `causalbench.task.shifts`; "" is
            nothing.
    """

    name: str
    version: int
    title: str
    story: str = ""
    lab: Mapping[str, int] = field(default_factory=lambda: dict(LAB), hash=False)
    blocks: tuple[Block, ...] = ()
    strata: tuple[Stratum, ...] = ()
    honesty: tuple[tuple[str, int], ...] = ()
    twins: tuple[ListedTwins, ...] = ()
    items: tuple[ListedHonesty, ...] = ()
    worlds: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)
    shift: str = ""


def recipe_from_dict(data: Any, place: str) -> Recipe:
    """Build a recipe from the content of a suite file.

    Args:
        data: as YAML reads it.
        place: the file's name, for messages.

    Raises:
        WorldError: a key is unknown, missing or malformed; the message names it.
    """
    known = ("schema", "name", "version", "title", "story", "lab", "pairs", "honesty", "twins")
    shares = ("sizes", "surfaces", "motifs")
    top = _mapping(data, place, (*known, *shares, "strata", "worlds"))
    for key in ("schema", "name", "version", "title"):
        if key not in top:
            raise WorldError(f"{place}: '{key}' is missing; add it.")
    if top["schema"] != 1:
        raise WorldError(f"{place}: schema is {top['schema']!r}; this version reads schema 1.")
    honesty = top.get("honesty") or {}
    counts = honesty if isinstance(honesty, Mapping) else {}
    listed = [] if isinstance(honesty, Mapping) else _list(honesty, f"{place}: honesty")
    lab = _mapping(top.get("lab") or dict(LAB), f"{place}: lab", tuple(LAB))
    return Recipe(
        name=_text(top["name"], f"{place}: name"),
        version=_count(top["version"], f"{place}: version"),
        title=_text(top["title"], f"{place}: title"),
        story=_text(top.get("story") or "", f"{place}: story"),
        lab={key: _count(lab.get(key, 0), f"{place}: lab.{key}") for key in LAB},
        blocks=tuple(_blocks(top.get("pairs") or {}, f"{place}: pairs")),
        strata=strata_from_list(
            top.get("strata", []), f"{place}: strata", {key: top.get(key) for key in shares}
        ),
        honesty=tuple(
            (_one_of(kind, tuple(KINDS), f"{place}: honesty"), _count(count, f"{place}: {kind}"))
            for kind, count in counts.items()
        ),
        twins=tuple(
            _twins(each, f"{place}: twins[{number}]")
            for number, each in enumerate(_list(top.get("twins", []), f"{place}: twins"))
        ),
        items=tuple(
            _item(each, f"{place}: honesty[{number}]") for number, each in enumerate(listed)
        ),
        worlds=tuple(
            _text(name, f"{place}: worlds")
            for name in _list(top.get("worlds", []), f"{place}: worlds")
        ),
        data=top,
    )


def _blocks(pairs: Any, place: str) -> Iterable[Block]:
    tracks = _mapping(pairs, place, TRACKS)
    for rung in RUNGS:
        for track in TRACKS:
            cells = _mapping(tracks.get(track) or {}, f"{place}.{track}", CELLS)
            for cell, count in cells.items():
                number = _count(count, f"{place}.{track}.{cell}")
                if number:
                    yield Block(rung, track, cell, number)


def _twins(data: Any, place: str) -> ListedTwins:
    known = ("rung", "worlds", "construction", "cells", "estimates", "decision")
    entry = _mapping(data, place, known)
    worlds = [_text(name, f"{place}.worlds") for name in _list(entry.get("worlds"), place)]
    if len(worlds) != _TWO:
        raise WorldError(f"{place}.worlds names {len(worlds)} worlds; a pair has two.")
    if entry.get("rung") not in RUNGS:
        raise WorldError(f"{place}.rung is {entry.get('rung')!r}; take 1, 2 or 3.")
    return ListedTwins(
        rung=int(entry["rung"]),
        worlds=(worlds[0], worlds[1]),
        construction=_text(entry.get("construction") or "listed", f"{place}.construction"),
        cells=tuple(
            _one_of(cell, CELLS, f"{place}.cells") for cell in _list(entry.get("cells"), place)
        ),
        estimates=_maybe(entry.get("estimates"), f"{place}.estimates"),
        decision=_maybe(entry.get("decision"), f"{place}.decision"),
    )


def _item(data: Any, place: str) -> ListedHonesty:
    entry = _mapping(data, place, ("world", "kind", "query"))
    return ListedHonesty(
        world=_text(entry.get("world"), f"{place}.world"),
        kind=_one_of(entry.get("kind"), tuple(KINDS), f"{place}.kind"),
        query=_text(entry.get("query"), f"{place}.query"),
    )


def _mapping(value: Any, place: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise WorldError(f"{place} is a {type(value).__name__}; it must be a mapping of keys.")
    for key in value:
        _one_of(key, known, place)
    return dict(value)


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise WorldError(f"{place} is a {type(value).__name__}; it must be a list.")
    return value


def _one_of(value: Any, known: tuple[str, ...], place: str) -> str:
    if value not in known:
        near = suggest(str(value), known)
        raise WorldError(f"{place}: '{value}' is none of {', '.join(known)}.{near}")
    return str(value)


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise WorldError(f"{place} is {value!r}; it must be text.")
    return value


def _maybe(value: Any, place: str) -> str | None:
    return None if value is None else _text(value, place)


def _count(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WorldError(f"{place} is {value!r}; it must be a whole number of 0 or more.")
    return value
