"""``causalbench run``: play agents on a suite and print the ladder."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .arena import (
    Asked,
    BudgetOption,
    KnobOption,
    OutOption,
    PhaseOption,
    RegimeOption,
    WorldsOption,
    page_of,
    refused,
    run_arena,
)
from .common import (
    ConfigOption,
    DifficultyOption,
    FilterOption,
    JobsOption,
    JsonOption,
    LimitOption,
    SeedOption,
    cell_line,
    count,
    env,
    filters,
    print_json,
    stdout_kept,
)

__all__ = ["run"]

Trait = Literal["form", "access", "size", "motif", "family", "surface", "construction"]
ByOption = Annotated[
    Trait | None,
    typer.Option(
        "--by", envvar=env("by"), help="Print a line for each type of question (form), and so on."
    ),
]
ShiftOption = Annotated[
    str,
    typer.Option(
        "--shift",
        envvar=env("shift"),
        help="Train on one part of the worlds, ask about another: size, motif, mechanism ...",
    ),
]
PlotOption = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        envvar=env("plot"),
        help="Draw the ladder, or with --by access skill by budget: a .png, .svg or .pdf.",
    ),
]


def run(  # noqa: PLR0913, PLR0917  (each argument is a flag)
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite, a world, or the path of a world file.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent", envvar=env("agent"), help="Name or file.py:Class; give it again for more."
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-A", envvar=env("option"), help="k=v, or agent.k=v for one."),
    ] = None,
    seed: SeedOption = 0,
    repeats: Annotated[
        int,
        typer.Option("--repeats", envvar=env("repeats"), min=1, help="Trainings of each agent."),
    ] = 1,
    limit: LimitOption = None,
    filter_: FilterOption = None,
    difficulty: DifficultyOption = None,
    shift: ShiftOption = "",
    log_dir: Annotated[
        Path, typer.Option("--log-dir", envvar=env("log-dir"), help="Where the logs go.")
    ] = Path("logs"),
    jobs: JobsOption = 1,
    config: ConfigOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", envvar=env("dry-run"), help="Say what would be run.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", envvar=env("fresh"), help="Move an earlier log aside, start over."),
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", envvar=env("time-limit"), help="Seconds for one dossier."),
    ] = None,
    by: ByOption = None,
    plot: PlotOption = None,
    regime: RegimeOption = None,
    budget: BudgetOption = None,
    phase: PhaseOption = None,
    knob: KnobOption = None,
    worlds: WorldsOption = None,
    out: OutOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", envvar=env("quiet"), help="No progress, notes, warnings.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Play agents on a suite and print how far up the ladder each gets.

    Of a sequential world it trains learners, and prints what their policies are worth. The same
    command again goes on where the last one stopped. Ends with 1 if items failed.
    """
    del config  # its callback has taken the defaults from it
    if quiet:
        warnings.simplefilter("ignore")
        logging.getLogger("causalbench.jit").setLevel(logging.ERROR)
    one_thread_each()
    asked = Asked(regime or [], budget or [], phase or [], knob or [], worlds, difficulty, out)
    page = page_of(context, suite, asked)
    if page is not None:
        refused(limit=limit, filter=filter_, shift=shift, by=by, time_limit=time_limit)
        check_plot(plot)
        raise typer.Exit(
            run_arena(
                page,
                agent or [],
                option or [],
                seed=seed,
                repeats=repeats,
                log_dir=log_dir,
                jobs=jobs,
                fresh=fresh,
                dry_run=dry_run,
                plot=plot,
                out=out,
                quiet=quiet,
                as_json=as_json,
            )
        )
    asked.refused(suite)
    from causalbench.agent.options import parse_options
    from causalbench.run import evaluate
    from causalbench.run.plan import select, under
    from causalbench.run.preview import preview

    where = filters(filter_, difficulty)
    options = parse_options(option or [])
    if dry_run:
        selection = select(
            under(suite, shift),
            seed=seed,
            limit=limit,
            where=where,
            repeats=repeats,
            time_limit=time_limit,
        )
        with stdout_kept():
            planned = preview(agent or [], selection, log_dir=log_dir, options=options)
        _print_plan(planned, as_json=as_json)
        return
    check_plot(plot)
    try:
        with stdout_kept():
            found = evaluate(
                agent or [],
                suite,
                seed=seed,
                repeats=repeats,
                log_dir=log_dir,
                jobs=jobs,
                limit=limit,
                where=where,
                fresh=fresh,
                time_limit=time_limit,
                progress=not quiet,
                options=options,
                shift=shift,
            )
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here.", file=sys.stderr)
        raise
    show_run(found, as_json=as_json, plot=plot, quiet=quiet, by=by)
    raise typer.Exit(1 if found.failed else 0)


def one_thread_each() -> None:
    """Keep linear algebra to one thread, before anything imports it."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def check_plot(path: Path | None) -> None:
    """Refuse a figure that can't be written before the run rather than after it."""
    if path is None:
        return
    if path.suffix not in {".png", ".svg", ".pdf"}:
        msg = f"'{path}' doesn't end in .png, .svg or .pdf; name such a file."
        raise typer.BadParameter(msg, param_hint="'--plot'")
    if not path.parent.is_dir():
        msg = f"there is no folder '{path.parent}'; make it first."
        raise typer.BadParameter(msg, param_hint="'--plot'")


def show_run(
    found: Any,
    *,
    as_json: bool,
    plot: Path | None,
    quiet: bool,
    by: Trait | None = None,
    items: bool = False,
) -> None:
    """Print a run's tables, or its JSON; draw it; say where its logs are.

    Args:
        found: the run.
        as_json: print JSON instead of tables.
        plot: where to draw it; by access, skill against budgets.
        quiet: leave out notes and where the logs are.
        by: print a line for each value of this trait in place of the ladder.
        items: print how hard the items were in place of the ladder.
    """
    from causalbench.report import plot_budgets, plot_ladder, print_items, print_lines, print_run

    if not quiet:
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)
    if as_json:
        more = {"by": {"trait": by, "rows": found.lines(by)}} if by else {}
        print_json({**found.to_json(), **more, **({"items": found.item_rows()} if items else {})})
    else:
        if by:
            print_lines(found, by)
        if items:
            print_items(found)
        if not by and not items:
            print_run(found)
    if plot is not None:
        (plot_budgets if by == "access" else plot_ladder)(found, plot)
    if not quiet and sys.stderr.isatty():
        for name, path in found.log_paths.items():
            print(f"log of {name}: {path}", file=sys.stderr)


def _print_plan(planned: dict[str, Any], *, as_json: bool) -> None:
    """Print what would be run."""
    if as_json:
        print_json(planned)
        return
    print(f"{planned['suite']} version {planned['version']}, seed {planned['seed']}")
    for row in planned["cells"]:
        print(cell_line(row))
    for row in planned["agents"]:
        print(
            f"{row['agent']}: {count(row['answers'], 'answer')} in "
            f"{count(planned['repeats'], 'repeat')}, {row['logged']} of them logged in {row['log']}"
        )
