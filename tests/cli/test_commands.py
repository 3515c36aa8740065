"""What each command prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import resources

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

from causalbench.run import evaluate
from causalbench.run.check_suite import check_suite

QUERY = "P(rain=yes | do(umbrella=no))"
AGENT = """
from causalbench.task.answer import Estimate

class Half:
    name = "half"
    accepts = frozenset({"estimate"})

    def __init__(self, value: float = 0.5, fail: bool = False):
        self.value, self.fail = value, fail

    def answer(self, question, *, rng):
        if self.fail:
            raise ValueError("not today")
        return Estimate(self.value)
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder that holds one agent."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "half.py").write_text(AGENT, encoding="utf-8")
    return tmp_path


def cli(*arguments, **env):
    """Run a command line in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments], env=env or None)


def said(*arguments, **env):
    """Run a command line with --json and return what it says."""
    result = cli(*arguments, "--json", **env)
    assert result.exit_code in {0, 1}, result.stderr
    return json.loads(result.stdout)


def test_help_names_every_command():
    """With nothing else to do, the program says what it can do."""
    result = cli()
    assert result.exit_code == 0
    commands = "run list show ask make score check audit info board"
    for command in commands.split():
        assert command in result.stdout


def test_version_is_the_package_version():
    """One line, no word more."""
    from importlib.metadata import version

    assert cli("--version").stdout == f"{version('causalbench-ladder')}\n"


def test_ask_prints_value_and_readings():
    """The flagship: do(umbrella=no) leaves rain at .727, seeing no umbrella makes it .122929."""
    lines = cli("ask", "umbrella-rain", QUERY).stdout.splitlines()
    assert lines == [
        QUERY,
        "rung     2 (do)",
        "value    0.727",
        "marginal 0.727",
        "see      0.122929",
        "do       0.727",
        "imagine  0.727",
    ]


def test_ask_json_has_the_pinned_keys():
    """Query, rung, value, error, readings."""
    answer = said("ask", "umbrella-rain", QUERY)
    assert list(answer) == ["query", "rung", "value", "error", "readings"]
    assert answer["value"] == pytest.approx(0.727, abs=1e-12)
    assert (answer["rung"], answer["error"]) == (2, 0.0)


def test_ask_of_a_choice_prints_the_values_of_its_actions():
    """The best action and what each is worth."""
    query = "argmax a in {seed=yes, pass}: P(rain=no | do(a))"
    answer = said("ask", "umbrella-rain", query)
    assert answer["value"] == "seed=yes"
    assert set(answer["values"]) == {"seed=yes", "pass"}
    assert "seed=yes" in cli("ask", "umbrella-rain", query).stdout


def test_list_names_worlds_suites_and_agents():
    """All three, or one of them."""
    everything = said("list")
    assert "umbrella-rain" in everything["worlds"]
    assert "ladder-mini" in everything["suites"]
    assert "exact" in everything["agents"]
    assert said("list", "agents") == everything["agents"]
    assert cli("list", "suites").stdout.splitlines()[0].startswith("ladder-mini  ")


def test_list_knows_the_suites_that_the_library_knows():
    """It finds them without loading the library's suites; the names must agree."""
    from causalbench.task.suite import list_suites

    assert list(said("list", "suites")) == list_suites()


def test_list_loads_nothing_heavy():
    """It answers in under .2 s because it imports none of these."""
    program = (
        "import sys; from typer.testing import CliRunner; from causalbench.cli import app;"
        "CliRunner().invoke(app, ['list']); print([m for m in "
        "('numpy', 'pandas', 'torch', 'gymnasium', 'dowhy', 'pgmpy', 'networkx', 'numba')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_show_describes_a_world_that_is_a_suite_too():
    """Both are shown: variables, diagram, questions; then what the suite holds."""
    shown = said("show", "umbrella-rain")
    assert shown["world"]["variables"]["rain"] == ["no", "yes"]
    assert shown["world"]["hidden"] == ["season"]
    assert shown["suite"]["cells"]
    text = cli("show", "umbrella-rain").stdout
    assert "diagram" in text
    assert "suite umbrella-rain version" in text


def test_show_tells_decisions_apart():
    """What an action pays, what is seen before it, and what is given."""
    lines = {
        line.split(":")[0].strip(): line
        for line in cli("show", "umbrella-rain").stdout.splitlines()
        if "|" in line
    }
    assert "utility -1*[rain=yes] -0.05*[seed=yes]" in lines["act-cheap"]
    assert "utility -1*[rain=yes] -0.69*[seed=yes]" in lines["act-dear"]
    assert "observes umbrella" in lines["bet"]
    assert "given seed=no, rain=yes, umbrella=yes, wet=no; first time: pass" in lines["redo-cheap"]


def test_show_and_dry_run_use_the_same_words():
    """One pair is no pairs, and what has no twin is a case in both."""
    shown = cli("show", "umbrella-rain").stdout.splitlines()
    planned = cli("run", "umbrella-rain", "--agent", "exact", "--dry-run").stdout.splitlines()
    cells = [line for line in planned if " rung " in line]
    assert [line for line in shown if " rung " in line] == cells
    assert ("1 pair " in cells[0], "cases" in cells[-1]) == (True, True)
    assert "answers in 1 repeat, " in planned[-1]


def test_show_describes_an_agent():
    """What it accepts, and that a control is one."""
    shown = said("show", "exact")
    assert shown["agent"]["control"] is True
    assert "handed the keys" in cli("show", "exact").stdout
    assert said("show", "half.py:Half")["agent"]["accepts"] == ["estimate"]


def test_show_describes_a_learner_beside_the_agent_of_its_name():
    """Both are told, with the options that each takes."""
    shown = said("show", "ppo")
    assert shown["agent"]["accepts"]
    assert shown["learner"]["regimes"] == ["do", "intent", "replay"]
    assert shown["learner"]["options"]["rollout"] == 32
    assert "option epsilon=0.2" in cli("show", "q-learning").stdout.splitlines()


def test_check_reads_sequential_worlds_too():
    """By name; a file's mistakes are its errors."""
    assert cli("check", "world", "umbrella-days").exit_code == 0


def test_info_names_versions_without_importing():
    """What a bug report needs."""
    found = said("info")
    assert found["packages"]["numpy"] == sys.modules["numpy"].__version__
    assert "python" in cli("info").stdout


def test_make_writes_the_same_bytes_again(here):
    """Questions hold no keys; a second run refuses, unless told to overwrite."""
    assert cli("make", "umbrella-rain", "-o", "out", "--seed", 3).exit_code == 0
    first = {path.name: path.read_bytes() for path in (here / "out").iterdir()}
    assert set(first) == {"questions.jsonl", "keys.jsonl"}
    assert cli("make", "umbrella-rain", "-o", "out", "--seed", 3).exit_code == 2
    assert cli("make", "umbrella-rain", "-o", "out", "--seed", 3, "--force").exit_code == 0
    assert {path.name: path.read_bytes() for path in (here / "out").iterdir()} == first
    assert cli("make", "umbrella-rain", "-o", "two", "--seed", 3, "--jobs", 2).exit_code == 0
    assert {path.name: path.read_bytes() for path in (here / "two").iterdir()} == first
    assert b"truth" not in first["questions.jsonl"]
    assert b"pair_id" not in first["questions.jsonl"]
    lines = [json.loads(line) for line in first["questions.jsonl"].splitlines()]
    keys = [json.loads(line) for line in first["keys.jsonl"].splitlines()]
    assert [one["dossier"]["id"] for one in lines] == [one["dossier"] for one in keys]


def test_run_prints_ladders_and_logs(here):
    """Tables on stdout; stderr is no terminal here, so nothing there."""
    result = cli("run", "umbrella-rain", "--agent", "exact", "--agent", "see-reader")
    assert result.exit_code == 0
    assert "estimates, learning" in result.stdout
    assert "see-reader" in result.stdout
    assert result.stderr == ""
    assert len(list((here / "logs").iterdir())) == 2


def test_run_json_is_alone_on_stdout():
    """And holds the keys that are promised."""
    found = said("run", "umbrella-rain", "--agent", "exact")
    assert {"suite", "seed", "digest", "rows", "agents"} <= set(found)
    assert {row["skill"] for row in found["rows"] if row["pairs"]} == {1.0}


def test_run_is_resumed_and_scored_alike():
    """The log gives the run's rows."""
    first = said("run", "umbrella-rain", "--agent", "see-reader")
    again = said("run", "umbrella-rain", "--agent", "see-reader")
    assert again == first
    assert said("score", "logs") == first


def test_run_with_failures_ends_with_1_and_prints():
    """Failed items are counted in the table's last lines."""
    result = cli("run", "umbrella-rain", "--agent", "half.py:Half", "-A", "fail=true")
    assert result.exit_code == 1
    assert "failed of" in result.stdout
    assert cli("score", "logs").exit_code == 1


def test_options_reach_agents():
    """For all, or for the one named."""
    for option in ("value=0.25", "half.py:Half.value=0.25"):
        found = said("run", "umbrella-rain", "--agent", "half.py:Half", "-A", option, "--dry-run")
        assert found["agents"][0]["answers"] > 0


def test_filter_selects():
    """Only rung 2 in the lab is run."""
    found = said("run", "umbrella-rain", "--agent", "exact", "--filter", "rung=2,cell=lab")
    assert {(row["rung"], row["cell"]) for row in found["rows"]} == {(2, "lab")}


def test_packing_says_what_was_packed(here):
    """Suites and agents, and which suites nobody else can verify."""
    world = resources.files("causalbench.tasks") / "worlds" / "homework.yaml"
    (here / "homework.yaml").write_text(world.read_text(encoding="utf-8"), encoding="utf-8")
    for suite in ("umbrella-rain", "homework.yaml"):
        cli("run", suite, "--agent", "random", "--limit", 1, "--log-dir", "both")
    packed = cli("board", "pack", "both", "-o", "both.zip")
    what = "homework seed 0, limit 1 (random); umbrella-rain seed 0, limit 1 (random)"
    assert packed.stdout.strip().endswith(f"KiB): {what}")
    (warning,) = packed.stderr.splitlines()
    assert warning.startswith("warning: `board verify` will refuse 'homework': only suites")


def test_dry_run_writes_nothing(here):
    """It says what would be run."""
    result = cli("run", "umbrella-rain", "--agent", "exact", "--dry-run", "--repeats", 2)
    assert result.exit_code == 0
    assert "exact: " in result.stdout
    assert "in 2 repeats, 0 of them logged" in result.stdout
    assert not (here / "logs").exists()


def test_variables_stand_in_for_flags(here):
    """Every flag has one; the command line overrides it."""
    env = {"CAUSALBENCH_SEED": "5", "CAUSALBENCH_AGENT": "exact", "CAUSALBENCH_LOG_DIR": "mine"}
    assert said("run", "umbrella-rain", **env)["seed"] == 5
    assert (here / "mine").is_dir()
    assert said("run", "umbrella-rain", "--seed", 6, **env)["seed"] == 6


def test_every_flag_has_a_variable():
    """Also those added later."""
    import typer.main

    group = typer.main.get_command(app)
    for command in group.commands.values():
        for parameter in getattr(command, "params", []):
            flag = max(parameter.opts, key=len).lstrip("-")
            if parameter.param_type_name == "option" and flag != "help":
                wanted = f"CAUSALBENCH_{flag.upper().replace('-', '_')}"
                assert (command.name, parameter.envvar) == (command.name, wanted)


def test_config_gives_defaults(here):
    """Flags in YAML; the environment and the command line override them."""
    config = "suite: umbrella-rain\nagent: [half.py:Half]\noption: {value: 0.25}\nseed: 7\n"
    (here / "run.yaml").write_text(config + "filter: {rung: 1}\nlog-dir: mine\n", encoding="utf-8")
    found = said("run", "--config", "run.yaml")
    assert found["seed"] == 7
    assert {row["rung"] for row in found["rows"]} == {1}
    assert (here / "mine").is_dir()
    assert said("run", "--config", "run.yaml", "--seed", 8)["seed"] == 8
    assert said("run", "--config", "run.yaml", CAUSALBENCH_SEED="9")["seed"] == 9


def test_plot_is_drawn(here):
    """A figure that can be opened."""
    assert cli("run", "umbrella-rain", "--agent", "exact", "--plot", "x.png").exit_code == 0
    assert (here / "x.png").read_bytes().startswith(b"\x89PNG")
    assert cli("score", "logs", "--plot", "x.svg").exit_code == 0
    assert b"<svg" in (here / "x.svg").read_bytes()


def test_quiet_says_nothing_beside_the_table():
    """Not even where the logs are."""
    assert cli("run", "umbrella-rain", "--agent", "exact", "--quiet").stderr == ""


def test_check_ends_by_what_it_finds():
    """0 and ok, or 1 and a line for each problem."""
    assert cli("check", "world", "umbrella-rain").exit_code == 0
    good = cli("check", "agent", "half.py:Half")
    assert (good.exit_code, good.stdout) == (0, "agent half.py:Half: ok\n")
    bad = said("check", "agent", "half.py:Half", "-A", "fail=true")
    assert bad["ok"] is False
    assert bad["problems"]


def test_check_suite_passes_and_finds_a_leak(monkeypatch):
    """The flagship suite is sound; with twins side by side, or a floor of nothing, it isn't."""
    from dataclasses import replace

    from causalbench.task.suite import Suite, load_suite

    suite = load_suite("umbrella-rain")
    assert check_suite(suite) == []
    real = Suite.cases

    def leaky(self, seed=0, **extra):
        cases = sorted(real(self, seed, **extra), key=lambda case: case.placement.pair_id)
        return [replace(case, items=case.items[:1]) for case in cases]

    monkeypatch.setattr(Suite, "cases", leaky)
    assert any("stand next to each other" in problem for problem in check_suite(suite))


def test_ctrl_c_ends_with_130(here):
    """And says how to go on; the log knows."""
    slow = AGENT.replace("from causalbench", "import time\nfrom causalbench", 1)
    (here / "slow.py").write_text(
        slow.replace("return Estimate", "time.sleep(0.5)\n        return Estimate"),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "causalbench", "run", "umbrella-rain", "--agent"]
    with subprocess.Popen(
        [*command, "slow.py:Half"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 30
        while not list(here.glob("logs/*/answers.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(2)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "interrupted; the same command goes on from here.\n"
    (manifest,) = here.glob("logs/*/manifest.json")
    assert json.loads(manifest.read_text(encoding="utf-8"))["status"] == "interrupted"


def test_public_surface_loads_as_it_is_used():
    """Importing the package imports nothing; every public name is there; rooms can be called."""
    program = (
        "import sys, causalbench as cb; assert 'numpy' not in sys.modules;"
        "import causalbench.truth.engine, causalbench.board;"
        "world = cb.load_world('umbrella-rain');"
        f"print(round(cb.truth(world, cb.parse({QUERY!r}, world)).value, 9), callable(cb.board))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0.727 True\n"


def test_public_names_agree():
    """What is promised is what is loaded."""
    import causalbench

    assert {*causalbench._HOME, "parse", "__version__"} == set(causalbench.__all__)
    assert all(getattr(causalbench, name) is not None for name in causalbench.__all__)
    assert set(causalbench.__all__) <= set(dir(causalbench))
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = causalbench.nosuch


def test_evaluate_and_the_command_agree():
    """One function does the work."""
    rows = evaluate("see-reader", "umbrella-rain").to_json()
    assert said("run", "umbrella-rain", "--agent", "see-reader")["agents"] == rows["agents"]


def test_warnings_are_one_line_each(monkeypatch):
    """Said once, on stderr, without the place in the source; not at all with --quiet."""
    import warnings

    from causalbench.task.suite import Suite

    real = Suite.cases

    def warning(self, *args, **extra):
        for _ in range(2):
            warnings.warn("a part was\nleft out", stacklevel=1)
        return real(self, *args, **extra)

    monkeypatch.setattr(Suite, "cases", warning)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        loud = cli("run", "umbrella-rain", "--agent", "exact")
        quiet = cli("run", "umbrella-rain", "--agent", "exact", "--quiet")
    assert loud.stderr.count("warning: a part was left out\n") == 1
    assert quiet.stderr == ""
