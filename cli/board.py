"""`causalbench board`: pack, verify and publish results."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003  (Typer reads the annotations at run time)
from typing import Annotated

import typer

from .common import count

__all__ = ["board_app"]

board_app = typer.Typer(help="Pack, verify and publish results.", no_args_is_help=True)


@board_app.command("pack")
def pack_command(
    log_dir: Annotated[Path, typer.Argument(help="The --log-dir of a finished run.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="The zip file to write.", envvar="CAUSALBENCH_OUTPUT"),
    ],
    title: Annotated[
        str, typer.Option(help="What to call the submission.", envvar="CAUSALBENCH_TITLE")
    ] = "",
    # Not CAUSALBENCH_BY: that is the --by of `run` and `score`, which names a trait.
    by: Annotated[str, typer.Option(help="Who submits.", envvar="CAUSALBENCH_BOARD_BY")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the output.", envvar="CAUSALBENCH_FORCE")
    ] = False,
) -> None:
    """Pack a log into one file that anyone can recompute: answers and manifest, no keys."""
    from causalbench.board import pack
    from causalbench.board.pack import contents

    path = pack(log_dir, output, title=title, by=by, force=force)
    said, own = contents(path)
    typer.echo(f"packed {path} ({path.stat().st_size / 1024:,.0f} KiB): {said}")
    for name in own:
        typer.echo(
            f"warning: `board verify` will refuse '{name}': only suites, worlds and networks that "
            "come with causalbench can be verified.",
            err=True,
        )


@board_app.command("verify")
def verify_command(
    submission: Annotated[Path, typer.Argument(help="The file that `board pack` wrote.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON alone on stdout.", envvar="CAUSALBENCH_JSON")
    ] = False,
) -> None:
    """Build the items again, rescore every answer, and name the first difference."""
    from causalbench.board import verify

    verdict = verify(submission)
    if as_json:
        found = {"ok": verdict.ok, "reason": verdict.reason, "items": verdict.items}
        typer.echo(json.dumps(found))
    elif verdict.ok:
        agents = len(verdict.agents)
        said = f"{verdict.items:,} answers of {count(agents, 'agent')}"
        typer.echo(f"verified: {said}, recomputed as claimed")
    else:
        typer.echo(f"refused: {verdict.reason}", err=True)
    if not verdict.ok:
        raise typer.Exit(1)


@board_app.command("build")
def build_command(
    submissions: Annotated[list[Path], typer.Argument(help="Files that `board pack` wrote.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="The folder to write.", envvar="CAUSALBENCH_OUTPUT"),
    ],
) -> None:
    """Verify submissions and write a static page for each suite and seed."""
    from causalbench.board import board

    typer.echo(f"wrote {board(submissions, output)}")
