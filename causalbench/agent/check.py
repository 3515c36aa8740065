"""Check that an agent keeps the protocol, as an outsider would before a run."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.agent.check_cases import CheckPractice, check_cases
from causalbench.agent.protocol import Answer, Clock
from causalbench.agent.registry import AgentSpec, make_agent
from causalbench.errors import BudgetExhausted, CausalBenchError
from causalbench.rng import generator
from causalbench.score.losses import status_of
from causalbench.task.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.types import Case

__all__ = ["check_agent"]

_TRAIN_SECONDS = 5.0
Said = dict[str, dict[str, Any] | None]


def check_agent(spec: Any, options: Mapping[str, Any] | None = None) -> list[str]:
    """Try an agent on small cases of every cell, and say what breaks the protocol.

    It looks at the attributes, at training with its checkpoint (where there is ``train``), at
    whether answers are legal, whether the same generators give the same answers, whether one
    dossier's answers depend on what was studied before, and at exceptions, the budget's among them.

    Args:
        spec: whatever `make_agent` takes.
        options: constructor arguments.

    Returns:
        One line a problem; empty where there is none.
    """
    try:
        made = make_agent(spec, options)
    except CausalBenchError as error:
        return [str(error)]
    problems = _attributes(made)
    with tempfile.TemporaryDirectory() as folder:
        trained, checkpoint = _trained(made, Path(folder))
        problems += trained
        if not trained:
            problems += _played(_Trial(made, checkpoint))
    return problems


@dataclass(frozen=True)
class _Trial:
    """An agent and what it learnt across worlds."""

    made: AgentSpec
    checkpoint: Path | None

    def fresh(self) -> Any:
        """Return a fresh agent, checkpoint loaded."""
        agent = self.made.factory()
        if self.checkpoint is not None:
            agent.load(self.checkpoint)
        return agent

    def plays(self, case: Case) -> bool:
        """Say whether the agent uses the case's cell."""
        return self.made.cells is None or case.placement.cell in self.made.cells

    def answers(self, case: Case, problems: list[str]) -> Said:
        """Let a fresh agent study the case and answer what it accepts; note what goes wrong."""
        agent, where = self.fresh(), f"on {case.dossier.id}"
        lab = Lab(case.scm, case.dossier, generator(1, case.dossier.id))
        control = self.made.control
        if not control and callable(getattr(agent, "study", None)):
            rng = generator(2, case.dossier.id)
            try:
                agent.study(case.dossier, lab, rng=rng, clock=Clock())
            except BudgetExhausted:
                problems.append(f"study {where} lets BudgetExhausted escape; catch it and stop.")
                return {}
            except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
                problems.append(f"study {where} raises {_named(error)}.")
                return {}
        said: Said = {}
        for item in case.items:
            question = item.question
            if question.kind not in self.made.accepts:
                continue
            rng = generator(3, question.id)
            try:
                if control:
                    answer = agent.consult(case.dossier, item, rng=rng)
                else:
                    answer = agent.answer(question, rng=rng)
            except (Exception, SystemExit) as error:  # noqa: BLE001  (as above)
                problems.append(f"answer to '{question.query}' {where} raises {_named(error)}.")
                continue
            if not isinstance(answer, Answer) or status_of(answer, question) == "invalid":
                problems.append(_illegal(answer, question, where))
                continue
            said[question.id] = answer.to_dict()
        return said


def _attributes(made: AgentSpec) -> list[str]:
    """Check the config and the optional methods; `make_agent` has looked at the rest."""
    problems, agent = [], made.factory()
    try:
        json.dumps(dict(made.config), allow_nan=False)
    except (TypeError, ValueError) as error:
        problems.append(
            f"config cannot be written as JSON ({error}); keep numbers and texts in it."
        )
    methods = [name for name in ("train", "save", "load") if callable(getattr(agent, name, None))]
    if methods and len(methods) < 3:  # noqa: PLR2004
        have = ", ".join(methods)
        problems.append(f"it has {have} only; train, save and load belong together.")
    cells = made.cells
    if cells is not None and not cells <= {"mechanisms", "diagram", "lab"}:
        problems.append(f"cells is {sorted(cells)}; give a set of mechanisms, diagram, lab.")
    return problems


def _trained(made: AgentSpec, folder: Path) -> tuple[list[str], Path | None]:
    """Train and save once, where the agent can; its checkpoint must load into a fresh copy."""
    agent = made.factory()
    if made.control or not callable(getattr(agent, "train", None)):
        return [], None
    step = "train"
    try:
        agent.train(_practice(), rng=generator(0, "train"), clock=Clock(_TRAIN_SECONDS))
        step = "save"
        agent.save(folder)
        if not any(folder.iterdir()):
            return ["save leaves nothing in its folder; write the checkpoint there."], None
        step = "load"
        made.factory().load(folder)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
        return [f"{step} raises {_named(error)}."], None
    return [], folder


def _practice() -> Any:
    """Return a real suite's practice, else the check's own."""
    try:
        from causalbench.task.suite import load_suite

        return load_suite("ladder-mini").practice(0)
    except (ImportError, CausalBenchError):
        return CheckPractice()


def _played(trial: _Trial) -> list[str]:
    """Play all cases three times: twice in order, once the other way round."""
    cases = [case for case in check_cases() if trial.plays(case)]
    problems: list[str] = []
    first = {case.dossier.id: trial.answers(case, problems) for case in cases}
    if problems:
        return problems
    if not any(first.values()):
        kinds = ", ".join(sorted(trial.made.accepts))
        return [f"no case has a question for it: it accepts {kinds}; check accepts and cells."]
    second = {case.dossier.id: trial.answers(case, problems) for case in cases}
    problems += _changed(first, second, "when the same generators are given again")
    if not problems:
        turned = {c.dossier.id: trial.answers(c, problems) for c in reversed(cases)}
        problems += _changed(first, turned, "with the order of the dossiers")
    return problems


def _changed(first: Mapping[str, Said], second: Mapping[str, Said], when: str) -> list[str]:
    moved: Sequence[str] = [name for name in first if first[name] != second.get(name)]
    if not moved:
        return []
    return [f"answers on {moved[0]} change {when}; draw from rng alone and keep state in self."]


def _illegal(answer: object, question: Any, where: str) -> str:
    if question.kind == "estimate":
        legal = "Estimate, Interval or Abstain"
    else:
        legal = f"Choice of one of {'; '.join(question.actions)}, or Abstain"
    return f"answer to '{question.query}' {where} is {answer!r}; give {legal}."


def _named(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
