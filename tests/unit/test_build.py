"""The zip file: the same bytes from the same sources, and a cache for its owner."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

TREE = Path(__file__).resolve().parents[2]
NAME = "0123456789abcdef-python"


def build(tree: Path, target: Path, umask: int = 0o022) -> bytes:
    """The archive that `./build` of a tree makes."""
    subprocess.run(
        (sys.executable, "build", target),
        cwd=tree,
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.umask(umask) and None,
    )
    return target.read_bytes()


def test_two_builds_are_the_same(tmp_path: Path) -> None:
    other = tmp_path / "other place"
    other.mkdir()
    for name in ("build", "LICENSE"):
        shutil.copyfile(TREE / name, other / name)
    shutil.copytree(TREE / "src", other / "src", copy_function=shutil.copyfile)
    for path in other.rglob("*"):
        os.utime(path, (86400, 86400))
    ours = build(TREE, tmp_path / "ours.pyz")
    theirs = build(other, tmp_path / "theirs.pyz", umask=0o077)
    assert ours == theirs
    with open(other / "src" / "skep" / "__init__.py", "a") as file:
        file.write("\n")
    assert build(other, tmp_path / "theirs.pyz") != ours


def test_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "skep.pyz"
    assert build(TREE, path, umask=0o077).startswith(b"#!")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert path.stat().st_size < 2_000_000
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        assert names[0] == "__main__.py"
        assert names[1:] == sorted(names[1:])
        assert {"LICENSE", "skep/__init__.py", "skep/tools/opensnoop.py"} < set(names)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert b"@CONTENT@" not in archive.read("__main__.py")
        assert archive.testzip() is None


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    for name, reason in (
        ("missing/skep.pyz", "No such file or directory"),
        ("taken", "Is a directory"),
    ):
        done = subprocess.run(
            (sys.executable, "build", tmp_path / name),
            cwd=TREE,
            capture_output=True,
            text=True,
        )
        message = f"./build: cannot write '{tmp_path / name}': {reason}\n"
        assert (done.returncode, done.stderr) == (1, message)
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


@pytest.mark.parametrize("name", ["skep", "src/skep/remote/boot.py"])
def test_a_python_that_is_too_old_is_told(name: str) -> None:
    source = (TREE / name).read_text()
    # It must be able to read the file for that.
    ast.parse(source, feature_version=(3, 6))
    script = "import sys; sys.version_info = (3, 8, 1); exec(sys.stdin.read())"
    done = subprocess.run(
        (sys.executable, "-c", script), input=source, capture_output=True, text=True
    )
    message = "skep: needs Python 3.9 or later, and this is 3.8\n"
    assert (done.returncode, done.stderr) == (1, message)


@pytest.fixture(scope="module")
def boot() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "skep_boot", TREE / "src/skep/remote/boot.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir(mode=0o755)
    return path


def is_open(boot: ModuleType, home: Path) -> bool:
    """Whether the cache in a home is one to be used."""
    directory = boot.open_cache(str(home), NAME)
    if directory is None:
        return False
    os.close(directory)
    return True


def test_the_cache_is_made_for_its_owner_alone(boot: ModuleType, home: Path) -> None:
    assert is_open(boot, home)
    assert is_open(boot, home)
    for path in (home / ".cache", home / ".cache/skep", home / ".cache/skep" / NAME):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("place", ["", ".cache", ".cache/skep", f".cache/skep/{NAME}"])
def test_a_directory_that_others_may_write_is_not_used(
    boot: ModuleType, home: Path, place: str
) -> None:
    assert is_open(boot, home)
    for mode in (0o720, 0o702, 0o777):
        (home / place).chmod(mode)
        assert not is_open(boot, home)
    (home / place).chmod(0o700)
    assert is_open(boot, home)


def test_a_directory_that_others_may_enter_is_not_used(
    boot: ModuleType, home: Path
) -> None:
    assert is_open(boot, home)
    (home / ".cache/skep" / NAME).chmod(0o750)
    assert not is_open(boot, home)


@pytest.mark.parametrize("place", [".cache", ".cache/skep", f".cache/skep/{NAME}"])
def test_links_and_files_are_not_followed(
    boot: ModuleType, home: Path, place: str
) -> None:
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    elsewhere = home / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (home / place).symlink_to(elsewhere)
    assert not is_open(boot, home)
    assert list(elsewhere.iterdir()) == []
    (home / place).unlink()
    (home / place).write_text("")
    assert not is_open(boot, home)


def test_without_a_home_there_is_no_cache(boot: ModuleType, home: Path) -> None:
    assert boot.open_cache("", NAME) is None
    assert boot.open_cache(str(home / "missing"), NAME) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("place", ["", ".cache", ".cache/skep", f".cache/skep/{NAME}"])
def test_a_directory_of_somebody_else_is_not_used(
    boot: ModuleType, home: Path, place: str
) -> None:
    assert is_open(boot, home)
    os.chown(home / place, 65534, 65534)
    assert not is_open(boot, home)


def imported(boot: ModuleType, archive: Path, home: Path) -> str:
    """What a module in an archive says, imported by way of the cache."""
    cache = boot.open_cache(str(home), NAME)
    try:
        importer = boot.Importer(str(archive), cache)
        assert importer.find_spec("skepticism") is None
        assert importer.find_spec("skep.missing") is None
        assert importer.find_spec("skep").submodule_search_locations
        spec = importer.find_spec("skep.word")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.__file__ == str(archive / "skep" / "word.py")
        assert module.say.__code__.co_filename == module.__file__
        assert importer.get_source("skep.word").startswith("def say")
        return str(module.say())
    finally:
        if cache is not None:
            os.close(cache)


def make_archive(path: Path, word: str) -> Path:
    """An archive with the module skep.word."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skep/__init__.py", "")
        archive.writestr("skep/word.py", f"def say():\n    return {word!r}\n")
    return path


def test_modules_come_from_the_cache(
    boot: ModuleType, home: Path, tmp_path: Path
) -> None:
    first = make_archive(tmp_path / "first.pyz", "first")
    assert imported(boot, first, home) == "first"
    kept = home / ".cache/skep" / NAME
    assert sorted(path.name for path in kept.iterdir()) == ["skep", "skep.word"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    # The key is the content, so this is the same module elsewhere.
    second = make_archive(tmp_path / "second.pyz", "second")
    assert imported(boot, second, home) == "first"


@pytest.mark.parametrize("damage", [b"", b"\0", b"junk", b"i\x01\x00\x00\x00"])
def test_damaged_bytecode_is_compiled_anew(
    boot: ModuleType, home: Path, tmp_path: Path, damage: bytes
) -> None:
    archive = make_archive(tmp_path / "a.pyz", "word")
    assert imported(boot, archive, home) == "word"
    kept = home / ".cache/skep" / NAME / "skep.word"
    whole = kept.read_bytes()
    for content in (damage, whole[:-1], whole[: len(whole) // 2]):
        kept.write_bytes(content)
        assert imported(boot, archive, home) == "word"
        assert kept.read_bytes() == whole


def test_without_a_cache_modules_are_compiled(
    boot: ModuleType, home: Path, tmp_path: Path
) -> None:
    home.chmod(0o777)
    assert imported(boot, make_archive(tmp_path / "a.pyz", "word"), home) == "word"
    assert list(home.iterdir()) == []


def test_help_is_there_without_docstrings(tmp_path: Path) -> None:
    path = tmp_path / "skep.pyz"
    build(TREE, path)
    shown = [
        subprocess.check_output(
            (sys.executable, *level, path, "help", "opensnoop"),
            env={**os.environ, "SKEP_NO_CACHE": "1"},
        )
        for level in ([], ["-O"], ["-OO"])
    ]
    assert b"Trace the open(2)" in shown[0]
    assert shown == [shown[0]] * 3
