"""Pairs and honesty items that a suite lists by name, made of worlds of the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.errors import WorldError
from causalbench.rng import child, generator
from causalbench.task.construct.draft import Draft
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.honesty import listed_case
from causalbench.task.world import load_world

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.types import Case, Track

__all__ = ["ListedHonesty", "ListedTwins", "listed_honesty", "listed_pair"]


@dataclass(frozen=True)
class ListedTwins:
    """Two named worlds that are twins.

    Args:
        rung: of the question.
        worlds: their names; phrases are the first one's.
        construction: how the second is made from the first.
        cells: the cells in which they are asked.
        estimates: the query of the track of estimates, or None.
        decision: the id of a decision of the first world, for the track of decisions, or None.
    """

    rung: int
    worlds: tuple[str, str]
    construction: str
    cells: tuple[str, ...]
    estimates: str | None = None
    decision: str | None = None


@dataclass(frozen=True)
class ListedHonesty:
    """A named world as an honesty item.

    Args:
        world: its name.
        kind: one of `causalbench.task.honesty.KINDS`.
        query: what is asked.
    """

    world: str
    kind: str
    query: str


def listed_pair(
    suite: str,
    listed: ListedTwins,
    track: Track,
    cell: str,
    seed: int,
    *,
    story: str,
    lab: Mapping[str, int],
) -> tuple[Case, Case]:
    """Build a listed pair in one cell.

    Raises:
        TwinError: the worlds are no twins on that rung.
        WorldError: the pair lists no question for the track.
    """
    first, second = (load_world(name) for name in listed.worlds)
    asked = listed.estimates if track == "estimates" else listed.decision
    if asked is None:
        msg = f"suite '{suite}' lists no {track} for {' and '.join(listed.worlds)}; add them."
        raise WorldError(msg)
    decision = None if track == "estimates" else first.decision(asked)
    draft = Draft(
        sides=(first.scm, second.scm),
        rung=listed.rung,
        construction=listed.construction,
        query=asked if decision is None else None,
        decision=decision,
    )
    place = Place(
        suite, track, cell, 0, story=story, phrases=first.phrases, base="/".join(listed.worlds)
    )
    rng = generator(seed, f"{suite}/{listed.rung}/{track}/{cell}")
    return pair_cases(draft, place, lab=lab, rng=child(rng))


def listed_honesty(
    suite: str,
    listed: ListedHonesty,
    index: int,
    seed: int,
    *,
    story: str,
    lab: Mapping[str, int],
) -> Case:
    """Build a listed honesty item."""
    world = load_world(listed.world)
    rng = generator(seed, f"{suite}/honesty/{listed.kind}", index)
    return listed_case(
        f"{suite}/honesty/{listed.kind}/{index}",
        listed.kind,
        world.scm,
        listed.query,
        lab=lab,
        rng=child(rng),
        story=story,
        phrases=world.phrases,
    )
