"""Read the named quantities and write them out in normal form.

    ATE, CATE, TE   total effect, in a stratum for CATE
    ETT, ETU        effect of treatment on the treated and on the untreated
    CDE, NDE, NIE   controlled direct, natural direct and natural indirect effect
    PN, PS, PNS     probability of necessity, of sufficiency, of both
    AC              probability that the cause was an actual cause

References: Pearl, Causality (2nd edition), chapters 4 and 9; Direct and indirect effects (2001).
Halpern (2015), A modification of the Halpern-Pearl definition of causality.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING

from causalbench.query.ast import (
    Atom,
    Constant,
    Expectation,
    Operator,
    Probability,
    Quantity,
    Subscript,
    Term,
)

if TYPE_CHECKING:
    from causalbench.query.atoms import AtomReader
    from causalbench.query.lexer import Token

__all__ = ["MOST_HELD", "NAMED", "read_named"]

NAMED = ("ATE", "CATE", "ETT", "ETU", "CDE", "NDE", "NIE", "TE", "PN", "PS", "PNS", "AC")
MOST_HELD = 3
"""How many variables AC may hold: it asks of each set of them at once."""

_BINARY = 2
_NEGATED: dict[Operator, Operator] = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
}

Weighted = tuple[tuple[float, Quantity], ...]


@dataclass(frozen=True)
class _Effect:
    """The arguments of a named quantity.

    Args:
        cause: the variable that is changed.
        low: its value before.
        high: its value after.
        outcome: the variable that is looked at.
        event: how it is compared, or None where its mean is asked for.
        strata: the conditions.
        mediators: the mediators' names.
        fixed: the values that mediators are held at.
    """

    cause: str
    low: Constant
    high: Constant
    outcome: str
    event: tuple[Operator, Constant] | None
    strata: tuple[Atom, ...] = ()
    mediators: tuple[str, ...] = ()
    fixed: Subscript = ()

    def world(self, value: Constant, *others: tuple[str, Constant | Term]) -> Subscript:
        """Return the subscript of the world where the cause is set."""
        return tuple(sorted([(self.cause, value), *others], key=lambda entry: entry[0]))

    def at(self, value: Constant) -> Atom:
        """Return the event that the cause is what it is."""
        return Atom(Term(self.cause), "=", value)

    def ask(self, subscript: Subscript, given: tuple[Atom, ...] = ()) -> Quantity:
        """Ask for the outcome in a world."""
        if self.event is None:
            return Expectation(Term(self.outcome, subscript), given)
        return Probability((self.hit(subscript),), given)

    def hit(self, subscript: Subscript = ()) -> Atom:
        """Return the event that the outcome is as asked."""
        operator, value = self.event or ("=", "")
        return Atom(Term(self.outcome, subscript), operator, value)

    def miss(self, subscript: Subscript = ()) -> Atom:
        """Return the event that the outcome is not as asked."""
        operator, value = self.event or ("=", "")
        return Atom(Term(self.outcome, subscript), _NEGATED[operator], value)


def read_named(reader: AtomReader, name: str) -> tuple[Weighted, float]:
    """Read the arguments of a named quantity, past its closing bracket, and expand it.

    Args:
        reader: stands just after ``NAME(``.
        name: one of `NAMED`.

    Returns:
        (weight, quantity) pairs, and the constant that is added to them.
    """
    effect = _arguments(reader, name)
    if name == "AC":
        return ((-1.0, _stays(effect)),), 1.0
    return _expand(name, effect), 0.0


def _expand(name: str, effect: _Effect) -> Weighted:
    """Write a named quantity out; the formulas of the module's references."""
    low, high = effect.world(effect.low), effect.world(effect.high)
    match name:
        case "ETT" | "ETU":
            group = (effect.at(effect.high if name == "ETT" else effect.low),)
            return (1.0, effect.ask(high, group)), (-1.0, effect.ask(low, group))
        case "CDE":
            return (
                (1.0, effect.ask(effect.world(effect.high, *effect.fixed))),
                (-1.0, effect.ask(effect.world(effect.low, *effect.fixed))),
            )
        case "NDE" | "NIE":
            natural, other = (low, effect.high) if name == "NDE" else (high, effect.low)
            nested = [(mediator, Term(mediator, natural)) for mediator in effect.mediators]
            return (1.0, effect.ask(effect.world(other, *nested))), (-1.0, effect.ask(low))
        case "PN" | "PS" | "PNS":
            return ((1.0, _causation(name, effect)),)
        case _:  # ATE, CATE, TE
            return (
                (1.0, effect.ask(high, _all_in(effect.strata, high))),
                (-1.0, effect.ask(low, _all_in(effect.strata, low))),
            )


def _causation(name: str, effect: _Effect) -> Probability:
    """Write out a probability of causation."""
    hit = effect.hit(effect.world(effect.high))
    miss = effect.miss(effect.world(effect.low))
    if name == "PN":
        return Probability((miss,), (effect.at(effect.high), effect.hit()))
    if name == "PS":
        return Probability((hit,), (effect.at(effect.low), effect.miss()))
    return Probability((hit, miss))


def _stays(effect: _Effect) -> Probability:
    """Write out that the outcome stays, whichever held variables keep their actual values.

    x=a rather than b is an actual cause of the outcome if, for some set of the held variables, it
    goes away when x is b and these are what they are. One variable is a minimal cause by itself.
    """
    held = effect.mediators
    sets = chain.from_iterable(combinations(held, size) for size in range(len(held) + 1))
    event = tuple(
        effect.hit(effect.world(effect.high, *((name, Term(name)) for name in kept)))
        for kept in sets
    )
    given = (effect.at(effect.low), effect.hit())
    return Probability(event, given + tuple(atom for atom in effect.strata if atom not in given))


def _all_in(atoms: tuple[Atom, ...], subscript: Subscript) -> tuple[Atom, ...]:
    """Put conditions into a world."""
    return tuple(Atom(Term(atom.term.variable, subscript), atom.op, atom.value) for atom in atoms)


def _arguments(reader: AtomReader, name: str) -> _Effect:
    """Read ``x: a -> b; y=v | z=c; m=d)``."""
    cause_token = reader.token
    cause = reader.variable()
    if reader.take("->"):
        low, high = _first_and_last(reader, name, cause, cause_token)
        outcome_token = reader.token
        outcome = reader.variable()
        event = _last_value(reader, name, outcome, outcome_token)
    else:
        reader.need(":", "':' or '->'", f"write {name}(x: a -> b; y=v) or {name}(x -> y)")
        low = reader.value(cause)
        reader.need("->", why="the cause goes from one value to another, as in x: a -> b")
        high = reader.value(cause)
        reader.need(";", why="the outcome follows the cause, as in x: a -> b; y=v")
        outcome_token = reader.token
        outcome = reader.variable()
        event = _event(reader, name, outcome, outcome_token)
    if outcome == cause:
        reader.fail(f"the outcome must not be the cause {cause!r} itself", outcome_token)
    strata = () if name == "AC" else _strata(reader, name)
    mediators, fixed = _mediators(reader, name, {cause, outcome})
    if name == "AC":
        strata = _strata(reader, name)
    reader.need(")", why=_usage(name))
    return _Effect(cause, low, high, outcome, event, strata, mediators, fixed)


def _usage(name: str) -> str:
    """Return how a named quantity is written."""
    tail = {
        "ATE": " | z=c",
        "CATE": " | z=c",
        "CDE": "; m=c",
        "NDE": "; m",
        "NIE": "; m",
        "TE": "; m",
        "AC": "; m | z=c",
    }
    return f"write {name}(x: a -> b; y=v{tail.get(name, '')})"


def _first_and_last(
    reader: AtomReader, name: str, cause: str, token: Token
) -> tuple[Constant, Constant]:
    """Return the two values of a binary cause."""
    values = reader.values_of(cause)
    if values is None or len(values) != _BINARY:
        reader.fail(
            f"{name}({cause} -> ...) needs a cause that is known to have two values; "
            f"name them, as in {name}({cause}: a -> b; y=v)",
            token,
        )
    return values[0], values[-1]


def _last_value(
    reader: AtomReader, name: str, outcome: str, token: Token
) -> tuple[Operator, Constant] | None:
    """Return ``y = last value`` of a binary outcome, or None for the mean of a real one."""
    values = reader.values_of(outcome)
    if values is None and reader.is_real(outcome) and not _of_event(name):
        return None
    if values is None or len(values) != _BINARY:
        reader.fail(
            f"{name}(... -> {outcome}) needs an outcome that is known to have two values; "
            f"name one, as in {name}(x: a -> b; {outcome}=v)",
            token,
        )
    return "=", values[-1]


def _of_event(name: str) -> bool:
    """Tell whether a named quantity is of an event, and not of a mean."""
    return name.startswith("P") or name == "AC"


def _event(
    reader: AtomReader, name: str, outcome: str, token: Token
) -> tuple[Operator, Constant] | None:
    """Read ``=v`` after the outcome; without it the mean is asked for."""
    if any(reader.sees(sign) for sign in "|;)"):
        if _of_event(name):
            reader.expect_failed(f"an event such as {outcome}=v", f"{name} is of an event")
        return None
    atom = reader.comparison(Term(outcome))
    if reader.is_real(outcome) and atom.op in {"=", "!="}:
        reader.fail(
            f"{outcome!r} is real: write it alone for its mean, or compare it by order", token
        )
    return atom.op, atom.value


def _strata(reader: AtomReader, name: str) -> tuple[Atom, ...]:
    """Read the conditions of AC, ATE and CATE."""
    if name == "CATE" and not reader.sees("|"):
        reader.expect_failed("'|'", f"CATE is the effect in a stratum: {_usage(name)}")
    if not reader.sees("|"):
        return ()
    if name not in {"ATE", "CATE", "AC"}:
        reader.fail(f"{name} takes no condition; {_usage(name)}")
    reader.index += 1
    start = reader.token
    forced, atoms = reader.condition(")")
    if forced is not None or any(atom.term.subscript for atom in atoms):
        reader.fail(
            f"the conditions of {name} are plain, as in | z=c; write the difference out instead",
            start,
        )
    return atoms


def _mediators(reader: AtomReader, name: str, taken: set[str]) -> tuple[tuple[str, ...], Subscript]:
    """Read the mediators after ``;``: names for AC, NDE, NIE and TE, settings for CDE."""
    optional = name in {"AC", "TE"}
    if name not in {"AC", "CDE", "NDE", "NIE", "TE"} or (optional and not reader.sees(";")):
        return (), ()
    reader.need(";", why=f"{name} needs its mediators: {_usage(name)}")
    names: list[str] = []
    settings: list[tuple[str, Constant | Term]] = []
    while True:
        token = reader.token
        mediator = reader.variable()
        if mediator in taken:
            reader.fail(f"expected a mediator, found {mediator!r}, which is in use already", token)
        taken.add(mediator)
        names.append(mediator)
        if name == "AC" and len(names) > MOST_HELD:
            reader.fail(
                f"AC holds at most {MOST_HELD} variables, since it asks of every set of them; "
                "leave out those that the cause does not change or the outcome does not hear",
                token,
            )
        if name == "CDE":
            reader.need("=", why=f"{name} holds its mediators at values: {_usage(name)}")
            settings.append((mediator, reader.value(mediator)))
        if not reader.take(","):
            return tuple(names), tuple(settings)
