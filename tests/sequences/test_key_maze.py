"""key-maze: the door pays, and the way to it is long."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from causalbench.errors import WorldError
from causalbench.task.sequential import load_family
from causalbench.task.sequential.families import key_maze
from causalbench.task.sequential.families.key_maze import Maze
from causalbench.truth.policy import references, uniform

FAMILY = load_family("key-maze")
MAZE = Maze((0, 2, 1, 1), (2, 0, 1, 2), (0, 1, 0, 2), slip=0.125, sense=0.5)
STROLL = np.full(3, 1 / 3)


def test_the_way_there_and_back() -> None:
    """The right ways lead to the key and home; a wrong one leads back the way one came."""
    room, key = 0, 0
    for way in (0, 2, 1):
        room = MAZE.step(room, key, way)
    assert room == MAZE.last
    key = 1
    assert MAZE.step(3, 0, MAZE.onward[3]) == 3
    assert [MAZE.step(3, key, way) for way in range(3)] == [3, 3, 2]
    assert [MAZE.step(1, 0, way) for way in range(3)] == [0, 0, 2]
    assert [MAZE.step(1, key, way) for way in range(3)] == [0, 2, 2]


def test_family_and_solver_agree() -> None:
    """The family's chain gives what trees of histories over the made world give."""
    knobs = FAMILY.settings("medium", length=3, spare=3)
    program = key_maze._make(MAZE, knobs).program()
    chain = key_maze._chain(MAZE, program.horizon)
    best = references(program, ["do"])["do"].value.value
    assert best == pytest.approx(chain.worth(chain.plan()), abs=1e-12)
    assert uniform(program).value == pytest.approx(chain.worth(STROLL), abs=1e-12)


def test_strolling_fails_steeply_with_length() -> None:
    """Each room more makes the door at least four times rarer for one who strolls."""
    chances = []
    for length in range(2, 9):
        maze = Maze((0,) * (length + 1), (1,) * (length + 1), (2,) * (length + 1), 0.125, 0.5)
        chances.append(key_maze._chain(maze, 3 * length).worth(STROLL))
    assert all(less < more / 4 for more, less in pairwise(chances))


@pytest.mark.parametrize("level", ["easy", "medium"])
def test_drawn_mazes_have_the_gap(level: str) -> None:
    """Who knows the way mostly opens the door, and who takes any way rarely does."""
    program = FAMILY.world(1, level).program()
    best = references(program, ["do"])["do"].value.value
    assert best >= key_maze.FOUND
    assert best - uniform(program).value >= key_maze.CLEAR


def test_seeing_colours_alone_is_harder() -> None:
    """Where walls look alike and floors slip, the colour is worth less than the room."""
    maze = Maze((0, 2, 1, 1), (2, 0, 1, 2), (0, 0, 0, 2), slip=0.25, sense=0.5)
    knobs = FAMILY.settings("medium", length=3, spare=4)
    known, seen = (
        references(key_maze._make(maze, knobs | {"sight": sight}).program(), ["do"])["do"].value
        for sight in (1, 0)
    )
    assert seen.value < known.value - 0.05


@pytest.mark.parametrize("level", ["hard", "shifted"])
def test_memory_makes_up_for_the_room(level: str) -> None:
    """In drawn mazes whoever remembers colours does as well as one who sees the room."""
    knobs = dict(FAMILY.shifted) if level == "shifted" else FAMILY.settings(level)
    seen, known = (
        references(FAMILY.world(2, **(knobs | {"sight": sight})).program(), ["do"])["do"].value
        for sight in (0, 1)
    )
    assert seen.exact
    assert seen.value == pytest.approx(known.value, abs=1e-12)


def test_some_rooms_look_alike() -> None:
    """Next rooms differ in colour, and some rooms of one colour have different ways onward."""
    for index in range(5):
        scm = FAMILY.world(index, length=5, spare=5).process.later
        colour = scm.cpt("colour").argmax(axis=1)
        assert (colour[1:] != colour[:-1]).all()
        onward = scm.cpt("go")[:-1, 0].argmax(axis=1)
        pairs = set(zip(colour[:-1].tolist(), onward.tolist(), strict=True))
        assert len(pairs) > len(set(colour[:-1].tolist()))


def test_the_door_ends_the_episode() -> None:
    """Nothing is paid but for the door, after which nothing happens."""
    play = FAMILY.world(0).play
    assert play.reward == ((1.0, "door=open"),)
    assert play.ends == "door=open"
    program = FAMILY.world(0, "easy").program()
    value = references(program, ["do"])["do"].value
    assert value.length < program.horizon


def test_too_slippery_a_maze_is_refused() -> None:
    """Where even the best course mostly fails the family says so."""
    with pytest.raises(WorldError, match="key-maze"):
        FAMILY.world(0, length=10, spare=0, slip=0.25)
