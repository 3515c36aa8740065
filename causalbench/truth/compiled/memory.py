"""Give compiled code what numba lacks: memory by address, bits of a word, literals as values.

Importing this module imports numba, so only what is about to run compiled code does.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

__all__ = ["after", "doubles", "longs", "lowest", "ones", "plain", "words"]


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


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def plain(_context: Any, value: Any) -> Any:
    """Return a literal as a value like any other; for a literal numba compiles callees anew."""

    def build(_context: Any, _builder: Any, _signature: Any, args: Any) -> Any:
        return args[0]

    kind = types.unliteral(value)
    return kind(kind), build
