"""Exact answers on all three rungs."""
