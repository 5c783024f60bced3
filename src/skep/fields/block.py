"""Block devices and the requests to them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from skep.errors import UsageError, did_you_mean
from skep.fields.base import STRING, Context, Field, Key, Member, Value


class Disk(Field):
    """A block device by number (major << 20 | minor), shown by name.

    "?" stands for one that /proc/diskstats did not list when first asked.  JSON adds
    NAME_name.
    """

    ctype = "u32"
    looks_up = True
    title = "DISK"
    width = 7
    spec = ""
    meaning = "device number"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The name."""
        return (Key(f"{member.name}_name", STRING, "name of the device"),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The name of the device."""
        return format(context.disks.name(raw), spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The device number."""
        key = f"{member.name}_name"
        return Value(
            member.name,
            member.raw,
            symbols=lambda raw: {key: context.disks.name(raw)},
        )

    @classmethod
    def parse(cls, text: str) -> int:
        """The number of the device called `text`.

        Partitions are refused: a request is one to the whole disk.
        """
        numbers = {name: number for number, name in Context().disks.names().items()}
        name = text[len("/dev/") :] if text.startswith("/dev/") else text
        if name not in numbers:
            hint = did_you_mean(name, sorted(numbers))
            raise UsageError(f"no such disk '{text}'", hint=hint)
        if os.path.exists(f"/sys/class/block/{name}/partition"):
            raise UsageError(f"'{text}' is a partition", hint="name the whole disk")
        return numbers[name]

    @classmethod
    def typed(cls, raw: int) -> Sequence[str]:
        """The name that the device has on this machine now."""
        return (Context().disks.name(raw),)


ENUMS = ("req_op", "req_opf", "req_flag_bits")
"""The enums that the names below are of; req_op was req_opf before 6.0 (ff07a02e9e8e).
"""

OPERATIONS = {
    "REQ_OP_READ": "Read",
    "REQ_OP_WRITE": "Write",
    "REQ_OP_FLUSH": "Flush",
    "REQ_OP_DISCARD": "Discard",
    "REQ_OP_SECURE_ERASE": "SecureErase",
    "REQ_OP_WRITE_SAME": "WriteSame",
    "REQ_OP_WRITE_ZEROES": "WriteZeros",
    "REQ_OP_ZONE_OPEN": "ZoneOpen",
    "REQ_OP_ZONE_CLOSE": "ZoneClose",
    "REQ_OP_ZONE_FINISH": "ZoneFinish",
    "REQ_OP_ZONE_APPEND": "ZoneAppend",
    "REQ_OP_ZONE_RESET": "ZoneReset",
    "REQ_OP_ZONE_RESET_ALL": "ZoneResetAll",
    "REQ_OP_SCSI_IN": "ScsiIn",
    "REQ_OP_SCSI_OUT": "ScsiOut",
    "REQ_OP_DRV_IN": "DriverIn",
    "REQ_OP_DRV_OUT": "DriverOut",
}
"""Enumerators of enum req_op to words; bcc's biolatency knows the first seven and
ZoneReset. SCSI_IN and SCSI_OUT are of kernels before 5.14."""

FLAGS = {
    "__REQ_SYNC": "Sync-",
    "__REQ_META": "Metadata-",
    "__REQ_FUA": "ForcedUnitAccess-",
    "__REQ_PRIO": "Priority-",
    "__REQ_NOMERGE": "NoMerge-",
    "__REQ_IDLE": "Idle-",
    "__REQ_RAHEAD": "ReadAhead-",
    "__REQ_BACKGROUND": "Background-",
    "__REQ_NOWAIT": "NoWait-",
}
"""Enumerators of enum req_flag_bits to the words put in front, in this order."""

OPERATION_MASK = 0xFF
"""The operation is in the low REQ_OP_BITS (8) bits (include/linux/blk_types.h)."""


def request_text(cmd_flags: int, io_names: Mapping[str, int]) -> str:
    """A request's cmd_flags in words, such as "Background-Sync-Write".

    Each flag is put in front of those before it, as bcc does.
    """
    operations = {
        io_names[name]: word for name, word in OPERATIONS.items() if name in io_names
    }
    text = operations.get(cmd_flags & OPERATION_MASK, "Unknown")
    for name, word in FLAGS.items():
        if name in io_names and cmd_flags >> io_names[name] & 1:
            text = word + text
    return text


class IoFlags(Field):
    """Operation and flags of a block request (struct request, cmd_flags), in words.

    JSON adds NAME_text.
    """

    enums = ENUMS
    ctype = "u32"
    title = "FLAGS"
    width = 30
    spec = ""
    meaning = "operation and flags of a block request"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The flags in words."""
        return (Key(f"{member.name}_text", STRING, "the flags in words"),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The flags in words."""
        return format(request_text(raw, context.io_names), spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The flags as a number."""
        key = f"{member.name}_text"
        return Value(
            member.name,
            member.raw,
            symbols=lambda raw: {key: request_text(raw, context.io_names)},
        )
