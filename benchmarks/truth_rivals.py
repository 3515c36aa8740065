"""Ask pyAgrum and pgmpy what `truth.py` asks: see, do, and counterfactuals by twin networks.

pyAgrum's own `counterfactual` is wrong where evidence couples the noise, so both get a twin network
built here, as lean as it can be: only descendants of what is forced have a second copy, and only
their mechanisms have a noise node.
"""

from __future__ import annotations

import logging
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from truth import Asked

    from causalbench.scm import SCM

__all__ = ["RIVALS", "nodes_of", "twin_nodes"]

Nodes = dict[str, tuple[tuple[str, ...], np.ndarray]]  # name -> (parents, [*cards, card])


def nodes_of(scm: SCM) -> Nodes:
    """Return the network of a world: its CPTs."""
    card = {name: scm.variable(name).cardinality for name in scm.names}
    return {n: (scm.parents(n), scm.mechanisms[n].cpt(card[n])) for n in scm.order}


def twin_nodes(scm: SCM, nodes: Nodes, forced: str, code: int) -> tuple[Nodes, set[str]]:
    """Return the network of two worlds that share their noise, and who has a second copy."""
    doubled: set[str] = set()
    found: Nodes = {}
    for name in scm.order:
        parents, table = nodes[name]
        if name != forced and (forced in parents or doubled.intersection(parents)):
            doubled.add(name)
            mechanism = scm.mechanisms[name]
            hot = (mechanism.table[..., None] == np.arange(table.shape[-1])).astype(float)
            found[f"noise {name}"] = ((), mechanism.noise)
            found[name] = ((f"noise {name}", *parents), hot)
            second = tuple(f"{p} 2" if p in doubled or p == forced else p for p in parents)
            found[f"{name} 2"] = ((f"noise {name}", *second), hot)
        else:
            found[name] = (parents, table)
            if name == forced:
                found[f"{name} 2"] = ((), np.eye(table.shape[-1])[code])
    return found, doubled


def _agrum_net(gum: Any, nodes: Nodes) -> Any:
    net = gum.BayesNet()
    for name, (_, table) in nodes.items():
        net.add(gum.RangeVariable(name, name, 0, table.shape[-1] - 1))
    for name, (parents, _) in nodes.items():
        for parent in parents:
            net.addArc(parent, name)
    for name, (parents, table) in nodes.items():
        k = len(parents)  # pyAgrum's first axis is the variable's, and varies fastest
        net.cpt(name).fillWith(table.transpose(*range(k - 1, -1, -1), k).ravel().tolist())
    return net


def agrum(engine: str, scm: SCM, nodes: Nodes) -> Callable[[Asked], float]:
    """Build the world's network in pyAgrum, and return who answers with one of its engines."""
    import pyagrum as gum

    infer = getattr(gum, engine)
    net = _agrum_net(gum, nodes)

    def ask(built: Any, name: str, code: int, evidence: dict[str, int]) -> float:
        inference = infer(built)
        inference.setEvidence(evidence)
        inference.addTarget(name)
        inference.makeInference()
        return float(inference.posterior(name)[code])

    def answer(asked: Asked) -> float:
        if asked.kind == "see":
            return ask(net, asked.target, asked.code, asked.evidence)
        if asked.kind == "do":
            cut = gum.BayesNet(net)
            for parent in nodes[asked.forced][0]:
                cut.eraseArc(parent, asked.forced)
            card = nodes[asked.forced][1].shape[-1]
            cut.cpt(asked.forced).fillWith(np.eye(card)[asked.to].tolist())
            return ask(cut, asked.target, asked.code, {})
        twin, doubled = twin_nodes(scm, nodes, asked.forced, asked.to)
        name = f"{asked.target} 2" if asked.target in doubled else asked.target
        return ask(_agrum_net(gum, twin), name, asked.code, asked.evidence)

    return answer


def _pgmpy_net(nodes: Nodes) -> Any:
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    net = DiscreteBayesianNetwork()
    net.add_nodes_from(nodes)
    net.add_edges_from((p, name) for name, (parents, _) in nodes.items() for p in parents)
    cpds = []
    for name, (parents, table) in nodes.items():
        card = table.shape[-1]
        columns = np.moveaxis(table, -1, 0).reshape(card, -1)
        cards = list(table.shape[:-1])
        cpds.append(TabularCPD(name, card, columns, list(parents) or None, cards or None))
    net.add_cpds(*cpds)
    return net


def pgmpy(scm: SCM, nodes: Nodes) -> Callable[[Asked], float]:
    """Build the world's network in pgmpy, and return who answers by variable elimination."""
    logging.getLogger("pgmpy").setLevel(logging.ERROR)
    warnings.simplefilter("ignore", FutureWarning)
    from pgmpy.inference import VariableElimination

    net = _pgmpy_net(nodes)

    def ask(built: Any, name: str, code: int, evidence: dict[str, int]) -> float:
        found = VariableElimination(built).query([name], evidence, show_progress=False)
        return float(found.values[code])

    def answer(asked: Asked) -> float:
        if asked.kind == "see":
            return ask(net, asked.target, asked.code, asked.evidence)
        if asked.kind == "do":
            card = nodes[asked.forced][1].shape[-1]
            cut = {**nodes, asked.forced: ((), np.eye(card)[asked.to])}
            return ask(_pgmpy_net(cut), asked.target, asked.code, {})
        twin, doubled = twin_nodes(scm, nodes, asked.forced, asked.to)
        name = f"{asked.target} 2" if asked.target in doubled else asked.target
        return ask(_pgmpy_net(twin), name, asked.code, asked.evidence)

    return answer


RIVALS: dict[str, Callable[[SCM, Nodes], Callable[[Asked], float]]] = {
    "pyAgrum lazy": partial(agrum, "LazyPropagation"),
    "pyAgrum elimination": partial(agrum, "VariableElimination"),
    "pgmpy": pgmpy,
}
