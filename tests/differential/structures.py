"""Structures of C that generated programs read, as the model knows them.

Offsets are those of 64-bit kernels, which cannot change: these structures are shared
with programs.  `test_structures` compares them with BTF.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Union

from tests.differential.model import S32, S64, TYPES, U8, U16, U32, U64, Type


class CPointer(NamedTuple):
    """A pointer; `target` is a scalar, a structure's name, or None for void."""

    target: Type | str | None


class CArray(NamedTuple):
    """`length` elements."""

    element: CType
    length: int


class CField(NamedTuple):
    """A member; of a bit field `bits`, from bit `shift` of the number at `offset`."""

    offset: int
    type: CType
    shift: int = 0
    bits: int = 0


class CStruct(NamedTuple):
    """A structure or union."""

    name: str
    size: int
    fields: Mapping[str, CField]


CType = Union[Type, CPointer, CArray, CStruct]


def size_of(ctype: CType) -> int:
    """The bytes of a type."""
    if isinstance(ctype, Type):
        return ctype.bits // 8
    if isinstance(ctype, CArray):
        return ctype.length * size_of(ctype.element)
    return ctype.size if isinstance(ctype, CStruct) else 8


def _bits(names: str, offset: int) -> dict[str, CField]:
    """Bit fields of a u64 one after the other; "name:2" has two bits."""
    fields, shift = {}, 0
    for each in names.split():
        name, _, width = each.partition(":")
        fields[name] = CField(offset, U64, shift, int(width or 1))
        shift += int(width or 1)
    return fields


_TIME = CStruct(
    "struct timespec64", 16, {"tv_sec": CField(0, S64), "tv_nsec": CField(8, S64)}
)
_IN6 = CStruct(
    "union",
    16,
    {
        "u6_addr8": CField(0, CArray(U8, 16)),
        "u6_addr16": CField(0, CArray(U16, 8)),
        "u6_addr32": CField(0, CArray(U32, 4)),
    },
)
_LINK = CField(0, CPointer("struct list_head"))
_TEXTS = ("sysname", "nodename", "release", "version", "machine", "domainname")

_STRUCTURES = (
    CStruct(
        "struct perf_event_attr",
        112,  # of which all kernels have at least so much
        {
            "type": CField(0, U32),
            "size": CField(4, U32),
            "config": CField(8, U64),
            "sample_freq": CField(16, U64),
            **_bits(
                "disabled inherit pinned exclusive exclude_user exclude_kernel"
                " exclude_hv exclude_idle mmap comm freq inherit_stat enable_on_exec"
                " task watermark precise_ip:2 mmap_data",
                40,
            ),
            "bp_type": CField(52, U32),
            "config1": CField(56, U64),
            "clockid": CField(92, S32),
            "sample_max_stack": CField(108, U16),
        },
    ),
    CStruct("struct in6_addr", 16, {"in6_u": CField(0, _IN6)}),
    CStruct(
        "struct itimerspec64",
        32,
        {"it_interval": CField(0, _TIME), "it_value": CField(16, _TIME)},
    ),
    CStruct(
        "struct new_utsname",
        390,
        {name: CField(65 * n, CArray(U8, 65)) for n, name in enumerate(_TEXTS)},
    ),
    CStruct("struct list_head", 16, {"next": _LINK, "prev": _LINK._replace(offset=8)}),
    CStruct(
        "struct iovec",
        16,
        {"iov_base": CField(0, CPointer(None)), "iov_len": CField(8, U64)},
    ),
    CStruct(
        "struct sockaddr_in",
        16,
        {
            "sin_family": CField(0, U16),
            "sin_port": CField(2, U16),
            "sin_addr": CField(
                4, CStruct("struct in_addr", 4, {"s_addr": CField(0, U32)})
            ),
        },
    ),
    CStruct(
        "struct linger", 8, {"l_onoff": CField(0, S32), "l_linger": CField(4, S32)}
    ),
)

STRUCTURES = {each.name: each for each in _STRUCTURES}
"""By their C spelling."""

_UTS = CStruct(
    "struct uts_namespace", 400, {"name": CField(0, STRUCTURES["struct new_utsname"])}
)


def _around(name: str, member: str) -> CStruct:
    """A structure of which only one number in it is known."""
    return CStruct(name, 4, {member: CField(0, U32)})


_THREAD = {
    "pid": CField(0, S32),
    "tgid": CField(4, S32),
    "comm": CField(8, CArray(U8, 16)),
}

KERNEL_STRUCTURES = {
    "task": CStruct(
        "struct task_struct",
        64,
        {
            **_THREAD,
            "real_parent": CField(24, CPointer("parent")),
            "group_leader": CField(32, CPointer("leader")),
            "nsproxy": CField(40, CPointer("nsproxy")),
            "cred": CField(48, CPointer("cred")),
        },
    ),
    "parent": CStruct("struct task_struct", 24, _THREAD),
    "leader": CStruct("struct task_struct", 24, _THREAD),
    "nsproxy": CStruct(
        "struct nsproxy",
        16,
        {"uts_ns": CField(0, CPointer("uts")), "mnt_ns": CField(8, CPointer("mnt"))},
    ),
    "uts": _UTS,
    "mnt": CStruct(
        "struct mnt_namespace",
        4,
        {"ns": CField(0, _around("struct ns_common", "inum"))},
    ),
    "cred": CStruct(
        "struct cred",
        8,
        {
            "uid": CField(0, _around("kuid_t", "val")),
            "gid": CField(4, _around("kgid_t", "val")),
        },
    ),
}
"""The kernel's own structures around the current task, by what they are there; the
model has them at offsets of its own."""

TARGETS: Mapping[str, CType] = {
    **TYPES,
    "char": U8,
    **STRUCTURES,
    **KERNEL_STRUCTURES,
}
"""What pointers can lead to, by its C spelling."""
