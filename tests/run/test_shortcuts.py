"""Controls that take shortcuts are reported with intervals."""

from __future__ import annotations

from causalbench.run.check_suite import shortcuts


def test_shortcuts_are_reported_for_every_cell_above_rung_one():
    """One line a control and cell, with an interval where there are several base worlds."""
    lines = shortcuts("umbrella-rain")
    names = {line.partition(":")[0] for line in lines}
    assert names == {"reachability", "adjacency", "edge-count", "win-stay-lose-shift"}
    assert not any("rung 1" in line for line in lines)
    mini = shortcuts("ladder-mini", limit=54)
    assert all(line.endswith("]") for line in mini)
