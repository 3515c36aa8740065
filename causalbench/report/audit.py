"""Print an audit: what each shortcut scores on each type of question, for a terminal and a page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.text import Text

from causalbench.errors import LogError
from causalbench.report.cells import NOT_PLAYED, number, table
from causalbench.run.audit.bounds import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.table import Table

    from causalbench.run.audit import Audit, Figure

__all__ = ["BEGIN", "END", "audit_markdown", "audit_tables", "print_audit", "write_audit"]

BEGIN, END = "<!-- audit: begin -->", "<!-- audit: end -->"
_WIDTH = 118  # columns, where there is no terminal to ask
_COLUMN = 8  # letters: the width of a figure and a little more
_BLIND = (
    "constant",
    "majority",
    "number-blind",
    "diagram-blind",
    "bag-of-words",
    "sides",
    "see-reader",
    "do-reader",
    "win-stay-lose-shift",
)
"""Shortcuts that do not read the diagram as a formula; the rest are in a table of their own."""


def print_audit(found: Audit, console: Console | None = None) -> None:
    """Print an audit's tables.

    Args:
        found: what to print.
        console: where to; by default stdout, as wide as the terminal or 118 columns.
    """
    if console is None:
        console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    console.print(audit_tables(found))


def audit_tables(found: Audit) -> Group:
    """Lay an audit out: two tables of skills and bounds, then what fails, and on which pairs."""
    head = f"{found.suite} version {found.version}, seed {found.seed}, {found.pairs} pairs"
    parts: list[Text | Table] = [Text(f"{head}\n", style="bold")]
    for names in _halves(found):
        parts += [_table(found, names), Text()]
    failed = [figure for figure in found.figures if not figure.passes]
    parts.append(
        Text(
            "skill, and below it the upper 95% bound, Holm-adjusted over the whole audit; "
            "! where it is above .05"
        )
    )
    high = [figure for figure in failed if figure.skill > LIMIT]
    for figure in high:
        pairs = f"; most on {', '.join(figure.best)}" if figure.best else ""
        way = f"{figure.type}: {figure.shortcut} ({figure.way})"
        parts.append(Text(f"{way} has {number(figure.skill, 3)}{pairs}"))
    if len(failed) > len(high):
        parts.append(
            Text(f"{len(failed) - len(high)} score less, on too few pairs for a bound of {LIMIT}")
        )
    verdict = f"{len(failed)} of {len(found.figures)} fail" if failed else "every shortcut passes"
    parts.append(Text(verdict, style="bold"))
    return Group(*parts)


def audit_markdown(found: Audit) -> str:
    """Return an audit as tables of a page; what fails is in bold type."""
    failed = sum(not figure.passes for figure in found.figures)
    head = (
        f"`causalbench audit {found.suite} --seed {found.seed}`, version {found.version}: "
        f"{found.pairs} pairs, {len(found.figures)} figures, {failed} above the limit."
    )
    lines = [head]
    for names in _halves(found):
        lines += ["", "| type of question | pairs | " + " | ".join(names) + " |"]
        lines.append("| --- | ---: |" + " ---: |" * len(names))
        for kind in _types(found):
            row = _row(found, kind, names)
            cells = [_plain(figure) for figure in row]
            if any(row):
                lines.append(f"| {kind} | {_pairs(row)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_audit(found: Audit, path: Path) -> None:
    """Write an audit's tables to a page, between its marks; to a new file where there is none.

    Args:
        found: the audit.
        path: a page with `BEGIN` and `END`, or a file that is not there yet.

    Raises:
        LogError: the page has no marks, or can't be read or written.
    """
    made = f"{BEGIN}\n{audit_markdown(found)}{END}"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}{END}\n"
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            msg = f"'{path}' has no lines {BEGIN} and {END} to write between; add them."
            raise LogError(msg)
        path.write_text(f"{before}{made}{after}", encoding="utf-8", newline="\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        msg = f"'{path}' can't be written: {why}; give another -o."
        raise LogError(msg) from None


def _types(found: Audit) -> list[str]:
    return list(dict.fromkeys(figure.type for figure in found.figures))


def _halves(found: Audit) -> list[list[str]]:
    """Return the shortcuts of each table, without those that never play."""
    played = list(dict.fromkeys(figure.shortcut for figure in found.figures))
    halves = (
        [name for name in _BLIND if name in played],
        [name for name in played if name not in _BLIND],
    )
    return [half for half in halves if half]


def _row(found: Audit, kind: str, names: Sequence[str]) -> list[Figure | None]:
    own = {figure.shortcut: figure for figure in found.figures if figure.type == kind}
    return [own.get(name) for name in names]


def _pairs(row: Sequence[Figure | None]) -> str:
    """Return on how many pairs a type's shortcuts were tried; the fewest and the most."""
    counts = [figure.pairs for figure in row if figure is not None]
    if not counts:
        return NOT_PLAYED
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}-{high}"


def _table(found: Audit, names: Sequence[str]) -> Table:
    made = table()
    made.columns[0].header = "type of question"
    made.add_column("pairs", justify="right")
    for name in names:
        title = Text("\n".join(_folded(name)), justify="right")
        made.add_column(title, justify="right", overflow="fold")
    for kind in _types(found):
        row = _row(found, kind, names)
        if any(row):
            made.add_row(kind, _pairs(row), *(_cell(figure) for figure in row))
    return made


def _folded(name: str) -> list[str]:
    """Return a name in lines of a column's width, as few as there can be."""
    lines: list[str] = []
    for part in name.split("-"):
        half = (len(part) + 1) // 2
        whole = [part] if len(part) <= _COLUMN else [part[:half], part[half:]]
        for piece in whole:
            if lines and len(lines[-1]) + len(piece) < _COLUMN:
                lines[-1] += f"-{piece}"
            else:
                lines = [*[line.removesuffix("-") + "-" for line in lines], piece]
    return lines


def _cell(figure: Figure | None) -> Text:
    if figure is None:
        return Text(NOT_PLAYED, style="dim")
    text = Text.assemble(
        (number(figure.skill), "" if figure.passes else "bold red"),
        (f"\n{number(figure.upper)}", "dim"),
    )
    if not figure.passes:
        text.append("!", style="bold red")
    return text


def _plain(figure: Figure | None) -> str:
    if figure is None:
        return NOT_PLAYED
    text = f"{number(figure.skill)} ({number(figure.upper)})"
    return text if figure.passes else f"**{text}**"
