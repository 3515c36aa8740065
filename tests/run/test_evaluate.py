"""Running agents: what is played, what fails, what the table says."""

# ruff: noqa: ARG002  (agents take what the protocol gives)

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from causalbench.errors import (
    AgentError,
    CausalBenchError,
    MissingExtraError,
    NotFoundError,
    ScoreError,
)
from causalbench.run import evaluate
from causalbench.score import Record


def statuses(run):
    """Count the statuses of a run."""
    counts = {}
    for record in run.records:
        counts[record.status] = counts.get(record.status, 0) + 1
    return counts


def skills(run):
    """Return track -> skill of a run of one agent."""
    return {row["track"]: row["skill"] for row in run.rows}


def answers(run):
    """Return what was said, by agent, repeat and question."""
    return {(one.agent, one.repeat, one.question): one.answer for one in run.records}


def test_one_answer_for_all_has_skill_zero(toy, agent):
    """.5 lies between the twins' .3 and .7: the whole floor is lost."""
    run = evaluate(agent("Half"), toy)
    assert skills(run) == {"estimates": 0.0, "decisions": 0.0}


def test_run_is_deterministic(toy, agent):
    """The same seed gives the same answers, lab and all."""
    assert answers(evaluate(agent("Tries"), toy)) == answers(evaluate(agent("Tries"), toy))


def test_seed_and_repeat_change_what_is_drawn(toy, agent):
    """Another repeat is another draw from the lab."""
    run = evaluate(agent("Tries"), toy, repeats=2)
    first, second = ([r.answer for r in run.records if r.repeat == n] for n in (0, 1))
    assert len(first) == len(second)
    assert first != second


def test_answers_do_not_depend_on_the_company(toy, agent):
    """Alone, after others, or on a part of the suite, an agent says the same."""
    alone = answers(evaluate(agent("Tries"), toy))
    among = answers(evaluate([agent("Half"), agent("Tries")], toy))
    part = answers(evaluate(agent("Tries"), toy, limit=2))
    assert {key: among[key] for key in alone} == alone
    assert {key: alone[key] for key in part} == part


def test_labs_of_twins_are_independent(toy):
    """The two sides of a pair draw different units: equal noise would show as equal means."""
    from causalbench.run.seeds import agent_seed, lab_rng
    from causalbench.task.lab import Lab

    one, two = toy.cases(0)[:2]
    seed = agent_seed(0, 0)
    draws = [
        Lab(one.scm, side.dossier, lab_rng(0, seed, side.dossier.id)).do_codes({"x": "1"}, 20)
        for side in (one, two)
    ]
    assert draws[0].tolist() != draws[1].tolist()


def test_every_dossier_gets_a_fresh_agent(toy, agent):
    """An agent that counts its dossiers never counts past one."""
    run = evaluate(agent("Counts"), toy)
    assert {r.answer.value for r in run.records if r.kind == "estimate"} == {1.0}


def test_what_an_agent_writes_reaches_no_other(toy, agent):
    """An agent that spoils its dossier spoils a copy."""
    cases = [
        replace(case, dossier=replace(case.dossier, rows=np.zeros((3, 2), dtype=np.int64)))
        for case in toy.cases(0)
    ]

    class Rows(type(toy)):
        def cases(self, seed, *, limit=None, filter=None):  # noqa: A002
            return cases

    run = evaluate(agent("Scribbles"), Rows(), repeats=2)
    assert {round(r.answer.value, 3) for r in run.records if r.kind == "estimate"} == {0.0}
    assert all(not case.dossier.rows.any() for case in cases)


def test_cost_is_metered(toy, agent):
    """Twenty interventions a dossier, and no rows."""
    (row, _) = evaluate(agent("Tries"), toy).rows
    assert (row["cost"]["interventions"], row["cost"]["rows"]) == (20.0, 0.0)
    assert row["cost"]["seconds"] > 0


def test_kind_that_is_not_accepted_has_no_row(toy, agent):
    """Decisions only: no row for estimates, and no 0."""
    assert skills(evaluate(agent("Acts"), toy)) == {"decisions": 0.0}


def test_cell_that_is_not_accepted_is_not_played(toy, agent):
    """Nothing to play beside an agent that plays: a note, no rows."""
    run = evaluate([agent("Half"), agent("Reads")], toy)
    assert {row["agent"] for row in run.rows} == {"half"}
    assert run.notes == ("reads accepts none of these questions: not played.",)


def test_nothing_played_at_all_raises(toy, agent):
    """A table of nothing isn't a table of zeros."""
    run = evaluate(agent("Reads"), toy)
    with pytest.raises(ScoreError, match="no answers"):
        _ = run.rows


def test_exception_in_answer_fails_that_item_only(toy, agent):
    """Decisions fail and cost half the floor; estimates are answered; the traceback is kept."""
    run = evaluate(agent("Raises"), toy)
    assert statuses(run) == {"answered": 8, "failed": 4}
    assert run.failed == 4
    assert skills(run)["decisions"] == 0.0
    assert "KeyError: 'no idea how to act'" in next(r.error for r in run.records if r.error)


def test_exception_in_study_fails_the_dossier(toy, agent):
    """A budget overdrawn and not caught fails every question of the dossier."""
    run = evaluate(agent("FailsToStudy"), toy)
    assert statuses(run) == {"failed": 12}
    assert "BudgetExhausted" in run.records[0].error


def test_exit_in_an_agent_is_a_failure(toy, agent):
    """An agent can't end the run."""
    assert statuses(evaluate(agent("Exits"), toy)) == {"failed": 12}


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("text", "invalid"),
        ("none", "invalid"),
        ("abstain", "abstained"),
        ("unseen", "unseen"),
        ("wrong", "invalid"),
    ],
)
def test_answers_that_are_none_are_counted(toy, agent, what, status):
    """Each kind of silence has a status of its own."""
    run = evaluate(agent("Says"), toy, options={"": {"what": what}})
    assert statuses(run) == {status: 12}


def test_missing_extra_ends_the_run(toy):
    """A package to install is the user's to mend, not the agent's failure."""

    class Needs:
        name = "needs"
        accepts = frozenset({"estimate"})

        def answer(self, question, *, rng):
            msg = "agent 'needs' needs the extra rl; pip install it."
            raise MissingExtraError(msg)

    with pytest.raises(MissingExtraError, match="extra rl"):
        evaluate(Needs(), toy)


def test_time_limit_fails_what_comes_late(toy, agent):
    """Each answer takes .03 s of .05: the second of a dossier is late, and the third."""
    run = evaluate(agent("Slow"), toy, time_limit=0.05)
    late = [r for r in run.records if r.status == "failed"]
    assert {r.kind for r in late} == {"estimate"}
    assert {r.error for r in late} == {"time: the dossier took longer than 0.05 s"}


def test_training_happens_once_a_repeat(toy, agent):
    """Every dossier of a repeat answers from the same checkpoint, each repeat from its own."""
    run = evaluate(agent("Trained"), toy, repeats=2)
    learnt = [
        {r.answer.value for r in run.records if r.repeat == n and r.kind == "estimate"}
        for n in (0, 1)
    ]
    assert [len(one) for one in learnt] == [1, 1]
    assert learnt[0] != learnt[1]


def test_failed_training_fails_its_items(toy, agent):
    """Nothing is played with an agent that couldn't be trained."""
    run = evaluate(agent("Untrainable"), toy)
    assert statuses(run) == {"failed": 12}
    assert run.records[0].error.startswith("train: ")
    assert "no gradient" in run.records[0].error


def test_training_without_saving_is_refused(toy, agent):
    """A fresh copy needs a checkpoint."""
    with pytest.raises(AgentError, match="has train but not save and load"):
        evaluate(agent("Forgetful"), toy)


def test_filter_and_limit_select(toy, agent):
    """Half of the pairs are decisions; a limit of one pair leaves its two sides."""
    assert skills(evaluate(agent("Half"), toy, where={"track": "decisions"})) == {"decisions": 0.0}
    assert {r.pair for r in evaluate(agent("Half"), toy, limit=1).records} == {"p0"}


def test_filter_that_leaves_nothing_raises(toy, agent):
    """Nothing to run is said, not run."""
    with pytest.raises(NotFoundError, match="no items where rung=1"):
        evaluate(agent("Half"), toy, where={"rung": 1})


@pytest.mark.parametrize(
    ("flag", "value"),
    [("seed", -1), ("repeats", 0), ("limit", 0), ("jobs", 0), ("time_limit", 0.0)],
)
def test_numbers_out_of_range_raise(toy, agent, flag, value):
    """Each names itself."""
    with pytest.raises(CausalBenchError, match=f"{flag.replace('_', ' ')} is {value}"):
        evaluate(agent("Half"), toy, **{flag: value})


@pytest.mark.parametrize(
    ("names", "why"),
    [([], "no agent to run"), (["Half", "Half"], "'half' is named twice")],
)
def test_wrong_lists_of_agents_raise(toy, agent, names, why):
    """None, or the same one twice."""
    with pytest.raises(AgentError, match=why):
        evaluate([agent(name) for name in names], toy)


def test_options_for_an_agent_that_is_not_run_raise(toy, agent):
    """A typing error in -A isn't swallowed."""
    with pytest.raises(AgentError, match="options are given for 'other'"):
        evaluate(agent("Half"), toy, options={"other": {"x": 1}})


def test_controls_are_consulted_and_nobody_else_is(toy):
    """The exact control knows the key; a class that only claims to be a control gets none."""
    from causalbench.agent.controls import Control, Exact

    class Cheat(Control):
        name = "cheat"
        accepts = frozenset({"estimate", "act"})

        def consult(self, dossier, item, *, rng):
            return Exact().consult(dossier, item, rng=rng)

        def answer(self, question, *, rng):
            msg = "no key here"
            raise RuntimeError(msg)

    Cheat.__module__ = "causalbench.agent.controls"
    run = evaluate(["exact", Cheat], toy)
    assert [(row["agent"], row["skill"], row["control"]) for row in run.rows] == [
        ("exact", 1.0, True),
        ("exact", 1.0, True),
        ("cheat", 0.0, False),
        ("cheat", 0.0, False),
    ]


def test_frame_has_a_row_an_item(toy, agent):
    """Two repeats of twelve items, and their losses."""
    frame = evaluate(agent("Half"), toy, repeats=2).frame()
    assert len(frame) == 24
    assert set(frame["status"]) == {"answered"}
    assert frame.loc[frame["kind"] == "estimate", "loss"].to_numpy() == pytest.approx(0.2)


def test_ladder_is_the_table_as_a_frame(toy, agent):
    """One row for each that was played, profile and cost in columns of their own."""
    ladder = evaluate(agent("Half"), toy).ladder()
    assert list(ladder["track"]) == ["estimates", "decisions"]
    assert {"skill", "low", "high", "cost_rows", "failed"} <= set(ladder.columns)


@pytest.mark.slow
def test_jobs_change_nothing(toy, agent):
    """Two processes give the answers of one, trained agents too."""
    named = [agent("Tries"), agent("Trained")]
    one = evaluate(named, toy, repeats=2)
    two = evaluate(named, toy, repeats=2, jobs=2)
    assert answers(two) == answers(one)
    assert two.rows[0]["skill"] == one.rows[0]["skill"]


@pytest.mark.slow
def test_a_worker_that_dies_is_said(toy, agent, tmp_path):
    """One line, and what to do; the log keeps what was answered."""
    flag = tmp_path / "flag"
    flag.write_text("0", encoding="utf-8")
    options = {"": {"flag": str(flag)}}
    with pytest.raises(AgentError, match="a worker process died"):
        evaluate(agent("Kills"), toy, jobs=2, log_dir=tmp_path, options=options)


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_so(tmp_path):
    """One line says how to mend it; the workers, which run the script again, add no traces."""
    script = tmp_path / "script.py"
    script.write_text(
        "import causalbench as cb\n"
        "try:\n"
        "    cb.evaluate('random', 'umbrella-rain', limit=1, jobs=2)\n"
        "except cb.CausalBenchError as error:\n"
        "    print(error)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.count("\n") == 1
    assert 'under `if __name__ == "__main__":`, or use jobs=1' in done.stdout
    assert "Traceback" not in done.stderr


def test_abstaining_throughout_for_one_reason_is_noted(toy):
    """The reader learns why there is no skill to speak of, and the frame has every reason."""
    run = evaluate(lambda _: None, toy)
    assert run.notes == ("policy: all 4 answers abstained: the policy gave no action",)
    assert list(run.frame()["reason"].unique()) == ["the policy gave no action"]


def test_other_answers_have_no_reason_and_no_note(toy, agent):
    """Nothing is said of an agent that answers."""
    run = evaluate(agent("Half"), toy)
    assert run.notes == ()
    assert list(run.frame()["reason"].unique()) == [None]


def test_a_run_is_shown_in_a_line(toy, agent):
    """What it is, not its records; a notebook shows the table."""
    run = evaluate(agent("Half"), toy, seed=3)
    expected = f"<Run of {run.suite} version {run.version}, seed 3: agents half; items 12>"
    assert repr(run) == expected
    assert run._repr_html_() == run.ladder().to_html()


def test_an_instance_runs_in_one_process(toy):
    """Another process can't make it again: that is said, and it is played here."""
    from toy_agents import Half

    run = evaluate(Half(), toy, jobs=2)
    assert run.notes == ("half was played in one process: no other can make the agent.",)
    assert statuses(run) == {"answered": 12}


def test_threads_are_given_back(toy, agent, monkeypatch):
    """A run keeps linear algebra to one thread, and leaves the caller's setting as it was."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    evaluate(agent("Half"), toy, limit=1)
    import os

    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_records_survive_json(toy, agent):
    """Scores are logged as records, and read back equal."""
    import json

    for record in evaluate(agent("Tries"), toy).records:
        assert Record.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_evaluate_prints_nothing(toy, agent, capfd):
    """A library is silent, progress asked for or not: there is no terminal here."""
    evaluate(agent("Raises"), toy, progress=True)
    assert capfd.readouterr() == ("", "")
    assert not sys.stderr.isatty()
