"""The program that starts skep from its tree."""

from __future__ import annotations

import py_compile
import shutil
import subprocess
from pathlib import Path

TREE = Path(__file__).parents[2]


def test_bytecode_that_was_cut_by_a_full_disk(tmp_path: Path) -> None:
    shutil.copy(TREE / "skep", tmp_path)
    shutil.copytree(TREE / "src", tmp_path / "src")
    command = [tmp_path / "skep", "--version"]
    before = subprocess.run(command, capture_output=True, text=True)
    assert before.returncode == 0
    package = tmp_path / "src" / "skep"
    for name in ("cli", "errors"):  # at once, and later
        for file in (package / "__pycache__").glob(f"{name}.*.pyc"):
            py_compile.compile(str(package / f"{name}.py"), str(file))
            whole = file.read_bytes()
            file.write_bytes(whole[:300])
            done = subprocess.run(command, capture_output=True, text=True)
            file.write_bytes(whole)
            assert done.returncode == 1
            first, hint = done.stderr.splitlines()
            assert first.startswith("skep: bytecode of skep is damaged")
            assert hint.endswith(f"__pycache__ below {package}")
    assert subprocess.run(command, capture_output=True).returncode == 0
