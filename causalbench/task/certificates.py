"""Certify an item: does what its dossier gives settle the question, and by what?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from causalbench.query import Choice
from causalbench.task.decide import decision_query
from causalbench.task.encode import rounded
from causalbench.task.types import Certificate
from causalbench.truth.certificate import Identified
from causalbench.truth.certification import certify, certify_options
from causalbench.truth.linear import linear_proof

if TYPE_CHECKING:
    from causalbench.query import Query
    from causalbench.scm import SCM
    from causalbench.task.types import Decision
    from causalbench.truth import Knowledge, Unidentified

__all__ = ["decision_certificate", "item_certificate"]


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
    if scm.is_linear and knowledge.shown != "mechanisms":
        proof = linear_proof(scm, query, knowledge)
        return Certificate(True, proof.method, proof.estimand)  # noqa: FBT003
    found = certify(scm, query, knowledge)
    if isinstance(found, Identified):
        return Certificate(True, found.method, str(found.estimand))  # noqa: FBT003
    ends = (rounded(found.lower), rounded(found.upper))
    return Certificate(False, found.method, bounds=ends, sharp=found.sharp)  # noqa: FBT003


def decision_certificate(scm: SCM, decision: Decision, knowledge: Knowledge) -> Certificate:
    """Return the certificate of a decision, with the bounds of each action where it is open.

    Args:
        scm: the world behind the dossier.
        decision: one with no observation, or a stated one.
        knowledge: of the dossier.

    Raises:
        CertificateError: no certificate was found, or one failed its check.
        TooWideError: the response types of the mechanisms are too many to list.
    """
    found = certify_options(scm, decision_query(decision), knowledge)
    folded = _choice(found)
    if folded.identified:
        return folded
    ends = [
        (each.value, each.value) if isinstance(each, Identified) else (each.lower, each.upper)
        for each in found.values()
    ]
    return replace(
        folded,
        sharp=all(isinstance(each, Identified) or each.sharp for each in found.values()),
        option_bounds=tuple(
            (rounded(decision.scale(low)), rounded(decision.scale(high))) for low, high in ends
        ),
    )


def _choice(found: dict[str, Identified | Unidentified]) -> Certificate:
    """Fold the certificates of the actions into one: settled where each of them is."""
    proofs = dict.fromkeys(each.method for each in found.values())
    settled = [each for each in found.values() if isinstance(each, Identified)]
    if len(settled) < len(found):
        return Certificate(False, "; ".join(proofs), sharp=False)  # noqa: FBT003
    pairs = zip(found, settled, strict=True)
    estimands = "; ".join(f"{label}: {each.estimand}" for label, each in pairs)
    return Certificate(True, "; ".join(proofs), estimands)  # noqa: FBT003
