"""Show how far a run is, on stderr, where somebody may be looking."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

__all__ = ["Ticker", "ticker"]


class Ticker:
    """Count items; call it with how many were done.

    Args:
        bar: a rich progress and its task, or None to count in silence.
    """

    def __init__(self, bar: tuple[Progress, TaskID] | None = None) -> None:
        self._bar = bar

    def __call__(self, items: int) -> None:
        """Count so many more items as done."""
        if self._bar is not None:
            self._bar[0].advance(self._bar[1], items)

    def total(self, items: int) -> None:
        """Say how many there are."""
        if self._bar is not None:
            self._bar[0].update(self._bar[1], total=items)

    def name(self, agent: str) -> None:
        """Say what is going on, or whose turn it is."""
        if self._bar is not None:
            self._bar[0].update(self._bar[1], description=agent)


@contextmanager
def ticker(*, shown: bool, what: str = "items") -> Iterator[Ticker]:
    """Open a progress bar, or a silent counter.

    Args:
        shown: False, or a stderr that is no terminal, shows nothing.
        what: is counted.
    """
    if not (shown and sys.stderr.isatty()):
        yield Ticker()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<18.18}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TextColumn(what),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Ticker((progress, progress.add_task("", total=None)))
