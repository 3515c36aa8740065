"""Worlds and suites as data files; no code."""
