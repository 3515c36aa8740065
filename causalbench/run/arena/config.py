"""Read what an arena is to measure from a mapping: the YAML of a page, or the command line's flags.

    kind: arena
    title: The same algorithm offline, online, and with its intent shown
    repeats: 10
    regimes: [see, do, intent]
    studies:
      - {world: casino-rounds, agents: [q-learning, ppo], budgets: [256, 1024, 4096]}

What stands beside ``studies`` holds for each of them; without ``studies`` the page is one study.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from causalbench.errors import CausalBenchError, suggest
from causalbench.run.arena.place import Practice
from causalbench.run.arena.study import BUDGETS, Contestant, Stage, Study, check_world
from causalbench.task.sequential.catalogue import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CONFIG_KEYS", "Page", "read_page"]

_Scalar = bool | int | float | str
_Regime = Literal["see", "do", "intent", "replay"]
_Steps = Annotated[int, Field(ge=1)]
_Budgets = Annotated[list[_Steps], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AgentForm(_Strict):
    agent: str
    as_: str = Field("", alias="as")
    options: dict[str, _Scalar | list[_Scalar]] = {}
    budgets: _Budgets | None = None
    regimes: list[_Regime] = []


class _StageForm(_Strict):
    phase: str
    budgets: _Budgets | None = None


class _PracticeForm(_Strict):
    worlds: Annotated[int, Field(ge=2)]
    episodes: Annotated[int, Field(ge=1)] = 3
    tests: Annotated[int, Field(ge=1)] = 8
    shifted: bool = False


class _StudyForm(_Strict):
    world: str
    agents: list[str | _AgentForm] = []
    title: str = ""
    regimes: Annotated[list[_Regime], Field(min_length=1)] = ["see", "do"]
    budgets: _Budgets = list(BUDGETS)
    life: list[str | _StageForm] = []
    valued: list[str] = []
    knobs: dict[str, float | list[float]] = {}
    difficulty: Literal["easy", "medium", "hard"] = "medium"
    worlds: Annotated[int, Field(ge=0)] = 0
    published: bool = True
    planners: list[Annotated[int, Field(ge=1)]] = []
    references: list[_Regime] = ["see", "do", "intent", "replay"]
    histories: Annotated[int, Field(ge=1)] = 10**6
    draw: Literal["auto", "curves", "life", "sweep", "spread", "goal"] = "auto"
    choice: Literal["greedy", "sampled"] = "greedy"
    practice: _PracticeForm | None = None


CONFIG_KEYS = frozenset({"kind", "title", "studies", *_StudyForm.model_fields})
"""The keys of a page beyond the flags of ``causalbench run``."""


@dataclass(frozen=True)
class Page:
    """What a page measures.

    Args:
        title: one line.
        studies: in order.
    """

    title: str
    studies: tuple[Study, ...]


def read_page(
    data: Mapping[str, Any],
    *,
    place: str = "config",
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Page:
    """Read a page.

    Args:
        data: the mapping, without what are flags of the command line (seed, repeats, jobs ...).
        place: how to call it in messages.
        options: agent -> options that hold in all studies; those under "" hold for every agent.

    Raises:
        CausalBenchError: a key or value that doesn't fit, with its place; or nobody to train.
        NotFoundError: no world of that name.
    """
    shared = {key: value for key, value in data.items() if key not in {"kind", "studies"}}
    title = str(shared.get("title", ""))
    listed = data.get("studies")
    if listed is not None:
        shared.pop("title", None)
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            msg = f"{place}: studies is no list of mappings; write `- world: NAME` and so on."
            raise CausalBenchError(msg)
    raw = [shared] if listed is None else [{**shared, **one} for one in listed]
    if not raw:
        msg = f"{place}: studies is empty; give at least one."
        raise CausalBenchError(msg)
    studies = tuple(
        _study(one, f"{place}: study {number}" if listed else place, options or {})
        for number, one in enumerate(raw, 1)
    )
    return Page(title=title or studies[0].title or studies[0].world, studies=studies)


def _study(data: Mapping[str, Any], place: str, options: Mapping[str, Mapping[str, Any]]) -> Study:
    try:
        form = _StudyForm.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "mapping"
        what = first["msg"].lower() + "."
        if first["type"] == "extra_forbidden":
            what = "no such key." + suggest(where, _StudyForm.model_fields)
        msg = f"{place}: {where}: {what}"
        raise CausalBenchError(msg) from None
    check_world(form.world)
    contestants = tuple(one for each in form.agents for one in _contestants(each, options))
    if not contestants and not form.planners:
        msg = f"{place}: nobody trains in '{form.world}'; name agents (causalbench list agents)."
        raise CausalBenchError(msg)
    names = [one.name for one in contestants]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"{place}: '{twice}' stands twice among the agents; give one of them another `as`."
        raise CausalBenchError(msg)
    if form.practice is not None:
        _across(form, place)
    knobs = {
        name: tuple(values) if isinstance(values, list) else (values,)
        for name, values in form.knobs.items()
    }
    life = tuple(_stage(each, form.budgets) for each in form.life)
    study = Study(
        world=form.world,
        contestants=contestants,
        title=form.title,
        regimes=tuple(form.regimes),
        life=life or (Stage(None, _rising(form.budgets)),),
        valued=tuple(form.valued),
        knobs=knobs or None,
        difficulty=form.difficulty,
        worlds=form.worlds,
        published=form.published,
        planners=tuple(form.planners),
        references=tuple(form.references),
        limit=form.histories,
        choice=form.choice,
        practice=None if form.practice is None else Practice(**form.practice.model_dump()),
    )
    return _with_plot(study, form.draw)


def _across(form: _StudyForm, place: str) -> None:
    """Refuse what has no meaning across worlds."""
    if "see" in form.regimes or form.life or form.valued or form.worlds:
        msg = f"{place}: practice across worlds takes no regime see, life, valued or worlds."
        raise CausalBenchError(msg)
    if form.world not in FAMILIES:
        msg = f"{place}: '{form.world}' is no family, and a file holds one world; name a family."
        raise CausalBenchError(msg)


def _with_plot(study: Study, plot: str) -> Study:
    if plot == "auto":
        plot = "life" if len(study.life) > 1 else "sweep" if study.varied else "curves"
    return replace(study, plot=plot)


def _stage(form: str | _StageForm, budgets: Sequence[int]) -> Stage:
    if isinstance(form, str):
        return Stage(form, _rising(budgets))
    return Stage(form.phase, _rising(form.budgets or budgets))


def _rising(budgets: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(set(budgets)))


def _contestants(
    form: str | _AgentForm, shared: Mapping[str, Mapping[str, Any]]
) -> list[Contestant]:
    """Return a contestant for every combination of the options of which several are given."""
    if isinstance(form, str):
        form = _AgentForm.model_validate({"agent": form})
    given = {**form.options, **shared.get("", {}), **shared.get(form.agent, {})}
    several = {key: value for key, value in given.items() if isinstance(value, list)}
    made = []
    for values in itertools.product(*several.values()):
        varied = dict(zip(several, values, strict=True))
        told = "".join(f" {key}={value}" for key, value in varied.items())
        made.append(
            Contestant(
                name=(form.as_ or form.agent.rpartition(":")[2]) + told,
                agent=form.agent,
                options={**given, **varied},
                varied=varied,
                budgets=_rising(form.budgets or ()),
                regimes=tuple(form.regimes),
            )
        )
    return made
