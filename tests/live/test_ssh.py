"""skep on another machine, by ssh: it ends there when the connection does."""

from __future__ import annotations

import json
import shlex
import shutil
import unittest
from pathlib import Path

from tests.live import support
from tests.live.bpf_objects import existing_objects, held_objects
from tests.live.ssh_server import SSHD, SshServer
from tests.live.support import SKEP, Tool
from tests.live.test_lifecycle import execute_something


def process_of(arguments: list[str]) -> Path:
    """The directory in /proc of the one skep that was started with these arguments."""
    tail = b"\0".join(word.encode() for word in (SKEP, *arguments)) + b"\0"
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:  # it has ended since
            continue
        if line.endswith(tail) and b"python" in line.split(b"\0")[0]:
            found.append(path.parent)
    (process,) = found
    return process


@unittest.skipIf(
    SSHD is None or shutil.which("ssh") is None,
    "ssh or sshd is missing: apt-get install openssh-client openssh-server",
)
@support.only_on("5.10")  # the one guest that has ssh
class OverSsh(support.LiveTest):
    def test_rows_arrive(self) -> None:
        with SshServer() as server, remote(server, "execsnoop", "--json") as tool:
            tool.wait_for(
                lambda output: b'["/bin/true"]' in output.rpartition(b"\n")[0]
            )
            whole = tool.output().rpartition(b"\n")[0]
            events = [json.loads(line) for line in whole.splitlines()]
        self.assertIn(["/bin/true"], [event["args"] for event in events])

    def test_lost_connection_ends_the_tool(self) -> None:
        # biolatency writes nothing until it ends: it must not wait for a failed write.
        for name in ("execsnoop", "biolatency"):
            with self.subTest(tool=name), SshServer() as server:
                self._lose_connection(server, name)

    def _lose_connection(self, server: SshServer, name: str) -> None:
        with remote(server, name) as tool:
            process = process_of([name])
            held = held_objects(int(process.name))
            self.assertTrue(held & existing_objects())
            tool.process.kill()
            tool.process.wait()
            self.assertTrue(support.wait_until(lambda: not process.exists()))
        self.assert_freed(held)


def remote(server: SshServer, *arguments: str) -> Tool:
    """A tool at the other end of the connection."""
    # What ssh is given goes through a shell there.
    words = [shlex.quote(word) for word in arguments]
    return Tool(*words, knock=execute_something, prefix=server.command)
