"""A network of its own with a real name server, for programs that look up names.

Names in skep.test have an address there, those in missing.test do not exist.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from types import TracebackType

from tests.live import support

FOUND = "skep.test"
MISSING = "missing.test"

_SERVER = (
    *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file="),
    *("--no-resolv", "--no-hosts", "--user=root", "--log-facility=-"),
    *("--listen-address=127.0.0.1", "--bind-interfaces", "--port=53"),
    *(f"--address=/{FOUND}/127.7.7.7", f"--local=/{FOUND}/{MISSING}/"),
)

# musl reads nothing but resolv.conf; glibc may be told otherwise by nsswitch.conf.
_SETUP = """
ip link set lo up
for file in resolv.conf nsswitch.conf; do
    [ -e /etc/$file ] || : > /etc/$file
    mount --bind "$0/$file" /etc/$file
done
exec "$@"
"""


class NameServer:
    """A context manager; within it, `command` runs programs in that network."""

    def __enter__(self) -> NameServer:
        if not shutil.which("dnsmasq"):
            raise unittest.SkipTest("there is no dnsmasq")
        self._directory = tempfile.TemporaryDirectory(prefix="skep-dns-")
        files = {
            "resolv.conf": "nameserver 127.0.0.1\n",
            "nsswitch.conf": "hosts: dns\n",
        }
        for name, text in files.items():
            with open(os.path.join(self._directory.name, name), "w") as file:
                file.write(text)
        self._log = tempfile.TemporaryFile()
        command = ("unshare", "--net", "--mount", "sh", "-ec", _SETUP)
        self._server = subprocess.Popen(
            (*command, self._directory.name, *_SERVER),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def _wait(self) -> None:
        """Waits until the server answers."""
        look = "import socket, sys; socket.getaddrinfo(sys.argv[1], 80)"
        command = self.command("python3", "-c", look, f"ready.{FOUND}")

        def answers() -> bool:
            done = subprocess.run(command, stderr=subprocess.DEVNULL)
            return done.returncode == 0

        if not support.wait_until(answers):
            log = os.pread(self._log.fileno(), 1 << 16, 0).decode()
            raise AssertionError(f"the name server does not answer: {log}")

    def command(self, *arguments: str) -> list[str]:
        """A command that runs in this network."""
        namespaces = f"--target={self._server.pid}", "--net", "--mount"
        return ["nsenter", *namespaces, *arguments]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._server.kill()
        self._server.wait()
        self._log.close()
        self._directory.cleanup()
