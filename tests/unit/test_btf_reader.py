from __future__ import annotations

import mmap
import struct

import pytest

from skep.btf import Btf, Place, TypeUse
from skep.btf.types import (
    Array,
    Enum,
    Forward,
    Func,
    FuncProto,
    Int,
    Member,
    Modifier,
    Pointer,
    Struct,
    Typedef,
    TypeTag,
    Void,
)
from skep.btf.writer import BtfWriter
from skep.errors import TargetError, UsageError

INT = Int("int", 4, 32, signed=True)
LONG = Int("long unsigned int", 8, 64)


def build(*types: object, base: Btf | None = None) -> Btf:
    writer = BtfWriter(base)
    for each in types:
        writer.add(each)
    return Btf.from_bytes(writer.to_bytes(), base)


@pytest.fixture
def btf() -> Btf:
    return build(
        INT,  # 1
        LONG,  # 2
        Struct("union", "", 8, (Member("low", 1, 0), Member("all", 2, 0))),  # 3
        Struct(
            "struct",
            "outer",
            40,
            (
                Member("first", 1, 0),
                Member("", 3, 64),
                Member("bits", 1, 128, 3),
                Member("list", 5, 192),
                Member("self", 6, 256),
            ),
        ),  # 4
        Array(1, 2),  # 5
        Pointer(4),  # 6
        Typedef("outer_t", 8),  # 7
        Modifier("const", 4),  # 8
        Enum("request", 4, False, (("REQ_READ", 0), ("REQ_WRITE", 1))),  # 9
        Enum("", 4, True, (("LEAST", -1),)),  # 10
        Enum("huge", 8, False, (("TOP", 1 << 63), ("BIT_32", 1 << 32))),  # 11
        Enum("low", 8, True, (("BOTTOM", -(1 << 63)),)),  # 12
        FuncProto(1, (("outer", 6), ("", 0))),  # 13
        Func("request", 13, 1),  # 14
        Forward("struct", "request"),  # 15
        Struct("struct", "request", 4, (Member("flags", 1, 0),)),  # 16
        Struct("struct", "request", 8, (Member("flags", 2, 0),)),  # 17
    )


def test_types_come_back_as_written(btf: Btf) -> None:
    assert btf.type(0) == Void()
    assert btf.type(1) == INT
    assert btf.type(5) == Array(1, 2)
    assert btf.type(13) == FuncProto(1, (("outer", 6), ("", 0)))
    assert btf.end_id == 18


def test_there_is_no_type_beyond_the_last(btf: Btf) -> None:
    for type_id in (18, 1000, -1):
        with pytest.raises(TargetError, match=f"no type {type_id}"):
            btf.type(type_id)


def test_find_tells_kinds_apart(btf: Btf) -> None:
    assert btf.find("enum", "request") == 9
    assert btf.find("func", "request") == 14
    assert btf.find("forward", "request") == 15
    assert btf.find("struct", "request") == 16
    assert btf.find("union", "request") is None
    assert btf.find_all("struct", "request") == [16, 17]


def test_find_takes_whole_names_only(btf: Btf) -> None:
    for name in ("", "out", "uter", "outer_", "first"):
        assert btf.find("struct", name) is None


def test_find_takes_64_bit_enums_for_enums(btf: Btf) -> None:
    assert btf.find("enum", "huge") == 11


def test_a_name_offset_elsewhere_is_no_name() -> None:
    """An id, a size, or a pair of half words may look like the name's offset."""
    writer = BtfWriter()
    name = writer.string("wanted")
    shifted = name << 16
    writer.add(Array(name, name))
    writer.add(Enum("", 4, False, (("a", name), ("b", shifted), ("c", 0))))
    writer.add(Struct("struct", "", name, ()))
    wanted = writer.add(Struct("struct", "wanted", 4, ()))
    assert Btf.from_bytes(writer.to_bytes()).find_all("struct", "wanted") == [wanted]


def test_enumerators(btf: Btf) -> None:
    expected = {
        "REQ_READ": 0,
        "REQ_WRITE": 1,
        "LEAST": -1,
        "TOP": 1 << 63,
        "BIT_32": 1 << 32,
        "BOTTOM": -(1 << 63),
        "request": None,
        "first": None,
        "missing": None,
    }
    assert {name: btf.enumerator(name) for name in expected} == expected


def test_function(btf: Btf) -> None:
    assert btf.function("request") == FuncProto(1, (("outer", 6), ("", 0)))
    assert btf.function("outer") is None


def test_resolve_and_size(btf: Btf) -> None:
    assert btf.resolve(7) == 4
    assert [btf.size_of(n) for n in (1, 3, 5, 6, 7, 9, 11)] == [4, 8, 8, 8, 40, 4, 8]


@pytest.mark.parametrize(
    ("type_id", "name"), [(0, "void"), (15, "struct request"), (14, "request")]
)
def test_types_without_a_size(btf: Btf, type_id: int, name: str) -> None:
    with pytest.raises(TargetError, match=f'"{name}" has no size'):
        btf.size_of(type_id)


def test_members(btf: Btf) -> None:
    expected = {
        "first": Place(1, 0, 0),
        "low": Place(1, 64, 0),
        "all": Place(2, 64, 0),
        "bits": Place(1, 128, 3),
        "list": Place(5, 192, 0),
        "list[1]": Place(1, 224, 0),
        "self": Place(6, 256, 0),
        "self.first": None,  # a pointer
        "first[0]": None,
        "missing": None,
        "": None,
    }
    for struct_id in (4, 7):  # by name and through a typedef
        assert {path: btf.member(struct_id, path) for path in expected} == expected


def test_parse_type(btf: Btf) -> None:
    assert btf.parse_type("const struct outer *") == TypeUse(4, 1)
    assert btf.parse_type("outer_t[3]") == TypeUse(7, 0, (3,))
    assert btf.parse_type("enum request") == TypeUse(9)
    assert btf.parse_type("void *") == TypeUse(0, 1)
    assert btf.parse_type("char *") is None
    assert btf.parse_type("struct missing") is None
    with pytest.raises(UsageError):
        btf.parse_type("struct")


def test_parse_type_knows_how_gcc_spells_integers(btf: Btf) -> None:
    assert btf.parse_type("unsigned long") == TypeUse(2)
    assert btf.parse_type("int") == TypeUse(1)
    assert build(Int("unsigned long", 8, 64)).parse_type("unsigned long") == TypeUse(1)


def test_spelling() -> None:
    spellings = [
        (Int("char", 1, 8), "char"),
        (Modifier("const", 1), "const char"),
        (Pointer(2), "const char *"),
        (Pointer(3), "const char **"),
        (Modifier("const", 3), "const char * const"),
        (Array(3, 4), "const char *[4]"),
        (Struct("union", "u", 0, ()), "union u"),
        (Struct("struct", "", 0, ()), "struct (anonymous)"),
        (Enum("e", 4, False, ()), "enum e"),
        (Typedef("t", 7), "t"),
        (TypeTag("user", 1), "char __user"),
        (Pointer(11), "char __user *"),
        (FuncProto(0, (("a", 3), ("", 0))), "void (const char *, ...)"),
        (Pointer(13), "void (*)(const char *, ...)"),
        (Pointer(6), "const char * (*)[4]"),
        (FuncProto(1, ()), "char (void)"),
    ]
    btf = build(*(described for described, _ in spellings))
    for type_id, (_, text) in enumerate(spellings, 1):
        assert btf.spell(type_id) == text


class TestSplit:
    def test_ids_and_strings_go_on(self, btf: Btf) -> None:
        module = build(
            Struct("struct", "inode", 48, (Member("outer", 4, 0),)),
            Pointer(18),
            base=btf,
        )
        assert module.find("struct", "inode") == 18
        assert module.type(19) == Pointer(18)
        assert module.member(18, "outer.bits") == Place(1, 128, 3)
        assert module.spell(19) == "struct inode *"
        assert btf.find("struct", "inode") is None

    def test_base_types_are_found_after_own_ones(self, btf: Btf) -> None:
        module = build(
            Struct("struct", "outer", 8, ()),
            Enum("", 4, False, (("REQ_WRITE", 7),)),
            base=btf,
        )
        assert module.find_all("struct", "outer") == [18, 4]
        assert module.find("enum", "request") == 9
        assert module.enumerator("REQ_WRITE") == 7
        assert module.enumerator("REQ_READ") == 0
        assert module.function("request") == btf.function("request")

    def test_the_first_own_string_is_found(self, btf: Btf) -> None:
        module = build(Typedef("first_string", 1), base=btf)
        assert module.find("typedef", "first_string") == 18


class TestMalformed:
    def test_wrong_magic(self) -> None:
        with pytest.raises(TargetError, match="magic"):
            Btf.from_bytes(bytes(64))

    def test_too_short(self) -> None:
        with pytest.raises(TargetError, match="shorter"):
            Btf.from_bytes(b"\x9f\xeb")

    def test_unknown_version(self) -> None:
        blob = bytearray(BtfWriter().to_bytes())
        blob[2] = 9
        with pytest.raises(TargetError, match="version 9"):
            Btf.from_bytes(blob)

    def test_section_cut_off(self, btf: Btf) -> None:
        writer = BtfWriter()
        writer.add(INT)
        with pytest.raises(TargetError, match="section"):
            Btf.from_bytes(writer.to_bytes()[:-1])

    @pytest.mark.parametrize("words", [(0, 1 << 24, 4), (0,)])
    def test_last_type_cut_off(self, words: tuple[int, ...]) -> None:
        with pytest.raises(TargetError, match="last type"):
            raw(words).type(1)

    def test_unknown_kind(self) -> None:
        with pytest.raises(TargetError, match="kind of type 60"):
            raw((0, 60 << 24, 0)).type(1)

    def test_bad_string(self) -> None:
        with pytest.raises(TargetError, match="offset 77"):
            raw((77, 8 << 24, 0)).type(1)


def raw(words: tuple[int, ...]) -> Btf:
    types = struct.pack(f"={len(words)}I", *words)
    sizes = 0, len(types), len(types), 1
    return Btf.from_bytes(
        struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, *sizes) + types + b"\0"
    )


def test_memory_map_is_used_in_place() -> None:
    writer = BtfWriter()
    writer.add(INT)
    blob = writer.to_bytes()
    with mmap.mmap(-1, len(blob)) as memory:
        memory[:] = blob
        found = Btf.from_bytes(memory)
        assert found.find("int", "int") == 1
        assert found.type(1) == INT
        del found


def test_names_by_prefix(btf: Btf) -> None:
    assert sorted(btf.names("REQ_")) == ["REQ_READ", "REQ_WRITE"]
    assert btf.names("missing") == []
    module = build(Typedef("t", 1), Typedef("REQ_FLUSH", 1), base=btf)
    assert sorted(module.names("REQ_")) == ["REQ_FLUSH", "REQ_READ", "REQ_WRITE"]
