"""What ``causalbench run`` does with a sequential world: train learners, print their values."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import PAGE, count, env, print_json, stdout_kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Asked",
    "BudgetOption",
    "KnobOption",
    "OutOption",
    "PhaseOption",
    "RegimeOption",
    "WorldsOption",
    "page_of",
    "refused",
    "run_arena",
]

_SEQUENTIAL = "Sequential worlds: "
RegimeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--regime",
        envvar=env("regime"),
        help=_SEQUENTIAL + "see, do, intent or replay; give it again for more.",
    ),
]
BudgetOption = Annotated[
    list[int] | None,
    typer.Option(
        "--budget",
        envvar=env("budget"),
        min=1,
        help=_SEQUENTIAL + "steps after which policies are valued; again for more.",
    ),
]
PhaseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--phase",
        envvar=env("phase"),
        help=_SEQUENTIAL + "the phases of a life, one after the other.",
    ),
]
KnobOption = Annotated[
    list[str] | None,
    typer.Option(
        "--knob",
        envvar=env("knob"),
        help=_SEQUENTIAL + "a setting of the family, or several: length=2,4,8.",
    ),
]
WorldsOption = Annotated[
    int | None,
    typer.Option(
        "--worlds",
        envvar=env("worlds"),
        min=0,
        help=_SEQUENTIAL + "how many generated worlds are played beside the published one.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        envvar=env("out"),
        help=_SEQUENTIAL + "write the tables to this page, between its marks.",
    ),
]


@dataclass(frozen=True)
class Asked:
    """The flags that only sequential worlds have, and the difficulty."""

    regime: Sequence[str]
    budget: Sequence[int]
    phase: Sequence[str]
    knob: Sequence[str]
    worlds: int | None
    difficulty: str | None
    out: Path | None

    def refused(self, suite: str) -> None:
        """Refuse flags that an ordinary suite has no use for.

        Raises:
            typer.BadParameter: one of them is given.
        """
        for field in fields(self):
            given = getattr(self, field.name)
            if field.name != "difficulty" and given not in ([], None):
                msg = f"'{suite}' is no sequential world; leave it out."
                raise typer.BadParameter(msg, param_hint=f"'--{field.name}'")

    def keys(self) -> dict[str, Any]:
        """Return what is given as keys of a configuration."""
        given = {
            "regimes": list(self.regime),
            "budgets": list(self.budget),
            "life": list(self.phase),
            "knobs": _knobs(self.knob),
            "worlds": self.worlds,
            "difficulty": self.difficulty,
        }
        return {key: value for key, value in given.items() if value not in ([], {}, None)}


def page_of(context: typer.Context, suite: str, asked: Asked) -> dict[str, Any] | None:
    """Return what an arena is to measure; None where a suite is to be played.

    Args:
        context: which holds what a file of ``kind: arena`` says.
        suite: as named, or such a file's path where nothing was named.
        asked: the flags, which override the file.

    Raises:
        typer.BadParameter: the file doesn't measure the world that is named.
    """
    page: dict[str, Any] | None = context.meta.get(PAGE)
    if page is None:
        from causalbench.run.arena import is_sequential

        return {"world": suite, **asked.keys()} if is_sequential(suite) else None
    listed = page.get("studies")
    studies = [dict(one) if isinstance(one, dict) else one for one in listed or [page]]
    if context.params.get("config") is None or suite != str(context.params["config"]):
        studies = [s for s in studies if isinstance(s, dict) and s.get("world") == suite]
        if not studies:
            msg = f"the configuration has no study of '{suite}'; leave SUITE out for all of it."
            raise typer.BadParameter(msg, param_hint="'SUITE'")
    if listed is None:
        return {**studies[0], **asked.keys()}
    return {
        **page,
        "studies": [{**s, **asked.keys()} if isinstance(s, dict) else s for s in studies],
    }


def refused(**flags: Any) -> None:
    """Refuse flags of suites that a sequential world has no use for.

    Raises:
        typer.BadParameter: one of them is given.
    """
    for name, value in flags.items():
        if value not in (None, ""):
            msg = "it has no meaning in a sequential world; leave it out."
            raise typer.BadParameter(msg, param_hint=f"'--{name.replace('_', '-')}'")


def run_arena(  # noqa: PLR0913  (each argument is a flag)
    page: Mapping[str, Any],
    agents: Sequence[str],
    option: Sequence[str],
    *,
    seed: int,
    repeats: int,
    log_dir: Path,
    jobs: int,
    fresh: bool,
    dry_run: bool,
    plot: Path | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train, value and print; return 1 if trainings failed, else 0."""
    from causalbench.agent.options import parse_options
    from causalbench.run.arena import arena, plan

    options = parse_options(option)
    if dry_run:
        planned = plan(page, agents, seed=seed, repeats=repeats, log_dir=log_dir, options=options)
        _print_plan(planned.to_dict(), planned.notes, as_json=as_json)
        return 0
    try:
        with stdout_kept():
            found = arena(
                page,
                agents,
                seed=seed,
                repeats=repeats,
                log_dir=log_dir,
                jobs=jobs,
                fresh=fresh,
                progress=not quiet,
                options=options,
            )
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here.", file=sys.stderr)
        raise
    from causalbench.report import plot_arena, print_arena, write_arena

    if not quiet:
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)
    if as_json:
        print_json(found.to_json())
    else:
        print_arena(found)
    if out is not None:
        write_arena(found, out)
    if plot is not None:
        plot_arena(found, plot)
    return 1 if found.failed else 0


def _knobs(given: Sequence[str]) -> dict[str, list[float]]:
    """Read ``length=2,4,8``."""
    found: dict[str, list[float]] = {}
    for text in given:
        name, sign, values = text.partition("=")
        try:
            found[name.strip()] = [float(value) for value in values.split(",")]
        except ValueError:
            sign = ""
        if not sign or not name.strip():
            msg = f"'{text}' is not name=number; write e.g. length=2,4,8."
            raise typer.BadParameter(msg, param_hint="'--knob'")
    return found


def _print_plan(planned: Mapping[str, Any], notes: Sequence[str], *, as_json: bool) -> None:
    """Print what would be run."""
    if as_json:
        print_json(planned)
        return
    print(f"{planned['title']}: seed {planned['seed']}, {count(planned['repeats'], 'repeat')}")
    for row in planned["rows"]:
        print(
            f"  {row['study']} {row['world']:<20} {row['agent']:<24} "
            f"{'/'.join(row['regimes']):<18} {count(row['worlds'], 'world'):>9} "
            f"{count(row['trainings'], 'training'):>14} {row['steps']:>11,} steps"
        )
    print(
        f"in all {count(planned['trainings'], 'training')}, {planned['steps']:,} steps, "
        f"{count(planned['values'], 'value')}, {planned['logged']} of them logged"
    )
    for note in notes:
        print(f"note: {note}")
