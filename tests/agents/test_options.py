"""Options from the command line."""

from __future__ import annotations

import pytest

from causalbench.agent.options import options_for, parse_options
from causalbench.errors import AgentError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k=5", 5),
        ("k=-5", -5),
        ("k=.5", 0.5),
        ("k=1e-3", 0.001),
        ("k=true", True),
        ("k=False", False),
        ("k=abc", "abc"),
        ("k=a=b", "a=b"),
        ("k=", ""),
        (" k = 5 ", 5),
    ],
)
def test_values_are_read_as_what_they_look_like(text, value):
    """Whole numbers, numbers, truth values, else text."""
    found = parse_options([text])[""]["k"]
    assert (found, type(found)) == (value, type(value))


def test_options_may_name_an_agent():
    """The last dot before '=' parts agent and option, so file names may hold dots."""
    parsed = parse_options(["steps=1", "q-online.steps=2", "my.py:Mine.rate=0.5"])
    assert parsed == {
        "": {"steps": 1},
        "q-online": {"steps": 2},
        "my.py:Mine": {"rate": 0.5},
    }


def test_an_agents_own_option_wins():
    """Options for all come first, then those of the agent."""
    parsed = parse_options(["steps=1", "q-online.steps=2", "ppo.entropy=0"])
    assert options_for(parsed, "q-online") == {"steps": 2}
    assert options_for(parsed, "ppo") == {"steps": 1, "entropy": 0}


@pytest.mark.parametrize("text", ["steps", "=5", "5=steps", "a b=1", "ppo.=1"])
def test_what_is_no_option_is_refused(text):
    """One line says how to write an option."""
    with pytest.raises(AgentError, match="is not name=value"):
        parse_options([text])
