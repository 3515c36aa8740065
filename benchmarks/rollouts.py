"""Play a million episodes of every reference policy, and hold what they earn to the exact value.

    python benchmarks/rollouts.py [--episodes 1000000] [--limit 1000000] [--world NAME ...]

The solver works values out from tables and never draws; the environments draw and never solve. What
stands in the last column is how far they are apart, in standard errors: of fifty figures or so one
may well be beyond 2, none beyond 4. Ends with 1 if any is beyond 5.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import TYPE_CHECKING

import numpy as np

from causalbench.env import SequenceVectorEnv
from causalbench.task.sequential import FAMILIES, load_sequence
from causalbench.truth.policy import Moment, policy_value, reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program
    from causalbench.truth.policy import Policy

BATCH = 50_000
REGIMES: tuple[PlayRegime, ...] = ("see", "do", "intent", "replay")
BEYOND = 5.0
ROUNDING = 1e-9


def earned(
    program: Program, policy: Policy, regime: PlayRegime, episodes: int
) -> NDArray[np.float64]:
    """Return the returns of episodes in the vector environment, float64[episodes]."""
    env, rng = SequenceVectorEnv(program, BATCH, regime), np.random.default_rng(0)
    batches = []
    for batch in range(max(1, episodes // BATCH)):
        seen, _ = env.reset(seed=batch * BATCH)
        memory = policy.begin(BATCH)
        action, paid = np.full(BATCH, -1), np.zeros(BATCH)
        total, going, step = np.zeros(BATCH), np.ones(BATCH, dtype=np.bool_), 0
        while going.any():
            chances, memory = policy.act(Moment(np.asarray(seen), action, paid, step), memory)
            sums = np.cumsum(chances, axis=1)
            drawn = rng.random(BATCH) * sums[:, -1]
            action = np.minimum((sums <= drawn[:, None]).sum(axis=1), chances.shape[1] - 1)
            seen, paid, ended, _, _ = env.step(action)
            total += np.where(going, paid, 0.0)  # a copy whose episode is over has begun another
            going &= ~ended
            step += 1
        batches.append(total)
    env.close()
    return np.concatenate(batches)


def compare(name: str, regime: PlayRegime, episodes: int, limit: int) -> float | None:
    """Print one line, and return how many standard errors lie between the two values, if any."""
    begun = time.perf_counter()
    program = load_sequence(name).program()
    found = reference(program, regime, limit=limit)
    place = f"{name:20s} {regime:7s}"
    if found.policy is None or not found.value.exact:
        told = f"[{found.value.low:.6f} {found.value.high:.6f}]"
        print(f"{place} {told}: an interval at this limit, so there is no policy to play")
        return None
    under: PlayRegime = "do" if regime == "see" else regime
    exact = policy_value(program, found.policy, under).value
    sample = earned(program, found.policy, under, episodes)
    error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
    apart = abs(float(sample.mean()) - exact)
    away = 0.0 if apart <= ROUNDING else apart / error
    seconds = time.perf_counter() - begun
    print(
        f"{place} exact {exact:.6f}  played {sample.mean():.6f} +- {error:.6f}"
        f"  {away:4.1f} standard errors  {len(sample):,} episodes  {seconds:.0f} s",
        flush=True,
    )
    return away


def main() -> None:
    """Compare all families and regimes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--episodes", type=int, default=10**6)
    parser.add_argument("--limit", type=int, default=10**6)
    parser.add_argument("--world", action="append", choices=list(FAMILIES))
    given = parser.parse_args()
    compared = [
        compare(name, regime, given.episodes, given.limit)
        for name in given.world or FAMILIES
        for regime in REGIMES
    ]
    found = [away for away in compared if away is not None]
    print(f"the farthest of {len(found)} lies {max(found, default=0.0):.1f} standard errors away")
    raise SystemExit(max(found, default=0.0) > BEYOND)


if __name__ == "__main__":
    main()
