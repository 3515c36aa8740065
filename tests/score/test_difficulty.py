"""Selecting cases by the difficulty that was measured."""

from __future__ import annotations

import importlib.util
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

from causalbench.errors import NotFoundError, UnknownNameError
from causalbench.run import Run
from causalbench.task import difficulty
from causalbench.task.catalogue import data_files
from causalbench.task.difficulty import load_difficulty, stratum_of
from causalbench.task.jobs import jobs_of
from causalbench.task.suite import load_suite
from causalbench.task.types import Traits

ROOT = Path(__file__).resolve().parents[2]
TOY = """
schema: 1
name: toy
version: 1
title: Pairs of three types of question
strata:
  - forms: [conditional, ATE, CATE]
    access: {mechanisms: 1}
"""
FIGURES = """
suite: toy
version: 1
measured: {seed: 0}
cuts: [0.3, 0.6]
strata:
  conditional/mechanisms/small/discrete: [0.1, 0.5, 2]
  ATE/mechanisms/small/discrete: [0.6, null, 2]
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Return a suite of three pairs of which two strata were measured."""
    (tmp_path / "suite.yaml").write_text(TOY, encoding="utf-8")
    file = tmp_path / "figures.yaml"
    file.write_text(FIGURES, encoding="utf-8")
    monkeypatch.setattr(difficulty, "data_files", lambda _: {"toy": file})
    difficulty._read.cache_clear()
    yield load_suite(tmp_path / "suite.yaml")
    difficulty._read.cache_clear()


@pytest.fixture(scope="module")
def program():
    """Return the program that measures."""
    spec = importlib.util.spec_from_file_location(
        "measure_difficulty", ROOT / "benchmarks" / "difficulty.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("access", "kind"),
    [
        ("mechanisms", "mechanisms"),
        ("diagram-see-exact", "diagram-see-exact"),
        ("diagram-see-500", "diagram-see"),
        ("diagram-do-coupled", "diagram-do-coupled"),
        ("lab-replay-16384", "lab-replay"),
    ],
)
def test_strata_pool_budgets(access, kind):
    """Numbers are dropped from the terms' name, nothing else."""
    traits = Traits("PN", access, "small", "chain", "discrete", "plain")
    assert stratum_of(traits) == f"PN/{kind}/small/discrete"


def test_levels_are_thirds(toy):
    """Below the first cut easy, from the second on hard, and unmeasured strata are none."""
    found = load_difficulty(toy)
    levels = [
        found.level(Traits(form, "mechanisms", "small", "chain", "discrete", "plain"))
        for form in ("conditional", "ATE", "CATE")
    ]
    assert levels == ["easy", "hard", ""]


@pytest.mark.parametrize(
    ("wanted", "forms"),
    [("easy", {"conditional"}), ("hard", {"ATE"}), (["easy", "hard"], {"conditional", "ATE"})],
)
def test_cases_are_selected(toy, wanted, forms):
    """Whole pairs, of the strata of that level."""
    cases = toy.cases(0, filter={"difficulty": wanted})
    assert {case.placement.traits.form for case in cases} == forms
    assert len(cases) == 2 * len(forms)


def test_traits_select_too(toy):
    """A filter may name any trait."""
    cases = toy.cases(0, filter={"form": "ATE", "size": "small"})
    assert {case.placement.traits.form for case in cases} == {"ATE"}
    assert not toy.cases(0, filter={"size": "large"})


@pytest.mark.usefixtures("toy")
def test_an_unmeasured_suite_is_one_clear_error():
    """It names what was measured and what to do instead."""
    with pytest.raises(NotFoundError, match=r"was not measured \(measured: toy\); leave it out"):
        load_suite("ladder-mini").cases(0, limit=1, filter={"difficulty": "hard"})


@pytest.mark.usefixtures("toy")
def test_another_version_is_refused():
    """Figures of items that are no longer drawn say nothing."""
    with pytest.raises(NotFoundError, match="measured on version 1, this is version 2"):
        load_difficulty(SimpleNamespace(name="toy", version=2))


def test_an_unknown_level_is_refused(toy):
    """With a suggestion."""
    with pytest.raises(UnknownNameError, match="Did you mean 'hard'"):
        load_difficulty(toy, "hrad")


@pytest.mark.usefixtures("toy")
def test_the_command_line_selects(tmp_path):
    """`--difficulty` keeps the pair of that level, and says what there is where there is none."""
    plan = ["run", str(tmp_path / "suite.yaml"), "--agent", "random", "--dry-run", "--difficulty"]
    done = CliRunner().invoke(app, [*plan, "hard"])
    assert "1 pair" in done.stdout
    assert "rung 2" in done.stdout
    done = CliRunner().invoke(app, [*plan, "medium"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "difficulty=medium" in done.stderr


def test_what_is_measured_reads_back(program, toy, tmp_path, monkeypatch, pair):
    """The program's file holds what it measured."""
    traits = {"access": "mechanisms", "size": "small", "family": "discrete"}
    records = [
        record
        for agent in range(3)
        for form, losses in (("ATE", (0.2, 0.1)), ("PN", (0.05 * agent, 0.1 * agent)))
        for record in pair(form, losses, agent=f"a{agent}", form=form, **traits)
    ]
    figures = program.measured(Run("toy", 1, 0, "d", tuple(records)), None)
    file = tmp_path / "written.yaml"
    file.write_text(program.text(figures), encoding="utf-8")
    monkeypatch.setattr(difficulty, "data_files", lambda _: {"toy": file})
    difficulty._read.cache_clear()
    found = load_difficulty(toy)
    assert found.strata["ATE/mechanisms/small/discrete"].difficulty == 0.75
    assert found.cuts == tuple(figures["cuts"])
    assert found.measured["agents"] == ["a0", "a1", "a2"]
    program.report(figures)


@pytest.mark.slow
def test_measuring_a_small_suite(program, toy, tmp_path, monkeypatch):
    """The program runs its agents and writes a file that is read."""
    monkeypatch.setattr(
        "sys.argv",
        ["difficulty.py", "--suite", str(tmp_path / "suite.yaml"), "--out", str(tmp_path / "out")],
    )
    program.main()
    shutil.copy(tmp_path / "out" / "toy.yaml", tmp_path / "figures.yaml")
    difficulty._read.cache_clear()
    assert set(load_difficulty(toy).strata) == {
        f"{form}/mechanisms/small/discrete" for form in ("conditional", "ATE", "CATE")
    }


def test_what_a_filter_leaves_out_is_not_built(toy):
    """One of three pairs may hold what is asked: a large suite is not built for a few."""
    jobs = list(jobs_of(toy.recipe, None))
    motif = next(job.traits.motif for job in jobs if job.traits.form == "ATE")
    wanted = {"form": "ATE", "size": "small", "surface": "plain", "motif": motif}
    assert [job.part for job in jobs if job.may_hold(wanted)] == ["ATE/mechanisms/discrete"]
    assert not any(job.may_hold({"size": "large"}) for job in jobs)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(data_files("difficulty")))
def test_figures_that_are_shipped_are_of_the_suite_as_it_is(name):
    """Measured on these items, and at all levels."""
    suite = load_suite(name)
    found = load_difficulty(suite)
    assert found.measured["digest"] == suite.digest
    levels = Counter(
        sum(each.difficulty >= cut for cut in found.cuts) for each in found.strata.values()
    )
    assert min(levels[level] for level in range(3)) > len(found.strata) // 4
