"""Expected bounds in a world file: read, checked by certificates, and refused where malformed."""

from __future__ import annotations

import pytest

from causalbench.errors import WorldError
from causalbench.task.check import check_world
from causalbench.task.world import ExpectBounds, World, load_world
from causalbench.truth import Knowledge

# P(x, y) of a fair x that y copies three times in four: P(y=yes | do(x=yes)) is open by P(x=no).
BOW = """
schema: 1
id: bow
version: 1
title: A cause and its effect with a hidden cause of both
source: made up for a test
variables:
  u: {values: [no, yes], hidden: true}
  x: {values: [no, yes]}
  y: {values: [no, yes]}
mechanisms:
  u: {parents: [], noise: [0.5, 0.5], table: [0, 1]}
  x: {parents: [u], noise: [1.0], table: [[0, 1]]}
  y: {parents: [x, u], cpt: [[[0.75, 0.25], [0.75, 0.25]], [[0.25, 0.75], [0.25, 0.75]]],
      coupling: monotone}
expect_bounds:
  - query: "P(y=yes | do(x=yes))"
    regime: see
    shown: diagram
    lower: 0.375
    upper: 0.875
    origin: "by hand: P(x=yes, y=yes), and that plus P(x=no)"
"""


def from_text(tmp_path, text):
    """Load a world from text written to a file."""
    path = tmp_path / "bow.yaml"
    path.write_text(text, encoding="utf-8")
    return load_world(path)


def test_bounds_are_read(tmp_path):
    """An entry becomes an `ExpectBounds` with the knowledge that it states."""
    (found,) = from_text(tmp_path, BOW).expect_bounds
    assert (found.lower, found.upper, found.tolerance) == (0.375, 0.875, 1e-9)
    assert found.knowledge == Knowledge("see", "diagram")


def test_right_bounds_are_no_problem(tmp_path):
    """Bounds that the certificate confirms pass the check."""
    assert check_world(from_text(tmp_path, BOW)) == []


@pytest.mark.parametrize("end", ["lower: 0.375", "upper: 0.875"])
def test_wrong_end_is_a_problem(tmp_path, end):
    """Either end alone can fail; the line names the query, both pairs, and what was given."""
    name, value = end.split(": ")
    text = BOW.replace(end, f"{name}: {float(value) + 0.001}")
    (problem,) = check_world(from_text(tmp_path, text))
    assert problem.startswith("expect_bounds[0] 'P(y=yes | do(x=yes))': expected 0.37")
    assert "found 0.37" in problem
    assert "given regime see, shown diagram" in problem
    assert "\n" not in problem


def test_tolerance_counts(tmp_path):
    """An end within the stated tolerance passes."""
    text = BOW.replace("lower: 0.375", "lower: 0.3752\n    tolerance: 0.00021")
    assert check_world(from_text(tmp_path, text)) == []


def test_knowledge_that_settles_gives_a_point(tmp_path):
    """Where experiments settle the query, both ends are its value."""
    text = BOW.replace("regime: see", "regime: do")
    (problem,) = check_world(from_text(tmp_path, text))
    assert "found 0.75 to 0.75" in problem
    text = text.replace("lower: 0.375", "lower: 0.75").replace("upper: 0.875", "upper: 0.75")
    assert check_world(from_text(tmp_path, text)) == []


def test_assumptions_are_used(tmp_path):
    """A stated assumption narrows what is found."""
    text = BOW.replace('"P(y=yes | do(x=yes))"', '"PNS(x: no -> yes; y=yes)"')
    text = text.replace("regime: see", "regime: do").replace("0.375", "0.5").replace("0.875", "0.5")
    (problem,) = check_world(from_text(tmp_path, text))
    assert "found 0.5 to 0.75" in problem
    text = text.replace("shown: diagram", 'shown: diagram\n    assumptions: ["monotone: x -> y"]')
    assert check_world(from_text(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('query: "P(y=yes | do(x=yes))"', 'query: "P(u=yes | x=yes)"', "'u' is hidden"),
        ('query: "P(y=yes | do(x=yes))"', 'query: "P(y=maybe)"', "maybe"),
        ("shown: diagram", 'shown: diagram\n    assumptions: ["sunny"]', "sunny"),
        (
            "shown: diagram",
            'shown: diagram\n    assumptions: ["antitone: x -> y"]',
            "false in this world",
        ),
    ],
)
def test_what_cannot_be_certified_is_a_problem(tmp_path, old, new, told):
    """An entry that no certificate can be made for is one line, not a crash."""
    (problem,) = check_world(from_text(tmp_path, BOW.replace(old, new)))
    assert told in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("regime: see", "regime: look", "expect_bounds[0].regime"),
        ("    regime: see\n", "", "expect_bounds[0].regime: field required"),
        ("shown: diagram", "shown: all", "expect_bounds[0].shown"),
        ("shown: diagram", "shown: diagram\n    assumptions: none", "expect_bounds[0].assumptions"),
        ("lower: 0.375", "lower: low", "expect_bounds[0].lower"),
        ("lower: 0.375", "lower: .nan", "expect_bounds[0].lower"),
        ("lower: 0.375", "lower: 0.9", "expect_bounds[0]: lower 0.9 lies above upper 0.875"),
        ("upper: 0.875", "uper: 0.875", "expect_bounds[0].uper: no such key (Did you mean 'upper'"),
        ("upper: 0.875", "upper: 0.875\n    tolerance: -1", "expect_bounds[0].tolerance"),
        ('    origin: "by hand: P(x=yes, y=yes), and that plus P(x=no)"\n', "", "origin"),
    ],
)
def test_malformed_bounds_are_refused(tmp_path, old, new, told):
    """A malformed entry gives one line that names the file and the place."""
    assert old in BOW
    with pytest.raises(WorldError) as caught:
        from_text(tmp_path, BOW.replace(old, new, 1))
    message = str(caught.value)
    assert told in message
    assert "bow.yaml" in message
    assert "\n" not in message


def test_bounds_survive_to_dict(tmp_path):
    """``from_dict(to_dict())`` gives them back, assumptions too."""
    text = BOW.replace("shown: diagram", 'shown: diagram\n    assumptions: ["monotone: x -> y"]')
    world = from_text(tmp_path, text)
    again = World.from_dict(world.to_dict())
    assert again == world
    assert again.expect_bounds[0].assumptions == ("monotone: x -> y",)


def test_worlds_without_bounds_have_no_such_key():
    """The dict of a world without bounds is as it was, and so are digests over it."""
    assert "expect_bounds" not in load_world("umbrella-rain").to_dict()


@pytest.mark.parametrize("name", ["vitamin-a", "lipid", "drug-lawsuit"])
def test_published_bounds_are_shipped(name):
    """The worlds of published bounds state them, each with its origin."""
    world = load_world(name)
    assert len(world.expect_bounds) == 3
    assert all(isinstance(each, ExpectBounds) and each.origin for each in world.expect_bounds)
