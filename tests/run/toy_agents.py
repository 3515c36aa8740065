"""Agents that do one thing each; named in tests as ``toy_agents.py:Class``."""

# ruff: noqa: ARG002  (agents take what the protocol gives)

from __future__ import annotations

import os
import time
from pathlib import Path

from causalbench.task.answer import Abstain, Choice, Estimate

BOTH = frozenset({"estimate", "act"})


class Half:
    """Answers .5, or the first action."""

    name = "half"
    accepts = BOTH

    def answer(self, question, *, rng):
        """Answer alike, whatever the world."""
        return Estimate(0.5) if question.kind == "estimate" else Choice(question.actions[0])


class Tries:
    """Intervenes within its budget and answers what it saw, a little jittered."""

    name = "tries"
    accepts = BOTH

    def study(self, dossier, lab, *, rng, clock):
        """Spend every intervention."""
        frame = lab.do({"x": "1"}, lab.left.interventions)
        self.mean = float((frame["y"].astype(str) == "1").mean())

    def answer(self, question, *, rng):
        """Answer the share seen."""
        if question.kind == "estimate":
            return Estimate(self.mean + 1e-6 * rng.random())
        return Choice("x=1" if self.mean > 0.5 else "pass")


class Acts(Half):
    """Plays decisions only."""

    name = "acts"
    accepts = frozenset({"act"})


class Reads(Half):
    """Plays another cell only."""

    name = "reads"
    cells = frozenset({"mechanisms"})


class Raises(Half):
    """Fails on decisions."""

    name = "raises"

    def answer(self, question, *, rng):
        """Raise on a decision."""
        if question.kind == "act":
            msg = "no idea how to act"
            raise KeyError(msg)
        return Estimate(0.5)


class FailsToStudy(Half):
    """Fails before any question."""

    name = "fails-to-study"

    def study(self, dossier, lab, *, rng, clock):
        """Spend more than there is."""
        lab.do({"x": "1"}, lab.left.interventions + 1)


class Exits(Half):
    """Leaves the process, or tries to."""

    name = "exits"

    def answer(self, question, *, rng):
        """Call exit."""
        raise SystemExit(3)


class Slow(Half):
    """Takes longer than it may."""

    name = "slow"

    def answer(self, question, *, rng):
        """Sleep first."""
        time.sleep(0.03)
        return super().answer(question, rng=rng)


class Says(Half):
    """Says what it is told to say."""

    name = "says"

    def __init__(self, what: str = "text"):
        self.what = what

    def answer(self, question, *, rng):
        """Say it."""
        return {
            "text": "0.5",
            "none": None,
            "abstain": Abstain("too hard"),
            "unseen": Abstain("unseen"),
            "wrong": Choice("x=7"),
        }[self.what]


class Counts(Half):
    """Would tell if two dossiers shared an agent."""

    name = "counts"

    def __init__(self):
        self.dossiers = 0

    def study(self, dossier, lab, *, rng, clock):
        """Count."""
        self.dossiers += 1

    def answer(self, question, *, rng):
        """Answer the count."""
        return Estimate(self.dossiers) if question.kind == "estimate" else Choice("pass")


class Trained(Half):
    """Learns a number across worlds, which shows how often and with which seed it was trained."""

    name = "trained"
    fail = False

    def train(self, practice, *, rng, clock):
        """Draw a number."""
        if self.fail:
            msg = "no gradient"
            raise ValueError(msg)
        assert [one.dossier.cell for one in practice.cases()] == ["lab"]
        self.number = float(rng.random())

    def save(self, path):
        """Write it."""
        (Path(path) / "number.txt").write_text(repr(self.number), encoding="utf-8")

    def load(self, path):
        """Read it."""
        self.number = float((Path(path) / "number.txt").read_text(encoding="utf-8"))

    def answer(self, question, *, rng):
        """Answer it."""
        return Estimate(self.number) if question.kind == "estimate" else Choice("pass")


class Untrainable(Trained):
    """Fails to learn."""

    name = "untrainable"
    fail = True


class Forgetful(Half):
    """Learns and can't keep it."""

    name = "forgetful"

    def train(self, practice, *, rng, clock):
        """Learn nothing."""


class Kills(Tries):
    """Ends its process without a word at the n-th question, once, while a file says so."""

    name = "kills"

    def __init__(self, flag: str = ""):
        self.flag = flag

    def answer(self, question, *, rng):
        """Count down in the file; at zero die as by kill -9."""
        flag = Path(self.flag)
        if flag.exists():
            left = int(flag.read_text(encoding="utf-8"))
            flag.write_text(str(left - 1), encoding="utf-8")
            if left <= 0:
                flag.unlink()
                os.kill(os.getpid(), 9)
        return super().answer(question, rng=rng)


class Interrupts(Tries):
    """Presses Ctrl-C at the n-th question, once."""

    name = "interrupts"

    def __init__(self, flag: str = ""):
        self.flag = flag

    def answer(self, question, *, rng):
        """Raise KeyboardInterrupt at the third call, while the file is there."""
        flag = Path(self.flag)
        if flag.exists():
            left = int(flag.read_text(encoding="utf-8"))
            flag.write_text(str(left - 1), encoding="utf-8")
            if left <= 0:
                flag.unlink()
                raise KeyboardInterrupt
        return super().answer(question, rng=rng)


class Scribbles(Tries):
    """Writes into its dossier."""

    name = "scribbles"

    def study(self, dossier, lab, *, rng, clock):
        """Spoil the rows, having read them."""
        self.mean = float(dossier.rows.mean())
        dossier.rows[:] = 1
