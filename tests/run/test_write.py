"""Writing a suite: in its order, all of it or nothing, the same with any number of processes."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time

import pytest

from causalbench.errors import LogError, NotFoundError
from causalbench.run import write
from causalbench.run.dataset import LINES, dataset
from causalbench.run.plan import cases_of, select
from causalbench.run.write import write_suite
from causalbench.task.encode import canonical_json
from causalbench.task.suite import case_to_dict


def contents(folder):
    """Return every file below a folder, by its path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_lines_are_the_cases_in_their_order(tmp_path):
    """Each line is what a case is as a dict, and the lines stand as the suite orders its cases."""
    selection = select("umbrella-rain", seed=3)
    write_suite(selection, tmp_path, LINES)
    made = [case_to_dict(case) for case in cases_of(selection)]
    questions = [{"dossier": one["dossier"], "questions": one["questions"]} for one in made]
    keys = [
        {"dossier": one["dossier"]["id"], "placement": one["placement"], "keys": one["keys"]}
        for one in made
    ]
    for name, records in {"questions": questions, "keys": keys}.items():
        text = "".join(f"{canonical_json(record)}\n" for record in records)
        assert (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8") == text


def test_a_suite_of_another_kind_is_written(toy, tmp_path):
    """A plug-in's suite that only gives cases is written too."""
    (questions, keys) = write_suite(select(toy), tmp_path, LINES)
    assert questions.lines == keys.lines == len(toy.cases(0))


@pytest.mark.slow
def test_two_processes_write_the_same(tmp_path):
    """Every file of a dataset, card and checksums included."""
    selection = select("ladder-mini", seed=5, limit=20)
    write_suite(selection, tmp_path / "one", dataset())
    write_suite(selection, tmp_path / "two", dataset(), jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_long_files_are_split_between_cases(tmp_path, monkeypatch):
    """Parts are numbered, hold whole cases, and joined are the whole."""
    selection = select("umbrella-rain")
    write_suite(selection, tmp_path / "whole", dataset())
    monkeypatch.setattr(write, "SHARD", 20_000)
    written = write_suite(selection, tmp_path / "split", dataset())
    dossiers = [one for one in written if one.path.startswith("data/dossiers")]
    assert len(dossiers) > 1
    assert dossiers[0].path == f"data/dossiers-00000-of-{len(dossiers):05d}.jsonl"
    assert sum(one.lines for one in dossiers) == len(cases_of(selection))
    joined = b"".join((tmp_path / "split" / one.path).read_bytes() for one in dossiers)
    assert joined == (tmp_path / "whole/data/dossiers-00000-of-00001.jsonl").read_bytes()


def test_what_an_earlier_set_left_is_dropped(tmp_path, monkeypatch):
    """Fewer parts than before leave no old part among the new ones, and nothing else is touched."""
    selection = select("umbrella-rain")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with monkeypatch.context() as small:
        small.setattr(write, "SHARD", 20_000)
        write_suite(selection, tmp_path, dataset())
    write_suite(selection, tmp_path, dataset())
    assert len(list((tmp_path / "data").glob("dossiers-*"))) == 1
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_nothing_selected_leaves_nothing(tmp_path):
    """The folder that was made for the files is gone again."""
    selection = select("umbrella-rain", where={"rung": 7})
    with pytest.raises(NotFoundError, match="no items where rung=7"):
        write_suite(selection, tmp_path / "new" / "deep", LINES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room", [1_000, 120_000])
def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path, room):
    """Where the system refuses to write on, there is one line, and the earlier files stay."""
    selection = select("umbrella-rain")
    write_suite(selection, tmp_path, LINES)
    before = contents(tmp_path)
    assert max(len(data) for data in before.values()) > 120_000
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(LogError, match="can't be written: File too large; it is as it was"):
            write_suite(select("umbrella-rain", seed=1), tmp_path, LINES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(tmp_path):
    """One line on stderr, exit code 130, no file and no folder."""
    command = [sys.executable, "-m", "causalbench", "make", "ladder-mini", "-o", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/.making-*/scratch")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "interrupted; 'out' is as it was.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_private_dataset_does_not_tell_its_seed(tmp_path):
    """Neither the card nor the manifest holds it."""
    seed = 918273645546372819
    write_suite(select("umbrella-rain", seed=seed), tmp_path, dataset(private=True))
    told = b"".join(contents(tmp_path).values())
    assert str(seed).encode() not in told
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["seed"] is None
