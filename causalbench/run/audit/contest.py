"""Let every shortcut play: build the pairs, train the answerers, and keep what each one lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from causalbench.errors import ScoreError
from causalbench.run.audit.answerers import VIEWS, answer_losses, guess_losses, kind_of
from causalbench.run.audit.sides import side_losses
from causalbench.run.audit.sketch import Sketch, sketch
from causalbench.run.build import count_pieces, pieces_in
from causalbench.run.plan import cases_of
from causalbench.run.pool import told
from causalbench.task.forms import FORMS
from causalbench.task.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from causalbench.run.plan import Selection
    from causalbench.run.progress import Ticker

__all__ = ["Losses", "Pair", "by_type", "floor_of", "played"]

Pair = tuple[Sketch, Sketch]
Losses = dict[tuple[str, str], dict[str, list[float | None]]]
"""(type, shortcut) -> way of building it -> the loss of each pair of the type, None: no room."""


_SIDES = 2


def played(pool: Executor | None, selection: Selection, count: Ticker) -> tuple[list[Pair], Losses]:
    """Build the suite, and let every shortcut play it."""
    cases = _sketched(pool, selection, count)
    pairs = _paired(cases)
    if not pairs:
        msg = f"suite '{selection.suite_name}' has no pairs of twins here: nothing to audit."
        raise ScoreError(msg)
    types = by_type(pairs)
    losses: Losses = defaultdict(dict)
    for kind, held in types.items():
        _add_untrained(losses, kind, held)
    tasks: list[tuple[str, str, str, Callable[..., Any]]] = []
    everything = [case for held in types.values() for pair in held for case in pair]
    if len(types) > 1:
        tasks.extend(("", v, "all types", partial(answer_losses, everything, v)) for v in VIEWS)
    for kind, held in types.items():
        flat = [case for pair in held for case in pair]
        tasks.append((kind, "constant", "fitted", partial(guess_losses, flat)))
        tasks.append((kind, "sides", "one type: ", partial(side_losses, held, of_one_type=True)))
        tasks.extend((kind, v, "one type", partial(answer_losses, flat, v)) for v in VIEWS)
    whole = [pair for held in types.values() for pair in held]
    tasks.append(("", "sides", "all types: ", partial(side_losses, whole)))
    count.name("training")
    count.total(len(tasks))
    for (kind, shortcut, way, _), found in zip(tasks, _done(pool, tasks, count), strict=True):
        some = {kind: types[kind]} if kind else types
        if shortcut == "sides":
            for each, values in found.items():
                _share(losses, some, shortcut, f"{way}{each}", _staked(some, values))
        else:
            _share(losses, some, shortcut, way, _summed(found))
    return [pair for held in types.values() for pair in held], losses


def _done(pool: Executor | None, tasks: Sequence[Any], count: Ticker) -> list[Any]:
    """Run the trainings, here or in the pool."""
    if pool is None:
        results = []
        for *_, work in tasks:
            results.append(work())
            count(1)
        return results
    with told():
        futures = [pool.submit(work) for *_, work in tasks]
        results = []
        for future in futures:
            results.append(future.result())
            count(1)
    return results


def _sketched(pool: Executor | None, selection: Selection, count: Ticker) -> list[Sketch]:
    """Build the suite and keep a sketch of each case, in the suite's order."""
    count.name("building")
    if not isinstance(selection.suite, Suite):
        cases = [sketch(case) for case in cases_of(selection)]
    else:
        count.total(count_pieces(selection))
        pieces = []
        for piece in pieces_in(pool, selection, sketch):
            pieces.append(piece)
            count(1)
        cases = selection.suite.in_order(pieces, selection.seed)
    return [
        replace(case, traces={**case.traces, "place in the suite": float(place)})
        for place, case in enumerate(cases)
    ]


def _paired(cases: Sequence[Sketch]) -> list[Pair]:
    """Return the pairs, side 0 first, in order of their ids."""
    found: dict[str, dict[int, Sketch]] = defaultdict(dict)
    for case in cases:
        if case.placement.role == "skill":
            found[case.placement.pair_id][case.placement.side] = case
    return [(s[0], s[1]) for _, s in sorted(found.items()) if len(s) == _SIDES]


def by_type(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Return the pairs of each type of question, types in the order of the ladder."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[kind_of(pair[0])].append(pair)
    known = list(FORMS)
    order = sorted(found, key=lambda name: (known.index(name) if name in known else 0, name))
    return {name: found[name] for name in order}


def _add_untrained(losses: Losses, kind: str, held: Sequence[Pair]) -> None:
    """Add what the shortcuts score that need no training."""
    names = dict.fromkeys(
        name for pair in held for case in pair for item in case.items for name in item.costs
    )
    for name in names:
        values: list[float | None] = []
        for pair in held:
            costs = [item.costs.get(name) for case in pair for item in case.items]
            known = [cost for cost in costs if cost is not None]
            values.append(sum(known) if len(known) == len(costs) else None)
        losses[kind, name]["as it is"] = values


def _summed(found: Sequence[float]) -> list[float | None]:
    """Return the losses of pairs, given those of their sides in turn."""
    return [one + two for one, two in zip(found[::2], found[1::2], strict=True)]


def _staked(types: Mapping[str, Sequence[Pair]], values: Sequence[float]) -> list[float | None]:
    """Return losses that are given in units of the pairs' floors."""
    pairs = [pair for held in types.values() for pair in held]
    return [float(value) * floor_of(pair) for value, pair in zip(values, pairs, strict=True)]


def _share(
    losses: Losses,
    types: Mapping[str, Sequence[Pair]],
    shortcut: str,
    way: str,
    values: Sequence[float | None],
) -> None:
    """Share out the losses of all pairs among their types."""
    start = 0
    for kind, held in types.items():
        losses[kind, shortcut][way] = list(values[start : start + len(held)])
        start += len(held)


def floor_of(pair: Pair) -> float:
    """Return what the best single answer to both sides loses."""
    return sum(item.floor for case in pair for item in case.items) / 2
