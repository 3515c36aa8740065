"""Worlds that the tests of models share."""

from __future__ import annotations

import copy

import pytest

from causalbench.scm import SCM

UMBRELLA = {
    "schema": 1,
    "variables": {
        "season": {"values": ["calm", "storm"], "hidden": True},
        "seed": {"values": ["no", "yes"]},
        "rain": {"values": ["no", "yes"]},
        "umbrella": {"values": ["no", "yes"]},
        "wet": {"values": ["no", "yes"]},
    },
    "mechanisms": {
        "season": {"cpt": [0.8, 0.2]},
        "seed": {"parents": ["season"], "cpt": [[0.95, 0.05], [0.1, 0.9]]},
        "rain": {
            "parents": ["season", "seed"],
            "noise": [0.35, 0.35, 0.2, 0.05, 0.05],
            "table": [
                [[1, 1], [1, 1]],
                [[1, 0], [1, 1]],
                [[0, 0], [1, 1]],
                [[0, 0], [1, 0]],
                [[0, 0], [0, 0]],
            ],
        },
        "umbrella": {"parents": ["rain"], "cpt": [[0.95, 0.05], [0.05, 0.95]]},
        "wet": {
            "parents": ["rain", "umbrella"],
            "cpt": [[[0.98, 0.02], [0.98, 0.02]], [[0.1, 0.9], [0.9, 0.1]]],
        },
    },
}


@pytest.fixture
def umbrella_dict():
    """The umbrella world M1 as JSON values, free to be spoilt."""
    return copy.deepcopy(UMBRELLA)


@pytest.fixture
def umbrella(umbrella_dict):
    """The umbrella world M1: season is hidden, rain is monotone."""
    return SCM.from_dict(umbrella_dict)
