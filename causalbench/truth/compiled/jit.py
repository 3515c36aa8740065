"""Compile functions with numba, and give them what it lacks: memory by address, bits of a word.

Importing this module imports numba, so only what is about to run compiled code does.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "after",
    "doubles",
    "entry",
    "inner",
    "longs",
    "lowest",
    "once",
    "ones",
    "source_digest",
    "words",
]

F = TypeVar("F", bound=Callable[..., Any])

# No fast mathematics: sums keep their order, so that answers are the same bits on any machine.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}


def inner(function: F) -> F:
    """Compile a function that compiled code calls."""
    compiled: F = njit(**_OPTIONS)(function)
    return compiled


def once(function: F) -> F:
    """Compile a function as a part of its only caller, which saves optimising its callees twice."""
    compiled: F = njit(inline="always", **_OPTIONS)(function)
    return compiled


def entry(signature: str) -> Callable[[F], F]:
    """Compile a function that Python calls, once, and keep the machine code on disk.

    Args:
        signature: the types, as numba writes them; there is no other specialisation.
    """

    def compile_(function: F) -> F:
        compiled: F
        try:
            compiled = njit(signature, cache=True, **_OPTIONS)(function)
        except RuntimeError as problem:
            if "cannot cache" not in str(problem):
                raise
            logging.getLogger(__name__).warning(
                "the compiled engine cannot be kept on disk (%s), so every process compiles it "
                "anew; set NUMBA_CACHE_DIR to a folder that can be written to.",
                problem,
            )
            compiled = njit(signature, **_OPTIONS)(function)
        return compiled

    return compile_


def source_digest() -> str:
    """Return a digest of everything that is compiled.

    numba looks at one file alone when it asks whether kept machine code is still right; an entry
    that closes over this digest is compiled anew when any of the files changes.
    """
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _pointer_to(kind: Any) -> Any:
    """Return a function that turns an address into a pointer to numbers of a kind.

    Pointers, unlike arrays, are one word, carry no reference count and compile fast.
    """

    @intrinsic  # type: ignore[untyped-decorator, unused-ignore]
    def pointer(_context: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(address), build

    return pointer


longs = _pointer_to(types.int64)
"""Return the int64 numbers at an address."""

words = _pointer_to(types.int32)
"""Return the int32 numbers at an address."""

doubles = _pointer_to(types.float64)
"""Return the float64 numbers at an address."""


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def after(_context: Any, pointer: Any, steps: Any) -> Any:
    """Return the pointer some steps further on."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, steps), build


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def lowest(_context: Any, word: Any) -> Any:
    """Return the number of the lowest bit that is set."""

    def build(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], context.get_constant(types.boolean, 0))

    return types.int64(word), build


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def ones(_context: Any, word: Any) -> Any:
    """Return how many bits are set."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(word), build
