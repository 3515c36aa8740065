"""Worlds, twins, suites, and what an agent is told."""
