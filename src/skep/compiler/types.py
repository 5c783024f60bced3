"""The types of kernel-side values.

Integers have kernel width; structures come from BTF, from records, or from map
declarations; pointers know in which memory they point and whether they may be null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Union

from skep.btf import Btf, base_type, parse_c_type
from skep.btf import types as b
from skep.errors import TargetError
from skep.named_tuple import NamedTuple


class Void(NamedTuple):
    """No value, or memory of unknown type behind a pointer."""

    size: int = 0

    def __str__(self) -> str:
        return "void"


class Int(NamedTuple):
    """An integer of 1, 2, 4 or 8 bytes; `boolean` when it is only ever 0 or 1."""

    size: int
    signed: bool
    boolean: bool = False

    @property
    def bits(self) -> int:
        """The width in bits."""
        return self.size * 8

    @property
    def low(self) -> int:
        """The smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest value."""
        return 1 if self.boolean else (1 << (self.bits - self.signed)) - 1

    def holds(self, value: int) -> bool:
        """Whether `value` can be represented."""
        return self.low <= value <= self.high

    def wrap(self, value: int) -> int:
        """`value` as this type keeps it."""
        if self.boolean:
            return int(value != 0)
        value &= (1 << self.bits) - 1
        return value - (1 << self.bits) if value > self.high else value

    def __str__(self) -> str:
        return "bool" if self.boolean else f"{'s' if self.signed else 'u'}{self.bits}"


class Pointer(NamedTuple):
    """A pointer.

    `space` says where it points, and thus how to read through it:

    "trusted"   kernel memory that the verifier lets a program load from directly
    "kernel"    kernel memory, read with probe_read_kernel
    "user"      user memory, read with probe_read_user
    "memory"    memory of the program itself (map values), read and written directly
    "context"   the program's context, loaded directly
    ""          not known yet: a member's type before it is read through something

    `nullable` pointers must be compared with None first.
    """

    target: Type
    space: str = ""
    nullable: bool = False

    @property
    def size(self) -> int:
        """The size of a pointer in bytes."""
        return 8

    def __str__(self) -> str:
        if isinstance(self.target, Pointer):
            return f"{self.target}*"
        return f"{self.target} *"


class Array(NamedTuple):
    """`count` elements."""

    element: Type
    count: int  # type: ignore[assignment]  # hides tuple.count

    @property
    def size(self) -> int:
        """The size of all elements in bytes."""
        return self.element.size * self.count

    def __str__(self) -> str:
        return f"{self.element}[{self.count}]"


class Member(NamedTuple):
    """A member of a structure: its type, its place in bits, and its width if a bit
    field (else 0)."""

    type: Type
    bit_offset: int
    bits: int = 0


class Layout(NamedTuple):
    """A structure that skep laid out itself: a record, a map's key or value."""

    name: str
    size: int
    members: Mapping[str, Member]

    def member(self, name: str) -> Member | None:
        """The member called `name`."""
        return self.members.get(name)

    def member_names(self) -> Sequence[str]:
        """The names of all members."""
        return list(self.members)

    def __str__(self) -> str:
        return self.name


class Struct:
    """A struct or union of the kernel."""

    __slots__ = ("btf", "id", "_type", "size")

    def __init__(self, btf: Btf, type_id: int, described: b.Struct) -> None:
        self.btf = btf
        self.id = type_id
        self._type = described
        self.size = described.size

    @property
    def name(self) -> str:
        """The name without `struct`, empty if it has none."""
        return self._type.name

    def member(self, name: str) -> Member | None:
        """The member called `name`, also inside anonymous structs and unions."""
        found = self.btf.member(self.id, name)
        if found is None:
            return None
        type_id, bit_offset, bits = found
        return Member(from_btf(self.btf, type_id), bit_offset, bits)

    def member_names(self) -> Sequence[str]:
        """The names of all members, those of anonymous structs included."""
        names: list[str] = []
        pending = [self._type]
        while pending:
            for member in pending.pop().members:
                inner = self.btf.type(self.btf.resolve(member.type))
                if member.name:
                    names.append(member.name)
                elif isinstance(inner, b.Struct):
                    pending.append(inner)
        return names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Struct) and (self.btf, self.id) == (
            other.btf,
            other.id,
        )

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return f"{self._type.kind} {self._type.name or '(anonymous)'}"


Type = Union[Void, Int, Pointer, Array, Layout, Struct]

VOID = Void()
BOOL = Int(1, False, True)
U8, U16, U32, U64 = (Int(size, False) for size in (1, 2, 4, 8))
S8, S16, S32, S64 = (Int(size, True) for size in (1, 2, 4, 8))
CHAR = U8


def from_btf(btf: Btf, type_id: int) -> Type:
    """The type with a BTF id.

    Functions, forward declarations and floating-point numbers become `Void`: a pointer
    to one can be passed on and compared, and that is all.
    """
    user = False
    while True:
        described = btf.type(type_id)
        if isinstance(described, b.TypeTag):
            user = user or described.name == "user"
        elif not isinstance(described, (b.Typedef, b.Modifier)):
            break
        type_id = described.type
    if isinstance(described, b.Int):
        return Int(described.size, described.signed, described.is_bool)
    if isinstance(described, b.Enum):
        return Int(described.size, described.signed)
    if isinstance(described, b.Pointer):
        target, target_user = _pointee(btf, described.target)
        return Pointer(target, "user" if user or target_user else "")
    if isinstance(described, b.Array):
        return Array(from_btf(btf, described.element), described.count)
    if isinstance(described, b.Struct):
        return Struct(btf, type_id, described)
    return VOID


def _pointee(btf: Btf, type_id: int) -> tuple[Type, bool]:
    """What a pointer points to, and whether BTF says that it is user memory."""
    described = btf.type(type_id)
    user = isinstance(described, b.TypeTag) and described.name == "user"
    return from_btf(btf, type_id), user


_KERNELS_OWN = {
    "itimerspec": "__kernel_itimerspec",
    "itimerval": "__kernel_old_itimerval",
    "timespec": "__kernel_timespec",
    "timeval": "__kernel_old_timeval",
    "utsname": "new_utsname",
}
"""Structures of the C library, with which 64-bit programs make system calls, and what
the kernel calls what it gets (since 5.6, c766d1472c70, it has no names in common)."""


def from_c(text: str, btf: Btf | None) -> Type:
    """The type with a C spelling such as `struct task_struct *` or `u32`.

    `btf` may be None for types made of plain integers.  Raises TargetError when the
    kernel has no such type, UsageError when the text is no type.
    """
    parsed = parse_c_type(text)
    found: Type
    if parsed.kind == "void":
        found = VOID
    elif parsed.kind == "int":
        described = base_type(parsed.name)
        assert described is not None
        found = Int(described.size, described.signed, described.is_bool)
    else:
        assert btf is not None
        type_id = btf.find(parsed.kind, parsed.name)
        if type_id is None and parsed.kind == "struct":
            type_id = btf.find("struct", _KERNELS_OWN.get(parsed.name, ""))
        if type_id is None:
            raise TargetError(f"this kernel has no type '{text}'")
        found = from_btf(btf, type_id)
    for depth in range(parsed.pointers):
        found = Pointer(found, "user" if parsed.user and depth == 0 else "")
    for count in reversed(parsed.array):
        found = Array(found, count)
    return found


def needs_btf(text: str) -> bool:
    """Whether the type can be found only in BTF."""
    return parse_c_type(text).kind not in ("int", "void")


def align_of(type_: Type) -> int:
    """The alignment in bytes, at most 8."""
    if isinstance(type_, Array):
        return align_of(type_.element)
    if isinstance(type_, (Int, Pointer)):
        return type_.size
    if isinstance(type_, Layout):
        return max((align_of(m.type) for m in type_.members.values()), default=1)
    return 8


def lay_out(name: str, members: Sequence[tuple[str, Type]], start: int = 0) -> Layout:
    """Lay members out in order with natural alignment, padded at the end to 8 bytes at
    most; `start` bytes at the beginning stay free."""
    placed = {}
    offset, widest = start, 1
    for member, type_ in members:
        align = align_of(type_)
        widest = max(widest, align)
        offset = -(-offset // align) * align
        placed[member] = Member(type_, offset * 8)
        offset += type_.size
    return Layout(name, -(-offset // widest) * widest, placed)
