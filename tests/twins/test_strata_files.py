"""Suites of strata: what a malformed file says, and which pairs a small limit takes."""

from __future__ import annotations

import pytest

from causalbench.errors import UnknownNameError, WorldError
from causalbench.task.forms import FORMS
from causalbench.task.jobs import jobs_of, spread
from causalbench.task.recipe import recipe_from_dict
from causalbench.task.suite import load_suite

HUGE = 10**9


def read(**changes):
    """Read a suite file with one stratum that is changed."""
    stratum = {"forms": ["ATE"], "access": {"mechanisms": 2}, **changes}
    data = {"schema": 1, "name": "t", "version": 1, "title": "t", "strata": [stratum]}
    return recipe_from_dict(data, "t.yaml")


WRONG = [
    ({"forms": ["ATEE"]}, "Did you mean 'ATE'"),
    ({"forms": "ATE"}, "give 'forms'"),
    ({"forms": [None]}, "no type of question is called 'None'"),
    ({"forms": ["ATE", "ATE"]}, "listed twice"),
    ({"access": {"mechanism": 1}}, "names no terms"),
    ({"access": {"lab-do-99999999": 1}}, "names no terms"),
    ({"access": ["mechanisms"]}, "give 'forms'"),
    ({"access": {"mechanisms": -1}}, "no number of pairs"),
    ({"access": {"mechanisms": "2"}}, "no number of pairs"),
    ({"access": {"mechanisms": True}}, "no number of pairs"),
    ({"family": "cubic"}, "take discrete or linear"),
    ({"family": ["linear"]}, "take discrete or linear"),
    ({"zz": 3, "a": 1}, "no key 'zz'"),
    ({"sizes": {"small": 0}}, "all shares are 0"),
    ({"sizes": {"small": -1}}, "is no share"),
    ({"sizes": {"small": HUGE}}, "from 0 to 1000"),
    ({"sizes": {"smal": 1}}, "no 'smal'"),
    ({"sizes": {}}, "write a mapping"),
    ({"sizes": 0}, "write a mapping"),
    ({"motifs": {"chian": 1}}, "no 'chian'"),
    ({"surfaces": {"sensble": 1}}, "no 'sensble'"),
    ({"access": {"diagram-see-exact": 2}, "sizes": {"large": 1}}, "can't be large"),
    ({"access": {"lab-see-256": 2}}, "take lab-do-N"),
    ({"forms": ["PN"], "access": {"lab-do-256": 2}}, "take diagram-do-coupled"),
    ({"forms": ["PN"], "access": {"diagram-do": 2}}, "take diagram-do-coupled"),
    ({"forms": ["PN"], "access": {"diagram-do-coupled": 2}, "motifs": {"M": 1}}, "hidden causes"),
    ({"forms": ["ETT"], "access": {"diagram-do-coupled": 2}}, "take mechanisms or a lab"),
    ({"forms": ["PN"], "family": "linear"}, "linear worlds are not asked"),
    ({"access": {"diagram-see-exact": 2}, "family": "linear"}, "no exact laws"),
    ({"forms": ["CDE"], "access": {"diagram-see-500": 2}, "family": "linear"}, "mechanisms, lab"),
]


@pytest.mark.parametrize(("changes", "says"), WRONG)
def test_what_no_pair_can_be_made_of_is_refused_when_the_file_is_read(changes, says):
    """One line that names file and stratum, before anything is built."""
    with pytest.raises(WorldError) as caught:
        read(**changes)
    message = str(caught.value)
    assert message.startswith("t.yaml: strata")
    assert says in message
    assert "\n" not in message


def test_a_small_limit_meets_every_rung_and_type_of_question():
    """The first pairs differ in cell; a few more have asked all types of question."""
    jobs = spread(list(jobs_of(load_suite("ladder-v1").recipe, None)))
    pairs = [job for job in jobs if job.role == "skill"]
    cells = {(job.rung, job.track, job.cell) for job in pairs}
    assert {(job.rung, job.track, job.cell) for job in pairs[: len(cells)]} == cells
    assert {job.traits.form for job in pairs[:150]} == set(FORMS)


def test_a_limit_still_cuts_all_strata_alike():
    """After as many pairs as there are strata, each has given one."""
    recipe = load_suite("ladder-v1").recipe
    pairs = [job for job in spread(list(jobs_of(recipe, None))) if job.role == "skill"]
    assert len({job.part for job in pairs[: len(recipe.strata)]}) == len(recipe.strata)


@pytest.mark.parametrize("trait", ["form", "size", "motif", "family", "surface"])
def test_a_filter_by_what_no_case_can_be_is_refused_at_once(trait):
    """Else thousands of pairs would be built to find none."""
    with pytest.raises(UnknownNameError, match=f"there is no {trait} 'chian'; take one of"):
        load_suite("ladder-v1").cases(filter={trait: "chian"})


def test_a_filter_by_motif_builds_no_other_motif():
    """But those that may come out as free, which only a built pair shows."""
    jobs = [job for job in jobs_of(load_suite("ladder-v1").recipe, None) if job.role == "skill"]
    kept = [job for job in jobs if job.may_hold({"motif": "napkin"})]
    assert {job.traits.motif for job in kept} == {"napkin"}
    assert all(job.may_hold({"motif": "free"}) for job in jobs)
