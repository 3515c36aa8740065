"""The command line: each command parses, calls one library function, and prints."""

from __future__ import annotations

from typing import Annotated

import typer

from .ask import ask
from .audit import audit
from .board import board_app
from .check import check
from .common import OneLine
from .info import info
from .list import list_names
from .make import make
from .make_log import make_log
from .run import run
from .score import score
from .show import show

__all__ = ["app"]

app = typer.Typer(
    name="causalbench",
    cls=OneLine,
    help="Measure how far up Pearl's ladder (see, do, imagine) an agent gets.",
    epilog="Every flag can be set by CAUSALBENCH_<FLAG>, e.g. CAUSALBENCH_SEED=7.",
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run)
app.command("list")(list_names)
app.command("show")(show)
app.command("ask")(ask)
app.command("make")(make)
app.command("make-log")(make_log)
app.command("score")(score)
app.command("check")(check)
app.command("audit")(audit)
app.command("info")(info)
app.add_typer(board_app, name="board")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("causalbench-ladder"))
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print it."),
    ] = False,
) -> None:
    """Measure how far up Pearl's ladder (see, do, imagine) an agent gets."""
    del version
    if context.invoked_subcommand is None:
        print(context.get_help())
