"""What every family's worlds have in common, and the published files."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from causalbench.task.sequential import FAMILIES, load_family, load_sequence
from causalbench.task.sequential.publish import published_text, published_world, write_published

FOLDER = resources.files("causalbench.tasks").joinpath("sequences")
NAMES = list(FAMILIES)


@pytest.mark.parametrize("name", NAMES)
def test_file_is_what_the_family_builds(name: str) -> None:
    """A published file equals its family's world 0 at medium, and loads as that world."""
    world = published_world(name)
    assert FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8") == published_text(world)
    assert load_sequence(name) == world


def test_write_published_writes_the_files(tmp_path: Path) -> None:
    """The files are written under the families' names."""
    (path,) = write_published(tmp_path, ["umbrella-days"])
    assert path.name == "umbrella-days.yaml"
    assert load_sequence(path) == load_sequence("umbrella-days")


@pytest.mark.parametrize("name", NAMES)
def test_same_index_same_world(name: str) -> None:
    """An index gives one world; other indices and splits give others."""
    family = load_family(name)
    world = family.world(3, "easy")
    assert family.world(3, "easy") == world
    assert family.world(4, "easy").process != world.process
    assert family.world(3, "easy", split="test").process != world.process


@pytest.mark.parametrize("name", NAMES)
def test_every_level_builds_a_small_world(name: str) -> None:
    """Every level and the shifted settings give at most 12 variables, all of them with phrases."""
    family = load_family(name)
    settings = [(level, {}) for level in family.levels] + [("medium", dict(family.shifted))]
    for level, knobs in settings:
        world = family.world(1, level, **knobs)
        assert len(world.process.names) <= 12
        assert set(world.phrases) == set(world.process.names)
        assert set(world.knobs) == set(family.knobs)
        for name_, phrase in world.phrases.items():
            assert set(phrase.values) == set(world.process.variable(name_).labels)
        assert world.story
        assert world.title
        assert world.family == family.name


@pytest.mark.parametrize("name", NAMES)
def test_levels_set_every_knob(name: str) -> None:
    """Each level gives all knobs, and the shifted settings lie outside what the levels give."""
    family = load_family(name)
    for level in family.levels.values():
        assert set(level) == set(family.knobs)
    if family.shifted:
        inside = [
            min(level[knob] for level in family.levels.values())
            <= value
            <= max(level[knob] for level in family.levels.values())
            for knob, value in family.shifted.items()
        ]
        assert not all(inside)
