"""Check a world file against its schema and build the world; the SCM part is the scm room's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from causalbench.errors import WorldError, suggest
from causalbench.scm import SCM
from causalbench.task.types import Decision
from causalbench.task.world import Expect, ExpectBounds, Phrase, World, WorldQuestion
from causalbench.truth.knowledge import Regime, Shown  # noqa: TC001  (pydantic reads the types)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["WorldFile", "world_from_dict"]

_Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
_Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
_Path = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$"),
]
_HEAVIEST = 1e100  # weights are summed, and differences of sums divided
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Phrase(_Strict):
    noun: _Text
    values: dict[str, _Text] = {}
    do: dict[str, _Text] = {}


class _Question(_Strict):
    id: _Id
    query: _Text
    text: str = ""


class _Decision(_Strict):
    id: _Id
    mode: Literal["bet", "act", "redo"]
    actions: list[_Text] = Field(min_length=2)
    utility: list[Annotated[list[Any], Field(min_length=2, max_length=2)]] = []
    observes: list[str] = []
    given: dict[str, str] | None = None
    factual: _Text = "pass"


class _Expect(_Strict):
    query: _Text
    value: _Number | str
    origin: _Text
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-9


class _ExpectBounds(_Strict):
    query: _Text
    regime: Regime
    shown: Shown
    lower: _Number
    upper: _Number
    origin: _Text
    assumptions: list[_Text] = []
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-9


class WorldFile(_Strict):
    """The schema of a world file; ``variables`` and ``mechanisms`` are checked by `SCM`."""

    schema_: Literal[1] = Field(alias="schema")
    id: _Path
    version: Annotated[int, Field(ge=1)]
    title: _Text
    source: _Text
    story: str = ""
    variables: dict[str, Any]
    mechanisms: dict[str, Any]
    couplings_known: bool = True
    phrases: dict[str, _Phrase] = {}
    questions: list[_Question] = []
    decisions: list[_Decision] = []
    expect: list[_Expect] = []
    expect_bounds: list[_ExpectBounds] = []


def world_from_dict(data: Mapping[str, Any], place: str) -> World:
    """Build a world from a world file's content.

    Args:
        data: the file's content.
        place: how to call the file in messages.

    Raises:
        WorldError: names the file, the place in it, and what to do.
    """
    try:
        file = WorldFile.model_validate(dict(data))
    except ValidationError as error:
        raise WorldError(f"{place}: {_first(error)}") from None
    try:
        scm = SCM.from_dict(
            {
                "schema": 1,
                "variables": file.variables,
                "mechanisms": file.mechanisms,
                "couplings_known": file.couplings_known,
            }
        )
    except WorldError as error:
        raise WorldError(f"{place}: {error}") from None
    for name in file.phrases:
        if name not in scm.names:
            msg = f"{place}: phrases.{name}: no variable '{name}'; phrase the world's variables."
            raise WorldError(msg)
    _unique("questions", (question.id for question in file.questions), place)
    _unique("decisions", (decision.id for decision in file.decisions), place)
    return World(
        id=file.id,
        version=file.version,
        title=file.title,
        source=file.source,
        story=" ".join(file.story.split()),
        scm=scm,
        phrases={
            name: Phrase(phrase.noun, phrase.values, phrase.do)
            for name, phrase in file.phrases.items()
        },
        questions=tuple(
            WorldQuestion(question.id, question.query, " ".join(question.text.split()))
            for question in file.questions
        ),
        decisions=tuple(
            _decision(decision, f"{place}: decisions[{i}]")
            for i, decision in enumerate(file.decisions)
        ),
        expect=tuple(
            Expect(expect.query, expect.value, expect.origin, expect.tolerance)
            for expect in file.expect
        ),
        expect_bounds=tuple(
            _bounds(bounds, f"{place}: expect_bounds[{i}]")
            for i, bounds in enumerate(file.expect_bounds)
        ),
    )


def _bounds(model: _ExpectBounds, place: str) -> ExpectBounds:
    if model.lower > model.upper:
        msg = f"{place}: lower {model.lower} lies above upper {model.upper}; swap or mend them."
        raise WorldError(msg)
    return ExpectBounds(
        model.query,
        model.lower,
        model.upper,
        model.origin,
        model.regime,
        model.shown,
        tuple(sorted(model.assumptions)),
        model.tolerance,
    )


def _decision(model: _Decision, place: str) -> Decision:
    utility = []
    for i, (weight, event) in enumerate(model.utility):
        number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not (number and abs(weight) <= _HEAVIEST and isinstance(event, str)):
            msg = (
                f"{place}.utility[{i}] is {repr([weight, event])[:60]}; "
                f"write [weight, event], a weight within {_HEAVIEST:.0e}."
            )
            raise WorldError(msg)
        utility.append((float(weight), event))
    if bool(utility) == (model.mode == "bet"):
        rule = "a bet has none: it pays 1 if it comes true" if utility else "give its weights"
        raise WorldError(f"{place}.utility: {rule}.")
    if model.mode != "redo" and model.factual != "pass":
        raise WorldError(f"{place}.factual: only a redo has a first time; leave it out.")
    return Decision(
        id=model.id,
        mode=model.mode,
        actions=tuple(model.actions),
        utility=tuple(utility),
        observes=tuple(model.observes),
        given=None if model.given is None else tuple(model.given.items()),
        factual=model.factual,
    )


def _unique(what: str, ids: Iterable[str], place: str) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise WorldError(f"{place}: {what}: id '{each}' is given twice; rename one.")
        seen.add(each)


def _first(error: ValidationError) -> str:
    """Say the first problem of many in one line: where, what, what was found."""
    problems = error.errors()
    # A misspelt key is one unknown and one missing key: the unknown one is what to mend.
    problem = min(problems, key=lambda each: each["type"] != "extra_forbidden")
    where = _where(problem["loc"])
    found = f" (found {repr(problem['input'])[:60]})"
    what = problem["msg"][0].lower() + problem["msg"][1:]
    if problem["type"] == "extra_forbidden":
        lost = [
            str(each["loc"][-1])
            for each in problems
            if each["type"] == "missing" and each["loc"][:-1] == problem["loc"][:-1]
        ]
        near = suggest(str(problem["loc"][-1]), lost).strip()
        what, found = "no such key", f" ({near})" if near else ""
    elif problem["type"] == "missing":
        found = ""
    more = f"; {len(problems) - 1} more like it" if len(problems) > 1 else ""
    return f"{where}: {what}{found}; see docs/world-files.md{more}."


def _where(place: tuple[int | str, ...]) -> str:
    """Write a place such as ``questions[0].query``."""
    where = ""
    for part in place:
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else part
    return where or "top level"
