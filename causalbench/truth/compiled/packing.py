"""Pack a world's parts into the flat arrays of `layout`, in compiled code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.jit import entry, inner, source_digest
from causalbench.truth.compiled.layout import CPT_ONLY, HEAD, POSITIVE, World
from causalbench.truth.compiled.memory import after, doubles, longs, words

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pack", "view"]


@inner
def view(address: Any) -> Any:
    """Return a packed world as views of its arrays."""
    whole = longs(address)
    n, edges = whole[0], whole[1]
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
        doubles(whole[2]),
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

    @entry("Tuple((i8, i8[::1]))(i8[::1], i8, i8)")
    def pack(parts: Any, n: int, edges: int) -> Any:
        assert len(sources) > 0  # noqa: S101  (a digest; this puts it into the key)
        cards = longs(parts.ctypes.data)
        sizes, degrees, parents = after(cards, n), after(cards, 2 * n), after(cards, 3 * n)
        starts = np.empty(n + 1, np.int64)
        rows = np.empty(n, np.int64)
        at_noise = np.empty(n, np.int64)
        at_table = np.empty(n, np.int64)
        starts[0] = 0
        n_floats, n_codes, n_noise = 0, 0, 0
        for i in range(n):
            starts[i + 1] = starts[i] + degrees[i]
            count = 1
            for e in range(starts[i], starts[i + 1]):
                count *= cards[parents[e]]
            rows[i] = count
            at_noise[i], at_table[i] = n_noise, n_codes
            size = sizes[i]
            n_noise += size or count * cards[i]
            n_codes += size * count
            n_floats += size + count * cards[i]
        integers = HEAD + 8 * n + 1 + 2 * edges
        whole = np.empty(integers + n_floats + (n_codes + 1) // 2, np.int64)
        at = np.int64(whole.ctypes.data)
        whole[0], whole[1] = n, edges
        noise = doubles(parts.ctypes.data + 8 * (3 * n + edges))
        tables = after(parents, edges + n_noise)
        whole[2], whole[3] = at + 8 * integers, at + 8 * (integers + n_floats)
        world = view(at)
        floats, codes = world.floats, world.codes
        order = np.empty(n, np.int64)
        _topological(n, starts, parents, order, world.place)
        top, edge, cell = 0, 0, 0
        world.start[0] = 0
        for v in range(n):
            i = order[v]
            card, size, count = cards[i], sizes[i], rows[i]
            step = count
            for e in range(starts[i], starts[i + 1]):
                step //= cards[parents[e]]
                world.parent[edge] = world.place[parents[e]]
                world.stride[edge] = step
                edge += 1
            world.start[v + 1] = edge
            world.card[v], world.size[v] = card, size
            world.noise[v], world.table[v], world.cpt[v] = top, cell, top + size
            for s in range(size or count * card):  # the noise, or the CPT
                floats[top + s] = noise[at_noise[i] + s]
            for s in range(size, (size + count * card) if size else 0):
                floats[top + s] = 0.0
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
        return at, whole

    return pack


pack = _make(source_digest(*Path(__file__).parent.glob("*.py")))
"""Pack a world's parts.

Args: an array of its parts, one after another; how many variables and parents there are. The parts
are the declared variables' cardinalities; their numbers of noise values, 0 for a CPT without noise;
their numbers of parents; all parents' declared numbers; per variable its noise, or its CPT where it
has none (float64); per variable with noise its response table [noise, parents...].

Returns the world's address, and the array that stands there, which must be kept alive.
"""
