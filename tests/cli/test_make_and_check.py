"""The command line of suites as files, and of the report on a suite."""

from __future__ import annotations

import json

import pytest
from causalbench.cli import app
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cli(*arguments):
    """Run a command line in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_make_writes_a_dataset_folder(here):
    """Data, keys, card, schemas; each file with cases is named with its lines."""
    made = cli("make", "umbrella-rain", "--format", "dataset", "-o", "out", "--limit", 1)
    assert made.exit_code == 0
    assert [line.rpartition(": ")[0] for line in made.stdout.splitlines()] == [
        "out/data/questions-00000-of-00001.jsonl",
        "out/data/dossiers-00000-of-00001.jsonl",
        "out/keys/keys-00000-of-00001.jsonl",
    ]
    assert sorted(path.name for path in (here / "out").iterdir()) == [
        *("README.md", "checksums.txt", "data", "keys", "manifest.json", "schema")
    ]


def test_make_refuses_to_overwrite_any_of_its_files(here):
    """A README that is there is somebody's; --force says otherwise."""
    (here / "README.md").write_text("mine", encoding="utf-8")
    arguments = ("make", "umbrella-rain", "--format", "dataset", "-o", ".", "--limit", 1)
    refused = cli(*arguments)
    assert refused.exit_code == 2
    assert "'README.md' is there already; give --force" in refused.stderr
    assert (here / "README.md").read_text(encoding="utf-8") == "mine"
    assert cli(*arguments, "--force").exit_code == 0


def test_only_a_dataset_can_be_private():
    """Lines tell no seed anyway; an option that does nothing is refused."""
    refused = cli("make", "umbrella-rain", "--private", "-o", "out")
    assert refused.exit_code == 2
    assert "only a dataset tells its seed" in refused.stderr


def test_check_prints_the_report_before_the_verdict():
    """Tables, then the last line."""
    lines = cli("check", "suite", "umbrella-rain").stdout.splitlines()
    assert lines[0].startswith("pairs by type of question")
    assert lines[-1] == "suite umbrella-rain: ok"


def test_check_gives_the_report_as_data():
    """JSON alone on stdout."""
    said = json.loads(cli("check", "suite", "umbrella-rain", "--json").stdout)
    assert (said["ok"], said["report"]["problems"]) == (True, [])
    rows = said["report"]["balance"]["forms"]
    assert {row["rung"] for row in rows} == {1, 2, 3}
