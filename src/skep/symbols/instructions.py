"""Instructions that no probe can be put on.

The kernel refuses some, and one among a thousand places makes it refuse all.  Where no
process has the file mapped it does not even look, and the probe never fires.

Those of AVX-512 (EVEX) it takes, but programs with a probe on one compute something
else afterwards, and crash: measured on 6.18 with vpbroadcastb, with which memset and
strchr of glibc start on such processors.

Source: uprobe_init_insn and good_insns_64, arch/x86/kernel/uprobes.c.
"""

from __future__ import annotations

from skep.symbols.elf import BinaryError, Elf

_PREFIXES = b"\x66\xf2\xf3\x64\x65\x67"
_BAD_PREFIXES = b"\x26\x2e\x36\x3e\xf0"  # ES, CS, SS, DS, and LOCK
# ins and outs, in and out, int3 and int, iret, hlt, cli and sti.
_BAD = b"\x6c\x6d\x6e\x6f\xe4\xe5\xe6\xe7\xec\xed\xee\xef\xcc\xcd\xcf\xf4\xfa\xfb"
_EVEX = b"\x62"
_LONGEST = 15


def can_be_probed(elf: Elf, offset: int) -> bool:
    """Whether a probe can be put on an instruction, as far as is known here.

    arm64 refuses a few instructions, too, which functions do not start with.
    """
    if elf.machine != "x86_64":
        return True
    for length in (_LONGEST, 1):  # the instruction may be the last of the file
        try:
            code = elf.read(offset, length)
            break
        except BinaryError:
            continue
    else:
        return False
    opcode = code.lstrip(_PREFIXES)[:1]
    return bool(opcode) and opcode not in _BAD_PREFIXES + _BAD + _EVEX
