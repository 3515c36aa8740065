"""Latent reasoners: agents that infer a world's latent and decode answers from it."""

from __future__ import annotations

from causalbench.agent.latent.agent import LatentPosterior

__all__ = ["LatentPosterior"]
