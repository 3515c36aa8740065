"""Find agents by name, file, class, instance or callable, and say what exactly was run."""

from __future__ import annotations

import copy
import functools
import warnings
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from causalbench.agent.options import Option, checked_options
from causalbench.agent.protocol import KINDS, config_of
from causalbench.agent.source import digest_of, load_target
from causalbench.errors import AgentError, CausalBenchError, NotFoundError, suggest
from causalbench.task.catalogue import plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["AGENTS", "AgentSpec", "list_agents", "make_agent"]

PREFIX = "agent."

AGENTS: Mapping[str, str] = {
    "exact": "causalbench.agent.controls:Exact",
    "random": "causalbench.agent.controls:Random",
    "constant": "causalbench.agent.controls:Constant",
    "majority": "causalbench.agent.controls:Majority",
    "see-reader": "causalbench.agent.controls:SeeReader",
    "do-reader": "causalbench.agent.controls:DoReader",
    "reachability": "causalbench.agent.controls:Reachability",
    "adjacency": "causalbench.agent.controls:Adjacency",
    "edge-count": "causalbench.agent.controls:EdgeCount",
    "win-stay-lose-shift": "causalbench.agent.controls:WinStayLoseShift",
    "q-online": "causalbench.agent.tabular:QOnline",
    "q-offline": "causalbench.agent.tabular:QOffline",
    "ucb": "causalbench.agent.bandits:UCBAgent",
    "thompson": "causalbench.agent.bandits:ThompsonAgent",
    "causal-thompson": "causalbench.agent.bandits:CausalThompsonAgent",
    "ppo": "causalbench.agent.ppo:PPOAgent",
    "a2c": "causalbench.agent.sb3_agent:A2CAgent",
    "trpo": "causalbench.agent.sb3_agent:TRPOAgent",
    "dqn": "causalbench.agent.sb3_agent:DQNAgent",
    "qr-dqn": "causalbench.agent.sb3_agent:QRDQNAgent",
    "ddpg": "causalbench.agent.sb3_agent:DDPGAgent",
    "sac": "causalbench.agent.sb3_agent:SACAgent",
    "model-diagram": "causalbench.agent.model_based:ModelDiagram",
    "model-learned": "causalbench.agent.model_based:ModelLearned",
    "dowhy": "causalbench.agent.dowhy_agent:DowhyAgent",
    "latent-posterior": "causalbench.agent.latent:LatentPosterior",
}

_LINES: Mapping[str, str] = {
    "exact": "control: the key itself; its skill is 1",
    "random": "control: a uniform answer from the legal range",
    "constant": "control: the middle of the legal range, the first action",
    "majority": "control: one-variable marginals only",
    "see-reader": "control: the perfect solver of rung 1",
    "do-reader": "control: the perfect solver of rungs 1 and 2",
    "reachability": "control: P(y | x) if the shown diagram lets x reach y, else P(y)",
    "adjacency": "control: P(y | x) if the shown diagram has the edge x -> y, else P(y)",
    "edge-count": "control: P(y | x) if x has as many edges as y in the diagram, else P(y)",
    "win-stay-lose-shift": "control: redo what was done if it went well, else the next action",
    "q-online": "tabular Q-learning that practises in the lab (bet, act, redo)",
    "q-offline": "tabular Q from recorded rows, without acting (bet, act, redo)",
    "ucb": "bandit by upper confidence bounds in the lab (bet, act, redo)",
    "thompson": "bandit by Thompson sampling in the lab (bet, act, redo)",
    "causal-thompson": "Thompson sampling with its own intent as context (bet, act, redo)",
    "ppo": "proximal policy optimisation in the lab (extra rl; bet, act, redo)",
    "a2c": "advantage actor-critic in the lab (extra rl; bet, act, redo)",
    "trpo": "trust region policy optimisation in the lab (extra rl; bet, act, redo)",
    "dqn": "deep Q-network in the lab (extra rl; bet, act, redo)",
    "qr-dqn": "quantile-regression deep Q-network in the lab (extra rl; bet, act, redo)",
    "ddpg": "deep deterministic policy gradient in the lab (extra rl; bet, act, redo)",
    "sac": "soft actor-critic in the lab (extra rl; bet, act, redo)",
    "model-diagram": "learn CPTs on the shown diagram, then answer by the exact engine",
    "model-learned": "learn diagram and CPTs, then answer by the exact engine",
    "dowhy": "identify and estimate with DoWhy; abstain where it cannot",
    "latent-posterior": "infer a latent world from context rows (reasoner A)",
}


@dataclass(frozen=True)
class AgentSpec:
    """An agent that can be made afresh as often as needed.

    Args:
        name: its name in tables.
        factory: makes a fresh agent; nothing learnt by one reaches another.
        config: its options, JSON-ready.
        source_digest: SHA-256 of its source and the package version: answers of another source are
            never reused.
        version: of the package that it comes from; "" if unknown.
        control: whether it is handed the key, and shown apart.
        accepts: the kinds of question it answers.
        cells: the cells it can use, or None for all.
    """

    name: str
    factory: Callable[[], Any]
    config: Mapping[str, Any]
    source_digest: str
    version: str = ""
    control: bool = False
    accepts: frozenset[str] = field(default_factory=frozenset)
    cells: frozenset[str] | None = None


def list_agents() -> dict[str, str]:
    """Map each agent's name to one line about it: built-in agents, then plug-ins, none imported.

    A plug-in whose package is not there any more is left out, with a warning.
    """
    found = dict(_LINES)
    for name, point in sorted(plugins(PREFIX).items()):
        package = point.dist.name if point.dist else "?"
        if not _is_there(point.module.partition(".")[0]):
            msg = f"plug-in agent '{name}' of {package} is skipped: no module '{point.module}'."
            warnings.warn(msg, stacklevel=2)
            continue
        found.setdefault(name, f"plug-in of {package} ({point.value})")
    return found


def make_agent(spec: Any, options: Mapping[str, Option] | None = None) -> AgentSpec:
    """Turn whatever names an agent into a spec that makes fresh ones.

    Args:
        spec: a name of `list_agents`; ``"file.py:Class"``; ``"module:Class"``; a class; an instance
            (copied for each use); a callable from an observation to an action; a
            stable-baselines3 model; or an `AgentSpec`.
        options: constructor arguments, where ``spec`` names or is a class.

    Raises:
        NotFoundError: no agent, file or attribute of that name.
        AgentError: an option that the constructor does not take, or an object that is no agent.
    """
    given = dict(options or {})
    if isinstance(spec, AgentSpec):
        return _without_options(spec, given)
    if isinstance(spec, str):
        return _by_name(spec, given)
    if isinstance(spec, type):
        return _of_class(spec, given, None)
    if hasattr(spec, "answer"):
        return _without_options(_described(spec, functools.partial(copy.deepcopy, spec)), given)
    if hasattr(spec, "predict") and hasattr(spec, "observation_space"):
        from causalbench.agent.callable import ModelAgent

        # Predicting leaves a model as it is, so all uses may share it.
        factory: Callable[[], Any] = functools.partial(ModelAgent, spec)
        return _without_options(_described(_first(factory, spec), factory), given)
    if callable(spec):
        from causalbench.agent.callable import PolicyAgent

        factory = functools.partial(_wrap, PolicyAgent, spec)
        return _without_options(_described(_first(factory, spec), factory), given)
    msg = (
        f"an object of type {type(spec).__name__} is no agent; give a name, a class, an instance "
        "with answer(), or a callable from observation to action."
    )
    raise AgentError(msg)


def _by_name(name: str, options: dict[str, Option]) -> AgentSpec:
    """Find a built-in agent, a plug-in, or ``place:attribute``."""
    if name in AGENTS:
        return _named(load_target(AGENTS[name]), options, name, AGENTS[name], _own_version())
    point = plugins(PREFIX).get(name)
    if point is not None:
        try:
            target = point.load()
        except Exception as error:
            line = " ".join(f"{type(error).__name__}: {error}".split())
            msg = f"plug-in agent '{name}' ({point.value}) fails as it loads: {line}; mend it."
            raise AgentError(msg) from error
        release = point.dist.version if point.dist else ""
        return _named(target, options, name, point.value, release)
    if ":" in name:
        return _named(load_target(name), options, None, name, "")
    near = suggest(name, list_agents())
    msg = f"no agent is called '{name}'.{near} `causalbench list agents` shows all;"
    msg += " file.py:Class works too."
    raise NotFoundError(msg)


def _named(
    target: Any, options: dict[str, Option], name: str | None, place: str, release: str
) -> AgentSpec:
    """Make a spec of what a name stands for; classes are found by it again in other processes."""
    if isinstance(target, type):
        return _of_class(target, options, name, place, release)
    made = make_agent(target, options)
    return AgentSpec(**{**vars(made), "name": name or made.name, "version": release})


def _of_class(
    kind: type,
    options: dict[str, Option],
    name: str | None,
    place: str | None = None,
    release: str = "",
) -> AgentSpec:
    given = checked_options(kind, options, name or kind.__name__)
    factory: Callable[[], Any] = functools.partial(kind, **given)
    if place is not None:
        factory = functools.partial(_build, place, given)
    return _described(_first(factory, kind), factory, name, given, release)


def _first(factory: Callable[[], Any], of: Any) -> Any:
    """Make an agent for the first time, to look at; say so if it can't be made."""
    try:
        return factory()
    except CausalBenchError:
        raise
    except (Exception, SystemExit) as error:
        label = of.__name__ if isinstance(of, type) else type(of).__name__
        line = " ".join(f"{type(error).__name__}: {error}".split())
        msg = f"agent '{label}' can't be made: {line}; mend its constructor, or its options."
        raise AgentError(msg) from error


def _build(place: str, options: Mapping[str, Option]) -> Any:
    return load_target(place)(**options)


def _wrap(wrapper: Callable[[Any], Any], policy: Any) -> Any:
    return wrapper(copy.deepcopy(policy))


def _described(
    agent: Any,
    factory: Callable[[], Any],
    name: str | None = None,
    options: Mapping[str, Option] | None = None,
    release: str = "",
) -> AgentSpec:
    """Check the protocol's two attributes and its method, and describe the agent.

    Raises:
        AgentError: one of them is missing or wrong.
    """
    from causalbench.agent.controls import Control

    label = name or getattr(agent, "name", None)
    place = type(agent).__name__
    if not isinstance(label, str) or not label:
        msg = f"{place} has no name; give it an attribute name, a text."
        raise AgentError(msg)
    accepts = getattr(agent, "accepts", None)
    if not isinstance(accepts, frozenset | set) or not accepts or not accepts <= KINDS:
        msg = f"{place}.accepts is {accepts!r}; give a set of {', '.join(sorted(KINDS))}."
        raise AgentError(msg)
    if not callable(getattr(agent, "answer", None)):
        msg = f"{place} has no method answer(question, *, rng); write one."
        raise AgentError(msg)
    cells = getattr(agent, "cells", None)
    return AgentSpec(
        name=label,
        factory=factory,
        config={**(options or {}), **config_of(agent)},
        source_digest=digest_of(agent, _own_version()),
        version=release or str(getattr(agent, "version", "")),
        control=isinstance(agent, Control),
        accepts=frozenset(accepts),
        cells=None if cells is None else frozenset(cells),
    )


def _without_options(spec: AgentSpec, options: Mapping[str, Option]) -> AgentSpec:
    if options:
        msg = f"agent '{spec.name}' is already made and takes no options such as"
        msg += f" '{next(iter(options))}'; give its class instead."
        raise AgentError(msg)
    return spec


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _own_version() -> str:
    try:
        return version("causalbench-ladder")
    except PackageNotFoundError:
        return "0"
