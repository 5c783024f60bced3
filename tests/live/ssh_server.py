"""An sshd of one's own: on a loopback port, with keys made for it, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tests.live.support import wait_until

# sshd wants an absolute path, and is not in the PATH of every user.
SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")

# Its unprivileged part is confined to this empty directory, which a service's start
# makes.
_CONFINED = Path("/run/sshd")

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {directory}/host
AuthorizedKeysFile {directory}/client.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


_CLIENT = """
Host {name}
HostName 127.0.0.1
Port {port}
User {user}
IdentityFile {directory}/client
UserKnownHostsFile {directory}/known
LogLevel ERROR
"""


class SshServer:
    """A running sshd as a context manager; `command` is an ssh that logs in there.

    `client_config` is for the configuration of an ssh that is to know it as `name`, and
    to log in as `user`.  `settings` are more lines of its own configuration, `prefix`
    is a command that runs it.
    """

    def __init__(
        self,
        name: str = "server",
        user: str = "root",
        settings: str = "",
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self._user = user
        self._settings = settings
        self._prefix = prefix

    def __enter__(self) -> SshServer:
        assert SSHD is not None
        self._directory = tempfile.TemporaryDirectory()
        directory = Path(self._directory.name)
        directory.chmod(0o755)  # users read there who may log in
        for name in ("host", "client"):
            keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f")
            subprocess.run((*keygen, directory / name), check=True)
        _CONFINED.mkdir(mode=0o755, exist_ok=True)
        port = _free_port()
        config = directory / "config"
        lines = _CONFIG.format(port=port, directory=directory)
        config.write_text(f"{lines}{self._settings}\n")
        with open(directory / "log", "wb") as log:
            self._process = subprocess.Popen(
                (*self._prefix, SSHD, "-D", "-e", "-f", config),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        key = (directory / "host.pub").read_text()
        known = directory / "known"
        known.write_text(f"[127.0.0.1]:{port} {key}")
        self.command = (
            *("ssh", "-F", "none", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={known}", "-o", "LogLevel=ERROR"),
            *("-i", str(directory / "client"), "-p", str(port), "root@127.0.0.1"),
        )
        self.client_config = _CLIENT.format(
            name=self.name, user=self._user, port=port, directory=directory
        )
        if not wait_until(lambda: _accepts(port)):
            said = (directory / "log").read_text()
            self.__exit__(None, None, None)
            raise AssertionError(f"sshd does not listen: {said}")
        return self

    @property
    def processes(self) -> list[int]:
        """Those that serve connections, below the sshd that listens: for users there
        are two for each."""
        return [pid for pid in _descendants(self._process.pid) if _is_sshd(pid)]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._directory.cleanup()


def _descendants(pid: int) -> Iterator[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    for child in map(int, children.split()):
        yield child
        yield from _descendants(child)


def _is_sshd(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().startswith("sshd")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
