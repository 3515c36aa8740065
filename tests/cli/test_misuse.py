"""Every misuse is one plain line on stderr, says what to do, and ends with 2."""

from __future__ import annotations

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

RUN = ["run", "umbrella-rain", "--agent", "exact"]


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
    ([*RUN, "--limit", "0"], "'--limit'"),
    ([*RUN, "--jobs", "0"], "'--jobs'"),
    ([*RUN, "--time-limit", "0"], "time limit is 0.0"),
    ([*RUN, "--time-limit", "soon"], "'--time-limit'"),
    ([*RUN, "--filter", "rung"], "is not key=value"),
    ([*RUN, "--filter", "rng=2"], "Did you mean 'rung'?"),
    ([*RUN, "--filter", "rung=two"], "not a whole number"),
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


@pytest.mark.parametrize(("arguments", "said"), CASES, ids=[" ".join(c[0]) for c in CASES])
def test_misuse_is_one_line(arguments, said):
    """Exit 2, nothing on stdout, one line on stderr that says what is wrong."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


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
