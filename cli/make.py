"""``causalbench make``: write a suite's questions, and its keys apart from them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path  # noqa: TC003  (Typer reads annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from .common import FilterOption, JobsOption, LimitOption, SeedOption, env, filters
from .run import one_thread_each

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["make"]


def make(
    suite: Annotated[str, typer.Argument(help="A suite, a world, or the path of a file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", envvar=env("out"), help="The folder to write to.")
    ],
    seed: SeedOption = 0,
    limit: LimitOption = None,
    filter_: FilterOption = None,
    jobs: JobsOption = 1,
    force: Annotated[
        bool, typer.Option("--force", envvar=env("force"), help="Overwrite what is there.")
    ] = False,
) -> None:
    """Write questions.jsonl (a dossier and its questions a line) and keys.jsonl (keep it secret).

    The same suite and seed give the same bytes on every machine.
    """
    one_thread_each()
    from causalbench.errors import LogError
    from causalbench.run.build import cases_in
    from causalbench.run.plan import select
    from causalbench.run.pool import Workers
    from causalbench.task.suite import case_to_dict

    files = {name: out / f"{name}.jsonl" for name in ("questions", "keys")}
    there = next((path for path in files.values() if path.exists()), None)
    if there is not None and not force:
        msg = f"'{there}' is there already; give --force to overwrite it, or another -o."
        raise typer.BadParameter(msg, param_hint="'-o'")
    selection = select(suite, seed=seed, limit=limit, where=filters(filter_))
    with Workers(jobs) if jobs > 1 else nullcontext() as workers:
        made = [
            case_to_dict(case) for case in cases_in(workers.pool if workers else None, selection)
        ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(
            files["questions"],
            ({"dossier": one["dossier"], "questions": one["questions"]} for one in made),
        )
        _write(
            files["keys"],
            (
                {
                    "dossier": one["dossier"]["id"],
                    "placement": one["placement"],
                    "keys": one["keys"],
                }
                for one in made
            ),
        )
    except OSError as error:
        msg = f"'{out}' can't be written: {error.strerror}; give another -o."
        raise LogError(msg) from None
    for path in files.values():
        print(f"{path}: {len(made)} lines")


def _write(path: Path, records: Iterable[object]) -> None:
    """Write a line a record, in canonical JSON."""
    from causalbench.task.encode import canonical_json

    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{canonical_json(record)}\n" for record in records)
