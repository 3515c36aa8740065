"""Time stepping environments: ours, many at once and one by one, beside others in the same run.

    python benchmarks/env.py [--seconds 1] [--clock wall] [--json FILE]

The world is `causalbench/RandomWorlds-v0`: ten binary variables, two of them hidden, up to three
parents each, one step, eight variables observed. Steps a second, the best of several rounds; every
step of a one-step episode includes the reset that follows it. "Two cores" are two processes, their
rates added. "Fresh worlds" are drawn as the copies go: after every episode, after every 16, or once
in each copy; what can be stepped by the loops for binary worlds of one step is timed in the general
loops too. ``--clock cpu`` counts the process's own time, for a machine that is not quiet.

A bare environment does nothing but count its steps and return a fresh copy of one observation: what
Gymnasium itself costs. The scalar environment is compared with it step by step, in a world of one
step and in the families of sequential worlds, once without resets and once with them.

CausalPlayground (``pip install causal-playground``) and causalrl (``pip install causalrl``) are
timed where they can be imported. CausalPlayground is given the same world as functions that look
its tables up; it keeps every sample in a data frame, so it slows down as it goes. causalrl has no
environment for a world of one's own: it is timed on its own ``causalrl/StructuralCausalBandit-v0``,
which has five variables.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import causalbench.env
from causalbench.env import SequenceEnv, SequenceVectorEnv
from causalbench.env.fresh import FreshVectorEnv, random_program
from causalbench.env.ids import FAMILY_ENVS, family_programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.scm.program import Program

ROUNDS = 7
COPIES = (1, 64, 4096)
AIMS = {"one world": 25e6, "different worlds": 20e6}
MOST_RATIO = 3.0
SYNC = "SyncVectorEnv of the scalar one, 64 copies"
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Bare(gymnasium.Env[Any, Any]):
    """Count steps."""

    def __init__(self, dims: int, horizon: int) -> None:
        self.observation_space = gymnasium.spaces.MultiDiscrete(np.full(dims, 3), dtype=np.uint8)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.seen, self.at, self.horizon = np.zeros(dims, dtype=np.uint8), 0, horizon

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin."""
        super().reset(seed=seed, options=options)
        self.at = 0
        return self.seen.copy(), {}

    def step(self, action: Any) -> Any:
        """Count."""
        del action
        self.at += 1
        return self.seen.copy(), 0.0, self.at >= self.horizon, False, {}


def best(
    run: Callable[[int], None], units: int, seconds: float, clock: Callable[[], float]
) -> float:
    """Return units a second: ``run(n)`` does n rounds of so many units."""
    run(2)
    number = 1
    while True:
        start = clock()
        run(number)
        spent = clock() - start
        if spent > seconds / (4 * ROUNDS):
            break
        number *= 2
    number = max(1, int(number * seconds / ROUNDS / spent))
    rates = []
    for _ in range(ROUNDS):
        start = clock()
        run(number)
        rates.append(number * units / (clock() - start))
    return max(rates)


def vector_rate(copies: int, worlds: int, seconds: float, clock: str) -> float:
    """Return the steps a second of our vector environment."""
    env = SequenceVectorEnv([random_program(index) for index in range(worlds)], copies)
    return loop_rate(env, copies, seconds, clock)


def general_rate(copies: int, worlds: int, seconds: float, clock: str) -> float:
    """Return the same in the loops for all worlds."""
    env = SequenceVectorEnv([random_program(index) for index in range(worlds)], copies)
    env._binary = None  # noqa: SLF001
    return loop_rate(env, copies, seconds, clock)


def fresh_rates(copies: int, seconds: float, clock: str) -> dict[str, float]:
    """Time worlds that are drawn as the copies go."""
    found = {}
    for renew, name in ((1, "after every episode"), (16, "after every 16 episodes"), (0, "once")):
        env = FreshVectorEnv(copies, renew=renew)
        title = f"fresh worlds, {copies} copies, {name}"
        found[title] = loop_rate(env, copies, seconds, clock)
        told(title, found[title])
    everyone = np.ones(copies, dtype=np.bool_)

    def run(number: int) -> None:
        for _ in range(number):
            env._renew(everyone)  # noqa: SLF001

    drawn = best(run, copies, seconds, CLOCKS[clock])
    found["fresh worlds, drawn alone"] = drawn
    told("fresh worlds, drawn alone", drawn, unit="worlds/s")
    return found


def loop_rate(env: Any, copies: int, seconds: float, clock: str) -> float:
    """Return the steps a second of any vector environment, under fixed random actions."""
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(env.single_action_space.n, size=copies)

    def run(number: int) -> None:
        for _ in range(number):
            env.step(actions)

    return best(run, copies, seconds, CLOCKS[clock])


def two_rates(copies: int, worlds: int, seconds: float, clock: str) -> float:
    """Return the sum of the rates of two processes."""
    with get_context("spawn").Pool(2) as pool:
        given = [(copies, worlds, seconds, clock)] * 2
        return sum(pool.starmap(vector_rate, given))


def scalar_rates(env: Any, horizon: int, seconds: float, clock: str) -> tuple[float, float]:
    """Return the steps a second without and with resets; episodes must run to their horizon.

    What reading the clock costs is taken off, as it is not little beside a step.
    """
    now = CLOCKS[clock]
    begin = now()
    for _ in range(10_000):
        now()
    reading = (now() - begin) / 10_000
    env.reset(seed=0)
    rates = []
    step, reset = env.step, env.reset
    for _ in range(ROUNDS):
        pure, episodes = 0.0, 0
        begin = now()
        while now() - begin < seconds / ROUNDS:
            start = now()
            for _ in range(horizon - 1):
                step(0)
            over = step(0)[2]
            pure += now() - start
            episodes += 1
            if not over:
                raise RuntimeError("an episode went on past its horizon")
            reset()
        spent = now() - begin - 3 * episodes * reading
        steps = episodes * horizon
        rates.append((steps / (pure - episodes * reading), steps / spent))
    return max(rate for rate, _ in rates), max(rate for _, rate in rates)


def playground(program: Program) -> Any:
    """Return the world as an environment of CausalPlayground."""
    import random

    from CausalPlayground import SCMEnvironment, StructuralCausalModel

    class Bandit(SCMEnvironment):  # type: ignore[misc, valid-type]
        """Paid the last variable, after one step."""

        def determine_reward(self) -> float:
            return float(self.scm.endogenous_vars[last])

        def determine_terminated(self) -> bool:
            return True

        def determine_truncated(self) -> bool:
            return False

    scm, last = program.process.first, f"V{len(program.process.visible)}"
    model = StructuralCausalModel()
    for name in scm.names:
        model.add_exogenous_var(f"u_{name}", random.random, {})
    for name in scm.order:
        chances = scm.cpt(name)[..., 1]

        def value(_of: Any = chances, **given: Any) -> int:
            noise = given.pop("u")
            return int(noise < _of[tuple(given.values())])

        parents = {f"p{i}": parent.upper() for i, parent in enumerate(scm.parents(name))}
        model.add_endogenous_var(name, value, {**parents, "u": f"U_{name.upper()}"})
    return Bandit(model, [("V1", (lambda: 0, {})), ("V1", (lambda: 1, {}))])


def peer_rate(env: Any, action: Any, seconds: float, clock: str) -> float:
    """Return the steps a second of a peer's scalar environment, resets included."""
    env.reset(seed=0)

    def run(number: int) -> None:
        for _ in range(number):
            if env.step(action)[2]:
                env.reset()

    return best(run, 1, seconds, CLOCKS[clock])


def peers(seconds: float, clock: str) -> dict[str, float | str]:
    """Return the peers' rates, or why one is missing."""
    found: dict[str, float | str] = {}
    logging.disable(logging.WARNING)
    try:
        # (Its own step draws the next episode's unit when an episode ends, so none is drawn here.)
        world = playground(random_program(0))
        world.reset(seed=0)
        run = partial(_steps, world, [1])
        found["CausalPlayground"] = best(run, 1, seconds, CLOCKS[clock])
    except ImportError as missing:
        found["CausalPlayground"] = f"not here ({missing}); pip install causal-playground"
    try:
        import causalrl  # noqa: F401  (registers its ids)

        env = gymnasium.make("causalrl/StructuralCausalBandit-v0").unwrapped
        found["causalrl (5 variables)"] = peer_rate(env, 0, seconds, clock)
    except ImportError as missing:
        found["causalrl (5 variables)"] = f"not here ({missing}); pip install causalrl"
    return found


def _steps(env: Any, action: Any, number: int) -> None:
    for _ in range(number):
        env.step(action)


def torch_rates(seconds: float) -> dict[str, float]:
    """Return the rates of the torch form, on the GPU where there is one; wall clock."""
    import torch

    from causalbench.env.torch import SequenceTorchEnv

    found = {}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    many = (4096, 65_536, 1_048_576) if device == "cuda" else (4096,)
    for copies in many:
        for worlds in (1, 1024):
            programs = [random_program(index) for index in range(worlds)]
            env = SequenceTorchEnv(programs, copies, device=device)
            env.reset(seed=0)
            actions = torch.randint(3, (copies,), device=device)

            def run(
                number: int, env: Any = env, actions: Any = actions, device: str = device
            ) -> None:
                for _ in range(number):
                    env.step(actions)
                if device == "cuda":
                    torch.cuda.synchronize()

            name = f"torch on {device}, {copies} copies, {worlds} worlds"
            found[name] = best(run, copies, seconds, time.perf_counter)
    return found


def told(name: str, rate: float, note: str = "", unit: str = "steps/s") -> None:
    """Print a line."""
    print(f"{name:52} {rate / 1e6:10.4f} M {unit}  {note}", flush=True)


def vector_rates(seconds: float, clock: str, *, two: bool) -> dict[str, float]:
    """Time the vector environment, and one of Gymnasium's over scalar ones."""
    found: dict[str, float] = {}
    for kind, aim in AIMS.items():
        for copies in COPIES:
            worlds = 1 if kind == "one world" else copies
            if kind != "one world" and worlds == 1:
                continue
            name = f"vector, {copies} copies, {kind}"
            found[f"{name}, one core"] = vector_rate(copies, worlds, seconds, clock)
            note = f"aim {aim / 1e6:g} M" if copies == max(COPIES) else ""
            told(f"{name}, one core", found[f"{name}, one core"], note)
            if two:
                found[f"{name}, two cores"] = two_rates(copies, worlds, seconds, clock)
                told(f"{name}, two cores", found[f"{name}, two cores"])
        title = f"vector, {max(COPIES)} copies, {kind}, general loops"
        many = 1 if kind == "one world" else max(COPIES)
        found[title] = general_rate(max(COPIES), many, seconds, clock)
        told(title, found[title])
    makers = [partial(SequenceEnv, random_program(0))] * 64
    sync = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    found[SYNC] = loop_rate(sync, 64, seconds, clock)
    native = found["vector, 64 copies, one world, one core"]
    told(SYNC, found[SYNC], f"the native one is {native / found[SYNC]:.0f} x as fast")
    return found


def ratios(seconds: float, clock: str, *, families: bool) -> dict[str, Any]:
    """Time the scalar environment beside a bare one of the same shape."""
    found: dict[str, Any] = {}
    worlds = [("RandomWorlds", random_program(0))]
    if families:
        worlds += [(family, family_programs(family)[0]) for family in FAMILY_ENVS]
    for name, world in worlds:
        if world.ends is not None:
            continue  # its episodes are of no one length
        dims, horizon = len(world.process.visible) + 2, world.horizon
        bare = scalar_rates(Bare(dims, horizon), horizon, seconds / 2, clock)
        ours = scalar_rates(SequenceEnv(world), horizon, seconds / 2, clock)
        pure, whole = (b / o for b, o in zip(bare, ours, strict=True))
        title = f"scalar, {name}, {horizon} steps"
        found[title] = {"bare": bare, "ours": ours, "times slower": (pure, whole)}
        note = f"{pure:.2f} x a bare step (aim {MOST_RATIO:g}); {whole:.2f} x with resets"
        told(title, ours[0], note)
    return found


def main() -> None:
    """Run everything, and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--skip", nargs="*", default=(), choices=("two", "torch", "families"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds, clock, skip = options.seconds, options.clock, options.skip
    gymnasium.register_envs(causalbench.env)
    rates: dict[str, Any] = dict(vector_rates(seconds, clock, two="two" not in skip))
    rates |= fresh_rates(max(COPIES), seconds, clock)
    rates |= ratios(seconds, clock, families="families" not in skip)
    scalar = scalar_rates(SequenceEnv(random_program(0)), 1, seconds, clock)[1]
    vector = rates[f"vector, {max(COPIES)} copies, one world, one core"]
    for name, rate in peers(seconds, clock).items():
        rates[name] = rate
        if isinstance(rate, str):
            print(f"{name:52} {rate}")
        else:
            note = f"our scalar {scalar / rate:.1f} x, our vector {vector / rate:.0f} x as fast"
            told(name, rate, note)
    if "torch" not in skip:
        for name, rate in torch_rates(seconds).items():
            rates[name] = rate
            told(name, rate)
    if options.json:
        options.json.write_text(json.dumps(rates, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
