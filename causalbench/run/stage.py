"""Write a folder all or nothing: beside its place first, then moved there."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from causalbench.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["in_the_way", "publish", "said", "staged"]


def in_the_way(folder: Path, owns: Sequence[str]) -> Path | None:
    """Return a file that is there already, or None.

    Args:
        folder: where to look.
        owns: patterns of paths.
    """
    return next((path for name in owns for path in sorted(folder.glob(name))), None)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a scratch folder on the same disk, and leave nothing of it, however this ends."""
    made: list[Path] = []
    done = False
    stage: Path | None = None
    try:
        with said(folder):
            made = [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            stage = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
        yield stage
        done = True
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        if not done:
            for path in made:
                with suppress(OSError):  # it isn't there, or somebody else has used it
                    path.rmdir()


@contextmanager
def said(folder: Path) -> Iterator[None]:
    """Say in one line what the disk refuses."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        msg = f"'{folder}' can't be written: {why}; it is as it was. Give another place."
        raise LogError(msg) from None


def publish(root: Path, folder: Path, owns: Sequence[str]) -> None:
    """Move what was made to its place, and drop what an earlier set of files left.

    Args:
        root: what was made.
        folder: its place.
        owns: patterns of paths in ``folder`` that an earlier set may have left.
    """
    new = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    old = [path for name in owns for path in folder.glob(name)]
    for name in new:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).replace(folder / name)
    for path in old:
        if path.relative_to(folder) not in new:
            path.unlink(missing_ok=True)
