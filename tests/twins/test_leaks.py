"""No side leaks; planted leaks and planted cheats are caught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalbench.errors import ScoreError, TwinError
from causalbench.scm import Mechanism
from causalbench.task.answer import Abstain, Choice, Estimate
from causalbench.task.check_suite import check_cases, check_suite
from causalbench.task.jobs import jobs_of
from causalbench.task.leaks import audit_blind, find_leaks, pairs_of, sealed_view
from causalbench.task.suite import load_suite


def planted(cases, change):
    """Return the cases with ``change`` made to the dossiers of side 1."""
    return [
        replace(case, dossier=change(case.dossier)) if case.placement.side == 1 else case
        for case in cases
    ]


def test_twins_agree_on_everything_but_the_permitted_evidence(pairs):
    """Without ids and permitted evidence the two sides are the same bytes."""
    for first, second in pairs:
        assert sealed_view(first) == sealed_view(second), first.placement.pair_id


def test_ladder_mini_has_no_leak(mini):
    """No statistic of ids, digits or orders goes with the side or the answer."""
    assert find_leaks(mini) == []


def test_ladder_mini_passes_the_suite_check(mini):
    """Margins, proofs, readings, ids, order and encodings of all 574 cases are in order."""
    assert check_cases(mini) == []


def test_umbrella_rain_passes_the_suite_check():
    """So does the flagship."""
    assert check_suite("umbrella-rain") == []


def test_side_in_the_id_is_caught(mini):
    """A planted leak: the last digit of the id is even on side 0, odd on side 1."""

    def marked(case):
        digit = "13579bdf"[3] if case.placement.side else "02468ace"[5]
        return replace(case, dossier=replace(case.dossier, id=case.dossier.id[:-1] + digit))

    found = find_leaks([marked(case) for case in mini])
    assert any("dossier id" in line and "side" in line for line in found)


def test_side_in_the_last_digit_of_a_number_is_caught(mini):
    """A planted leak: the last of 12 digits of a shown probability is odd on side 1 alone."""
    change = {0: 0, 1: 1}

    def marked(case):
        scm = case.dossier.mechanisms
        if scm is None or case.placement.role != "skill":
            return case
        name = scm.visible[0]
        noise = np.rint(scm.mechanism(name).noise * 10**12).astype(np.int64)
        odd = noise[0] % 2 != change[case.placement.side]
        if odd or noise[0] % 10 == 0:
            step = 1 if odd else 2
            noise[0] += step
            noise[1] -= step
        mechanism = scm.mechanism(name)
        changed = Mechanism(mechanism.parents, noise / 10**12, mechanism.table)
        shown = scm.replace(mechanisms={name: changed})
        return replace(case, dossier=replace(case.dossier, mechanisms=shown))

    found = find_leaks([marked(case) for case in mini])
    assert any("noise" in line and "parity" in line for line in found)


def test_side_in_the_row_order_is_caught(mini):
    """A planted leak: side 1's rows are sorted."""

    def sort(dossier):
        rows = dossier.rows
        return replace(dossier, rows=rows[np.lexsort(rows.T[::-1])]) if len(rows) else dossier

    found = find_leaks(planted(mini, sort))
    assert any("rows" in line for line in found)


def test_side_in_the_first_row_is_caught(mini):
    """A subtler one: only the first row of side 1 is chosen, the lowest there is."""

    def lowest_first(dossier):
        rows = dossier.rows
        if not len(rows):
            return dossier
        order = np.lexsort(rows.T[::-1])
        first = np.concatenate([order[:1], np.setdiff1d(np.arange(len(rows)), order[:1])])
        return replace(dossier, rows=rows[first])

    found = find_leaks(planted(mini, lowest_first))
    assert any("rank of the first" in line for line in found)


def test_a_difference_in_what_both_are_told_is_caught(mini):
    """A planted leak: one twin is told another story."""
    found = check_cases(planted(mini[:], lambda dossier: replace(dossier, story="A hint.")))
    assert any("more than the permitted evidence" in line for line in found)


def test_a_lower_law_that_differs_in_its_last_digit_is_caught(mini):
    """Given laws below the rung must be the same bytes in both twins."""

    def nudge(dossier):
        if not dossier.laws:
            return dossier
        table = dossier.laws[0].table.copy()
        table.flat[0] += 1e-12
        return replace(dossier, laws=(replace(dossier.laws[0], table=table), *dossier.laws[1:]))

    found = check_cases(planted(mini, nudge))
    assert any("more than the permitted evidence" in line for line in found)


def test_twins_in_order_of_side_are_caught(mini):
    """A planted leak: side 0 always comes before side 1."""
    ordered = sorted(mini, key=lambda case: (case.placement.side, case.placement.pair_id))
    assert any("place in the suite" in line for line in find_leaks(ordered))


def test_an_honest_answerer_scores_nothing_blind(mini):
    """Told only the rungs below, a deterministic answerer scores at most 0."""

    def guess(dossier, item):
        if item.question.kind == "estimate":
            return Estimate(float(dossier.laws[0].table.max()))
        return Choice(item.question.actions[-1])

    audit = audit_blind(guess, mini)
    assert audit.pairs == 240
    assert not audit.caught


def test_a_cheat_handed_the_key_is_caught(mini):
    """One that looks at the key scores 1 where nobody can score above 0."""

    def cheat(_dossier, item):
        truth = item.key.truth
        return Choice(truth) if isinstance(truth, str) else Estimate(truth)

    audit = audit_blind(cheat, mini)
    assert audit.skill == pytest.approx(1.0, abs=1e-9)
    assert audit.caught


def test_a_blind_dossier_says_nothing_of_the_side(pairs):
    """The sealed dossiers of both sides of a pair are the same bytes."""
    from causalbench.task.encode import canonical_json
    from causalbench.task.leaks import _sealed_dossier

    for first, second in pairs[::5]:
        texts = [canonical_json(_sealed_dossier(case).to_dict()) for case in (first, second)]
        assert texts[0] == texts[1]


def test_abstaining_costs_the_floor(mini):
    """An answerer that never answers scores exactly 0."""
    audit = audit_blind(lambda _dossier, _item: Abstain("unknown"), mini)
    assert audit.skill == pytest.approx(0.0, abs=1e-12)


def test_an_audit_of_nothing_is_refused(mini):
    """There is no skill without pairs."""
    named = [case for case in mini if case.placement.role == "named"]
    with pytest.raises(ScoreError, match="no pair to audit"):
        audit_blind(lambda _dossier, _item: Abstain("unknown"), named)


def test_a_pair_with_one_side_is_refused(mini):
    """A lone twin is an error, not a case to skip."""
    lone = [case for case in mini if case.placement.side == 0]
    with pytest.raises(TwinError, match="a pair has two"):
        pairs_of(lone)


def test_laws_under_intervention_are_permitted_on_rung_two_alone():
    """They tell rung-2 twins apart, as they may; the law of what is seen is the same bytes."""
    jobs = jobs_of(load_suite("ladder-v1").recipe, None)
    pair = next(job for job in jobs if job.part == "ATE/diagram-do/discrete").build(0)
    first, second = (case.dossier.laws for case in pair)
    assert sealed_view(pair[0]) == sealed_view(pair[1])
    assert np.array_equal(first[0].table, second[0].table)
    assert any(not np.array_equal(a.table, b.table) for a, b in zip(first, second, strict=True))
