"""Build pairs for rung 1: every variable keeps its own law, and how they hang together differs.

The diagrams are the same. What one world holds likely together the other holds apart; where
independence is asked, one of the two is independent against its diagram, because a table does not
depend on a parent after all, or because paths cancel.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.asks import EVIDENCE, GAP
from causalbench.task.construct.batch import draw_batch
from causalbench.task.construct.draft import Draft, functions_of, world_of
from causalbench.task.construct.generate import named_roles
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung1_asks import Conditional, Contrast, ExplainingAway, Marginal
from causalbench.task.construct.rung1_bets import pick_bet
from causalbench.task.construct.rung1_line import bendable, draw_line
from causalbench.task.construct.shapes import draw_cards, draw_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.scm import SCM
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.net import Floats, Net
    from causalbench.task.construct.order import Order
    from causalbench.task.construct.rung1_asks import Cell, Cells
    from causalbench.task.construct.rung1_line import Line

__all__ = ["build", "least_seen"]

_COUNT = 32  # candidates of one shape
_SHAPES = 6  # how many shapes may be tried for the gap that is wanted
_GROUPS = 10  # families of questions that are looked at for one shape
_STEPS = 33  # points of a line that are looked at
_NEAR = 0.03  # how near a gap must come to the one wanted
_GAPS = {"marginal": (0.2, 0.4), "explaining-away": (0.2, 0.85), "independence": (0.2, 0.85)}
_GUESS = 1.1  # guessing costs so many floors at least
_ALL_GAPS = (0.2, 0.66)
_GOLDEN = 0.6180339887498949  # its multiples, less their whole parts, fill [0, 1] evenly
_TIMES = 12  # where the law is only sampled, what is given is met so often on average
_CELLS = {True: 512, False: 4096}  # the most numbers of a core's joint law, shown or not
_ZERO = 1e-12
_LEAST_SEEN = 0.02  # an observation rarer than this is not worth a question
_DECISIONS = "decisions"
_DIFFERENCES = ("explaining-away", "independence")


def build(rng: np.random.Generator, order: Order) -> Draft | None:
    """Draw a pair of a rung-1 form, or None where these shapes bear none.

    Args:
        rng: draws everything.
        order: what is wanted; gaps turn by its index.
    """
    spread = float(draws.uniforms(rng, ())) / 8
    low, high = _GAPS.get(order.form, _ALL_GAPS)
    wanted = low + (high - low) * ((order.index * _GOLDEN + spread) % 1.0)
    for _ in range(_SHAPES):
        line = _drawn(rng, order)
        if line is None:
            continue
        if order.kind.track == _DECISIONS:
            draft = _decision(rng, line, order)
        else:
            draft = _estimate(rng, line, order, wanted)
        if draft is not None:
            return draft
    return None


def least_seen(order: Order) -> float:
    """Return the least probability of what is given: seen a dozen times where rows are all."""
    rows = order.terms.rows + order.terms.budget.rows
    return max(EVIDENCE, _TIMES / rows) if rows else EVIDENCE


def _drawn(rng: np.random.Generator, order: Order) -> Line | None:
    """Draw a shape, tables, and the variable whose table moves."""
    small = order.size == "small"
    visible = 3 + int(draws.integers(rng, 3)) if small else 5 + int(draws.integers(rng, 4))
    shape = draw_shape(rng, order.motif, visible)
    cards = draw_cards(rng, list(shape), cells=_CELLS[bool(order.terms.laws)])
    free = [
        name
        for name in shape
        if not name.startswith("u")
        and bendable(shape, name)
        and (order.form != "explaining-away" or len(_seen(shape[name])) > 1)
    ]
    if not free:
        return None
    name = draws.choice(rng, free)
    above = _seen(shape[name])
    apart = ""
    if order.form == "independence" and above and order.index % 2 == 0:
        apart = draws.choice(rng, above)
    batch = draw_batch(rng, shape, cards, _COUNT)
    return draw_line(rng, batch, name, apart=apart)


def _seen(names: Sequence[str]) -> list[str]:
    return [name for name in names if not name.startswith("u")]


def _estimate(rng: np.random.Generator, line: Line, order: Order, wanted: float) -> Draft | None:
    """Find a question and two points of a line on which its answers lie as far apart as wanted."""
    ends = line.at(line.low), line.at(line.high)
    least = least_seen(order)
    for cells in _families(rng, line, order):
        values, masses = zip(*(cells.values(end) for end in ends), strict=True)
        # What decides is rounded, so that no machine's last digit does.
        fits = np.round(np.minimum(*masses), 9) >= least
        if isinstance(cells, Contrast):
            fits &= np.round(values[0] * values[1], 9) < 0.0
            fits &= np.round(np.maximum(*np.abs(values)), 9) >= wanted
        else:
            fits &= np.round(np.abs(values[0] - values[1]), 9) >= wanted
        found = np.argwhere(fits)
        if not len(found):
            continue
        place, *rest = (int(code) for code in found[int(draws.integers(rng, len(found)))])
        cell = tuple(rest)
        root = None
        if isinstance(cells, Contrast):
            first, second = (float(each[(place, *cell)]) for each in values)
            low, high = float(line.low[place]), float(line.high[place])
            root = low + (high - low) * (first / (first - second))
        steps = _two_steps(rng, line, place, (cells, cell), order, wanted, root)
        if steps is not None:
            twins = line.along(place, np.array(steps))
            sides, roles, labels = _named(rng, twins.pick(0), twins.pick(1))
            kind = "independence" if isinstance(cells, Contrast) else "dependence"
            query = cells.text(cell, partial(_atom, roles, labels))
            return Draft(sides=sides, rung=1, construction=kind, query=query)
    return None


def _atom(roles: Mapping[str, str], labels: Labels, role: str, code: int) -> str:
    return labels.atom(roles[role], code)


def _two_steps(
    rng: np.random.Generator,
    line: Line,
    place: int,
    asked: tuple[Cells, Cell],
    order: Order,
    wanted: float,
    root: float | None,
) -> tuple[float, float] | None:
    """Choose two points of a candidate's line, of which one is the root if there is one."""
    cells, cell = asked
    steps = np.linspace(float(line.low[place]), float(line.high[place]), _STEPS)
    if root is not None:
        steps[0] = root
    values, masses = cells.values(line.along(place, steps))
    column = int(np.ravel_multi_index(cell, values.shape[1:]))
    answers, mass = (each.reshape(_STEPS, -1)[:, column] for each in (values, masses))
    seen = np.round(mass, 9) >= least_seen(order)
    if root is not None and abs(float(answers[0])) > _ZERO:
        return None  # what is given comes after the bent table, so the answer is no line
    gaps = np.round(np.abs(answers[:, None] - answers[None, :]), 9)
    fits = (np.abs(gaps - wanted) <= _NEAR) & seen[:, None] & seen[None, :]
    fits &= np.arange(_STEPS)[:, None] < np.arange(_STEPS)[None, :]
    if root is not None:
        fits[1:] = False
    found = np.argwhere(fits)
    for number in draws.permutation(rng, len(found)).tolist():
        first, second = (int(code) for code in found[number])
        if gaps[first, second] >= GAP and _costly(answers[[first, second]], order):
            return float(steps[first]), float(steps[second])
    return None


def _costly(answers: Floats, order: Order) -> bool:
    """Say whether a number drawn at random from all that the form allows costs more than a floor.

    Such a guess u is ``((t - low)**2 + (high - t)**2) / (2 (high - low))`` off a truth t on
    average.
    """
    low = -1.0 if order.form in _DIFFERENCES else 0.0
    off = ((answers - low) ** 2 + (1.0 - answers) ** 2) / (2.0 * (1.0 - low))
    return round(float(off.sum()) - _GUESS * abs(float(answers[0] - answers[1])), 9) >= 0.0


def _families(rng: np.random.Generator, line: Line, order: Order) -> Iterator[Cells]:
    """Yield families of questions of the form wanted, in random order."""
    name, batch = line.name, line.base
    names = list(batch.visible)
    after = batch.descendants(name)
    for _ in range(_GROUPS):
        mixed = [names[int(place)] for place in draws.permutation(rng, len(names))]
        count = 1 + int(draws.integers(rng, 2))
        if order.form == "independence":
            earlier = [each for each in mixed if each not in after]
            late = [each for each in mixed if each in after]
            if late and earlier:
                x = line.apart or earlier[0]
                rest = [each for each in earlier if each != x]
                yield Contrast(draws.choice(rng, late), x, tuple(rest[:count]))
        elif order.form == "explaining-away":
            a, b = [each for each in mixed if each in batch.parents[name]][:2]
            yield ExplainingAway(a, b, name)
        elif after.intersection(mixed[: 1 + count]):
            if order.form == "marginal":
                yield Marginal(tuple(mixed[: 1 + count]))
            else:
                yield Conditional(mixed[0], tuple(mixed[1 : 1 + count]))


def _decision(rng: np.random.Generator, line: Line, order: Order) -> Draft | None:
    """Find what to see, and combinations of what is not seen to bet on."""
    shares = 0.5 + 0.5 * draws.uniforms(rng, (2, len(line.low)))
    steps = line.low * shares[0], line.high * shares[1]
    ends = line.at(steps[0]), line.at(steps[1])
    after = line.base.descendants(line.name)
    least = max(least_seen(order), _LEAST_SEEN)
    bet = pick_bet(rng, ends, after, least, stated=coin(rng))
    if bet is None:
        return None
    sides, roles, labels = _named(rng, ends[0].pick(bet.place), ends[1].pick(bet.place))
    decision = bet.decision(roles, labels)
    return Draft(sides=sides, rung=1, construction="dependence", decision=decision)


def _named(
    rng: np.random.Generator, first: Net, second: Net
) -> tuple[tuple[SCM, SCM], dict[str, str], Labels]:
    """Name the roles of two nets of one shape."""
    named, roles, labels = named_roles(rng, first)
    other = named.replace({roles[role]: table for role, table in second.cpts.items()})
    worlds = [world_of(functions_of(each), each, labels.values) for each in (named, other)]
    return (worlds[0], worlds[1]), roles, labels
