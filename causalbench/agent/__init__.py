"""Agents: the protocol, the registry, and one file per family."""
