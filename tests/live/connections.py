"""TCP connections on loopback whose two ends and numbers of bytes are known.

Standard library only, and Python 3.9: these also run in guests.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
import termios
import time
from contextlib import ExitStack, suppress
from typing import NamedTuple

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close(2) send a RST: on, for 0 seconds."""

_CLONE_NEWNET = 0x40000000  # include/uapi/linux/sched.h
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1

_PART = 1 << 16
"""Bytes on the way at one time: fewer than the buffers of a socket take."""


class Side(NamedTuple):
    """One end of a connection, as a row about it shows it."""

    ip: int
    laddr: str
    lport: int
    raddr: str
    rport: int
    sent: int = 0
    received: int = 0

    @property
    def ports(self) -> tuple[int, int]:
        """What tells it from the other sides of a test."""
        return self.lport, self.rport


class Kind(NamedTuple):
    """How a connection is made: the address that is bound, and the one connected to.

    An address with a colon is one of an IPv6 socket.
    """

    bound: str
    reached: str


KINDS = {
    "IPv4": Kind("127.0.0.1", "127.0.0.1"),
    "IPv6": Kind("::1", "::1"),
    "mapped, one side": Kind("::", "127.0.0.1"),
    "mapped, both sides": Kind("::", "::ffff:127.0.0.1"),
}


class Pair:
    """A connection and its two ends, `client` and `server`."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.up = 0
        self.down = 0

    def exchange(self, up: int, down: int) -> Pair:
        """Sends so many bytes from the client and then from the server, and reads."""
        transfer(self.client, self.server, up)
        transfer(self.server, self.client, down)
        self.up += up
        self.down += down
        return self

    def sides(self) -> list[Side]:
        """The rows that there must be: the client's and the server's."""
        return [
            side_of(self.client, self.up, self.down),
            side_of(self.server, self.down, self.up),
        ]

    def close(self, server_first: bool = False) -> list[Side]:
        """Closes both, one after the other has seen the end; returns the sides."""
        sides = self.sides()
        first, second = self.client, self.server
        if server_first:
            first, second = second, first
        first.close()
        assert second.recv(1) == b""
        second.close()
        return sides

    def reset(self, by_server: bool = False) -> list[Side]:
        """One end closes with a RST, which the other one sees; returns the sides."""
        sides = self.sides()
        first, second = self.client, self.server
        if by_server:
            first, second = second, first
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        first.close()
        with suppress(ConnectionResetError):
            second.recv(1)
        second.close()
        return sides


def family_of(address: str) -> socket.AddressFamily:
    """The family of an address's text."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(address: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket; IPv6 ones take IPv4 connections, too."""
    listener = socket.socket(family_of(address), socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind((address, port))
    listener.listen()
    return listener


def connect(kind: Kind = KINDS["IPv4"]) -> Pair:
    """A connection of this kind, between ports that the kernel chooses."""
    with listen(kind.bound) as listener:
        client = socket.socket(family_of(kind.reached), socket.SOCK_STREAM)
        client.connect((kind.reached, listener.getsockname()[1]))
        return Pair(client, listener.accept()[0])


def connect_from(port: int, listener: socket.socket) -> Pair:
    """An IPv4 connection from this port to a listener."""
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(("127.0.0.1", port))
    client.connect(listener.getsockname())
    return Pair(client, listener.accept()[0])


def transfer(sender: socket.socket, receiver: socket.socket, count: int) -> None:
    """Sends so many bytes to the other end, and waits until they are acknowledged."""
    while count:
        part = min(count, _PART)
        sender.sendall(bytes(part))
        left = part
        while left:
            left -= len(receiver.recv(left))
        count -= part


def wait_for_acknowledgements(end: socket.socket) -> int:
    """Waits until no more come, which may take 200 ms; the bytes that wait for one."""
    before = -1
    while True:
        data = fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4))
        waiting = int.from_bytes(data, sys.byteorder)
        if waiting == before:
            return waiting
        before = waiting
        time.sleep(0.5)


def side_of(end: socket.socket, sent: int = 0, received: int = 0) -> Side:
    """What a row shows of an open socket that sent and received so many bytes."""
    ip = 6 if end.family == socket.AF_INET6 else 4
    local, remote = end.getsockname(), end.getpeername()
    return Side(ip, local[0], local[1], remote[0], remote[1], sent, received)


def free_ports(count: int) -> list[int]:
    """Different ports that no socket is bound to."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(listen("::")) for _ in range(count)]
        return [int(listener.getsockname()[1]) for listener in listeners]


def refused(kind: Kind = KINDS["IPv4"], port: int = 0) -> Side:
    """Tries to connect to a port that nobody listens at; returns the side."""
    # A socket that is bound to the port it connects to reaches itself.
    port = port or free_ports(1)[0]
    local = next(free for free in free_ports(2) if free != port)
    with socket.socket(family_of(kind.reached), socket.SOCK_STREAM) as client:
        client.bind((kind.bound, local))
        with suppress(ConnectionRefusedError):
            client.connect((kind.reached, port))
            raise AssertionError(f"somebody listens at port {port}")
        ip = 6 if client.family == socket.AF_INET6 else 4
        return Side(ip, kind.reached, local, kind.reached, port)


def enter_new_namespace() -> None:
    """Moves this process to a network namespace of its own, with a loopback device."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, f"unshare: {os.strerror(error)}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
