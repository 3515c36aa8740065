"""Damaged world files: whatever is broken, the answer is a world or one clear line."""

from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalbench.errors import CausalBenchError, WorldError
from causalbench.task.check import check_world
from causalbench.task.world import World, load_world

NAMES = ("umbrella-rain", "greedy-casino", "firing-squad", "salary", "braking")
FILES = {
    name: (resources.files("causalbench.tasks") / "worlds" / f"{name}.yaml").read_text("utf-8")
    for name in NAMES
}
PIECES = (
    ": - [ ] { } &a *a !!int !!float 0 -1 .nan 1e400 null true no ' \" # | > ? <<: !!set \u00e9"
)
JUNK = st.sampled_from([*PIECES.split(), "", " ", "\n", "\t", "\x00", "---\n", "!!int ", "? "])


def settle(build):
    """Return what a builder gives, or check that its error is one short line."""
    try:
        return build()
    except CausalBenchError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert len(str(error)) < 1000  # noqa: PT017
        return None


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_damaged_text(tmp_path_factory, name, data):
    """A shipped file with a few characters replaced loads, or is refused; checking never breaks."""
    text = FILES[name]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text) - 1))
        width = data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(JUNK) + text[start + width :]
    path = tmp_path_factory.getbasetemp() / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    world = settle(lambda: load_world(path))
    if world is not None:
        assert all("\n" not in problem for problem in check_world(world))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["yes", "rain", "P(rain=yes)", "pass", "monotone"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_data(data):
    """A shipped world's dict with any value replaced builds or is refused, and can be checked."""
    record = load_world(data.draw(st.sampled_from(NAMES))).to_dict()
    place, key = record, data.draw(st.sampled_from(sorted(record)))
    for _ in range(6):
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.integers(0, 3)) == 0:
            break
        place = inner
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
    place[key] = data.draw(VALUES)
    world = settle(lambda: World.from_dict(record))
    if world is not None:
        assert all("\n" not in problem for problem in check_world(world))


@pytest.mark.parametrize("record", [{}, {"schema": 1}, {1: 2}, {"schema": "1", "id": []}])
def test_hardly_a_world(record):
    """Dicts with next to nothing in them are refused."""
    with pytest.raises(WorldError):
        World.from_dict(record)
