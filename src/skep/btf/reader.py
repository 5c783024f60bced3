"""Reading BTF: types by id and by name, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from skep.btf import format as fmt
from skep.btf.decode import DECODERS, Record, signed
from skep.btf.spelling import spell
from skep.btf.table import Buffer, TypeTable
from skep.btf.typename import TypeName, parse_c_type, spell_as_gcc
from skep.btf.types import (
    Array,
    BtfType,
    Enum,
    Float,
    Func,
    FuncProto,
    Int,
    Modifier,
    Pointer,
    Struct,
    Typedef,
    TypeTag,
    Void,
)
from skep.errors import TargetError
from skep.named_tuple import NamedTuple

_POINTER_SIZE = 8

_DEEPEST = 64
"""Types within each other, at most; the kernel's have less than ten."""

_MOST_INSIDE = 256
"""Structs without names in one, at most: those of struct page are about 20."""

# What `find` also takes for a kind: 64-bit enums are enums.
_ALSO = {"enum": ("enum", "enum64")}


class Place(NamedTuple):
    """Where a member found by `Btf.member` lies in the outermost struct.

    `bitfield_size` is in bits, 0 for a member that is no bit field.
    """

    type: int
    bit_offset: int
    bitfield_size: int


class TypeUse(NamedTuple):
    """A type named in C spelling: pointers and arrays around the BTF type `id`.

    The fields but `id` are those of `TypeName`.
    """

    id: int
    pointers: int = 0
    array: tuple[int, ...] = ()
    user: bool = False


class Btf:
    """The types of a kernel or, with a `base`, of a kernel module (split BTF).

    Malformed BTF raises `TargetError`, here or when the bad place is reached.
    """

    def __init__(self, buffer: Buffer, base: Btf | None = None) -> None:
        self._base = base
        first = (base.end_id, base.end_string) if base else ()
        self._table = TypeTable(buffer, *first)
        self._types: dict[int, BtfType] = {0: Void()}

    @classmethod
    def from_bytes(cls, buffer: Buffer, base: Btf | None = None) -> Btf:
        """BTF in bytes or in a memory map, which must stay open."""
        return cls(buffer, base)

    @property
    def end_id(self) -> int:
        """One more than the last type id.  Reads the whole type section (10 ms)."""
        return self._table.end_id()

    @property
    def end_string(self) -> int:
        """The offset just behind the last string."""
        return self._table.string_base + self._table.string_size

    def type(self, type_id: int) -> BtfType:
        """The type with an id; 0 is void.  Raises `TargetError` if there is none."""
        known = self._types.get(type_id)
        if known is None:
            known = self._types[type_id] = self._decode(type_id)
        return known

    def _decode(self, type_id: int) -> BtfType:
        if self._base and type_id < self._table.first_id:
            return self._base.type(type_id)
        start = self._table.offset(type_id) if type_id >= 0 else None
        if start is None:
            raise TargetError(f"malformed BTF: there is no type {type_id}")
        words = self._table.words
        name, info, last = words[start : start + fmt.TYPE_WORDS]
        stop = start + self._table.size(info)
        record = Record(
            self._string(name),
            fmt.kind_of(info),
            bool(info & fmt.KIND_FLAG),
            fmt.vlen_of(info),
            last,
            words[start + fmt.TYPE_WORDS : stop].tolist(),
            self._string,
        )
        return DECODERS[record.kind](record)

    def _string(self, offset: int) -> str:
        if self._base and offset < self._table.string_base:
            return self._base._string(offset)
        return self._table.string(offset) if offset else ""

    def find(self, kind: str, name: str) -> int | None:
        """The id of the first type of a kind ("struct", "func", ...) with a name.

        The kinds are `skep.btf.format.KIND_NAMES`.  Types of a split BTF come before
        those of its base.
        """
        return next(self._search(kind, name), None)

    def find_all(self, kind: str, name: str) -> list[int]:
        """The ids of all types of a kind with a name, ascending in each BTF."""
        return list(self._search(kind, name))

    def names(self, prefix: str) -> list[str]:
        """Names of types and members that begin with `prefix`, for suggestions."""
        inherited = self._base.names(prefix) if self._base else []
        return self._table.strings(prefix) + inherited

    def _search(self, kind: str, name: str) -> Iterator[int]:
        offset = self.string_offset(name)
        if offset is not None:
            kinds = [fmt.KINDS[each] for each in _ALSO.get(kind, (kind,))]
            top = b"".join(b"\\x%02x\\x%02x" % (n, n | 0x80) for n in kinds)
            # The name's offset, three bytes of vlen, and the kind with its flag.
            for word in self._table.occurrences(offset, b"...[" + top + b"]"):
                type_id, start = self._table.enclosing(word)
                if start == word:
                    yield type_id
        if self._base:
            yield from self._base._search(kind, name)

    def string_offset(self, text: str) -> int | None:
        """The offset of a name among the strings, None if it is not there."""
        if not text:
            return None  # anonymous types cannot be looked up
        found = self._base.string_offset(text) if self._base else None
        return self._table.string_offset(text) if found is None else found

    def enumerator(self, name: str) -> int | None:
        """The value of an enum constant, whatever enum it is in."""
        offset = self.string_offset(name)
        if offset is not None:
            for word in self._table.occurrences(offset):
                value = self._enum_value(word)
                if value is not None:
                    return value
        return self._base.enumerator(name) if self._base else None

    def _enum_value(self, word: int) -> int | None:
        """The value of the enumerator whose name is at `word`, None if it is none."""
        start = self._table.enclosing(word)[1]
        words = self._table.words
        info = words[start + 1]
        index = word - start - fmt.TYPE_WORDS
        is_signed = bool(info & fmt.KIND_FLAG)
        kind = fmt.kind_of(info)
        if kind == fmt.KINDS["enum"] and index >= 0 and index % 2 == 0:
            return signed(words[word + 1], 32, is_signed)
        if kind == fmt.KINDS["enum64"] and index >= 0 and index % 3 == 0:
            return signed(words[word + 2] << 32 | words[word + 1], 64, is_signed)
        return None

    def function(self, name: str) -> FuncProto | None:
        """The signature of a function."""
        type_id = self.find("func", name)
        func = None if type_id is None else self.type(type_id)
        proto = self.type(func.proto) if isinstance(func, Func) else None
        return proto if isinstance(proto, FuncProto) else None

    def resolve(self, type_id: int) -> int:
        """The id of a type without typedefs, const and the like, and type tags."""
        for _ in range(_DEEPEST):
            kind = self.type(type_id)
            if not isinstance(kind, (Typedef, Modifier, TypeTag)):
                return type_id
            type_id = kind.type
        raise _endless(type_id)

    def size_of(self, type_id: int) -> int:
        """The size of a type in bytes.

        Raises `TargetError` for types without size: void, functions, and structs that
        are only declared.
        """
        kind = self.type(self.resolve(type_id))
        count = 1
        for _ in range(_DEEPEST):
            if not isinstance(kind, Array):
                break
            count *= kind.count
            kind = self.type(self.resolve(kind.element))
        else:
            raise _endless(type_id)
        if isinstance(kind, Pointer):
            return count * _POINTER_SIZE
        if isinstance(kind, (Int, Struct, Enum, Float)):
            return count * kind.size
        raise TargetError(f'type "{self.spell(type_id)}" has no size')

    def spell(self, type_id: int) -> str:
        """A type in C spelling, for messages."""
        return spell(type_id, self.type)

    def parse_type(self, text: str) -> TypeUse | None:
        """The type that a C spelling means; None if the kernel has no such type."""
        name = parse_c_type(text)
        type_id = self.find_base(name)
        if type_id is None:
            return None
        return TypeUse(type_id, name.pointers, name.array, name.user)

    def find_base(self, name: TypeName) -> int | None:
        """The id of the type that the pointers and arrays of `name` are made of."""
        if name.kind == "void":
            return 0
        if name.kind not in ("int", "typedef"):
            return self.find(name.kind, name.name)
        if name.kind == "typedef" or " " not in name.name:
            found = self.find("typedef", name.name)
            if found is not None:
                return found
        names = (name.name, spell_as_gcc(name.name))
        return next(filter(None, (self.find("int", each) for each in names)), None)

    def member(self, struct_id: int, path: str) -> Place | None:
        """A member by its path ("a.b[2].c"), also inside anonymous structs and unions.

        None if there is no such member.  Pointers are not followed, and an index may
        exceed the array's length, which is 0 for flexible arrays.
        """
        place = Place(struct_id, 0, 0)
        for step in path.replace("[", ".[").split("."):
            if step.startswith("["):
                found = self._element(place.type, int(step[1:-1]))
            else:
                found = self._direct_member(place.type, step, set())
            if found is None:
                return None
            place = found._replace(bit_offset=place.bit_offset + found.bit_offset)
        return place

    def _element(self, array_id: int, index: int) -> Place | None:
        array = self.type(self.resolve(array_id))
        if not isinstance(array, Array):
            return None
        return Place(array.element, index * self.size_of(array.element) * 8, 0)

    def _direct_member(self, struct_id: int, name: str, seen: set[int]) -> Place | None:
        """The member of a struct; `seen` are those that were searched before."""
        struct_id = self.resolve(struct_id)
        struct = self.type(struct_id)
        if not isinstance(struct, Struct) or not name or struct_id in seen:
            return None
        seen.add(struct_id)
        if len(seen) > _MOST_INSIDE:
            raise _endless(struct_id)
        for member in struct.members:
            if member.name == name:
                return Place(member.type, member.bit_offset, member.bitfield_size)
        for member in struct.members:
            if member.name:
                continue
            inner = self._direct_member(member.type, name, seen)
            if inner:
                bit_offset = member.bit_offset + inner.bit_offset
                return inner._replace(bit_offset=bit_offset)
        return None


def _endless(type_id: int) -> TargetError:
    return TargetError(f"malformed BTF: type {type_id} is made of itself")
