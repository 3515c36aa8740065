"""Every misuse is one plain line on stderr, says what to do, and ends with 2."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

LONG = "long" * 1000
STRANGE = """
import os, sys
from causalbench.task.answer import Estimate

class Raises:
    name, accepts = "strange", frozenset({"estimate"})

    def __init__(self):
        raise RuntimeError("not\\ntoday")

class Exits(Raises):
    def __init__(self):
        sys.exit(3)

class Prints:
    name, accepts = "strange", frozenset({"estimate"})

    def answer(self, question, *, rng):
        print("noise")
        sys.stdout.close()
        object.__setattr__(question, "id", "mine")
        return Estimate(0.5)

class Writes(Prints):
    def answer(self, question, *, rng):
        os.write(1, b"noise")
        return Estimate(0.5)

class Leaves(Prints):
    def answer(self, question, *, rng):
        raise GeneratorExit
"""
RUN = ["run", "umbrella-rain", "--agent", "exact"]
ASK = ["ask", "umbrella-rain", "P(rain=yes | do(umbrella=no))"]
OPEN = ["ask", "umbrella-rain", "P(rain[seed=yes]=yes | seed=no)"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder, so that no test finds another's log."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.yaml").write_text("- seed\n", encoding="utf-8")
    (tmp_path / "typo.yaml").write_text("sed: 7\n", encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text("seed: seven\n", encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("seed: [\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("schema: 1\nid: bad\n", encoding="utf-8")
    (tmp_path / "bad.py").write_text("class Bad:\n    name = 'bad'\n", encoding="utf-8")
    (tmp_path / "raises.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / "twice.yaml").write_text("seed: 1\nseed: 2\n", encoding="utf-8")
    (tmp_path / "tag.yaml").write_text("seed: !!int\n", encoding="utf-8")
    (tmp_path / "deep.yaml").write_text("[" * 5000, encoding="utf-8")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(4)\n", encoding="utf-8")
    (tmp_path / "strange.py").write_text(STRANGE, encoding="utf-8")
    (tmp_path / "questions.jsonl").write_text("", encoding="utf-8")


CASES = [
    (["nosuch"], "No such command 'nosuch'"),
    (["--nosuch"], "No such option"),
    (["run"], "Missing argument 'suite'"),
    (["run", "umbrella-rain"], "there is no agent to run"),
    (["run", "umbrela-rain", "--agent", "exact"], "Did you mean 'umbrella-rain'?"),
    (["run", "absent.yaml", "--agent", "exact"], "no file lies there"),
    (["run", "bad.yaml", "--agent", "exact"], "bad.yaml"),
    (["run", "umbrella-rain", "--agent", "exat"], "Did you mean 'exact'?"),
    (["run", "umbrella-rain", "--agent", "absent.py:X"], "no file at 'absent.py'"),
    (["run", "umbrella-rain", "--agent", "bad.py:X"], "has no 'X'"),
    (["run", "umbrella-rain", "--agent", "bad.py:Bad"], "accepts"),
    (["run", "umbrella-rain", "--agent", "raises.py:X"], "fails while it is imported"),
    ([*RUN, "--agent", "exact"], "named twice"),
    ([*RUN, "-A", "x"], "is not name=value"),
    ([*RUN, "-A", "x=1"], "has no option 'x'"),
    ([*RUN, "-A", "other.x=1"], "options are given for 'other'"),
    ([*RUN, "--seed", "x"], "'--seed'"),
    ([*RUN, "--seed", "-1"], "'--seed'"),
    ([*RUN, "--repeats", "0"], "'--repeats'"),
    ([*RUN, "--repeats", "99999999999999"], "from 1 to 10000"),
    ([*RUN, "--limit", "0"], "'--limit'"),
    ([*RUN, "--jobs", "0"], "'--jobs'"),
    ([*RUN, "--time-limit", "0"], "time limit is 0.0"),
    ([*RUN, "--time-limit", "soon"], "'--time-limit'"),
    ([*RUN, "--filter", "rung"], "is not key=value"),
    ([*RUN, "--filter", "rng=2"], "Did you mean 'rung'?"),
    ([*RUN, "--filter", "rung=two"], "not a whole number"),
    ([*RUN, "--filter", "rung=1,rung=2"], "'rung' is given twice"),
    ([*RUN, "--filter", "rung=\u0662"], "not a whole number"),
    ([*RUN, "--filter", "rung=" + "9" * 5000], "not a whole number"),
    ([*RUN, "--time-limit", "inf"], "time limit is inf"),
    ([*RUN, "--time-limit", "nan"], "time limit is nan"),
    ([*RUN, "--config", "twice.yaml"], "'seed' is a duplicate"),
    ([*RUN, "--config", "tag.yaml"], "a value cannot be read"),
    ([*RUN, "--config", "deep.yaml"], "nested too deep"),
    ([*RUN, "--config", "."], "Is a directory"),
    (["run", LONG + ".yaml", "--agent", "exact"], "File name too long"),
    (["run", "umbrella-rain", "--agent", LONG + ".py:X"], "File name too long"),
    ([*RUN, "--log-dir", LONG], "File name too long"),
    (["run", "umbrella-rain", "--agent", "strange.py:Raises"], "RuntimeError: not today"),
    (["run", "umbrella-rain", "--agent", "strange.py:Exits"], "can't be made: SystemExit: 3"),
    (["run", "umbrella-rain", "--agent", "exits.py:X"], "is imported: SystemExit: 4"),
    (["show", "strange.py:Exits"], "can't be made: SystemExit: 3"),
    (["ask", LONG + ".yaml", "P(x=a)"], "no world file at"),
    (["ask", LONG, "P(x=a)"], "no world is called"),
    (["make", "umbrella-rain", "-o", LONG], "File name too long"),
    (["score", LONG], "File name too long"),
    (["board", "verify", LONG], "File name too long"),
    ([*RUN, "--filter", "rung=7"], "no items where rung=7"),
    ([*RUN, "--config", "absent.yaml"], "can't be read as YAML"),
    ([*RUN, "--config", "broken.yaml"], "can't be read as YAML"),
    ([*RUN, "--config", "list.yaml"], "holds a list"),
    ([*RUN, "--config", "typo.yaml"], "Did you mean 'seed'?"),
    ([*RUN, "--config", "wrong.yaml"], "'--seed'"),
    ([*RUN, "--log-dir", "bad.py"], "can't be written"),
    ([*RUN, "--plot", "x.gif"], "doesn't end in .png"),
    ([*RUN, "--plot", "absent/x.png"], "there is no folder"),
    ([*RUN, "--nosuch"], "No such option"),
    ([*RUN, "more"], "unexpected extra argument"),
    (["list", "wolrds"], "'wolrds' is not one of"),
    (["show"], "Missing argument 'name'"),
    (["show", "exat"], "Did you mean 'exact'?"),
    (["ask", "umbrella-rain"], "Missing argument 'query'"),
    (["ask", "umbrela-rain", "P(rain=yes)"], "Did you mean 'umbrella-rain'?"),
    (["ask", "umbrella-rain", "P(rain=yes"], "column 11"),
    (["ask", "umbrella-rain", "P(rain=ye)"], "Did you mean 'yes'?"),
    (["ask", "umbrella-rain", "P(wet=yes | rain=yes, rain=no)"], "never happens"),
    ([*ASK, "--regime", "do"], "'--regime': it says something about a certificate"),
    ([*ASK, "--witnesses", "out"], "add --certify"),
    ([*ASK, "--certify", "--regime", "SEE"], "choose one of see, do, intent, replay"),
    ([*ASK, "--certify", "--shown", ""], "choose one of none, diagram, mechanisms"),
    ([*ASK, "--certify", "--manipulable", "sky"], "no visible variable 'sky'"),
    ([*ASK, "--certify", "--assume", "monotone: rain => wet"], "is no assumption; write"),
    ([*ASK, "--certify", "--assume", "monotone: sky -> wet"], "names 'sky'"),
    ([*ASK, "--certify", "--assume", "coupling:wet={"], "neither a name nor JSON"),
    ([*OPEN, "--certify", "--witnesses", "bad.py"], "'bad.py' can't be used: File exists"),
    (["make", "umbrella-rain"], "Missing option '--out'"),
    (["make", "umbrella-rain", "-o", "."], "--force"),
    (["make", "umbrella-rain", "-o", "bad.py/x"], "can't be written"),
    (["make", "nosuch", "-o", "out"], "no suite or world"),
    (["score"], "Missing argument 'logdir'"),
    (["score", "absent"], "holds no manifest.json"),
    (["check", "agnet", "exact"], "'agnet' is not one of"),
    (["check", "agent"], "Missing argument 'name'"),
    (["check", "agent", "exat"], "Did you mean 'exact'?"),
    (["check", "world", "absent"], "absent"),
    (["check", "suite", "absent"], "no suite or world"),
    (["check", "world", "umbrella-rain", "-A", "x=1"], "only an agent takes options"),
    (["info", "more"], "unexpected extra argument"),
]


@pytest.mark.parametrize(("arguments", "said"), CASES, ids=[" ".join(c[0])[:90] for c in CASES])
def test_misuse_is_one_line(arguments, said):
    """Exit 2, nothing on stdout, one line on stderr that says what is wrong."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 1000
    assert said in result.stderr


def test_settled_queries_leave_no_folder_for_witnesses(tmp_path):
    """A folder without witnesses, or with those of an earlier question, would mislead."""
    result = CliRunner().invoke(app, [*ASK, "--certify", "--witnesses", "out"])
    assert (result.exit_code, (tmp_path / "out").exists()) == (0, False)
    assert result.stderr == "no witnesses are written: the query is settled\n"


def test_a_wrong_variable_is_named(monkeypatch):
    """A flag's variable is checked as the flag is."""
    monkeypatch.setenv("CAUSALBENCH_SEED", "x")
    result = CliRunner().invoke(app, RUN)
    assert result.exit_code == 2
    assert "CAUSALBENCH_SEED" in result.stderr


def test_a_bug_keeps_its_traceback(monkeypatch):
    """What isn't the user's to mend isn't dressed up."""
    import causalbench.truth.exact

    def broken(*_):
        msg = "a bug"
        raise RuntimeError(msg)

    monkeypatch.setattr("causalbench.truth.truth", broken)
    del causalbench
    result = CliRunner().invoke(app, ["ask", "umbrella-rain", "P(rain=yes)"])
    assert isinstance(result.exception, RuntimeError)


SMALL = ["run", "umbrella-rain", "--limit", "1", "--filter", "rung=1,track=estimates"]


@pytest.mark.parametrize("agent", ["Prints", "Leaves"])
def test_strange_agents_do_not_end_a_run(agent):
    """What an agent prints, closes, edits or raises leaves JSON alone on stdout."""
    result = CliRunner().invoke(app, [*SMALL, "--agent", f"strange.py:{agent}", "--json"])
    failed = agent == "Leaves"
    assert result.exit_code == failed
    counts = json.loads(result.stdout)["agents"][0]["status_counts"]
    assert bool(counts.get("failed")) == failed


def test_bytes_that_agents_write_stay_off_stdout():
    """Also those written past Python's own stdout."""
    done = program([*SMALL, "--agent", "strange.py:Writes", "--json"])
    assert (done.returncode, "noise" in done.stderr) == (0, True)
    assert json.loads(done.stdout)["suite"] == "umbrella-rain"


def program(arguments, **more):
    """Run the command in a process of its own."""
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    command = [sys.executable, "-m", "causalbench", *arguments]
    return subprocess.run(command, check=False, text=True, **more)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_is_one_line():
    """Nothing is added as Python ends."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = program(["list"], stdout=full)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the output can't be written: No space left on device")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_has_gone_is_no_error():
    """``causalbench list | head -1`` says nothing on stderr."""
    command = [sys.executable, "-m", "causalbench", "list", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (1, "")


def test_no_memory_is_one_line(monkeypatch):
    """What the machine can't hold is told like what the user can mend."""

    def greedy(*_):
        raise MemoryError

    monkeypatch.setattr("causalbench.truth.truth", greedy)
    result = CliRunner().invoke(app, ["ask", "umbrella-rain", "P(rain=yes)"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "not enough memory" in result.stderr


def test_a_full_disk_below_a_log_is_said_once(monkeypatch, caplog):
    """The manifest that can't be marked either isn't worth a second line."""
    full = []

    def refuse(path, _):
        full.extend([True] if path.name == "scores.jsonl" else [])
        if full:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("causalbench.run.store._replace", refuse)
    result = CliRunner().invoke(app, [*SMALL, "--agent", "random"])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "No space left on device; mend that" in result.stderr
    assert caplog.text == ""


DAMAGED = [
    ("manifest.json", "{", "can't be read"),
    ("manifest.json", "[" * 100_000, "can't be read"),
    ("manifest.json", "[]", "is not a manifest"),
    ("manifest.json", '{"schema": 1}', "run is missing"),
    ("manifest.json", {"suite": None}, "suite is 'None'"),
    ("manifest.json", {"suite": {}}, "suite.name is missing"),
    ("manifest.json", {"agent": []}, "agent is '[]'"),
    ("manifest.json", {"agent": {"accepts": [[]]}}, "agent.accepts is '[[]]'"),
    ("manifest.json", {"agent": {"config": 5}}, "agent.config is '5'"),
    ("manifest.json", {"seed": None}, "seed is 'None'"),
    ("manifest.json", {"seed": True}, "seed is 'True'"),
    ("manifest.json", {"repeats": "many"}, "repeats is 'many'"),
    ("manifest.json", {"where": "rung"}, "where is 'rung'"),
    ("answers.jsonl", "\n{}\n", "line 1 of"),
    ("answers.jsonl", "[" * 100_000 + "\n{}\n", "line 1 of"),
    ("answers.jsonl", {"answer": "half"}, "line 1 of"),
    ("answers.jsonl", {"status": []}, "line 1 of"),
    ("answers.jsonl", {"cost": None}, "line 1 of"),
    ("answers.jsonl", {"cost": {"rows": "many"}}, "line 1 of"),
    ("answers.jsonl", {"error": 1}, "line 1 of"),
]


@pytest.fixture(scope="module")
def a_log(tmp_path_factory):
    """Make the log of one small run."""
    folder = tmp_path_factory.mktemp("log")
    result = CliRunner().invoke(app, [*SMALL, "--agent", "random", "--log-dir", str(folder)])
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.mark.parametrize(
    ("name", "change", "said"), DAMAGED, ids=[f"{d[0]} {d[2]}" for d in DAMAGED]
)
def test_a_damaged_log_is_one_line(a_log, tmp_path, name, change, said):
    """A log that no longer holds what was written is named, not scored."""
    shutil.copytree(a_log, tmp_path / "logs")
    (path,) = (tmp_path / "logs").glob(f"*/{name}")
    if isinstance(change, dict):
        first, end, rest = path.read_text(encoding="utf-8").partition("\n")
        whole = name == "manifest.json"
        record = json.loads(first + end + rest if whole else first)
        inner = {
            key: {**record[key], **value} if value and isinstance(value, dict) else value
            for key, value in change.items()
        }
        change = json.dumps({**record, **inner}) + ("" if whole else end + rest)
    path.write_text(change, encoding="utf-8")
    result = CliRunner().invoke(app, ["score", "logs"])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr
