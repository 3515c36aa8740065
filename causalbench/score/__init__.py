"""Losses, skill, profile, honesty, and their intervals."""
