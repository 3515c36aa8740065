"""``causalbench make``: write a suite's questions, and its keys apart from them."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  (Typer reads annotations)
from typing import Annotated, Literal

import typer

from .common import (
    DifficultyOption,
    FilterOption,
    JobsOption,
    LimitOption,
    SeedOption,
    count,
    env,
    filters,
)
from .run import one_thread_each

__all__ = ["make"]

Format = Literal["jsonl", "dataset"]


def make(  # noqa: PLR0913, PLR0917  (each argument is a flag)
    suite: Annotated[str, typer.Argument(help="A suite, a world, or the path of a file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", envvar=env("out"), help="The folder to write to.")
    ],
    seed: SeedOption = 0,
    limit: LimitOption = None,
    filter_: FilterOption = None,
    difficulty: DifficultyOption = None,
    format_: Annotated[
        Format,
        typer.Option(
            "--format",
            envvar=env("format"),
            help="jsonl, or dataset: a folder for the Hugging Face Hub, with card and schemas.",
        ),
    ] = "jsonl",
    private: Annotated[
        bool,
        typer.Option(
            "--private", envvar=env("private"), help="Keep the seed out of a dataset's card."
        ),
    ] = False,
    jobs: JobsOption = 1,
    force: Annotated[
        bool, typer.Option("--force", envvar=env("force"), help="Overwrite what is there.")
    ] = False,
) -> None:
    """Write questions.jsonl (a dossier and its questions a line) and keys.jsonl (keep it secret).

    The same suite and seed give the same bytes on every machine.
    """
    one_thread_each()
    from causalbench.run.dataset import LINES, dataset
    from causalbench.run.plan import select
    from causalbench.run.write import write_suite

    if private and format_ != "dataset":
        msg = "only a dataset tells its seed; leave --private out, or add --format dataset."
        raise typer.BadParameter(msg, param_hint="'--private'")
    layout = dataset(private=private) if format_ == "dataset" else LINES
    there = layout.there(out)
    if there is not None and not force:
        msg = f"'{there}' is there already; give --force to overwrite it, or another -o."
        raise typer.BadParameter(msg, param_hint="'-o'")
    selection = select(suite, seed=seed, limit=limit, where=filters(filter_, difficulty))
    try:
        written = write_suite(selection, out, layout, jobs=jobs, progress=True)
    except KeyboardInterrupt:
        print(f"interrupted; '{out}' is as it was.", file=sys.stderr)
        raise
    for one in written:
        print(f"{out / one.path}: {count(one.lines, 'line')}")
