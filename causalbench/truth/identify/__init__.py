"""Identification: estimands from diagrams, by the published algorithms."""
