"""Programs: which slots an action can change, what is seen, and how returns are scaled."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.errors import AccessError, CausalBenchError, CouplingError, WorldError
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program

COIN = {"parents": [], "noise": [0.5, 0.5], "table": [0, 1]}
DATA = {
    "horizon": 4,
    "variables": {
        "sky": {"values": ["clear", "grey"], "hidden": True},
        "glass": {"values": ["high", "low"]},
        "go": {"values": ["no", "yes"]},
        "fun": {"values": ["0", "1", "2"]},
    },
    "first": {
        "sky": COIN,
        "glass": {"parents": ["sky"], "cpt": [[0.9, 0.1], [0.3, 0.7]]},
        "go": {"parents": ["sky"], "cpt": [[0.4, 0.6], [0.8, 0.2]]},
        "fun": {
            "parents": ["go", "sky"],
            "cpt": [[[1, 0, 0], [1, 0, 0]], [[0, 0.5, 0.5], [0.5, 0.5, 0]]],
        },
    },
    "later": {"sky": {"parents": ["sky_before"], "cpt": [[0.8, 0.2], [0.4, 0.6]]}},
}
PLAY = Play(
    "outing",
    ("pass", "go=yes", "go=no"),
    ("fun", "glass"),
    ((1.0, "fun=1"), (2.0, "fun=2"), (-0.5, "go=yes, glass=low")),
)


def _program(**changes: object) -> Program:
    return Program(Process.from_dict(DATA), Play(**{**_fields(), **changes}))  # type: ignore[arg-type]


def _fields() -> dict[str, object]:
    return {name: getattr(PLAY, name) for name in Play.__slots__}


def _slots(program: Program, mask: np.ndarray) -> set[str]:
    return {name for name, chosen in zip(program.names, mask, strict=True) if chosen}


def test_what_no_action_changes_comes_early() -> None:
    """Sky and glass come before the outing; going and fun follow the action."""
    program = _program()
    assert _slots(program, program.early) == {"sky", "glass"}


def test_actions_set_their_codes_alone() -> None:
    """Pass sets nothing; the others set ``go``."""
    program = _program()
    assert program.force[:, program.slot["go"]].tolist() == [-1, 1, 0]


def test_the_rest_is_left_to_nature() -> None:
    """No action touches another slot."""
    program = _program()
    others = np.delete(program.force, program.slot["go"], axis=1)
    assert (others == -1).all()


def test_what_is_seen_stands_where_the_visible_variables_do() -> None:
    """Glass is the first visible variable and fun the third, whatever ``observes`` says first."""
    program = _program()
    names = [program.names[slot] for slot in program.seen]
    assert (names, program.places.tolist()) == (["glass", "fun"], [0, 2])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"goal": ((0.0, "fun=1"),)}, "goal_returns are 0.0 to 0.0"),
        ({"goal": ((1.0, "fun=1"),), "goal_returns": (1.0, 1.0)}, "goal_returns are 1.0 to 1.0"),
        ({"goal": ((1.0, "joy=1"),)}, "unknown variable 'joy'"),
        ({"returns": (0.0, float("inf"))}, "returns are 0.0 to inf"),
        ({"reward": ((float("nan"), "fun=1"),)}, "pays nan"),
        ({"reward": ((float("inf"), "fun=1"),), "returns": (0.0, 1.0)}, "pays inf"),
        ({"mode": "bat"}, "has mode 'bat'"),
        ({"actions": ("go=yes", " go = yes")}, "two actions that set the same"),
        (
            {"actions": ("go=yes, glass=low", "glass=low, go=yes")},
            "two actions that set the same",
        ),
    ],
)
def test_a_play_that_cannot_be_valued_is_refused_at_once(changes: dict, said: str) -> None:
    """Not only when its goal is divided by nothing, or two of its actions turn out to be one."""
    with pytest.raises(CausalBenchError, match=said):
        _program(**changes)


def test_returns_default_to_what_the_weights_allow() -> None:
    """Four steps of at least -.5 and at most 3."""
    assert _program().returns == (-2.0, 12.0)


def test_a_line_computes_its_variable() -> None:
    """table[noise, sum(stride * parent)] is the mechanism's table."""
    program = _program()
    line = program.first[program.slot["fun"]]
    mechanism = program.process.first.mechanism("fun")
    slots = [program.names[slot] for slot in line.parents]
    assert slots == list(mechanism.parents)
    assert np.array_equal(line.table.reshape(mechanism.table.shape), mechanism.table)  # type: ignore[union-attr]


def test_a_carried_parent_has_a_slot_of_its_own() -> None:
    """Slot V + v is v's value one step earlier."""
    program = _program()
    line = program.later[program.slot["sky"]]
    assert line.parents.tolist() == [len(program.names) + program.slot["sky"]]


def test_a_bet_pays_for_the_action_that_names_the_event() -> None:
    """Each action's term is its own, and changes nothing."""
    program = _program(mode="bet", actions=("fun=2", "fun!=2"), reward=())
    assert [term.action for term in program.terms] == [0, 1]
    assert (program.force == -1).all()


def test_a_goal_of_its_own_is_kept_apart() -> None:
    """What is meant may differ from what is paid."""
    program = _program(goal=((1.0, "glass=high"),))
    assert (len(program.terms), len(program.goal_terms)) == (3, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"observes": ("sky",)}, "hidden"),
        ({"actions": ("go=yes", "go=yes")}, "each of them once"),
        ({"reward": ()}, "pays nothing"),
        ({"returns": (1.0, 1.0)}, "low < high"),
        ({"actions": ("pass", "go=perhaps")}, "perhaps"),
        ({"reward": ((1.0, "fog=1"),)}, "fog"),
        ({"ends": "fun=9"}, "9"),
    ],
)
def test_a_play_that_does_not_fit_is_refused(changes: dict[str, object], said: str) -> None:
    """One line names what is wrong."""
    with pytest.raises(CausalBenchError, match=said):
        _program(**changes)


def test_a_regime_that_does_not_exist() -> None:
    """The line lists the four that do."""
    with pytest.raises(AccessError, match="see, do, intent, replay"):
        _program().need("imagine")


def test_running_a_unit_twice_needs_couplings() -> None:
    """A table alone does not say what the same unit would have done."""
    data = {
        **DATA,
        "first": {**DATA["first"], "fun": {**DATA["first"]["fun"], "coupling": "unknown"}},  # type: ignore[index, dict-item]
    }
    program = Program(Process.from_dict(data), PLAY)
    with pytest.raises(CouplingError, match="fun"):
        program.need("replay")


def test_a_play_goes_through_its_dict() -> None:
    """`from_dict` of `to_dict` is an equal play."""
    assert Play.from_dict(PLAY.to_dict()) == PLAY


def test_too_many_values_for_a_byte() -> None:
    """Codes and one more for "unseen" have to fit a byte."""
    many = {"values": [str(i) for i in range(255)]}
    data = {
        "horizon": 1,
        "variables": {"x": many, "y": {"values": ["0", "1"]}},
        "first": {"x": {"parents": [], "noise": [1.0], "table": [0]}, "y": COIN},
    }
    with pytest.raises(WorldError, match="over 254 values"):
        Program(Process.from_dict(data), Play("p", ("y=0", "y=1"), (), ((1.0, "y=1"),)))
