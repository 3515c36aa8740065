"""Finding agents, and saying exactly what was found."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from causalbench.agent import registry
from causalbench.agent.protocol import Abstain
from causalbench.agent.registry import AGENTS, AgentSpec, list_agents, make_agent
from causalbench.agent.tabular import QOnline
from causalbench.errors import AgentError, NotFoundError

CONTROLS = ["exact", "random", "constant", "majority", "see-reader", "do-reader", "reachability"]
CONTROLS += ["adjacency", "edge-count", "win-stay-lose-shift"]
LEARNERS = ["q-online", "q-offline", "ucb", "thompson", "causal-thompson", "ppo", "a2c", "trpo"]
LEARNERS += ["dqn", "qr-dqn", "ddpg", "sac"]
MODELS = ["model-diagram", "model-learned", "dowhy", "latent-posterior"]
FIRST_LIGHT = [*CONTROLS, *LEARNERS, *MODELS]

FILE = '''
class Mute:
    """Abstains."""

    name = "mute"
    accepts = frozenset({"estimate"})

    def __init__(self, word: str = "no", times: int = 1) -> None:
        self.config = {"word": word, "times": times}

    def answer(self, question, *, rng):
        from causalbench.agent.protocol import Abstain

        return Abstain(self.config["word"] * self.config["times"])


class Nameless:
    accepts = frozenset({"estimate"})

    def answer(self, question, *, rng):
        return None
'''


class Mute:
    """An agent of this file, with state."""

    name = "mute-here"
    accepts = frozenset({"estimate", "act"})

    def __init__(self, word: str = "no") -> None:
        self.config = {"word": word}
        self.heard: list[str] = []

    def answer(self, question, *, rng):
        """Abstain."""
        del rng
        self.heard.append(question)
        return Abstain(self.config["word"])


@pytest.fixture
def file(tmp_path):
    """Return the path of a file with an agent."""
    path = tmp_path / "my.py"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_names_are_those_of_the_first_light():
    """Registry, descriptions and design name the same agents in the same order."""
    assert (list(AGENTS), list(registry._LINES)) == (FIRST_LIGHT, FIRST_LIGHT)


def test_listing_imports_no_agent():
    """A list of agents loads no adapter and nothing heavy."""
    code = (
        "import sys; from causalbench.agent.registry import list_agents; list_agents();"
        "heavy = {'torch', 'gymnasium', 'pandas', 'dowhy', 'pgmpy', 'causalbench.agent.tabular'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_descriptions_are_one_line():
    """Every agent has one short line about it."""
    assert all(line and "\n" not in line and len(line) < 80 for line in list_agents().values())


def test_a_name_gives_a_spec():
    """A built-in agent comes with its name, options, kinds and cells."""
    made = make_agent("q-online", {"steps": 7})
    assert (made.name, made.config["steps"], made.cells) == ("q-online", 7, {"lab"})
    assert (made.accepts, made.control) == ({"bet", "act", "redo"}, False)


@pytest.mark.parametrize("name", CONTROLS)
def test_controls_are_marked(name):
    """Each control says that it is one."""
    assert make_agent(name).control is True


def test_every_call_of_the_factory_is_fresh():
    """Two agents of one spec share nothing; instances are copied."""
    made, copied = make_agent(QOnline), make_agent(Mute())
    one, two = made.factory(), made.factory()
    heard = copied.factory()
    heard.answer("q", rng=None)
    assert one is not two
    assert one._table is not two._table
    assert copied.factory().heard == []


def test_a_file_gives_its_class(file):
    """file.py:Class is loaded with its options, also in another process."""
    made = make_agent(f"{file}:Mute", {"times": 2})
    again = pickle.loads(pickle.dumps(made))  # noqa: S301  (our own bytes)
    answer = again.factory().answer(None, rng=np.random.default_rng(0))
    assert (made.name, answer) == ("mute", Abstain("nono"))


def test_a_module_gives_its_class():
    """module:Class is found as well."""
    assert make_agent("causalbench.agent.tabular:QOnline").name == "q-online"


def test_a_spec_is_taken_as_it_is():
    """make_agent of a spec is the spec."""
    made = make_agent("exact")
    assert make_agent(made) is made


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("q-onlin", "Did you mean 'q-online'"),
        ("nobody", "causalbench list agents"),
        ("nowhere.py:Agent", "no file at 'nowhere.py'"),
        ("no_such_module:Agent", "no module is called 'no_such_module'"),
        ("causalbench.agent.tabular:QOnlin", "Did you mean 'QOnline'"),
        ("causalbench.agent.tabular:", "names no class"),
    ],
)
def test_names_that_do_not_exist_are_refused_in_one_line(name, message):
    """The message names what is missing and what to do."""
    with pytest.raises(NotFoundError, match=message) as caught:
        make_agent(name)
    assert "\n" not in str(caught.value)


def test_a_broken_file_is_refused_in_one_line(tmp_path):
    """A file that cannot be imported says why."""
    path = tmp_path / "broken.py"
    path.write_text("import no_such_module_at_all\n", encoding="utf-8")
    with pytest.raises(AgentError, match="fails while it is imported: ModuleNotFoundError"):
        make_agent(f"{path}:Agent")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": 5}, "has no option 'step'.*Did you mean 'steps'"),
        ({"steps": "many"}, "is 'many'; give a whole number"),
        ({"steps": 1.5}, "is 1.5; give a whole number"),
        ({"steps": True}, "is True; give a whole number"),
        ({"epsilon": "x"}, "is 'x'; give a number"),
        ({"steps": 0}, "give steps >= 1"),
        ({"epsilon": 2.0}, r"epsilon in \[0, 1\]"),
    ],
)
def test_options_are_held_against_the_constructor(options, message):
    """An unknown option, a wrong type or an impossible value is one clear line."""
    with pytest.raises(AgentError, match=message):
        make_agent("q-online", options)


def test_made_agents_take_no_options():
    """Options make sense for classes and names only."""
    with pytest.raises(AgentError, match="takes no options such as 'word'"):
        make_agent(Mute(), {"word": "x"})


def test_an_option_that_is_needed_is_asked_for():
    """A constructor's argument without a default must be given."""

    class Needy(Mute):
        def __init__(self, what):
            super().__init__(what)

    with pytest.raises(AgentError, match="needs the option 'what'"):
        make_agent(Needy)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"name": ""}, "has no name"),
        ({"accepts": "estimate"}, "accepts is 'estimate'"),
        ({"accepts": frozenset({"dance"})}, "give a set of act, bet"),
        ({"accepts": frozenset()}, "give a set of"),
    ],
)
def test_agents_that_break_the_protocol_are_refused(attributes, message):
    """Name and accepts are looked at before anything runs."""
    kind = type("Odd", (Mute,), attributes)
    with pytest.raises(AgentError, match=message):
        make_agent(kind)


def test_a_class_without_a_name_is_refused(file):
    """The name is asked for in one line."""
    with pytest.raises(AgentError, match="Nameless has no name"):
        make_agent(f"{file}:Nameless")


@pytest.mark.parametrize("thing", [3, None, ["exact"]])
def test_what_is_no_agent_is_refused(thing):
    """Numbers, None and lists are no agents."""
    with pytest.raises(AgentError, match="is no agent"):
        make_agent(thing)


def test_the_digest_follows_source_and_state(file):
    """Same source and options: same digest; another line, or another state: another one."""
    first = make_agent(f"{file}:Mute").source_digest
    assert make_agent(f"{file}:Mute").source_digest == first
    file.write_text(FILE + "\n# another line\n", encoding="utf-8")
    assert make_agent(f"{file}:Mute").source_digest != first
    assert make_agent(Mute("a")).source_digest != make_agent(Mute("b")).source_digest


def test_every_built_in_agent_digests_alike_in_another_process():
    """Reuse of answers rests on it."""
    code = (
        "from causalbench.agent.registry import make_agent;"
        f"print(' '.join(make_agent(name).source_digest for name in {FIRST_LIGHT}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [make_agent(name).source_digest for name in FIRST_LIGHT]


def test_a_spec_says_what_it_is():
    """The public type is importable and made by make_agent."""
    assert isinstance(make_agent("random"), AgentSpec)


def test_a_file_imports_its_neighbours(tmp_path):
    """An agent's file may import another file beside it, as a program's may."""
    (tmp_path / "neighbour_of_agent.py").write_text('NAME = "from-a-neighbour"\n')
    (tmp_path / "agent_file.py").write_text(
        "from neighbour_of_agent import NAME\n\n\n"
        "class Mine:\n"
        "    name = NAME\n"
        '    accepts = frozenset({"estimate"})\n\n'
        "    def answer(self, question, *, rng):\n"
        "        return None\n"
    )
    assert make_agent(f"{tmp_path / 'agent_file.py'}:Mine").name == "from-a-neighbour"
