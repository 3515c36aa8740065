"""Finding learners, and refusing what is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from causalbench.agent.learn.protocol import RUNG3
from causalbench.agent.learn.registry import LEARNERS, list_learners, make_learner
from causalbench.errors import AgentError, NotFoundError

FILE = '''
class Still:
    """Learns nothing."""

    name = "still"
    regimes = frozenset({"do"})
    rung3 = {"do": "abstain"}

    def __init__(self, size: int = 1) -> None:
        self.config = {"size": size}

    def start(self, field, *, rng): ...
    def enter(self, field): ...
    def train(self, until): ...
    def policy(self): ...
    def save(self, path): ...
    def load(self, path): ...


class Odd(Still):
    regimes = frozenset({"imagine"})


class Dumb:
    name = "dumb"
'''


@pytest.fixture
def file(tmp_path):
    """Return the path of a file with a learner, and two classes that are none."""
    path = tmp_path / "mine.py"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_every_learner_has_a_line():
    """Places and descriptions name the same learners, in the same order."""
    assert list(list_learners()) == list(LEARNERS)
    assert all(line and len(line) < 80 for line in list_learners().values())


def test_listing_imports_no_learner():
    """A list of learners loads nothing heavy."""
    code = (
        "import sys; from causalbench.agent.learn.registry import list_learners; list_learners();"
        "heavy = {'torch', 'stable_baselines3', 'pandas', 'causalbench.agent.learn.tabular'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", LEARNERS)
def test_each_name_gives_its_learner(name):
    """It knows its name, its regimes, and which kind of rung-3 answer it gives in each."""
    made = make_learner(name)
    assert made.name == name
    assert set(made.rung3) == made.regimes
    assert set(made.rung3.values()) <= set(RUNG3)
    honest = {"do": "rung-2", "intent": "intent", "replay": "replay"}
    assert all(
        made.rung3[regime] == kind for regime, kind in honest.items() if regime in made.rung3
    )


def test_a_file_gives_its_class(file):
    """file.py:Class is loaded with its options."""
    assert make_learner(f"{file}:Still", {"size": 3}).config == {"size": 3}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("q-lerning", "Did you mean 'q-learning'"),
        ("nobody", "file.py:Class works too"),
        ("nowhere.py:Learner", "no file at"),
    ],
)
def test_unknown_names_are_refused_in_one_line(name, message):
    """The message names what is missing and what to do."""
    with pytest.raises(NotFoundError, match=message) as caught:
        make_learner(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("attribute", "options", "message"),
    [
        ("Still", {"siz": 2}, "Did you mean 'size'"),
        ("Still", {"size": "big"}, "give a whole number"),
        ("Dumb", {}, r"has no method start\(\)"),
        ("Odd", {}, "give a set of see, do"),
    ],
)
def test_what_is_no_learner_is_refused(file, attribute, options, message):
    """A wrong option, a missing method and an unknown regime are told."""
    with pytest.raises(AgentError, match=message):
        make_learner(f"{file}:{attribute}", options)
