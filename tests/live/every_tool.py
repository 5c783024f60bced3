"""A small piece of work for every tool, and how to trace it.

with every_tool.cases() as cases: …
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Callable, NamedTuple

from tests.live import filesystems, nfs
from tests.live.disk import scratch_disk

TIMES = 7


class Case(NamedTuple):
    """What a tool is told, besides the process; what that does; and what of a line of
    the tool's JSON is known."""

    arguments: tuple[str, ...]
    work: Callable[[], object]
    line: dict[str, Any]
    by_pid: bool = True


def call_labs() -> None:
    """Calls a function of the C library."""
    library = ctypes.CDLL(None)
    for _ in range(TIMES):
        library.labs(-TIMES)


def look_up() -> None:
    """Looks up a name."""
    socket.getaddrinfo("localhost", 80)


def open_nothing() -> None:
    """Fails to open a file."""
    for _ in range(TIMES):
        try:
            os.open("/no/such/file", os.O_RDONLY)
        except FileNotFoundError:
            pass


def execute() -> None:
    """Executes a program."""
    os.waitpid(os.posix_spawn("/bin/true", ["true", "skep"], os.environ), 0)


def connect(server: socket.socket) -> None:
    """Connects to a server, and ends the connection."""
    with socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        client.sendall(b"x" * TIMES)
        accepted.close()


def write(directory: str) -> None:
    """Writes a file."""
    with open(os.path.join(directory, "skep"), "wb") as file:
        file.write(b"x" * TIMES)


def read(device: str) -> None:
    """Reads from a disk, past the cache."""
    file = os.open(device, os.O_RDONLY | os.O_DIRECT)
    try:
        os.preadv(file, [mmap.mmap(-1, 4096)], 0)
    finally:
        os.close(file)


FUNCTIONS = {
    "funccount": Case(("c:labs",), call_labs, {"func": "labs", "count": TIMES}),
    "funclatency": Case(("c:labs",), call_labs, {"unit": "nsecs"}),
    "funcslower": Case(("-u", "0.001", "c:labs"), call_labs, {"func": "labs"}),
    "stackcount": Case(("c:labs",), call_labs, {"type": "stacks", "count": TIMES}),
    "argdist": Case(
        (
            *("-C", "p:c:labs(long number):long:number"),
            *("-H", "r:c:labs():long:$retval", "--json"),
        ),
        call_labs,
        {"event": f"number = -{TIMES}", "count": TIMES},
    ),
    "trace": Case(('c:labs "%d", arg1',), call_labs, {"message": f"-{TIMES}"}),
}

OTHERS = {
    "opensnoop": Case((), open_nothing, {"path": "/no/such/file", "error": "ENOENT"}),
    "execsnoop": Case((), execute, {"args": ["/bin/true", "skep"]}, by_pid=False),
    "gethostlatency": Case((), look_up, {"host": "localhost", "ret": 0}),
}


@contextmanager
def disk() -> Iterator[Case]:
    """The case of biolatency."""
    with scratch_disk() as device:
        options = ("-d", os.path.basename(device))
        yield Case(options, lambda: read(device), {"unit": "usecs"}, False)


@contextmanager
def connection() -> Iterator[Case]:
    """The case of tcplife."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = {"rport": port, "tx_bytes": TIMES}
        yield Case(("-D", str(port)), lambda: connect(server), line, False)


@contextmanager
def file_system(kind: str) -> Iterator[Case]:
    """The case of a file system's tool; the test is skipped if the kernel lacks it."""
    with nfs.mounted() if kind == "nfs" else filesystems.mounted(kind) as directory:
        line = {"operation": "write", "file": "skep", "ret": TIMES}
        yield Case(("0",), lambda: write(directory), line)


OWN_PLACES: Mapping[str, Callable[[], AbstractContextManager[Case]]] = {
    "biolatency": disk,
    "tcplife": connection,
    "btrfsslower": lambda: file_system("btrfs"),
    "ext4slower": lambda: file_system("ext4"),
    "f2fsslower": lambda: file_system("f2fs"),
    "nfsslower": lambda: file_system("nfs"),
    "xfsslower": lambda: file_system("xfs"),
    "zfsslower": lambda: file_system("zfs"),
}
"""Tools whose work needs something that is made for it."""


@contextmanager
def case_of(tool: str) -> Iterator[Case]:
    """The case of any tool."""
    if tool in OWN_PLACES:
        with OWN_PLACES[tool]() as case:
            yield case
    else:
        yield {**FUNCTIONS, **OTHERS}[tool]


TOOLS = (*FUNCTIONS, *OTHERS, *OWN_PLACES)
