"""Amounts of data."""

from __future__ import annotations

from skep.fields.base import Field


class KiloBytes(Field):
    """A number of bytes, shown in whole units of 1024; exact to programs."""

    ctype = "u64"
    width = 5
    align = ">"
    shown = "{} // 1024"
    varied = True
    unit = "bytes"
    meaning = "number of bytes"
