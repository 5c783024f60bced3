"""Programs that run at the entry and at the return of a call (kprobe_session, 6.10).

The kernel keeps 8 bytes for each call from its entry to its return, however calls nest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.btf.types import FuncProto
from skep.compiler import ir
from skep.compiler.ir import Imm
from skep.compiler.types import U64
from skep.compiler.values import Register
from skep.errors import InternalError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


def session_cell(walker: Walker) -> int:
    """The address of the 8 bytes of this call."""
    value = walker.at_hand(
        "session cell", lambda: Register(_call(walker, "bpf_session_cookie"), U64)
    )
    assert isinstance(value, Register)
    return value.register


def branch_on_return(walker: Walker) -> tuple[ir.Block, ir.Block]:
    """Where to go on at the entry and at the return."""
    b = walker.builder
    at_entry, at_return = b.new_block(), b.new_block()
    is_return = b.move(_call(walker, "bpf_session_is_return"), wide=False)
    b.alu("&", is_return, Imm(1), wide=False)
    b.finish(ir.Branch("==", is_return, Imm(0), False, at_entry, at_return))
    return at_entry, at_return


def _call(walker: Walker, name: str) -> int:
    """Call a function of the kernel for sessions; of late they take the context."""
    btf = walker.target.btf
    btf_id, proto = btf.find("func", name), btf.function(name)
    if btf_id is None or not isinstance(proto, FuncProto):
        raise InternalError(f"the kernel has no {name}")
    arguments = [walker.context] if proto.params else []
    return walker.builder.call_kfunc(name, btf_id, *arguments)
