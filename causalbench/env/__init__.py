"""Gymnasium environments over worlds."""
