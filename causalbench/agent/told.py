"""Read which coupling a dossier names for each mechanism."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.scm.couplings import Coupling
from causalbench.task.construct.coupling import coupling_from_text

if TYPE_CHECKING:
    from causalbench.task.types import Dossier

__all__ = ["Coupling", "told"]


def told(dossier: Dossier) -> dict[str, Coupling]:
    """Return mechanism -> coupling, as `causalbench.scm.couplings.couple` takes it."""
    return {name: coupling_from_text(text) for name, text in dossier.couplings}
