"""Rung 2 to order: two worlds with one seen law, and a question about acting that divides them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.asks import GAP, WRONG, Labels
from causalbench.task.construct.batch import Batch, draw_batch
from causalbench.task.construct.draft import Draft, functions_of, world_of
from causalbench.task.construct.lures_batch import READERS, Readings
from causalbench.task.construct.names import pick_names
from causalbench.task.construct.net import coin
from causalbench.task.construct.payoff import CLEAR
from causalbench.task.construct.rung2_acts import plan
from causalbench.task.construct.rung2_forms import EFFECTS, answers, query_text
from causalbench.task.construct.rung2_moves import diagram_of, made
from causalbench.task.construct.rung2_shapes import prepared
from causalbench.task.construct.rung2_sides import draw_kept, draw_sides
from causalbench.task.construct.rung2_spots import Target, identified, targets
from causalbench.task.construct.shapes import draw_cards, draw_shape
from causalbench.task.construct.sharpen import sharpened
from causalbench.task.types import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.construct.net import Net
    from causalbench.task.construct.order import Order
    from causalbench.task.construct.payoff import Event
    from causalbench.task.construct.rung2_forms import Answers
    from causalbench.task.construct.rung2_sides import Sides

__all__ = ["build"]

_COUNT = 64  # candidates in a batch
_CHECKED = 16  # questions that are checked before a batch is given up
_NEAR = 0.3
_LOOKED = 4  # targets that are looked at before the batch is given up
_CELLS = {"small": 256, "medium": 512, "large": 512}  # of the joint table of the visible variables
_HIDDEN_MOST = 2
_BANDS = (
    (0.2, 0.3),
    (0.3, 0.4),
    (0.2, 0.3),
    (0.4, 0.5),
    (0.2, 0.3),
    (0.5, 0.65),
    (0.3, 0.4),
    (0.65, 2.0),
)  # of the gap, in turn
_SETTLE = 0.25  # how often a gap outside the wanted band will do
_MISLED = 5, 2  # of so many pairs in a row, so many mislead whoever watches
_CLOSE = 1e-9
_ADJUST = READERS.index("adjust")
_KEPT = 0.5  # of what comes oftener, as the side with more ways is the one that watching misreads
_BEFORE = ("CATE", "conditional-interventional", "soft-intervention")
_TWO = ("CDE", "joint-intervention")
_ALIKE = ("soft-intervention",)  # mixed as they are, their answers lie where watching is right
_NARROW = ("napkin",)  # with few variables it has no room for two ways round
_LEVELS = ("interventional", "conditional-interventional", "soft-intervention")
_NATURAL = "uh"  # the role of a cause's natural value
_SHAPES = 4  # shapes that are drawn before an attempt is given up
_PAIRS = 3  # pairs of sides that are drawn of one base


def build(rng: np.random.Generator, order: Order) -> Draft | None:
    """Draw one batch of candidates of one shape, and return the one that fits best, or None.

    Args:
        rng: draws everything.
        order: what is wanted; of rung 2, discrete.
    """
    drawn = _drawn(rng, order)
    if drawn is None:
        return None
    base, pair = drawn
    readings = Readings.of(base)
    for _ in range(_PAIRS):
        if order.drawn:
            sides = draw_kept(rng, base, *pair, alike=_alike(order))
        else:
            sides = draw_sides(rng, base)
        if sides is None or sides.diagrams[0] == sides.diagrams[1]:
            continue
        draft = _searched(rng, order, base, sides, pair, readings)
        if draft is not None:
            return draft
    return None


def _searched(
    rng: np.random.Generator,
    order: Order,
    base: Batch,
    sides: Sides,
    pair: tuple[str, str],
    readings: Readings,
) -> Draft | None:
    """Look for a question, or a decision, that divides two sides."""
    for target in islice(targets(rng, order, sides.diagrams, pair), _LOOKED):
        found = answers(rng, order.form, sides.batches, target)
        fits = _fits(rng, order, sides, readings, target, found)
        if not fits.any():
            continue
        if order.form == "best-action":
            draft = _acted(rng, order, base, sides, target, found, fits)
        else:
            place = _picked(rng, order, found, fits)
            draft = None if place is None else _asked(rng, order, base, sides, target, found, place)
        if draft is not None:
            return draft
    return None


def _drawn(rng: np.random.Generator, order: Order) -> tuple[Batch, tuple[str, str]] | None:
    """Draw a base, and the cause and effect that are asked about first."""
    for _ in range(_SHAPES):
        room = _shaped(rng, order)
        if room is not None:
            shape, cause, effect = room
            cards = draw_cards(rng, list(shape), cells=_CELLS[order.size])
            base = draw_batch(rng, shape, cards, _COUNT)
            return sharpened(rng, base), (cause, effect)
    return None


def _shaped(
    rng: np.random.Generator, order: Order
) -> tuple[dict[str, tuple[str, ...]], str, str] | None:
    """Draw a shape with a cause and an effect, or None where what was drawn holds no promise."""
    least, most = (3, 5) if order.size == "small" else (5, 8)
    shape = draw_shape(rng, order.motif, least + int(draws.integers(rng, most - least + 1)))
    if sum(name.startswith("u") for name in shape) > _HIDDEN_MOST:
        return None
    if not order.drawn:
        return shape, "x", "y"
    room = prepared(rng, shape, most, before=order.form in _BEFORE)
    if room is None or (order.terms.cell == "diagram" and not _promising(order, *room)):
        return None
    return room


def _promising(order: Order, shape: Mapping[str, tuple[str, ...]], cause: str, effect: str) -> bool:
    """Say whether the effect may be settled once its direct part is confounding, as on one side.

    This is asked before any table is drawn. A second intervention may settle what one does not, so
    forms with two are let pass.
    """
    if order.form in _TWO:
        return True
    reads = tuple(_NATURAL if parent == cause else parent for parent in shape[effect])
    moved = {**shape, _NATURAL: shape[cause], cause: (_NATURAL,), effect: reads}
    hidden = frozenset(name for name in moved if name.startswith("u"))
    bare = Batch(dict.fromkeys(moved, 2), moved, {}, hidden)
    return identified(diagram_of(bare), Target((cause,), effect), order)


def _fits(
    rng: np.random.Generator,
    order: Order,
    sides: Sides,
    readings: Readings,
    target: Target,
    found: Answers,
) -> np.ndarray:
    """Return bool[candidate, question]: the answers lie apart, and no simple reading finds them."""
    gap = np.abs(found.first - found.second)
    fits: np.ndarray = found.usable & sides.sound[:, None] & (np.round(gap, 9) >= GAP)
    if order.drawn and order.form == "CDE":
        # Where nothing is left of the effect on one side, "nothing without a path, else not what
        # watching says" would pay: no reading but the opposite sign is far enough from the truth.
        fits &= np.round(np.minimum(np.abs(found.first), np.abs(found.second)), 9) > WRONG
    if not order.drawn or not fits.any():
        return fits
    kept = np.flatnonzero(fits.any(axis=1))
    law = Readings(readings.names, readings.cards, readings.law[kept])
    reads = [
        found.fold(law.read(diagram, target.xs, target.y, target.seen), kept)
        for diagram in sides.diagrams
    ]
    truths = (found.first[kept], found.second[kept])
    lost = [np.abs(read - truth[:, None]) for read, truth in zip(reads, truths, strict=True)]
    resists = lost[0].min(axis=1) + lost[1].min(axis=1) >= gap[kept] - _CLOSE
    if _misleads(order) and order.kind.track == "estimates":
        resists &= np.round(np.minimum(lost[0][:, 0], lost[1][:, 0]), 9) > WRONG
    if order.form in _LEVELS:
        resists &= _turned(rng, order, sides, target, reads, lost)
    result = np.zeros_like(fits)
    result[kept] = fits[kept] & resists
    return result


def _turned(
    rng: np.random.Generator,
    order: Order,
    sides: Sides,
    target: Target,
    reads: list[np.ndarray],
    lost: list[np.ndarray],
) -> np.ndarray:
    """Say where watching is farther off on the side that the pair's number says.

    That is the side with more ways from x to y, or the one with fewer; and where they have equally
    many, the side where adjusting says something else than watching does, or the other one. Where
    readings are low, both answers lie above all of them: so if the drawing told which side is
    farther off, "a little more than what is seen here, and much more there" would pay.

    Returns:
        bool[candidate, question].
    """
    x, y = target.xs[0], target.y
    ways = [len({*each.children(x)} & {y, *each.ancestors([y])}) for each in sides.diagrams]
    off = np.round(lost[0][:, 0] - lost[1][:, 0], 9)
    moved = [np.abs(read[:, _ADJUST] - read[:, 0]) for read in reads]
    ahead = np.sign(np.round(moved[0] - moved[1], 9)) if ways[0] == ways[1] else ways[0] - ways[1]
    # Both turns meet every band of gaps.
    turn = 1 if (order.index + order.index // len(_BANDS)) % 2 else -1
    if turn > 0 and ways[0] != ways[1] and not coin(rng, _KEPT):
        return np.zeros(off.shape, dtype=bool)
    result: np.ndarray = (turn * ahead * off > 0.0) | (ahead == 0)
    return result


def _picked(
    rng: np.random.Generator, order: Order, found: Answers, fits: np.ndarray
) -> tuple[int, int] | None:
    """Choose a question: which side's answer is larger by a coin, the gap by the pair's number.

    The middle of the answers is drawn too, and the nearest is taken: nothing but the laws should
    tell where in its range an answer lies.
    """
    sign = 1.0 if int(draws.integers(rng, 2)) else -1.0
    fits = fits & (sign * (found.first - found.second) > 0.0)
    gap = np.round(np.abs(found.first - found.second), 9)
    low, high = _BANDS[order.index % len(_BANDS)]
    wanted = fits & (gap >= low) & (gap <= high)
    if not wanted.any():
        if float(draws.uniforms(rng, ())) >= _SETTLE:
            return None
        wanted = fits
    wide = 2.0 if order.form in EFFECTS else 1.0  # of the range that answers lie in
    middle = 1.0 + wide * (float(draws.uniforms(rng, ())) - 1.0)
    off = np.abs((found.first + found.second) / 2 - middle)
    # Rounding does not reach the sixth digit.
    ranked = np.where(wanted, np.round(off, 6), np.inf)
    for flat in np.argsort(ranked, axis=None, kind="stable")[:_CHECKED]:
        place, question = (int(each) for each in np.unravel_index(flat, fits.shape))
        if not wanted[place, question]:
            return None
        pair = float(found.first[place, question]), float(found.second[place, question])
        if guarded(pair, wide):
            return place, question
    return None


def guarded(pair: tuple[float, float], wide: float) -> bool:
    """Say whether guessing stays clearly below 0 on a pair whose answers lie near each other.

    No guess gains anything in expectation, however far apart the answers lie; where they lie near
    each other, a guess loses so much that the pairs with distant answers can't make up for it.

    Args:
        pair: the answers.
        wide: 1 for probabilities, 2 for differences of them: the width of the range, up to 1, in
            which a guess is drawn.
    """
    first, second = (1.0 + (value - 1.0) / wide for value in pair)
    gap = round(abs(first - second), 9)
    if gap * wide > _NEAR:
        return True
    means = [(value**2 + (1.0 - value) ** 2) / 2 for value in (first, second)]
    cubes = [(value**3 + (1.0 - value) ** 3) / 3 for value in (first, second)]
    variance = sum(cube - mean**2 for mean, cube in zip(means, cubes, strict=True))
    return sum(means) - gap >= CLEAR * math.sqrt(variance)


def _asked(
    rng: np.random.Generator,
    order: Order,
    base: Batch,
    sides: Sides,
    target: Target,
    found: Answers,
    place: tuple[int, int],
) -> Draft:
    """Turn a chosen candidate and question into a draft."""
    pair = _named(rng, base, sides, place[0])
    told = pair.target(target)
    cards = [base.cards[name] for name in (*target.xs, *target.seen)]
    codes = found.codes[place[1]]
    return pair.draft(order, query_text(order.form, told, pair.labels, codes, found, cards))


@dataclass(frozen=True)
class _Named:
    """A candidate under the names that are told.

    Args:
        nets: the two sides.
        roles: role -> name.
        labels: writes atoms.
        construction: how the sides were made.
    """

    nets: tuple[Net, Net]
    roles: Mapping[str, str]
    labels: Labels
    construction: str

    def target(self, target: Target) -> Target:
        """Return a target under these names."""
        return Target(
            tuple(self.roles[x] for x in target.xs),
            self.roles[target.y],
            tuple(self.roles[z] for z in target.seen),
        )

    def atom(self, event: Event) -> str:
        """Write an event of a role."""
        return self.labels.atom(self.roles[event[0]], event[1])

    def draft(self, order: Order, query: str | None, decision: Decision | None = None) -> Draft:
        """Return the draft."""
        first, second = (world_of(functions_of(net), net, self.labels.values) for net in self.nets)
        return Draft(
            sides=(first, second),
            rung=2,
            construction=self.construction,
            query=query,
            decision=decision,
            motif=order.motif,
        )


def _named(rng: np.random.Generator, base: Batch, sides: Sides, place: int) -> _Named:
    """Give a candidate names that mean nothing, in a random order, and make its two sides."""
    moves = max(len(row) for row in sides.moves)
    names = pick_names(rng, len(base.cards) + moves)
    roles = dict(zip(base.cards, names, strict=False))
    order = [list(base.cards)[int(each)] for each in draws.permutation(rng, len(base.cards))]
    net = base.pick(place).rename({role: roles[role] for role in order})
    hidden = names[len(base.cards) :]
    first, second = (
        made(net, [move.renamed(roles) for move in row], hidden, rng=rng) for row in sides.moves
    )
    values = {name: tuple(str(code) for code in range(card)) for name, card in net.cards.items()}
    return _Named((first, second), roles, Labels(values), sides.construction)


def _acted(
    rng: np.random.Generator,
    order: Order,
    base: Batch,
    sides: Sides,
    target: Target,
    found: Answers,
    fits: np.ndarray,
) -> Draft | None:
    """Look for a decision on the candidates whose answers divide most."""
    gap = np.where(fits, np.abs(found.first - found.second), 0.0).max(axis=1)
    places = [int(place) for place in np.argsort(-np.round(gap, 6), kind="stable")]
    misled = order.drawn and _misleads(order)
    best = plan(rng, order, sides, target, [p for p in places if gap[p] >= GAP], misled=misled)
    if best is None:
        return None
    pair = _named(rng, base, sides, best.place)
    decision = Decision(
        id="act",
        mode="act",
        actions=tuple("pass" if each is None else pair.atom(each) for each in best.actions),
        utility=tuple((weight, pair.atom(event)) for weight, event in best.utility),
        observes=tuple(pair.roles[name] for name in best.seen),
    )
    return pair.draft(order, None, decision)


def _alike(order: Order) -> bool:
    """Say whether the direct effect has to be confounding on both sides."""
    return order.form in _ALIKE and order.motif not in _NARROW


def _misleads(order: Order) -> bool:
    """Say whether watching has to mislead on this pair."""
    length, most = _MISLED
    return order.index % length < most
