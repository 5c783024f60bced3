"""What looking up a host's name gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skep.fields.base import STRING, Context, Key, Member, NoColumn, Value
from skep.fields.results import error_key

NOT_FOUND = 1
"""A failure without a number: gethostbyname(3) leaves that in a variable (h_errno)."""

# The same in glibc (resolv/netdb.h) and musl (include/netdb.h).
_ERRORS = {
    -1: "EAI_BADFLAGS",
    -2: "EAI_NONAME",
    -3: "EAI_AGAIN",
    -4: "EAI_FAIL",
    -5: "EAI_NODATA",
    -6: "EAI_FAMILY",
    -7: "EAI_SOCKTYPE",
    -8: "EAI_SERVICE",
    -9: "EAI_ADDRFAMILY",
    -10: "EAI_MEMORY",
    -11: "EAI_SYSTEM",
    -12: "EAI_OVERFLOW",
    NOT_FOUND: "NOT_FOUND",
}


class LookupResult(NoColumn):
    """The result of a name lookup: 0, an EAI_ number of getaddrinfo(3), or 1 where a
    call fails without one.

    It has no column; JSON adds the name of the error, `error` for a member called ret.
    """

    ctype = "s32"
    meaning = "0, or an error number of getaddrinfo"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The name of the error."""
        return (Key(error_key(member), STRING, "name of the error", True),)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The number."""
        key = error_key(member)

        def symbols(raw: int) -> Mapping[str, str]:
            return {key: _ERRORS[raw]} if raw in _ERRORS else {}

        return Value(member.name, member.raw, symbols=symbols)
