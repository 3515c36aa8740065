"""The latent reasoner as an agent: training, checkpoints, leaks, skill on an easy world."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from causalbench.agent.latent import LatentPosterior
from causalbench.agent.latent.context import context_of
from causalbench.agent.latent.inference import collate, infer, kl, mirrored
from causalbench.agent.latent.layout import MAX_CARD
from causalbench.agent.protocol import Clock
from causalbench.errors import AgentError
from causalbench.task.answer import Abstain, Choice, Estimate
from causalbench.task.types import Case, Certificate, Item, Key, Placement

SMALL = {"updates": 250, "seconds": 60.0, "worlds": 120, "context": 1000, "width": 64}


def _case(scm, dossier, made, truth=0.5):
    item = Item(
        made.ask("P(v1=1)"),
        Key("q", 1, truth, {}, Certificate(identified=True, proof="not looked at")),
    )
    placement = Placement("p", 0, "named", 1, "estimates", "diagram", "w")
    return Case(dossier, (item,), placement, scm)


@pytest.fixture(scope="module")
def practice(made):
    """Return practice on forty small random worlds."""
    cases = []
    for seed in range(40):
        scm = made.world(1000 + seed, n=3, edge=0.7)
        cases.append(_case(scm, made.diagram_dossier(scm), made))
    return SimpleNamespace(cases=lambda: iter(cases), list=cases)


@pytest.fixture(scope="module")
def checkpoint(practice, tmp_path_factory):
    """Return the folder of an agent trained for 250 steps."""
    agent = LatentPosterior(**SMALL)
    agent.train(practice, rng=np.random.default_rng(0), clock=Clock())
    folder = tmp_path_factory.mktemp("latent")
    agent.save(folder)
    return folder


def _say(checkpoint, dossier, question, **options):
    agent = LatentPosterior(**{**SMALL, **options})
    agent.load(checkpoint)
    agent.study(dossier, None, rng=np.random.default_rng(3), clock=Clock())
    return agent.answer(question, rng=np.random.default_rng(4))


def test_a_confounded_effect_is_nearer_to_doing_than_to_seeing(made, checkpoint):
    """P(y=1 | do(x=1)) is .55 where P(y=1 | x=1) is .76; the answer lies nearer to .55."""
    found = _say(
        checkpoint, made.diagram_dossier(made.confounded_pair()), made.ask("P(y=1 | do(x=1))")
    )
    assert isinstance(found, Estimate)
    assert abs(found.value - 0.55) < abs(found.value - 0.76)
    assert found.low <= found.value <= found.high


def test_inference_beats_the_prior(made, checkpoint):
    """Context moves P(y=1 | x=1) towards .76: K=0 is the ablation without it."""
    dossier = made.diagram_dossier(made.confounded_pair())
    question = made.ask("P(y=1 | x=1)")
    errors = [
        abs(_say(checkpoint, dossier, question, steps=steps, widest=1.0).value - 0.76)
        for steps in (0, 128)
    ]
    assert errors[1] < errors[0]


def test_shuffled_context_loses_the_dependence(made, checkpoint):
    """With columns permuted, P(y=1 | x=1) - P(y=1 | x=0), truly .52, shrinks by half at least."""
    dossier = made.diagram_dossier(made.confounded_pair())
    question = made.ask("P(y=1 | x=1) - P(y=1 | x=0)")
    kept, lost = (
        _say(checkpoint, dossier, question, shuffled=each, widest=2.0).value
        for each in (False, True)
    )
    assert abs(lost) < abs(kept) / 2


def test_a_choice_is_legal_and_right(made, checkpoint):
    """Of do(x=1) (.55) and making y 0, the first gives more y."""
    actions = ("y=0", "x=1")
    question = made.ask("argmax a in {y=0, x=1}: P(y=1 | do(a))", kind="act", actions=actions)
    dossier = made.diagram_dossier(made.confounded_pair())
    assert Choice("x=1") == _say(checkpoint, dossier, question)


def test_a_wide_posterior_abstains(made, checkpoint):
    """An interval wider than the option is not given as a number."""
    dossier = made.diagram_dossier(made.confounded_pair())
    found = _say(checkpoint, dossier, made.ask("P(y=1 | x=1)"), widest=1e-6)
    assert isinstance(found, Abstain)


@pytest.mark.parametrize("options", [{"steps": 0}, {"start": "encoder", "steps": 0}, {"pairs": 0}])
def test_ablations_answer_too(made, checkpoint, options):
    """Each ablation of the reasoner gives a legal estimate in a shown world."""
    dossier = made.mechanisms_dossier(made.confounded_pair())
    question = made.ask("P(y[x=0]=0 | x=1, y=1)")
    found = _say(checkpoint, dossier, question, widest=1.0, **options)
    assert 0 <= found.value <= 1


def test_answers_are_the_same_twice(made, checkpoint):
    """One checkpoint and the same generators give the same answer."""
    dossier = made.mechanisms_dossier(made.confounded_pair())
    question = made.ask("P(y[x=0]=0 | x=1, y=1)")
    assert _say(checkpoint, dossier, question) == _say(checkpoint, dossier, question)


def test_a_reloaded_agent_answers_the_same(made, practice, tmp_path):
    """Saving and loading changes no answer."""
    agent = LatentPosterior(**{**SMALL, "updates": 5})
    agent.train(practice, rng=np.random.default_rng(0), clock=Clock())
    agent.save(tmp_path)
    dossier = made.diagram_dossier(made.confounded_pair())
    question = made.ask("P(y=1 | x=1)")
    agent.study(dossier, None, rng=np.random.default_rng(3), clock=Clock())
    expected = agent.answer(question, rng=np.random.default_rng(4))
    assert expected == _say(tmp_path, dossier, question)


def test_keys_leave_no_trace(practice, tmp_path):
    """Practice with other answers in its keys gives the same weights, bit for bit."""
    lies = [
        replace(case, items=tuple(replace(i, key=replace(i.key, truth=0.9)) for i in case.items))
        for case in practice.list
    ]
    trained = []
    for cases in (practice.list, lies):
        agent = LatentPosterior(**{**SMALL, "updates": 10})
        source = SimpleNamespace(cases=lambda cases=cases: iter(cases))
        agent.train(source, rng=np.random.default_rng(0), clock=Clock())
        agent.save(tmp_path)
        trained.append(torch.load(tmp_path / "latent-posterior.pt", weights_only=True))
    for part in ("decoder", "encoder"):
        for name, weight in trained[0][part].items():
            assert torch.equal(weight, trained[1][part][name])


def test_training_lowers_the_bound(practice):
    """The negative ELBO per value falls from the first to the last twenty steps."""
    agent = LatentPosterior(**SMALL)
    agent.train(practice, rng=np.random.default_rng(1), clock=Clock())
    assert np.mean(agent.trace[-20:]) < np.mean(agent.trace[:20])


def test_untrained_it_abstains(made):
    """Without a checkpoint there is nothing to answer from."""
    agent = LatentPosterior()
    dossier = made.diagram_dossier(made.confounded_pair())
    agent.study(dossier, None, rng=np.random.default_rng(0), clock=Clock())
    found = agent.answer(made.ask("P(y=1)"), rng=np.random.default_rng(0))
    assert isinstance(found, Abstain)


def test_nothing_to_train_on_is_said():
    """Practice without a diagram is an error that says so."""
    with pytest.raises(AgentError, match="nothing to train on"):
        LatentPosterior().train(
            SimpleNamespace(cases=lambda: iter(())), rng=np.random.default_rng(0), clock=Clock()
        )


def test_a_strange_start_is_refused():
    """Inference starts from the prior or from the encoder."""
    with pytest.raises(AgentError, match="start 'middle'"):
        LatentPosterior(start="middle")


def test_no_steps_leave_the_prior(made):
    """With K=0 and no check, q is N(0, exp(-3))."""
    context = context_of(
        made.diagram_dossier(made.confounded_pair()), rows=50, rng=np.random.default_rng(0)
    )
    batch = collate([context])
    basis = torch.zeros(len(batch.owner), MAX_CARD, 9)
    draws = mirrored(np.random.default_rng(0), 2, 1, 8)
    q = infer(basis, batch, steps=0, draws=draws)
    assert float(q.mean.abs().max()) == 0.0
    expected = 0.5 * 8 * (np.exp(-3.0) + 3.0 - 1.0)
    assert expected == pytest.approx(float(kl(q)[0]), rel=1e-5)


@pytest.mark.parametrize("option", ["steps", "draws", "width", "updates"])
def test_an_option_out_of_range_is_refused(option):
    """The constructor says which option, before anything is trained."""
    with pytest.raises(AgentError, match=f"option {option} is -1"):
        LatentPosterior(**{option: -1})
