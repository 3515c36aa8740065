"""Measure how far up Pearl's ladder an agent gets.

    import causalbench as cb

    world = cb.load_world("umbrella-rain")
    cb.truth(world, "P(rain=yes | do(umbrella=no))").value
    run = cb.evaluate("q-offline", "umbrella-rain")
    run.ladder()

Every name below is loaded when it is first used, so importing the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causalbench.agent.check import check_agent
    from causalbench.agent.protocol import Agent, Clock
    from causalbench.agent.registry import AgentSpec, list_agents, make_agent
    from causalbench.board.pack import pack
    from causalbench.board.site import board
    from causalbench.board.verify import verify
    from causalbench.errors import (
        AccessError,
        BudgetExhausted,
        CausalBenchError,
        QuerySyntaxError,
        UnknownNameError,
        ZeroProbabilityError,
    )
    from causalbench.graph import Diagram
    from causalbench.query import Choice as ChoiceQuery
    from causalbench.query import Query, Vocabulary
    from causalbench.report import (
        plot_arena,
        plot_budgets,
        plot_ladder,
        print_arena,
        print_items,
        print_lines,
        print_run,
    )
    from causalbench.run.arena import Arena, arena
    from causalbench.run.check_suite import check_suite
    from causalbench.run.evaluate import evaluate
    from causalbench.run.rescore import rescore
    from causalbench.run.result import Run
    from causalbench.scm import SCM
    from causalbench.task.answer import Abstain, Answer, Choice, Estimate, Interval
    from causalbench.task.check import check_world
    from causalbench.task.explain import explain
    from causalbench.task.lab import Lab
    from causalbench.task.suite import Suite, list_suites, load_suite, make, questions
    from causalbench.task.types import Case, Dossier, Item, Key, Question
    from causalbench.task.world import World, list_worlds, load_world
    from causalbench.truth import (
        Budget,
        Family,
        Identified,
        Knowledge,
        Truth,
        Unidentified,
        certify,
        certify_options,
        truth,
        truth_many,
    )

__all__ = [
    "SCM",
    "Abstain",
    "AccessError",
    "Agent",
    "AgentSpec",
    "Answer",
    "Arena",
    "Budget",
    "BudgetExhausted",
    "Case",
    "CausalBenchError",
    "Choice",
    "Clock",
    "Diagram",
    "Dossier",
    "Estimate",
    "Family",
    "Identified",
    "Interval",
    "Item",
    "Key",
    "Knowledge",
    "Lab",
    "Query",
    "QuerySyntaxError",
    "Question",
    "Run",
    "Suite",
    "Truth",
    "Unidentified",
    "UnknownNameError",
    "World",
    "ZeroProbabilityError",
    "__version__",
    "arena",
    "board",
    "certify",
    "certify_options",
    "check_agent",
    "check_suite",
    "check_world",
    "evaluate",
    "explain",
    "list_agents",
    "list_suites",
    "list_worlds",
    "load_suite",
    "load_world",
    "make",
    "make_agent",
    "pack",
    "parse",
    "plot_arena",
    "plot_budgets",
    "plot_ladder",
    "print_arena",
    "print_items",
    "print_lines",
    "print_run",
    "questions",
    "rescore",
    "truth",
    "truth_many",
    "verify",
]

_HOMES = {
    "causalbench.agent.check": ("check_agent",),
    "causalbench.agent.protocol": ("Agent", "Clock"),
    "causalbench.agent.registry": ("AgentSpec", "list_agents", "make_agent"),
    "causalbench.board": ("board", "pack", "verify"),
    "causalbench.errors": (
        "AccessError",
        "BudgetExhausted",
        "CausalBenchError",
        "QuerySyntaxError",
        "UnknownNameError",
        "ZeroProbabilityError",
    ),
    "causalbench.graph": ("Diagram",),
    "causalbench.query": ("Query",),
    "causalbench.report": (
        "plot_arena",
        "plot_budgets",
        "plot_ladder",
        "print_arena",
        "print_items",
        "print_lines",
        "print_run",
    ),
    "causalbench.run": ("Run", "evaluate", "rescore"),
    "causalbench.run.arena": ("Arena", "arena"),
    "causalbench.run.check_suite": ("check_suite",),
    "causalbench.scm": ("SCM",),
    "causalbench.task.answer": ("Abstain", "Answer", "Choice", "Estimate", "Interval"),
    "causalbench.task.check": ("check_world",),
    "causalbench.task.explain": ("explain",),
    "causalbench.task.lab": ("Lab",),
    "causalbench.task.suite": ("Suite", "list_suites", "load_suite", "make", "questions"),
    "causalbench.task.types": ("Case", "Dossier", "Item", "Key", "Question"),
    "causalbench.task.world": ("World", "list_worlds", "load_world"),
    "causalbench.truth": (
        "Budget",
        "Family",
        "Identified",
        "Knowledge",
        "Truth",
        "Unidentified",
        "certify",
        "certify_options",
        "truth",
        "truth_many",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_ROOMS = frozenset({"agent", "env", "query", "report", "run", "scm", "score", "task"})


def parse(text: str, world: World | SCM | Vocabulary | None = None) -> Query | ChoiceQuery:
    """Read a query, and check its names against a world.

    Args:
        text: the query.
        world: a world, an SCM or a vocabulary; None leaves names unchecked.

    Raises:
        QueryError: the world is a text.
        QuerySyntaxError: the text is no query; the message names the column.
        UnknownNameError: the world lacks a variable or a value.
    """
    from causalbench.query import parse as parse_query

    given: Any = world
    if isinstance(given, str):
        from causalbench.errors import QueryError

        msg = (
            f"'{given:.60}' is a text, not a world; give the world that load_world(name) returns, "
            "or an SCM."
        )
        raise QueryError(msg)
    vocabulary: Any = getattr(given, "vocabulary", given)
    return parse_query(text, vocabulary)


def __getattr__(name: str) -> Any:
    """Load a public name, or a room, when it is first used."""
    if name == "__version__":
        from causalbench.run.identity import package_version

        return package_version()
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _ROOMS:
        return import_module(f"causalbench.{name}")
    msg = f"module 'causalbench' has no attribute '{name}'"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})


class _CallableRoom(ModuleType):
    """A room that can be called as the function of its name: `causalbench.board(...)`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function that the room is named after."""
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


class _Package(ModuleType):
    """This package: the import system binds a room over the function of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _HOME.get(name) == value.__name__:
            value.__class__ = _CallableRoom
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
