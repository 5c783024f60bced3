"""x86_64: arch/x86/include/asm/{ptrace,syscall_wrapper,thread_info}.h."""

from __future__ import annotations

from skep.arch.description import Arch, Compat, RegisterPart


def _registers() -> dict[str, RegisterPart]:
    """rax, eax, ax, al, ah and so on."""
    parts = {"rip": RegisterPart("ip", 0, 8), "eip": RegisterPart("ip", 0, 4)}
    for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp"):
        low = f"{name[0]}l" if name.endswith("x") else f"{name}l"
        sizes = {f"r{name}": 8, f"e{name}": 4, name: 2, low: 1}
        parts.update((each, RegisterPart(name, 0, n)) for each, n in sizes.items())
        if name.endswith("x"):
            parts[f"{name[0]}h"] = RegisterPart(name, 1, 1)
    for number in range(8, 16):
        for suffix, size in (("", 8), ("d", 4), ("w", 2), ("b", 1)):
            parts[f"r{number}{suffix}"] = RegisterPart(f"r{number}", 0, size)
    return parts


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
    return_address_size=8,
    registers=_registers(),
    # TS_COMPAT tells what the current system call is: a 64-bit task may make 32-bit
    # ones by int 0x80.  x32 calls do not set it; their numbers have bit 30 set.
    compat=Compat(
        task_member="thread_info.status",
        task_mask=0x2,
        syscall_args=("bx", "cx", "dx", "si", "di", "bp"),
        syscall_prefixes=("__ia32_compat_sys_", "__ia32_sys_"),
    ),
)
