"""Register the environments' ids, and make them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.envs.registration import register, registry
from gymnasium.vector import AutoresetMode

from causalbench.env.env import WorldEnv
from causalbench.env.episodes import default_regime
from causalbench.env.sequence import SequenceEnv
from causalbench.env.sequence_vector import SequenceVectorEnv
from causalbench.env.vector import WorldVectorEnv
from causalbench.errors import AgentError, NotFoundError, WorldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm import SCM
    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program
    from causalbench.task.observation import ObservationSpace
    from causalbench.task.types import Decision

__all__ = [
    "ENV_IDS",
    "FAMILY_ENVS",
    "family_programs",
    "make_decision_env",
    "make_decision_vector_env",
    "make_family_env",
    "make_family_vector_env",
    "make_random_env",
    "make_random_vector_env",
    "register_all",
]

FAMILY_ENVS: Mapping[str, str] = {
    "umbrella-days": "UmbrellaDays",
    "casino-rounds": "CasinoRounds",
    "treatment-course": "TreatmentCourse",
    "anticausal-proxy": "AnticausalProxy",
    "oily-gripper": "OilyGripper",
    "coast-runners": "CoastRunners",
    "crouch-jump": "CrouchJump",
    "key-maze": "KeyMaze",
    "shifting-rules": "ShiftingRules",
    "two-shifts": "TwoShifts",
    "where-to-intervene": "WhereToIntervene",
    "discover": "Discover",
    "imitate": "Imitate",
}
"""Family of sequential worlds to the name in its id, so that registering them loads none."""

_HERE = "causalbench.env.ids"
_ONE, _WORLD, _RANDOM = (
    f"causalbench/{name}-v0" for name in ("UmbrellaRain", "World", "RandomWorlds")
)
ENV_IDS: tuple[str, ...] = (
    _ONE,
    _WORLD,
    _RANDOM,
    *(f"causalbench/{name}-v0" for name in FAMILY_ENVS.values()),
)
"""Every registered id."""


def register_all() -> None:
    """Register what is not yet registered."""
    entries: dict[str, tuple[str, str, dict[str, Any]]] = {
        _ONE: (
            "causalbench.env.env:make_world_env",
            "causalbench.env.vector:make_world_vector_env",
            {"world": "umbrella-rain", "decision": "act-cheap"},
        ),
        _WORLD: (
            f"{_HERE}:make_decision_env",
            f"{_HERE}:make_decision_vector_env",
            {"world": "umbrella-rain"},
        ),
        _RANDOM: (f"{_HERE}:make_random_env", f"{_HERE}:make_random_vector_env", {}),
    }
    for family, name in FAMILY_ENVS.items():
        scalar, vector = f"{_HERE}:make_family_env", f"{_HERE}:make_family_vector_env"
        entries[f"causalbench/{name}-v0"] = (scalar, vector, {"family": family})
    for id_, (scalar, vector, kwargs) in entries.items():
        if id_ not in registry:
            register(id=id_, entry_point=scalar, vector_entry_point=vector, kwargs=kwargs)


def family_programs(
    family: str,
    world: int | str | Path | None = None,
    *,
    worlds: int = 1,
    difficulty: str | None = None,
    phase: str | None = None,
    **knobs: float,
) -> tuple[Program, ...]:
    """Return the programs of a family's worlds.

    Args:
        family: such as ``"key-maze"``.
        world: None for the family's published world; a number for the generated practice world of
            that number; or a file.
        worlds: how many generated worlds, from number ``world`` (or 0) on.
        difficulty: of generated worlds: easy, medium or hard; medium where it is left out.
        phase: the name of one of the world's phases; None for the first.
        **knobs: of generated worlds, in place of the difficulty's.

    Raises:
        NotFoundError: no such family, world, phase, difficulty or knob.
        WorldError: a published world or a file together with what only generated worlds have.
    """
    from causalbench.task.sequential import catalogue

    generated = worlds != 1 or difficulty is not None or bool(knobs)
    if isinstance(world, str | Path) and generated:
        raise WorldError(
            f"world '{world}' is a file, and worlds, difficulty and knobs are for generated worlds;"
            " leave them out, or give world as a number."
        )
    _whole("worlds", worlds, 1)
    if world is None and not generated:
        return (catalogue.load_sequence(family).program(phase),)
    if isinstance(world, str | Path):
        return (catalogue.load_sequence(world).program(phase),)
    made, first = catalogue.load_family(family), _whole("world", 0 if world is None else world, 0)
    settings = made.settings(difficulty or "medium", **knobs)
    return tuple(
        made.world(index, split="practice", seed=0, **settings).program(phase)
        for index in range(first, first + worlds)
    )


def make_family_env(
    family: str,
    world: int | str | Path | None = None,
    *,
    regime: PlayRegime = "do",
    render_mode: str | None = None,
    **options: Any,
) -> SequenceEnv:
    """Make an environment of a family's world; ``options`` as in `family_programs`."""
    if "worlds" in options:
        raise AgentError("worlds is for many copies; use gymnasium.make_vec, or leave it out.")
    (program,) = family_programs(family, world, **options)
    return SequenceEnv(program, regime, render_mode=render_mode)


def make_family_vector_env(
    family: str,
    world: int | str | Path | None = None,
    *,
    num_envs: int = 1,
    regime: PlayRegime = "do",
    render_mode: str | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    **options: Any,
) -> SequenceVectorEnv:
    """Make many copies of a family's worlds; ``options`` as in `family_programs`."""
    programs = family_programs(family, world, **options)
    env = SequenceVectorEnv(programs, num_envs, regime, autoreset_mode=autoreset_mode)
    env.render_mode = render_mode
    return env


def make_decision_env(
    world: str,
    decision: str | None = None,
    regime: PlayRegime | None = None,
    render_mode: str | None = None,
) -> SequenceEnv | WorldEnv:
    """Make an environment of one of a world's decisions.

    Discrete worlds are stepped as sequential worlds of one step; where a decision states an
    observation, goes back to a first action, or is in a world of real variables, they are a
    `WorldEnv`.

    Args:
        world: a world's name or file.
        decision: the id of one of its decisions; None for the first.
        regime: None for the least under which the decision can be practised as it is asked.
        render_mode: as in `SequenceEnv`.

    Raises:
        NotFoundError: no such world or decision.
    """
    scm, chosen, space, program = _decision(world, decision)
    wanted: Any = regime or default_regime(chosen)
    if program is not None:
        return SequenceEnv(program, wanted, render_mode=render_mode)
    env = WorldEnv(scm, chosen, space, regime=wanted)
    env.render_mode = render_mode
    return env


def make_decision_vector_env(
    world: str,
    decision: str | None = None,
    regime: PlayRegime | None = None,
    *,
    num_envs: int = 1,
    render_mode: str | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
) -> SequenceVectorEnv | WorldVectorEnv:
    """Make many copies of what `make_decision_env` makes.

    Raises:
        AgentError: another autoreset than ``SAME_STEP``, where the decision is a `WorldEnv`.
    """
    scm, chosen, space, program = _decision(world, decision)
    wanted: Any = regime or default_regime(chosen)
    env: SequenceVectorEnv | WorldVectorEnv
    if program is not None:
        env = SequenceVectorEnv(program, num_envs, wanted, autoreset_mode=autoreset_mode)
    elif AutoresetMode(autoreset_mode) is not AutoresetMode.SAME_STEP:
        raise AgentError(
            f"decision '{chosen.id}' can be reset in the same step alone; leave autoreset_mode out."
        )
    else:
        env = WorldVectorEnv(scm, chosen, space, num_envs=num_envs, regime=wanted)
    env.render_mode = render_mode
    return env


def make_random_env(
    world: int | None = None,
    *,
    num_variables: int = 10,
    renew: int = 16,
    seed: int = 0,
    regime: PlayRegime = "do",
    render_mode: str | None = None,
) -> SequenceEnv:
    """Make an environment of random worlds (`causalbench.env.fresh`).

    Args:
        world: the number of one world of ``seed``, which is kept; None for fresh ones, which the
            seed of a reset draws.
        num_variables: of each world.
        renew: how many episodes a fresh world lasts; 0 for ever.
        seed: of a numbered world.
        regime: as in `SequenceEnv`.
        render_mode: likewise.
    """
    from causalbench.env.fresh import FreshEnv, random_program

    if world is None:
        return FreshEnv(num_variables, renew=renew, regime=regime, render_mode=render_mode)
    program = random_program(world, num_variables=num_variables, seed=seed)
    return SequenceEnv(program, regime, render_mode=render_mode)


def make_random_vector_env(  # noqa: PLR0913  (what Gymnasium passes, and the worlds' own)
    world: int | None = None,
    *,
    num_envs: int = 1,
    worlds: int | None = None,
    num_variables: int = 10,
    renew: int = 16,
    seed: int = 0,
    regime: PlayRegime = "do",
    render_mode: str | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
) -> SequenceVectorEnv:
    """Make copies of random worlds, by default fresh ones in each.

    Args:
        world: the number of the first world that is kept; None for fresh ones, unless ``worlds``
            says how many are kept.
        num_envs: how many copies.
        worlds: how many numbered worlds the copies share; None for as many as copies.
        num_variables: of each world.
        renew: how many episodes a fresh world lasts; 0 for ever.
        seed: of numbered worlds.
        regime: as in `SequenceEnv`.
        render_mode: None; many copies are not drawn.
        autoreset_mode: as in `SequenceVectorEnv`.
    """
    from causalbench.env.fresh import FreshVectorEnv, random_program

    env: SequenceVectorEnv
    if world is None and worlds is None:
        env = FreshVectorEnv(
            num_envs, num_variables, renew=renew, regime=regime, autoreset_mode=autoreset_mode
        )
    else:
        first = _whole("world", 0 if world is None else world, 0)
        count = _whole("worlds", num_envs if worlds is None else worlds, 1)
        programs = [
            random_program(index, num_variables=num_variables, seed=seed)
            for index in range(first, first + min(count, num_envs))
        ]
        env = SequenceVectorEnv(programs, num_envs, regime, autoreset_mode=autoreset_mode)
    env.render_mode = render_mode
    return env


def _whole(name: str, given: Any, least: int) -> int:
    """Return a number that an environment is made with.

    Raises:
        AgentError: it is none, or too small.
    """
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise AgentError(f"{name} is {given!r}; give a whole number, {least} or more.")
    return int(given)


def _decision(
    world: str, decision: str | None
) -> tuple[SCM, Decision, ObservationSpace, Program | None]:
    from causalbench.env.onestep import decision_program
    from causalbench.task.observation import ObservationSpace
    from causalbench.task.world import load_world

    loaded = load_world(world)
    if decision is None and not loaded.decisions:
        raise NotFoundError(f"world '{world}' has no decisions, so there is nothing to play.")
    chosen = loaded.decisions[0] if decision is None else loaded.decision(decision)
    scm = loaded.scm
    space = ObservationSpace(([scm.variable(name) for name in scm.visible], [chosen]))
    return scm, chosen, space, decision_program(scm, chosen)
