"""Logs: nothing is lost, repeated or changed, whatever ends a run."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from causalbench.errors import LogError
from causalbench.run import evaluate
from causalbench.run.store import Store

HERE = Path(__file__).parent


def folder(run):
    """Return the only log folder of a run."""
    (path,) = run.log_paths.values()
    return path


def lines(path):
    """Return the answers logged."""
    return [json.loads(line) for line in (path / "answers.jsonl").read_text().splitlines()]


def said(rows):
    """Return what was answered, without the seconds it took."""
    return {row["key"]: row["answer"] for row in rows}


def manifest(path):
    """Return the manifest."""
    return json.loads((path / "manifest.json").read_text(encoding="utf-8"))


def test_log_holds_what_design_says(toy, agent, tmp_path):
    """Manifest, answers, scores; no lock is left."""
    run = evaluate(agent("Tries"), toy, log_dir=tmp_path)
    path = folder(run)
    assert path.parent == tmp_path
    assert path.name.startswith("toy-tries-")
    assert sorted(file.name for file in path.iterdir()) == [
        "answers.jsonl",
        "manifest.json",
        "scores.jsonl",
    ]
    found = manifest(path)
    assert (found["schema"], found["status"], found["seed"]) == (1, "success", 0)
    assert found["suite"]["digest"] == toy.digest
    assert found["agent"]["name"] == "tries"
    assert {"python", "numpy", "causalbench"} <= found["versions"].keys()
    assert len(lines(path)) == 12
    assert len((path / "scores.jsonl").read_text().splitlines()) == 12


def test_same_command_again_plays_nothing(toy, agent, tmp_path):
    """Every answer is reused, the file unchanged."""
    first = evaluate(agent("Tries"), toy, log_dir=tmp_path)
    before = (folder(first) / "answers.jsonl").read_bytes()
    again = evaluate(agent("Tries"), toy, log_dir=tmp_path)
    assert (folder(again) / "answers.jsonl").read_bytes() == before
    assert again.rows == first.rows


def test_more_repeats_reuse_the_first(toy, agent, tmp_path):
    """Repeats and limits say how much is run, not what: the folder is the same."""
    evaluate(agent("Tries"), toy, log_dir=tmp_path, limit=2)
    path = folder(evaluate(agent("Tries"), toy, log_dir=tmp_path, repeats=2))
    assert len(lines(path)) == 24
    assert len(said(lines(path))) == 24
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("change", ["suite", "seed", "options", "time"])
def test_a_change_never_reuses(toy, agent, tmp_path, change):
    """Another suite version, seed, option or time limit has a folder of its own."""
    evaluate(agent("Says"), toy, log_dir=tmp_path)
    other = {
        "suite": {"suite": replace(toy, version="2")},
        "seed": {"seed": 1},
        "options": {"options": {"": {"what": "none"}}},
        "time": {"time_limit": 9.0},
    }[change]
    evaluate(agent("Says"), **{"suite": toy, "log_dir": tmp_path, **other})
    assert len(list(tmp_path.iterdir())) == 2


def test_a_changed_source_never_reuses(toy, tmp_path):
    """The agent's file is part of its answers' identity."""
    file = tmp_path / "mine.py"
    text = (HERE / "toy_agents.py").read_text(encoding="utf-8")
    for extra in ("", "\n# changed\n"):
        file.write_text(text + extra, encoding="utf-8")
        evaluate(f"{file}:Half", toy, log_dir=tmp_path / "logs")
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_torn_last_line_is_mended_and_said(toy, agent, tmp_path, caplog):
    """The half line goes, its item is asked again, and all is as if nothing had happened."""
    path = folder(evaluate(agent("Tries"), toy, log_dir=tmp_path))
    whole = lines(path)
    data = (path / "answers.jsonl").read_bytes()
    (path / "answers.jsonl").write_bytes(data[:-20])
    with caplog.at_level(logging.WARNING):
        evaluate(agent("Tries"), toy, log_dir=tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"the last line of '{path / 'answers.jsonl'}' is torn and was left out."
    ]
    assert said(lines(path)) == said(whole)
    assert len(lines(path)) == len(whole)


def test_corrupt_middle_is_refused(toy, agent, tmp_path):
    """A line before the last that can't be read isn't a crash's doing."""
    path = folder(evaluate(agent("Tries"), toy, log_dir=tmp_path))
    text = (path / "answers.jsonl").read_text().splitlines()
    (path / "answers.jsonl").write_text("\n".join([text[0], text[1][:30], *text[2:], ""]))
    with pytest.raises(LogError, match=r"line 2 of .* can't be read; .*--fresh"):
        evaluate(agent("Tries"), toy, log_dir=tmp_path)


def test_fresh_moves_the_old_log_aside(toy, agent, tmp_path):
    """Nothing is deleted: the old one is next to the new one."""
    path = folder(evaluate(agent("Tries"), toy, log_dir=tmp_path, limit=1))
    evaluate(agent("Tries"), toy, log_dir=tmp_path, fresh=True, limit=2)
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name, f"{path.name}.old-1"]
    assert len(lines(tmp_path / f"{path.name}.old-1")) == 4
    assert len(lines(path)) == 6


def test_checkpoints_are_reused(toy, agent, tmp_path):
    """A resumed run plays what the first one trained, even if training would now differ."""
    path = folder(evaluate(agent("Trained"), toy, log_dir=tmp_path, limit=1))
    (path / "checkpoints" / "repeat-0" / "number.txt").write_text("0.25", encoding="utf-8")
    run = evaluate(agent("Trained"), toy, log_dir=tmp_path)
    assert run.records[-3].answer.value == 0.25


def test_half_a_checkpoint_is_not_reused(toy, agent, tmp_path):
    """What a killed run left beside its place is made again."""
    path = folder(evaluate(agent("Trained"), toy, log_dir=tmp_path, limit=1))
    kept = path / "checkpoints" / "repeat-0"
    number = (kept / "number.txt").read_text()
    kept.rename(kept.with_name("repeat-0.1.tmp"))
    evaluate(agent("Trained"), toy, log_dir=tmp_path)
    assert (kept / "number.txt").read_text() == number


def test_ctrl_c_keeps_what_was_answered(toy, agent, tmp_path):
    """The manifest says so, no lock is left, and the next run goes on to the same answers."""
    flag = tmp_path / "flag"
    options = {"": {"flag": str(flag)}}
    whole = evaluate(agent("Interrupts"), toy, log_dir=tmp_path / "a", options=options)
    flag.write_text("5", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        evaluate(agent("Interrupts"), toy, log_dir=tmp_path / "b", options=options)
    (path,) = (tmp_path / "b").iterdir()
    assert manifest(path)["status"] == "interrupted"
    assert not (path / "lock").exists()
    assert 0 < len(lines(path)) < 12
    again = evaluate(agent("Interrupts"), toy, log_dir=tmp_path / "b", options=options)
    assert said(lines(path)) == said(lines(folder(whole)))
    assert again.rows[0]["skill"] == whole.rows[0]["skill"]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_nine_loses_repeats_and_changes_nothing(toy, agent, tmp_path, jobs):
    """The process dies without a word, its lock and half its log remain, the next run goes on."""
    flag = tmp_path / "flag"
    options = {"": {"flag": str(flag)}}
    whole = evaluate(agent("Kills"), toy, log_dir=tmp_path / "a", options=options)
    flag.write_text("7", encoding="utf-8")
    program = textwrap.dedent(
        f"""
        import sys
        sys.path.append({str(HERE)!r})
        from toy_suite import ToySuite
        from causalbench.run import evaluate
        if __name__ == "__main__":
            evaluate({agent("Kills")!r}, ToySuite(), log_dir={str(tmp_path / "b")!r},
                     options={options!r})
        """
    )
    script = tmp_path / "run.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    (path,) = (tmp_path / "b").iterdir()
    assert manifest(path)["status"] == "started"
    assert (path / "lock").exists()
    before = lines(path)
    assert 0 < len(before) < 12
    evaluate(agent("Kills"), toy, log_dir=tmp_path / "b", options=options, jobs=jobs)
    after = lines(path)
    assert after[: len(before)] == before
    assert len(after) == len(said(after)) == 12
    assert said(after) == said(lines(folder(whole)))
    assert not (path / "lock").exists()


@pytest.mark.slow
def test_workers_die_with_their_parent(tmp_path):
    """Nothing of a killed run lives on."""
    program = textwrap.dedent(
        f"""
        import multiprocessing, os, sys, time
        sys.path.append({str(HERE)!r})
        from causalbench.run.pool import Workers
        if __name__ == "__main__":
            workers = Workers(2)
            future = workers.pool.submit(os.getpid)
            print(future.result(), flush=True)
            os.kill(os.getpid(), 9)
        """
    )
    script = tmp_path / "run.py"
    script.write_text(program, encoding="utf-8")
    # The pipe closes when the last process that holds it, a worker that lived on, has ended.
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout.strip().isdigit()) == (-9, True)


def test_a_log_in_use_is_refused(toy, agent, tmp_path):
    """Two runs never write one log: the second is told whose it is."""
    path = folder(evaluate(agent("Half"), toy, log_dir=tmp_path))
    with Store(path, {"schema": 1}), pytest.raises(LogError, match=f"process {os.getpid()} on"):
        evaluate(agent("Half"), toy, log_dir=tmp_path)


def test_a_lock_of_the_dead_is_taken_over(toy, agent, tmp_path):
    """A process that has ended holds nothing."""
    import socket

    path = folder(evaluate(agent("Half"), toy, log_dir=tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    lock = {"pid": dead.pid, "host": socket.gethostname()}
    (path / "lock").write_text(json.dumps(lock), encoding="utf-8")
    evaluate(agent("Half"), toy, log_dir=tmp_path)
    assert not (path / "lock").exists()


@pytest.mark.parametrize("text", ['{"pid": 1, "host": "elsewhere"}', "", "torn {"])
def test_a_lock_that_cannot_be_judged_is_refused(toy, agent, tmp_path, text):
    """Another host's, or an unreadable one: say how to get on."""
    path = folder(evaluate(agent("Half"), toy, log_dir=tmp_path))
    (path / "lock").write_text(text, encoding="utf-8")
    with pytest.raises(LogError, match="if it no longer runs, delete"):
        evaluate(agent("Half"), toy, log_dir=tmp_path)


def test_full_disk_is_one_line(toy, agent, tmp_path, monkeypatch):
    """What the disk says, and how to go on; the run can be resumed afterwards."""
    import errno

    real = Path.open

    def refuse(self, mode="r", *args, **kwargs):
        if mode == "ab":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, mode, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(LogError, match=r"No space left on device; .*run the same command"):
            evaluate(agent("Half"), toy, log_dir=tmp_path)
    (path,) = tmp_path.iterdir()
    assert manifest(path)["status"] == "error"
    assert evaluate(agent("Half"), toy, log_dir=tmp_path).failed == 0


def test_log_dir_that_is_a_file_is_refused(toy, agent, tmp_path):
    """Said, not a traceback."""
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(LogError, match="can't be written"):
        evaluate(agent("Half"), toy, log_dir=file)
