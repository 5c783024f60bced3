"""arm64: arch/arm64/include/asm/{ptrace,syscall_wrapper,thread_info}.h."""

from __future__ import annotations

from skep.arch.description import Arch, Compat, RegisterPart

# x0 becomes the return value; orig_x0 still has the first argument at exit.
_SYSCALL_ARGS = ("orig_x0", "regs[1]", "regs[2]", "regs[3]", "regs[4]", "regs[5]")


def _registers() -> dict[str, RegisterPart]:
    """x0, w0 and so on."""
    parts = {
        "sp": RegisterPart("sp", 0, 8),
        "wsp": RegisterPart("sp", 0, 4),
        "pc": RegisterPart("pc", 0, 8),
        "xzr": RegisterPart("", 0, 8),
        "wzr": RegisterPart("", 0, 4),
    }
    for number in range(31):
        parts[f"x{number}"] = RegisterPart(f"regs[{number}]", 0, 8)
        parts[f"w{number}"] = RegisterPart(f"regs[{number}]", 0, 4)
    return parts


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
    return_address_size=0,
    registers=_registers(),
    compat=Compat(
        task_member="thread_info.flags",
        task_mask=1 << 22,  # TIF_32BIT
        syscall_args=_SYSCALL_ARGS,
        syscall_prefixes=("__arm64_compat_sys_", "__arm64_sys_"),
    ),
)
