"""Print what an arena found: a table a study, for a terminal and for a page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from causalbench.errors import LogError
from causalbench.report.arena_sheets import Sheet, sheets
from causalbench.report.cells import NOT_PLAYED

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from causalbench.report.arena_sheets import Cell
    from causalbench.run.arena import Arena

__all__ = ["BEGIN", "END", "arena_markdown", "arena_tables", "print_arena", "write_arena"]

BEGIN, END = "<!-- arena: begin -->", "<!-- arena: end -->"
_WIDTH = 118  # columns, where there is no terminal to ask
_LEGEND = (
    "Values are exact expected returns, scaled to 0..1, of the policy that takes its likeliest"
    " action (sampled: of the one that draws); each the interquartile mean over trainings with its"
    " 95% interval. climb: 0 is the reference of the rung below the regime's (of uniform choice,"
    " where that is no lower), 1 its own; it is not the skill of twins and carries no theorem."
    " reaches: the highest reference that the interval lies at or above, give or take a fiftieth of"
    " their range. rung 3: what its answer to a question of rung 3 would be."
)
_ABOUT = "~ marks a value that is known within an interval only."


def print_arena(found: Arena, console: Console | None = None) -> None:
    """Print an arena's tables.

    Args:
        found: what to print.
        console: where to; by default stdout, as wide as the terminal or 118 columns.
    """
    if console is None:
        console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    console.print(arena_tables(found, width=console.width))


def arena_tables(found: Arena, *, width: int = _WIDTH) -> Group:
    """Lay an arena out: for each study its learners, then the references beside which they stand.

    Args:
        found: what to lay out.
        width: columns there are; where they are few, intervals go below their values.
    """
    trainings = f"{found.repeats} training{'s' * (found.repeats > 1)} of each"
    head = f"\n{found.title}: seed {found.seed}, {trainings}\n"
    parts: list[RenderableType] = [Text(head, style="bold")]
    for finding in found.findings:
        for sheet in sheets(finding):
            parts += [Text(sheet.title, style="bold"), Text(), _fitted(sheet, width), Text()]
    parts.append(Text(f"{_LEGEND} {_ABOUT}", style="dim"))
    return Group(*parts)


def arena_markdown(found: Arena) -> str:
    """Return an arena as the tables of a page."""
    lines = [f"Seed {found.seed}, {found.repeats} trainings of each learner."]
    if found.failed:
        lines[0] += f" {found.failed} trainings failed and are left out."
    for finding in found.findings:
        for sheet in sheets(finding):
            lines += ["", f"**{sheet.title}**", ""]
            titles = [" ".join(title.split()) for title in sheet.columns]
            lines.append("| " + " | ".join(titles) + " |")
            marks = ["---" if left else "---:" for left in sheet.left]
            lines.append("| " + " | ".join(marks) + " |")
            lines += ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in sheet.rows]
    return "\n".join([*lines, "", f"{_LEGEND} {_ABOUT}"]) + "\n"


def write_arena(found: Arena, path: Path) -> None:
    """Write an arena's tables to a page, between its marks; to a new file where there is none.

    Args:
        found: the arena.
        path: a page with `BEGIN` and `END`, or a file that is not there yet.

    Raises:
        LogError: the page has no marks, or can't be read or written.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}{END}\n"
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            msg = f"'{path}' has no lines {BEGIN} and {END} to write between; add them."
            raise LogError(msg)
        made = f"{before}{BEGIN}\n\n{arena_markdown(found)}\n{END}{after}"
        path.write_text(made, encoding="utf-8", newline="\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        msg = f"'{path}' can't be written: {why}; give another -o."
        raise LogError(msg) from None


def _fitted(sheet: Sheet, width: int) -> Table:
    """Return a table with intervals beside their values, or below them where that is too wide."""
    flat = _table(sheet, flat=True)
    return flat if Console(width=1000).measure(flat).maximum <= width else _table(sheet, flat=False)


def _table(sheet: Sheet, *, flat: bool) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title, left in zip(sheet.columns, sheet.left, strict=True):
        made.add_column(title, justify="left" if left else "right", no_wrap=True)
    before: str | None = None
    for row in sheet.rows:
        name = str(row[0].text)
        if before not in {None, name} and sheet.grouped:
            made.add_section()
        before = name
        made.add_row(*(_rich(cell, flat=flat) for cell in row))
    return made


def _rich(cell: Cell, *, flat: bool) -> Text:
    text = Text(cell.text or NOT_PLAYED, style=cell.style if cell.text else "dim")
    if cell.ends:
        text.append(f" {cell.ends}" if flat else f"\n{cell.ends}", style="dim")
    return text


def _plain(cell: Cell) -> str:
    return f"{cell.text or NOT_PLAYED} {cell.ends}".strip()
