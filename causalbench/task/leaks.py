"""Look for ways in which a twin shows its side: in ids, digits, orders, or anything not permitted.

`sealed_view` is what reaches the agent without the permitted evidence; twins must agree on it byte
for byte. `find_leaks` tests statistics of the rest against the side. `audit_blind` gives an
answerer nothing but the rungs below: whoever still scores has seen a key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import ScoreError, TwinError
from causalbench.task.answer import Choice, Estimate
from causalbench.task.construct.net import CELLS
from causalbench.task.dressing import discrete, exact_laws
from causalbench.task.encode import canonical_json
from causalbench.task.rungs import ASSOCIATION, COUNTERFACTUAL, INTERVENTION
from causalbench.task.types import Dossier, Item, Law
from causalbench.truth import Budget, Knowledge, law

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from causalbench.task.answer import Answer
    from causalbench.task.types import Case

__all__ = [
    "BlindAudit",
    "answer_sign",
    "audit_blind",
    "find_leaks",
    "pairs_of",
    "sealed_view",
    "sign_test",
    "traces",
]

_ALPHA = 1e-4  # the chance of a false alarm, all features of all pairs together
_NUMBERS = 6  # how many single numbers are looked at
_TOLERANCE = 1e-9
_SIDES = [0, 1]
_PLACE = "place in the suite"
Pair = tuple["Case", "Case"]


def pairs_of(cases: Iterable[Case]) -> list[Pair]:
    """Return the skill pairs among cases, side 0 first, in order of their ids.

    Raises:
        TwinError: a pair that has not exactly two sides.
    """
    found: dict[str, dict[int, Case]] = {}
    count: dict[str, int] = {}
    for case in cases:
        if case.placement.role == "skill":
            name = case.placement.pair_id
            found.setdefault(name, {})[case.placement.side] = case
            count[name] = count.get(name, 0) + 1
    for name, sides in found.items():
        if sorted(sides) != _SIDES or count[name] != len(_SIDES):
            msg = f"pair '{name}' has {count[name]} cases; a pair has two, one on each side."
            raise TwinError(msg)
    return [(sides[0], sides[1]) for _, sides in sorted(found.items())]


def sealed_view(case: Case) -> str:
    """Return, as canonical JSON, what reaches the agent without ids and permitted evidence.

    Permitted are, at rung 1, mechanisms, laws and rows; at rung 2, mechanisms, the diagram, rows
    and laws under intervention (the law of what is seen stays); at rung 3, mechanisms, couplings
    and rows (laws and diagram stay). Of mechanisms the size of every visible variable's noise
    stays, of rows and logs their shape, of permitted laws what is set.
    """
    rung = case.placement.rung
    view = case.dossier.to_dict()
    del view["id"]
    mechanisms = case.dossier.mechanisms
    if mechanisms is not None:
        names = mechanisms.visible
        sizes = {} if mechanisms.is_real else {n: len(discrete(mechanisms, n).noise) for n in names}
        view["mechanisms"] = {"order": list(names), "noise": sizes}
    view["rows"] = list(case.dossier.rows.shape)
    view["logs"] = {name: len(log["action"]) for name, log in case.dossier.logs.items()}
    if rung == ASSOCIATION:
        view["laws"] = [each["do"] for each in view["laws"]]
    elif rung == INTERVENTION:
        view["diagram"] = None
        view["laws"] = [each["do"] or each for each in view["laws"]]
    else:
        view["couplings"] = [name for name, _ in view["couplings"]]
        told = view["knowledge"]["assumptions"]
        view["knowledge"]["assumptions"] = [each.partition("=")[0] for each in told]
    asked = [{**item.question.to_dict(), "id": None} for item in case.items]
    return canonical_json({"dossier": view, "questions": asked})


def find_leaks(cases: Sequence[Case]) -> list[str]:
    """Name the statistics of what reaches the agent that go with the side or with the answer.

    For every pair each statistic is compared between the sides. Under the null hypothesis which
    side has more of it is a fair coin, so the count is tested by an exact sign test at 1e-4,
    corrected for the number of statistics. Statistics of laws and rows are ones that do not depend
    on the law itself: digits, orders, trends.

    Args:
        cases: a suite's cases in their order.

    Returns:
        One line a leak; none is the good outcome.
    """
    place = {case.dossier.id: number for number, case in enumerate(cases)}
    scores: dict[tuple[str, str], list[int]] = {}
    for pair in pairs_of(cases):
        features = [dict(_features(case, place[case.dossier.id])) for case in pair]
        answer = answer_sign(pair)
        for name in features[0].keys() & features[1].keys():
            sign = int(np.sign(features[1][name] - features[0][name]))
            if sign:
                scores.setdefault((name, "side"), []).append(sign)
                if answer:
                    scores.setdefault((name, "answer"), []).append(sign * answer)
    found = []
    for (name, label), signs in sorted(scores.items()):
        chance = sign_test(sum(sign > 0 for sign in signs), len(signs))
        if chance * len(scores) < _ALPHA:
            found.append(
                f"{name} tells the {label}: {sum(sign > 0 for sign in signs)} of {len(signs)} "
                f"pairs go one way (p = {chance:.1g})"
            )
    return found


def traces(case: Case, sealed: str | None = None) -> dict[str, float]:
    """Return the statistics by which a side might show, but for its place in the suite.

    They are of ids, digits, orders and lengths.

    Args:
        case: one side.
        sealed: its `sealed_view`, where it is known.
    """
    found = dict(_features(case, 0, sealed))
    del found[_PLACE]
    return found


@dataclass(frozen=True)
class BlindAudit:
    """What an answerer scores without any evidence of its rung.

    Args:
        skill: 1 - sum of losses / sum of floors; at most 0 for every deterministic answerer.
        pairs: how many pairs it was asked.
    """

    skill: float
    pairs: int

    @property
    def caught(self) -> bool:
        """Whether the score cannot be honest."""
        return self.skill > _TOLERANCE


def audit_blind(answer: Callable[[Dossier, Item], Answer], cases: Iterable[Case]) -> BlindAudit:
    """Ask an answerer about pairs of which it is told only what the rungs below reveal.

    Both twins are given one and the same dossier, so by the theorem a deterministic answerer scores
    at most 0 on every sample. The item is handed over with its key, as it is to the built-in
    controls: one that looks at it is caught.

    Args:
        answer: (dossier, item) -> answer; choices and estimates count, all else costs half the
            floor.
        cases: with whole pairs among them.

    Raises:
        ScoreError: there is no pair among the cases.
    """
    lost, floors, count = [], [], 0
    for pair in pairs_of(cases):
        sealed = _sealed_dossier(pair[0])
        count += 1
        for case in pair:
            for number, item in enumerate(case.items):
                question = replace(item.question, id=f"{number}")
                key = replace(item.key, question_id=question.id)
                lost.append(_loss(answer(sealed, Item(question, key)), item))
                floors.append(item.key.floor / 2)
    if not floors:
        msg = "there is no pair to audit; take a suite with pairs, or loosen the filter."
        raise ScoreError(msg)
    return BlindAudit(1.0 - math.fsum(lost) / math.fsum(floors), count)


def _sealed_dossier(case: Case) -> Dossier:
    """Return a dossier of L_(k-1) alone, the same for both sides."""
    rung, scm = case.placement.rung, case.scm
    # Of a real world no law can be written out; then the answerer has the question alone.
    cells = math.inf if scm.is_real else math.prod(scm.variable(n).cardinality for n in scm.visible)
    laws: tuple[Law, ...] = ()
    if cells <= CELLS and rung == ASSOCIATION:
        table = np.ones(())
        for name in scm.visible:
            table = np.multiply.outer(table, np.round(law(scm, [name]), 9))
        laws = (Law((), table),)
    elif cells <= CELLS // 64:
        exact = exact_laws(scm, interventions=rung == COUNTERFACTUAL)
        laws = tuple(Law(each.do, np.round(each.table, 9)) for each in exact)
    return Dossier(
        id="sealed",
        cell=case.placement.cell,
        variables=case.dossier.variables,
        knowledge=Knowledge("do" if rung == COUNTERFACTUAL else "see"),
        budget=Budget(),
        laws=laws,
        decisions=case.dossier.decisions,
        story=case.dossier.story,
    )


def _loss(answer: Answer, item: Item) -> float:
    key = item.key
    if isinstance(answer, Estimate) and not key.values:
        return abs(answer.value - float(key.truth))
    if isinstance(answer, Choice) and answer.action in item.question.actions:
        worth = key.values[item.question.actions.index(answer.action)]
        return key.weight * (max(key.values) - worth)
    return key.floor / 2


def answer_sign(pair: Pair) -> int:
    """Return which side has the larger answer: 1, -1, or 0 where neither has."""
    first, second = (
        [value for item in case.items for value in item.key.values or (float(item.key.truth),)]
        for case in pair
    )
    return int(second > first) - int(second < first)


def _features(case: Case, place: int, sealed: str | None = None) -> Iterator[tuple[str, float]]:
    """Yield named statistics of what reaches the agent."""
    yield _PLACE, place
    yield "length of the sealed view", len(sealed_view(case) if sealed is None else sealed)
    yield from _identity("dossier id", case.dossier.id)
    yield from _identity("first question id", case.items[0].question.id)
    mechanisms = case.dossier.mechanisms
    if mechanisms is not None and mechanisms.is_real:
        linear = [mechanisms.mechanism(name) for name in mechanisms.visible]
        told = [(*each.weights.tolist(), each.intercept, each.std) for each in linear]  # type: ignore[union-attr]
        yield from _numbers("weights", [number for each in told for number in each])
    elif mechanisms is not None:
        shared = mechanisms.visible
        noise = [discrete(mechanisms, name).noise.tolist() for name in shared]
        yield from _numbers("noise", [number for each in noise for number in each])
        rises = [np.diff(each) > 0 for each in noise if len(each) > 1]
        yield "share of rises in the noise", float(np.concatenate(rises).mean()) if rises else 0.5
    if case.dossier.laws:
        tables = np.concatenate([each.table.ravel() for each in case.dossier.laws])
        yield from _numbers("laws", tables.tolist())
    rows = case.dossier.rows
    if len(rows) > 1:
        yield from _row_order(rows)


def _identity(name: str, text: str) -> Iterator[tuple[str, float]]:
    yield f"{name}: length", len(text)
    raw = text.encode()
    for place in range(min(len(raw), 16)):
        yield f"{name}: character {place}", raw[place]
        yield f"{name}: parity of character {place}", raw[place] % 2
    yield f"{name}: sum", sum(raw)
    yield f"{name}: parity", sum(raw) % 2


def _numbers(name: str, numbers: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Yield statistics of the digits of numbers, not of their sizes."""
    tails = [_tail(number) for number in numbers]
    digits = [tail for tail in tails if tail]
    if not digits:
        return
    last = [int(tail[-1]) for tail in digits]
    yield f"{name}: parity of the last digits", sum(last) % 2
    yield f"{name}: share of odd last digits", sum(digit % 2 for digit in last) / len(last)
    yield f"{name}: mean last digit", sum(last) / len(last)
    yield f"{name}: mean number of digits", sum(map(len, digits)) / len(digits)
    for place in range(min(_NUMBERS, len(tails))):
        if tails[place]:
            yield f"{name}: last digit of number {place}", int(tails[place][-1])
            yield f"{name}: parity of number {place}", int(tails[place][-1]) % 2


def _tail(number: float) -> str:
    """Return the digits after the point of a number to 12 places, without trailing zeros."""
    return f"{number:.12f}".partition(".")[2].rstrip("0")


def _row_order(rows: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield statistics of the order of rows whose mean does not depend on their law."""
    _, codes = np.unique(rows, axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    order = np.argsort(np.argsort(codes, kind="stable"), kind="stable") / len(codes)
    centred = order - order.mean()
    yield "rows: trend", float((centred * np.linspace(-1.0, 1.0, len(centred))).sum())
    yield "rows: successive likeness", float((centred[1:] * centred[:-1]).sum())
    yield (
        "rows: rank of the first",
        float((codes < codes[0]).mean() + (codes == codes[0]).mean() / 2),
    )
    yield (
        "rows: rank of the last",
        float((codes < codes[-1]).mean() + (codes == codes[-1]).mean() / 2),
    )


def sign_test(successes: int, count: int) -> float:
    """Return the two-sided p value of a fair coin, exactly."""
    if not count:
        return 1.0
    extreme = max(successes, count - successes)
    tail = sum(math.comb(count, k) for k in range(extreme, count + 1))
    return min(1.0, float(2 * tail / 2**count))
