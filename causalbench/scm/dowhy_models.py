"""Exchange models with ``dowhy.gcm``.

The classes here subclass dowhy's, so this module imports it when it is loaded; `SCM.to_dowhy` and
`SCM.from_dowhy` load the module.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from dowhy import gcm
from dowhy.gcm.causal_mechanisms import FunctionalCausalModel, StochasticModel
from dowhy.gcm.ml.prediction_model import PredictionModel
from dowhy.gcm.ml.regression import LinearRegressionWithFixedParameter
from scipy import stats

from causalbench.errors import CouplingError, WorldError
from causalbench.scm.additive import AdditiveMechanism
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.tables import TableMechanism, uncoupled_text
from causalbench.scm.variable import Variable

__all__ = ["DiscreteMechanism", "DiscreteRoot", "FormulaModel", "from_dowhy", "to_dowhy"]

_LAWS = {  # what scipy calls the laws of noise
    "none": "norm",
    "normal": "norm",
    "uniform": "uniform",
    "laplace": "laplace",
    "logistic": "logistic",
    "student_t": "t",
}
_PARENTS = "parents_during_fit"  # where dowhy notes the order of a node's parents


class _Table:
    """A mechanism of ours in the terms of dowhy: labels in, labels out, noise codes between.

    Draws follow ``numpy.random``'s global state, as all of dowhy's do (`gcm.util.general`).
    """

    def __init__(
        self, variable: Variable, mechanism: Mechanism, parents: tuple[Variable, ...] = ()
    ) -> None:
        self.variable, self.mechanism, self.parents = variable, mechanism, parents

    def fit(self, *_: Any, **__: Any) -> None:
        """Do nothing: the mechanism is known."""

    def clone(self) -> Any:
        """Return a copy that shares the frozen parts."""
        return type(self)(self.variable, self.mechanism, self.parents)

    def draw_noise_samples(self, num_samples: int) -> Any:
        """Draw noise codes, one a row."""
        u = np.random.random(num_samples)  # noqa: NPY002  (dowhy draws from the global state)
        return np.searchsorted(self.mechanism.thresholds, u, side="right").reshape(-1, 1)

    def evaluate(self, parent_samples: Any, noise_samples: Any) -> Any:
        """Return the labels that noise codes give at the parents' labels."""
        given = np.asarray(parent_samples, dtype=object).reshape(len(noise_samples), -1)
        index = [np.asarray(noise_samples, dtype=np.int64).reshape(-1)]
        index += [
            np.array([variable.code(label) for label in column], dtype=np.int64)
            for variable, column in zip(self.parents, given.T, strict=True)
        ]
        labels = np.array(self.variable.labels, dtype=object)
        return labels[self.mechanism.table[tuple(index)]].reshape(-1, 1)


class DiscreteRoot(_Table, StochasticModel):  # type: ignore[misc]
    """The mechanism of a variable without parents."""

    def draw_samples(self, num_samples: int) -> Any:
        """Draw labels."""
        noise = self.draw_noise_samples(num_samples)
        return self.evaluate(np.empty((num_samples, 0)), noise)


class DiscreteMechanism(_Table, FunctionalCausalModel):  # type: ignore[misc]
    """The mechanism of a variable with parents, a function of their labels and a noise code."""


def to_dowhy(scm: SCM) -> Any:
    """Return a ``gcm.InvertibleStructuralCausalModel`` (real) or ``StructuralCausalModel``.

    Hidden variables are ordinary nodes with the attribute ``hidden=True``: dowhy has no other way
    to say a shared cause. A discrete mechanism keeps its noise codes, so
    ``gcm.counterfactual_samples`` with ``noise_data`` gives what `SCM.solve` gives; a root's noise
    is its own label, dowhy's convention.

    Raises:
        CouplingError: a table without a coupling is no function of a noise.
    """
    graph: nx.DiGraph[str] = nx.DiGraph(couplings_known=scm.couplings_known)
    for name, variable in scm.variables.items():
        graph.add_node(name, hidden=variable.hidden)
    graph.add_edges_from((parent, name) for name in scm.names for parent in scm.parents(name))
    kind = gcm.InvertibleStructuralCausalModel if scm.is_real else gcm.StructuralCausalModel
    model = kind(graph)
    for name, mechanism in scm.mechanisms.items():
        parents = sorted(mechanism.parents)  # dowhy hands parents over in sorted order
        order = [mechanism.parents.index(parent) for parent in parents]
        if isinstance(mechanism, LinearMechanism):
            made = _linear(mechanism, order)
        elif isinstance(mechanism, AdditiveMechanism):
            made = _additive(name, mechanism, parents)
        elif isinstance(mechanism, TableMechanism):
            raise CouplingError(f"to_dowhy: {uncoupled_text([name], 'the model')}")
        else:
            axes = [0, *(1 + i for i in order)]
            turned = Mechanism(tuple(parents), mechanism.noise, mechanism.table.transpose(axes))
            make = DiscreteMechanism if parents else DiscreteRoot
            made = make(scm.variable(name), turned, tuple(map(scm.variable, parents)))
        model.set_causal_mechanism(name, made)
        model.graph.nodes[name][_PARENTS] = parents
    return model


def from_dowhy(model: Any) -> SCM:
    """Return the model of a linear-Gaussian ``gcm`` model, or of one that `to_dowhy` made.

    Read are normal ``ScipyDistribution`` roots and ``AdditiveNoiseModel`` nodes with a linear
    regression and normal noise. Nothing is sampled and refitted: that would be another model.

    Raises:
        WorldError: a mechanism that has no such closed form; the message names the node.
    """
    if not hasattr(model, "causal_mechanism") or not hasattr(model, "graph"):
        raise WorldError(f"from_dowhy reads a dowhy.gcm causal model, not a {type(model).__name__}")
    variables: dict[str, Variable] = {}
    mechanisms: dict[str, Mechanism | LinearMechanism] = {}
    for node, data in model.graph.nodes(data=True):
        name, parents = str(node), tuple(sorted(map(str, model.graph.predecessors(node))))
        made = data.get("causal_mechanism")
        if isinstance(made, _Table):
            variables[name], mechanisms[name] = made.variable, made.mechanism
            continue
        variables[name] = Variable(name, None, bool(data.get("hidden")))
        mechanisms[name] = _from_linear(name, made, parents)
    known = bool(model.graph.graph.get("couplings_known", True))
    return SCM(variables, mechanisms, couplings_known=known)


def _linear(mechanism: LinearMechanism, order: list[int]) -> Any:
    if not order:
        return gcm.ScipyDistribution(stats.norm, loc=mechanism.intercept, scale=mechanism.std)
    noise = gcm.ScipyDistribution(stats.norm, loc=0.0, scale=mechanism.std)
    mean = LinearRegressionWithFixedParameter(mechanism.weights[order], mechanism.intercept)
    return gcm.AdditiveNoiseModel(mean, noise)


class FormulaModel(PredictionModel):  # type: ignore[misc]
    """An additive mechanism without its noise, as a regression that needs no fit."""

    def __init__(self, name: str, mechanism: AdditiveMechanism, parents: list[str]) -> None:
        self.name, self.mechanism, self.parents = name, mechanism, parents

    def fit(self, X: Any, Y: Any) -> None:
        """Do nothing: the formula is known."""

    def predict(self, X: Any) -> Any:
        """Return the formula's values, one a row; columns are the sorted parents."""
        columns = np.asarray(X, dtype=np.float64).reshape(-1, len(self.parents)).T
        mean = self.mechanism.mean(self.name, dict(zip(self.parents, columns, strict=True)))
        return np.broadcast_to(mean, columns.shape[1:]).reshape(-1, 1)

    def clone(self) -> Any:
        """Return a copy that shares the frozen parts."""
        return FormulaModel(self.name, self.mechanism, self.parents)


def _additive(name: str, mechanism: AdditiveMechanism, parents: list[str]) -> Any:
    """Return a root's law, or an additive noise model over the formula."""
    law = mechanism.noise
    scale = law.parameters[-1] if law.parameters else 0.0
    given: dict[str, float] = {"loc": 0.0, "scale": scale}
    if law.law == "uniform":
        given = {"loc": law.parameters[0], "scale": scale - law.parameters[0]}
    elif law.law == "student_t":
        given["df"] = law.parameters[0]
    kind = getattr(stats, _LAWS[law.law])
    if not parents:
        shift = float(mechanism.mean(name, {}))
        return gcm.ScipyDistribution(kind, **{**given, "loc": given["loc"] + shift})
    noise = gcm.ScipyDistribution(kind, **given)
    return gcm.AdditiveNoiseModel(FormulaModel(name, mechanism, parents), noise)


def _from_linear(name: str, made: Any, parents: tuple[str, ...]) -> LinearMechanism:
    if isinstance(made, gcm.ScipyDistribution) and not parents:
        loc, scale = _normal(name, made)
        return LinearMechanism((), np.zeros(0), loc, scale)
    if not isinstance(made, gcm.AdditiveNoiseModel):
        raise WorldError(
            f"from_dowhy: '{name}' has the mechanism {type(made).__name__}, which has no closed"
            " form here; read are normal roots and linear additive noise models"
        )
    mean = made.prediction_model
    inner: Any = getattr(mean, "sklearn_model", None)
    if isinstance(mean, LinearRegressionWithFixedParameter):
        weights, intercept = mean.coefficients, mean.intercept
    elif type(inner).__name__ == "LinearRegression" and hasattr(inner, "coef_"):
        weights, intercept = inner.coef_, inner.intercept_
    else:
        raise WorldError(
            f"from_dowhy: '{name}' is predicted by {type(inner or mean).__name__}, which is not a"
            " fitted linear regression; use gcm.ml.create_linear_regressor() and fit"
        )
    flat = np.asarray(weights, dtype=np.float64).ravel()
    if len(flat) != len(parents):
        raise WorldError(f"from_dowhy: '{name}' has {len(flat)} weights, {len(parents)} parents")
    loc, scale = _normal(name, made.noise_model)
    return LinearMechanism(parents, flat, float(np.squeeze(intercept)) + loc, scale)


def _normal(name: str, made: Any) -> tuple[float, float]:
    distribution = getattr(made, "scipy_distribution", None)
    if getattr(distribution, "name", None) != "norm" or not getattr(made, "parameters", None):
        raise WorldError(
            f"from_dowhy: the noise of '{name}' is {type(made).__name__}, not a normal with known"
            " parameters; fit gcm.ScipyDistribution(scipy.stats.norm)"
        )
    return float(made.parameters.get("loc", 0.0)), float(made.parameters.get("scale", 1.0))
