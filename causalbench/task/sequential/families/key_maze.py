"""key-maze: fetch the key from the last room and carry it back; nothing else is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.rng import integers
from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import SOURCE, between, draw_until, near, phrase
from causalbench.task.sequential.families.small import Chain
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.process import Process

__all__ = ["FAMILY", "Maze"]

NAME = "key-maze"
TITLE = "Fetch the key through a row of rooms, and carry it back to the door"
STORY = (
    "A row of rooms leads away from a locked door; the key lies in the last one. Every room has"
    " three ways out. One of them leads on towards the key, or homeward once the key is found; the"
    " other two lead back the way one came. Now and then a floor is slippery, and one gets nowhere."
    " Opening the door pays; nothing else does."
)
WAYS = ("north", "east", "west")
COLOURS = ("red", "green", "blue")
ALIKE = 3  # rooms from which on some of one colour differ in the way onward
FOUND, CLEAR = 0.75, 0.5
"""How often the best course opens the door at least, and how much oftener than strolling."""


@dataclass(frozen=True, slots=True)
class Maze:
    """Which way is right in each room.

    Args:
        onward: the way towards the key, of each room from 0, the one at the door.
        homeward: the way back to the door.
        colour: of the walls.
        slip: the chance to get nowhere.
        sense: how often the wanderer of the log knows the way; else it takes any.
    """

    onward: tuple[int, ...]
    homeward: tuple[int, ...]
    colour: tuple[int, ...]
    slip: float
    sense: float

    @property
    def last(self) -> int:
        """The room of the key."""
        return len(self.onward) - 1

    def right(self, room: int, key: int) -> int:
        """Return the right way out."""
        return self.homeward[room] if key else self.onward[room]

    def step(self, room: int, key: int, way: int) -> int:
        """Return the room that a way leads to, where the floor is not slippery."""
        towards = 1 if (way == self.right(room, key)) != bool(key) else -1
        return min(max(room + towards, 0), self.last)

    def stroll(self, room: int, key: int) -> tuple[float, ...]:
        """Return how often the wanderer takes each way."""
        odds = [(1 - self.sense) / len(WAYS)] * len(WAYS)
        odds[self.right(room, key)] += self.sense
        return tuple(odds)


def _chain(maze: Maze, horizon: int) -> Chain:
    """Return the decisions of one who knows the room; state 2 * room + key, the last: opened."""
    size = 2 * (maze.last + 1) + 1
    moves, pays = np.zeros((len(WAYS), size, size)), np.zeros((len(WAYS), size))
    moves[:, -1, -1] = 1.0
    for way, room, key in np.ndindex(len(WAYS), maze.last + 1, 2):
        for to, p in ((maze.step(room, key, way), 1 - maze.slip), (room, maze.slip)):
            opened = key and to == 0
            held = key or to == maze.last
            moves[way, 2 * room + key, -1 if opened else 2 * to + held] += p
            pays[way, 2 * room + key] += p * opened
    return Chain(moves, pays, horizon)


def _holds(maze: Maze, knobs: Mapping[str, Any]) -> bool:
    """Tell whether who knows the way gets there, who strolls does not, and colours mislead."""
    chain = _chain(maze, _horizon(knobs))
    found = chain.worth(chain.plan())
    strolled = chain.worth(np.full(len(WAYS), 1 / len(WAYS)))
    pairs = {(maze.colour[i], maze.onward[i]) for i in range(maze.last)}
    alike = len(pairs) > len({colour for colour, _ in pairs})
    return found >= FOUND and found - strolled >= CLEAR and (alike or maze.last < ALIKE)


def _horizon(knobs: Mapping[str, Any]) -> int:
    return int(2 * knobs["length"] + knobs["spare"])


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    rooms = knobs["length"] + 1

    def draw(rng: np.random.Generator) -> Maze:
        onward, homeward = integers(rng, len(WAYS), (2, rooms)).tolist()
        # Next doors differ, so whoever remembers can tell a slip from a step, and where one is.
        turns = 1 + integers(rng, len(COLOURS) - 1, rooms)
        return Maze(
            onward=tuple(onward),
            homeward=tuple(homeward),
            colour=tuple((turns.cumsum() % len(COLOURS)).tolist()),
            slip=near(knobs["slip"]),
            sense=between(rng, 0.25, 0.55),
        )

    return _make(draw_until(rng, draw, lambda drawn: _holds(drawn, knobs), NAME), knobs)


def _make(maze: Maze, knobs: Mapping[str, Any]) -> SequentialWorld:
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=SOURCE.format(NAME),
        story=STORY,
        play=Play(
            id="go",
            actions=tuple(f"go={way}" for way in WAYS),
            observes=("room", "colour", "key") if knobs["sight"] else ("colour", "key"),
            reward=((1.0, "door=open"),),
            ends="door=open",
            returns=(0.0, 1.0),
        ),
        phases=(Phase(BASE, _process(maze, knobs)),),
        phrases=_phrases(maze.last + 1),
        family=NAME,
        knobs=dict(knobs),
    )


def _process(maze: Maze, knobs: Mapping[str, Any]) -> Process:
    made = Slices(_horizon(knobs)).add("go", WAYS)
    made.add("room", [str(i) for i in range(maze.last + 1)], hidden=not knobs["sight"])
    made.add("colour", COLOURS).add("key", "no yes").add("door", "shut open")
    slippery = (1 - maze.slip, maze.slip)

    def move(slips: int, room: int, key: int, way: int) -> int:
        return room if slips else maze.step(room, key, way)

    made.chance("go", "", lambda: maze.stroll(0, 0), when="first")
    made.chance("go", "room_before key_before", maze.stroll, when="later")
    made.rule("room", "go", lambda slips, way: move(slips, 0, 0, way), noise=slippery, when="first")
    made.rule("room", "room_before key_before go", move, noise=slippery, when="later")
    made.rule("colour", "room", lambda _, room: maze.colour[room])
    made.rule("key", "room", lambda _, room: room == maze.last, when="first")
    made.rule("key", "key_before room", lambda _, had, room: had or room == maze.last, when="later")
    made.rule("door", "room key", lambda _, room, key: key and room == 0)
    return made.process()


def _phrases(rooms: int) -> dict[str, Phrase]:
    return {
        "go": Phrase(
            "the way taken",
            {way: f"the way {way} is taken" for way in WAYS},
            {way: f"you go {way}" for way in WAYS},
        ),
        "room": phrase("the room", **{str(i): f"one is in room {i}" for i in range(rooms)}),
        "colour": phrase("the walls", **{value: f"the walls are {value}" for value in COLOURS}),
        "key": phrase("the key", no="the key is still missing", yes="one has the key"),
        "door": phrase("the door", shut="the door is shut", open="the door is open"),
    }


FAMILY = WorldFamily(
    name=NAME,
    env="KeyMaze",
    title=TITLE,
    about=(
        "A sparse reward: it takes the right way in every room, there and back, before anything is"
        " paid at all, and every wrong one undoes a right one. How often strolling gets there falls"
        " steeply with the number of rooms; to learn to fetch the key first and to carry it home"
        " next is a shorter task twice."
    ),
    knobs={
        "length": Knob(2, 14, "rooms between the door and the key"),
        "spare": Knob(0, 20, "steps more than the shortest course takes"),
        "slip": Knob(0.0, 0.25, "a step leads nowhere as often", whole=False),
        "sight": Knob(0, 1, "whether the room is seen, not the colour of its walls alone"),
    },
    levels={
        "easy": {"length": 2, "spare": 2, "slip": 0.0625, "sight": 1},
        "medium": {"length": 4, "spare": 4, "slip": 0.125, "sight": 1},
        "hard": {"length": 5, "spare": 5, "slip": 0.125, "sight": 0},
    },
    build=_build,
    shifted={"length": 7, "spare": 7, "slip": 0.125, "sight": 0},
)
