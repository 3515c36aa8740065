"""An agent in a package of its own, installed as an outsider would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from causalbench.agent.check import check_agent
from causalbench.agent.registry import list_agents, make_agent
from causalbench.errors import AgentError

SOURCE = Path(__file__).resolve().parents[1] / "plugin_package"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return a folder into which the plug-in package was installed."""
    folder = tmp_path_factory.mktemp("plugin")
    copy = shutil.copytree(SOURCE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(folder / "site"), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site"


@pytest.fixture
def installed(site, monkeypatch):
    """Put the installed package on the path for one test."""
    monkeypatch.syspath_prepend(str(site))
    yield
    for name in [name for name in sys.modules if name.startswith("causalbench_echo")]:
        del sys.modules[name]


@pytest.mark.usefixtures("installed")
def test_the_plugin_is_listed_without_being_imported():
    """Its line names the package; its module stays unloaded."""
    line = list_agents()["echo"]
    assert line == "plug-in of causalbench-echo (causalbench_echo:Echo)"
    assert "causalbench_echo" not in sys.modules


@pytest.mark.usefixtures("installed")
def test_the_plugin_is_made_by_name_with_options():
    """It has its own version and its options."""
    made = make_agent("echo", {"prior": 2})
    assert (made.name, made.version, made.config) == ("echo", "0.3.1", {"prior": 2.0})


@pytest.mark.usefixtures("installed")
def test_the_plugin_passes_the_check():
    """An outsider's agent keeps the protocol."""
    assert check_agent("echo") == []


@pytest.mark.usefixtures("installed")
def test_a_broken_plugin_gives_one_line():
    """Asking for it says why it fails; listing it troubles nobody."""
    assert "echo-broken" in list_agents()
    with pytest.raises(AgentError, match="fails as it loads: RuntimeError: this module is broken"):
        make_agent("echo-broken")


def test_a_plugin_whose_package_is_gone_warns_and_is_skipped(tmp_path, monkeypatch):
    """Metadata without a module is what a half removed package leaves behind."""
    info = tmp_path / "gone-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[causalbench]\nagent.gone = gone_package:Agent\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.warns(UserWarning, match="'gone' of gone is skipped: no module 'gone_package'"):
        assert "gone" not in list_agents()


def test_plugins_are_absent_until_installed():
    """Nothing of the plug-in is known without its package."""
    assert "echo" not in list_agents()
