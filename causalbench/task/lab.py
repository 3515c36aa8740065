"""Give an agent metered access to one world: watch, intervene, run a unit again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn, overload

import numpy as np

from causalbench.errors import (
    AccessError,
    BudgetExhausted,
    CouplingError,
    UnknownNameError,
    suggest,
)
from causalbench.query import parse_action
from causalbench.rng import child, words
from causalbench.scm.tables import uncoupled_text
from causalbench.task.observation import ObservationSpace, recode
from causalbench.truth.knowledge import REGIMES, Budget, Knowledge

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from causalbench.env import WorldEnv, WorldVectorEnv
    from causalbench.scm import SCM, Variable
    from causalbench.task.types import Dossier

__all__ = ["Lab", "Meter", "natural_column"]

Settings = Mapping[str, str | float]
_FIX = "answer with what you have"


def natural_column(name: str, taken: Collection[str] = ()) -> str:
    """Return the column that tells what a variable would have been by itself: ``x (natural)``.

    Args:
        name: the variable that is set.
        taken: the names of all variables; where one of them is called that, a number is added.
    """
    column, number = f"{name} (natural)", 1
    while column in taken:
        number += 1
        column = f"{name} (natural {number})"
    return column


class Meter:
    """Count what is spent of a budget, and refuse what would exceed it.

    Args:
        budget: what there is to spend.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._spent = {"rows": 0, "interventions": 0, "replays": 0}
        self.env_steps = 0

    def left(self, kind: str) -> int:
        """Return the units left of ``rows``, ``interventions`` or ``replays``."""
        return int(getattr(self.budget, kind)) - self._spent[kind]

    def charge(self, kind: str, n: int, *, steps: bool = False) -> None:
        """Spend ``n`` units of a kind; nothing is spent where that is too many.

        Raises:
            BudgetExhausted: more than is left.
        """
        left = self.left(kind)
        if n > left:
            total = getattr(self.budget, kind)
            fix = f"ask for at most {left}" if left else _FIX
            msg = f"{n} {kind} asked for, {left} of {total} left; {fix}."
            raise BudgetExhausted(msg)
        self._spent[kind] += n
        self.env_steps += n * steps

    @property
    def spent(self) -> Budget:
        """What was spent."""
        return Budget(**self._spent)


class Lab:
    """Watch, intervene on or run again the units of one world, within regime and budget.

    Every call draws fresh units, and outside regime ``replay`` nothing links one call to another.
    Hidden variables are never shown. A lab cannot be copied or pickled: a fork would meet the same
    units twice, which is access of rung 3.

    Args:
        scm: the secret world.
        dossier: whose regime and budget hold.
        rng: where the units come from; one child of it is taken.

    Raises:
        CouplingError: regime ``replay`` in a world without couplings.
    """

    def __init__(self, scm: SCM, dossier: Dossier, rng: np.random.Generator) -> None:
        if scm.uncoupled and dossier.knowledge.regime == "replay":
            raise CouplingError(f"{uncoupled_text(scm.uncoupled, 'what a unit run again does')}.")
        self._scm = scm
        self._variables = dossier.variables
        self._decisions = dossier.decisions
        self._space = ObservationSpace(dossier)
        self._rng, self._tags = child(rng), child(rng)
        self._meter = Meter(dossier.budget)
        self._units: dict[int, dict[str, Any]] = {}
        self._knowledge = dossier.knowledge

    @property
    def knowledge(self) -> Knowledge:
        """The regime, and what is shown; it cannot be set."""
        return self._knowledge

    @property
    def left(self) -> Budget:
        """What may still be asked for."""
        kinds = ("rows", "interventions", "replays")
        return Budget(**{kind: self._meter.left(kind) for kind in kinds})

    @property
    def spent(self) -> Budget:
        """What was asked for so far, environments included."""
        return self._meter.spent

    @property
    def env_steps(self) -> int:
        """The episodes that this lab's environments have shown."""
        return self._meter.env_steps

    def price(self, settings: Settings | None = None) -> Budget:
        """Return what one unit under these settings costs: a row, or an intervention."""
        return Budget(interventions=1) if self._checked(settings or {}) else Budget(rows=1)

    def see(self, n: int = 1) -> pd.DataFrame:
        """Watch ``n`` fresh units.

        Args:
            n: at least 0; costs ``n`` rows.

        Returns:
            A row a unit, a column a visible variable (labels; floats where it is real). The index
            ``unit`` names units in regime ``replay`` and says nothing elsewhere.

        Raises:
            BudgetExhausted: ``n`` is more than is left; nothing was spent.
        """
        return self._frame(*self._draw({}, n))

    def do(self, settings: Settings, n: int = 1) -> pd.DataFrame:
        """Watch ``n`` fresh units on which variables are forced.

        Args:
            settings: visible variable -> value label. Without any this is `see`.
            n: at least 0; costs ``n`` interventions.

        Returns:
            As `see`. In regime ``intent`` a column follows for each variable that is set, named by
            `natural_column`: the value that the unit was about to take by itself.

        Raises:
            AccessError: the regime is ``see``, or a variable is not among those that may be set.
            BudgetExhausted: ``n`` is more than is left; nothing was spent.
            CouplingError: regime ``intent`` in a world without couplings; nothing was spent.
            UnknownNameError: a variable or value that is not in the dossier.
        """
        if self._knowledge.regime != "intent" or not settings:
            return self._frame(*self._draw(settings, n))
        codes, natural = self.intend_codes(settings, n)
        frame, intended = self._frame(codes, None), self._frame(natural, None)
        names = [variable.name for variable in self._variables]
        for name in settings:
            frame[natural_column(name, names)] = intended[name]
        return frame

    def see_codes(self, n: int) -> NDArray[Any]:
        """Do as `see`, and return value codes, [n, variables] in the dossier's order."""
        return self._draw({}, n)[0]

    def do_codes(self, settings: Settings, n: int) -> NDArray[Any]:
        """Do as `do`, and return value codes, [n, variables] in the dossier's order."""
        return self._draw(settings, n)[0]

    def intend_codes(self, settings: Settings, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Do as `do_codes` in regime ``intent``, and return natural values too.

        Returns:
            Two arrays [n, variables] in the dossier's order: what follows; and what each variable
            that is set was about to be, -1 (real: NaN) for those that are not set.

        Raises:
            AccessError: the regime is not ``intent``.
            CouplingError: the world has no couplings.
        """
        if self._knowledge.regime != "intent":
            mine = self._knowledge.regime
            msg = f"natural values are shown in regime 'intent' alone, this lab has '{mine}'."
            raise AccessError(msg)
        if self._scm.uncoupled:
            raise CouplingError(f"{uncoupled_text(self._scm.uncoupled, 'what a unit intended')}.")
        forced = self._pay(settings, n)
        noise = self._scm.draw_noise(int(n), rng=self._rng)
        natural = self._visible(self._scm.solve(noise), int(n))
        for place, variable in enumerate(self._variables):
            if variable.name not in forced:
                natural[:, place] = np.nan if variable.is_real else -1
        return self._visible(self._scm.solve(noise, do=forced or None), int(n)), natural

    def replay(self, unit_ids: Iterable[int], settings: Settings | None = None) -> pd.DataFrame:
        """Run units that this lab has shown again, under other settings.

        Args:
            unit_ids: from the index of a frame of this lab, in any order; each costs a replay.
            settings: visible variable -> value label; none is the natural course.

        Returns:
            As `see`, with the same ids.

        Raises:
            AccessError: the regime is not ``replay``, an id is not this lab's, or a variable is not
                among those that may be set.
            BudgetExhausted: more units than replays are left; nothing was spent.
        """
        self._require("replay", "replay")
        forced = self._checked(settings or {})
        ids = [int(unit) for unit in unit_ids]
        strange = [unit for unit in ids if unit not in self._units]
        if strange:
            msg = f"unit {strange[0]} was not drawn by this lab; take ids from a frame's index."
            raise AccessError(msg)
        self._meter.charge("replays", len(ids))
        noise = {
            name: np.array([self._units[unit][name] for unit in ids], dtype=column)
            for name, column in self._noise_types().items()
        }
        solved = self._scm.solve(noise, do=forced or None)
        return self._frame(self._visible(solved, len(ids)), np.array(ids, dtype=np.int64))

    @overload
    def env(
        self, decision_id: str, num_envs: Literal[1] = 1, regime: str | None = None
    ) -> WorldEnv: ...

    @overload
    def env(
        self, decision_id: str, num_envs: int, regime: str | None = None
    ) -> WorldEnv | WorldVectorEnv: ...

    def env(
        self, decision_id: str, num_envs: int = 1, regime: str | None = None
    ) -> WorldEnv | WorldVectorEnv:
        """Return an environment in which to practise a decision on fresh units.

        An episode is paid for as it is shown. Regime ``see`` costs rows, ``do`` and ``intent``
        interventions, ``replay`` replays. The caller's seed changes nothing.

        Args:
            decision_id: one of the dossier's decisions.
            num_envs: 1 gives a `gymnasium.Env`, more a `gymnasium.vector.VectorEnv`.
            regime: by default what the decision needs: ``see`` to bet, ``do`` to act (``intent``
                where its own natural choice is seen first), ``replay`` to redo. To redo under
                ``do`` is to act on fresh units with the observation unseen.

        Raises:
            AccessError: the lab's regime is below the environment's, or the decision offers to set
                a variable that may not be set here.
            NotFoundError: no such decision.
        """
        from causalbench.env import WorldEnv, WorldVectorEnv, default_regime

        decision = self._decisions[self._space.goal(decision_id)]
        wanted = regime or default_regime(decision)
        if wanted not in REGIMES:
            msg = f"regime '{wanted}' does not exist; choose one of {', '.join(REGIMES)}."
            raise AccessError(msg)
        self._require(wanted, f"an environment to {decision.mode} under '{wanted}'")
        if decision.mode != "bet":
            for label in decision.actions:
                self._check_settable([name for name, _ in parse_action(label)])
        kind: type[WorldEnv | WorldVectorEnv] = WorldEnv if num_envs == 1 else WorldVectorEnv
        extra = {} if num_envs == 1 else {"num_envs": num_envs}
        return kind(
            self._scm,
            decision,
            self._space,
            regime=wanted,
            rng=child(self._rng),
            meter=self._meter,
            **extra,
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a lab cannot be copied or pickled, because a fork would replay units; share the lab."
        raise AccessError(msg)

    def _require(self, regime: str, what: str) -> None:
        """Refuse what needs a higher regime than the lab's."""
        mine = self._knowledge.regime
        if REGIMES.index(mine) < REGIMES.index(regime):
            msg = f"{what} needs regime '{regime}', this lab has '{mine}'; stay within '{mine}'."
            raise AccessError(msg)

    def _checked(self, settings: Settings) -> dict[str, int | float]:
        """Return settings as the world's codes, refusing names that are not visible."""
        forced: dict[str, int | float] = {}
        for name, value in settings.items():
            variable = self._variables[self._space.position(name)]
            forced[name] = self._code(variable, value)
        self._check_settable(forced)
        return forced

    def _check_settable(self, names: Iterable[str]) -> None:
        """Refuse to set what the knowledge keeps out of experiments' reach."""
        settable = self._knowledge.manipulable
        for name in names:
            if settable is not None and name not in settable:
                may = f"set only {', '.join(settable)}" if settable else "only watch"
                msg = f"'{name}' may not be set in this lab; {may}."
                raise AccessError(msg)

    def _code(self, variable: Variable, value: str | float) -> int | float:
        if variable.is_real:
            try:
                return float(value)
            except ValueError:
                msg = f"'{variable.name}' is real, '{value}' is not a number; give a number."
                raise UnknownNameError(msg) from None
        if value not in variable.labels:
            near = suggest(str(value), variable.labels)
            msg = f"'{value}' is not a value of '{variable.name}'; take one of its values.{near}"
            raise UnknownNameError(msg)
        return self._scm.variable(variable.name).code(value)

    def _draw(self, settings: Settings, n: int) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
        """Charge, draw and solve ``n`` fresh units; their ids in regime replay."""
        forced = self._pay(settings, n)
        if self._knowledge.regime != "replay":
            return self._visible(self._scm.draw(int(n), rng=self._rng, do=forced), int(n)), None
        noise = self._scm.draw_noise(int(n), rng=self._rng)
        ids = (words(self._tags, int(n)) >> np.uint64(1)).astype(np.int64)
        names = list(noise)
        columns = zip(*(noise[name] for name in names), strict=True)
        for unit, row in zip(ids.tolist(), columns, strict=True):
            self._units[unit] = dict(zip(names, row, strict=True))
        return self._visible(self._scm.solve(noise, do=forced or None), int(n)), ids

    def _pay(self, settings: Settings, n: int) -> dict[str, int | float]:
        """Charge ``n`` units under some settings, and return these as the world's codes."""
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
            msg = f"{n!r} units asked for; ask for a whole number of units, 0 or more."
            raise AccessError(msg)
        forced = self._checked(settings)
        if forced:
            self._require("do", "do")
        self._meter.charge("interventions" if forced else "rows", int(n))
        return forced

    def _noise_types(self) -> dict[str, Any]:
        return {
            name: array.dtype for name, array in self._scm.draw_noise(0, rng=self._tags).items()
        }

    def _visible(self, solved: Mapping[str, Any], n: int) -> NDArray[Any]:
        """Return the visible values of ``n`` units, [n, variables], as the dossier's codes."""
        columns = [recode(self._scm, v, solved[v.name]) for v in self._variables]
        # Where every variable is forced, the solution has no axis for the units.
        return np.stack([np.broadcast_to(column, (n,)) for column in columns], axis=-1)

    def _frame(self, codes: NDArray[Any], ids: NDArray[np.int64] | None) -> pd.DataFrame:
        import pandas as pd

        index = pd.RangeIndex(len(codes), name="unit")
        columns = {
            v.name: codes[:, place]
            if v.is_real
            else pd.Categorical.from_codes(codes[:, place].astype(np.int64), pd.Index(v.labels))
            for place, v in enumerate(self._variables)
        }
        return pd.DataFrame(columns, index=index if ids is None else pd.Index(ids, name="unit"))
