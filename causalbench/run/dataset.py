"""The two sets of files that a suite can be written as.

`LINES` is causalbench's own: ``questions.jsonl``, a dossier and its questions a line, and
``keys.jsonl``. `dataset()` is a folder as the Hugging Face Hub and its library take it: flat rows
whose columns keep one type from the first row to the last, a card, schemas, checksums; the keys are
in a folder of their own, outside of what the card declares.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field

from causalbench.run.card import card, features_of
from causalbench.run.lines import Cell, Count, Ends, Form, Rung, Share, Side, schema_of
from causalbench.run.write import Layout, Made
from causalbench.task.encode import canonical_json, key_to_dict
from causalbench.task.suite import case_to_dict
from causalbench.task.types import Kind, Role, Track  # noqa: TC001  (pydantic reads annotations)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causalbench.run.plan import Selection
    from causalbench.run.write import Written
    from causalbench.task.types import Case, Item

__all__ = ["LINES", "ROWS", "DossierRow", "KeyRow", "QuestionRow", "dataset"]


class QuestionRow(Form):
    """A row of ``data/questions``: one question."""

    id: str
    dossier_id: str
    query: str
    kind: Kind
    actions: list[str] = Field(description="The labels to choose from; empty for an estimate.")
    decision_id: str = Field(description='"" for an estimate.')
    observation: str = Field(description='A JSON object; "" where nothing is seen first.')
    text: str
    rung: Rung
    cell: Cell
    form: str = Field(description='The type of question; "" where the suite does not say.')
    access: str
    size: str
    family: str
    surface: str


class DossierRow(Form):
    """A row of ``data/dossiers``: what the agent is told of one world."""

    id: str
    cell: Cell
    variables: list[str]
    rows: Count = Field(description="How many watched units it holds.")
    text: str = Field(description="The dossier in words.")
    dossier: str = Field(description="The same as JSON: the dossier of a line of questions.jsonl.")


class KeyRow(Form):
    """A row of ``keys``: the key of one question. Secret."""

    id: str = Field(description="The question's.")
    dossier_id: str
    pair_id: str
    side: Side
    role: Role
    rung: Rung
    track: Track
    cell: Cell
    base: str
    construction: str
    form: str
    access: str
    size: str
    motif: str
    family: str
    surface: str
    truth: float | None = Field(description="Of an estimate; null for a decision.")
    best: str = Field(description='The best action of a decision; "" for an estimate.')
    values: list[float] = Field(description="What each action is worth; empty for an estimate.")
    weight: Share
    floor: float = Field(ge=0.0)
    identified: bool
    proof: str
    estimand: str
    lower: float | None
    upper: float | None
    sharp: bool
    option_bounds: list[Ends] = Field(
        description="Least and largest worth of each action, where a decision is not settled."
    )
    readings: str = Field(description="A JSON object: marginal, see, do, imagine.")


ROWS: dict[str, type[Form]] = {"questions": QuestionRow, "dossiers": DossierRow, "keys": KeyRow}
"""Name of a table of a dataset -> what its rows are."""


def _block(records: Iterable[object]) -> bytes:
    """Return a line a record, in canonical JSON."""
    return "".join(f"{canonical_json(record)}\n" for record in records).encode()


def _lines(case: Case) -> Made:
    """Write a case as a line of questions and a line of keys."""
    made = case_to_dict(case)
    questions = {"dossier": made["dossier"], "questions": made["questions"]}
    keys = {
        "dossier": case.dossier.id,
        "placement": made["placement"],
        "keys": made["keys"],
    }
    return Made(case.placement, (_block([questions]), _block([keys])))


def _nothing(selection: Selection, written: Sequence[Written], cases: int) -> dict[str, str]:
    del selection, written, cases
    return {}


def _rows(case: Case) -> Made:
    """Write a case as rows of the dataset's tables."""
    dossier = case.dossier
    told = {
        "id": dossier.id,
        "cell": dossier.cell,
        "variables": list(dossier.names),
        "rows": len(dossier.rows),
        "text": dossier.text,
        "dossier": canonical_json(dossier.to_dict()),
    }
    return Made(
        case.placement,
        (
            _block(_question_row(case, item) for item in case.items),
            _block([told]),
            _block(_key_row(case, item) for item in case.items),
        ),
    )


def _question_row(case: Case, item: Item) -> dict[str, Any]:
    question, traits = item.question, case.placement.traits
    seen = question.observation
    return {
        "id": question.id,
        "dossier_id": case.dossier.id,
        "query": question.query,
        "kind": question.kind,
        "actions": list(question.actions),
        "decision_id": question.decision_id or "",
        "observation": "" if seen is None else canonical_json(dict(seen)),
        "text": question.text,
        "rung": item.key.rung,
        "cell": case.dossier.cell,
        # What the question and the dossier tell anyway; the motif of the diagram is not told.
        "form": traits.form,
        "access": traits.access,
        "size": traits.size,
        "family": traits.family,
        "surface": traits.surface,
    }


def _key_row(case: Case, item: Item) -> dict[str, Any]:
    key, place = key_to_dict(item.key), case.placement
    proof, truth = key["certificate"], key["truth"]
    low, high = proof["bounds"] or (None, None)
    return {
        "id": key["question_id"],
        "dossier_id": case.dossier.id,
        "pair_id": place.pair_id,
        "side": place.side,
        "role": place.role,
        "rung": key["rung"],
        "track": place.track,
        "cell": place.cell,
        "base": place.base,
        "construction": place.construction,
        "form": place.traits.form,
        "access": place.traits.access,
        "size": place.traits.size,
        "motif": place.traits.motif,
        "family": place.traits.family,
        "surface": place.traits.surface,
        "truth": None if isinstance(truth, str) else truth,
        "best": truth if isinstance(truth, str) else "",
        "values": key["values"],
        "weight": key["weight"],
        "floor": key["floor"],
        "identified": proof["identified"],
        "proof": proof["proof"],
        "estimand": proof["estimand"],
        "lower": low,
        "upper": high,
        "sharp": proof["sharp"],
        "option_bounds": proof.get("option_bounds", []),
        "readings": canonical_json(key["readings"]),
    }


def _beside(
    selection: Selection, written: Sequence[Written], cases: int, *, private: bool
) -> dict[str, str]:
    """Return the card, the manifest, the schemas and the checksums."""
    from causalbench import __version__

    manifest = {
        "suite": selection.suite_name,
        "version": selection.suite_version,
        "digest": selection.digest,
        "seed": None if private else selection.seed,
        "limit": selection.limit,
        "where": selection.where,
        "causalbench": __version__,
        "dossiers": cases,
        "questions": sum(one.lines for one in written if one.path.startswith("data/questions-")),
    }
    schemas = {
        f"schema/{name}.schema.json": _pretty(schema_of(model, name))
        for name, model in ROWS.items()
    }
    public = {name: ROWS[name] for name in ("questions", "dossiers")}
    sums = "".join(f"{one.digest}  {one.path}\n" for one in sorted(written, key=lambda w: w.path))
    return {
        "README.md": card(manifest, features_of(public)),
        "manifest.json": _pretty(manifest),
        "checksums.txt": sums,
        **schemas,
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


LINES = Layout(
    files=("questions.jsonl", "keys.jsonl"),
    finish=_lines,
    beside=_nothing,
    owns=("questions.jsonl", "keys.jsonl"),
)
"""A dossier and its questions a line, and their keys apart."""


def dataset(*, private: bool = False) -> Layout:
    """Return the layout of a dataset folder: see `causalbench.run.card`.

    Args:
        private: keep the seed out of what is written; whoever has it can make the keys.
    """
    return Layout(
        files=(
            "data/questions-{shard}.jsonl",
            "data/dossiers-{shard}.jsonl",
            "keys/keys-{shard}.jsonl",
        ),
        finish=_rows,
        beside=partial(_beside, private=private),
        owns=(
            "README.md",
            "manifest.json",
            "checksums.txt",
            "schema/*.schema.json",
            "data/questions-*.jsonl",
            "data/dossiers-*.jsonl",
            "keys/keys-*.jsonl",
        ),
    )
