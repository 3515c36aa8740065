"""Evaluate agents on suites, with logs that resume."""
