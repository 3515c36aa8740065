"""Read what a dossier gives: laws, and which coupling it names for each mechanism."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.scm.couplings import Coupling, coupling_from_text

if TYPE_CHECKING:
    from causalbench.task.types import Dossier

__all__ = ["Coupling", "laws_of", "told"]

_CELLS = 2**22


def told(dossier: Dossier) -> dict[str, Coupling]:
    """Return mechanism -> coupling, as `causalbench.scm.couplings.couple` takes it."""
    return {name: coupling_from_text(text) for name, text in dossier.couplings}


def laws_of(dossier: Dossier) -> list[tuple[dict[str, int], np.ndarray]]:
    """Return the laws given, observation first; without one, the frequencies of the rows.

    Frequencies are smoothed by half a row in all, spread evenly over the cells.

    Returns:
        (forced variable -> code, table over the dossier's variables) pairs; [] where nothing tells
        how things are unforced.

    Raises:
        TooWideError: the table of frequencies would have more than 2**22 cells.
    """
    code = {variable.name: variable.code for variable in dossier.variables}
    laws = [({n: code[n](value) for n, value in law.do}, law.table) for law in dossier.laws]
    laws.sort(key=lambda law: len(law[0]))
    if not (laws and not laws[0][0]) and len(dossier.rows):
        shape = tuple(variable.cardinality for variable in dossier.variables)
        if math.prod(shape) > _CELLS:
            msg = (
                f"a table of {len(shape)} variables would have over {_CELLS} cells; "
                "narrow the world, or count fewer variables."
            )
            raise TooWideError(msg)
        counts = np.zeros(shape)
        np.add.at(counts, tuple(dossier.rows.T), 1.0)
        counts += 0.5 / counts.size
        laws.insert(0, ({}, counts / counts.sum()))
    return laws if laws and not laws[0][0] else []
