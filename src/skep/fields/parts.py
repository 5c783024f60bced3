"""Parts of what another field shows: the values of a message, and those of a count."""

from __future__ import annotations

from skep.fields.base import STRING, Context, Member, NoColumn, Value
from skep.fields.text import Text, c_string, decoded


class NumberPart(NoColumn):
    """A number.  Subclasses are made by `number_part`."""

    is_address = False

    @classmethod
    def show(cls, raw: int) -> str:
        """The text of a raw value."""
        return f"{raw:#x}" if cls.is_address else str(raw)


class TextPart(NoColumn, Text):
    """Text of a fixed number of bytes.  Subclasses are made by `text_part`.

    Its type has two bytes more than the `size` that is shown: for the NUL, and to tell
    longer text.
    """

    size = 0
    json = STRING

    @classmethod
    def show(cls, raw: bytes) -> str:
        """The text of a raw value."""
        return decoded(c_string(raw)[: cls.size])

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The text as a str; JSON adds NAME_truncated where it was longer."""
        size, truncated = cls.size, {f"{member.name}_truncated": True}
        return Value(
            member.name,
            member.raw,
            convert=cls.show,
            symbols=lambda raw: truncated if len(c_string(raw)) > size else {},
            remember=False,
        )


def number_part(name: str, ctype: str, is_address: bool = False) -> Member:
    """A number of a C type that needs no BTF."""
    names = {"ctype": ctype, "is_address": is_address}
    return Member(name, type("Number", (NumberPart,), names))


def text_part(name: str, size: int) -> Member:
    """Text of at most `size` bytes."""
    names = {"ctype": f"char[{size + 2}]", "size": size}
    return Member(name, type("Characters", (TextPart,), names))
