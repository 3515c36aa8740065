"""Queries: what may be asked of a world, and on which rung it stands."""
