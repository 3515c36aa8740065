"""A planted shortcut is found by the answerer that may look there; a clean suite passes."""

from __future__ import annotations

import pytest
from audited_suites import GAP, Audited

from causalbench.errors import NotFoundError
from causalbench.run.audit import SHORTCUTS, audit
from causalbench.run.audit.bounds import LIMIT


def failing(found):
    """Return the shortcuts that have more skill than is allowed, not just too wide a bound."""
    return {figure.shortcut for figure in found.figures if figure.skill > LIMIT}


@pytest.fixture(scope="module")
def clean():
    """Return the audit of a suite without a leak."""
    return audit(Audited(pairs=120))


def test_a_clean_suite_passes(clean):
    """Every bound is at most .05, on 120 pairs."""
    assert clean.passes
    assert all(figure.upper <= LIMIT for figure in clean.figures)


def test_every_shortcut_has_a_figure_where_it_has_room(clean):
    """The do-reader is rung 2's own solver, and nothing is redone."""
    played = {figure.shortcut for figure in clean.figures}
    drawn = {"reachability", "adjacency", "edge-count"}  # they need a law to read, too
    assert {"constant", "majority", "number-blind", "diagram-blind", "bag-of-words"} <= played
    assert played <= set(SHORTCUTS) - {"do-reader", "win-stay-lose-shift"} - drawn
    assert {figure.pairs for figure in clean.figures} == {120}


@pytest.mark.parametrize(
    ("leak", "caught"),
    [
        ("diagram", "number-blind"),
        ("story", "bag-of-words"),
        ("id", "sides"),
        ("order", "sides"),
        ("see", "see-reader"),
    ],
)
def test_a_planted_leak_is_caught_by_who_may_look_there(leak, caught):
    """Each leak by its own answerer, and the audit fails."""
    found = audit(Audited(pairs=80, leak=leak))
    assert caught in failing(found)
    assert not found.passes


def test_a_story_that_tells_the_answer_is_no_permitted_evidence():
    """The bettor on sides sees it as well; the diagram it may not look at."""
    assert "sides" in failing(audit(Audited(pairs=80, leak="story")))
    assert "sides" not in failing(audit(Audited(pairs=80, leak="diagram")))


def test_a_leak_names_the_pairs_that_show_it():
    """Three of them, on each of which the reader gains all there is."""
    found = audit(Audited(pairs=30, leak="see"))
    (figure,) = [each for each in found.figures if each.shortcut == "see-reader"]
    assert figure.skill == pytest.approx(1.0, abs=1e-12)
    assert len(figure.best) == 3


def test_decisions_are_learnt_by_the_regret_of_actions():
    """A drawing that tells which action is better is read off."""
    found = audit(Audited(pairs=80, leak="diagram", decisions=True))
    figures = {figure.shortcut: figure for figure in found.figures}
    assert figures["number-blind"].skill > 0.5
    assert figures["diagram-blind"].skill <= 1e-9


def test_blind_answers_lose_the_floor_on_every_pair(clean):
    """What is alike in both twins can't do better than one answer for both."""
    figures = {figure.shortcut: figure for figure in clean.figures}
    for name in ("constant", "majority", "diagram-blind", "see-reader"):
        assert figures[name].skill <= 1e-9
    assert figures["see-reader"].skill == pytest.approx(0.0, abs=1e-9)
    assert GAP > 0


def test_the_same_audit_twice_is_the_same():
    """No figure depends on chance that is not the seed's."""
    suite = Audited(pairs=20)
    assert audit(suite, seed=3).to_dict() == audit(suite, seed=3).to_dict()


def test_few_pairs_never_pass():
    """Nine worlds bound nothing."""
    found = audit(Audited(pairs=9))
    assert not any(figure.passes for figure in found.figures)
    assert {figure.upper for figure in found.figures} == {1.0}


def test_a_suite_without_pairs_is_refused():
    """There is nothing to audit."""
    with pytest.raises(NotFoundError):
        audit(Audited(pairs=0))


@pytest.mark.slow
def test_two_processes_give_the_same_figures():
    """Of a suite that is built piece by piece, too."""
    where = {"rung": 1, "track": "estimates"}
    alone = audit("ladder-mini", limit=10, where=where)
    assert audit("ladder-mini", limit=10, where=where, jobs=2).to_dict() == alone.to_dict()
