"""``causalbench score``: the ladder of a log, from its answers alone."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (Typer reads annotations)
from typing import Annotated

import typer

from .common import JsonOption, env
from .run import ByOption, PlotOption, check_plot, one_thread_each, show_run

__all__ = ["score"]


def score(
    logdir: Annotated[
        list[Path], typer.Argument(help="One run's folder, or a folder of such; or several.")
    ],
    by: ByOption = None,
    items: Annotated[
        bool,
        typer.Option(
            "--items", envvar=env("items"), help="Print difficulty and discrimination of items."
        ),
    ] = False,
    plot: PlotOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a log again, without running any agent. Ends with 1 if items failed or are missing."""
    one_thread_each()
    check_plot(plot)
    from causalbench.run import rescore

    found = rescore(logdir)
    show_run(found, as_json=as_json, plot=plot, quiet=True, by=by, items=items)
    raise typer.Exit(1 if found.failed else 0)
