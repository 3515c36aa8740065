"""What ``causalbench show`` says of a sequential world."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from .common import count

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.scm.program import Program
    from causalbench.task.sequential import SequentialWorld

__all__ = ["describe_sequence", "is_sequence", "print_sequence"]

_QUICK = 100_000  # histories: a second or so for each regime


def is_sequence(path: str) -> bool:
    """Tell whether a file is of a sequential world."""
    from causalbench.scm.yaml_text import is_file, load_yaml, text_of

    if not path.endswith((".yaml", ".yml")) or not is_file(Path(path)):
        return False
    data = load_yaml(text_of(Path(path)), path)
    return isinstance(data, dict) and data.get("kind") == "sequence"


def describe_sequence(name: str) -> dict[str, Any]:
    """Describe a sequential world: what happens in a step, what is decided, what it is worth."""
    from causalbench.task.sequential import FAMILIES, load_family, load_sequence

    world = load_sequence(name)
    process, program, play = world.process, world.program(), world.play
    family = load_family(name) if name in FAMILIES else None
    early = [n for n in play.observes if program.early[program.slot[n]]]
    return {
        "id": world.id,
        "version": world.version,
        "title": world.title,
        "source": world.source,
        "story": world.story,
        "steps": process.horizon,
        "variables": {n: list(process.variable(n).labels) for n in process.visible},
        "hidden": [n for n in process.names if n not in process.visible],
        "first": _causes(process.first, process.order),
        "later": _causes(process.later, process.order),
        "play": play.to_dict(),
        "seen_before": early,
        "seen_after": [name for name in play.observes if name not in early],
        "phases": [phase.name for phase in world.phases],
        "environment": None if family is None else family.id,
        "knobs": None
        if family is None
        else {
            key: {
                "low": knob.low,
                "high": knob.high,
                "about": knob.about,
                "world": world.knobs.get(key),
                "levels": {level: setting[key] for level, setting in family.levels.items()},
            }
            for key, knob in family.knobs.items()
        },
        "values": _values(world),
    }


def print_sequence(world: dict[str, Any]) -> None:
    """Print what `describe_sequence` returns."""
    print(f"sequential world {world['id']} version {world['version']}: {world['title']}")
    print(f"source: {world['source']}")
    if world["environment"]:
        print(f"environment: {world['environment']}")
    if world["story"]:
        print(f"\n{world['story'].strip()}")
    _print_diagram(world)
    _print_play(world)
    if world["knobs"]:
        print("\nknobs")
        for name, knob in world["knobs"].items():
            levels = ", ".join(f"{key} {value:g}" for key, value in knob["levels"].items())
            told = f"{knob['low']:g} to {knob['high']:g} ({levels}); {knob['about']}"
            print(_wrapped(name, told))
    print("\nbest value of each rung's policy, from 0 to 1")
    for phase, values in world["values"].items():
        told = ", ".join(f"{regime} {_number(value)}" for regime, value in values.items())
        print(_wrapped(phase, told))


def _print_diagram(world: dict[str, Any]) -> None:
    print("\nvariables of a step")
    for name, values in world["variables"].items():
        print(f"  {name}: {', '.join(values)}")
    if world["hidden"]:
        print(f"  hidden: {', '.join(world['hidden'])}")
    print("\ndiagram (x' is x one step earlier)")
    for name, causes in world["later"].items():
        print(f"  {_line(name, causes)}")
    for name, causes in world["first"].items():
        if causes != [cause for cause in world["later"][name] if not cause.endswith("'")]:
            print(f"  at the first step: {_line(name, causes)}")


def _print_play(world: dict[str, Any]) -> None:
    play = world["play"]
    print(f"\nplay: {count(world['steps'], 'step')}, mode {play['mode']}")
    print(_wrapped("actions", " | ".join(play["actions"])))
    parts = {
        "seen before the action": ", ".join(world["seen_before"]),
        "seen after it": ", ".join(world["seen_after"]),
        "pays": " ".join(f"{weight:+g}*[{event}]" for weight, event in play["reward"]),
        "is meant to": " ".join(f"{weight:+g}*[{event}]" for weight, event in play["goal"]),
        "ends with": play["ends"],
        "phases": ", ".join(world["phases"]) if len(world["phases"]) > 1 else "",
    }
    for name, text in parts.items():
        if text:
            print(_wrapped(name, text))


def _line(name: str, causes: list[str]) -> str:
    return f"{name} <- {', '.join(causes)}" if causes else name


def _causes(slice_: SCM, order: tuple[str, ...]) -> dict[str, list[str]]:
    from causalbench.scm.process import BEFORE

    return {
        name: [
            f"{parent.removesuffix(BEFORE)}'" if parent.endswith(BEFORE) else parent
            for parent in slice_.parents(name)
        ]
        for name in order
    }


def _values(world: SequentialWorld) -> dict[str, dict[str, Any]]:
    return {phase.name: _phase_values(world.program(phase.name)) for phase in world.phases}


def _phase_values(program: Program) -> dict[str, Any]:
    from causalbench.truth.policy import references

    found = references(program, limit=_QUICK)
    return {
        regime: {"low": each.value.low, "high": each.value.high, "exact": each.value.exact}
        for regime, each in found.items()
    }


def _number(value: dict[str, Any]) -> str:
    if value["exact"]:
        return f"{value['low']:.3f}"
    return f"{value['low']:.3f} to {value['high']:.3f}"


def _wrapped(name: str, text: str) -> str:
    return fill(f"  {name}: {text}", 96, subsequent_indent="    ", break_on_hyphens=False)
