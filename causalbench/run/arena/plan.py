"""Say what an arena comes to: every training, where its log goes, and what is there already."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import CausalBenchError
from causalbench.run.arena.bout import Bout, Scouting
from causalbench.run.arena.config import read_page
from causalbench.run.arena.log import plain, read_lines
from causalbench.run.identity import package_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.agent.learn.protocol import Learner
    from causalbench.run.arena.config import Page
    from causalbench.run.arena.study import Contestant, Ground, Study
    from causalbench.scm.play import PlayRegime
    from causalbench.task.sequential import SequentialWorld

__all__ = ["Plan", "logged", "plan"]

_SHORT = 12  # letters of a digest in a folder's name


@dataclass(frozen=True)
class Plan:
    """What an arena comes to.

    Args:
        page: what is measured.
        seed: of all of it.
        repeats: trainings of each learner.
        bouts: a tuple a study, whole repeats first: a run that is stopped leaves whole ones behind.
        scoutings: a tuple a study.
        made: a mapping a study, a contestant's name -> a learner, to look at.
        notes: what a reader should know, one line each.
    """

    page: Page
    seed: int
    repeats: int
    bouts: tuple[tuple[Bout, ...], ...]
    scoutings: tuple[tuple[Scouting, ...], ...]
    made: tuple[Mapping[str, Learner], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what would be run, JSON-ready: trainings, steps, and what is logged already."""
        rows = [
            _row(number, study, [bout for bout in bouts if bout.contestant is one])
            for number, (study, bouts) in enumerate(
                zip(self.page.studies, self.bouts, strict=True), 1
            )
            for one in study.contestants
        ]
        return {
            "title": self.page.title,
            "seed": self.seed,
            "repeats": self.repeats,
            "rows": rows,
            **{
                key: sum(row[key] for row in rows)
                for key in ("trainings", "steps", "values", "logged")
            },
        }


def plan(
    page: Page | Mapping[str, Any] | str,
    agents: Sequence[str] = (),
    *,
    seed: int = 0,
    repeats: int = 1,
    log_dir: str | Path,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> Plan:
    """Say what an arena comes to, without training; the arguments are those of `arena`.

    Raises:
        CausalBenchError: anything that the caller can mend.
    """
    if seed < 0 or repeats < 1:
        msg = f"seed is {seed} and repeats {repeats}; give a seed >= 0 and repeats >= 1."
        raise CausalBenchError(msg)
    if isinstance(page, str):
        page = {"world": page}
    if isinstance(page, Mapping):
        named = {"agents": list(agents)} if agents else {}
        page = read_page({**page, **named, **more}, options=options)
    planner = _Planner(seed, repeats, Path(log_dir))
    made = tuple({one.name: _made(one) for one in study.contestants} for study in page.studies)
    bouts, scoutings = [], []
    notes: list[str] = []
    for study, learners in zip(page.studies, made, strict=True):
        own, places = planner.study(study, learners)
        bouts.append(tuple(sorted(own, key=lambda bout: bout.repeat)))
        scoutings.append(tuple(places))
        notes += _silent(study, learners)
    return Plan(
        page, seed, repeats, tuple(bouts), tuple(scoutings), made, tuple(dict.fromkeys(notes))
    )


def logged(bout: Bout) -> int:
    """Return how many of a training's values are on disk."""
    there = read_lines(bout.path, mend=False)
    return sum(key in there for key in bout.keys)


@dataclass(frozen=True)
class _Planner:
    """Lay out the trainings of studies, and name their logs by all that they depend on."""

    seed: int
    repeats: int
    log_dir: Path

    def study(
        self, study: Study, learners: Mapping[str, Learner]
    ) -> tuple[list[Bout], list[Scouting]]:
        """Return a study's trainings and the references that it needs."""
        bouts: list[Bout] = []
        places: list[Scouting] = []
        for setting in study.settings:
            for ground in study.grounds(setting):
                world = ground.load()
                phases = study.phases(world)
                told = {"ground": ground.to_dict(), "world": world.to_dict()}
                folder = self.log_dir / plain(Path(study.world).stem, _digest(told))
                places.append(self._scouting(study, ground, phases, folder))
                for one in study.contestants:
                    for regime in _regimes(study, one, learners[one.name]):
                        _needed(world, study, regime)
                        bouts += self._bouts(
                            study, one, learners[one.name], ground, regime, phases, folder
                        )
        return bouts, places

    def _scouting(
        self, study: Study, ground: Ground, phases: tuple[str, ...], folder: Path
    ) -> Scouting:
        told = [list(phases), list(study.references), list(study.planners), study.limit]
        name = f"references-{_digest([*told, self.seed, package_version()])}.json"
        return Scouting(
            ground=ground,
            phases=phases,
            regimes=study.references,
            planners=study.planners,
            limit=study.limit,
            seed=self.seed,
            path=folder / name,
        )

    def _bouts(
        self,
        study: Study,
        one: Contestant,
        learner: Learner,
        ground: Ground,
        regime: PlayRegime,
        phases: tuple[str, ...],
        folder: Path,
    ) -> Iterator[Bout]:
        stages = study.stages(one)
        told = {
            "agent": one.agent,
            "options": dict(one.options),
            "config": dict(learner.config),
            "source": _source(learner),
            "regime": regime,
            "seed": self.seed,
            "stages": [[stage.phase, list(stage.budgets)] for stage in stages],
            "phases": list(phases),
            "limit": study.limit,
            "version": package_version(),
        }
        place = folder / plain(one.name.rpartition(":")[2], regime, _digest(told))
        for repeat in range(self.repeats):
            yield Bout(
                ground=ground,
                contestant=one,
                regime=regime,
                repeat=repeat,
                seed=self.seed,
                stages=stages,
                phases=phases,
                limit=study.limit,
                path=place / f"repeat-{repeat:03d}.jsonl",
            )


def _row(number: int, study: Study, own: Sequence[Bout]) -> dict[str, Any]:
    """Return what one contestant's trainings come to."""
    return {
        "study": number,
        "world": study.world,
        "agent": own[0].contestant.name if own else "",
        "regimes": list(dict.fromkeys(bout.regime for bout in own)),
        "worlds": len({id(bout.ground) for bout in own}),
        "trainings": len(own),
        "steps": sum(bout.steps for bout in own),
        "values": sum(len(bout.keys) for bout in own),
        "logged": sum(logged(bout) for bout in own),
    }


def _made(contestant: Contestant) -> Learner:
    from causalbench.agent.learn.registry import make_learner

    return make_learner(contestant.agent, dict(contestant.options))


def _regimes(study: Study, contestant: Contestant, learner: Learner) -> list[PlayRegime]:
    """Return the regimes that a learner is trained under."""
    wanted = contestant.regimes or study.regimes
    return [regime for regime in wanted if regime in learner.regimes]


def _needed(world: SequentialWorld, study: Study, regime: str) -> None:
    """Refuse a regime that a phase can't be played in, before anything is trained."""
    for stage in study.life:
        world.program(stage.phase).need(regime)


def _silent(study: Study, learners: Mapping[str, Learner]) -> Iterator[str]:
    """Say which learners have nothing to do."""
    for one in study.contestants:
        if not _regimes(study, one, learners[one.name]):
            have = ", ".join(sorted(learners[one.name].regimes))
            yield f"{one.name} learns under {have} alone: not trained in {study.world}."


def _source(learner: Learner) -> str:
    """Return a digest of a learner's source; of a package's, with the files beside it."""
    file = inspect.getsourcefile(type(learner))
    if file is None:
        return ""
    path = Path(file)
    beside = path.parent.glob("*.py") if (path.parent / "__init__.py").exists() else [path]
    seen = hashlib.sha256()
    for each in sorted(beside):
        seen.update(each.name.encode() + b"\0" + each.read_bytes() + b"\0")
    return seen.hexdigest()


def _digest(value: object) -> str:
    from causalbench.task.encode import canonical_json

    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:_SHORT]
