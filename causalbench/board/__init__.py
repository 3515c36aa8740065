"""Leaderboards that anyone can recompute."""
