"""Strata: what a large suite is made of, one type of question on one kind of terms each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.errors import NotFoundError, WorldError
from causalbench.task.construct.linear import FORMS as LINEAR
from causalbench.task.construct.order import FAMILIES, SIZES, Order
from causalbench.task.construct.shapes import MOTIFS
from causalbench.task.forms import FORMS, form
from causalbench.task.rungs import COUNTERFACTUAL, INTERVENTION
from causalbench.task.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.forms import Form
    from causalbench.task.terms import Terms

__all__ = ["SURFACES", "VALUES", "Stratum", "strata_from_list", "turns"]

SURFACES = ("plain", "sensible", "nonsense", "anti-commonsense")
_MOTIFS = tuple(MOTIFS)
_KEYS = ("forms", "access", "family", "sizes", "surfaces", "motifs")
_DEFAULTS: Mapping[str, Mapping[str, int]] = {
    "sizes": {"small": 1},
    "surfaces": {"plain": 1},
    "motifs": dict.fromkeys(_MOTIFS, 1),
}
_SELECTED = ("ETT", "ETU")
_MOST = 1000  # the largest share
_KNOWN = {"sizes": tuple(SIZES), "surfaces": SURFACES, "motifs": _MOTIFS}
VALUES: Mapping[str, tuple[str, ...]] = {
    "form": tuple(FORMS),
    "size": tuple(SIZES),
    "motif": _MOTIFS,
    "family": FAMILIES,
    "surface": SURFACES,
}
"""Trait -> all that it can be."""


@dataclass(frozen=True)
class Stratum:
    """Generated pairs of one type of question on one kind of terms.

    Args:
        form: a name of `causalbench.task.forms`.
        access: a name of `causalbench.task.terms`.
        family: ``discrete`` or ``linear``.
        pairs: how many.
        sizes: the pairs' sizes, which take turns.
        surfaces: how they are told, in turns.
        motifs: the shapes to start from, in turns.
    """

    form: str
    access: str
    family: str
    pairs: int
    sizes: tuple[str, ...] = ("small",)
    surfaces: tuple[str, ...] = ("plain",)
    motifs: tuple[str, ...] = _MOTIFS

    @property
    def kind(self) -> Form:
        """The type of question, with its rung and track."""
        return FORMS[self.form]

    @property
    def terms(self) -> Terms:
        """What is given."""
        return terms(self.access)

    @property
    def name(self) -> str:
        """The stratum's name within its suite, unique there."""
        return f"{self.form}/{self.access}/{self.family}"

    def order(self, index: int) -> Order:
        """Return what a pair is to be.

        Motifs start at another place in every stratum, and sizes and surfaces turn at their own
        pace, so that a few pairs of each stratum meet all of them over the suite.
        """
        start = sum(self.name.encode())
        return Order(
            form=self.form,
            terms=self.terms,
            size=self.sizes[index % len(self.sizes)],
            motif=self.motifs[(start + index) % len(self.motifs)],
            family=self.family,
            index=index,
        )

    def surface(self, index: int) -> str:
        """Return how a pair is told."""
        start = sum(self.name.encode())
        return self.surfaces[(start + index + index // len(self.surfaces)) % len(self.surfaces)]


def turns(shares: Mapping[str, int]) -> tuple[str, ...]:
    """Spread names over a cycle as evenly as their shares allow: {a: 2, b: 1} -> (a, b, a).

    Args:
        shares: name -> how often it comes in a cycle, at least once in all.
    """
    places = [
        ((number + 0.5) / count, place, name)
        for place, (name, count) in enumerate(shares.items())
        for number in range(count)
    ]
    return tuple(name for _, _, name in sorted(places))


def strata_from_list(data: Any, place: str, defaults: Mapping[str, Any]) -> tuple[Stratum, ...]:
    """Read the ``strata`` of a suite file.

    Args:
        data: a list of mappings: ``forms`` (names), ``access`` (terms -> pairs), and where they
            differ from the suite's own ``family``, ``sizes``, ``surfaces``, ``motifs``.
        place: for messages.
        defaults: the suite's own ``sizes``, ``surfaces`` and ``motifs`` (name -> share).

    Raises:
        WorldError: a name or number that is none; the message names its place.
    """
    if not isinstance(data, list):
        raise WorldError(f"{place}: expected a list, found {type(data).__name__}; write one.")
    found: list[Stratum] = []
    for number, each in enumerate(data):
        found.extend(_strata(each, f"{place}[{number}]", defaults))
    names = [stratum.name for stratum in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WorldError(f"{place}: stratum {twice} is listed twice; list it once.")
    return tuple(found)


def _strata(data: Any, place: str, defaults: Mapping[str, Any]) -> Iterator[Stratum]:
    if not isinstance(data, Mapping):
        raise WorldError(f"{place}: expected a mapping, found {type(data).__name__}; write one.")
    unknown = [key for key in data if key not in _KEYS]
    if unknown:
        raise WorldError(f"{place}: no key '{unknown[0]}'; take {', '.join(_KEYS)}.")
    family = data.get("family", "discrete")
    if family not in FAMILIES:
        raise WorldError(f"{place}: no family '{family}'; take {' or '.join(FAMILIES)}.")
    shares = {
        key: _shares(_first(data.get(key), defaults.get(key), _DEFAULTS[key]), place, key)
        for key in _KNOWN
    }
    access = data.get("access")
    if not isinstance(access, Mapping) or not isinstance(data.get("forms"), list):
        raise WorldError(f"{place}: give 'forms' (a list) and 'access' (terms: number of pairs).")
    for name in data["forms"]:
        for given, pairs in access.items():
            try:
                kind, known = form(str(name)), terms(str(given))
            except NotFoundError as error:
                raise WorldError(f"{place}: {error}") from None
            if not isinstance(pairs, int) or isinstance(pairs, bool) or pairs < 0:
                raise WorldError(f"{place}: {given}: {pairs!r} is no number of pairs; count them.")
            problem = _unfit(kind, known, family)
            if problem:
                raise WorldError(f"{place}: {name} given {given}: {problem}")
            sizes, motifs = _left(known, shares, place)
            yield Stratum(
                form=kind.name,
                access=known.name,
                family=family,
                pairs=pairs,
                sizes=turns(sizes),
                surfaces=turns(shares["surfaces"]),
                motifs=turns(motifs),
            )


def _unfit(kind: Form, known: Terms, family: str) -> str:
    """Say why no pair can be made of a type of question on these terms; "" where some can."""
    if family == "linear":
        cells = LINEAR.get(kind.name)
        if cells is None:
            return f"linear worlds are not asked for it; take {', '.join(LINEAR)}."
        if known.cell not in cells or known.laws:
            return f"linear worlds are asked for it with {', '.join(cells)}, and no exact laws."
    elif known.coupled and kind.name in _SELECTED:
        return "without hidden causes experiments settle it below; take mechanisms or a lab."
    if kind.rung == INTERVENTION and known.cell == "lab" and known.regime == "see":
        return "watching does not settle it; take lab-do-N."
    met = known.coupled or known.regime in {"intent", "replay"}
    if kind.rung == COUNTERFACTUAL and known.cell != "mechanisms" and not met:
        return "that does not settle it; take diagram-do-coupled, lab-intent-N or lab-replay-N."
    return ""


def _left(
    known: Terms, shares: Mapping[str, Mapping[str, int]], place: str
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the shares of sizes and motifs that the terms allow."""
    # Couplings are named of worlds without hidden causes.
    motifs = {k: n for k, n in shares["motifs"].items() if not (known.coupled and _veiled(k))}
    # A joint law of twenty or more variables is too long to write down.
    sizes = {k: n for k, n in shares["sizes"].items() if not (known.laws and k == "large")}
    if not sum(sizes.values()) or not sum(motifs.values()):
        msg = f"{place}: {known.name} leaves no size (exact laws can't be large) or no motif "
        raise WorldError(msg + "(with couplings none may have hidden causes); add one.")
    return sizes, motifs


def _first(*choices: Any) -> Any:
    """Return the first that is stated."""
    return next(choice for choice in choices if choice is not None)


def _veiled(motif: str) -> bool:
    """Say whether a motif has hidden causes."""
    return any(name.startswith("u") for name in MOTIFS[motif])


def _shares(data: Any, where: str, key: str) -> Mapping[str, int]:
    place = f"{where}: {key}"
    if not isinstance(data, Mapping) or not data:
        raise WorldError(f"{place}: expected name: share, found {data!r:.60}; write a mapping.")
    for name, share in data.items():
        if name not in _KNOWN[key]:
            raise WorldError(f"{place}: no '{name}'; take {', '.join(_KNOWN[key])}.")
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= _MOST:
            msg = f"{place}: {name}: {share!r} is no share; give a whole number from 0 to {_MOST}."
            raise WorldError(msg)
    if not sum(data.values()):
        raise WorldError(f"{place}: all shares are 0; give one that is not.")
    return dict(data)
