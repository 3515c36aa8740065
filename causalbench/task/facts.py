"""Hold a dossier as a set of facts: arrays of small integers and of numbers, for neural agents.

A fact has a kind, a place among its like, some variables with a code each, and a number. Variables
are indices: the dossier's in their order, then the hidden ones of its mechanisms. A code of 0 or
more is a value; -1 stands where there is nothing; -2 - c says "any value but c".

    kind              place             variables           codes                   number
    dossier                                                 texts: id, cell, story
    variable                            v                   cardinality (0: real)   1: hidden
    unit                                v                   text
    value                               v                   value                   its number
    regime, shown                                           which
    budget            which                                                         units
    settable-only                                           1: what may be set is listed
    settable          order             v
    assumption        order                                 text
    node              order             v
    edge                                cause, effect
    common-cause                        the two
    mechanism         order             v, parents          type
    noise             noise value       v                                           probability
    response          noise value       v, parents          value, parents' values
    chance                              v, parents          value, parents' values  probability
    weight            order             v, parent                                   coefficient
    intercept, spread                   v                                           which
    equation                            v                   text
    noise-law                           v                   law
    noise-parameter   order             v                                           which
    couplings-unknown                                       1: of the mechanisms
    law               law               what is set         values
    probability       law               all visible         values                  probability
    coupling          order, part       v, turning parent   kind, 1 in a mixture    weight
    assumed-coupling  order, part       v, turning parent   kind, 1 in a mixture    weight
    coupling-text     order             v                   text
    assumed-monotone  order             cause, effect       0, or 1 for antitone
    rows                                                    columns, 1: real        how many
    row               row               all visible         values
    measurement       row               v                                           value
    log               log                                   text: decision          how many
    log-seen          log, row          all visible         values
    log-made          log, row                              action, terminal, text  reward
    decision          decision                              mode, text: id, stated
    action            decision, order   what is set         values
    payoff            decision, order   what counts         values                  weight
    observed          decision, order   v
    stated            decision, order   v                   value
    factual           decision          what was set        values
    question                                                kind, decision, text: id
    seen              order             v                   value
    term              term              v
    setting           term, order       v                   value, inner term       value, if real
    constant                                                                        which
    summand           summand                               0; or 1, term (a mean)  weight
    asked, given      summand, order                        term, value, operator   value, if real
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from numpy.typing import NDArray

__all__ = ["KINDS", "Book", "Facts", "pad", "to_torch"]

_KINDS = """
none dossier variable unit value regime shown budget settable-only settable assumption node edge
common-cause mechanism noise response chance weight intercept spread equation noise-law
noise-parameter couplings-unknown law probability coupling assumed-coupling coupling-text
assumed-monotone rows row measurement log log-seen log-made decision action payoff observed stated
factual question seen term setting constant summand asked given
"""
KINDS: tuple[str, ...] = tuple(_KINDS.split())
"""The kinds of facts; 0 pads a batch."""
_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_ARRAYS = ("kind", "place", "variables", "codes", "number")
_LEAST = 3  # columns of variables and codes


@dataclass(frozen=True, eq=False)
class Facts:
    """A set of F facts over at most W variables each; their order means nothing.

    Args:
        kind: int64[F], indices of `KINDS`.
        place: int64[F, 2], which of its like a fact is, 0 where there is one.
        variables: int64[F, W], -1 where there are fewer.
        codes: int64[F, W], -1 where there are fewer.
        number: float64[F], 0 where there is none.
        names: of the variables, by index.
        labels: of each variable's values, by code; none where it is real.
        texts: what has no other form, such as ids and equations, by index.
    """

    kind: NDArray[np.int64]
    place: NDArray[np.int64]
    variables: NDArray[np.int64]
    codes: NDArray[np.int64]
    number: NDArray[np.float64]
    names: tuple[str, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()
    texts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in _ARRAYS}

    def of(self, kind: str) -> Facts:
        """Return the facts of one kind, sorted by place."""
        found = np.flatnonzero(self.kind == _NUMBER[kind])
        order = found[np.lexsort(self.place[found].T[::-1])]
        parts = {name: array[order] for name, array in self.arrays.items()}
        return Facts(**parts, names=self.names, labels=self.labels, texts=self.texts)


@dataclass
class Book:
    """Collects facts while a dossier is encoded."""

    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    texts: list[str] = field(default_factory=list)
    _blocks: list[tuple[NDArray[Any], ...]] = field(default_factory=list)

    def add(
        self,
        kind: str,
        *,
        place: Sequence[int] = (),
        variables: Sequence[int] = (),
        codes: Sequence[int] = (),
        number: float = 0.0,
    ) -> None:
        """Write one fact down."""
        self.block(
            kind,
            place=np.array([[*place, 0, 0][:2]]),
            variables=np.array([list(variables)]).reshape(1, len(variables)),
            codes=np.array([list(codes)]).reshape(1, len(codes)),
            number=np.array([number]),
        )

    def block(
        self,
        kind: str,
        *,
        place: NDArray[Any] | None = None,
        variables: NDArray[Any],
        codes: NDArray[Any],
        number: NDArray[Any] | None = None,
    ) -> None:
        """Write n facts of a kind down.

        Args:
            kind: one of `KINDS`.
            place: int[n, 2]; zeros by default.
            variables: int[n, k], or int[k], the same for all.
            codes: int[n, k].
            number: float[n]; zeros by default.
        """
        count = len(codes)
        shared = np.broadcast_to(variables, (count, np.shape(variables)[-1]))
        self._blocks.append(
            (
                np.full(count, _NUMBER[kind]),
                np.zeros((count, 2), dtype=np.int64) if place is None else place,
                shared,
                codes,
                np.zeros(count) if number is None else number,
            )
        )

    def text(self, text: str) -> int:
        """Return the index of a text, taking it down where it is new."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    def facts(self) -> Facts:
        """Return what was written down."""
        wide = [block[part].shape[1] for block in self._blocks for part in (2, 3)]
        width = max(_LEAST, *wide)
        kind, place, variables, codes, number = zip(*self._blocks, strict=True)
        return Facts(
            kind=np.concatenate(kind).astype(np.int64),
            place=np.concatenate(place).astype(np.int64),
            variables=np.concatenate([_wide(each, width) for each in variables]),
            codes=np.concatenate([_wide(each, width) for each in codes]),
            number=np.concatenate(number).astype(np.float64),
            names=self.names,
            labels=self.labels,
            texts=tuple(self.texts),
        )


def pad(many: Sequence[Facts]) -> dict[str, NDArray[Any]]:
    """Put several sets of facts into one batch.

    Args:
        many: B sets, at least one.

    Returns:
        ``kind`` int64[B, F], ``place`` int64[B, F, 2], ``variables`` and ``codes`` int64[B, F, W],
        ``number`` float64[B, F], and ``mask`` bool[B, F], true where there is a fact. F and W are
        the largest of the sets; what is added has kind 0, number 0, and -1 elsewhere.

    Raises:
        WorldError: there is no set.
    """
    if not many:
        raise WorldError("pad: there are no facts; give at least one set of them.")
    most = max(len(facts) for facts in many)
    width = max(facts.codes.shape[1] for facts in many)
    batch: dict[str, NDArray[Any]] = {
        "kind": np.zeros((len(many), most), dtype=np.int64),
        "place": np.full((len(many), most, 2), -1, dtype=np.int64),
        "variables": np.full((len(many), most, width), -1, dtype=np.int64),
        "codes": np.full((len(many), most, width), -1, dtype=np.int64),
        "number": np.zeros((len(many), most)),
        "mask": np.zeros((len(many), most), dtype=np.bool_),
    }
    for row, facts in enumerate(many):
        batch["mask"][row, : len(facts)] = True
        for name, array in facts.arrays.items():
            corner = tuple(slice(size) for size in array.shape)
            batch[name][row][corner] = array
    return batch


def to_torch(
    batch: Facts | Mapping[str, NDArray[Any]], *, device: str = "cpu", exact: bool = False
) -> dict[str, torch.Tensor]:
    """Return the arrays of facts, or of a batch of them, as tensors.

    Args:
        batch: facts, or what `pad` returns.
        device: where the tensors live.
        exact: keep numbers as float64; else they become float32.
    """
    import torch

    arrays = batch.arrays if isinstance(batch, Facts) else batch
    tensors = {name: torch.from_numpy(array.copy()).to(device) for name, array in arrays.items()}
    if not exact:
        tensors["number"] = tensors["number"].float()
    return tensors


def _wide(array: NDArray[Any], width: int) -> NDArray[np.int64]:
    """Return an array with -1 in the columns that it lacks."""
    full = np.full((len(array), width), -1, dtype=np.int64)
    full[:, : array.shape[1]] = array
    return full
