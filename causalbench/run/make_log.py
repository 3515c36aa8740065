"""Write a log to a folder: block by block, and all of it or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from causalbench.env.log import joined
from causalbench.env.record import recorded
from causalbench.errors import AccessError
from causalbench.run.log_card import log_card
from causalbench.run.log_confounding import action_causes, confounded
from causalbench.run.log_formats import MINARI, Face, MinariWriter, ParquetWriter, minari_id
from causalbench.run.log_source import POLICIES, behaviour
from causalbench.run.progress import ticker
from causalbench.run.stage import publish, said, staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from causalbench.env.log import Log
    from causalbench.run.log_formats import Writer
    from causalbench.run.log_source import LogSource
    from causalbench.scm.play import PlayRegime
    from causalbench.truth.policy import Value

__all__ = ["OWNS", "Format", "make_log"]

Format = Literal["parquet", "minari"]
OWNS = (
    "README.md",
    "metadata.json",
    "data/log.parquet",
    "data/main_data.hdf5",
    "data/metadata.json",
)
"""What a log's folder may hold, in either format."""
_CHUNK = 2**16  # steps that are written at once
_LIMIT = 10**6  # histories that a reference value may cost


def make_log(  # noqa: PLR0913  (each argument is a flag of the command)
    source: LogSource,
    folder: Path,
    *,
    policy: str = "natural",
    steps: int = 10**6,
    regime: PlayRegime = "do",
    format_: Format = "parquet",
    rewards: bool = True,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, Any]:
    """Record a log and write it, with a card and metadata; an earlier one there is replaced.

    The same arguments give the same bytes with the same versions of the libraries that write them,
    and the same values with any.

    Args:
        source: what is played.
        folder: made if it isn't there.
        policy: a name of `POLICIES`, or ``"file.py:NAME"``.
        steps: at least so many, in whole episodes.
        regime: ``do``, or ``intent`` for observations that show the natural choice.
        format_: ``parquet`` or ``minari``.
        rewards: False leaves them out, as for imitation.
        seed: at least 0.
        progress: show how far it is, on a terminal.

    Returns:
        What ``metadata.json`` says.

    Raises:
        AccessError: fewer than one step, or a regime that a log can't show.
        LogError: the folder can't be written, or the disk is full: the folder is as it was.
        MissingExtraError: the format needs a package that is not installed.
    """
    if steps < 1:
        raise AccessError(f"a log of {steps} steps holds nothing; ask for at least 1.")
    face, actor = Face.of(source.program), behaviour(policy, source.program)
    about = _about(source, face, policy, regime, seed) | {"format": format_, "rewards": rewards}
    with staged(folder) as stage, ticker(shown=progress, what="steps") as tick:
        tick.name("recording")
        tick.total(steps)
        root = stage / "made"
        with said(folder):
            writer = _writer(root, face, about)
            try:
                held = episodes = 0
                for chunk in _chunks(source, actor, regime, seed, steps):
                    writer.add(chunk)
                    tick(chunk.steps)
                    held, episodes = held + chunk.steps, episodes + chunk.episodes
            finally:
                writer.close()
            tick.name("valuing")
            about |= {"steps": held, "episodes": episodes, "values": _values(source, actor)}
            text = json.dumps(about, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            (root / "metadata.json").write_text(text, encoding="utf-8", newline="\n")
            card = log_card(about, source.program)
            (root / "README.md").write_text(card, encoding="utf-8", newline="\n")
            publish(root, folder, OWNS)
    return about


def _chunks(
    source: LogSource, actor: Any, regime: PlayRegime, seed: int, steps: int
) -> Iterator[Log]:
    """Yield the episodes of a log in parts of some size."""
    parts: list[Log] = []
    left, held = steps, 0
    for block in recorded(source.program, actor, regime, seed=seed):
        parts.append(block.first(left))
        left, held = left - parts[-1].steps, held + parts[-1].steps
        if held >= _CHUNK or left <= 0:
            yield joined(parts)
            parts, held = [], 0
        if left <= 0:
            return


def _about(
    source: LogSource, face: Face, policy: str, regime: PlayRegime, seed: int
) -> dict[str, Any]:
    """Return what is known of a log before it is recorded."""
    from causalbench import __version__

    program, process = source.program, source.program.process
    whether, by = confounded(program) if policy == "natural" else (False, [])
    return {
        "world": source.world,
        "version": source.version,
        "title": source.title,
        "origin": source.origin,
        "family": source.family,
        "knobs": dict(source.knobs),
        "index": source.index,
        "phase": source.phase,
        "play": source.play,
        "digest": source.digest,
        "policy": policy,
        "policy_line": POLICIES.get(policy, f"`{policy}`"),
        "regime": regime,
        "environment": _environment(source, regime),
        "seed": seed,
        "causalbench": __version__,
        "license": "Apache-2.0",
        "hidden": [n for n in process.names if process.variable(n).hidden],
        "unobserved": [n for n in process.visible if n not in program.play.observes],
        "behaviour_reads": action_causes(program) if policy == "natural" else [],
        "confounded": whether,
        "confounders": by,
        "minari": MINARI,
        "dataset_id": minari_id(source.world, "-".join([source.phase or "log", policy])),
        **face.to_dict(),
    }


def _environment(source: LogSource, regime: PlayRegime) -> dict[str, Any] | None:
    """Return how to make the environment to act in, or None where none is registered."""
    if source.env is None:
        return None
    return {"id": source.env[0], "arguments": {**source.env[1], "regime": regime}}


def _spec(environment: dict[str, Any]) -> str:
    """Return an environment as the JSON of a Gymnasium specification."""
    import copy

    import gymnasium

    import causalbench.env  # noqa: F401  (registers it)

    spec = copy.deepcopy(gymnasium.spec(environment["id"]))
    spec.kwargs.update(environment["arguments"])
    return spec.to_json()


def _writer(root: Path, face: Face, about: dict[str, Any]) -> Writer:
    if about["format"] == "parquet":
        told = {name: about[name] for name in ("world", "version", "digest", "policy", "seed")}
        return ParquetWriter(root, face, rewards=about["rewards"], about=json.dumps(told))
    told = {
        "dataset_id": about["dataset_id"],
        "algorithm_name": about["policy"],
        "author": ["causalbench"],
        "description": (
            f"{about['title']}. Behaviour policy: {about['policy']}."
            f" {'Confounded' if about['confounded'] else 'Not confounded'}; see README.md."
        ),
        "requirements": [f"causalbench-ladder=={about['causalbench']}"],
    }
    if about["environment"] is not None:
        told["env_spec"] = _spec(about["environment"])
    return MinariWriter(root, face, rewards=about["rewards"], about=told)


def _values(source: LogSource, actor: Any) -> dict[str, Any]:
    """Return what the behaviour policy and the best of rungs 1 and 2 are worth."""
    from causalbench.truth.policy import Uniform, policy_value, references

    program = source.program
    uniform = Uniform(len(program.force))
    played = policy_value(
        program,
        uniform if isinstance(actor, str) else actor,
        "see" if actor == "natural" and program.play.mode != "bet" else "do",
        limit=_LIMIT,
        rng=np.random.default_rng(0),
    )
    found = references(program, ["see", "do"], limit=_LIMIT)
    return {
        "behaviour": _value(played),
        **{regime: _value(one.value) for regime, one in found.items()},
    }


def _value(value: Value) -> dict[str, Any]:
    return {"value": value.value, "low": value.low, "high": value.high, "exact": value.exact}
