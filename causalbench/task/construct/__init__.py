"""Constructions: two worlds that agree on a rung and differ on the next."""
