"""Search for a question about an effect on those who did otherwise, or along one path alone."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from causalbench.query.render import quote
from causalbench.task.construct.asks import EVIDENCE, Ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.net import Net
    from causalbench.task.construct.units import Units

__all__ = ["mediated_effects", "treated_effects"]


def treated_effects(
    oracles: tuple[Units, Units],
    net: Net,
    x: str,
    y: str,
    labels: Labels,
    focus: Sequence[str],
) -> Iterator[Ask]:
    """Yield P(y[x=b] | x=a), the same given another variable, ETTs and ETUs.

    Args:
        oracles: tables of two worlds with the same laws under every intervention.
        net: their variables.
        x: the variable that would have been otherwise; it has three values or more.
        y: the outcome.
        labels: writes the query.
        focus: further variables that may be evidence, one at a time.
    """
    others = [(name,) for name in focus if name not in {x, y}]
    for b in range(net.cards[x]):
        after = labels.atom(x, b)
        for names in ((), *others):
            joints = [each.joint((x, *names), y, {x: b}) for each in oracles]
            mass = joints[0].sum(axis=-1)
            for codes in zip(*mass.nonzero(), strict=True):
                if codes[0] == b or round(float(mass[codes]), 9) < EVIDENCE:
                    continue
                pairs = zip((x, *names), map(int, codes), strict=True)
                facts = ", ".join(labels.atom(*pair) for pair in pairs)
                for v in range(net.cards[y]):
                    first, second = (float(each[(*codes, v)] / mass[codes]) for each in joints)
                    yield Ask(f"P({labels.atom(y, v, after)} | {facts})", first, second)
    yield from _named_effects(oracles, net, x, y, labels)


def _named_effects(
    oracles: tuple[Units, Units], net: Net, x: str, y: str, labels: Labels
) -> Iterator[Ask]:
    """Yield effects on the treated and on the untreated, of every change of x."""
    for a, b in permutations(range(net.cards[x]), 2):
        step = f"{quote(x)}: {quote(labels.values[x][a])} -> {quote(labels.values[x][b])}"
        for name, group in (("ETT", b), ("ETU", a)):
            rows = [[each.joint((x,), y, {x: code})[group] for code in (b, a)] for each in oracles]
            share = float(rows[0][0].sum())
            if round(share, 9) < EVIDENCE:
                continue
            for v in range(net.cards[y]):
                first, second = (float((done[v] - undone[v]) / share) for done, undone in rows)
                yield Ask(f"{name}({step}; {labels.atom(y, v)})", first, second, form="named")


def mediated_effects(
    oracles: tuple[Units, Units], net: Net, x: str, m: str, y: str, labels: Labels
) -> Iterator[Ask]:
    """Yield natural direct and indirect effects, and the probabilities that they are made of.

    Args:
        oracles: tables of two worlds with the same laws under every intervention.
        net: their variables.
        x: the cause.
        m: the mediator.
        y: the outcome.
        labels: writes the query.
    """
    for a, b in permutations(range(net.cards[x]), 2):
        step = f"{quote(x)}: {quote(labels.values[x][a])} -> {quote(labels.values[x][b])}"
        was, now = labels.atom(x, a), labels.atom(x, b)
        for v in range(net.cards[y]):
            direct, indirect = (
                [_nested(each, net, x, m, y, v, *codes) for each in oracles]
                for codes in ((b, a), (a, b))
            )
            crossed = labels.atom(y, v, f"{now}, {quote(m)}={quote(m)}[{was}]")
            yield Ask(f"P({crossed})", direct[0], direct[1])
            base = float(oracles[0].joint((), y, {x: a})[v])
            tail = f"({step}; {labels.atom(y, v)}; {quote(m)})"
            for name, pair in (("NDE", direct), ("NIE", indirect)):
                first, second = (each - base for each in pair)
                yield Ask(f"{name}{tail}", first, second, form="named")


def _nested(
    oracle: Units, net: Net, x: str, m: str, y: str, v: int, own: int, through: int
) -> float:
    """Return P(y = v with x set to one value and m as it would be under another)."""
    return sum(
        float(oracle.across((m, {x: through}), (y, {x: own, m: k}))[k, v])
        for k in range(net.cards[m])
    )
