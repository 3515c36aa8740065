"""Writing sequential worlds in Python and as files, and families' settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from causalbench.errors import NotFoundError, WorldError
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.task.sequential import (
    Knob,
    Phase,
    SequentialWorld,
    WorldFamily,
    load_family,
    load_sequence,
)
from causalbench.task.sequential.slices import Slices


def _walk(horizon: int = 3, slip: float = 0.25) -> Process:
    """Steps along three places; a step slips now and then."""
    return (
        Slices(horizon)
        .add("place", "a b c")
        .add("step", "stay go")
        .chance("step", "", lambda: 0.5)
        .rule("place", "", lambda _: 0, when="first")
        .rule(
            "place",
            "place_before step_before",
            lambda slipped, place, step: min(2, place + (step if not slipped else 0)),
            noise=(1 - slip, slip),
            when="later",
        )
        .process()
    )


PLAY = Play("walk", ("step=stay", "step=go"), ("place",), ((1.0, "place=c"),))


def _world(*phases: Phase) -> SequentialWorld:
    return SequentialWorld(
        id="walk",
        version=1,
        title="A walk",
        source="made for this test",
        story="Three places in a row.",
        play=PLAY,
        phases=phases or (Phase("base", _walk()),),
    )


def test_slices_make_the_process_that_the_dict_makes() -> None:
    """Two ways to write one process down."""
    process = _walk()
    assert Process.from_dict(process.to_dict()) == process


def test_a_rule_is_tabulated_over_noise_and_parents() -> None:
    """table[noise, place before, step before]."""
    mechanism = _walk().later.mechanism("place")
    assert mechanism.table[:, 0, 1].tolist() == [1, 0]  # type: ignore[union-attr]


def test_a_chance_may_be_one_number() -> None:
    """The probability of the second of two values."""
    assert np.allclose(_walk().first.cpt("step"), [0.5, 0.5])


def test_a_world_goes_through_its_file(tmp_path: Path) -> None:
    """What is written is read back."""
    world = _world()
    file = tmp_path / "walk.yaml"
    file.write_text(yaml.safe_dump(world.to_dict()), encoding="utf-8")
    assert load_sequence(file) == world


def test_phases_go_through_the_file() -> None:
    """A phase keeps the mechanisms in which it differs, at the first step and later."""
    world = _world(Phase("dry", _walk()), Phase("icy", _walk(slip=0.75)), Phase("long", _walk(5)))
    again = SequentialWorld.from_dict(world.to_dict())
    assert [phase.process for phase in again.phases] == [phase.process for phase in world.phases]


def test_a_phase_may_turn_a_later_mechanism_back_to_the_first() -> None:
    """Base forgets the place; the other phase stays where it began."""
    stays = _walk().first.mechanism("place")
    same = _walk().replace(None, {"place": stays})
    world = _world(Phase("moves", _walk()), Phase("stays", same))
    again = SequentialWorld.from_dict(world.to_dict())
    assert again.phase("stays").process == same


def test_an_unknown_phase_is_named() -> None:
    """The line lists the phases there are."""
    with pytest.raises(NotFoundError, match="It has base"):
        _world().phase("oily")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("kind", "world", "kind"),
        ("play", {"id": "p", "actions": ["step=go"], "observes": []}, "play.actions"),
        ("extra", 1, "extra"),
        ("process", {"horizon": 2}, "missing"),
        ("version", 0, "version"),
    ],
)
def test_a_malformed_file_names_the_place(key: str, value: Any, said: str) -> None:
    """File, place and reason in one line."""
    with pytest.raises(WorldError, match=rf"walk\.yaml: .*{said}"):
        SequentialWorld.from_dict({**_world().to_dict(), key: value}, "walk.yaml")


def test_no_world_of_that_name() -> None:
    """The line says what there is."""
    with pytest.raises(NotFoundError, match="no sequential world is called 'wlak'"):
        load_sequence("wlak")


def test_no_family_of_that_name() -> None:
    """The line suggests a near one."""
    with pytest.raises(NotFoundError, match="key-maze"):
        load_family("key-maz")


FAMILY = WorldFamily(
    name="walk",
    env="Walk",
    title="A walk",
    about="For this test.",
    knobs={"steps": Knob(1, 9, "more steps"), "slip": Knob(0, 1, "ice", whole=False)},
    levels={level: {"steps": 3, "slip": 0.25} for level in ("easy", "medium", "hard")},
    build=lambda rng, knobs: _world(
        Phase("base", _walk(knobs["steps"], int(rng.bit_generator.random_raw() % 4) / 4))
    ),
)


def test_the_same_index_gives_the_same_world() -> None:
    """Draws follow from seed, split and index."""
    assert FAMILY.world(3) == FAMILY.world(3)


def test_practice_and_test_worlds_are_drawn_apart() -> None:
    """Ten worlds of either split are not the same ten."""
    drawn = [
        [FAMILY.world(i, split=split).process for i in range(10)] for split in ("practice", "test")
    ]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"steps": 0}, "from 1 to 9"),
        ({"steps": 2.5}, "whole number"),
        ({"slip": 2}, "from 0 to 1"),
    ],
)
def test_a_knob_out_of_range(knobs: dict[str, float], said: str) -> None:
    """The line gives the range."""
    with pytest.raises(WorldError, match=said):
        FAMILY.settings(**knobs)


def test_an_unknown_knob_or_level() -> None:
    """Both name what there is."""
    with pytest.raises(NotFoundError, match="'step'"):
        FAMILY.settings(step=1)
    with pytest.raises(NotFoundError, match="easy, medium, hard"):
        FAMILY.settings("heroic")


@pytest.mark.parametrize("given", [{"index": -1}, {"index": 0.5}, {"seed": -1}, {"seed": True}])
def test_worlds_are_numbered_from_0(given: dict[str, Any]) -> None:
    """And so are the seeds of their draws."""
    with pytest.raises(WorldError, match="give a whole number from 0 on"):
        load_family("umbrella-days").world(**given)


def test_an_unknown_split() -> None:
    """The two that there are are named."""
    with pytest.raises(NotFoundError, match="choose one of practice, test"):
        load_family("umbrella-days").world(split="train")  # type: ignore[arg-type]
