from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skep.btf import Btf
from skep.btf.types import (
    Array,
    Datasec,
    DeclTag,
    Enum,
    Float,
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
    Var,
)
from skep.btf.writer import BtfWriter

NAME = st.text("abcdefgh_é", max_size=8)
ID = st.integers(0, (1 << 32) - 1)
SIZE = st.integers(0, 1 << 20)
AGGREGATE = st.sampled_from(("struct", "union"))


def rows(*columns: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.tuples(*columns), max_size=5).map(tuple)


def enums(size: int, signed: bool) -> st.SearchStrategy:
    bits = size * 8
    low = -(1 << bits - 1) if signed else 0
    values = rows(NAME, st.integers(low, low + (1 << bits) - 1))
    return st.builds(Enum, NAME, st.just(size), st.just(signed), values)


MEMBER = st.one_of(
    st.builds(Member, NAME, ID, st.integers(0, (1 << 24) - 1), st.integers(0, 255)),
    st.builds(Member, NAME, ID, st.integers(0, (1 << 24) - 1), st.just(0)),
)
TYPE = st.one_of(
    st.builds(
        Int,
        NAME,
        st.sampled_from((1, 2, 4, 8, 16)),
        st.integers(0, 128),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Pointer, ID),
    st.builds(Array, ID, ID),
    st.builds(Struct, AGGREGATE, NAME, SIZE, st.lists(MEMBER).map(tuple)),
    st.one_of(enums(4, False), enums(4, True), enums(8, False), enums(8, True)),
    st.builds(Forward, AGGREGATE, NAME),
    st.builds(Typedef, NAME, ID),
    st.builds(Modifier, st.sampled_from(("const", "volatile", "restrict")), ID),
    st.builds(FuncProto, ID, rows(NAME, ID)),
    st.builds(Func, NAME, ID, st.integers(0, 2)),
    st.builds(Var, NAME, ID, st.integers(0, 2)),
    st.builds(Datasec, NAME, SIZE, rows(ID, ID, ID)),
    st.builds(Float, NAME, st.sampled_from((2, 4, 8, 16))),
    st.builds(DeclTag, NAME, ID, st.integers(-1, 1 << 16)),
    st.builds(TypeTag, NAME, ID),
)


@given(st.lists(TYPE, max_size=20), st.integers(0, 20))
def test_what_is_written_is_read(types: list, in_base: int) -> None:
    base = BtfWriter()
    for each in types[:in_base]:
        base.add(each)
    first = Btf.from_bytes(base.to_bytes())
    split = BtfWriter(first)
    assert split.next_id == len(types[:in_base]) + 1
    ids = [split.add(each) for each in types[in_base:]]
    second = Btf.from_bytes(split.to_bytes(), first)
    assert ids == list(range(first.end_id, second.end_id))
    assert [second.type(n) for n in range(1, second.end_id)] == types


def test_types_of_one_name_share_its_string() -> None:
    writer = BtfWriter()
    writer.add(Typedef("name", 0))
    size = len(writer.to_bytes())
    writer.add(Typedef("name", 0))
    assert len(writer.to_bytes()) == size + 12
    assert writer.string("name") == 1
    assert writer.string("") == 0


def test_split_btf_uses_the_strings_of_its_base() -> None:
    base = BtfWriter()
    base.add(Typedef("name", 0))
    split = BtfWriter(Btf.from_bytes(base.to_bytes()))
    assert split.string("name") == 1
    assert split.string("other") == 6
