"""Fit CPTs to a table of labels: counts where all causes are seen, EM where some are hidden."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError, suggest
from causalbench.graph import Diagram
from causalbench.rng import uniforms
from causalbench.scm.mechanism import MAX_CELLS
from causalbench.scm.model import SCM
from causalbench.scm.tables import mechanism_of
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from causalbench.scm.couplings import Coupling

__all__ = ["from_frame"]

MAX_STATES = 4096  # joint values of the hidden variables


def from_frame(
    frame: pd.DataFrame,
    diagram: str | Diagram,
    *,
    alpha: float = 1.0,
    coupling: Coupling | None = None,
    rng: np.random.Generator | None = None,
    hidden_card: int = 2,
    steps: int = 500,
    tolerance: float = 1e-8,
) -> SCM:
    """Return a model with the given diagram, fitted to data; no data tell its couplings.

    Without ``<->`` edges the CPTs are counts plus ``alpha``. Each ``<->`` edge becomes a hidden
    root with two effects, fitted by EM from a random start; that is one of the many models which
    fit as well, and interventional answers can differ between them where they are not identified.

    Args:
        frame: a column of labels for every node; other columns are left out. Categories keep
            their order, other labels are sorted.
        diagram: a `Diagram`, or text such as ``"x -> y; x <-> y"``.
        alpha: added to each count, at least 0. With 0, a parent row never seen is an error.
        coupling: of every mechanism, an assumption that no data can check; None leaves them without
            (`SCM.coupled` can name them later).
        rng: for EM's start; needed with ``<->`` edges only.
        hidden_card: how many values a hidden root has.
        steps: most rounds of EM.
        tolerance: EM stops when a round gains less log likelihood a row than this.

    Raises:
        WorldError: columns missing, empty, with gaps or real numbers; or a row never seen.
    """
    drawn = Diagram.parse(diagram) if isinstance(diagram, str) else diagram
    if not 0 <= alpha < math.inf:
        raise WorldError(f"from_frame: alpha is {alpha}; give 0 or more")
    if not len(frame):
        raise WorldError("from_frame: the table has no rows; give data")
    columns = {name: _column(frame, name) for name in drawn.nodes}
    variables = {name: Variable(name, labels) for name, (labels, _) in columns.items()}
    parents = {name: list(drawn.parents(name)) for name in drawn.nodes}
    for number, pair in enumerate(sorted(drawn.bidirected), start=1):
        latent = f"u{number}"
        while latent in variables:
            latent += "_"
        labels = tuple(str(code) for code in range(hidden_card))
        variables[latent] = Variable(latent, labels, hidden=True)
        parents[latent] = []
        for name in pair:
            parents[name].append(latent)
    for name, variable in variables.items():
        cells = math.prod(variables[parent].cardinality for parent in parents[name])
        cells *= variable.cardinality
        if cells > MAX_CELLS:
            raise WorldError(f"from_frame: the CPT of '{name}' would have {cells} cells, over 1e7")
    data = np.stack([codes for _, codes in columns.values()], axis=1)
    rows, counts = np.unique(data, axis=0, return_counts=True)
    problem = _Problem(variables, parents, rows, counts.astype(np.float64), alpha)
    if not drawn.bidirected:
        cpts = problem.maximise(problem.weights(np.ones((len(rows), 1))))
    elif rng is None:
        raise WorldError("from_frame: '<->' edges are fitted from a random start; give rng")
    else:
        cpts = problem.expectation_maximisation(rng, steps, tolerance)
    mechanisms = {name: mechanism_of(cpts[name], coupling, parents[name]) for name in variables}
    return SCM(variables, mechanisms)


@dataclass
class _Problem:
    """Distinct rows with their counts, completed by every joint value of the hidden variables."""

    variables: dict[str, Variable]
    parents: dict[str, list[str]]
    rows: NDArray[np.int64]
    counts: NDArray[np.float64]
    alpha: float

    def __post_init__(self) -> None:
        hidden = [name for name, variable in self.variables.items() if variable.hidden]
        cards = [self.variables[name].cardinality for name in hidden]
        if math.prod(cards) > MAX_STATES:
            raise WorldError(
                f"from_frame: the '<->' edges make {math.prod(cards)} hidden states, over"
                f" {MAX_STATES}; use fewer edges or a smaller hidden_card"
            )
        states = np.array(list(itertools.product(*map(range, cards))), dtype=np.int64)
        visible = [name for name in self.variables if name not in hidden]
        codes = {name: self.rows[:, [i]] for i, name in enumerate(visible)}
        codes |= {name: states[None, :, i] for i, name in enumerate(hidden)}
        self.index: dict[str, NDArray[np.int64]] = {}
        self.shape: dict[str, tuple[int, ...]] = {}
        full = (len(self.rows), len(states))
        for name in self.variables:
            axes = [*self.parents[name], name]
            self.shape[name] = tuple(self.variables[axis].cardinality for axis in axes)
            index: Any = np.zeros((1, 1), dtype=np.int64)
            for axis, card in zip(axes, self.shape[name], strict=True):
                index = index * card + codes[axis]
            self.index[name] = np.broadcast_to(index, full)

    def weights(self, posterior: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.counts[:, None] * posterior

    def maximise(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        cpts = {}
        for name, shape in self.shape.items():
            size = math.prod(shape)
            summed = np.bincount(self.index[name].ravel(), weights.ravel(), size)
            found = summed.reshape(shape).astype(np.float64) + self.alpha
            total = found.sum(axis=-1, keepdims=True)
            if not total.all():
                at = np.argwhere(total[..., 0] == 0)[0]
                given = zip(self.parents[name], at, strict=True)
                row = ", ".join(f"{p}={self.variables[p].label(int(i))}" for p, i in given)
                raise WorldError(
                    f"from_frame: '{name}' has no data at {row}; give alpha > 0, or more data"
                )
            cpts[name] = found / total
        return cpts

    def expectation_maximisation(
        self, rng: np.random.Generator, steps: int, tolerance: float
    ) -> dict[str, NDArray[np.float64]]:
        cpts = {}
        for name, shape in self.shape.items():
            start = uniforms(rng, shape) + 0.5
            cpts[name] = start / start.sum(axis=-1, keepdims=True)
        last = -math.inf
        for _ in range(steps):
            log = np.zeros(next(iter(self.index.values())).shape)
            with np.errstate(divide="ignore"):
                for name, cpt in cpts.items():
                    log += np.log(cpt).ravel()[self.index[name]]
            top = log.max(axis=1, keepdims=True)
            joint = np.exp(log - top)
            sums = joint.sum(axis=1, keepdims=True)
            score = float(self.counts @ (np.log(sums) + top)[:, 0])
            if self.alpha:
                score += self.alpha * sum(float(np.log(cpt).sum()) for cpt in cpts.values())
            cpts = self.maximise(self.weights(joint / sums))
            if score - last < tolerance * self.counts.sum():
                break
            last = score
        return cpts


def _column(frame: pd.DataFrame, name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the labels of a column and the codes of its rows."""
    import pandas as pd

    if name not in frame.columns:
        hint = suggest(name, frame.columns)
        raise WorldError(f"from_frame: there is no column '{name}'.{hint}")
    column = frame[name]
    if column.ndim != 1:
        raise WorldError(f"from_frame: column '{name}' is there twice; drop one")
    if column.isna().any():
        at = column.index[column.isna()][0]
        raise WorldError(f"from_frame: column '{name}' has a gap at row {at}; fill or drop it")
    if pd.api.types.is_float_dtype(column.dtype):
        raise WorldError(f"from_frame: column '{name}' holds real numbers; bin it first (pd.cut)")
    fixed = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    labels = tuple(str(label) for label in fixed.cat.categories)
    return labels, fixed.cat.codes.to_numpy().astype(np.int64)
