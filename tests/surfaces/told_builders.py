"""Where the pairs of these tests stand, and small worlds of known form."""

from __future__ import annotations

import itertools

from causalbench.scm import SCM, LinearMechanism, Variable

TRACKS, CELLS = ("estimates", "decisions"), ("mechanisms", "diagram", "lab")
PLACES = tuple(itertools.product((1, 2, 3), TRACKS, CELLS))


def arrow(cause: str, effect: str) -> dict:
    """Return the record of a world of one arrow, over x and y."""
    values = {"values": ["0", "1"]}
    return {
        "schema": 1,
        "variables": {"x": values, "y": values},
        "mechanisms": {
            cause: {"parents": [], "noise": [0.5, 0.5], "table": [0, 1]},
            effect: {"parents": [cause], "cpt": [[0.7, 0.3], [0.4, 0.6]], "coupling": "monotone"},
        },
    }


def linear_world(hidden: tuple[str, ...] = ()) -> SCM:
    """Return a linear-Gaussian world over x, y and z."""
    mechanisms = {
        "x": LinearMechanism((), [], 1.0, 1.0),
        "y": LinearMechanism(("x",), [2.0], 0.0, 0.5),
        "z": LinearMechanism(("x", "y"), [-1.0, 0.1 + 0.2], 0.0, 1 / 3),
    }
    return SCM({name: Variable(name, None, name in hidden) for name in "xyz"}, mechanisms)
