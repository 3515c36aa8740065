"""``causalbench make-log``: write a log of who acted in a world, for learners that never act."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  (Typer reads annotations)
from typing import Annotated, Literal

import typer

from .common import Difficulty, JsonOption, SeedOption, count, env, print_json
from .run import one_thread_each

__all__ = ["make_log"]

Format = Literal["parquet", "minari"]
Regime = Literal["do", "intent"]


def make_log(  # noqa: PLR0913, PLR0917  (each argument is a flag)
    world: Annotated[
        str, typer.Argument(help="A sequential world or family, a world, or the path of a file.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", envvar=env("out"), help="The folder to write to.")
    ],
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            envvar=env("policy"),
            help="Who acts: natural, random, see, do (the best policies of these rungs), or"
            " FILE.py:NAME.",
        ),
    ] = "natural",
    steps: Annotated[
        str,
        typer.Option(
            "--steps", "-n", envvar=env("steps"), help="At least so many steps, such as 1e6."
        ),
    ] = "1e6",
    format_: Annotated[
        Format, typer.Option("--format", envvar=env("format"), help="What is written.")
    ] = "parquet",
    rewards: Annotated[
        bool,
        typer.Option(
            "--rewards/--no-rewards", envvar=env("rewards"), help="Leave them out for imitation."
        ),
    ] = True,
    regime: Annotated[
        Regime,
        typer.Option(
            "--regime",
            envvar=env("regime"),
            help="What observations show: intent adds the natural choice.",
        ),
    ] = "do",
    seed: SeedOption = 0,
    decision: Annotated[
        str | None,
        typer.Option("--decision", envvar=env("decision"), help="Which one, of a one-step world."),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option("--phase", envvar=env("phase"), help="Which one; the first by default."),
    ] = None,
    difficulty: Annotated[
        Difficulty | None,
        typer.Option(
            "--difficulty", envvar=env("difficulty"), help="Draw a world of the family at a level."
        ),
    ] = None,
    index: Annotated[
        int | None,
        typer.Option("--index", envvar=env("index"), min=0, help="Which of the family's worlds."),
    ] = None,
    knob: Annotated[
        list[str] | None,
        typer.Option("--knob", envvar=env("knob"), help="A setting of the family, such as days=5."),
    ] = None,
    as_json: JsonOption = False,
    force: Annotated[
        bool, typer.Option("--force", envvar=env("force"), help="Overwrite what is there.")
    ] = False,
) -> None:
    """Write a log with a card that says who acted, on what, and whether it is confounded."""
    one_thread_each()
    from causalbench.run.log_source import log_source
    from causalbench.run.make_log import OWNS
    from causalbench.run.make_log import make_log as write_log
    from causalbench.run.stage import in_the_way

    wanted, knobs = _whole(steps), dict(_knob(text) for text in knob or ())
    there = in_the_way(out, OWNS)
    if there is not None and not force:
        msg = f"'{there}' is there already; give --force to overwrite it, or another -o."
        raise typer.BadParameter(msg, param_hint="'-o'")
    source = log_source(
        world, decision=decision, phase=phase, difficulty=difficulty, index=index, knobs=knobs
    )
    try:
        about = write_log(
            source,
            out,
            policy=policy,
            steps=wanted,
            regime=regime,
            format_=format_,
            rewards=rewards,
            seed=seed,
            progress=True,
        )
    except KeyboardInterrupt:
        print(f"interrupted; '{out}' is as it was.", file=sys.stderr)
        raise
    if as_json:
        print_json(about)
        return
    held = f"{count(about['episodes'], 'episode')}, {count(about['steps'], 'step')}"
    kind = "confounded" if about["confounded"] else "not confounded"
    print(f"{out}: {held}, {policy} policy, {kind}")
    for name, value in about["values"].items():
        exact = value["exact"]
        said = f"{value['value']:.4f}" if exact else f"{value['low']:.4f} to {value['high']:.4f}"
        print(f"{name:<9} {said}")


def _whole(text: str) -> int:
    """Read a number of steps, in powers of ten if need be."""
    try:
        number = float(text)
        whole = int(number)
    except (ValueError, OverflowError):
        number, whole = 0.5, 0
    if number != whole or whole < 1:
        msg = f"'{text}' is no number of steps; give a whole number of at least 1, such as 1e6."
        raise typer.BadParameter(msg, param_hint="'-n'")
    return whole


def _knob(text: str) -> tuple[str, float]:
    """Read ``name=value``."""
    name, sign, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        sign = ""
    if not sign or not name.strip():
        msg = f"'{text}' is not name=number; write it as in --knob days=5."
        raise typer.BadParameter(msg, param_hint="'--knob'")
    return name.strip(), number
