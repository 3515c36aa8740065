"""Estimate conditional probability tables from counts, with pgmpy."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["conditional_table"]


def conditional_table(
    counts: NDArray[np.float64], *, pseudo_count: float = 0.5
) -> NDArray[np.float64]:
    """Estimate P(child | parents) under a Dirichlet prior.

    Each variable is estimated by itself, because experiments give every variable rows of its own:
    those in which it was not forced.

    Args:
        counts: shape (parent settings, values), >= 0: how often each value was seen.
        pseudo_count: of the prior, for every cell; .5 is Jeffreys'.

    Returns:
        Shape (parent settings, values); rows sum to 1.
    """
    import pandas as pd
    from pgmpy.models import DiscreteBayesianNetwork
    from pgmpy.parameter_estimator import DiscreteBayesianEstimator

    settings, values = counts.shape
    rows = list(itertools.product(range(settings), range(values)))
    estimator = DiscreteBayesianEstimator(
        state_names={"setting": list(range(settings)), "value": list(range(values))},
        prior_type="dirichlet",
        pseudo_counts=pseudo_count,
    )
    fitted = estimator.fit(
        DiscreteBayesianNetwork([("setting", "value")]),
        pd.DataFrame(rows, columns=["setting", "value"]),
        sample_weight=counts.ravel(),
    )
    (table,) = [cpd for cpd in fitted.parameters_ if cpd.variable == "value"]
    return np.asarray(table.get_values(), dtype=np.float64).T
