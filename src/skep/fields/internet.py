"""Addresses and ports of the internet protocols."""

from __future__ import annotations

import sys
from typing import Any

from skep.errors import UsageError
from skep.fields.base import STRING, Context, Field, Member, Value

IPV4 = 4
IPV6 = 6

_VERSION_BYTES = 4


class IpVersion(Field):
    """The version of IP that a socket was made for, 4 or 6.

    An IPv6 socket that talks to an IPv4 host has an address such as ::ffff:192.0.2.1.
    """

    ctype = "u8"
    title = "IP"
    width = 2
    meaning = "version of IP"


class IpAddress(Field):
    """An address of either version of IP: its version as a u32, then its bytes.

    An IPv4 address has the first 4 of the 16 bytes.  `skep.kernel.sock` makes such
    values.
    """

    ctype = "u8[20]"
    width = 15
    spec = ""
    meaning = "IP address"
    json = STRING

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The address as inet_ntop(3) writes it."""
        return format(address_text(raw), spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The address as text."""
        return Value(member.name, member.raw, address_text)


def address_text(raw: bytes) -> str:
    """The text of a raw `IpAddress`; IPv4 in IPv6 keeps its dots ("::ffff:1.2.3.4")."""
    import socket  # 3 ms, and not before a row is shown

    version = int.from_bytes(raw[:_VERSION_BYTES], sys.byteorder)
    if version == IPV6:
        return socket.inet_ntop(socket.AF_INET6, raw[_VERSION_BYTES:])
    return socket.inet_ntop(socket.AF_INET, raw[_VERSION_BYTES:][:4])


class Port(Field):
    """A port of TCP or UDP, in the byte order of the machine."""

    ctype = "u16"
    width = 5
    meaning = "port"

    @classmethod
    def parse(cls, text: str) -> int:
        """A port's number, in decimal."""
        if not (text.isascii() and text.isdecimal()):
            raise UsageError(f"not a port: {text!r}")
        return int(text)
