"""Learn a world by experiment: ask the lab directly where it can be asked, model the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.discover import effects, learn, misfit, without
from causalbench.agent.records import NATURAL, Batch, Records, Setting
from causalbench.errors import AgentError, CausalBenchError
from causalbench.task.answer import Abstain, Answer, Choice, Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from causalbench.agent.protocol import Clock
    from causalbench.query import Quantity, Query
    from causalbench.scm import SCM
    from causalbench.task.lab import Lab
    from causalbench.task.types import Decision, Dossier, Question

__all__ = ["ModelLearned"]

_SUSPECT = 4.5  # standard errors; a hundred honest comparisons stay below it 999 times in 1,000
_DOUBT = 0.1  # what is left of the learned world's weight when the records speak against it
_RUNG = {"see": 1, "do": 2, "intent": 2, "replay": 3}


class ModelLearned:
    """Plan experiments over the whole budget, then count, with a learned world as the prior.

    Watching, every experiment on one variable, and every action of the decisions that may be asked
    are run while studying. A question whose worlds were all run is counted; the learned world adds
    `prior` units' worth of its own answer, a tenth where the records speak against it. A
    question above the regime's rung is not identified, and the agent says so.

    Args:
        prior: how many units the learned world's answer counts for.
        scout: share of the interventions and replays that goes to all variables alike; the rest
            goes to actions that may be asked, else to variables that were seen to matter.
    """

    name = "model-learned"
    accepts = frozenset({"estimate", "bet", "act", "redo"})
    cells = frozenset({"lab"})

    def __init__(self, *, prior: float = 20.0, scout: float = 0.4) -> None:
        if prior < 0 or not 0 < scout <= 1:
            msg = f"prior {prior} or scout {scout} is out of range; use >= 0 and a share above 0."
            raise AgentError(msg)
        self.config: dict[str, Any] = {"prior": prior, "scout": scout}
        self._records: Records | None = None
        self._model: SCM | None = None
        self._weight = 0.0
        self._suspect = False
        self._untried = False
        self._found: Mapping[str, set[str]] = {}
        self._rung = 0
        self._why = "no dossier was studied"

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Spend the budget: watch, intervene, replay; then learn a world."""
        del rng, clock
        self._records, self._model, self._found = None, None, {}
        self._untried = False
        self._rung = _RUNG[dossier.knowledge.regime]
        if any(variable.is_real for variable in dossier.variables):
            self._why = "it learns discrete worlds, and some variables are real"
            return
        records = Records(dossier.variables)
        self._records = records
        if len(dossier.rows):
            records.add(np.asarray(dossier.rows, dtype=np.int64))
        seen = lab.see(lab.left.rows)
        if self._rung == 1:
            records.add(_codes(seen))
            return
        single = [((v.name, label),) for v in dossier.variables for label in v.labels]
        offered = _actions(dossier.decisions, "act")
        settable = dossier.knowledge.manipulable
        if settable is not None:
            single = [setting for setting in single if setting[0][0] in settable]
        acts = [one for one in offered if settable is None or {n for n, _ in one} <= {*settable}]
        self._untried = len(acts) < len(offered)
        share = float(self.config["scout"])
        self._run(lab, single, int(lab.left.interventions * share))
        self._run(lab, acts or self._matter(single), lab.left.interventions)
        if self._rung == 3:  # noqa: PLR2004
            self._replay(lab, dossier, seen, single, share)
        else:
            records.add(_codes(seen))
        self._found = effects(records)
        self._model = learn(records, self._found)
        self._weight = float(self.config["prior"])
        self._suspect = misfit(records, self._model) > _SUSPECT
        if self._suspect:
            self._weight *= _DOUBT

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Answer by counting, shrunk towards the learned world."""
        from causalbench.query import Choice as Menu
        from causalbench.query import normalise, parse

        del rng
        if self._records is None:
            return Abstain(self._why)
        query = parse(question.query)
        if query.rung > self._rung:
            reason = f"a question of rung {query.rung}, and nothing above rung {self._rung} was run"
            return Abstain(reason, unidentified=True)
        if question.kind == "act" and self._untried:
            return Abstain("an action on offer may not be tried", unidentified=True)
        try:
            if isinstance(query, Menu):
                values = [round(self._value(normalise(q)), 9) for q in query.objectives]
                return Choice(question.actions[int(np.argmax(values))])
            return Estimate(self._value(normalise(query)))
        except CausalBenchError as error:
            return Abstain(str(error))

    def _run(self, lab: Lab, settings: Sequence[Setting], budget: int) -> None:
        """Spend interventions evenly over settings; a natural course among them is watched."""
        assert self._records is not None  # noqa: S101  (study put it there)
        forced = [setting for setting in settings if setting]
        for setting in forced:
            frame = lab.do(dict(setting), budget // len(forced))
            self._records.add(_codes(frame), setting)

    def _matter(self, single: Sequence[Setting]) -> list[Setting]:
        """Return the settings of variables that were seen to affect others (all, if none was)."""
        assert self._records is not None  # noqa: S101
        found = effects(self._records)
        kept = [setting for setting in single if found[setting[0][0]]]
        return kept or list(single)

    def _replay(
        self,
        lab: Lab,
        dossier: Dossier,
        seen: pd.DataFrame,
        single: Sequence[Setting],
        share: float,
    ) -> None:
        """Run units again: those that a redo states, under its actions; then all alike."""
        assert self._records is not None  # noqa: S101
        redo = [decision for decision in dossier.decisions if decision.mode == "redo"]
        for place, decision in enumerate(redo):
            factual = _setting(decision.factual)
            frame = seen
            if factual:
                n = lab.left.interventions // (len(redo) - place)
                frame = lab.do(dict(factual), n)
            stated = decision.given or ()
            for name, label in stated:
                frame = frame[frame[name] == label]
            settings = [_setting(label) for label in decision.actions]
            budget = int(lab.left.replays * (1 - share) / (len(redo) - place))
            batch = Batch({factual: _codes(frame)})
            batch.chosen = frozenset((factual, name, label) for name, label in stated)
            self._again(lab, frame, batch, settings, budget)
        scouts = int(lab.left.replays * share)
        n = self._again(lab, seen, Batch({NATURAL: _codes(seen)}), single, scouts)
        rest = seen[n:]
        batch = Batch({NATURAL: _codes(rest)})
        n = self._again(lab, rest, batch, self._matter(single), lab.left.replays)
        self._records.add(_codes(rest[n:]))

    def _again(
        self,
        lab: Lab,
        frame: pd.DataFrame,
        batch: Batch,
        settings: Sequence[Setting],
        budget: int,
    ) -> int:
        """Replay a batch's first units under each setting, as many as the budget pays for.

        A unit that was as the setting would have it is not paid for: nothing would change.

        Returns:
            How many units were replayed; the rest are left out of the records.
        """
        assert self._records is not None  # noqa: S101
        (base, codes), *_ = batch.worlds.items()
        if not len(codes) or not settings:
            return 0
        same = {setting: self._unchanged(codes, base, setting) for setting in settings}
        price = np.sum([~mask for mask in same.values()], axis=0).cumsum()
        n = int(np.searchsorted(price, budget, side="right"))
        for setting in settings:
            rows = codes[:n].copy()
            due = np.flatnonzero(~same[setting][:n])
            rows[due] = _codes(lab.replay(frame.index[due], dict(setting)))
            batch.worlds[setting] = codes[:n] if setting == base else rows
        batch.worlds[base] = codes[:n]
        if n:
            self._records.batches.append(batch)
        return n

    def _unchanged(self, codes: np.ndarray, base: Setting, setting: Setting) -> np.ndarray:
        """Say which units would not change: those that have what the setting forces."""
        assert self._records is not None  # noqa: S101
        if base not in (NATURAL, setting):
            return np.zeros(len(codes), dtype=bool)
        mask = np.ones(len(codes), dtype=bool)
        for name, label in setting:
            column = self._records.column(name)
            mask &= codes[:, column] == self._records.variables[column].code(label)
        return mask

    def _value(self, query: Query) -> float:
        return query.constant + sum(w * self._quantity(quantity) for w, quantity in query.terms)

    def _quantity(self, quantity: Quantity) -> float:
        """Count, and add the learned world's answer for a few units."""
        from causalbench.query import Query
        from causalbench.truth import value

        assert self._records is not None  # noqa: S101
        total, units = self._records.tally(quantity)
        if not units:
            total, units = self._records.tally(without(quantity, self._found))
        if not units and (self._model is None or self._suspect):
            msg = "no unit seen meets the condition in the worlds run, and no model stands in."
            raise AgentError(msg)
        weight = 0.0
        if self._model is not None:
            weight = self._weight if units else 1.0
            total += weight * value(self._model, Query(((1.0, quantity),)))
        return total / (units + weight)


def _codes(frame: pd.DataFrame) -> np.ndarray:
    """Return a lab's frame as value codes [n, variables]."""
    columns = [frame[name].cat.codes.to_numpy(dtype=np.int64) for name in frame.columns]
    return np.stack(columns, axis=1)


def _actions(decisions: Sequence[Decision], mode: str) -> list[Setting]:
    """Return the settings of all actions of a mode's decisions, without repeats."""
    labels = [label for d in decisions if d.mode == mode for label in d.actions]
    return list(dict.fromkeys(_setting(label) for label in labels))


def _setting(label: str) -> Setting:
    """Return an action's label as a setting; pass is the natural course."""
    from causalbench.query import parse_action

    return tuple(sorted((name, str(value)) for name, value in parse_action(label)))
