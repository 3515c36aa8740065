"""Time making a suite: verified twin items a second, by size, and where the time goes.

    python benchmarks/make.py [--suite ladder-v1] [--seconds 10] [--cores 1 2] [--cpu] [--json FILE]

An item is a question with its key: exact truth, readings of every rung, and a certificate that was
checked. Its pair is verified: its twins were proved to agree on the rungs below. Sizes are small
(3-5 variables), medium (6-10) and large (20-50). Pairs are taken from the suite's strata in turn,
as the suite has them. With several cores each is a process of its own; starting it, loading the
machine code and the first pairs are not counted. --cpu counts a core's time in use in place of time
passed: on a machine that is busy otherwise, what the same would take on a quiet one.

Nothing public makes comparable items, so no generator stands beside ours. The peer is pyAgrum, a
compiled engine, on the least part of the work: the pairs' truths alone, from ready worlds, without
search, readings, proof, certificate or text. It is given the network with a copy of the variables
for every world of a query; real-valued worlds and means, which it can't be asked of, are left out.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
import warnings
from collections import Counter, defaultdict
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from causalbench.errors import TwinError
from causalbench.task.jobs import jobs_of, spread
from causalbench.task.suite import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.task.jobs import Job
    from causalbench.task.types import Case

SIZES = ("small", "medium", "large")
AIMS = {"small": 2000, "medium": 200, "large": 20}  # items a second on two cores
CPU = "MAKE_BENCHMARK_CPU"  # also tells the processes that are started
WARM = 24  # pairs that are made before the clock starts
STAGES = {  # stage -> functions whose time it is, by module
    "search": {"twin": ("generate", "forge")},
    "words": {"surface": ("tell",), "dossiers": ("worded",)},
    "dress": {"dossiers": ("align", "mask", "_dossiers")},
    "prove": {"dossiers": ("prove",)},
    "truth": {"dossiers": ("truth", "decision_values")},
    "certify": {"dossiers": ("_settled",)},
    "ceiling": {"dossiers": ("pair_ceiling",)},
}


def jobs_by_size(suite: str) -> dict[str, list[Job]]:
    """Return the suite's pairs by size, one of every stratum in turn; small where none is said."""
    recipe = load_suite(suite).recipe
    found: dict[str, list[Job]] = defaultdict(list)
    for job in spread([job for job in jobs_of(recipe, None) if job.role == "skill"]):
        _, stratum, index = job.build.args  # type: ignore[attr-defined]
        order = getattr(stratum, "order", None)
        found[order(index).size if order else "small"].append(job)
    return found


def clock() -> float:
    """Return seconds: passed, or where --cpu is given, in which this process was at work."""
    return time.process_time() if os.environ.get(CPU) else time.perf_counter()


def make_for(
    jobs: Sequence[Job], seconds: float, seed: int
) -> tuple[list[list[Case]], Counter[str]]:
    """Make pairs for so long, and count what could not be made."""
    made: list[list[Case]] = []
    failed: Counter[str] = Counter()
    end = clock() + seconds
    for job in jobs:
        try:
            made.append(job.build(seed))
        except TwinError as error:
            failed[type(error).__name__] += 1
        if clock() >= end:
            break
    return made, failed


def items_in(made: Sequence[list[Case]]) -> int:
    """Count the items of pairs."""
    return sum(len(case.items) for pair in made for case in pair)


def work(suite: str, size: str, turn: int, cores: int, seconds: float, seed: int, gate: Any) -> Any:
    """Make pairs in a process of its own, once all processes are warm."""
    jobs = jobs_by_size(suite)[size]
    make_for(jobs[:WARM], 60.0, seed + 1)
    gate.wait()
    start = clock()
    made, failed = make_for(jobs[turn::cores], seconds, seed)
    return items_in(made), len(made), sum(failed.values()), clock() - start


def rate(suite: str, size: str, cores: int, seconds: float, seed: int) -> dict[str, float]:
    """Return items and pairs a second on so many cores."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(cores) as pool:
        gate = manager.Barrier(cores)
        begun = [
            pool.apply_async(work, (suite, size, turn, cores, seconds, seed, gate))
            for turn in range(cores)
        ]
        done = [each.get() for each in begun]
    return {
        "items": sum(items / took for items, _, _, took in done),
        "pairs": sum(pairs / took for _, pairs, _, took in done),
        "failed": sum(failed for _, _, failed, _ in done),
    }


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Add up the seconds that each stage takes; no stage runs inside another."""
    from importlib import import_module

    spent: dict[str, float] = dict.fromkeys(STAGES, 0.0)
    before = []

    def wrapped(function: Any, stage: str) -> Any:
        @wraps(function)
        def run(*args: Any, **more: Any) -> Any:
            start = clock()
            try:
                return function(*args, **more)
            finally:
                spent[stage] += clock() - start

        return run

    for stage, places in STAGES.items():
        for name, functions in places.items():
            module = import_module(f"causalbench.task.{name}")
            for each in functions:
                if hasattr(module, each):
                    before.append((module, each, getattr(module, each)))
                    setattr(module, each, wrapped(getattr(module, each), stage))
    try:
        yield spent
    finally:
        for module, each, function in before:
            setattr(module, each, function)


def peer_seconds(made: Sequence[list[Case]]) -> tuple[float, int, float]:
    """Return what pyAgrum takes for the truths of some items, how many, and its largest error."""
    from recompute import Closed, network, targets

    took, count, worst = 0.0, 0, 0.0
    for pair in made:
        for case in pair:
            for item in case.items:
                asked = list(targets(case, item))
                start = clock()
                try:
                    values = [network(target)[0] for target in asked]
                except Closed:
                    continue
                took += clock() - start
                count += 1
                gaps = (abs(v - t.key) for v, t in zip(values, asked, strict=True))
                worst = max(worst, *gaps)
    return took, count, worst


def print_rates(args: argparse.Namespace, sizes: Sequence[str], found: dict[str, Any]) -> None:
    """Print items a second, by size and cores."""
    kind = "second of a core in use" if args.cpu else "second"
    print(f"{args.suite}, seed {args.seed}: verified twin items a {kind}, with certificates\n")
    columns = "".join(f"{f'{cores} core(s)':>12}" for cores in args.cores)
    print(f"{'size':<9}{columns}{'aim, 2 cores':>14}{'of the aim':>12}{'not made':>10}")
    for size in sizes:
        rates = {
            cores: rate(args.suite, size, cores, args.seconds, args.seed) for cores in args.cores
        }
        most = max(args.cores)
        share = rates[most]["items"] / AIMS[size] * 2 / most
        shown = "".join(f"{each['items']:12.0f}" for each in rates.values())
        failed = int(sum(each["failed"] for each in rates.values()))
        print(f"{size:<9}{shown}{AIMS[size]:>14}{share:>11.2f}x{failed:>10}")
        found[size]["rates"] = rates


def print_stages(
    args: argparse.Namespace, sizes: Sequence[str], found: dict[str, Any]
) -> dict[str, list[list[Case]]]:
    """Print where the time of an item goes, and return some pairs of each size."""
    print("\nmilliseconds an item on one core, by stage\n")
    print(f"{'size':<9}{'all':>8}{''.join(f'{stage:>9}' for stage in STAGES)}{'rest':>9}")
    samples = {}
    for size in sizes:
        jobs = jobs_by_size(args.suite)[size]
        make_for(jobs[:WARM], 60.0, args.seed + 1)
        with timed() as spent:
            start = clock()
            made, _ = make_for(jobs, args.seconds, args.seed)
            whole = clock() - start
        count = items_in(made)
        rest = whole - sum(spent.values())
        cells = "".join(f"{1e3 * each / count:9.2f}" for each in (*spent.values(), rest))
        print(f"{size:<9}{1e3 * whole / count:8.2f}{cells}")
        found[size]["stages"] = {**spent, "all": whole, "items": count}
        samples[size] = made[: args.peer]
    return samples


def print_peer(samples: Mapping[str, Sequence[list[Case]]], found: dict[str, Any]) -> None:
    """Print what pyAgrum takes for the truths alone; end where it finds others."""
    print("\nthe truths of the same items alone, from ready worlds, milliseconds an item\n")
    print(f"{'size':<9}{'items':>7}{'pyAgrum':>10}{'ours: all of the above':>25}{'ratio':>8}")
    for size, made in samples.items():
        took, count, worst = peer_seconds(made)
        stages = found[size]["stages"]
        ours = stages["all"] / stages["items"]
        theirs = took / max(count, 1)
        print(f"{size:<9}{count:>7}{1e3 * theirs:>10.2f}{1e3 * ours:>25.2f}{theirs / ours:>7.1f}x")
        found[size]["peer"] = {"seconds": took, "items": count, "worst": worst}
        if not worst <= 1e-9:  # noqa: PLR2004
            sys.exit(f"pyAgrum's values differ by {worst:.3g}: one of the two is wrong")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="ladder-v1")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each size and cores")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peer", type=int, default=40, help="pairs of each size for the peer")
    parser.add_argument("--cpu", action="store_true", help="count the cores' time in use")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.cpu:
        os.environ[CPU] = "1"
    warnings.simplefilter("ignore")
    sizes = [size for size in SIZES if jobs_by_size(args.suite).get(size)]
    found: dict[str, Any] = {size: {} for size in sizes}
    print_rates(args, sizes, found)
    samples = print_stages(args, sizes, found)
    print_peer(samples, found)
    if args.json:
        args.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
