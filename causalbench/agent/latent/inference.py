"""Fit q(z) to one world in a few Adam steps, and the decoder to many worlds.

The fast step is posterior inference by the evidence lower bound of a world's context, from the
prior or from the encoder; the slow step moves the decoder under the q that the fast step found.
Neither ever sees a question, let alone an answer.

Reference: D. Kong et al. (2025), Latent Thought Models, arXiv 2502.01567.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from causalbench.agent.latent.network import Decoder, Encoder, log_probs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from causalbench.agent.latent.context import Context

__all__ = [
    "LOG_VARIANCE",
    "Batch",
    "Posterior",
    "collate",
    "fit",
    "infer",
    "kl",
    "mirrored",
    "noise",
]

LOG_VARIANCE = -3.0
RATE = 0.1


@dataclass(frozen=True, slots=True)
class Posterior:
    """q(z) = N(mean, exp(log_variance)), [worlds, latent] each."""

    mean: Tensor
    log_variance: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of several worlds, one after another; rows that were never seen are left out.

    Args:
        features: [rows, FEATURES].
        legal: bool [rows, MAX_CARD].
        train: counts to fit, [rows, MAX_CARD].
        held: counts to stop by, [rows, MAX_CARD].
        owner: the world of each row, int [rows].
        worlds: how many worlds.
    """

    features: Tensor
    legal: Tensor
    train: Tensor
    held: Tensor
    owner: Tensor
    worlds: int

    def total(self, rows: Tensor) -> Tensor:
        """Sum [..., rows, MAX_CARD] to [..., worlds]."""
        shape = (*rows.shape[:-2], self.worlds)
        return torch.zeros(shape).index_add(-1, self.owner, rows.sum(-1))


def collate(contexts: Sequence[Context]) -> Batch:
    """Put the seen rows of contexts one after another."""
    seen = [(c.train.sum(-1) + c.held.sum(-1)) > 0 for c in contexts]

    def stack(pick: Callable[[Context], np.ndarray]) -> Tensor:
        parts = [pick(c)[rows] for c, rows in zip(contexts, seen, strict=True)]
        return torch.as_tensor(np.concatenate(parts))

    return Batch(
        features=stack(lambda c: c.layout.features),
        legal=stack(lambda c: c.layout.legal),
        train=stack(lambda c: c.train),
        held=stack(lambda c: c.held),
        owner=torch.as_tensor(np.repeat(np.arange(len(contexts)), [s.sum() for s in seen])),
        worlds=len(contexts),
    )


def noise(rng: np.random.Generator, *shape: int) -> Tensor:
    """Draw standard normals from rng."""
    return torch.as_tensor(rng.standard_normal(shape), dtype=torch.float32)


def mirrored(rng: np.random.Generator, half: int, *shape: int) -> Tensor:
    """Draw standard normals and their negatives, 2 x half in all.

    A few fixed draws can be overfitted (mean and variance bent so that just these fit); pairs that
    mirror each other make that much harder.
    """
    draws = noise(rng, half, *shape)
    return torch.cat([draws, -draws])


def kl(q: Posterior) -> Tensor:
    """Return KL(q || N(0, I)) per world."""
    terms = q.mean**2 + q.log_variance.exp() - q.log_variance - 1.0
    return 0.5 * terms.sum(-1)


def _energy(basis: Tensor, batch: Batch, counts: Tensor, q: Posterior, draws: Tensor) -> Tensor:
    """Return -E_q[log p(counts | z)] per world, by the fixed draws [samples, worlds, latent]."""
    z = q.mean + draws * (0.5 * q.log_variance).exp()
    return -batch.total(log_probs(basis, batch.legal, z[:, batch.owner]) * counts).mean(0)


def infer(
    basis: Tensor,
    batch: Batch,
    *,
    steps: int,
    draws: Tensor,
    start: Posterior | None = None,
    check: Tensor | None = None,
) -> Posterior:
    """Take Adam steps on the negative ELBO of the context.

    Args:
        basis: the decoder's basis of the batch's rows, detached.
        batch: the worlds.
        steps: how many; 0 returns the start.
        draws: standard normals [samples, worlds, latent], fixed across the steps.
        start: where from; None is the prior's mean with log-variance -3.
        check: other draws; with them, the step whose held-out ELBO was best is kept per world.

    Returns:
        q per world.
    """
    worlds, latent = batch.worlds, basis.shape[-1] - 1
    if start is None:
        start = Posterior(torch.zeros(worlds, latent), torch.full((worlds, latent), LOG_VARIANCE))
    mean = start.mean.detach().clone().requires_grad_()
    spread = start.log_variance.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([mean, spread], lr=RATE)
    size = batch.total(batch.train).clamp(min=1.0)
    scale = size / batch.total(batch.held).clamp(min=1.0)
    best = Posterior(mean.detach().clone(), spread.detach().clone())
    best_loss = torch.full((worlds,), math.inf)
    for step in range(steps + 1):
        q = Posterior(mean, spread)
        if check is not None and (step % 4 == 0 or step == steps):
            with torch.no_grad():
                energy = _energy(basis, batch, batch.held, q, check)
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
        energy = _energy(basis, batch, batch.train, q, draws)
        optimiser.zero_grad()
        (((energy + kl(q)) / size).sum()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return best if check is not None else Posterior(mean.detach(), spread.detach())


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
        draws = mirrored(rng, 2, len(chosen), decoder.latent)
        q = infer(basis.detach(), batch, steps=inner, draws=draws)
        guess = Posterior(*encoder(batch.features, batch.train, batch.owner, batch.worlds))
        size = batch.total(batch.train).clamp(min=1.0)
        fast = (_energy(basis, batch, batch.train, q, draws) + kl(q)) / size
        slow = (_energy(basis, batch, batch.train, guess, draws) + kl(guess)) / size
        optimiser.zero_grad()
        (fast.mean() + slow.mean()).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        trace.append(float(fast.mean().detach()))
    return trace
