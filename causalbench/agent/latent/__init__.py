"""Latent reasoners."""
