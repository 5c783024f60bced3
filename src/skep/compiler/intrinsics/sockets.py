"""Sockets: from the structure that a probe has to the one around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler.intrinsics.memory import pointer_argument
from skep.compiler.intrinsics.registry import Arguments, intrinsic
from skep.compiler.values import Register, Value

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

_HELPER = "skc_to_tcp_sock"


@intrinsic("tcp_sock", "sk")
def tcp_sock(walker: Walker, arguments: Arguments) -> Value:
    """A `struct sock *` of TCP as `struct tcp_sock *`, or None if it is no such socket.
    An argument of a typed probe stays trusted."""
    pointer = pointer_argument(walker, arguments, "sk")
    # Of trusted pointers the helper (5.9) takes those that are arguments; others may
    # have become invalid.  It looks at the protocol and the state.
    if pointer.register in walker.arguments and walker.target.has_helper(_HELPER):
        found = walker.builder.call(_HELPER, pointer.register)
        type_ = walker.pointer_type("struct tcp_sock", "trusted")
    else:
        found = walker.builder.move(pointer.register)
        type_ = walker.pointer_type("struct tcp_sock", "kernel")
    return Register(found, type_._replace(nullable=True))
