"""``causalbench show``: a world, a suite, an agent or a learner, in full."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads it)
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from causalbench.errors import NotFoundError, suggest

from .common import JsonOption, SeedOption, cell_line, env, print_json, stdout_kept
from .list import agents, learners, sequences, suites, worlds
from .network import CouplingOption, RenormaliseOption, loaded
from .run import check_plot, one_thread_each
from .sequence import describe_sequence, is_sequence, print_sequence

if TYPE_CHECKING:
    from causalbench.task.world import World

__all__ = ["show"]


def show(
    name: Annotated[str, typer.Argument(help="A world, a suite, an agent, a learner, or a path.")],
    seed: SeedOption = 0,
    coupling: CouplingOption = None,
    renormalise: RenormaliseOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", envvar=env("plot"), help="Draw a world's diagram: a .png, .svg or .pdf."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a name stands for; where it is a world and a suite, both."""
    one_thread_each()
    check_plot(plot)
    found = _found(name, seed, coupling, renormalise=renormalise)
    if plot is not None:
        _draw(name, plot, found)
    if as_json:
        print_json(found)
        return
    for place, (kind, what) in enumerate(found.items()):
        if place:
            print()
        _PRINTERS[kind](what)


def _found(
    name: str, seed: int, coupling: list[str] | None, *, renormalise: bool
) -> dict[str, Any]:
    """Describe everything of a name, by kind.

    Raises:
        NotFoundError: nothing of that name.
    """
    found: dict[str, Any] = {}
    is_path = name.endswith((".yaml", ".yml", ".bif", ".bif.gz"))
    if name in sequences() or is_sequence(name):
        found["sequence"] = describe_sequence(name)
    elif name in worlds() or is_path:
        found["world"] = _world(loaded(name, coupling, renormalise=renormalise))
    if name.partition("+")[0] in suites():  # after a plus stands a shift
        found["suite"] = _suite(name, seed)
    if name in agents() or ".py:" in name:
        with stdout_kept():
            found["agent"] = _agent(name)
    if name in learners():
        found["learner"] = _learner(name)
    if not found:
        known = [*sequences(), *worlds(), *suites(), *agents(), *learners()]
        msg = (
            f"no world, suite, agent or learner is called '{name}'.{suggest(name, known)}"
            " `causalbench list` shows all."
        )
        raise NotFoundError(msg)
    return found


def _draw(name: str, plot: Path, found: dict[str, Any]) -> None:
    """Draw the diagram of what was found.

    Raises:
        BadParameter: it has none.
    """
    if "sequence" in found:
        from causalbench.env.draw import plot_sequence
        from causalbench.task.sequential import load_sequence

        world = load_sequence(name)
        plot_sequence(world.program(), plot, title=world.title)
    elif "world" in found:
        from causalbench.task.plot import plot_world

        plot_world(loaded(name, None, renormalise=True), plot)
    else:
        raise typer.BadParameter(f"'{name}' is no world; name one.", param_hint="'--plot'")


def _world(world: World) -> dict[str, Any]:
    """Describe a world: what an agent may see of it, and its questions."""
    return {
        "id": world.id,
        "version": world.version,
        "title": world.title,
        "source": world.source,
        "story": world.story,
        "variables": {
            variable.name: None if variable.values is None else list(variable.values)
            for variable in (world.scm.variable(each) for each in world.scm.visible)
        },
        "hidden": list(world.scm.hidden),
        "diagram": str(world.diagram),
        "uncoupled": list(world.scm.uncoupled),
        "questions": [{"id": one.id, "query": one.query} for one in world.questions],
        "decisions": [one.to_dict() for one in world.decisions],
    }


def _suite(name: str, seed: int) -> dict[str, Any]:
    """Describe a suite: what it holds at a seed."""
    from causalbench.run.plan import outline, select
    from causalbench.run.preview import preview

    selection = select(name, seed=seed)
    recipe = getattr(selection.suite, "recipe", None)
    if recipe is not None and recipe.strata:
        from causalbench.task.jobs import jobs_of

        jobs = [job for job in jobs_of(recipe, None) if job.role == "skill"]
        return {
            "suite": selection.suite_name,
            "version": selection.suite_version,
            "digest": selection.digest,
            "seed": seed,
            "cells": outline(selection.suite),
            "title": recipe.title,
            "forms": list(dict.fromkeys(job.traits.form for job in jobs)),
            "access": list(dict.fromkeys(job.traits.access for job in jobs)),
            "honesty": [] if recipe.shift else [kind for kind, _ in recipe.honesty],
            "shift": recipe.shift,
        }
    found = preview([], selection, log_dir="logs")
    return {
        **{key: found[key] for key in ("suite", "version", "digest", "seed", "cells")},
        "title": getattr(selection.suite, "title", ""),
    }


def _agent(name: str) -> dict[str, Any]:
    """Describe an agent: what it accepts and how it is made."""
    import inspect

    from causalbench.agent.registry import make_agent

    spec = make_agent(name)
    text = inspect.getdoc(type(spec.factory())) or ""
    return {
        "name": spec.name,
        "about": text.split("\n\n", maxsplit=1)[0].replace("\n", " "),
        "accepts": sorted(spec.accepts),
        "cells": None if spec.cells is None else sorted(spec.cells),
        "control": spec.control,
        "options": dict(spec.config),
        "version": spec.version,
    }


def _learner(name: str) -> dict[str, Any]:
    """Describe a learner of sequential worlds: where it can be trained, and its options."""
    from causalbench.agent.learn.presets import DEFAULTS
    from causalbench.agent.learn.registry import make_learner
    from causalbench.scm.play import REGIMES

    made = make_learner(name)
    return {
        "name": made.name,
        "about": learners()[name],
        "regimes": [regime for regime in REGIMES if regime in made.regimes],
        "rung3": dict(made.rung3),
        "options": {**DEFAULTS.get(name, {}), **made.config},
    }


def _print_world(world: dict[str, Any]) -> None:
    print(f"world {world['id']} version {world['version']}: {world['title']}")
    print(f"source: {world['source']}")
    if world["story"]:
        print(f"\n{world['story']}")
    print("\nvariables")
    for name, values in world["variables"].items():
        print(f"  {name}: {'real' if values is None else ', '.join(values)}")
    if world["hidden"]:
        print(f"  hidden: {', '.join(world['hidden'])}")
    print(f"\ndiagram\n  {world['diagram'].replace('; ', chr(10) + '  ')}")
    if world["uncoupled"]:
        several = f"{len(world['uncoupled'])} variables have tables"
        one = "1 variable has a table"
        have = one if len(world["uncoupled"]) == 1 else several
        print(f"\n{have} without a coupling: rung 3 may need one (--coupling monotone)")
    if world["questions"]:
        print("\nquestions")
        for one in world["questions"]:
            print(f"  {one['id']}: {one['query']}")
    if world["decisions"]:
        print("\ndecisions")
        for one in world["decisions"]:
            print(f"  {one['id']}: {one['mode']}, {' | '.join(one['actions'])}{_terms(one)}")


def _terms(decision: dict[str, Any]) -> str:
    """Write what a decision pays, what is seen before it, and what was done the first time."""
    said = ""
    if decision["utility"]:
        said += f"; utility {' '.join(f'{w:+g}*[{event}]' for w, event in decision['utility'])}"
    if decision["given"]:
        said += f"; given {', '.join(f'{x}={value}' for x, value in decision['given'].items())}"
    elif decision["observes"]:
        said += f"; observes {', '.join(decision['observes'])}"
    if decision["mode"] == "redo":
        said += f"; first time: {decision['factual']}"
    return said


def _print_suite(suite: dict[str, Any]) -> None:
    print(f"suite {suite['suite']} version {suite['version']}: {suite['title']}")
    print(f"seed {suite['seed']}, digest {suite['digest']}")
    for row in suite["cells"]:
        print(cell_line(row))
    if suite.get("shift"):
        print(f"shift: {suite['shift']}; pairs that prove to be on neither side are left out")
    for name, title in _PARTS.items():
        if suite.get(name):
            print(
                fill(
                    f"{title}: {', '.join(suite[name])}",
                    96,
                    subsequent_indent="  ",
                    break_on_hyphens=False,
                )
            )


def _print_agent(agent: dict[str, Any]) -> None:
    print(f"agent {agent['name']}: {agent['about']}")
    print(f"accepts: {', '.join(agent['accepts'])}")
    print(f"cells: {'all' if agent['cells'] is None else ', '.join(agent['cells'])}")
    if agent["control"]:
        print("control: handed the keys, shown apart")
    for name, value in agent["options"].items():
        print(f"option {name}={value}")


def _print_learner(learner: dict[str, Any]) -> None:
    print(f"learner {learner['name']}: {learner['about']}")
    print(f"regimes: {', '.join(learner['regimes'])}")
    for name, value in learner["options"].items():
        print(f"option {name}={value}")


_PARTS = {"forms": "types of question", "access": "terms", "honesty": "honesty"}
_PRINTERS = {
    "world": _print_world,
    "sequence": print_sequence,
    "suite": _print_suite,
    "agent": _print_agent,
    "learner": _print_learner,
}
