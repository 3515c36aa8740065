"""Say how alike two worlds look in one unit: the Hellinger affinity of what a lab shows of it.

The affinity of two laws is the sum over outcomes of sqrt(p q): 1 where they are equal, 0 where they
have no outcome in common. Sums run in a fixed order, so that the same worlds give the same bytes.

Reference: Le Cam, Asymptotic Methods in Statistical Decision Theory (1986), chapter 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from causalbench.task.construct.net import Floats, Net

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.scm import SCM, Mechanism

__all__ = [
    "LARGEST",
    "Affinities",
    "affinities",
    "group_table",
    "groups",
    "peeled",
    "response_affinity",
]

LARGEST = 2**16  # numbers in the largest table; beyond it nothing is worked out
_Nets = tuple[Net, Net]


@dataclass(frozen=True, eq=False)
class Affinities:
    """What two worlds have in common under every intervention on visible variables.

    Args:
        names: the visible variables that can tell the worlds apart.
        cards: how many values each has.
        table: float64[2, ..., 2, *cards]: one switch a variable (1: it is set), then its values.
            Each entry is sqrt(p q) of the values of those not set, under the values of those set.
    """

    names: tuple[str, ...]
    cards: tuple[int, ...]
    table: Floats

    @property
    def watched(self) -> float:
        """The affinity of one unit that is watched."""
        return float(self.table[(0,) * len(self.names)].sum())

    @property
    def least(self) -> float:
        """The least affinity of one unit, over all ways of setting any of the variables."""
        table, left = self.table, len(self.names)
        while left:
            # Of the axes still open the first are switches; settled variables follow at the end.
            free = table[0].sum(axis=left - 1)
            table = np.concatenate([np.moveaxis(table[1], left - 1, -1), free[..., None]], axis=-1)
            left -= 1
        return float(table.min())

    def seen(self, action: Mapping[str, int], kept: Sequence[str]) -> Floats:
        """Return the affinity by what is seen of the variables kept, none of which is set.

        Args:
            action: variable -> code; variables that are not in `names` tell nothing.
            kept: names among `names`.

        Returns:
            float64[*cards of kept], summed over all others.
        """
        chosen = self.table[tuple(int(name in action) for name in self.names)]
        index = tuple(action.get(name, slice(None)) for name in self.names)
        left = [name for name in self.names if name not in action]
        order = [left.index(name) for name in kept]
        order += [place for place in range(len(left)) if place not in order]
        moved = chosen[index].transpose(order)
        shape = moved.shape[: len(kept)]
        summed: Floats = moved.reshape(*shape, -1).sum(axis=-1)
        return summed


def affinities(nets: _Nets, keep: Iterable[str] = ()) -> Affinities | None:
    """Compute what two worlds have in common; None where that takes over `LARGEST` numbers.

    A variable that has no effects, no hidden causes and one table in both worlds tells nothing, and
    is left out.

    Args:
        nets: the worlds, with the same visible variables.
        keep: variables to keep even so.
    """
    nets = peeled(nets, frozenset(keep))
    names = tuple(sorted(nets[0].visible))
    cards = tuple(nets[0].cards[name] for name in names)
    if 2 ** len(names) * math.prod(cards) > LARGEST:
        return None
    table = np.ones((1,) * 2 * len(names))
    for group in groups(nets):
        part = group_table(nets, names, group)
        if part is None:
            return None
        table = table * part
    shape = (2,) * len(names) + cards
    return Affinities(names, cards, np.ascontiguousarray(np.broadcast_to(table, shape)))


def response_affinity(sides: tuple[SCM, SCM]) -> float | None:
    """Compute the affinity of all that running one unit again, however often, can show of it.

    That is each visible variable's response to every setting of the others: a function of its
    visible parents. Responses are independent of each other but for hidden causes, so the affinity
    is a product over the groups that share one.

    Returns:
        In [0, 1]; None where couplings are unknown, a hidden variable has a visible cause, or the
        functions of a group are over `LARGEST`.
    """
    if any(side.uncoupled for side in sides):
        return None
    if any(set(side.parents(name)) & set(side.visible) for side in sides for name in side.hidden):
        return None
    nets = Net.from_scm(sides[0]), Net.from_scm(sides[1])
    total = 1.0
    for group in groups(nets):
        known: dict[str, dict[bytes, int]] = {name: {} for name in group}
        numbers = [
            {name: _functions(sides, place, name, known[name]) for name in group}
            for place in (0, 1)
        ]
        sizes = [len(known[name]) for name in group]
        laws = []
        for net, own in zip(nets, numbers, strict=True):
            hidden = _hidden_causes(net, group)
            if math.prod(sizes) * math.prod(net.cards[name] for name in hidden) > LARGEST:
                return None
            laws.append(_function_law(net.law(hidden), hidden, own, sizes))
        total *= float(np.sqrt(laws[0] * laws[1]).sum())
    return min(total, 1.0)


class _Numbered(NamedTuple):
    """The functions of its visible parents that a variable has, by number.

    Attributes:
        hidden: its hidden parents.
        numbers: int[noise, *cards of hidden].
        noise: float64[noise].
    """

    hidden: tuple[str, ...]
    numbers: NDArray[np.int64]
    noise: Floats


def _function_law(
    chances: Floats, hidden: Sequence[str], own: Mapping[str, _Numbered], sizes: Sequence[int]
) -> Floats:
    """Return the joint law of some variables' functions, their hidden causes summed out."""
    total = np.zeros(tuple(sizes))
    for codes in np.ndindex(chances.shape):
        values = dict(zip(hidden, codes, strict=True))
        joint = np.asarray(chances[codes])
        for each, size in zip(own.values(), sizes, strict=True):
            drawn = each.numbers[(slice(None), *(values[name] for name in each.hidden))]
            joint = joint[..., None] * np.bincount(drawn, weights=each.noise, minlength=size)
        total = total + joint
    return total


def _functions(sides: tuple[SCM, SCM], place: int, name: str, known: dict[bytes, int]) -> _Numbered:
    """Number a variable's functions, written over the visible parents of both worlds.

    Args:
        sides: the worlds.
        place: of the world meant.
        name: the variable.
        known: function -> number, shared by the worlds; new functions are added.
    """
    side = sides[place]
    mechanism = cast("Mechanism", side.mechanism(name))  # the worlds have couplings
    parents = {p for world in sides for p in world.parents(name)}
    domain = sorted(parents.intersection(side.visible))
    hidden = tuple(p for p in mechanism.parents if side.variable(p).hidden)
    own = [p for p in domain if p in mechanism.parents]
    spread = mechanism.table.transpose(
        [0, *(1 + mechanism.parents.index(p) for p in (*hidden, *own))]
    )
    shape = spread.shape[: 1 + len(hidden)]
    cards = [side.variable(p).cardinality for p in domain]
    spread = spread.reshape(
        *shape, *(card if p in own else 1 for p, card in zip(domain, cards, strict=True))
    )
    rows = np.broadcast_to(spread, (*shape, *cards)).reshape(math.prod(shape), -1)
    numbers = [known.setdefault(row.tobytes(), len(known)) for row in rows]
    return _Numbered(hidden, np.array(numbers, dtype=np.int64).reshape(shape), mechanism.noise)


def peeled(nets: _Nets, keep: frozenset[str]) -> _Nets:
    """Leave out the visible variables that tell nothing, the last effects first.

    Args:
        nets: the worlds.
        keep: variables to keep even so.
    """
    first, second = nets
    while True:
        gone = [
            name
            for name in first.visible
            if name not in keep
            and not first.children(name)
            and not second.children(name)
            and _alike((first, second), name)
        ]
        if not gone:
            return first, second
        first, second = _without(first, gone), _without(second, gone)


def _without(net: Net, gone: Iterable[str]) -> Net:
    """Return the net less some variables that have no effects."""
    kept = [name for name in net.cards if name not in set(gone)]
    return Net(
        cards={name: net.cards[name] for name in kept},
        parents={name: net.parents[name] for name in kept},
        cpts={name: net.cpts[name] for name in kept},
        hidden=net.hidden,
    )


def _alike(nets: _Nets, name: str) -> bool:
    """Say whether a variable has the same visible parents and the same table in both worlds."""
    first, second = (net.parents[name] for net in nets)
    if set(first) != set(second) or nets[0].hidden.union(nets[1].hidden).intersection(first):
        return False
    axes = [*(second.index(parent) for parent in first), len(second)]
    return bool(np.array_equal(nets[0].cpts[name], nets[1].cpts[name].transpose(axes)))


def groups(nets: _Nets) -> list[tuple[str, ...]]:
    """Group the visible variables that share a hidden cause in either world; all is sorted."""
    group = {name: {name} for name in nets[0].visible}
    for net in nets:
        effects: dict[str, set[str]] = {}
        for name in net.visible:
            for cause in _hidden_causes(net, [name]):
                effects.setdefault(cause, set()).add(name)
        for members in effects.values():
            joined = set[str]().union(*(group[name] for name in members))
            group.update(dict.fromkeys(joined, joined))
    return sorted({tuple(sorted(members)) for members in group.values()})


def _hidden_causes(net: Net, names: Iterable[str]) -> list[str]:
    """Return the hidden variables that cause some variables, directly or through hidden ones."""
    found: list[str] = []
    stack = list(names)
    while stack:
        new = [p for p in net.parents[stack.pop()] if p in net.hidden and p not in found]
        found += new
        stack += new
    return found


def group_table(nets: _Nets, names: Sequence[str], group: Sequence[str]) -> Floats | None:
    """Return sqrt(p q) of a group's values, by which of its variables are set.

    Args:
        nets: the worlds.
        names: the axes, sorted: the group, its parents, and any others.
        group: one of `groups`.

    Returns:
        float64, first an axis a name, of size 2 where it is in the group and may be set; then an
        axis a name for its values, of size 1 where it does not matter. None where a table would
        have over `LARGEST` numbers.
    """
    parts: list[Floats] = []
    for setting in product((0, 1), repeat=len(group)):
        free = [name for name, is_set in zip(group, setting, strict=True) if not is_set]
        laws = [_group_law(net, names, free) for net in nets]
        if any(law is None for law in laws):
            return None
        parts.append(np.sqrt(laws[0] * laws[1]))  # type: ignore[operator]
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    stacked = np.stack([np.broadcast_to(part, shape) for part in parts])
    switches = [2 if name in group else 1 for name in names]
    # `group` is sorted as `names` is, so that the switches stand in their order.
    return stacked.reshape(*switches, *shape)


def _group_law(net: Net, names: Sequence[str], free: Sequence[str]) -> Floats | None:
    """Return the product of some variables' tables, their hidden causes summed out."""
    hidden = _hidden_causes(net, free)
    axes = [*names, *hidden]
    involved = {p for name in (*free, *hidden) for p in (name, *net.parents[name])}
    if math.prod(net.cards[name] for name in involved) > LARGEST:
        return None
    tables = [_spread(net, name, axes) for name in (*free, *hidden)]
    total = reduce(np.multiply, tables, np.ones((1,) * len(axes)))
    shape = total.shape[: len(names)]
    law: Floats = total.reshape(*shape, -1).sum(axis=-1)
    return law


def _spread(net: Net, name: str, axes: Sequence[str]) -> Floats:
    """Return a variable's table with its axes at their places among ``axes``, others of size 1."""
    own = (*net.parents[name], name)
    order = sorted(range(len(own)), key=lambda place: axes.index(own[place]))
    shape = [net.cards[axis] if axis in own else 1 for axis in axes]
    return net.cpts[name].transpose(order).reshape(shape)
