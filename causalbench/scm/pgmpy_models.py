"""Exchange CPTs with pgmpy's ``DiscreteBayesianNetwork``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError, suggest
from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.bif import ROUNDING
from causalbench.scm.mechanism import SUM_TOLERANCE, LinearMechanism
from causalbench.scm.model import SCM
from causalbench.scm.tables import mechanism_of
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.couplings import Coupling

__all__ = ["from_pgmpy", "to_pgmpy"]


def to_pgmpy(scm: SCM) -> Any:
    """Return a ``DiscreteBayesianNetwork``; hidden variables are its latents.

    Couplings are rung-3 content that a Bayesian network cannot hold: they are lost.

    Raises:
        WorldError: the model is linear.
    """
    if scm.is_linear:
        raise WorldError("to_pgmpy: the model is linear-Gaussian; only discrete ones are written")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pgmpy warns of its own next version
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.models import DiscreteBayesianNetwork

        network = DiscreteBayesianNetwork()
        network.add_nodes_from(scm.names)
        network.add_edges_from((parent, name) for name in scm.names for parent in scm.parents(name))
        network.latents = set(scm.hidden)
        for name, mechanism in scm.mechanisms.items():
            if isinstance(mechanism, LinearMechanism | AdditiveMechanism):
                continue
            variable, parents = scm.variable(name), list(mechanism.parents)
            cpt = scm.cpt(name)
            network.add_cpds(
                TabularCPD(
                    name,
                    variable.cardinality,
                    np.moveaxis(cpt, -1, 0).reshape(variable.cardinality, -1),
                    evidence=parents or None,
                    evidence_card=list(mechanism.shape) or None,
                    state_names={v: list(scm.variable(v).labels) for v in (name, *parents)},
                )
            )
    return network


def from_pgmpy(
    model: Any,
    *,
    coupling: Coupling | None = None,
    hidden: Sequence[str] = (),
    renormalise: bool = False,
) -> SCM:
    """Return the model of a ``DiscreteBayesianNetwork``; it has no couplings unless one is named.

    Args:
        model: with a CPD for every node.
        coupling: for every CPT; None leaves them without (`SCM.coupled` can name them later).
        hidden: names to hide, besides the network's latents.
        renormalise: divide rows that miss 1 by rounding, with a warning that counts them; otherwise
            they are errors.

    Raises:
        WorldError: a node without a CPD, a hidden name that is no node, or CPDs that do not fit.
    """
    if not hasattr(model, "get_cpds") or not hasattr(model, "nodes"):
        kind = type(model).__name__
        raise WorldError(f"from_pgmpy reads a DiscreteBayesianNetwork, not a {kind}")
    names = {node: str(node) for node in model.nodes()}
    latent = {str(name) for name in (*hidden, *getattr(model, "latents", ()))}
    for name in sorted(latent - set(names.values())):
        hint = suggest(name, names.values())
        raise WorldError(f"from_pgmpy: the hidden '{name}' is no node; drop it.{hint}")
    variables: dict[str, Variable] = {}
    mechanisms: dict[str, AnyMechanism] = {}
    mended = 0
    for node, name in names.items():
        cpd = model.get_cpds(node)
        if cpd is None or not hasattr(cpd, "state_names"):
            raise WorldError(f"from_pgmpy: '{name}' has no table of probabilities; add a CPD")
        labels = tuple(str(label) for label in cpd.state_names[node])
        variables[name] = Variable(name, labels, name in latent)
        parents = tuple(names[parent] for parent in cpd.variables[1:])
        cpt = np.moveaxis(np.array(cpd.values, dtype=np.float64), 0, -1)
        for axis, parent in enumerate(cpd.variables[1:]):
            own, here = model.get_cpds(parent).state_names[parent], cpd.state_names[parent]
            if sorted(map(str, own)) != sorted(map(str, here)):
                raise WorldError(f"from_pgmpy: '{name}' knows other values of '{parent}' than it")
            cpt = cpt.take([list(here).index(label) for label in own], axis=axis)
        miss = np.abs(cpt.sum(axis=-1) - 1)
        if renormalise and miss.max() <= ROUNDING:
            off = miss > SUM_TOLERANCE
            cpt[off] /= cpt[off].sum(axis=-1, keepdims=True)
            mended += int(off.sum())
        try:
            mechanisms[name] = mechanism_of(cpt, coupling, parents)
        except WorldError as error:
            raise WorldError(f"mechanism of '{name}': {error}") from None
    if mended:
        text = f"{mended} rows of the network did not sum to 1 and were renormalised"
        warnings.warn(text, UserWarning, stacklevel=3)
    return SCM(variables, mechanisms)
