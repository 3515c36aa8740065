"""Scoring a log again, without any agent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causalbench.errors import LogError
from causalbench.run import evaluate, rescore


def test_a_log_scores_as_its_run(toy, agent, tmp_path):
    """The same rows, from the answers alone, repeats, limits and statuses included."""
    named = [agent("Raises"), agent("Tries")]
    run = evaluate(named, toy, log_dir=tmp_path, repeats=2, limit=3)
    again = rescore(tmp_path, toy)
    assert again.to_json() == run.to_json()
    assert again.log_paths == run.log_paths
    assert again.manifests == run.manifests


def test_one_folder_scores_alone(toy, agent, tmp_path):
    """The folder of one agent gives that agent's rows."""
    run = evaluate([agent("Half"), agent("Tries")], toy, log_dir=tmp_path)
    again = rescore(run.log_paths["tries"], toy)
    assert again.rows == [row for row in run.rows if row["agent"] == "tries"]


def test_what_the_log_lacks_is_missing(toy, agent, tmp_path):
    """Half the floor each, and counted: 4 of 12 answers are gone."""
    run = evaluate(agent("Tries"), toy, log_dir=tmp_path)
    file = run.log_paths["tries"] / "answers.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:8]))
    again = rescore(tmp_path, toy)
    assert [record.status for record in again.records].count("missing") == 4
    assert again.failed == 4


def test_a_torn_line_is_left_alone(toy, agent, tmp_path):
    """Scoring reads: it never mends a log."""
    run = evaluate(agent("Tries"), toy, log_dir=tmp_path)
    file = run.log_paths["tries"] / "answers.jsonl"
    torn = file.read_bytes()[:-9]
    file.write_bytes(torn)
    assert rescore(tmp_path, toy).failed == 1
    assert file.read_bytes() == torn


def test_logs_moved_aside_are_left_out(toy, agent, tmp_path):
    """What --fresh kept isn't scored."""
    for _ in range(2):
        evaluate(agent("Half"), toy, log_dir=tmp_path, fresh=True)
    assert len(rescore(tmp_path, toy).records) == 12


def test_a_changed_suite_is_refused(toy, agent, tmp_path):
    """Keys that weren't those of the run are never applied."""
    evaluate(agent("Half"), toy, log_dir=tmp_path)
    with pytest.raises(LogError, match="has changed since"):
        rescore(tmp_path, replace(toy, version="2"))


def test_logs_of_two_seeds_are_refused(toy, agent, tmp_path):
    """One table, one suite, one seed."""
    for seed in (0, 1):
        evaluate(agent("Half"), toy, log_dir=tmp_path, seed=seed)
    with pytest.raises(LogError, match=r"different runs .*seed 0; .*seed 1"):
        rescore(tmp_path, toy)


def test_two_logs_of_one_agent_are_refused(toy, agent, tmp_path):
    """With two options, say, or before and after a change of its source."""
    for what in ("text", "none"):
        evaluate(agent("Says"), toy, log_dir=tmp_path, options={"": {"what": what}})
    with pytest.raises(LogError, match="two runs of 'says'"):
        rescore(tmp_path, toy)


def test_a_suite_without_a_name_must_be_given(toy, agent, tmp_path):
    """An object can't be found again."""
    evaluate(agent("Half"), toy, log_dir=tmp_path)
    with pytest.raises(LogError, match="give the suite"):
        rescore(tmp_path)


@pytest.mark.parametrize("text", ["not json", "[]", '{"schema": 2}'])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    """Named, with its path."""
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(LogError, match=r"manifest\.json"):
        rescore(tmp_path)


def test_no_log_is_refused(tmp_path):
    """An empty folder holds nothing to score."""
    with pytest.raises(LogError, match=r"holds no manifest\.json"):
        rescore(tmp_path)
