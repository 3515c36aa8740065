"""What a suite builds, piece by piece: pairs, honesty items, named worlds; and in what order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from causalbench import rng as draws
from causalbench.task.construct.network import network_pair
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.honesty import KINDS, honesty_case, honesty_track
from causalbench.task.listed import ListedHonesty, ListedTwins, listed_honesty, listed_pair
from causalbench.task.named import named_cases
from causalbench.task.recipe import TRACKS, Block, Recipe
from causalbench.task.shifts import planned, shift_of, shifted_pair
from causalbench.task.twin import make_pair, stratum_pair
from causalbench.task.types import Traits
from causalbench.task.world import World, load_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np

    from causalbench.task.strata import Stratum
    from causalbench.task.types import Case, Placement, Track

__all__ = ["Job", "Placed", "jobs_of", "ordered", "spread", "wanted"]


class Placed(Protocol):
    """A case, or what stands for one while a suite is put in order."""

    @property
    def placement(self) -> Placement:
        """Where it stands in its suite."""


_Placed = TypeVar("_Placed", bound=Placed)
_T = TypeVar("_T")
_INSTEAD = {"motif": ("free",)}  # where the motif that is wanted bears no pair


@dataclass(frozen=True)
class Job:
    """Something to build: a pair, an honesty item, or a world's own questions.

    Args:
        role: ``skill``, ``honesty`` or ``named``.
        rung: of its questions; None where it holds several.
        track: likewise.
        cell: of its cases.
        build: seed -> cases.
        part: what it is one of several of, where rung, track and cell do not say.
        traits: what its cases are to be, where its suite says so.
        instead: trait -> what may come in its place.
    """

    role: str
    rung: int | None
    track: str | None
    cell: str
    build: Callable[[int], list[Case]]
    part: str = ""
    traits: Traits = field(default_factory=Traits)
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def may_hold(self, where: Mapping[str, Any]) -> bool:
        """Say whether any of its cases can pass the filter."""
        own = {"role": self.role, "rung": self.rung, "track": self.track, "cell": self.cell}
        known = {**own, **self.traits.to_dict()}
        return all(
            known.get(name) is None
            or not wanted(value).isdisjoint({str(known[name]), *self.instead.get(name, ())})
            for name, value in where.items()
        )


def jobs_of(recipe: Recipe, world: World | None) -> Iterator[Job]:
    """Yield everything that a suite builds, in a fixed order.

    Args:
        recipe: what the suite is made of.
        world: the world on which its pairs are made; None draws worlds.
    """
    yield from _pairs(recipe, world)
    if recipe.shift:
        return  # only pairs that are drawn have two sides
    yield from _honest(recipe)
    if world is not None:
        yield Job("named", None, None, "mechanisms", partial(_named, recipe, world))
    for name in recipe.worlds:
        yield Job("named", None, None, "mechanisms", partial(_named_by_name, recipe, name))


def _pairs(recipe: Recipe, world: World | None) -> Iterator[Job]:
    for block in recipe.blocks:
        for index in range(block.pairs):
            build = (
                partial(_generated, recipe, block, index)
                if world is None
                else partial(_on_world, world, recipe, block, index)
            )
            yield Job("skill", block.rung, block.track, block.cell, build)
    for stratum in recipe.strata:
        kind, cell = stratum.kind, stratum.terms.cell
        for index in range(stratum.pairs):
            traits = planned(stratum, index)
            if recipe.shift and not shift_of(recipe.shift).test.may_hold(traits):
                continue
            build = partial(_of_stratum, recipe, stratum, index)
            yield Job("skill", kind.rung, kind.track, cell, build, stratum.name, traits, _INSTEAD)
    for listed in recipe.twins:
        for track in TRACKS:
            if (listed.estimates if track == "estimates" else listed.decision) is not None:
                for cell in listed.cells:
                    named = partial(_listed, recipe, listed, track, cell)
                    yield Job("skill", listed.rung, track, cell, named)


def _honest(recipe: Recipe) -> Iterator[Job]:
    for kind, count in recipe.honesty:
        rung, cell, _ = KINDS[kind]
        part = kind if recipe.strata else ""  # one item of each kind in turn, where there are many
        for index in range(count):
            build = partial(_honesty, recipe, kind, index)
            yield Job("honesty", rung, honesty_track(kind), cell, build, part)
    for index, item in enumerate(recipe.items):
        rung, cell, _ = KINDS[item.kind]
        yield Job("honesty", rung, "estimates", cell, partial(_listed_item, recipe, item, index))


def ordered(
    pairs: list[list[_Placed]], singles: list[_Placed], rng: np.random.Generator
) -> list[_Placed]:
    """Put the cases in an order that tells nothing: a coin a pair, members far apart."""
    first: list[_Placed] = []
    second: list[_Placed] = []
    for pair in pairs:
        coin = int(draws.integers(rng, 2))
        for place, case in enumerate(pair):
            (first if (place + coin) % 2 == 0 else second).append(case)
    parts = [
        [part[int(place)] for place in draws.permutation(rng, len(part))]
        for part in (first, singles, second)
    ]
    if len(first) > 1 and not singles:
        last, opening = parts[0][-1].placement, parts[2][0].placement
        if last.pair_id == opening.pair_id:
            parts[2].append(parts[2].pop(0))
    return [case for part in parts for case in part]


def spread(jobs: list[Job]) -> list[Job]:
    """Take one job of each part in turn, so that a limit cuts all parts alike.

    Neighbours among the parts differ in cell, then in type of question, then in terms: a small
    limit, which cuts the first round short, still meets all rungs.
    """
    cells: dict[tuple[Any, ...], dict[str, dict[str, list[Job]]]] = {}
    for job in jobs:
        forms = cells.setdefault((job.role, job.rung, job.track, job.cell), {})
        parts = forms.setdefault(job.part.partition("/")[0], {})
        parts.setdefault(job.part, []).append(job)
    turned = (
        _in_turn([_from(list(parts.values()), place) for place, parts in enumerate(forms.values())])
        for forms in cells.values()
    )
    return _in_turn(_in_turn(list(turned)))


def _in_turn(lists: list[list[_T]]) -> list[_T]:
    """Take the first of each list, then the second of each, until all are empty."""
    longest = max(map(len, lists), default=0)
    return [each[turn] for turn in range(longest) for each in lists if turn < len(each)]


def _from(items: list[_T], place: int) -> list[_T]:
    """Turn a list so that it starts at a place."""
    start = place % len(items)
    return items[start:] + items[:start]


def _generated(recipe: Recipe, block: Block, index: int, seed: int) -> list[Case]:
    place = Place(recipe.name, block.track, block.cell, index)
    return list(make_pair(place, block.rung, seed, lab=recipe.lab))


def _of_stratum(recipe: Recipe, stratum: Stratum, index: int, seed: int) -> list[Case]:
    if recipe.shift:
        return shifted_pair(recipe.name, recipe.shift, stratum, index, seed)
    return list(stratum_pair(recipe.name, stratum, index, seed))


def _on_world(world: World, recipe: Recipe, block: Block, index: int, seed: int) -> list[Case]:
    task = f"{recipe.name}/{block.rung}/{block.track}/{block.cell}"
    rng = draws.generator(seed, task, index)
    private, search = draws.child(rng), draws.child(rng)
    draft = network_pair(
        world.scm,
        block.rung,
        block.track,
        block.cell,
        index,
        rng=search,
        parts=block.pairs,
    )
    # One world is one base, however many pairs are made on it: it says nothing of other worlds.
    place = Place(recipe.name, block.track, block.cell, index, phrases=world.phrases, base=world.id)
    return list(pair_cases(draft, place, lab=recipe.lab, rng=private))


def _listed(recipe: Recipe, listed: ListedTwins, track: Track, cell: str, seed: int) -> list[Case]:
    pair = listed_pair(recipe.name, listed, track, cell, seed, story=recipe.story, lab=recipe.lab)
    return list(pair)


def _honesty(recipe: Recipe, kind: str, index: int, seed: int) -> list[Case]:
    return [honesty_case(recipe.name, kind, index, seed, lab=recipe.lab)]


def _listed_item(recipe: Recipe, item: ListedHonesty, index: int, seed: int) -> list[Case]:
    return [listed_honesty(recipe.name, item, index, seed, story=recipe.story, lab=recipe.lab)]


def _named(recipe: Recipe, world: World, seed: int) -> list[Case]:
    return named_cases(recipe.name, world, seed)


def _named_by_name(recipe: Recipe, name: str, seed: int) -> list[Case]:
    return named_cases(recipe.name, load_world(name), seed)


def wanted(value: Any) -> set[str]:
    """Return the texts that a filter's value allows: itself, or each of several."""
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        return {str(value)}
    return {str(each) for each in value}
