"""Suites: named, versioned recipes of pairs, honesty items and named worlds' questions."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from causalbench import rng as draws
from causalbench.errors import (
    NotFoundError,
    TwinError,
    UnknownNameError,
    suggest,
)
from causalbench.task.catalogue import data_files, list_bnlearn, list_worlds, plugins
from causalbench.task.difficulty import DIFFICULTY, load_difficulty
from causalbench.task.encode import canonical_json, key_to_dict
from causalbench.task.jobs import Job, Placed, jobs_of, ordered, spread, wanted
from causalbench.task.recipe import TRACKS, Block, Recipe, recipe_from_dict
from causalbench.task.shifts import shift_of, split_name
from causalbench.task.strata import VALUES
from causalbench.task.types import Traits
from causalbench.task.world import World, load_world

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

    from causalbench.task.difficulty import Difficulty
    from causalbench.task.practice import Practice
    from causalbench.task.types import Case, Dossier, Placement, Question, Track

__all__ = ["Suite", "case_to_dict", "list_suites", "load_suite", "make", "questions"]

_PREFIX = "suite."
_FIELDS = ("rung", "track", "cell", "role", "construction", "base", "pair_id", "side")
_TRAITS = tuple(each.name for each in fields(Traits))
_WORLD_PAIRS = 2  # for each rung, track and cell of a suite made from one world
_Placed = TypeVar("_Placed", bound=Placed)
Where = Mapping[str, Any]


@dataclass(frozen=True)
class Suite:
    """A named, versioned recipe; the same seed gives the same cases everywhere.

    Args:
        recipe: what it is made of.
        world: a world that stands in place of a suite: twins are made on it.
    """

    recipe: Recipe
    world: World | None = field(default=None, hash=False)

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lstrip('_')} {self.name} version {self.version}>"

    @property
    def name(self) -> str:
        """The suite's name, with a plus and the shift's where it has one."""
        return self.recipe.name + (f"+{self.recipe.shift}" if self.recipe.shift else "")

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
        """SHA-256 of the recipe and of the first cases of every part at seed 0.

        A part is a rung, track and cell; of strata, a type of question.
        """
        most = 2 if self.world is None else 1
        seen: dict[tuple[Any, ...], int] = {}
        parts: list[Any] = [dict(self.recipe.data)]
        if self.world is not None:
            parts.append(self.world.to_dict())
        for job in jobs_of(self.recipe, self.world):
            form = job.part.partition("/")[0]
            own: tuple[Any, ...] = (job.rung, job.track, job.cell)
            key = (job.role, form) if form else (job.role, *own)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= (1 if form else most):
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
        shift: str = "",
    ) -> list[Case]:
        """Build the cases of a seed.

        Their order is a private coin: one member of each pair comes in the first part, the other in
        the last, everything else between.

        Args:
            seed: a non-negative integer; another seed gives other items.
            limit: at most so many pairs, spread over the parts of the suite, and as many honesty
                items and worlds.
            filter: placement field, trait or ``difficulty`` -> wanted value (or several, in a
                list), or a function of the placement.
            shift: a name of `causalbench.task.shifts`: only pairs of its test side.

        Returns:
            The cases, keys included.

        Raises:
            UnknownNameError: a filter on a field that placements do not have, or on a type of
                question, size, motif, family or surface that there is not.
            NotFoundError: a filter on the difficulty of a suite of which it was not measured.
            TwinError: a world of which no twins can be made.
        """
        suite = self.shifted(shift) if shift else self
        return suite.in_order(suite.pieces(seed, limit=limit, filter=filter), seed)

    def pieces(
        self,
        seed: int = 0,
        *,
        limit: int | None = None,
        filter: Where | Callable[[Placement], bool] | None = None,  # noqa: A002  (as in `cases`)
    ) -> Iterator[list[Case]]:
        """Build the cases of a seed one piece at a time, for who can't hold them all.

        A piece is a pair of twins, an honesty item, or a world's own questions; `in_order` puts
        what is made of the pieces in the suite's order. Arguments and errors are those of `cases`.
        """
        where = _checked(filter) if isinstance(filter, Mapping) else {}
        measured = load_difficulty(self, where[DIFFICULTY]) if DIFFICULTY in where else None
        keep = filter if callable(filter) else partial(_passes, where, measured)
        made = False
        left: dict[str, int | None] = dict.fromkeys(("skill", "honesty", "named"), limit)
        for job in spread([job for job in jobs_of(self.recipe, self.world) if job.may_hold(where)]):
            room = left[job.role]
            if room == 0:
                continue
            built = [case for case in self._built(job, seed) if keep(case.placement)]
            if not built:
                continue
            left[job.role] = None if room is None else room - 1
            made = True
            yield built
        if self.world is not None and not made and limit != 0 and not filter:
            msg = (
                f"no twins can be made of world '{self.name}' here and it has no questions of its "
                "own; take a world with causes and effects of some strength."
            )
            raise TwinError(msg)

    def in_order(self, pieces: Iterable[list[_Placed]], seed: int = 0) -> list[_Placed]:
        """Put all pieces in the suite's order, which a private coin draws."""
        pairs: list[list[_Placed]] = []
        singles: list[_Placed] = []
        for piece in pieces:
            if piece[0].placement.role == "skill":
                pairs.append(piece)
            else:
                singles.extend(piece)
        return ordered(pairs, singles, draws.generator(seed, f"{self.name}/order"))

    def pair(self, rung: int, track: Track, cell: str, index: int, seed: int = 0) -> list[Case]:
        """Build one pair alone; it equals the same pair of the whole suite, side 0 first.

        Raises:
            NotFoundError: the suite has no such pair.
        """
        jobs = [
            job
            for job in jobs_of(self.recipe, self.world)
            if (job.role, job.rung, job.track, job.cell) == ("skill", rung, track, cell)
        ]
        if not 0 <= index < len(jobs):
            msg = (
                f"suite '{self.name}' has {len(jobs)} pair{'' if len(jobs) == 1 else 's'} "
                f"for rung {rung}, {track}, {cell}; "
                f"there is no number {index}."
            )
            raise NotFoundError(msg)
        return jobs[index].build(seed)

    def practice(self, seed: int = 0, *, shift: str = "") -> Practice:
        """Return worlds to train on: drawn alike, none of them in the suite at any seed.

        Args:
            seed: another seed gives other worlds.
            shift: a name of `causalbench.task.shifts`: only worlds of its training side.

        Raises:
            NotFoundError: no such shift, or the suite can't be split.
        """
        from causalbench.task.practice import Practice

        return Practice(self.shifted(shift) if shift else self, seed)

    def shifted(self, shift: str) -> Suite:
        """Return the suite's test side of a shift, whose practice is the shift's training side.

        Args:
            shift: a name of `causalbench.task.shifts`; with ``=`` after it the test is on pairs
                like those practised on.

        Raises:
            NotFoundError: no such shift, or the suite can't be split.
        """
        found = shift_of(shift)
        if not self.recipe.strata or self.recipe.shift:
            msg = (
                f"suite '{self.name}' can't be split by '{shift}'; take one that is made of "
                "strata, such as ladder-v1."
            )
            raise NotFoundError(msg)
        recipe = self.recipe
        data = {**recipe.data, "shift": found.name}
        return Suite(replace(recipe, shift=found.name, data=data), self.world)

    def _built(self, job: Job, seed: int) -> list[Case]:
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
    built_in = sorted(data_files("suites"))
    return built_in + [name for name in sorted(plugins(_PREFIX)) if name not in built_in]


def load_suite(name: str | Path | World | Suite) -> Suite:
    """Load a suite.

    Args:
        name: a suite's name (`list_suites`), the path of a suite file, or a world in place of a
            suite: whatever `load_world` takes, such as ``"bnlearn/sachs"`` or a BIF path. A plus
            and a shift's name after a suite's give its test side: ``"ladder-v1+size"``.

    Raises:
        NotFoundError: no suite or world of that name.
        WorldError: a malformed file.
    """
    if isinstance(name, Suite):
        return name
    if isinstance(name, World):
        return _of_world(name)
    text = str(name)
    plain, shift = split_name(text)
    point = plugins(_PREFIX).get(plain)
    known = None
    if plain in data_files("suites"):
        known = _built_in(plain)
    elif point is not None:
        known = _from_plugin(point)
    if known is not None:
        return known.shifted(shift) if shift else known
    path = Path(name)
    if text.endswith((".yaml", ".yml")) and path.is_file():
        data = _yaml(path.read_text(encoding="utf-8"), path.name)
        if isinstance(data, Mapping) and "mechanisms" not in data and "variables" not in data:
            return Suite(recipe_from_dict(data, path.name))
    try:
        return _of_world(load_world(name))
    except NotFoundError:
        names = [*data_files("sequences"), *list_suites(), *list_worlds(), *list_bnlearn()]
        near = suggest(text, names)
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
        "placement": {name: getattr(place, name) for name in _FIELDS} | _more(place),
    }


def _more(place: Placement) -> dict[str, Any]:
    """Return what only suites that say what kind of task a case is tell of where it stands."""
    traits = place.traits.to_dict()
    if not traits:
        return {}
    return {"traits": traits} | ({} if place.ceiling is None else {"ceiling": place.ceiling})


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


def _checked(where: Where) -> dict[str, Any]:
    """Refuse what no case can be, before all of them are built to find that out."""
    known = (*_FIELDS, *_TRAITS, DIFFICULTY)
    for name, value in where.items():
        if name not in known:
            msg = (
                f"cases have no field '{name}' to filter by; take one of {', '.join(known)}."
                f"{suggest(str(name), known)}"
            )
            raise UnknownNameError(msg)
        have = VALUES.get(name, ())
        strange = sorted(wanted(value) - {"", *have}) if have else []
        if strange:
            msg = f"there is no {name} '{strange[0]}'; take one of {', '.join(have)}."
            raise UnknownNameError(msg + suggest(strange[0], have))
    return dict(where)


def _passes(where: Where, measured: Difficulty | None, placement: Placement) -> bool:
    for name, value in where.items():
        if name == DIFFICULTY and measured is not None:
            found = measured.level(placement.traits)
        else:
            found = getattr(placement.traits if name in _TRAITS else placement, name)
        if str(found) not in wanted(value):
            return False
    return True


@lru_cache(maxsize=32)
def _built_in(name: str) -> Suite:
    text = data_files("suites")[name].read_text(encoding="utf-8")
    return Suite(recipe_from_dict(_yaml(text, f"{name}.yaml"), f"{name}.yaml"))


def _yaml(text: str, place: str) -> Any:
    from causalbench.scm.yaml_text import load_yaml

    return load_yaml(text, place)


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
    except Exception as error:  # noqa: BLE001
        problem = f"{type(error).__name__}: {error}"
    warnings.warn(f"plug-in suite '{point.name}' is skipped: {problem}", stacklevel=3)
    return None
