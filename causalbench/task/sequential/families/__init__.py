"""One module a family of sequential worlds; each holds a ``FAMILY``."""

__all__: list[str] = []
