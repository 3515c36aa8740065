"""Hold what an answerer may use: a diagram, names, and the laws that its regime permits.

Identification works on a `Ground` (no numbers at all); estimands and bounds are evaluated on a
`Permitted`, which refuses every law that the knowledge does not allow.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from causalbench.errors import AccessError, QueryError, suggest
from causalbench.query.render import render_quantity
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.laws import law
from causalbench.truth.subject import scm_of
from causalbench.truth.values import not_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from causalbench.graph import Diagram
    from causalbench.query.ast import Quantity
    from causalbench.scm import SCM

__all__ = ["Ground", "Permitted", "recently_permitted"]

_RECENT = 4  # two twins, and two more: many questions are asked of them one after the other


@dataclass(frozen=True)
class Ground:
    """What identification may look at: names, values, the diagram, and what may be set.

    Args:
        diagram: over the visible variables.
        labels: visible variable -> its values, in declared order.
        numbers: visible variable -> one number for each value, or None.
        manipulable: the variables that experiments may set, alone or together; empty for ``see``.
        assumptions: as in `Knowledge`.
    """

    diagram: Diagram
    labels: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, tuple[float, ...] | None]
    manipulable: frozenset[str] = frozenset()
    assumptions: tuple[str, ...] = ()

    @property
    def all_experiments(self) -> bool:
        """Whether every set of visible variables may be set."""
        return self.manipulable == frozenset(self.labels)


class Permitted:
    """The laws over a world's visible variables that some knowledge permits.

    Args:
        world: an SCM, or anything with one as ``.scm``; discrete, or its mechanisms are shown.
        knowledge: what is known about it.

    Raises:
        QueryError: the world is not discrete, and its mechanisms are not shown.
        AccessError: a manipulable variable that is hidden or does not exist, or no knowledge.
    """

    def __init__(self, world: Any, knowledge: Knowledge) -> None:
        scm = scm_of(world)
        known: object = knowledge
        if not isinstance(known, Knowledge):
            kind = type(known).__name__
            msg = f"what is known is a Knowledge, not {kind}; give e.g. Knowledge('do', 'diagram')."
            raise AccessError(msg)
        if not scm.is_discrete and knowledge.shown != "mechanisms":
            msg = (
                "identification and bounds are for discrete worlds; show the mechanisms, or ask "
                "truth(world, query) for the value."
            )
            raise QueryError(msg)
        self._scm = scm
        self._cache: dict[Any, NDArray[np.float64]] = {}
        self.knowledge = knowledge
        self.names: tuple[str, ...] = scm.visible
        self.labels = {name: scm.variable(name).values or () for name in self.names}
        self.numbers = {name: scm.variable(name).numbers for name in self.names}
        wanted = self.names if knowledge.manipulable is None else knowledge.manipulable
        for name in wanted:
            if name not in self.labels:
                hint = suggest(name, self.names)
                msg = f"manipulable: there is no visible variable '{name}'.{hint}"
                raise AccessError(msg)
        self.manipulable = frozenset(wanted if knowledge.rung > 1 else ())

    @cached_property
    def ground(self) -> Ground:
        """The symbolic part; only where the diagram (or more) is shown.

        Raises:
            AccessError: no diagram is shown.
        """
        if self.knowledge.shown == "none":
            msg = "no diagram is shown, so nothing can be read off one; use shown='diagram'."
            raise AccessError(msg)
        return Ground(
            self._scm.diagram,
            self.labels,
            self.numbers,
            self.manipulable,
            self.knowledge.assumptions,
        )

    @property
    def scm(self) -> SCM:
        """The world itself: for bounds to make witnesses of, never for an estimand to read."""
        return self._scm

    @property
    def diagram(self) -> Diagram:
        """The diagram, where it is shown."""
        return self.ground.diagram

    def counterfactual(self, quantity: Quantity) -> float:
        """Return a counterfactual quantity: from shown mechanisms, or off units run again.

        Raises:
            AccessError: the mechanisms are hidden, and no unit may be run again so.
            ZeroProbabilityError: its condition has probability zero.
        """
        from causalbench.query.ast import Query
        from causalbench.truth.access import unit_access  # which builds on this module
        from causalbench.truth.exact import value

        if unit_access(self, quantity) is None:
            msg = f"the knowledge does not give {render_quantity(quantity)} directly; it is {self}."
            raise AccessError(msg)
        return value(self._scm, Query(((1.0, quantity),)))

    def allows(self, forced: Iterable[str]) -> bool:
        """Tell whether an experiment may set these variables together."""
        return self.manipulable.issuperset(forced)

    def law(self, names: Sequence[str], do: Mapping[str, str] | None = None) -> NDArray[np.float64]:
        """Return P(names | do(...)) as an array, one axis a name, in their order; read-only.

        Args:
            names: visible variables, none of them forced.
            do: variable -> value label.

        Raises:
            AccessError: a hidden variable, or an experiment that the knowledge does not permit.
            TooWideError: a table of more than 2^26 cells.
        """
        forced = dict(do or {})
        if not self.allows(forced):
            closed = sorted(set(forced) - self.manipulable)
            msg = f"the knowledge permits no law under do({', '.join(closed)}); it is {self}."
            raise AccessError(msg)
        for name in names:
            if name not in self.labels:
                raise not_visible(name, self.labels)
        key = (tuple(names), tuple(sorted(forced.items())))
        found = self._cache.get(key)
        if found is None:
            found = law(self._scm, key[0], forced)
            found.flags.writeable = False
            self._cache[key] = found
        return found

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        known = self.knowledge
        parts = [f"regime {known.regime}", f"shown {known.shown}"]
        if known.rung > 1 and len(self.manipulable) < len(self.names):
            parts.append(f"manipulable {', '.join(sorted(self.manipulable)) or 'nothing'}")
        return ", ".join([*parts, *known.assumptions])


_recent: deque[Permitted] = deque(maxlen=_RECENT)


def recently_permitted(scm: SCM, knowledge: Knowledge) -> Permitted:
    """Return a world's permitted laws; those asked for last are kept, with what is worked out."""
    for found in tuple(_recent):
        if found.scm is scm and found.knowledge == knowledge:
            return found
    made = Permitted(scm, knowledge)
    _recent.append(made)
    return made
