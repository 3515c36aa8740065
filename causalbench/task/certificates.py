"""Certify an item: does what its dossier gives settle the question, and by what?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query import Choice
from causalbench.task.encode import rounded
from causalbench.task.types import Certificate
from causalbench.truth.certificate import Identified
from causalbench.truth.certification import certify, certify_options

if TYPE_CHECKING:
    from causalbench.query import Query
    from causalbench.scm import SCM
    from causalbench.truth import Knowledge, Unidentified

__all__ = ["item_certificate"]


def item_certificate(scm: SCM, query: Query | Choice, knowledge: Knowledge) -> Certificate:
    """Return the certificate of a question under what a dossier tells.

    It names methods and not their sources: what a seed yields must not change with a citation.

    Args:
        scm: the world behind the dossier.
        query: what is asked; of a choice, each action's value is certified.
        knowledge: of the dossier.

    Raises:
        CertificateError: no certificate was found, or one failed its check.
        TooWideError: the response types of the mechanisms are too many to list.
    """
    if isinstance(query, Choice):
        return _choice(certify_options(scm, query, knowledge))
    found = certify(scm, query, knowledge)
    if isinstance(found, Identified):
        return Certificate(True, found.method, str(found.estimand))  # noqa: FBT003
    ends = (rounded(found.lower), rounded(found.upper))
    return Certificate(False, found.method, bounds=ends, sharp=found.sharp)  # noqa: FBT003


def _choice(found: dict[str, Identified | Unidentified]) -> Certificate:
    """Fold the certificates of the actions into one: settled where each of them is."""
    proofs = dict.fromkeys(each.method for each in found.values())
    settled = [each for each in found.values() if isinstance(each, Identified)]
    if len(settled) < len(found):
        return Certificate(False, "; ".join(proofs), sharp=False)  # noqa: FBT003
    pairs = zip(found, settled, strict=True)
    estimands = "; ".join(f"{label}: {each.estimand}" for label, each in pairs)
    return Certificate(True, "; ".join(proofs), estimands)  # noqa: FBT003
