"""Find learners by name, file or module, and make them; none is imported before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.agent.options import Option, checked_options
from causalbench.agent.source import load_target
from causalbench.errors import AgentError, CausalBenchError, NotFoundError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.agent.learn.protocol import Learner

__all__ = ["LEARNERS", "list_learners", "make_learner"]

_HERE = "causalbench.agent.learn."
_METHODS = ("start", "enter", "train", "policy", "save", "load")

LEARNERS: Mapping[str, str] = {
    "q-learning": _HERE + "tabular:QLearning",
    "sarsa": _HERE + "tabular:Sarsa",
    "ucb": _HERE + "bandit:UCB",
    "thompson": _HERE + "bandit:Thompson",
    "causal-thompson": _HERE + "causal_thompson:CausalThompson",
    "options-q": _HERE + "hierarchical:OptionsQ",
    "ppo": _HERE + "sb3:PPO",
    "a2c": _HERE + "sb3:A2C",
    "trpo": _HERE + "sb3:TRPO",
    "recurrent-ppo": _HERE + "sb3:RecurrentPPO",
    "dqn": _HERE + "sb3:DQN",
    "qr-dqn": _HERE + "sb3:QRDQN",
    "ddpg": _HERE + "sb3:DDPG",
    "sac": _HERE + "sb3:SAC",
    "bc": _HERE + "behaviour_cloning:BehaviourCloning",
    "fitted-q": _HERE + "fitted_q:FittedQ",
    "cql": _HERE + "cql:DiscreteCQL",
    "iql": _HERE + "iql:DiscreteIQL",
    "maxent-irl": _HERE + "imitation:MaxEntIRL",
}
"""Learner to the place of its class."""

_LINES: Mapping[str, str] = {
    "q-learning": "tabular Q on what is seen (see: from the log)",
    "sarsa": "tabular Q of the policy that explores",
    "ucb": "tabular Q, exploring by upper confidence bounds",
    "thompson": "tabular Q, exploring by draws from a posterior",
    "causal-thompson": "Thompson sampling with the own intent as context (intent)",
    "options-q": "hierarchical Q over options that reach seen values",
    "ppo": "proximal policy optimisation (extra rl)",
    "a2c": "advantage actor-critic (extra rl)",
    "trpo": "trust region policy optimisation (extra rl)",
    "recurrent-ppo": "proximal policy optimisation with a memory, an LSTM (extra rl)",
    "dqn": "deep Q-network (extra rl)",
    "qr-dqn": "quantile-regression deep Q-network (extra rl)",
    "ddpg": "deep deterministic policy gradient over action scores (extra rl)",
    "sac": "soft actor-critic over action scores (extra rl)",
    "bc": "behaviour cloning: do as the log does (see)",
    "fitted-q": "fitted Q iteration on the log (see)",
    "cql": "discrete conservative Q-learning on the log (see)",
    "iql": "discrete implicit Q-learning on the log (see)",
    "maxent-irl": "maximum-entropy inverse reinforcement learning from a log (see)",
}


def list_learners() -> dict[str, str]:
    """Map each learner's name to one line about it; none is imported."""
    return dict(_LINES)


def make_learner(spec: Any, options: Mapping[str, Option] | None = None) -> Learner:
    """Make a fresh learner.

    Args:
        spec: a name of `LEARNERS`, ``"file.py:Class"``, ``"module:Class"``, or a class.
        options: arguments of its constructor.

    Raises:
        NotFoundError: no learner, file or attribute of that name.
        AgentError: an option that the constructor does not take, or a class that is no learner.
        MissingExtraError: it needs a package that is not installed.
    """
    if isinstance(spec, str):
        label, kind = spec, load_target(_place(spec))
    else:
        label, kind = getattr(spec, "name", getattr(spec, "__name__", str(spec))), spec
    if not isinstance(kind, type):
        raise AgentError(f"'{label}' is no class; give the class of a learner.")
    try:
        made: Any = kind(**checked_options(kind, dict(options or {}), label))
    except CausalBenchError:
        raise
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())
        raise AgentError(
            f"learner '{label}' can't be made: {line}; mend its constructor."
        ) from error
    return _checked(made, label)


def _place(name: str) -> str:
    if name in LEARNERS:
        return LEARNERS[name]
    if ":" in name:
        return name
    near = suggest(name, LEARNERS) or f" There are {', '.join(LEARNERS)};"
    raise NotFoundError(f"no learner is called '{name}'.{near} file.py:Class works too.")


def _checked(made: Any, label: str) -> Learner:
    """Hold a learner against the protocol.

    Raises:
        AgentError: a part of it is missing or wrong.
    """
    from causalbench.scm.play import REGIMES

    missing = [name for name in _METHODS if not callable(getattr(made, name, None))]
    if missing:
        raise AgentError(f"learner '{label}' has no method {missing[0]}(); write one.")
    regimes = getattr(made, "regimes", None)
    if not isinstance(regimes, frozenset | set) or not regimes or not regimes <= set(REGIMES):
        raise AgentError(
            f"learner '{label}' has regimes {regimes!r}; give a set of {', '.join(REGIMES)}."
        )
    if not isinstance(getattr(made, "name", None), str):
        raise AgentError(f"learner '{label}' has no name; give it an attribute name, a text.")
    learner: Learner = made
    return learner
