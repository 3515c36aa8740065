"""Plots: every variable has its place, every arrow points down, and the picture is written."""

from __future__ import annotations

import itertools
import sys

import pytest

from causalbench.errors import MissingExtraError
from causalbench.task.layout import layout
from causalbench.task.world import list_worlds, load_world

NAMES = [*list_worlds(), "bnlearn/sachs"]


@pytest.mark.parametrize("name", NAMES)
def test_arrows_point_down(name):
    """Causes stand above their effects."""
    scm = load_world(name).scm
    places, bends = layout(scm)
    for child in scm.names:
        for parent in scm.parents(child):
            heights = [places[parent][1], *(y for _, y in bends[parent, child]), places[child][1]]
            assert heights == sorted(heights, reverse=True)
            assert len(set(heights)) == len(heights)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_overlaps(name):
    """Variables of a layer keep a step apart, and arrows in passing keep off them."""
    places, bends = layout(load_world(name).scm)
    for (x, y), (u, v) in itertools.combinations(places.values(), 2):
        assert y != v or abs(x - u) >= 1 - 1e-9
    passing = [point for route in bends.values() for point in route]
    for (x, y), (u, v) in itertools.product(places.values(), passing):
        assert y != v or abs(x - u) >= 0.6


def test_single_variable(tmp_path):
    """A world of one variable is drawn too."""
    text = (
        "schema: 1\nid: one\nversion: 1\ntitle: One\nsource: test\n"
        "variables: {x: {values: [a, b]}}\nmechanisms: {x: {cpt: [0.5, 0.5]}}\n"
    )
    path = tmp_path / "one.yaml"
    path.write_text(text, encoding="utf-8")
    load_world(path).plot(tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_picture_is_written(tmp_path, suffix):
    """`World.plot` saves a picture by its suffix and returns the figure, hidden nodes dashed."""
    pytest.importorskip("matplotlib")
    path = tmp_path / f"umbrella{suffix}"
    figure = load_world("umbrella-rain").plot(path)
    assert path.stat().st_size > 1000
    (axes,) = figure.axes
    dashed = [t.get_text() for t in axes.texts if t.get_bbox_patch() and _dashed(t)]
    assert dashed == ["season"]
    assert len(axes.patches) == 6


def _dashed(text):
    return text.get_bbox_patch().get_linestyle() not in {"-", "solid"}


def test_plot_without_matplotlib(monkeypatch):
    """Without matplotlib the error says what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match="causalbench-ladder"):
        load_world("sprinkler").plot()
