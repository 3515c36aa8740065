"""``causalbench info``: what a bug report should say."""

from __future__ import annotations

import os
import platform
from typing import Any

from .common import JsonOption, print_json

__all__ = ["info"]

_OPTIONAL = ("stable-baselines3", "jinja2", "matplotlib")
_NEEDED = (
    "dowhy",
    "gymnasium",
    "networkx",
    "numba",
    "numpy",
    "pandas",
    "pgmpy",
    "pydantic",
    "pyyaml",
    "rich",
    "scipy",
    "torch",
    "typer",
)


def info(as_json: JsonOption = False) -> None:
    """Print versions and the machine; nothing heavy is imported for it."""
    found: dict[str, Any] = {
        "causalbench": _version("causalbench-ladder"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "1 in a run"),
        "packages": {name: _version(name) for name in (*_NEEDED, *_OPTIONAL)},
    }
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        if name != "packages":
            print(f"{name:<18}{value}")
    for name, version in found["packages"].items():
        print(f"{name:<18}{version}")


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
