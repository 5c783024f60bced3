"""What skep needs to know of an architecture.

Registers are member paths of `struct pt_regs`; their offsets come from BTF.
"""

from __future__ import annotations

from collections.abc import Mapping

from skep.named_tuple import NamedTuple


class RegisterPart(NamedTuple):
    """A register as assembly language names it, or a part of one.

    `path` is the member of `struct pt_regs`, `byte` where in it the part starts, `size`
    its bytes.  A `path` of "" is a register that reads as zero.
    """

    path: str
    byte: int
    size: int


class Compat(NamedTuple):
    """The 32-bit ABI beside the native one.

    A task is in a 32-bit system call when `task_member`, a path in `struct
    task_struct`, has a bit of `task_mask` set.
    """

    task_member: str
    task_mask: int
    syscall_args: tuple[str, ...]
    syscall_prefixes: tuple[str, ...]


class Arch(NamedTuple):
    """One architecture.

    `machine` is what uname(2) calls it.  `function_args` are the registers of the
    kernel's own calling convention, valid on entry to a function, and `return_value` is
    valid on return.  `syscall_args` are valid both at entry to and at exit from a
    native system call.  Further arguments of a function lie on the stack, behind
    `return_address_size` bytes that the call itself has put there.  `registers` are the
    general ones by their names in assembly.  `syscall_prefix` precedes the name of a
    native system call in its kernel symbol; the function takes a pointer to `struct
    pt_regs`.
    """

    name: str
    machine: str
    pointer_size: int
    little_endian: bool
    function_args: tuple[str, ...]
    return_value: str
    instruction_pointer: str
    stack_pointer: str
    frame_pointer: str
    syscall_args: tuple[str, ...]
    syscall_number: str
    syscall_prefix: str
    return_address_size: int
    registers: Mapping[str, RegisterPart]
    compat: Compat
