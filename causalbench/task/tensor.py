"""Turn dossiers and questions into facts (`causalbench.task.facts`) and back, losing nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from causalbench.errors import CausalBenchError, WorldError
from causalbench.task.facts import KINDS, Book, Facts, pad, to_torch
from causalbench.task.tensor_question import read_question, write_question
from causalbench.task.tensor_read import Reader
from causalbench.task.tensor_write import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.types import Dossier, Question

__all__ = ["KINDS", "Facts", "decode_facts", "decode_question", "encode_facts", "pad", "to_torch"]


def encode_facts(dossier: Dossier, question: Question | None = None) -> Facts:
    """Return all that a dossier holds, and perhaps a question about it, as a set of facts.

    Args:
        dossier: discrete or real; `decode_facts` gives an equal one back.
        question: one that may be asked of it; all but its words is kept (`decode_question`).

    Raises:
        WorldError: the mechanisms shown declare a visible variable otherwise than the dossier, or
            the question is not of the dossier.
    """
    variables = list(dossier.variables)
    scm = dossier.mechanisms
    if scm is not None:
        strange = [each.name for each in variables if scm.variables.get(each.name) != each]
        if strange:
            msg = f"'{strange[0]}' is declared otherwise in the mechanisms; declare it alike."
            raise WorldError(msg)
        variables += [scm.variable(name) for name in scm.names if name not in dossier.names]
    labels = tuple(each.values or () for each in variables)
    writer = Writer(Book(tuple(each.name for each in variables), labels), dossier)
    writer.variables(variables)
    writer.terms()
    writer.diagram()
    if scm is not None:
        writer.mechanisms(scm)
    writer.evidence()
    for place, decision in enumerate(dossier.decisions):
        writer.decision(place, decision)
    if question is not None:
        write_question(writer, question)
    return writer.book.facts()


def decode_facts(facts: Facts) -> Dossier:
    """Return the dossier of a set of facts, in whatever order they stand.

    Raises:
        WorldError: a fact that every dossier has is missing, or comes twice, or points nowhere.
    """
    with _whole(facts):
        return Reader(facts).dossier()


def decode_question(facts: Facts) -> Question:
    """Return the question of a set of facts, without its words.

    Raises:
        WorldError: the facts hold no question, or one that points nowhere.
    """
    with _whole(facts):
        return read_question(Reader(facts))


@contextmanager
def _whole(facts: Facts) -> Iterator[None]:
    """Say of facts that were changed or cut that they are not what `encode_facts` makes."""
    sizes = {name: len(array) for name, array in facts.arrays.items()}
    if len(set(sizes.values())) > 1:
        msg = f"the facts are malformed (lengths {sizes}); encode the dossier again."
        raise WorldError(msg)
    try:
        yield
    except CausalBenchError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        msg = f"the facts are malformed ({' '.join(str(error).split())}); encode the dossier again."
        raise WorldError(msg) from None
