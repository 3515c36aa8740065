"""Whether a log is confounded is read off the diagram, and said on the card."""

from __future__ import annotations

import pytest
import yaml
from log_programs import confounded

from causalbench.run.log_card import log_card
from causalbench.run.log_confounding import action_causes
from causalbench.run.log_confounding import confounded as is_confounded
from causalbench.run.log_source import LogSource
from causalbench.run.make_log import make_log
from causalbench.scm.play import Play
from causalbench.scm.program import Program
from causalbench.task.sequential.catalogue import load_sequence
from causalbench.task.sequential.slices import Slices


def program(*edges, observes=("see",), horizon=2, hidden=("u", "w")):
    """Return a process over u, w, see, act, end (and their earlier values) with some arrows."""
    made = Slices(horizon)
    names = ("u", "w", "see", "act", "end")
    parents = {name: " ".join(a for a, b in edges if b == name) for name in names}
    for name in names:
        made.add(name, "0 1", hidden=name in hidden)
    for name in names:
        for when in ("first", "later"):
            known = [p for p in parents[name].split() if when == "later" or "_before" not in p]
            made.chance(name, " ".join(known), _mean, when=when)
    play = Play("p", ("pass", "act=1"), observes, ((1.0, "end=1"),))
    return Program(made.process(), play)


def _mean(*codes):
    return (1 + sum(codes)) / (2 + len(codes))


CAUSES = [
    # A hidden cause of both; the same, one step earlier; and through what is not observed.
    ([("u", "act"), ("u", "end"), ("act", "end")], {}, True, ["u"]),
    ([("u", "act"), ("w", "end"), ("u_before", "w"), ("u_before", "u")], {}, True, ["u"]),
    ([("u", "see"), ("see", "act"), ("u", "end")], {"observes": ()}, True, ["u"]),
    # No cause of both; one that is seen; a hidden one of each alone.
    ([("act", "end")], {}, False, []),
    ([("see", "act"), ("see", "end"), ("act", "end")], {}, False, []),
    ([("u", "see"), ("see", "act"), ("u", "end")], {}, False, []),
    ([("u", "act"), ("w", "end"), ("act", "end")], {}, False, []),
    # What is seen is an effect of two hidden causes, one of each: seeing it connects them.
    ([("u", "act"), ("u", "see"), ("w", "see"), ("w", "end")], {}, True, []),
]


@pytest.mark.parametrize(("edges", "options", "whether", "names"), CAUSES)
def test_what_confounds_a_log(edges, options, whether, names):
    """The back-door criterion, given all that was seen and set before."""
    assert is_confounded(program(*edges, **options)) == (whether, names)


def test_what_the_action_reads():
    """Direct causes of the action variables, earlier values among them."""
    made = program(("u", "act"), ("see_before", "act"), ("w", "end"))
    assert action_causes(made) == ["u", "see_before"]


@pytest.mark.parametrize(
    ("name", "whether", "by"),
    [
        ("umbrella-days", True, ["season"]),
        ("casino-rounds", True, ["blinks", "drunk"]),
        ("key-maze", False, []),
    ],
)
def test_worlds_that_are_shipped(name, whether, by):
    """Seasons, blinking machines and gamblers' drinking confound; a maze in full view does not."""
    assert is_confounded(load_sequence(name).program()) == (whether, by)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("natural", "**The log is confounded.** `taste` moves both what was done and what is paid"),
        ("random", "The log is not confounded: what was done was set"),
    ],
)
def test_a_card_says_it(tmp_path, policy, said):
    """And who acted, what is hidden, seed, version, licence, digest and values."""
    pytest.importorskip("pyarrow")
    source = LogSource("bed-time", 3, "Sweets and sleep", "a test", confounded(), "night")
    about = make_log(source, tmp_path, steps=300, policy=policy, seed=11)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert said in card
    head = yaml.safe_load(card.split("---")[1])
    assert head["license"] == "apache-2.0"
    assert head["configs"][0]["data_files"][0]["path"] == "data/log.parquet"
    for text in ("`taste`", "`bed-time` version 3", "| seed | 11 |", source.digest):
        assert text in card
    values = about["values"]
    assert {name: value["exact"] for name, value in values.items()} == dict.fromkeys(values, True)
    assert f"(rung 2) | {values['do']['value']:.6g} |" in card
    assert values["do"]["value"] >= values["see"]["value"]
    if policy == "random":
        assert "Each of the 3 actions was set with probability 1/3" in card


def test_the_value_on_the_card_is_that_of_the_log(tmp_path):
    """The behaviour policy's value is the mean return of a long log, within chance."""
    pytest.importorskip("pyarrow")
    from causalbench.env.record import record

    program = confounded()
    source = LogSource("bed-time", 1, "Sweets", "a test", program, "night")
    about = make_log(source, tmp_path, steps=30)
    log = record(program, 60_000, seed=2)
    spread = 5 * 0.5 / log.episodes**0.5  # of a mean of returns in [0, 1]
    assert abs(about["values"]["behaviour"]["value"] - log.reward.sum(axis=1).mean()) < spread


def test_a_value_that_is_not_exact_is_an_interval():
    """Its two ends are shown."""
    value = {"value": 0.5, "low": 0.25, "high": 0.75, "exact": False}
    about = {
        **dict.fromkeys(("world", "title", "digest", "origin", "play", "phase", "regime"), "x"),
        **{key: [] for key in ("hidden", "unobserved", "behaviour_reads", "confounders")},
        "policy": "random",
        "seed": 0,
        "version": 1,
        "causalbench": "0",
        "horizon": 1,
        "steps": 1,
        "episodes": 1,
        "rewards": True,
        "format": "parquet",
        "confounded": False,
        "values": {"do": value},
        "environment": None,
    }
    assert "| 0.25 to 0.75 |" in log_card(about, confounded())
