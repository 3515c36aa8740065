"""Pack a world's parts into the flat arrays of `layout`, in compiled code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.truth.compiled.jit import after, doubles, entry, inner, longs, source_digest, words
from causalbench.truth.compiled.layout import CPT_ONLY, HEAD, POSITIVE, World

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pack", "view"]


@inner
def view(address: int) -> Any:
    """Return a packed world as views of its arrays."""
    whole = longs(address)
    n, edges = whole[0], whole[5]
    columns = after(whole, HEAD)
    starts = after(columns, 7 * n)
    return World(
        n,
        edges,
        columns,
        after(columns, n),
        after(columns, 2 * n),
        after(columns, 3 * n),
        after(columns, 4 * n),
        after(columns, 5 * n),
        after(columns, 6 * n),
        starts,
        after(starts, n + 1),
        after(starts, n + 1 + edges),
        doubles(whole[1]),
        words(whole[3]),
    )


@inner
def _topological(n: int, starts: Any, parents: Any, order: Any, place: Any) -> None:
    """Order the variables, causes first, else as declared."""
    for i in range(n):
        place[i] = -1
    done = 0
    while done < n:
        before = done
        for i in range(n):
            if place[i] >= 0:
                continue
            ready = True
            for e in range(starts[i], starts[i + 1]):
                ready = ready and place[parents[e]] >= 0
            if ready:
                place[i] = done
                order[done] = i
                done += 1
        if done == before:  # a cycle, which no world has
            break


def _make(sources: str) -> Callable[..., Any]:
    """Compile `pack`; the sources' digest is a part of it, and so of its key on disk."""

    @entry("Tuple((i8, i8[::1], f8[::1], i4[::1]))(i8, i8, i8, f8[::1], i8[::1])")
    def pack(address: int, n: int, edges: int, noise: Any, tables: Any) -> Any:
        assert len(sources) > 0  # noqa: S101  (a digest; this puts it into the key)
        facts = longs(address)
        parents = after(facts, 3 * n)
        starts = np.empty(n + 1, np.int64)
        rows = np.empty(n, np.int64)
        at_noise = np.empty(n, np.int64)
        at_table = np.empty(n, np.int64)
        starts[0] = 0
        n_floats, n_codes, n_noise = 0, 0, 0
        for i in range(n):
            starts[i + 1] = starts[i] + facts[3 * i + 2]
            count = 1
            for e in range(starts[i], starts[i + 1]):
                count *= facts[3 * parents[e]]
            rows[i] = count
            at_noise[i], at_table[i] = n_noise, n_codes
            size = facts[3 * i + 1]
            n_noise += size or count * facts[3 * i]
            n_codes += size * count
            n_floats += size + count * facts[3 * i]
        whole = np.empty(HEAD + 8 * n + 1 + 2 * edges, np.int64)
        floats = np.empty(n_floats, np.float64)
        codes = np.empty(n_codes, np.int32)
        whole[0] = n
        whole[1], whole[2] = floats.ctypes.data, n_floats
        whole[3], whole[4] = codes.ctypes.data, n_codes
        whole[5], whole[6], whole[7] = edges, 0, 0
        world = view(whole.ctypes.data)
        order = np.empty(n, np.int64)
        _topological(n, starts, parents, order, world.place)
        top, edge, cell = 0, 0, 0
        world.start[0] = 0
        for v in range(n):
            i = order[v]
            card, size, count = facts[3 * i], facts[3 * i + 1], rows[i]
            step = count
            for e in range(starts[i], starts[i + 1]):
                step //= facts[3 * parents[e]]
                world.parent[edge] = world.place[parents[e]]
                world.stride[edge] = step
                edge += 1
            world.start[v + 1] = edge
            world.card[v], world.size[v] = card, size
            world.noise[v], world.table[v], world.cpt[v] = top, cell, top + size
            for s in range(size):
                floats[top + s] = noise[at_noise[i] + s]
            if size == 0:
                floats[top : top + count * card] = noise[at_noise[i] : at_noise[i] + count * card]
            else:
                floats[top + size : top + size + count * card] = 0.0
            for row in range(count):
                for s in range(size):
                    code = tables[at_table[i] + s * count + row]
                    codes[cell + row * size + s] = code
                    floats[top + size + row * card + code] += noise[at_noise[i] + s]
            positive = True
            for k in range(top + size, top + size + count * card):
                positive = positive and floats[k] > 0.0
            world.flags[v] = (POSITIVE if positive else 0) | (CPT_ONLY if size == 0 else 0)
            top += size + count * card
            cell += size * count
        return whole.ctypes.data, whole, floats, codes

    return pack


pack = _make(source_digest())
"""Pack a world's parts.

Args: the address of int64 facts (per declared variable its cardinality, its number of noise
values, 0 for a CPT without noise, and of parents; then all parents' declared numbers); how many
variables and parents; per variable its noise, or its CPT where it has none, one after another; per
variable with noise its response table [noise, parents...], likewise.

Returns the address of the whole numbers, and the three arrays, which must be kept alive.
"""
