"""Write a suite to a folder: a case at a time, and all of it or nothing.

Cases are built in one order and stand in the files in another, which a private coin draws. So their
lines go to a scratch file as they are made, and are copied from there in the suite's order. Nothing
but names and places is held in memory. All is written beside its place and moved there at the end.
"""

from __future__ import annotations

import hashlib
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from causalbench.run.build import count_pieces, pieces_in
from causalbench.run.plan import cases_of
from causalbench.run.pool import Workers
from causalbench.run.progress import ticker
from causalbench.run.stage import in_the_way, publish, said, staged
from causalbench.task.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from causalbench.run.plan import Selection
    from causalbench.run.progress import Ticker
    from causalbench.task.types import Case, Placement

__all__ = ["SHARD", "Layout", "Made", "Written", "write_suite"]

SHARD = 2**26
"""A file that may be split is split into parts of about so many bytes."""


@dataclass(frozen=True, slots=True)
class Made:
    """What is written of a case: for each of the layout's files, lines that end in a newline."""

    placement: Placement
    blocks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written.

    Args:
        path: within the folder.
        lines: how many.
        size: in bytes.
        digest: SHA-256.
    """

    path: str
    lines: int
    size: int
    digest: str


@dataclass(frozen=True)
class Layout:
    """Which files a suite becomes.

    Args:
        files: their paths in the folder; ``{shard}`` in one lets it be split.
        finish: case -> its lines in each of them; a function of a module.
        beside: (selection, files written, how many cases) -> path -> text of what else belongs
            there.
        owns: patterns of paths that an earlier set of files of this layout may have left.
    """

    files: tuple[str, ...]
    finish: Callable[[Case], Made]
    beside: Callable[[Selection, Sequence[Written], int], Mapping[str, str]]
    owns: tuple[str, ...]

    def there(self, folder: Path) -> Path | None:
        """Return a file in the way, or None."""
        return in_the_way(folder, self.owns)


def write_suite(
    selection: Selection, folder: Path, layout: Layout, *, jobs: int = 1, progress: bool = False
) -> list[Written]:
    """Make the cases selected and write them; what an earlier set of files left is replaced.

    Args:
        selection: what to make.
        folder: made if it isn't there.
        layout: which files.
        jobs: processes; the files don't depend on it.
        progress: show how far it is, on a terminal.

    Returns:
        The files with cases in them.

    Raises:
        LogError: the folder can't be written, or the disk is full: the folder is as it was.
        NotFoundError: nothing is left by limit and filter.
    """
    with staged(folder) as stage, ticker(shown=progress, what="pieces") as tick:
        tick.name("making the suite")
        with said(folder):
            scratch = (stage / "scratch").open("w+b")
        try:
            kept = _spooled(selection, layout, jobs, _Scratch(scratch, folder), tick)
            with said(folder):
                return _laid_out(selection, folder, layout, scratch, kept, stage / "made")
        finally:
            with suppress(OSError):  # it goes away: what could not be written was said
                scratch.close()


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where a case's lines stand in the scratch file: one block after the other."""

    placement: Placement
    start: int
    sizes: tuple[int, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True)
class _Scratch:
    """Takes the lines of cases as they are made."""

    file: BinaryIO
    folder: Path

    def keep(self, made: Made) -> _Kept:
        """Append a case's lines and say where they stand."""
        start = self.file.tell()
        with said(self.folder):
            self.file.writelines(made.blocks)
            self.file.flush()
        sizes = tuple(len(block) for block in made.blocks)
        return _Kept(made.placement, start, sizes, tuple(b.count(b"\n") for b in made.blocks))


def _spooled(
    selection: Selection, layout: Layout, jobs: int, scratch: _Scratch, tick: Ticker
) -> list[_Kept]:
    """Write the lines of all cases as they are made, and say in which order they belong."""
    suite = selection.suite
    if not isinstance(suite, Suite):
        return [scratch.keep(layout.finish(case)) for case in cases_of(selection)]
    tick.total(count_pieces(selection))
    pieces = []
    with Workers(jobs) if jobs > 1 else nullcontext() as workers:
        for piece in pieces_in(workers.pool if workers else None, selection, layout.finish):
            pieces.append([scratch.keep(made) for made in piece])
            tick(1)
    return suite.in_order(pieces, selection.seed)


def _laid_out(
    selection: Selection,
    folder: Path,
    layout: Layout,
    scratch: BinaryIO,
    kept: Sequence[_Kept],
    root: Path,
) -> list[Written]:
    """Make all files of the layout in a scratch folder, then move them to their place."""
    written = [
        one
        for number, name in enumerate(layout.files)
        for one in _copied(scratch, kept, number, name, root)
    ]
    for name, text in layout.beside(selection, written, len(kept)).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    publish(root, folder, layout.owns)
    return written


def _copied(
    scratch: BinaryIO, kept: Sequence[_Kept], number: int, name: str, root: Path
) -> Iterator[Written]:
    """Copy the lines of one file from the scratch file, in order and in as many parts as needed."""
    parts = list(_parts(kept, number)) if "{shard}" in name else [list(kept)]
    for turn, part in enumerate(parts):
        path = name.format(shard=f"{turn:05d}-of-{len(parts):05d}")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with (root / path).open("wb") as file:
            for one in part:
                scratch.seek(one.start + sum(one.sizes[:number]))
                block = scratch.read(one.sizes[number])
                digest.update(block)
                size += file.write(block)
        yield Written(path, sum(one.lines[number] for one in part), size, digest.hexdigest())


def _parts(kept: Iterable[_Kept], number: int) -> Iterator[list[_Kept]]:
    part: list[_Kept] = []
    size = 0
    for one in kept:
        if part and size + one.sizes[number] > SHARD:
            yield part
            part, size = [], 0
        part.append(one)
        size += one.sizes[number]
    yield part
