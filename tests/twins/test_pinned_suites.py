"""The digests of built-in suites: what a seed yields changes only with a suite's version."""

from __future__ import annotations

import pytest

from causalbench.task.suite import load_suite

# Suite and version -> SHA-256 of its recipe and of the first cases of every part at seed 0. A
# digest may change together with its suite's version, and in no other way.
PINNED = {
    ("ladder-mini", 2): "f98b6d28d94083c1d85f206f0d0bf498e5d31a2db9c79e59960d1efca317791e",
    ("ladder-v1", 1): "fcdefb58a316da57644ddcfab051c9d64cf6ab784fd324158cb797df6164bc1c",
    ("umbrella-rain", 2): "253e5697f6a4ca26d2c5184dafb864c5af43352edc0d3bfee52dfdb5f47bc5cb",
}


@pytest.mark.parametrize(("name", "version"), PINNED)
def test_a_suite_is_what_its_version_says(name, version):
    """The digest covers questions, wording, keys, dossiers and placements."""
    suite = load_suite(name)
    assert (suite.version, suite.digest) == (version, PINNED[name, version])
