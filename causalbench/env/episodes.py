"""Draw one-step episodes of a decision: what is seen, and what each action would pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from causalbench.errors import (
    AccessError,
    CouplingError,
    UnknownNameError,
    WorldError,
    ZeroProbabilityError,
)
from causalbench.query import COMPARE, Atom, parse_action, parse_event
from causalbench.scm.tables import uncoupled_text
from causalbench.task.observation import recode

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.task.observation import ObservationSpace
    from causalbench.task.types import Decision

__all__ = ["COSTS", "Episodes", "Feed", "Purse", "action_index", "default_regime"]

COSTS: Mapping[str, str] = {
    "see": "rows",
    "do": "interventions",
    "intent": "interventions",
    "replay": "replays",
}
_BLOCK = 4096  # units drawn at once: enough to hide NumPy's overhead, little enough to stay small
_TRIES = 1 << 24  # units drawn without one that fits the stated evidence before giving up
Columns = Mapping[str, NDArray[Any]]


def default_regime(decision: Decision) -> str:
    """Return the least regime under which a decision can be practised as it is asked.

    ``see`` to bet, ``do`` to act, ``intent`` to act after seeing one's own natural choice, and
    ``replay`` to redo.
    """
    if decision.mode == "act":
        forced = {name for label in decision.actions for name, _ in parse_action(label, None)}
        return "intent" if forced & set(decision.observes) else "do"
    return {"bet": "see", "redo": "replay"}[decision.mode]


def _coupled(scm: SCM, decision: Decision, regime: str) -> SCM:
    """Return the world with couplings, where no coupling can be told from another.

    Betting and acting, one course of each unit is shown, so any coupling gives the same law.
    """
    if not scm.uncoupled:
        return scm
    if regime in {"intent", "replay"} and decision.mode != "bet":
        told = uncoupled_text(scm.uncoupled, f"what decision '{decision.id}' pays")
        raise CouplingError(f"{told}.")
    return scm.coupled("monotone")


class Episodes:
    """Draw units and play every action on each of them.

    Betting, the actions pay what the unit's natural course decides. Acting, the observation is of
    the unit's natural course and the action is played on that unit; what is seen is unaffected by
    the action, so this is `do`. Redoing, the observation is of the factual course, and
    the action is played on the same unit. A stated observation (``decision.given``) is met exactly,
    by drawing until it holds.

    Args:
        scm: the world.
        decision: what is decided.
        space: the encoder of observations.
        regime: at least what the decision needs, or ``do`` for a redo played on fresh units, with
            everything unseen; None for `default_regime`.

    Raises:
        AccessError: a regime under which the decision cannot be played.
        CouplingError: one that plays a unit twice, in a world without couplings.
        WorldError: an act that sees what its own action changes.
    """

    def __init__(
        self, scm: SCM, decision: Decision, space: ObservationSpace, regime: str | None = None
    ) -> None:
        self.decision, self.space = decision, space
        self.regime = regime or default_regime(decision)
        self.scm = _coupled(scm, decision, self.regime)
        self._actions = [
            parse_action(a, scm.vocabulary) for a in decision.actions if _acts(decision)
        ]
        self._blind = decision.mode == "redo" and self.regime == "do"
        self._check()
        self._factual = self._codes(parse_action(decision.factual, scm.vocabulary))
        self._given = {} if self._blind else dict(decision.given or ())
        self._shown = (
            () if self._blind else tuple(dict.fromkeys((*decision.observes, *self._given)))
        )
        self._utility = [(w, parse_event(e, scm.vocabulary)) for w, e in decision.utility]
        self._bets = [
            parse_event(e, scm.vocabulary) for e in decision.actions if not _acts(decision)
        ]

    @property
    def cost(self) -> str:
        """What an episode costs: ``rows``, ``interventions`` or ``replays``."""
        return COSTS["see" if self.decision.mode == "bet" else self.regime]

    def draw(
        self, n: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Draw ``n`` episodes.

        Args:
            n: how many, at least 1.
            rng: where the units come from.

        Returns:
            Observations int64[n, V + 2] and rewards float64[n, actions], scaled to [0, 1].

        Raises:
            ZeroProbabilityError: the stated observation never held.
        """
        noise, course = self._units(n, rng)
        seen = np.full((n, len(self.space.variables)), -1, dtype=np.int64)
        for name in self._shown:
            place = self.space.position(name)
            seen[:, place] = recode(self.scm, self.space.variables[place], course[name])
        observations = self.space.encode_codes(seen, self.decision.mode, self.decision.id)
        if self._bets:
            columns = [self._pay(course, event) for event in self._bets]
        else:
            columns = [
                self._utilities(self.scm.solve(noise, do=self._codes(action) or None))
                for action in self._actions
            ]
        # Where an action forces every variable, its column has no axis for the units.
        return observations, np.stack([np.broadcast_to(c, (n,)) for c in columns], axis=-1)

    def _units(self, n: int, rng: np.random.Generator) -> tuple[Columns, Columns]:
        """Draw units on whose first course the stated observation holds, and that course."""
        first = self._factual if self.decision.mode == "redo" else {}
        given = {name: self.scm.variable(name).code(label) for name, label in self._given.items()}
        if not given:
            noise = self.scm.draw_noise(n, rng=rng)
            return noise, self.scm.solve(noise, do=first or None)
        kept: list[Columns] = []
        found = tried = 0
        size = n
        while found < n:
            noise = self.scm.draw_noise(size, rng=rng)
            course = self.scm.solve(noise, do=first or None)
            fits = np.all([course[name] == code for name, code in given.items()], axis=0)
            kept.append({name: column[fits] for name, column in noise.items()})
            found, tried = found + int(fits.sum()), tried + size
            if not found and tried >= _TRIES:
                msg = f"decision '{self.decision.id}' states {self._given}, which never happened in"
                msg += f" {tried} units; state an observation of positive probability."
                raise ZeroProbabilityError(msg)
            size = min(1 << 17, max(64, int(1.2 * (n - found) * tried / max(found, 1))))
        noise = {name: np.concatenate([part[name] for part in kept])[:n] for name in kept[0]}
        return noise, self.scm.solve(noise, do=first or None)

    def _utilities(self, course: Columns) -> NDArray[np.float64]:
        total = sum(weight * self._pay(course, event) for weight, event in self._utility)
        low, high = self.decision.bounds
        return np.asarray((total - low) / (high - low), dtype=np.float64)

    def _pay(self, course: Columns, event: tuple[Atom, ...]) -> NDArray[np.float64]:
        """Return 1 where an event holds, else 0."""
        holds = [self._holds(course, atom) for atom in event]
        return np.asarray(np.all(holds, axis=0), dtype=np.float64)

    def _holds(self, course: Columns, atom: Atom) -> NDArray[np.bool_]:
        variable = self.scm.variable(atom.term.variable)
        column = course[atom.term.variable]
        value = float(atom.value) if variable.is_real else variable.code(str(atom.value))
        return np.asarray(COMPARE[atom.op](column, value))

    def _codes(self, action: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        """Return an action's settings as the world's codes."""
        codes = {}
        for name, value in action:
            variable = self.scm.variable(name)
            codes[name] = float(value) if variable.is_real else variable.code(str(value))
        return codes

    def _check(self) -> None:
        mode, regime = self.decision.mode, self.regime
        allowed = {
            "bet": ("see", "do", "intent", "replay"),
            "act": ("do", "intent", "replay"),
            "redo": ("do", "replay"),
        }[mode]
        if regime not in allowed:
            msg = f"decision '{self.decision.id}' ({mode}) cannot be played under regime"
            msg += f" '{regime}'; use one of {', '.join(allowed)}."
            raise AccessError(msg)
        if mode != "bet" and not self.decision.utility:
            msg = f"decision '{self.decision.id}' has no utility; give (weight, event) pairs."
            raise WorldError(msg)
        if mode == "act":
            self._check_act()

    def _check_act(self) -> None:
        """Refuse an act that sees a consequence of its action, or its own choice under `do`."""
        forced = {name for action in self._actions for name, _ in action}
        seen = {*self.decision.observes, *dict(self.decision.given or ())}
        if forced & seen and self.regime == "do":
            msg = f"decision '{self.decision.id}' sees its own natural choice, which regime 'do'"
            msg += " does not show; use regime 'intent'."
            raise AccessError(msg)
        changed = set(forced)
        for name in self.scm.order:
            if changed & set(self.scm.parents(name)):
                changed.add(name)
        late = sorted((changed - forced) & seen)
        if late:
            msg = f"decision '{self.decision.id}' acts but sees '{late[0]}', which its action"
            msg += " changes; make it a redo."
            raise WorldError(msg)


class Purse(Protocol):
    """What an environment needs of a meter (`causalbench.task.lab.Meter` is one)."""

    def left(self, kind: str) -> int:
        """Return the units left of a kind."""
        ...

    def charge(self, kind: str, n: int, *, steps: bool = False) -> None:
        """Spend units of a kind."""
        ...


class Feed:
    """Hand out episodes from blocks drawn ahead (nobody can look ahead: blocks stay inside).

    Args:
        episodes: what to draw.
        rng: where the units come from.
    """

    def __init__(self, episodes: Episodes, rng: np.random.Generator) -> None:
        self._episodes, self._rng = episodes, rng
        self._size, self._at = 64, 0
        shape = len(episodes.space), len(episodes.decision.actions)
        self._seen = np.empty((0, shape[0]), dtype=np.int64)
        self._pay = np.empty((0, shape[1]), dtype=np.float64)

    def take(self, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the next ``n`` observations and their rewards, [n, V + 2] and [n, actions]."""
        if self._at + n > len(self._seen):
            # The rest of a block is dropped: fresh units all the same, and no copying.
            self._seen, self._pay = self._episodes.draw(max(n, self._size), self._rng)
            self._size, self._at = min(_BLOCK, 4 * self._size), 0
        part = slice(self._at, self._at + n)
        self._at += n
        return self._seen[part].copy(), self._pay[part]


def _acts(decision: Decision) -> bool:
    return decision.mode != "bet"


def action_index(action: object, count: int) -> int:
    """Return an action as an index, refusing what is none.

    Raises:
        UnknownNameError: not a whole number in 0..count-1.
    """
    try:
        index: int = int(action)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        index = -1
    if not 0 <= index < count or index != action:
        msg = f"action {action!r} does not exist; give an index from 0 to {count - 1}."
        raise UnknownNameError(msg)
    return index
