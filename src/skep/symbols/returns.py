"""Functions of programs at whose return no probe can be.

For such a probe the kernel puts an address of its own where the return address is when
the function starts: the top of the stack on x86_64, a register on arm64.  A program
that keeps what it finds there for later, or has something else there, ends with SIGILL
or SIGSEGV, or goes on with wrong values (prepare_uretprobe and
uprobe_handle_trampoline, kernel/events/uprobes.c).
"""

from __future__ import annotations

import re

_REASONS = (
    (
        # Also _setjmp, __sigsetjmp, __longjmp_chk, and the C library's own names.
        r"_*(?:GI_+|libc_+)?(?:sig)?(?:set|long)jmp(?:_chk|_tail)?"
        r"|_*(?:GI_+)?(?:get|set|swap)context"
        # What throws exceptions looks for a handler from where it returns to.
        r"|_Unwind_(?:SjLj_)?(?:RaiseException|Resume(?:_or_Rethrow)?|ForcedUnwind)"
        r"|__cxa_(?:re)?throw",
        "returns to more than one place, where a probe would end the program",
    ),
    (
        # What the kernel, the dynamic loader, makecontext and signals go to.
        r"_start|_dl_start_user|_dl_runtime_(?:resolve|profile).*"
        r"|_*start_?context|__restore(?:_rt)?"
        # Pieces of functions that the compiler has put elsewhere.
        r"|.+\.cold(?:\.\d+)?",
        "jumped to, not called, without a return",
    ),
)


def why_not(name: str) -> str | None:
    """Why no probe can be at the return of a function; None if it can."""
    for pattern, reason in _REASONS:
        if re.fullmatch(pattern, name):
            return reason
    return None
