"""Make ``python -m causalbench`` the command line."""

from __future__ import annotations

from causalbench.cli import app

if __name__ == "__main__":
    app()
