"""What a `Target` tells of user programs and libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skep.named_tuple import NamedTuple
from skep.symbols.functions import Function
from skep.symbols.usdt import UsdtProbe


class UserFile(NamedTuple):
    """A file in which something was looked for, and what was found.

    `path` opens it, `shown` is for people.  `functions` are by the name or pattern that
    was asked for.  `addresses` are of the symbols that arguments of `probes` refer to,
    as the file has them.  `others` are the names of everything else that there is, for
    messages.  `problem` tells why nothing could be found.  `is_go` is for programs that
    were compiled by Go.
    """

    path: str
    shown: str
    functions: Mapping[str, Sequence[Function]] = {}
    probes: Sequence[UsdtProbe] = ()
    addresses: Mapping[str, int] = {}
    others: Sequence[str] = ()
    problem: str = ""
    is_go: bool = False
