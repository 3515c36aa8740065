"""Settings of the learners: for all worlds, and what a family of worlds changes.

All of them were chosen on practice worlds, never on the worlds that results are reported on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.agent.options import Option
from causalbench.errors import AgentError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.agent.learn.protocol import Field

__all__ = ["DEFAULTS", "FAMILIES", "checked", "settings"]

Settings = dict[str, Option]
_LONGEST = 15  # observations in a window that nobody asked for

_TABLE: Settings = {
    "window": 1,  # observations in the key
    "timed": True,  # whether the step is in the key
    "copies": 8,  # of the environment
    "discount": 1.0,
    "power": 0.8,  # the n-th visit moves a value by n ** -power; 1 in worlds of one step
    "rate": 0.0,  # and by at least this
    "initial": 0.0,  # of values
}
_EXPLORE: Settings = {"epsilon": 0.1}  # how often in the end; more on rows seldom visited
_NET: Settings = {
    "window": 1,
    "timed": True,
    "copies": 16,
    "discount": 1.0,
    "learning_rate": 1e-3,
    "width": 32,  # of each hidden layer
    "layers": 1,
}
_ON_POLICY: Settings = {"rollout": 32, "entropy": 0.01, "trace": 0.95}
_OFF_POLICY: Settings = {
    "copies": 8,
    "buffer": 50_000,
    "warmup": 500,
    "batch": 64,
    "updates": 2,  # after each step of all copies
}
_STEADY: Settings = {"learning_rate": 5e-4, "batch": 128, "updates": 1}

DEFAULTS: Mapping[str, Settings] = {
    "q-learning": {**_TABLE, "epsilon": 0.2},
    "sarsa": {**_TABLE, **_EXPLORE},
    "ucb": {**_TABLE, "width": 1.0},
    "thompson": {**_TABLE, "posterior": "auto"},
    "causal-thompson": {**_TABLE, "posterior": "auto"},
    "options-q": {**_TABLE, **_EXPLORE, "timed": False, "discount": 0.98, "near": 0.9, "stop": 0.1},
    "ppo": {**_NET, **_ON_POLICY, "learning_rate": 3e-3, "epochs": 5, "batches": 4},
    "a2c": {**_NET, **_ON_POLICY, "rollout": 8, "learning_rate": 3e-3},
    "trpo": {**_NET, "rollout": 64, "trace": 0.95, "divergence": 0.01},
    "recurrent-ppo": {**_NET, **_ON_POLICY, "epochs": 5, "batches": 4},
    "dqn": {**_NET, **_OFF_POLICY, **_STEADY, "epsilon": 0.05, "explore": 4000, "target": 500},
    "qr-dqn": {
        **_NET,
        **_OFF_POLICY,
        "epsilon": 0.05,
        "explore": 4000,
        "target": 500,
        "quantiles": 25,
    },
    "ddpg": {**_NET, **_OFF_POLICY, "noise": 0.3, "tau": 0.01},
    "sac": {**_NET, **_OFF_POLICY, "entropy": 0.02, "tau": 0.01},
}
"""Learner to its options and their values."""

_SPARSE: Mapping[str, Settings] = {"tables": {"timed": False, "discount": 0.98}}
_PHASES: Mapping[str, Settings] = {"tables": {"rate": 0.05}}  # old visits must not weigh for ever

FAMILIES: Mapping[str, Mapping[str, Settings]] = {
    "anticausal-proxy": {"tables": {"window": 2}},  # the last proxy tells what this one lacks
    "coast-runners": _SPARSE,
    "key-maze": _SPARSE,
    "oily-gripper": _PHASES,
    "shifting-rules": _PHASES,
    "two-shifts": _PHASES,
}
"""Family to learner (``tables``, ``nets``: all of a kind) to what it changes."""


def checked(name: str, given: Mapping[str, Option]) -> Settings:
    """Return options of a learner, each of its default's type.

    Raises:
        AgentError: an option that it lacks, or a value of another type.
    """
    known = DEFAULTS[name]
    found: Settings = {}
    for key, value in given.items():
        if key not in known:
            near = suggest(key, known) or f" It has {', '.join(known)}."
            raise AgentError(f"learner '{name}' has no option '{key}'.{near}")
        default = known[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        fits: Any = {
            bool: isinstance(value, bool),
            int: whole,
            float: whole or isinstance(value, float),
            str: isinstance(value, str),
        }[type(default)]
        if not fits:
            told = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
            raise AgentError(
                f"option '{key}' of learner '{name}' is {value!r}; give {told[type(default)]}."
            )
        found[key] = float(value) if isinstance(default, float) else value
    return found


def settings(name: str, given: Mapping[str, Option], field: Field | None = None) -> dict[str, Any]:
    """Return all settings of a learner: its defaults, what the field changes, then those given.

    In regime ``replay`` the window holds the whole of what was watched, up to 15 observations.

    Args:
        name: of the learner.
        given: as `checked` returns them.
        field: where it is let into; None for the defaults.
    """
    known = DEFAULTS[name]
    changed: Settings = {}
    if field is not None:
        kind = "tables" if "initial" in known else "nets"
        own = FAMILIES.get(field.family, {})
        changed = {**own.get(kind, {}), **own.get(name, {})}
        if field.regime == "replay":
            changed["window"] = min(2 * field.horizon - 1, _LONGEST)
    if name == "recurrent-ppo":
        changed.pop("window", None)  # it has a memory of its own
    return {**known, **{k: v for k, v in changed.items() if k in known}, **given}
