"""Instructions that no probe can be put on.

The kernel refuses some, and one among a thousand places makes it refuse all.  Where no
process has the file mapped it does not even look, and the probe never fires.

Those of AVX-512 (EVEX) it takes, but programs with a probe on one compute something
else afterwards, and crash: measured on 6.18 with vpbroadcastb, with which memset and
strchr of glibc start on such processors.

Those of AVX (VEX) it looks up in the table of instructions of one byte, by the byte
after their prefix: it takes vpxor (ef) for out, and refuses it.

Source: uprobe_init_insn and good_insns_64, arch/x86/kernel/uprobes.c.
"""

from __future__ import annotations

from skep.symbols.elf import BinaryError, Elf

_PREFIXES = b"\x66\xf2\xf3\x64\x65\x67"
_BAD_PREFIXES = b"\x26\x2e\x36\x3e\xf0"  # ES, CS, SS, DS, and LOCK
# ins and outs, in and out, int3 and int, iret, hlt, cli and sti.
_BAD = b"\x6c\x6d\x6e\x6f\xe4\xe5\xe6\xe7\xec\xed\xee\xef\xcc\xcd\xcf\xf4\xfa\xfb"
_EVEX = b"\x62"
_VEX = {b"\xc5": 2, b"\xc4": 3}  # the length of what starts so
# What good_insns_64 lacks, besides prefixes; most are no instructions by themselves.
_BAD_AFTER_VEX = bytes.fromhex(
    "06 07 0e 16 17 1e 1f 27 2f 37 3f 60 61 62 6c 6d 6e 6f 82 9a cc cd ce cf d4 d5 d6"
    "e4 e5 e6 e7 ea ec ed ee ef f1 f4 fa fb"
)
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
    code = code.lstrip(_PREFIXES)
    opcode = code[:1]
    if opcode in _VEX:
        behind = code[_VEX[opcode] :][:1]
        return bool(behind) and behind not in _BAD_AFTER_VEX
    return bool(opcode) and opcode not in _BAD_PREFIXES + _BAD + _EVEX
