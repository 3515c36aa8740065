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

    The first layer is a sine of widely spread weights, so that rows which differ in one input start
    nearly orthogonal: otherwise interactions would have to be learned against a smooth start.

    Args:
        latent: dimension of z.
        width: hidden units.
    """

    def __init__(self, latent: int = 32, width: int = 96) -> None:
        super().__init__()
        self.latent = latent
        self.first = nn.Linear(FEATURES, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(2 * width, MAX_CARD * (latent + 1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the basis [..., rows, MAX_CARD, latent + 1] of features [..., rows, FEATURES]."""
        wave = torch.sin(self.first(features))
        both = torch.cat([wave, torch.nn.functional.silu(self.second(wave))], dim=-1)
        flat: Tensor = self.last(both)
        return flat.reshape(*flat.shape[:-1], MAX_CARD, self.latent + 1)


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

    def forward(
        self, features: Tensor, counts: Tensor, owner: Tensor, worlds: int
    ) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance [worlds, latent] of counts [rows, MAX_CARD]."""
        total = counts.sum(-1, keepdim=True)
        shares = counts / total.clamp(min=1.0)
        elements = self.element(torch.cat([features, shares, total.log1p() / 8.0], dim=-1))
        pooled = torch.zeros(worlds, elements.shape[-1]).index_add(0, owner, elements) / 8.0
        mean, log_variance = self.head(pooled).chunk(2, dim=-1)
        return mean, log_variance - 3.0


def log_probs(basis: Tensor, legal: Tensor, z: Tensor) -> Tensor:
    """Return log p(value | row, z).

    Args:
        basis: [rows, MAX_CARD, latent + 1], the last entry a bias.
        legal: bool [rows, MAX_CARD], the values that exist.
        z: [samples, rows, latent], each row its world's.

    Returns:
        [samples, rows, MAX_CARD].
    """
    weights, bias = basis[..., :-1], basis[..., -1]
    logits = torch.einsum("rvk,srk->srv", weights, z) + bias
    return logits.masked_fill(~legal, -1e9).log_softmax(-1)


def initialise(module: nn.Module, rng: np.random.Generator) -> None:
    """Fill every weight from rng (torch's global stream is left alone)."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name == "first.weight":
                scale = 1.0
            elif name == "first.bias":
                scale = 2.0
            elif parameter.ndim == 1:
                scale = 0.0
            else:
                scale = (2.0 / (parameter.shape[0] + parameter.shape[1])) ** 0.5
            draws = rng.standard_normal(tuple(parameter.shape)) * scale
            parameter.copy_(torch.as_tensor(draws))
