"""The door of this room: `bounds`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query.algebra import normalise
from causalbench.truth.bounds.shown import shown_bounds
from causalbench.truth.bounds.unshown import unshown_bounds

if TYPE_CHECKING:
    from causalbench.query.ast import Query
    from causalbench.truth.bounds.types import Bounds
    from causalbench.truth.permitted import Permitted

__all__ = ["bounds"]


def bounds(permitted: Permitted, query: Query) -> Bounds:
    """Bound a query by what the permitted laws say, with worlds that attain the inner ends.

    Args:
        permitted: a discrete world's laws, the diagram where it is shown, and the assumptions.
        query: a linear combination over visible variables.

    Returns:
        The bounds. Witnesses agree with the world on all permitted laws to 1e-9, and share its
        diagram where that is shown.

    Raises:
        UnknownNameError: a name or value that is not visible.
        ZeroProbabilityError: a condition that no compatible world gives a chance.
        TooWideError: too many response types.
        CertificateError: a check failed; the message says which.
    """
    asked = normalise(query)
    if permitted.knowledge.shown == "none":
        return unshown_bounds(permitted, permitted.scm, asked)
    return shown_bounds(permitted, permitted.scm, asked)
