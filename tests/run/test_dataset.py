"""The dataset folder: rows by their schema, columns of one type, a card that declares them."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from causalbench.run.card import size_category
from causalbench.run.dataset import LINES, ROWS, dataset
from causalbench.run.lines import LINES as LINE_MODELS
from causalbench.run.lines import schema_of
from causalbench.run.plan import cases_of, select
from causalbench.run.write import write_suite
from causalbench.task.encode import dossier_from_dict

SUITES = ("ladder-mini", "umbrella-rain", "homework", "monty-hall")
COLUMNS = {"string": "str", "int64": "int64", "float64": "float64", "bool": "bool"}


def selected(name):
    """Return a suite, little of it where it is large."""
    return select(name, limit=20 if name == "ladder-mini" else None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of some of ladder-mini."""
    path = tmp_path_factory.mktemp("dataset")
    write_suite(selected("ladder-mini"), path, dataset())
    return path


def table(folder, name):
    """Read a table as pandas reads it."""
    kind = "keys" if name == "keys" else "data"
    text = (folder / kind / f"{name}-00000-of-00001.jsonl").read_text(encoding="utf-8")
    return pd.read_json(io.StringIO(text), lines=True)


@pytest.mark.filterwarnings("ignore:suite 'monty-hall'.*gives twins")
@pytest.mark.parametrize("name", SUITES)
def test_every_line_keeps_its_schema(name, tmp_path):
    """Questions and keys, of suites and of a linear world, by the models the schemas come from."""
    write_suite(selected(name), tmp_path, LINES)
    for kind in ("questions", "keys"):
        for line in (tmp_path / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines():
            LINE_MODELS[kind].model_validate_json(line)


@pytest.mark.filterwarnings("ignore:suite 'monty-hall'.*gives twins")
@pytest.mark.parametrize("name", SUITES)
def test_every_row_keeps_its_schema(name, tmp_path):
    """Tables of the dataset folder too."""
    for one in write_suite(selected(name), tmp_path, dataset()):
        model = ROWS[one.path.split("/")[1].split("-")[0]]
        for line in (tmp_path / one.path).read_text(encoding="utf-8").splitlines():
            model.model_validate_json(line)


def test_a_line_with_more_than_the_schema_is_refused(tmp_path):
    """The models forbid what they don't name: a key among the questions would be found."""
    write_suite(select("umbrella-rain", limit=1), tmp_path, LINES)
    line = json.loads((tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()[0])
    line["questions"][0]["truth"] = 0.5
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        LINE_MODELS["questions"].model_validate(line)


def test_answers_of_a_run_keep_their_schema(tmp_path):
    """Estimates and choices, as the log of a run holds them."""
    from causalbench.run import evaluate

    evaluate("see-reader", "umbrella-rain", log_dir=tmp_path)
    (path,) = tmp_path.glob("*/answers.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    said = [LINE_MODELS["answers"].model_validate_json(line) for line in lines]
    assert {one.answer.type for one in said} == {"estimate", "choice"}


def test_schemas_name_their_dialect(folder):
    """Each is JSON Schema of draft 2020-12, written beside the data."""
    for name, model in ROWS.items():
        text = (folder / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
        schema = json.loads(text)
        assert schema == json.loads(json.dumps(schema_of(model, name)))
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(model.model_fields)


@pytest.mark.parametrize("name", sorted(LINE_MODELS))
def test_the_schemas_in_the_docs_are_current(name):
    """What is published is what the classes give."""
    path = Path(__file__).parents[2] / "docs" / "schema" / f"{name}.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == schema_of(LINE_MODELS[name], name)


def card_of(folder):
    """Return the head of a card."""
    _, head, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(head)


def test_the_card_declares_every_file_but_the_keys(folder):
    """A path of each configuration finds its files, and none finds the keys."""
    card = card_of(folder)
    found = {
        one["config_name"]: [
            str(path.relative_to(folder))
            for entry in one["data_files"]
            for path in folder.glob(entry["path"])
        ]
        for one in card["configs"]
    }
    assert found == {
        "questions": ["data/questions-00000-of-00001.jsonl"],
        "dossiers": ["data/dossiers-00000-of-00001.jsonl"],
    }
    assert [one.get("default", False) for one in card["configs"]] == [True, False]


def test_columns_have_the_types_the_card_declares(folder):
    """As pandas reads them, in any order, each has one type."""
    for info in card_of(folder)["dataset_info"]:
        frame = table(folder, info["config_name"])
        assert set(frame.columns) == {one["name"] for one in info["features"]}
        for one in info["features"]:
            if "list" in one:
                cells = frame[one["name"]]
                assert all(isinstance(each, str) for cell in cells for each in cell)
            else:
                assert str(frame[one["name"]].dtype) == COLUMNS[one["dtype"]]


def test_keys_are_numbers_beside_texts(folder):
    """Truths are floats, absent for decisions; the best action is a text, empty for estimates."""
    keys = table(folder, "keys")
    assert str(keys["truth"].dtype) == "float64"
    assert str(keys["best"].dtype) == "str"
    assert ((keys["best"] == "") == keys["truth"].notna()).all()
    assert set(keys["track"]) == {"estimates", "decisions"}


def test_questions_tell_no_key(folder):
    """No column of the questions or the dossiers says side, pair, role or how twins were made."""
    secret = {"pair_id", "side", "role", "base", "construction", "motif", "truth", "floor"}
    for name in ("questions", "dossiers"):
        assert not secret & set(table(folder, name).columns)


def test_tables_join(folder):
    """Every question has its dossier and its key; the dossier is the one that was made."""
    questions, dossiers, keys = (table(folder, n) for n in ("questions", "dossiers", "keys"))
    assert list(questions["id"]) == list(keys["id"])
    assert set(questions["dossier_id"]) == set(dossiers["id"])
    cases = {case.dossier.id: case.dossier for case in cases_of(selected("ladder-mini"))}
    for identity, text, told in zip(
        dossiers["id"], dossiers["text"], dossiers["dossier"], strict=True
    ):
        assert dossier_from_dict(json.loads(told)).to_dict() == cases[identity].to_dict()
        assert text == cases[identity].text


def test_checksums_are_of_the_data(folder):
    """In the form that sha256sum -c reads."""
    for line in (folder / "checksums.txt").read_text(encoding="utf-8").splitlines():
        digest, path = line.split("  ")
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("rows", "name"), [(999, "n<1K"), (1000, "1K<n<10K"), (10**5, "100K<n<1M"), (10**8, "n>10M")]
)
def test_sizes_have_the_hub_s_names(rows, name):
    """As the Hub lists them."""
    assert size_category(rows) == name
