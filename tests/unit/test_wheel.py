"""The wheel: built, installed into an environment of its own, and run there."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from skep import __version__
from skep.toolkit.tool import tool_names

TREE = Path(__file__).resolve().parents[2]


def run(*command: str | Path, **environment: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={**_outside(), **environment},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _outside() -> dict[str, str]:
    """The environment, without ways to the tree."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    # Without isolation: the build backend is among the development tools.
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", directory, TREE)
    (path,) = directory.iterdir()
    return path


def test_what_is_in_it(wheel: Path) -> None:
    assert wheel.name == f"skep-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = f"skep-{__version__}.dist-info"
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        assert f"{info}/licenses/LICENSE" in names
    modules = (TREE / "src").rglob("*.py")
    expected = {path.relative_to(TREE / "src").as_posix() for path in modules}
    assert {name for name in names if not name.startswith(info)} == expected
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.9"
    needed = metadata.get_all("Requires-Dist", [])
    assert all("extra ==" in each for each in needed)
    assert metadata.get_all("Provides-Extra") == ["dev"]


def test_it_installs_and_runs(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path)
    python = tmp_path / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", wheel)
    skep = tmp_path / "bin" / "skep"
    assert run(skep, "--version") == f"skep {__version__}\n"
    assert run(python, "-m", "skep", "--version") == f"skep {__version__}\n"
    listed = [line.split()[0] for line in run(skep, "list").splitlines()]
    assert listed == tool_names(families=True)
    link = tmp_path / "opensnoop"
    link.symlink_to(skep)
    assert run(link, "--help") == run(skep, "opensnoop", "--help")
