"""What the commands share: one-line errors, options with their variables, JSON, a config file."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import warnings
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from causalbench.errors import CausalBenchError, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "PAGE",
    "ConfigOption",
    "Difficulty",
    "DifficultyOption",
    "FilterOption",
    "JobsOption",
    "JsonOption",
    "LimitOption",
    "OneLine",
    "SeedOption",
    "cell_line",
    "count",
    "env",
    "fail",
    "filters",
    "print_json",
    "stdout_kept",
    "table_width",
]

INTERRUPTED = 130
PAGE = "causalbench.page"
"""Where a context keeps what a file of ``kind: arena`` says beside flags."""
Difficulty = Literal["easy", "medium", "hard"]
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]
_FILTERS = (
    *("rung", "cell", "track", "role", "construction", "base", "pair_id", "side"),
    *("form", "access", "size", "motif", "family", "surface", "difficulty"),
)
_WHOLE = frozenset({"rung", "side"})
_WIDTH = 118
_LONGEST = 1000  # characters of an error
_DIGITS = 9  # of a number in a filter


def env(flag: str) -> str:
    """Return the environment variable of a flag: ``CAUSALBENCH_LOG_DIR`` for ``log-dir``."""
    return f"CAUSALBENCH_{flag.upper().replace('-', '_')}"


class OneLine(TyperGroup):
    """A group of commands that says what is wrong on one plain line, and how it ended by number.

    0 done; 1 a check or some items failed; 2 the user can mend it; 130 Ctrl-C. Any other exception
    is a bug and keeps its traceback.
    """

    def main(  # type: ignore[override]  # what only Windows and completion pass goes to `extra`
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and exit."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        compiling = logging.getLogger("causalbench.jit")
        compiling.setLevel(logging.INFO)
        compiling.addHandler(_NOTES)
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _Warner()
                code = super().main(args, prog_name, standalone_mode=False, **extra)
            if sys.stdout is not None:
                sys.stdout.flush()
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except (CausalBenchError, _ClickException) as error:
            code = fail(_line(error)) if not _is_help(error) else 2
        except BrokenPipeError:  # as with `| head`: whoever read the output has gone
            code = _unread()
        except OSError as error:
            _unread()
            code = fail(_refused(error))
        except MemoryError:
            code = fail("there is not enough memory for this; take a smaller world, suite or query")
        sys.exit(code if isinstance(code, int) else 0)


class _Warner:
    """Print each warning once, on one line of stderr, without the place in the source."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, message: Warning | str, *_: object, **__: object) -> None:
        line = " ".join(str(message).split())
        if line not in self._said:
            self._said.add(line)
            print(f"warning: {line}", file=sys.stderr)


class _Notes(logging.Handler):
    """Print warnings on stderr, and to somebody who watches also what a wait is for."""

    def emit(self, record: logging.LogRecord) -> None:
        warns = record.levelno >= logging.WARNING
        with suppress(OSError, ValueError):  # stderr may have gone
            if sys.stderr is not None and (warns or sys.stderr.isatty()):
                kind = "warning" if warns else "note"
                print(f"{kind}: {record.getMessage()}", file=sys.stderr)


_NOTES = _Notes()


def fail(message: str) -> int:
    """Print one line to stderr, its middle left out if very long; return a user error's code."""
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST // 2]} ... {message[-_LONGEST // 4 :]}"
    with suppress(OSError):  # there is nowhere left to say it
        print(f"error: {message}", file=sys.stderr)
    return 2


@contextmanager
def stdout_kept() -> Iterator[None]:
    """Send to stderr what strangers' code prints: stdout is for what the command says."""
    try:
        sys.stdout.flush()
        out, err = sys.stdout.fileno(), sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or no file, as in a test
        with redirect_stdout(_Aside()):
            yield
        return
    saved = os.dup(out)
    try:
        os.dup2(err, out)
        with redirect_stdout(_Aside()):
            yield
    finally:
        os.dup2(saved, out)
        os.close(saved)


class _Aside(io.TextIOBase):
    """Write to stderr, whatever that is at the time; closing it closes nothing."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def close(self) -> None:
        """Stay open."""


def print_json(value: Any) -> None:
    """Print a value as JSON, alone on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def count(number: int, what: str) -> str:
    """Write a number and what is counted, in the plural where it isn't 1."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def cell_line(row: Mapping[str, Any]) -> str:
    """Write what a suite holds in one cell: pairs of twins, or cases that have none."""
    cases = count(row["pairs"], "pair" if row["role"] == "skill" else "case")
    items = "" if row["items"] is None else f" {count(row['items'], 'item'):>12}"
    return (
        f"  {row['role']:<8} {row['track']:<10} rung {row['rung']}  {row['cell']:<11}"
        f"{cases:>11}{items}"
    )


def table_width() -> int | None:
    """Return how wide a table may be: None for the terminal's own width."""
    return None if sys.stdout.isatty() else _WIDTH


def filters(text: str | None, difficulty: str | None = None) -> dict[str, Any] | None:
    """Read ``rung=2,cell=lab``, and add what ``--difficulty`` says.

    Raises:
        typer.BadParameter: no ``key=value``, a key that isn't one, or a rung that is no number.
    """
    found: dict[str, Any] = {}
    if difficulty:
        found["difficulty"] = difficulty
    for part in text.split(",") if text else ():
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not value:
            msg = f"'{part.strip()}' is not key=value; write e.g. rung=2,cell=lab."
            raise typer.BadParameter(msg, param_hint="'--filter'")
        if key not in _FILTERS:
            near = suggest(key, _FILTERS)
            msg = f"there is no '{key}'; filter by {', '.join(_FILTERS)}.{near}"
            raise typer.BadParameter(msg, param_hint="'--filter'")
        if key in found:
            msg = f"'{key}' is given twice; give it once."
            raise typer.BadParameter(msg, param_hint="'--filter'")
        if key in _WHOLE and not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
            msg = f"{key} is '{value}', not a whole number; write e.g. {key}=1."
            raise typer.BadParameter(msg, param_hint="'--filter'")
        found[key] = int(value) if key in _WHOLE else value
    return found or None


def _unread() -> int:
    """Drop what is still to be written to stdout, which Python would try, and report, at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
    return 1


def _refused(error: OSError) -> str:
    """Say what the system refuses."""
    what = f"'{error.filename}' can't be used" if error.filename else "the output can't be written"
    return f"{what}: {error.strerror or error}; mend that, or give another place."


def _is_help(error: Exception) -> bool:
    """Print the help that a group of commands gives when it is named alone."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ != "NoArgsIsHelpError" or context is None:
        return False
    print(context.get_help(), file=sys.stderr)
    return True


def _line(error: Exception) -> str:
    """Return an error as one line; a wrong command line names the help that would show it right."""
    if isinstance(error, CausalBenchError):
        return " ".join(str(error).split())
    text = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    context = getattr(error, "ctx", None)
    if isinstance(error, _UsageError) and context is not None:
        text = text.replace("Value error, ", "").replace("Input should", "it should")
        stop = "" if text.endswith(("?", ".")) else "."
        text = f"{text}{stop} See: {context.command_path} --help"
    return text


def _read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take defaults from a YAML file; the command line and the environment override them."""
    if path is None or context.resilient_parsing:
        return path
    from causalbench.errors import WorldError
    from causalbench.scm.yaml_text import MAX_YAML, load_yaml

    try:
        with path.open("rb") as file:
            text = file.read(MAX_YAML + 1).decode("utf-8-sig")
        lines = (line.strip() for line in text.splitlines())
        bare = all(not line or line.startswith("#") for line in lines)
        data = {} if bare else load_yaml(text, path.name)
    except (OSError, UnicodeDecodeError, WorldError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        msg = f"'{path}' can't be read as YAML: {why}"
        raise typer.BadParameter(msg) from None
    if not isinstance(data, dict):
        msg = f"'{path}' holds a {type(data).__name__}; give flags and values, such as seed: 7."
        raise typer.BadParameter(msg)
    flags = {
        spelling.lstrip("-").replace("-", "_"): parameter.name
        for parameter in context.command.params
        for spelling in parameter.opts
        if parameter.name not in {"config", "help"}
    }
    defaults: dict[str, Any] = {}
    page: dict[str, Any] | None = None
    if data.get("kind") == "arena" and context.command.name == "run":
        page = context.meta[PAGE] = {}
        defaults["suite"] = str(path)
    for key, value in data.items():
        flag = str(key).replace("-", "_")
        if page is not None and flag not in flags:
            page[str(key)] = value  # checked where it is read
            continue
        if flag not in flags:
            msg = f"'{path}' sets '{key}', which is no flag of this command.{suggest(flag, flags)}"
            raise typer.BadParameter(msg)
        defaults[str(flags[flag])] = _plain(flag, value)
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def _plain(flag: str, value: Any) -> Any:
    """Return a config value as the command line would give it."""
    if isinstance(value, dict):
        pairs = [f"{key}={_text(item)}" for key, item in value.items()]
        return ",".join(pairs) if flag == "filter" else pairs
    if flag in {"agent", "option", "A"} and not isinstance(value, list):
        return [str(value)]
    return value


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


SeedOption = Annotated[
    int, typer.Option("--seed", envvar=env("seed"), min=0, help="Which items are drawn.")
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        envvar=env("limit"),
        min=1,
        help="At most so many pairs in all, spread over the cells; a small number leaves rungs "
        "out.",
    ),
]
FilterOption = Annotated[
    str | None,
    typer.Option(
        "--filter", envvar=env("filter"), help="Keep these only: rung=2,cell=lab,form=ATE."
    ),
]
DifficultyOption = Annotated[
    Difficulty | None,
    typer.Option(
        "--difficulty",
        envvar=env("difficulty"),
        help="Keep these only, as measured on the suite (see --items of causalbench score).",
    ),
]
JobsOption = Annotated[
    int,
    typer.Option("--jobs", envvar=env("jobs"), min=1, help="Processes; nothing depends on it."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", envvar=env("json"), help="Print JSON, alone on stdout.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar=env("config"),
        is_eager=True,
        callback=_read_config,
        help="A YAML file of flags; the command line overrides it.",
    ),
]
