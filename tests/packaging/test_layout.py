"""The package's outline: what is listed is what is there."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import tomllib
from pathlib import Path

import causalbench

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, object]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_subpackage_is_listed() -> None:
    """The project file lists exactly the folders that hold a package."""
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "causalbench").rglob("__init__.py")
    }
    expected = sorted(folders | {"causalbench.cli", "causalbench.tasks"})
    assert project()["tool"]["setuptools"]["packages"] == expected  # type: ignore[index]


def test_every_module_says_what_it_exports() -> None:
    """Each public module has an explicit __all__, and every name in it exists."""
    missing = []
    for info in pkgutil.walk_packages(causalbench.__path__, "causalbench."):
        if info.name.rsplit(".", 1)[-1].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        if len(tree.body) == 1:  # a folder's docstring, and nothing to export
            continue
        names = getattr(module, "__all__", None)
        if names is None or any(not hasattr(module, name) for name in names):
            missing.append(info.name)
    assert missing == []


def test_the_public_surface_loads() -> None:
    """Every name that `import causalbench` promises can be had."""
    missing = [name for name in causalbench.__all__ if not hasattr(causalbench, name)]
    assert missing == []


def test_completion_offers_public_names_alone() -> None:
    """`dir` lists what is public and the rooms, nothing that a module imported for itself."""
    assert set(dir(causalbench)) - set(causalbench.__all__) == {
        *("agent", "env", "query", "report", "run", "scm", "score", "task")
    }


def test_version_is_the_distribution_s() -> None:
    """The version printed is the one that pyproject gives."""
    assert causalbench.__version__ == project()["project"]["version"]  # type: ignore[index]


def test_every_world_and_suite_is_a_file() -> None:
    """tasks/ holds data only, besides its own docstring."""
    code = [path.name for path in (ROOT / "tasks").rglob("*.py")]
    assert code == ["__init__.py"]
