r"""The one place where text of the traced system is made safe to show.

Names, paths and arguments may contain any byte, so a traced program could otherwise
move the cursor, fake rows or retitle the terminal of whoever watches it.

Tables, CSV and reports show what cannot be printed as escapes:

    \n \t \r      these control characters
    \x1b          other control characters, and bytes that are not UTF-8
    \u202e        other characters that Unicode does not count as printable
    \U000e0041    those beyond 16 bits

A backslash stays single, so `a\nb` in a table is a newline or four characters: names
with backslashes are common (systemd's `\x2d`), and people search for them as they are.
JSON is exact: see `skep.output.json_lines`.
"""

from __future__ import annotations

NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def escape(text: str) -> str:
    """`text` with everything unprintable escaped.

    Bytes that are not UTF-8 are expected as lone surrogates (PEP 383).
    """
    if text.isprintable():
        return text
    return "".join(map(_escape_character, text))


def _escape_character(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if character in NAMED:
        return NAMED[character]
    if 0xDC80 <= code <= 0xDCFF:  # a surrogate that stands for the byte 0x80..0xff
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
