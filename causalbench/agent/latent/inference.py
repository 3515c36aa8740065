"""Fit q(z) to one world in a few Adam steps, and the decoder to many worlds.

The fast step is posterior inference by the evidence lower bound of a world's context, from the
prior or from the encoder; the slow step moves the decoder under the q that the fast step found.
Neither ever sees a question, let alone an answer.

Reference: D. Kong et al. (2025), Latent Thought Models, arXiv 2502.01567.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from causalbench.agent.latent.network import Decoder, Encoder, log_probs

if TYPE_CHECKING:
    import numpy as np

    from causalbench.agent.latent.context import Context

__all__ = ["LOG_VARIANCE", "Batch", "Posterior", "collate", "fit", "infer", "kl", "noise"]

LOG_VARIANCE = -3.0
RATE = 0.1


@dataclass(frozen=True, slots=True)
class Posterior:
    """q(z) = N(mean, exp(log_variance)), [worlds, latent] each."""

    mean: Tensor
    log_variance: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Worlds padded to one number of rows: [worlds, rows, ...]."""

    features: Tensor
    legal: Tensor
    train: Tensor
    held: Tensor


def collate(contexts: Sequence[Context]) -> Batch:
    """Stack contexts, padding with rows that were never seen."""
    rows = max(context.layout.rows for context in contexts)

    def stack(pick: Callable[[Context], np.ndarray], *, fill: float = 0.0) -> Tensor:
        parts = [torch.as_tensor(pick(context)) for context in contexts]
        return torch.stack(
            [torch.nn.functional.pad(p, (0, 0, 0, rows - len(p)), value=fill) for p in parts]
        )

    return Batch(
        features=stack(lambda c: c.layout.features),
        legal=stack(lambda c: c.layout.legal, fill=True),
        train=stack(lambda c: c.train),
        held=stack(lambda c: c.held),
    )


def noise(rng: np.random.Generator, *shape: int) -> Tensor:
    """Draw standard normals from rng."""
    return torch.as_tensor(rng.standard_normal(shape), dtype=torch.float32)


def kl(q: Posterior) -> Tensor:
    """Return KL(q || N(0, I)) per world."""
    terms = q.mean**2 + q.log_variance.exp() - q.log_variance - 1.0
    return 0.5 * terms.sum(-1)


def _energy(basis: Tensor, legal: Tensor, counts: Tensor, q: Posterior, draws: Tensor) -> Tensor:
    """Return -E_q[log p(counts | z)] per world, by the fixed draws [samples, worlds, latent]."""
    z = q.mean + draws * (0.5 * q.log_variance).exp()
    return -(log_probs(basis, legal, z) * counts).sum((-1, -2)).mean(0)


def infer(
    basis: Tensor,
    batch: Batch,
    *,
    steps: int,
    draws: Tensor,
    start: Posterior | None = None,
    stop: bool = False,
) -> Posterior:
    """Take Adam steps on the negative ELBO of the context.

    Args:
        basis: the decoder's basis of the batch's rows, detached.
        batch: the worlds.
        steps: how many; 0 returns the start.
        draws: standard normals [samples, worlds, latent], fixed across the steps.
        start: where from; None is the prior's mean with log-variance -3.
        stop: keep, per world, the step whose held-out ELBO was best.

    Returns:
        q per world.
    """
    worlds, latent = len(basis), basis.shape[-1] - 1
    if start is None:
        start = Posterior(torch.zeros(worlds, latent), torch.full((worlds, latent), LOG_VARIANCE))
    mean = start.mean.detach().clone().requires_grad_(requires_grad=True)
    spread = start.log_variance.detach().clone().requires_grad_(requires_grad=True)
    optimiser = torch.optim.Adam([mean, spread], lr=RATE)
    size = batch.train.sum((-1, -2)).clamp(min=1.0)
    scale = size / batch.held.sum((-1, -2)).clamp(min=1.0)
    best = Posterior(mean.detach().clone(), spread.detach().clone())
    best_loss = torch.full((worlds,), math.inf)
    for step in range(steps + 1):
        q = Posterior(mean, spread)
        if stop and (step % 4 == 0 or step == steps):
            with torch.no_grad():
                energy = _energy(basis, batch.legal, batch.held, q, draws)
                loss = energy * scale + kl(q)
                better = loss < best_loss
                best_loss = torch.where(better, loss, best_loss)
                best = Posterior(
                    torch.where(better[:, None], mean, best.mean),
                    torch.where(better[:, None], spread, best.log_variance),
                )
        if step == steps:
            break
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        energy = _energy(basis, batch.legal, batch.train, q, draws)
        optimiser.zero_grad()
        (((energy + kl(q)) / size).sum()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return best if stop else Posterior(mean.detach(), spread.detach())


def fit(
    decoder: Decoder,
    encoder: Encoder,
    contexts: Sequence[Context],
    *,
    rng: np.random.Generator,
    keep_on: Callable[[], bool],
    batch_size: int = 24,
    inner: int = 12,
    rate: float = 2e-3,
) -> list[float]:
    """Learn the decoder and the encoder across worlds until keep_on says no.

    Args:
        decoder: moved in place.
        encoder: moved in place.
        contexts: one per world.
        rng: source of randomness.
        keep_on: asked before every slow step, with the number of steps so far in its own hands.
        batch_size: worlds a step.
        inner: fast steps a slow step.
        rate: Adam's step size for the slow step.

    Returns:
        The negative ELBO per counted value of each slow step.
    """
    parameters = [*decoder.parameters(), *encoder.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=rate)
    trace: list[float] = []
    while keep_on():
        chosen = rng.choice(len(contexts), size=min(batch_size, len(contexts)), replace=False)
        batch = collate([contexts[int(i)] for i in chosen])
        basis = decoder(batch.features)
        draws = noise(rng, 2, len(chosen), decoder.latent)
        q = infer(basis.detach(), batch, steps=inner, draws=draws)
        guess = Posterior(*encoder(batch.features, batch.train))
        size = batch.train.sum((-1, -2)).clamp(min=1.0)
        fast = (_energy(basis, batch.legal, batch.train, q, draws) + kl(q)) / size
        slow = (_energy(basis, batch.legal, batch.train, guess, draws) + kl(guess)) / size
        optimiser.zero_grad()
        (fast.mean() + slow.mean()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        trace.append(float(fast.mean().detach()))
    return trace
