"""Learners: what trains a policy in a sequential world, from a log or by acting.

Nothing is imported here: `causalbench list` reads the learners' names without numpy or torch.
"""

__all__: list[str] = []
