"""Exact answers on all three rungs.

The package can be called: ``causalbench.truth(world, query)`` is `truth`, even once this package
has been imported under that name.
"""

from __future__ import annotations

import inspect

from causalbench.truth import engine
from causalbench.truth.certificate import Identified, Unidentified, Witness
from causalbench.truth.certification import certify, certify_options
from causalbench.truth.engine import table
from causalbench.truth.exact import Truth, best, option_values, truth, truth_many, value
from causalbench.truth.family import Family
from causalbench.truth.knowledge import Budget, Knowledge
from causalbench.truth.laws import interventional_tables, law
from causalbench.truth.readings import reading

__all__ = [
    "Budget",
    "Family",
    "Identified",
    "Knowledge",
    "Truth",
    "Unidentified",
    "Witness",
    "best",
    "certify",
    "certify_options",
    "engine",
    "interventional_tables",
    "law",
    "option_values",
    "reading",
    "table",
    "truth",
    "truth_many",
    "value",
]


__doc__ = f"{inspect.getdoc(truth)}\n\n{__doc__}"  # what a reader of help(causalbench.truth) wants
