"""The tools that skep is measured against, and where they come from.

Debian's development suite has their newest releases.  They are unpacked with all
their libraries into the user's cache and run with those; nothing is installed.  Where
that suite cannot be reached, what this machine has installed is used.
"""

from __future__ import annotations

import ctypes
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.guests import cache
from tests.guests.root import mirror

TREE = Path(__file__).resolve().parents[1]

_CLONE_NEWNS = 0x20000  # linux/sched.h
_TRACEFS = Path("/sys/kernel/tracing")

_SUITE = "sid"
_PACKAGES = ("libbpf-tools", "bpftrace")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Contender(NamedTuple):
    """A family of tools.

    `launch` comes before the name of a tool; `suffix` after it.  bpftrace's scripts
    have no options, so that only tools with `options` are given any.
    """

    name: str
    version: str
    launch: tuple[str, ...]
    directory: str = ""
    suffix: str = ""
    options: bool = True

    def command(self, tool: str, *options: str) -> list[str]:
        """The command line that runs a tool."""
        path = f"{self.directory}{tool}{self.suffix}"
        return [*self.launch, path, *(options if self.options else ())]


def contenders() -> list[Contender]:
    """skep first, then the peers that there are; prints their versions."""
    _mount_tracefs()
    found = [Contender("skep", "of this tree", (str(TREE / "skep"),))]
    try:
        found += _of_the_suite()
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"the newest peers cannot be fetched: {error}", file=sys.stderr)
        found += _installed()
    _print_versions(found)
    return found


def with_bcc() -> list[Contender]:
    """skep first, then the bcc that is installed here; prints the versions."""
    found = [
        Contender("skep", "of this tree", (str(TREE / "skep"),)),
        Contender(
            "bcc",
            _installed_version("bpfcc-tools"),
            ("/usr/bin/python3", "-u"),
            "/usr/sbin/",
            "-bpfcc",
        ),
    ]
    _print_versions(found)
    return found


def _print_versions(contenders: Sequence[Contender]) -> None:
    """Says what is measured, and where."""
    print(f"kernel {platform.release()}, Python {platform.python_version()}")
    for contender in contenders:
        print(f"{contender.name}: {contender.version}", flush=True)


def _mount_tracefs() -> None:
    """Gives this process mounts of its own, and tracefs, which the peers need."""
    if ctypes.CDLL(None).unshare(_CLONE_NEWNS):
        raise SystemExit("benchmarks need root")
    _run(("mount", "--make-rprivate", "/"), check=True)
    if not (_TRACEFS / "events").exists():
        _run(("mount", "-t", "tracefs", "tracefs", str(_TRACEFS)), check=True)


def _of_the_suite() -> list[Contender]:
    root = cache.get(f"peers-{_SUITE}", _fetch)
    loader = next(root.glob("usr/lib64/ld-linux-*.so.*"), None)
    loader = loader or next(root.glob("usr/lib/ld-linux-*.so.*"))
    libraries = loader.parent, *root.glob("usr/lib/*-linux-gnu")
    run = (str(loader), "--library-path", ":".join(map(str, libraries)))
    versions = dict(
        line.split(" ") for line in (root / "versions").read_text().splitlines()
    )
    scripts = f"{root}/usr/sbin/"
    bpftrace = *run, f"{root}/usr/bin/bpftrace"
    return [
        Contender("libbpf-tools", versions["libbpf-tools"], run, scripts, "-libbpf"),
        Contender("bpftrace", versions["bpftrace"], bpftrace, scripts, ".bt", False),
    ]


def _installed() -> list[Contender]:
    """The peers on this machine; Debian calls libbpf-tools' programs by plain names."""
    found = []
    if Path("/usr/sbin/opensnoop").exists():
        version = _installed_version("libbpf-tools")
        found.append(Contender("libbpf-tools", version, (), "/usr/sbin/"))
    bpftrace = shutil.which("bpftrace")
    if bpftrace:
        version = _installed_version("bpftrace")
        launch = (bpftrace,)
        found.append(Contender("bpftrace", version, launch, "/usr/sbin/", ".bt", False))
    return found


def _installed_version(package: str) -> str:
    query = ("dpkg-query", "--show", "--showformat=${Version}", package)
    return _run(query).strip() or "of unknown version"


def _fetch(directory: Path) -> None:
    """Unpacks the packages and everything they depend on into a directory."""
    apt = directory / "apt"
    apt_get = _private_apt(apt)
    _run((*apt_get, "update"), check=True)
    _run((*apt_get, "--download-only", "install", *_PACKAGES), check=True)
    versions = []
    for package in sorted(apt.glob("cache/archives/*.deb")):
        _run(("dpkg-deb", "--extract", str(package), str(directory)), check=True)
        name, version, _ = re.split("_", package.name)
        versions.append(f"{name} {version.replace('%3a', ':')}")
    (directory / "versions").write_text("\n".join(versions))
    shutil.rmtree(apt)


def _private_apt(directory: Path) -> list[str]:
    """An apt-get that knows only the suite, and of no package installed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (directory / name).mkdir(parents=True)
    (directory / "status").touch()
    sources = directory / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYRING}] {mirror()} {_SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/nonexistent",
        "Dir::State::lists": directory / "lists",
        "Dir::State::status": directory / "status",
        "Dir::Cache": directory / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
    }
    pairs = (f"-o={name}={value}" for name, value in options.items())
    return ["apt-get", "-qq", "--yes", *pairs]


def _run(command: Sequence[str], check: bool = False) -> str:
    done = subprocess.run(
        command, check=check, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return done.stdout
