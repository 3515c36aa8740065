"""Suites: named, versioned recipes of pairs, honesty items and named worlds' questions."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from importlib import import_module, resources
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench import rng as draws
from causalbench.errors import (
    CausalBenchError,
    NotFoundError,
    TwinError,
    UnknownNameError,
    suggest,
)
from causalbench.task.catalogue import list_bnlearn, list_worlds
from causalbench.task.construct.network import network_pair
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.encode import canonical_json, key_to_dict
from causalbench.task.honesty import KINDS, honesty_case
from causalbench.task.listed import listed_honesty, listed_pair
from causalbench.task.named import named_cases
from causalbench.task.recipe import TRACKS, Block, Recipe, recipe_from_dict
from causalbench.task.twin import make_pair
from causalbench.task.world import World, load_world

if TYPE_CHECKING:
    from causalbench.task.practice import Practice
    from causalbench.task.types import Case, Dossier, Placement, Question, Track

__all__ = ["Suite", "case_to_dict", "list_suites", "load_suite", "make", "questions"]

_GROUP, _PREFIX = "causalbench", "suite."
_FIELDS = ("rung", "track", "cell", "role", "construction", "base", "pair_id", "side")
_WORLD_PAIRS = 2  # for each rung, track and cell of a suite made from one world
Where = Mapping[str, Any]


@dataclass(frozen=True)
class _Job:
    """Something to build: a pair, an honesty item, or a world's own questions."""

    role: str
    rung: int | None
    track: str | None
    cell: str
    build: Callable[[int], list[Case]]

    def may_hold(self, where: Where) -> bool:
        """Say whether any of its cases can pass the filter."""
        own = {"role": self.role, "rung": self.rung, "track": self.track, "cell": self.cell}
        return all(
            own.get(name) is None or str(own[name]) in _wanted(value)
            for name, value in where.items()
        )


@dataclass(frozen=True)
class Suite:
    """A named, versioned recipe; the same seed gives the same cases everywhere.

    Args:
        recipe: what it is made of.
        world: a world that stands in place of a suite: twins are made on it.
    """

    recipe: Recipe
    world: World | None = field(default=None, hash=False)

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.recipe.name

    @property
    def version(self) -> int:
        """Rises whenever an item may change."""
        return self.recipe.version

    @property
    def title(self) -> str:
        """One line."""
        return self.recipe.title

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the recipe and of the first cases of every part at seed 0."""
        seen: dict[tuple[Any, ...], int] = {}
        parts: list[Any] = [dict(self.recipe.data)]
        if self.world is not None:
            parts.append(self.world.to_dict())
        for job in self._jobs():
            key = (job.role, job.rung, job.track, job.cell)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= 2:  # noqa: PLR2004
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    parts.append([case_to_dict(case) for case in self._built(job, 0)])
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()

    def cases(
        self,
        seed: int = 0,
        *,
        limit: int | None = None,
        filter: Where | Callable[[Placement], bool] | None = None,  # noqa: A002  (pinned name)
    ) -> list[Case]:
        """Build the cases of a seed.

        Their order is a private coin: one member of each pair comes in the first part, the other in
        the last, everything else between.

        Args:
            seed: a non-negative integer; another seed gives other items.
            limit: at most so many pairs, spread over the parts of the suite, and as many honesty
                items and worlds.
            filter: placement field -> wanted value (or several, in a list), or a function of the
                placement.

        Returns:
            The cases, keys included.

        Raises:
            UnknownNameError: a filter on a field that placements do not have.
            TwinError: a world of which no twins can be made.
        """
        where = _checked(filter) if isinstance(filter, Mapping) else {}
        keep = filter if callable(filter) else partial(_passes, where)
        pairs: list[list[Case]] = []
        singles: list[Case] = []
        left = {role: limit for role in ("skill", "honesty", "named")}
        for job in _spread([job for job in self._jobs() if job.may_hold(where)]):
            room = left[job.role]
            if room == 0:
                continue
            built = [case for case in self._built(job, seed) if keep(case.placement)]
            if not built:
                continue
            left[job.role] = None if room is None else room - 1
            if job.role == "skill":
                pairs.append(built)
            else:
                singles.extend(built)
        if self.world is not None and not pairs and not singles and limit != 0:
            msg = (
                f"no twins can be made of world '{self.name}' here and it has no questions of its "
                "own; take a world with causes and effects of some strength."
            )
            raise TwinError(msg)
        return _ordered(pairs, singles, draws.generator(seed, f"{self.name}/order"))

    def pair(self, rung: int, track: Track, cell: str, index: int, seed: int = 0) -> list[Case]:
        """Build one pair alone; it equals the same pair of the whole suite, side 0 first.

        Raises:
            NotFoundError: the suite has no such pair.
        """
        jobs = [
            job
            for job in self._jobs()
            if (job.role, job.rung, job.track, job.cell) == ("skill", rung, track, cell)
        ]
        if not 0 <= index < len(jobs):
            msg = (
                f"suite '{self.name}' has {len(jobs)} pairs for rung {rung}, {track}, {cell}; "
                f"there is no number {index}."
            )
            raise NotFoundError(msg)
        return jobs[index].build(seed)

    def practice(self, seed: int = 0) -> Practice:
        """Return worlds to train on: drawn alike, none of them in the suite at any seed."""
        from causalbench.task.practice import Practice

        return Practice(self, seed)

    def _jobs(self) -> Iterator[_Job]:
        recipe = self.recipe
        for block in recipe.blocks:
            for index in range(block.pairs):
                build = (
                    partial(_generated, recipe, block, index)
                    if self.world is None
                    else partial(_on_world, self.world, recipe, block, index)
                )
                yield _Job("skill", block.rung, block.track, block.cell, build)
        for listed in recipe.twins:
            for track in TRACKS:
                if (listed.estimates if track == "estimates" else listed.decision) is not None:
                    for cell in listed.cells:
                        build = partial(_listed, recipe, listed, track, cell)
                        yield _Job("skill", listed.rung, track, cell, build)
        for kind, count in recipe.honesty:
            rung, cell, _ = KINDS[kind]
            for index in range(count):
                build = partial(_honesty, recipe, kind, index)
                yield _Job("honesty", rung, "estimates", cell, build)
        for index, item in enumerate(recipe.items):
            rung, cell, _ = KINDS[item.kind]
            build = partial(_listed_item, recipe, item, index)
            yield _Job("honesty", rung, "estimates", cell, build)
        if self.world is not None:
            yield _Job("named", None, None, "mechanisms", partial(_named, recipe, self.world))
        for name in recipe.worlds:
            yield _Job("named", None, None, "mechanisms", partial(_named_by_name, recipe, name))

    def _built(self, job: _Job, seed: int) -> list[Case]:
        """Build a job; on a given world, say where nothing can be made."""
        if self.world is None:
            return job.build(seed)
        try:
            return job.build(seed)
        except TwinError as error:
            warnings.warn(f"suite '{self.name}': {error}", stacklevel=3)
            return []


def list_suites() -> list[str]:
    """List the names of suites: built-in ones, then plug-ins, each sorted."""
    built_in = sorted(_files())
    plugins = sorted(point.name.removeprefix(_PREFIX) for point in _plugins())
    return built_in + [name for name in plugins if name not in built_in]


def load_suite(name: str | Path | World | Suite) -> Suite:
    """Load a suite.

    Args:
        name: a suite's name (`list_suites`), the path of a suite file, or a world in place of a
            suite: whatever `load_world` takes, such as ``"bnlearn/sachs"`` or a BIF path.

    Raises:
        NotFoundError: no suite or world of that name.
        WorldError: a malformed file.
    """
    if isinstance(name, Suite):
        return name
    if isinstance(name, World):
        return _of_world(name)
    text = str(name)
    files = _files()
    if text in files:
        return _built_in(text)
    point = next((point for point in _plugins() if point.name == _PREFIX + text), None)
    if point is not None:
        found = _from_plugin(point)
        if found is not None:
            return found
    path = Path(name)
    if text.endswith((".yaml", ".yml")) and path.is_file():
        data = _yaml(path.read_text(encoding="utf-8"), path.name)
        if isinstance(data, Mapping) and "mechanisms" not in data and "variables" not in data:
            return Suite(recipe_from_dict(data, path.name))
    try:
        return _of_world(load_world(name))
    except NotFoundError:
        near = suggest(text, [*list_suites(), *list_worlds(), *list_bnlearn()])
        msg = (
            f"no suite or world is called '{text}', and no file lies there.{near} "
            "`causalbench list suites` and `list worlds` show all; a path works."
        )
        raise NotFoundError(msg) from None


def make(
    suite: str | Path | World | Suite,
    seed: int = 0,
    limit: int | None = None,
    where: Where | Callable[[Placement], bool] | None = None,
) -> list[Case]:
    """Build the cases of a suite, keys included (see `Suite.cases`)."""
    return load_suite(suite).cases(seed, limit=limit, filter=where)


def questions(
    suite: str | Path | World | Suite,
    seed: int = 0,
    limit: int | None = None,
    where: Where | Callable[[Placement], bool] | None = None,
) -> list[tuple[Dossier, list[Question]]]:
    """Build what an agent may see of a suite: dossiers with their questions, no keys."""
    return [
        (case.dossier, [item.question for item in case.items])
        for case in make(suite, seed, limit, where)
    ]


def case_to_dict(case: Case) -> dict[str, Any]:
    """Return a case as JSON-ready values, key and placement included, the world by its digest."""
    place = case.placement
    return {
        "dossier": case.dossier.to_dict(),
        "questions": [item.question.to_dict() for item in case.items],
        "keys": [key_to_dict(item.key) for item in case.items],
        "placement": {name: getattr(place, name) for name in _FIELDS},
    }


def _generated(recipe: Recipe, block: Block, index: int, seed: int) -> list[Case]:
    place = Place(recipe.name, block.track, block.cell, index)
    return list(make_pair(place, block.rung, seed, lab=recipe.lab))


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
    place = Place(recipe.name, block.track, block.cell, index, phrases=world.phrases)
    return list(pair_cases(draft, place, lab=recipe.lab, rng=private))


def _listed(recipe: Recipe, listed: Any, track: Track, cell: str, seed: int) -> list[Case]:
    pair = listed_pair(recipe.name, listed, track, cell, seed, story=recipe.story, lab=recipe.lab)
    return list(pair)


def _honesty(recipe: Recipe, kind: str, index: int, seed: int) -> list[Case]:
    return [honesty_case(recipe.name, kind, index, seed, lab=recipe.lab)]


def _listed_item(recipe: Recipe, item: Any, index: int, seed: int) -> list[Case]:
    return [listed_honesty(recipe.name, item, index, seed, story=recipe.story, lab=recipe.lab)]


def _named(recipe: Recipe, world: World, seed: int) -> list[Case]:
    return named_cases(recipe.name, world, seed)


def _named_by_name(recipe: Recipe, name: str, seed: int) -> list[Case]:
    return named_cases(recipe.name, load_world(name), seed)


def _of_world(world: World) -> Suite:
    if not world.scm.is_discrete:
        blocks: tuple[Block, ...] = ()
    else:
        blocks = tuple(
            Block(rung, track, cell, _WORLD_PAIRS)
            for rung in (1, 2, 3)
            for track in TRACKS
            for cell in ("mechanisms", "lab")
        )
    recipe = Recipe(
        name=world.id,
        version=world.version,
        title=f"Twins made on {world.title}",
        blocks=blocks,
        data={"world": world.id, "version": world.version, "pairs": _WORLD_PAIRS},
    )
    return Suite(recipe, world)


def _ordered(pairs: list[list[Case]], singles: list[Case], rng: Any) -> list[Case]:
    """Put the cases in an order that tells nothing: a coin a pair, members far apart."""
    first, second = [], []
    for pair in pairs:
        coin = int(draws.integers(rng, 2))
        for place, case in enumerate(pair):
            (first if (place + coin) % 2 == 0 else second).append(case)
    parts = []
    for part in (first, singles, second):
        parts.append([part[int(place)] for place in draws.permutation(rng, len(part))])
    if len(first) > 1 and not singles:
        last, opening = parts[0][-1].placement, parts[2][0].placement
        if last.pair_id == opening.pair_id:
            parts[2].append(parts[2].pop(0))
    return [case for part in parts for case in part]


def _spread(jobs: list[_Job]) -> list[_Job]:
    """Take one job of each part in turn, so that a limit cuts all parts alike."""
    parts: dict[tuple[Any, ...], list[_Job]] = {}
    for job in jobs:
        parts.setdefault((job.role, job.rung, job.track, job.cell), []).append(job)
    longest = max((len(part) for part in parts.values()), default=0)
    return [part[turn] for turn in range(longest) for part in parts.values() if turn < len(part)]


def _checked(where: Where) -> dict[str, Any]:
    for name in where:
        if name not in _FIELDS:
            msg = (
                f"cases have no field '{name}' to filter by; take one of {', '.join(_FIELDS)}."
                f"{suggest(str(name), _FIELDS)}"
            )
            raise UnknownNameError(msg)
    return dict(where)


def _passes(where: Where, placement: Placement) -> bool:
    return all(str(getattr(placement, name)) in _wanted(value) for name, value in where.items())


def _wanted(value: Any) -> set[str]:
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        return {str(value)}
    return {str(each) for each in value}


def _files() -> dict[str, Any]:
    folder = resources.files("causalbench.tasks") / "suites"
    return {
        file.name.removesuffix(".yaml"): file
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    }


@lru_cache(maxsize=32)
def _built_in(name: str) -> Suite:
    text = _files()[name].read_text(encoding="utf-8")
    return Suite(recipe_from_dict(_yaml(text, f"{name}.yaml"), f"{name}.yaml"))


def _yaml(text: str, place: str) -> Any:
    from causalbench.scm.yaml_text import load_yaml

    return load_yaml(text, place)


def _plugins() -> list[EntryPoint]:
    return [point for point in entry_points(group=_GROUP) if point.name.startswith(_PREFIX)]


def _from_plugin(point: EntryPoint) -> Suite | None:
    """Load a plug-in suite; a broken one warns and counts as absent."""
    try:
        module, _, attribute = point.value.partition(":")
        target: Any = import_module(module)
        for part in attribute.split("."):
            target = getattr(target, part)
        target = target() if callable(target) else target
        if isinstance(target, (Suite, World, str, Path)):
            return load_suite(target)
        problem = f"it is a {type(target).__name__}; give a Suite, a World or a path"
    except (Exception, CausalBenchError) as error:  # noqa: BLE001  (a stranger's code)
        problem = f"{type(error).__name__}: {error}"
    warnings.warn(f"plug-in suite '{point.name}' is skipped: {problem}", stacklevel=3)
    return None
