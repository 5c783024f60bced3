"""Addresses, ports and amounts of data."""

from __future__ import annotations

import ipaddress
import struct

import pytest

from skep.errors import UsageError
from skep.fields import Column, IpAddress, IpVersion, KiloBytes, Port
from tests.unit.records import json_of, shown


def raw(text: str) -> bytes:
    """What the kernel side sends for an address."""
    address = ipaddress.ip_address(text)
    return struct.pack("=I16s", address.version, address.packed)


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "127.0.0.1", "192.0.2.254", "255.255.255.255"),
        *("::", "::1", "2001:db8::1:0:0:1", "fe80::1", "ffff:1:2:3:4:5:6:7"),
        *("::ffff:192.0.2.1", "::ffff:0.0.0.0"),
    ],
)
def test_addresses_are_shown_as_inet_ntop_does(text: str) -> None:
    assert shown(IpAddress, raw(text)) == text
    assert json_of(IpAddress, raw(text)) == {"x": text}


def test_what_is_behind_an_ipv4_address_does_not_count() -> None:
    data = struct.pack("=I4s12s", 4, bytes([192, 0, 2, 1]), b"x" * 12)
    assert shown(IpAddress, data) == "192.0.2.1"


def test_columns_of_addresses() -> None:
    column = Column(title="LADDR", width=15)
    assert shown(IpAddress, raw("::1"), "table", column=column) == "::1"
    assert shown(IpVersion, 6) == "6"
    assert json_of(IpVersion, 4, name="ip") == {"ip": 4}


def test_ports() -> None:
    assert shown(Port, 65535) == "65535"
    assert json_of(Port, 80) == {"x": 80}
    assert Port.parse("0080") == 80
    for text in ("", "http", "-1", "0x50", "\uff180", " 80"):
        with pytest.raises(UsageError, match="not a port"):
            Port.parse(text)


@pytest.mark.parametrize(("size", "text"), [(0, "0"), (1023, "0"), (2048, "2")])
def test_kilobytes_are_whole_and_bytes_exact(size: int, text: str) -> None:
    assert shown(KiloBytes, size) == text
    assert shown(KiloBytes, size, "table") == text.rjust(5)
    assert json_of(KiloBytes, size, name="tx_bytes") == {"tx_bytes": size}
