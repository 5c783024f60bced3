"""A stack that no other task writes to.

Since 6.13 the kernel gives programs of the type of kprobes that use 64 bytes of stack
or more a stack of the CPU's ("private stack", kernel/bpf/verifier.c), as if a program
never ran within itself.  In user probes it does: nothing keeps a task from being
preempted there, and the next one from running the same program on the same CPU
(bpf_prog_run_array_uprobe, include/linux/bpf.h).  Then calls have the arguments and
results of others: measured on 7.2, where kernels preempt by default.

Programs with a tail call stay on the task's own stack.  One that is never made will do:
the verifier counts those that it can see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir
from skep.compiler.ir import Imm
from skep.spec import MapSpec

if TYPE_CHECKING:
    from skep.compiler.walker import Walker
    from skep.probes.candidate import Site
    from skep.target import Target

TAIL_CALL = "tail_call"

_NOWHERE = MapSpec("nowhere", "prog_array", 4, 4, 1)


def keep_own_stack(walker: Walker, site: Site, target: Target) -> None:
    """Let a program at a user probe run on the stack of its task."""
    if site.attach.places and _has_private_stacks(target):
        b = walker.builder
        never, after = b.new_block(cold=True), b.new_block()
        b.finish(ir.Branch("==", walker.context, Imm(0), True, never, after))
        b.start(never)
        b.emit(
            ir.CallHelper(
                None, TAIL_CALL, [walker.context, b.map(_NOWHERE), Imm(0)], pure=False
            )
        )
        b.exit()
        b.start(after)


def _has_private_stacks(target: Target) -> bool:
    """Whether BTF has the member that came with them."""
    auxiliary = target.btf.find("struct", "bpf_prog_aux")
    if auxiliary is None:
        return False
    return target.btf.member(auxiliary, "priv_stack_ptr") is not None
