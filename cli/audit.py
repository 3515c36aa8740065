"""``causalbench audit``: what do shortcuts score on a suite?"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (Typer reads annotations)
from typing import Annotated

import typer

from .common import (
    FilterOption,
    JobsOption,
    JsonOption,
    LimitOption,
    SeedOption,
    env,
    filters,
    print_json,
    stdout_kept,
)
from .run import one_thread_each

__all__ = ["audit"]


def audit(
    suite: Annotated[str, typer.Argument(help="A suite, a world, or the path of a file.")],
    seed: SeedOption = 0,
    limit: LimitOption = None,
    filter_: FilterOption = None,
    jobs: JobsOption = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", envvar=env("out"), help="Write the tables to this page, as Markdown."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let every shortcut play a suite. Ends with 1 if one may have more skill than .05.

    A limit or a filter leaves too few pairs to bound a skill tightly: it is for looking only.
    """
    one_thread_each()
    from causalbench.report.audit import print_audit, write_audit
    from causalbench.run.audit import audit as audited

    with stdout_kept():
        found = audited(
            suite, seed=seed, limit=limit, where=filters(filter_), jobs=jobs, progress=True
        )
    if out is not None:
        write_audit(found, out)
    if as_json:
        print_json(found.to_dict())
    else:
        print_audit(found)
    raise typer.Exit(0 if found.passes else 1)
