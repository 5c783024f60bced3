"""x86_64: arch/x86/include/asm/{ptrace,syscall_wrapper,thread_info}.h."""

from __future__ import annotations

from skep.arch.description import Arch, Compat

X86_64 = Arch(
    name="x86_64",
    machine="x86_64",
    pointer_size=8,
    little_endian=True,
    function_args=("di", "si", "dx", "cx", "r8", "r9"),
    return_value="ax",
    instruction_pointer="ip",
    stack_pointer="sp",
    frame_pointer="bp",
    # The syscall instruction itself uses cx, so the fourth argument is in r10.
    syscall_args=("di", "si", "dx", "r10", "r8", "r9"),
    syscall_number="orig_ax",
    syscall_prefix="__x64_sys_",
    # TS_COMPAT tells what the current system call is: a 64-bit task may make 32-bit
    # ones by int 0x80.  x32 calls do not set it; their numbers have bit 30 set.
    compat=Compat(
        task_member="thread_info.status",
        task_mask=0x2,
        syscall_args=("bx", "cx", "dx", "si", "di", "bp"),
        syscall_prefixes=("__ia32_compat_sys_", "__ia32_sys_"),
    ),
)
