"""Compile loops with numba: one set of options, and machine code that is kept on disk.

Importing this module imports numba, so only what is about to run compiled code does.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

from numba import njit
from numba.core import event

__all__ = ["entry", "inner", "once", "source_digest"]

_LOG = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])

# No fast mathematics: sums keep their order, so that answers are the same bits on any machine.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}
# What only Python's calls need, and passes that find nothing here, took a third of compiling.
_BARE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "no_rewrites": True}


def inner(function: F) -> F:
    """Compile a function that compiled code calls, and nothing else.

    A literal among the arguments has numba compile the function once more, for that literal.
    """
    compiled: F = njit(**_BARE, **_OPTIONS)(function)
    return compiled


def once(function: F) -> F:
    """Compile a function as a part of its caller, which saves optimising its callees twice."""
    compiled: F = njit(inline="always", **_OPTIONS)(function)
    return compiled


def entry(signature: str | None = None) -> Callable[[F], F]:
    """Compile a function that Python calls, and keep the machine code on disk.

    Args:
        signature: the types, as numba writes them; there is then no other specialisation, and the
            function is compiled at once. None compiles it when it is first called.
    """
    given = () if signature is None else (signature,)

    def compile_(function: F) -> F:
        compiled: F
        with event.install_listener("numba:compile", _Notice()):
            try:
                compiled = njit(*given, cache=True, **_OPTIONS)(function)
            except (RuntimeError, UnpicklingError, EOFError) as problem:
                if isinstance(problem, RuntimeError) and "cannot cache" not in str(problem):
                    raise
                _LOG.warning(
                    "compiled code cannot be kept on disk (%s), so every process compiles it "
                    "anew; set NUMBA_CACHE_DIR to a folder that can be written to.",
                    problem,
                )
                compiled = njit(*given, **_OPTIONS)(function)
        return compiled

    return compile_


class _Notice(event.Listener):  # type: ignore[misc, unused-ignore]
    """Say, once a process, that machine code was not found on disk and is being made."""

    said = False

    def on_start(self, what: Any) -> None:
        del what
        if not _Notice.said:
            _Notice.said = True
            _LOG.info("compiling the engine, once for this installation: some ten seconds ...")

    def on_end(self, what: Any) -> None:
        del what


def source_digest(*paths: Path) -> str:
    """Return a digest of what is compiled: of some files, and of this one.

    numba looks at one file alone when it asks whether kept machine code is still right; an entry
    that closes over this digest is compiled anew when any of the files changes.
    """
    found = hashlib.sha256()
    for path in (Path(__file__), *sorted(paths)):
        found.update(path.read_bytes())
    return found.hexdigest()
