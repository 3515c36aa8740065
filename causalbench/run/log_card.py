"""Write the card of a log: who acted in it, on what, and what that does to who learns from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.run.log_confounding import forced_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from causalbench.scm.program import Program

__all__ = ["log_card"]

_BODY = """
# A log of {world}{phase}

{title}. {episodes} episodes of at most {horizon} steps, {steps} steps in all.

| | |
| --- | --- |
| world | `{world}` version {version}{phase} |
| decision | `{play}` |
| digest of what is played | `{digest}` |
| behaviour policy | `{policy}` |
| observations | as regime `{regime}` shows them |
| rewards | {paid} |
| seed | {seed} |
| made by | causalbench {causalbench} |
| licence | Apache-2.0 |
| source of the world | {origin} |

## Who acted

{acted}

## What the log does not show

{unshown}

## What that does

{effect}

## What it is worth

Returns are scaled to [0, 1], and values are expected returns.{there}

| policy | value |
| --- | --- |
{values}

## Files

{files}
"""
_NATURAL = """\
Nobody: the log was watched. {forced} followed the world's own mechanisms, which read {read}. A step
is an instance of every action whose settings its values satisfy, and of `pass`: `matches` lists
them all, and `action` is the first that is not `pass`."""
_BETS = """\
A bet was drawn at random at each step. Bets change nothing, so the course is nature's."""
_RANDOM = """\
Each of the {count} actions was set with probability 1/{count}, whatever was seen. A step is an
instance of the action that was set, and of no other."""
_POLICY = """\
A policy that acts on what the log shows: {line}. A step is an instance of the action that was set,
and of no other."""
_OPEN = """\
**The log is confounded.** {names} {move} both what was done and what is paid, and no row tells
{it}. The rewards of the steps in which something was done are not those of doing it: a learner that
takes the log at its word learns the former (rung 1), however many rows it is given."""
_NONE = """\
The log is not confounded: given all that was seen and done before, the rewards of the steps in
which something was done are those of doing it. (Given the last observation alone they need not
be.)"""
_SET = """\
The log is not confounded: what was done was set, knowing no more than the log shows."""
_PARQUET = """\
| path | what |
| --- | --- |
| `data/log.parquet` | a row a step |
| `metadata.json` | the above for programs, and what the codes mean |

| column | what |
| --- | --- |
| `episode`, `step` | both counted from 0 |
| `obs_<variable>` | what was seen before the action; `unseen` where it was not |
| `next_<variable>` | what was seen after it |
| `action`, `action_label` | what was done; null where it is none of the actions |
| `matches` | the indices of all actions that the step is an instance of |{reward}
| `terminal` | whether the episode ended with the step |

```python
import pandas as pd

log = pd.read_parquet("data/log.parquet")
```"""
_MINARI = """\
| path | what |
| --- | --- |
| `data/main_data.hdf5`, `data/metadata.json` | the layout of Minari {minari} |
| `metadata.json` | the above for programs, and what the codes mean |

Observations and actions are codes; `metadata.json` gives their meaning. In `infos/matches` row
t + 1 says which actions step t is an instance of.{reward}

```python
import minari

log = minari.MinariDataset("data")
```

Placed at `{dataset_id}` in Minari's folder, `minari.load_dataset("{dataset_id}")` finds it."""


def log_card(about: Mapping[str, Any], program: Program) -> str:
    """Return a log's README.

    Args:
        about: what metadata.json says.
        program: what was played.
    """
    import yaml

    from causalbench.run.card import size_category

    parquet = about["format"] == "parquet"
    head: dict[str, Any] = {
        "license": "apache-2.0",
        "pretty_name": f"causalbench log of {about['world']}",
        "size_categories": [size_category(about["steps"])],
        "task_categories": ["reinforcement-learning"],
        "tags": ["causality", "offline-rl", "confounding", "synthetic"],
    }
    if parquet:
        files = [{"split": "train", "path": "data/log.parquet"}]
        head["configs"] = [{"config_name": "default", "data_files": files}]
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    rewards = about["rewards"]
    body = _BODY.format(
        **{
            **about,
            "title": about["title"].rstrip("."),
            "phase": f", phase `{about['phase']}`" if about["phase"] else "",
            "paid": "recorded" if rewards else "left out",
            "acted": _acted(about, program),
            "unshown": _unshown(about),
            "effect": _effect(about),
            "values": "\n".join(_values(about)),
            "there": _there(about["environment"]),
            "files": _files(about, parquet=parquet, rewards=rewards),
        }
    )
    return f"---\n{front}---\n{body}"


def _acted(about: Mapping[str, Any], program: Program) -> str:
    if about["policy"] == "natural":
        if program.play.mode == "bet":
            return _BETS
        return _NATURAL.format(
            forced=_listed(forced_names(program)),
            read=_listed(about["behaviour_reads"]) or "nothing",
        )
    if about["policy"] == "random":
        return _RANDOM.format(count=len(program.play.actions))
    return _POLICY.format(line=about["policy_line"])


def _unshown(about: Mapping[str, Any]) -> str:
    lines = []
    if about["hidden"]:
        lines.append(f"Hidden, and in no file: the values of {_listed(about['hidden'])}.")
    if about["unobserved"]:
        lines.append(f"Visible in the world, but not shown here: {_listed(about['unobserved'])}.")
    return " ".join(lines) or "Nothing: every variable is shown."


def _effect(about: Mapping[str, Any]) -> str:
    if about["policy"] != "natural":
        return _SET
    if not about["confounded"]:
        return _NONE
    names = about["confounders"]
    several = len(names) > 1
    return _OPEN.format(
        names=_listed(names) or "What is hidden",
        move="move" if several else "moves",
        it="them" if several else "it",
    )


def _there(environment: Mapping[str, Any] | None) -> str:
    """Say how to make the environment in which policies are tried."""
    if environment is None:
        return ""
    told = [f'"{environment["id"]}"']
    told += [f"{name}={value!r}" for name, value in environment["arguments"].items()]
    return f" Policies are tried in\n`gymnasium.make({', '.join(told)})`."


def _values(about: Mapping[str, Any]) -> Iterable[str]:
    names = {
        "behaviour": "the behaviour policy",
        "see": "best by the conditionals of the natural log (rung 1), once it acts",
        "do": "best of those that act on what is seen (rung 2)",
    }
    for name, value in about["values"].items():
        if value["exact"]:
            said = f"{value['value']:.6g}"
        else:
            said = f"{value['low']:.6g} to {value['high']:.6g}"
        yield f"| {names[name]} | {said} |"


def _files(about: Mapping[str, Any], *, parquet: bool, rewards: bool) -> str:
    if parquet:
        reward = "\n| `reward` | what the step paid |" if rewards else ""
        return _PARQUET.format(reward=reward)
    reward = "" if rewards else " Rewards are NaN: they were left out."
    return _MINARI.format(minari=about["minari"], dataset_id=about["dataset_id"], reward=reward)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
