"""Structural causal models: variables, mechanisms with their noise, and ways in and out."""

from __future__ import annotations

from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.couplings import couple, pad_noise, shuffle_noise
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.noise import Noise
from causalbench.scm.random import random_linear, random_scm
from causalbench.scm.tables import TableMechanism
from causalbench.scm.variable import Variable

__all__ = [
    "SCM",
    "AdditiveMechanism",
    "LinearMechanism",
    "Mechanism",
    "Noise",
    "TableMechanism",
    "Variable",
    "couple",
    "pad_noise",
    "random_linear",
    "random_scm",
    "shuffle_noise",
]
