"""Build the wheel, install it alone outside the checkout, and use it as a user would.

A program, not a test: `make wheel` runs it. The new environment borrows the dependencies of the
present one through a path file; that does not process the editable install's own path file, so
what is imported is the wheel.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USES = (
    ["causalbench", "--version"],
    ["causalbench", "list", "worlds"],
    ["causalbench", "ask", "umbrella-rain", "P(rain=yes | do(umbrella=no))"],
    ["causalbench", "run", "umbrella-rain", "--agent", "exact", "--agent", "see-reader", "--quiet"],
)
PROBE = """
import importlib.util, pathlib, causalbench, causalbench.cli, causalbench.tasks
here = pathlib.Path(causalbench.__file__).resolve()
assert ".venv" not in here.parts, f"not the wheel: {here}"
for name in ("cli", "tasks", "tests"):
    assert importlib.util.find_spec(name) is None, f"the wheel leaks a top-level '{name}'"
assert (here.parent / "py.typed").exists(), "py.typed is missing"
print("wheel:", causalbench.__version__, "imports from the new environment")
"""


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command, and stop with its output where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)  # noqa: PLW1510
    shown = " ".join(
        Path(str(part)).name if i == 0 else str(part) for i, part in enumerate(command)
    )
    if done.returncode != 0:
        sys.exit(f"wheel check failed: {shown[:200]}\n{done.stdout}\n{done.stderr}")
    if done.stdout.startswith("wheel:"):
        print(done.stdout.strip())  # noqa: T201


def main() -> None:
    """Build sdist and wheel, install the wheel, run the uses."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            folder / "dist",
            ROOT,
            cwd=ROOT,
        )
        wheel = next((folder / "dist").glob("*.whl"))
        run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
        bin_ = folder / "venv" / "bin"
        site = next((folder / "venv" / "lib").glob("python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"], encoding="utf-8")
        run(
            bin_ / "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            wheel,
            cwd=folder,
        )
        run(bin_ / "python", "-c", PROBE, cwd=folder)
        for command in USES:
            run(bin_ / command[0], *command[1:], cwd=folder)
        run(bin_ / "python", "-m", "causalbench", "--version", cwd=folder)
        print(f"wheel: {wheel.name} installs alone and runs outside the checkout")  # noqa: T201


if __name__ == "__main__":
    main()
