"""What a bounds computation hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causalbench.truth.certificate import Witness

__all__ = ["Bounds"]


@dataclass(frozen=True, eq=False)
class Bounds:
    """How far the permitted laws leave a query open.

    Args:
        lower: no world that agrees on what is permitted has a smaller value.
        upper: nor a larger one.
        inner_lower: a value that such a world has; at least ``lower``.
        inner_upper: the same; at most ``upper``.
        sharp: whether the inner ends equal the outer ones (to 1e-9).
        method: how the bounds were found.
        source: where it is proved.
        witnesses: worlds that attain the inner ends, the smaller value first; None where none was
            built.
    """

    lower: float
    upper: float
    inner_lower: float
    inner_upper: float
    sharp: bool
    method: str
    source: str
    witnesses: tuple[Witness, Witness] | None
