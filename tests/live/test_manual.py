"""The manual's sessions are typed as they stand there, and show what is shown there.

Each line of a session comes again, but for its numbers; skep says nothing else, and the
exit status is right.  manual.py tells how a page says what happens beside a session.

To see what the sessions of a page show now:

    python3 -m tests.live.test_manual docs/opensnoop.md
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Callable

from tests.live import manual, support, workload
from tests.live.manual import PAGES, Block
from tests.live.sessions import Session, beside
from tests.live.ssh_server import SSHD, SshServer
from tests.live.support import KERNEL, SLOW
from tests.live.terminal import OWN_PROGRAMS


@contextmanager
def place() -> Iterator[str]:
    """A directory that looks like the tree's to who types commands, with workloads."""
    with tempfile.TemporaryDirectory(prefix="skep-manual-") as directory:
        os.chmod(directory, 0o755)  # some commands are those of other users
        os.symlink(support.SKEP, os.path.join(directory, "skep"))
        os.symlink(support.TREE / "src", os.path.join(directory, "src"))
        for program in Path(workload.program("calls")).parent.iterdir():
            os.symlink(program, os.path.join(directory, program.name))
        yield directory


def sessions(page: Path, directory: str) -> Iterator[tuple[Block, Session]]:
    """The sessions of a page for this kernel; what is beside them runs meanwhile."""
    meanwhile = ""
    for block in manual.blocks(page):
        if "file" in block.directives:
            Path(directory, block.directives["file"]).write_text(block.text)
        elif block.language == "sh":
            meanwhile = block.text
        elif "not run" not in block.directives and is_here(block):
            with ExitStack() as stack:
                if "beside" in block.directives:
                    stack.enter_context(beside(block.directives["beside"], directory))
                    time.sleep(0.5 * SLOW)
                if "hosts" in block.directives:
                    names = block.directives["hosts"].split(", ")
                    stack.enter_context(hosts(names, directory))
                for command in manual.commands(block):
                    yield block, Session(block, command, meanwhile)
                    meanwhile = ""


SSH = """#!/bin/sh
exec {ssh} -F {config} "$@"
"""


@contextmanager
def hosts(names: Sequence[str], directory: str) -> Iterator[None]:
    """Hosts that ssh knows, and an installed skep, for what is typed there."""
    ssh = shutil.which("ssh")
    if ssh is None or SSHD is None:
        raise unittest.SkipTest("there is no ssh, or no sshd")
    programs = Path(directory, OWN_PROGRAMS)
    programs.mkdir(exist_ok=True)
    with ExitStack() as stack:
        servers = [stack.enter_context(SshServer(name)) for name in names]
        config = programs / "ssh_config"
        config.write_text("".join(server.client_config for server in servers))
        own = programs / "ssh"
        own.write_text(SSH.format(ssh=ssh, config=config))
        own.chmod(0o755)
        (programs / "skep").unlink(missing_ok=True)
        (programs / "skep").symlink_to(support.SKEP)
        yield


def is_here(block: Block) -> bool:
    """Whether a session is of this kernel, natively one that names none."""
    return block.directives.get("kernel") == KERNEL


class Manual(support.LiveTest):
    """A test for each page; kernels that none of its sessions are of skip it."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if os.uname().machine != "x86_64":
            raise unittest.SkipTest("the sessions were recorded on x86_64")

    def type_sessions(self, page: Path) -> None:
        if not any(map(is_here, session_blocks(page))):
            self.skipTest("the sessions of this page are of other kernels")
        with place() as directory:
            for block, session in sessions(page, directory):
                with self.subTest(place=f"{block.page}:{block.line}"):
                    session.run(directory)


def session_blocks(page: Path) -> list[Block]:
    """The blocks of a page that are sessions."""
    return [block for block in manual.blocks(page) if [*manual.commands(block)]]


def _test_of(page: Path) -> Callable[[Manual], None]:
    return lambda self: self.type_sessions(page)


for _page in filter(session_blocks, PAGES):
    _name = _page.stem.replace("-", "_").lower()
    setattr(Manual, f"test_{_name}", _test_of(_page))


def show(page: Path) -> None:
    """Prints what the sessions of a page show now."""
    with place() as directory:
        for block, session in sessions(page, directory):
            print(f"--- {block.page}:{block.line}\n$ {session.command}")
            try:
                print(session.run(directory))
            except AssertionError as error:
                print(error)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].endswith(".md"):
        show(Path(sys.argv[1]).resolve())
    else:
        unittest.main()
