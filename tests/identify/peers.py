"""pyAgrum's causalImpact on one of our worlds."""

from __future__ import annotations

import numpy as np

from causalbench.truth.identify.mixed import Mixed
from causalbench.truth.laws import law

__all__ = ["causal_model", "impact", "network"]


def network(scm, diagram):
    """Return the law that is seen as a network over the visible variables.

    pyAgrum wants arcs between neighbours of the diagram alone, and not every diagram's law factors
    so.

    Returns:
        The network, and whether it is exact.
    """
    import pyagrum as gum

    graph = Mixed(diagram)
    joint = law(scm, graph.names)
    built = gum.BayesNet()
    for name in graph.names:
        built.add(gum.LabelizedVariable(name, name, scm.variable(name).cardinality))
    exact = True
    for at, name in enumerate(graph.names):
        near = (graph.parents[at] | graph.siblings[at]) & ((1 << at) - 1)
        exact = exact and not graph.blanket(at, graph.everything) & ~near
        parents = graph.named(near)
        for parent in parents:
            built.addArc(parent, name)
        kept = near | 1 << at
        margin = joint.sum(axis=tuple(i for i in range(joint.ndim) if not kept >> i & 1))
        table = margin / margin.sum(axis=-1, keepdims=True)
        for index in np.ndindex(table.shape[:-1]):
            built.cpt(name)[dict(zip(parents, map(int, index), strict=True))] = table[
                index
            ].tolist()
    return built, exact


def causal_model(built, diagram):
    """Return the causal model: latents on top, and arcs kept only where the diagram has them."""
    import pyagrum as gum

    model = gum.CausalModel(built, [], True)  # noqa: FBT003  (pyAgrum takes keepArcs by place)
    for number, (one, other) in enumerate(sorted(diagram.bidirected)):
        keep = bool({(one, other), (other, one)} & diagram.directed)
        model.addLatentVariable(f"latent{number}", [one, other], keep)
    return model


def impact(model, quantity):
    """Return pyAgrum's verdict, value (None without one) and explanation."""
    import pyagrum as gum

    outcome, given = (
        {atom.term.variable: int(atom.value) for atom in part}
        for part in (quantity.event, quantity.given)
    )
    forced = {name: int(label) for name, label in quantity.event[0].term.subscript}
    _, tensor, explanation = gum.causalImpact(
        model, on=set(outcome), doing=set(forced), knowing=set(given)
    )
    if tensor is None or tensor.empty():
        return False, None, explanation
    at = gum.Instantiation(tensor)
    codes = {**outcome, **given, **forced}
    for name in tensor.names:
        at.chgVal(name, codes.get(name, 0))
    return True, tensor.get(at), explanation
