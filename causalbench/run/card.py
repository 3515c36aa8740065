"""Write the card of a dataset folder: what it is, how it is read, and what must not be published.

The head is YAML as the Hugging Face Hub reads it: two configurations, each with one split and its
columns' types, so that nothing has to be guessed from the first rows. The keys are in none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

__all__ = ["card", "features_of", "size_category"]

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
_TYPES = {str: "string", int: "int64", float: "float64", bool: "bool"}
_BODY = """
# {suite} version {version}, seed {seed}

{dossiers} worlds and {questions} questions on the three rungs of Pearl's ladder: see, do, imagine.
Every question has an exact key and a certificate that says whether what is told settles it. Most
worlds come in twins: two worlds that agree on everything the rung below reveals, and whose answers
differ. A solver that is confined to the rung below has expected skill of at most zero.

| | |
| --- | --- |
| suite | `{suite}` version {version} |
| seed | {seed} |
| digest of the suite | `{digest}` |
| limit, filter | {limit}, {where} |
| made by | causalbench {causalbench} |

## Files

| path | a row is |
| --- | --- |
| `data/questions-*.jsonl` | a question: query, text, actions, the id of its dossier |
| `data/dossiers-*.jsonl` | a dossier: what is told of one world, in words and as JSON |
| `keys/keys-*.jsonl` | the key of a question: **secret** |
| `schema/*.schema.json` | the JSON Schema of a row of each |
| `checksums.txt` | SHA-256 of the data, as `sha256sum -c` reads it |

```python
from datasets import load_dataset

questions = load_dataset("path/of/this/folder", "questions", split="test")
dossiers = load_dataset("path/of/this/folder", "dossiers", split="test")
text = dict(zip(dossiers["id"], dossiers["text"]))
prompt = text[questions[0]["dossier_id"]] + "\\n\\n" + questions[0]["text"]
```

A dossier stands once, however many questions are asked about it. What nests stands as JSON text
(`dossier`, `observation`, and `readings` in the keys), so that a column has one type throughout.
Agents that act in an environment or ask a lab for experiments need causalbench itself, and what the
rows hold of those worlds is what is told before they do.

## Before you publish this

- Leave `keys/` out. Answers that can be looked up measure nothing, and end in training data.
- {warning}
- Ask each question in a fresh context. Twins stand far apart and their ids say nothing, but an
  answerer that remembers one when it meets the other knows more than it was told.
- Don't tune on it. The same suite with another seed is as good, and costs a command.

## Score answers

With the keys, `causalbench` scores answers by pair, not by item: skill is 1 - sum of losses / sum
of floors over whole pairs, and a pair's floor is the least that two equal answers lose on its
twins. A mean over single items is not skill.
"""
_OPEN = (
    "The seed is written above, and with it anybody can make the keys: this set is for comparing "
    "methods in the open. For a private test take a seed that nobody guesses and make it with "
    "`--private`."
)
_PRIVATE = (
    "The seed was left out: whoever has it can make the keys. Keep it with them, and take care "
    "that it is a long random number; small ones can be tried one after the other."
)


def card(manifest: Mapping[str, Any], features: Mapping[str, list[dict[str, Any]]]) -> str:
    """Return a dataset's README.

    Args:
        manifest: what the folder says of itself; a seed of None was withheld.
        features: name of a configuration -> its columns (`features_of`).
    """
    import yaml

    head = {
        "license": "apache-2.0",
        "pretty_name": f"causalbench {manifest['suite']}",
        "language": ["en"],
        "size_categories": [size_category(manifest["questions"])],
        "task_categories": ["question-answering", "other"],
        "tags": ["causality", "causal-inference", "counterfactuals", "benchmark", "synthetic"],
        "configs": [
            {
                "config_name": name,
                "data_files": [{"split": "test", "path": f"data/{name}-*.jsonl"}],
                **({"default": True} if number == 0 else {}),
            }
            for number, name in enumerate(features)
        ],
        "dataset_info": [
            {"config_name": name, "features": columns} for name, columns in features.items()
        ],
    }
    withheld = manifest["seed"] is None
    where = manifest["where"] or {}
    body = _BODY.format(
        **{
            **manifest,
            "seed": "withheld" if withheld else manifest["seed"],
            "limit": "none" if manifest["limit"] is None else manifest["limit"],
            "where": ", ".join(f"{key}={value}" for key, value in where.items()) or "none",
            "warning": _PRIVATE if withheld else _OPEN,
        }
    )
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n{body}"


def features_of(models: Mapping[str, type[BaseModel]]) -> dict[str, list[dict[str, Any]]]:
    """Return the columns of each table as a card declares them.

    Args:
        models: name -> row, with fields of text, numbers, truth values, or lists of one of those.
    """
    return {
        name: [_feature(column, field.annotation) for column, field in model.model_fields.items()]
        for name, model in models.items()
    }


def size_category(rows: int) -> str:
    """Return the Hub's name for so many rows."""
    return next((name for most, name in _SIZES if rows < most), "n>10M")


def _feature(name: str, kind: Any) -> dict[str, Any]:
    if get_origin(kind) is list:
        return {"name": name, "list": _dtype(get_args(kind)[0])}
    return {"name": name, "dtype": _dtype(kind)}


def _dtype(kind: Any) -> str:
    """Return a type's name; one of several texts is a text."""
    options = get_args(kind)
    return _TYPES[kind if kind in _TYPES else type(options[0])]
