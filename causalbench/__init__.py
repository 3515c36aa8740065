"""Measure how far up Pearl's ladder an agent gets."""
