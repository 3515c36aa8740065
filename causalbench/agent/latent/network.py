"""A decoder p(v_i | inputs, z) that is log-bilinear in z, and an amortised encoder q(z | counts).

The decoder's learned part is a basis: every row of a layout (slot, setting of its inputs) is mapped
to a matrix [MAX_CARD, latent]; the row's logits are that matrix times z. Whatever the network
learns across worlds is in the basis, whatever is particular to one world is in its z, and fitting
z to a world's counts is a small smooth problem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from causalbench.agent.latent.layout import FEATURES, MAX_CARD

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Decoder", "Encoder", "initialise", "log_probs"]


class Decoder(nn.Module):
    """Map row features to the basis of their logits.

    Args:
        latent: dimension of z.
        width: hidden units.
    """

    def __init__(self, latent: int = 32, width: int = 96) -> None:
        super().__init__()
        self.latent = latent
        self.body = nn.Sequential(
            nn.Linear(FEATURES, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, MAX_CARD * (latent + 1)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return the basis [..., rows, MAX_CARD, latent + 1] of features [..., rows, FEATURES]."""
        flat: Tensor = self.body(features)
        return flat.unflatten(-1, (MAX_CARD, self.latent + 1))


class Encoder(nn.Module):
    """Read a world's counts as a set of rows and return q(z): mean and log-variance.

    Args:
        latent: dimension of z.
        width: hidden units.
    """

    def __init__(self, latent: int = 32, width: int = 96) -> None:
        super().__init__()
        self.element = nn.Sequential(
            nn.Linear(FEATURES + MAX_CARD + 1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.head = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2 * latent))

    def forward(self, features: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance [..., latent] of counts [..., rows, MAX_CARD]."""
        total = counts.sum(-1, keepdim=True)
        shares = counts / total.clamp(min=1.0)
        elements = self.element(torch.cat([features, shares, total.log1p() / 8.0], dim=-1))
        seen = (total > 0).to(elements.dtype)
        pooled = (elements * seen).sum(-2) / 8.0
        mean, log_variance = self.head(pooled).chunk(2, dim=-1)
        return mean, log_variance - 3.0


def log_probs(basis: Tensor, legal: Tensor, z: Tensor) -> Tensor:
    """Return log p(value | row, z).

    Args:
        basis: [..., rows, MAX_CARD, latent + 1], the last entry a bias.
        legal: bool [..., rows, MAX_CARD], the values that exist.
        z: [samples, ..., latent].

    Returns:
        [samples, ..., rows, MAX_CARD].
    """
    weights, bias = basis[..., :-1], basis[..., -1]
    logits = torch.einsum("...rvk,s...k->s...rv", weights, z) + bias
    return logits.masked_fill(~legal, -1e9).log_softmax(-1)


def initialise(module: nn.Module, rng: np.random.Generator) -> None:
    """Fill every weight from rng (torch's global stream is left alone)."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.zero_()
            else:
                scale = (2.0 / (parameter.shape[0] + parameter.shape[1])) ** 0.5
                draws = rng.standard_normal(tuple(parameter.shape)) * scale
                parameter.copy_(torch.as_tensor(draws))
