"""What a log becomes on disk: two formats, the same values, the same bytes, all or nothing."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from log_programs import ACTIONS, confounded, counted

from causalbench.env.record import record
from causalbench.errors import AccessError, LogError
from causalbench.run.log_formats import Face, MinariWriter
from causalbench.run.log_source import LogSource, log_source
from causalbench.run.make_log import make_log

h5py = pytest.importorskip("h5py")
parquet = pytest.importorskip("pyarrow.parquet")


def source(program=None):
    """Return a small world to log."""
    return LogSource("bed-time", 1, "Sweets and sleep", "a test", program or confounded(), "night")


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_parquet_row_is_a_step(tmp_path):
    """Labels before and after the action, the action, all that match, reward and end."""
    make_log(source(counted()), tmp_path, steps=4)
    rows = parquet.read_table(tmp_path / "data" / "log.parquet").to_pylist()
    first, last = rows[0], rows[-1]
    assert first == {
        "episode": 0,
        "step": 0,
        "action": 0,
        "action_label": "pass",
        "matches": [0],
        "obs_tick": "0",
        "obs_push": "unseen",
        "obs_sum": "unseen",
        "next_tick": "1",
        "next_push": "off",
        "next_sum": "0",
        "reward": pytest.approx(0.2),
        "terminal": False,
    }
    assert (last["step"], last["terminal"], last["matches"]) == (3, True, [0, 1])
    assert (last["obs_sum"], last["next_sum"]) == ("1", "2")
    assert last["action_label"] == "push=on"


def test_parquet_holds_what_was_recorded(tmp_path):
    """Every value of the arrays, in order, over more than one block."""
    make_log(source(), tmp_path, steps=7000, seed=3)
    log = record(confounded(), 7000, seed=3)
    table = parquet.read_table(tmp_path / "data" / "log.parquet")
    assert table.num_rows == log.steps >= 7000
    assert table["reward"].to_pylist() == log.reward[log.alive].tolist()
    assert table["action"].to_pylist() == log.action[log.alive].tolist()
    labels = ["bad", "good", "unseen"]
    seen = [labels[code] for code in log.seen[:, :-1, 2][log.alive]]
    assert table["obs_sleep"].to_pylist() == seen
    after = [labels[code] for code in log.seen[:, 1:, 2][log.alive]]
    assert table["next_sleep"].to_pylist() == after


def test_minari_holds_what_was_recorded(tmp_path):
    """A group an episode: observations one more than actions, flags on the last step."""
    make_log(source(), tmp_path, steps=900, format_="minari", seed=3)
    log = record(confounded(), 900, seed=3)
    with h5py.File(tmp_path / "data" / "main_data.hdf5") as file:
        assert len(file) == log.episodes
        for episode in (0, 7, log.episodes - 1):
            group = file[f"episode_{episode}"]
            assert dict(group.attrs) == {"id": episode, "total_steps": 3}
            assert np.array_equal(group["observations"][()], log.seen[episode])
            assert np.array_equal(group["actions"][()], log.action[episode])
            assert np.array_equal(group["rewards"][:], log.reward[episode])
            assert group["terminations"][:].tolist() == [False, False, True]
            assert group["truncations"][:].tolist() == [False] * 3
            assert np.array_equal(group["infos/matches"][1:], log.matches[episode])
    said = json.loads((tmp_path / "data" / "metadata.json").read_text(encoding="utf-8"))
    assert (said["total_episodes"], said["total_steps"]) == (log.episodes, log.steps)
    assert said["data_format"] == "hdf5"
    assert json.loads(said["action_space"]) == {
        "type": "Discrete",
        "dtype": "int64",
        "start": 0,
        "n": 3,
    }
    assert json.loads(said["observation_space"])["nvec"] == [3, 3, 3, 3, 1]


def test_minari_reads_it(tmp_path, monkeypatch):
    """Minari itself, where it is at hand, opens the folder and finds the log by its id."""
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    place = tmp_path / "causalbench" / "bed-time" / "log-natural-v0"
    make_log(source(), place, steps=90, format_="minari")
    log = record(confounded(), 90)
    found = minari.load_dataset("causalbench/bed-time/log-natural-v0")
    assert (found.total_episodes, found.total_steps) == (30, 90)
    assert found.action_space.n == len(ACTIONS)
    assert np.array_equal(found[4].observations, log.seen[4])
    assert found[4].terminations.tolist() == [False, False, True]
    assert list(minari.list_local_datasets()) == ["causalbench/bed-time/log-natural-v0"]


def test_the_environment_can_be_made_again(tmp_path):
    """Minari's metadata hold a specification of one with the same spaces and the same law."""
    import gymnasium
    from gymnasium.envs.registration import EnvSpec

    drawn = log_source("key-maze", difficulty="easy", index=3)
    make_log(drawn, tmp_path, steps=90, format_="minari")
    said = json.loads((tmp_path / "data" / "metadata.json").read_text(encoding="utf-8"))
    env = gymnasium.make(EnvSpec.from_json(said["env_spec"]))
    assert env.observation_space.nvec.tolist() == json.loads(said["observation_space"])["nvec"]
    assert env.action_space.n == json.loads(said["action_space"])["n"]
    assert str(env.observation_space.dtype) == json.loads(said["observation_space"])["dtype"]
    assert env.spec.kwargs["world"] == 3
    assert env.unwrapped.program.play == drawn.program.play


@pytest.mark.parametrize("kind", ["parquet", "minari"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, kind):
    """A second later, in another folder; another seed gives others."""
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        make_log(source(), tmp_path / name, steps=600, format_=kind, seed=seed)
        time.sleep(1.1 if name == "one" else 0)  # times in files have seconds
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") != contents(tmp_path / "other")


@pytest.mark.parametrize("kind", ["parquet", "minari"])
def test_rewards_can_be_left_out(tmp_path, kind):
    """No column of them in Parquet, NaN in Minari's layout, which needs the array."""
    make_log(source(), tmp_path, steps=30, format_=kind, rewards=False)
    if kind == "parquet":
        assert "reward" not in parquet.read_schema(tmp_path / "data" / "log.parquet").names
    else:
        with h5py.File(tmp_path / "data" / "main_data.hdf5") as file:
            assert np.isnan(file["episode_3/rewards"][:]).all()
    assert "left out" in (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["parquet", "minari"])
def test_hidden_values_are_in_no_file(tmp_path, kind):
    """Neither the labels of a hidden variable, nor an array as long as its values."""
    make_log(source(), tmp_path, steps=300, format_=kind)
    assert b"zzplain" not in b"".join(contents(tmp_path).values())
    if kind == "parquet":
        names = parquet.read_schema(tmp_path / "data" / "log.parquet").names
        assert not [name for name in names if "taste" in name]
    else:
        with h5py.File(tmp_path / "data" / "main_data.hdf5") as file:
            found: list[str] = []
            file["episode_0"].visit(found.append)
        wanted = {"actions", "infos", "infos/matches", "observations", "rewards"}
        assert set(found) == wanted | {"terminations", "truncations"}


def test_nothing_hidden_moves_what_is_recorded_but_by_what_it_does():
    """A second hidden variable that copies the first changes no value of the log."""
    from causalbench.scm.play import Play
    from causalbench.scm.program import Program
    from causalbench.task.sequential.slices import Slices

    def program(*, copied):
        made = Slices(1).add("why", "a b", hidden=True).add("act", "no yes").add("end", "no yes")
        made.chance("why", "", lambda: 0.5)
        made.rule("act", "why", lambda _, why: why)
        made.chance("end", "why act", lambda why, act: 0.25 + 0.5 * why - 0.125 * act)
        if copied:
            made.add("copy", "a b", hidden=True).rule("copy", "why", lambda _, why: why)
        play = Play("p", ("pass", "act=yes"), ("act", "end"), ((1.0, "end=yes"),))
        return Program(made.process(), play)

    one, two = record(program(copied=False), 500), record(program(copied=True), 500)
    assert np.array_equal(one.seen, two.seen)
    assert np.array_equal(one.reward, two.reward)


@pytest.mark.parametrize("earlier", [True, False])
def test_a_failure_leaves_the_folder_as_it_was(tmp_path, monkeypatch, earlier):
    """A disk that is full after some episodes: one line, and nothing of the new log."""
    folder = tmp_path / "log"
    if earlier:
        make_log(source(), folder, steps=30)
        (folder / "mine.txt").write_text("keep", encoding="utf-8")
    before = contents(tmp_path)

    def full(_self, _log):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MinariWriter, "add", full)
    with pytest.raises(LogError, match="No space left on device; it is as it was"):
        make_log(source(), folder, steps=300, format_="minari")
    assert contents(tmp_path) == before
    assert folder.exists() == earlier


def test_a_new_log_replaces_one_of_another_format(tmp_path):
    """No file of the earlier one stays, and none of the user's goes."""
    make_log(source(), tmp_path, steps=30)
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    make_log(source(), tmp_path, steps=30, format_="minari")
    assert set(contents(tmp_path)) == {
        *("README.md", "metadata.json", "mine.txt"),
        *("data/main_data.hdf5", "data/metadata.json"),
    }


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    """Without h5py, the line says what to install, and nothing is written."""
    from causalbench.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"causalbench-ladder\[logs\]"):
        make_log(source(), tmp_path, steps=30, format_="minari")
    assert contents(tmp_path) == {}


def test_a_log_of_no_steps_is_refused(tmp_path):
    """Before anything is made."""
    with pytest.raises(AccessError, match="at least 1"):
        make_log(source(), tmp_path / "log", steps=0)
    assert not (tmp_path / "log").exists()


def test_a_value_called_unseen_is_refused():
    """A reader could not tell it from what was not seen."""
    from causalbench.scm.play import Play
    from causalbench.scm.program import Program
    from causalbench.task.sequential.slices import Slices

    made = Slices(1).add("act", "unseen seen").chance("act", "", lambda: 0.5)
    play = Play("p", ("pass", "act=seen"), ("act",), ((1.0, "act=seen"),))
    with pytest.raises(LogError, match="rename it"):
        Face.of(Program(made.process(), play))
