"""The conformance test finds what breaks the protocol, and passes what keeps it."""

from __future__ import annotations

import itertools
from typing import ClassVar

import pytest

from causalbench.agent.check import check_agent
from causalbench.agent.check_cases import CheckPractice, check_cases
from causalbench.agent.protocol import Choice, Estimate
from causalbench.agent.registry import AGENTS

DEEP = ["a2c", "trpo", "dqn", "qr-dqn", "ddpg", "sac"]
QUICK = [name for name in AGENTS if name not in {"latent-posterior", "ppo", *DEEP}]
COUNTER = itertools.count()


class Good:
    """An agent that keeps every rule."""

    name = "good"
    accepts = frozenset({"estimate", "bet", "act", "redo"})

    def answer(self, question, *, rng):
        """Guess."""
        if question.actions:
            return Choice(question.actions[int(rng.integers(len(question.actions)))])
        return Estimate(rng.random())


class IllegalChoice(Good):
    """Chooses what is not there."""

    def answer(self, question, *, rng):
        """Answer with an action that does not exist."""
        del question, rng
        return Choice("fly")


class NoAnswer(Good):
    """Returns a bare number."""

    def answer(self, question, *, rng):
        """Answer with what is no answer."""
        del question, rng
        return 0.5


class Crashes(Good):
    """Divides by the rows it has."""

    def study(self, dossier, lab, *, rng, clock):
        """Fail where the dossier is empty."""
        del lab, rng, clock
        self.mean = int(dossier.rows.sum()) // len(dossier.rows)


class Greedy(Good):
    """Asks for more than there is."""

    def study(self, dossier, lab, *, rng, clock):
        """Spend without looking."""
        del dossier, rng, clock
        lab.see(10**9)


class Restless(Good):
    """Answers from a global counter."""

    def answer(self, question, *, rng):
        """Answer differently each time."""
        del rng
        if question.actions:
            return Choice(question.actions[0])
        return Estimate(next(COUNTER))


class Remembers(Good):
    """Keeps the last dossier on the class."""

    last: ClassVar[list[str]] = []

    def study(self, dossier, lab, *, rng, clock):
        """Count what any copy has studied, in a way that a second run in order repeats."""
        del lab, rng, clock
        self.before = self.last[-1] if self.last else ""
        self.last.append(dossier.id)

    def answer(self, question, *, rng):
        """Answer by the dossier before."""
        del rng
        if question.actions:
            return Choice(question.actions[0])
        return Estimate(len(self.before))


class Halfway(Good):
    """Trains and cannot save."""

    def train(self, practice, *, rng, clock):
        """Learn nothing."""


class Blank(Good):
    """Saves nothing."""

    def train(self, practice, *, rng, clock):
        """Look at the practice worlds."""
        del rng, clock
        self.seen = len(list(itertools.islice(practice.cases(), 2)))

    def save(self, path):
        """Write nothing."""

    def load(self, path):
        """Read nothing."""


class Configured(Good):
    """Has a config that is no JSON."""

    config: ClassVar[dict[str, object]] = {"sizes": {1, 2}}


class Learner(Blank):
    """Trains, saves and loads."""

    def save(self, path):
        """Write what was learnt."""
        (path / "seen.txt").write_text(str(self.seen), encoding="utf-8")

    def load(self, path):
        """Read it."""
        self.seen = int((path / "seen.txt").read_text(encoding="utf-8"))


class Nowhere(Good):
    """Plays in a cell that does not exist."""

    cells = frozenset({"laboratory"})


@pytest.mark.parametrize("name", QUICK)
def test_built_in_agents_pass(name):
    """What we ship keeps our own rules."""
    assert check_agent(name) == []


@pytest.mark.slow
def test_ppo_passes():
    """PPO too, warnings being errors."""
    assert check_agent("ppo", {"steps": 1024}) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_deep_learners_pass(name):
    """Its siblings too, warnings being errors."""
    assert check_agent(name) == []


@pytest.mark.slow
def test_the_latent_reasoner_passes():
    """It trains on practice worlds, saves, loads and answers."""
    assert check_agent("latent-posterior") == []


@pytest.mark.parametrize("agent", [Good, Good(), Learner, lambda _: 0])
def test_good_agents_pass(agent):
    """A class, an instance, one that trains, and a plain function."""
    assert check_agent(agent) == []


@pytest.mark.parametrize(
    ("agent", "problem"),
    [
        (IllegalChoice, "give Estimate, Interval or Abstain"),
        (NoAnswer, "is 0.5; give"),
        (Crashes, "study on check-empty raises ZeroDivisionError"),
        (Greedy, "lets BudgetExhausted escape"),
        (Restless, "change when the same generators are given again"),
        (Remembers, "change "),
        (Halfway, "train, save and load belong together"),
        (Blank, "save leaves nothing"),
        (Configured, "cannot be written as JSON"),
        (Nowhere, "give a set of mechanisms, diagram, lab"),
        ("nobody", "no agent is called 'nobody'"),
        (3, "is no agent"),
    ],
)
def test_what_breaks_the_protocol_is_found(agent, problem):
    """Each fault is named in one line."""
    found = check_agent(agent)
    assert any(problem in line for line in found)
    assert all("\n" not in line for line in found)


def test_cases_cover_cells_and_kinds():
    """Every cell and every kind of question is tried."""
    cases = check_cases()
    kinds = {item.question.kind for case in cases for item in case.items}
    assert {case.placement.cell for case in cases} == {"lab", "diagram", "mechanisms"}
    assert kinds == {"estimate", "bet", "act", "redo"}


@pytest.mark.parametrize("kind", ["bet", "act", "redo"])
def test_practice_has_environments(kind):
    """The check's own practice offers both sorts of environment."""
    practice = CheckPractice()
    assert (
        practice.env(kind).reset(seed=0)[0].shape == practice.env(kind, 3).reset(seed=0)[0][0].shape
    )
