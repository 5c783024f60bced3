"""arm64: arch/arm64/include/asm/{ptrace,syscall_wrapper,thread_info}.h."""

from __future__ import annotations

from skep.arch.description import Arch, Compat

# x0 becomes the return value; orig_x0 still has the first argument at exit.
_SYSCALL_ARGS = ("orig_x0", "regs[1]", "regs[2]", "regs[3]", "regs[4]", "regs[5]")

ARM64 = Arch(
    name="arm64",
    machine="aarch64",
    pointer_size=8,
    little_endian=True,
    function_args=tuple(f"regs[{number}]" for number in range(8)),
    return_value="regs[0]",
    instruction_pointer="pc",
    stack_pointer="sp",
    frame_pointer="regs[29]",
    syscall_args=_SYSCALL_ARGS,
    syscall_number="syscallno",
    syscall_prefix="__arm64_sys_",
    compat=Compat(
        task_member="thread_info.flags",
        task_mask=1 << 22,  # TIF_32BIT
        syscall_args=_SYSCALL_ARGS,
        syscall_prefixes=("__arm64_compat_sys_", "__arm64_sys_"),
    ),
)
