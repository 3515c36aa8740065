"""Turn what a dossier gives into context: how often each slot took each value, per row.

These counts are the sufficient statistic of context rows under the decoder, so a thousand rows cost
no more than their distinct settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.latent.layout import MAX_CARD, Layout, fits, lay_out
from causalbench.errors import AgentError, TooWideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causalbench.graph import Diagram
    from causalbench.task.types import Dossier

__all__ = ["Context", "Rows", "context_of", "count", "rows_of", "scramble"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows seen under one intervention.

    Args:
        names: the columns.
        codes: value codes, int [n, len(names)].
        forced: the columns that were forced.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    forced: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Context:
    """Counts to fit (``train``) and counts to stop by (``held``), float32 [rows, MAX_CARD] each."""

    layout: Layout
    train: np.ndarray
    held: np.ndarray


def context_of(
    dossier: Dossier,
    *,
    rows: int,
    rng: np.random.Generator,
    shuffled: bool = False,
    augment: bool = False,
) -> Context:
    """Sample context rows from a dossier and count them.

    Args:
        dossier: with mechanisms, or with a diagram and laws or rows.
        rows: how many rows to draw from each distribution that is given.
        rng: source of randomness.
        shuffled: destroy every dependence (the control that must lose all skill above rung 0).
        augment: relabel values and take a random causal order (practice only).

    Raises:
        AgentError: neither diagram nor mechanisms are shown.
        TooWideError: a world that the decoder has no room for.
    """
    scm, diagram = dossier.mechanisms, dossier.diagram
    variables = {variable.name: variable for variable in dossier.variables}
    if scm is not None:
        everything = {name: scm.variable(name) for name in scm.names}
        if fits([variable.cardinality for variable in everything.values()]):
            variables, diagram = everything, scm.full_diagram
        elif scm.diagram.bidirected:
            msg = "the shown world's hidden causes do not fit the decoder, and they matter."
            raise TooWideError(msg)
        else:
            diagram = scm.diagram
    if diagram is None:
        msg = "the dossier shows no diagram; this agent plays the cells diagram and mechanisms."
        raise AgentError(msg)
    cards = {name: variable.cardinality for name, variable in variables.items()}
    order = _random_order(diagram, rng) if augment else None
    layout = lay_out(diagram, cards, order=order)
    swap = {name: rng.permutation(cards[name]) for name in cards} if augment else None
    train = np.zeros((layout.rows, MAX_CARD), dtype=np.float32)
    held = np.zeros_like(train)
    for batch in rows_of(dossier, rows=rows, rng=rng):
        part = scramble(batch, rng) if shuffled else batch
        codes = part.codes
        if swap is not None:
            swaps = [swap.get(name) for name in part.names]
            columns = [codes[:, k] if s is None else s[codes[:, k]] for k, s in enumerate(swaps)]
            codes = np.stack(columns, axis=1)
        cut = max(1, len(codes) * 4 // 5)
        train += count(layout, Rows(part.names, codes[:cut], part.forced))
        held += count(layout, Rows(part.names, codes[cut:], part.forced))
    return Context(layout, train, held)


def rows_of(dossier: Dossier, *, rows: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield context rows: from the mechanisms, else from the laws, else the rows given."""
    scm = dossier.mechanisms
    if scm is not None:
        names = tuple(scm.names)
        drawn = scm.draw(rows, rng=rng)
        yield Rows(names, np.stack([drawn[name] for name in names], axis=1))
        for name in dossier.names:
            label = scm.variable(name).label(int(rng.integers(scm.variable(name).cardinality)))
            drawn = scm.draw(rows // 4, rng=rng, do={name: label})
            codes = np.stack([drawn[each] for each in names], axis=1)
            yield Rows(names, codes, frozenset({name}))
        return
    for law in dossier.laws:
        cumulative = np.cumsum(law.table.ravel())
        draws = rng.random(rows if not law.do else max(1, rows // 4)) * cumulative[-1]
        cells = np.searchsorted(cumulative, draws, side="right")
        codes = np.stack(np.unravel_index(cells, law.table.shape), axis=1)
        yield Rows(dossier.names, codes, frozenset(name for name, _ in law.do))
    if len(dossier.rows):
        yield Rows(dossier.names, rng.permutation(dossier.rows))


def count(layout: Layout, batch: Rows) -> np.ndarray:
    """Count each slot's values per row; forced slots, and slots whose proxy is forced, are skipped.

    A forced variable's natural value is not seen, so nothing downstream that reads it is counted.
    """
    counts = np.zeros((layout.rows, MAX_CARD), dtype=np.float32)
    column = {name: batch.codes[:, k] for k, name in enumerate(batch.names)}
    values: Mapping[int, np.ndarray] = {i: column[s.name] for i, s in enumerate(layout.slots)}
    forced = {i for i, slot in enumerate(layout.slots) if slot.name in batch.forced}
    for i, slot in enumerate(layout.slots):
        if i in forced or forced & {*slot.proxies}:
            continue
        np.add.at(counts, (np.asarray(layout.row_of(slot, values, values)), values[i]), 1.0)
    return counts


def scramble(batch: Rows, rng: np.random.Generator) -> Rows:
    """Permute every column by itself: the one-variable marginals stay, all dependence goes."""
    columns = [rng.permutation(batch.codes[:, k]) for k in range(batch.codes.shape[1])]
    return Rows(batch.names, np.stack(columns, axis=1), batch.forced)


def _random_order(diagram: Diagram, rng: np.random.Generator) -> tuple[str, ...]:
    """Return a random causal order."""
    nodes = list(diagram.nodes)
    parents = {node: set(diagram.parents(node)) for node in nodes}
    order: list[str] = []
    while len(order) < len(nodes):
        ready = [n for n in nodes if n not in order and parents[n] <= {*order}]
        order.append(ready[int(rng.integers(len(ready)))])
    return tuple(order)
