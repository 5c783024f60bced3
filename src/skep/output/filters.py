"""Conditions on records that are decided in user space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skep.named_tuple import NamedTuple


class Filter(NamedTuple):
    """A condition that a record must meet to be shown.

    `source` is a Python expression over the names of members, which stand for their
    values (text as str, None where it could not be read), and over `constants`, such as
    `name in comm` with {"name": "ssh"}.
    """

    source: str
    constants: Mapping[str, Any] = {}
