"""Arguments whose types the verifier knows: those of tp_btf, fentry and fexit."""

from __future__ import annotations

from skep.btf import Btf
from skep.btf.types import Enum, Int, Pointer, Struct, Void
from skep.probes.candidate import Param, ProbedWord


def typed_argument(param: Param, position: int, type_id: int, btf: Btf) -> Param:
    """An argument, in the word `position` of the context, as a typed program gets it.

    The verifier knows what structs an argument may point to.  It refuses access to
    most other pointers (all but void * on 5.10) and to structs by value, and has ideas
    of its own about pointers that may be null: those are probed.
    """
    kind = btf.type(btf.resolve(type_id))
    if isinstance(kind, (Int, Enum)):
        return param
    if isinstance(kind, Pointer):
        points_to = btf.type(btf.resolve(kind.target))
        if isinstance(points_to, Void):
            return param
        if isinstance(points_to, Struct) and not param.nullable and not param.user:
            return param._replace(trusted=True)
    return param._replace(fetch=ProbedWord(position))
