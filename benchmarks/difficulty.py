"""Measure how hard each kind of task of a suite is, and write what ``--difficulty`` reads.

    python benchmarks/difficulty.py [--suite ladder-v1] [--seed 0] [--limit 1050] [--jobs 2]
                                    [--out tasks/difficulty]

The controls and three agents play the suite. The control ``exact`` does not: handed the key, it
finds nothing hard. A stratum (type of question, terms, size, family) has the mean difficulty and
discrimination of its items (`causalbench.score.items`); easy, medium and hard are the thirds of the
strata. The figures hold for one version of a suite.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import causalbench as cb
from causalbench.run.identity import versions
from causalbench.score.items import strata_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AGENTS = ("model-diagram", "model-learned", "dowhy")
CONTROLS = (
    *("random", "constant", "majority", "see-reader", "do-reader"),
    *("reachability", "adjacency", "edge-count", "win-stay-lose-shift"),
)
DIGITS = 4
TOLD = ("causalbench", "numpy", "scipy", "dowhy", "pgmpy")  # whose versions the figures depend on


def measured(run: cb.Run, limit: int | None) -> dict[str, Any]:
    """Return the figures of a run, as they are written."""
    strata = strata_rows(run.item_rows())
    cuts = np.quantile([row["difficulty"] for row in strata.values()], [1 / 3, 2 / 3])
    found = versions()
    return {
        "suite": run.suite,
        "version": int(run.version),
        "measured": {
            "seed": run.seed,
            "limit": limit,
            "digest": run.digest,
            "agents": list(dict.fromkeys(record.agent for record in run.records)),
            "versions": {name: found[name] for name in TOLD},
        },
        "cuts": [round(float(cut), DIGITS) for cut in cuts],
        "strata": {name: _figures(row) for name, row in strata.items()},
    }


def text(figures: Mapping[str, Any]) -> str:
    """Write the figures as YAML, a line a stratum."""
    told = figures["measured"]
    lines = [
        "# Written by benchmarks/difficulty.py: stratum: [difficulty, discrimination, items]",
        f"suite: {figures['suite']}",
        f"version: {figures['version']}",
        "measured:",
        f"  seed: {told['seed']}",
        f"  limit: {'null' if told['limit'] is None else told['limit']}",
        f"  digest: {told['digest']}",
        f"  agents: [{', '.join(told['agents'])}]",
        "  versions:",
        *(f'    {name}: "{version}"' for name, version in told["versions"].items()),
        f"cuts: [{figures['cuts'][0]}, {figures['cuts'][1]}]",
        "strata:",
        *(
            f"  {name}: [{', '.join('null' if each is None else str(each) for each in row)}]"
            for name, row in figures["strata"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def report(figures: Mapping[str, Any]) -> None:
    """Print the mean difficulty and discrimination by each part of a stratum's name."""
    split = [(name.split("/"), row) for name, row in figures["strata"].items()]
    for place, part in enumerate(("form", "terms", "size", "family")):
        print(f"\n{part:<28}{'strata':>8}{'items':>8}{'difficulty':>12}{'discrimination':>16}")
        for value in dict.fromkeys(names[place] for names, _ in split):
            _line(value, [row for names, row in split if names[place] == value])


def main() -> None:
    """Run the agents, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="ladder-v1")
    parser.add_argument("--seed", type=int, default=0)
    # Of ladder-v1 five pairs a stratum, the fewest that meet all sizes.
    parser.add_argument("--limit", type=int, default=1050, help="pairs; 0 for all")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("tasks/difficulty"))
    given = parser.parse_args()
    limit = given.limit or None
    began = time.perf_counter()
    run = cb.evaluate(
        [*AGENTS, *CONTROLS],
        given.suite,
        seed=given.seed,
        limit=limit,
        jobs=given.jobs,
        where={"role": "skill"},
        progress=True,
    )
    figures = measured(run, limit)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{run.suite}.yaml"
    path.write_text(text(figures), encoding="utf-8")
    report(figures)
    seconds = time.perf_counter() - began
    cuts = ", ".join(map(str, figures["cuts"]))
    print(f"\n{path}: {len(figures['strata'])} strata, cuts {cuts}; {seconds:.0f} s")


def _figures(row: Mapping[str, Any]) -> list[float | int | None]:
    known = row["discrimination"]
    return [
        round(row["difficulty"], DIGITS),
        None if known is None else round(known, DIGITS),
        row["items"],
    ]


def _line(value: str, rows: Sequence[Sequence[Any]]) -> None:
    known = [row[1] for row in rows if row[1] is not None]
    tells = f"{np.mean(known):.2f}" if known else "-"
    hard = float(np.mean([row[0] for row in rows]))
    print(f"{value:<28}{len(rows):>8}{sum(row[2] for row in rows):>8}{hard:>12.2f}{tells:>16}")


if __name__ == "__main__":
    main()
