from __future__ import annotations

import pytest

from skep.btf import TypeName, base_type, parse_c_type
from skep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int", TypeName("int", "int")),
        ("u32", TypeName("int", "u32")),
        ("  unsigned   int ", TypeName("int", "unsigned int")),
        ("unsigned", TypeName("int", "unsigned int")),
        ("signed", TypeName("int", "int")),
        ("long unsigned int", TypeName("int", "unsigned long")),
        ("unsigned long", TypeName("int", "unsigned long")),
        ("long long int", TypeName("int", "long long")),
        ("unsigned long long", TypeName("int", "unsigned long long")),
        ("short unsigned int", TypeName("int", "unsigned short")),
        ("signed char", TypeName("int", "signed char")),
        ("unsigned char", TypeName("int", "unsigned char")),
        ("char[16]", TypeName("int", "char", 0, (16,))),
        ("char [ 16 ][2]", TypeName("int", "char", 0, (16, 2))),
        ("const char *", TypeName("int", "char", 1)),
        ("char const * const", TypeName("int", "char", 1)),
        ("const char __user *", TypeName("int", "char", 1, user=True)),
        ("const char*const*", TypeName("int", "char", 2)),
        ("struct task_struct *", TypeName("struct", "task_struct", 1)),
        ("struct page *[4]", TypeName("struct", "page", 1, (4,))),
        ("union bpf_attr", TypeName("union", "bpf_attr")),
        ("enum req_op", TypeName("enum", "req_op")),
        ("blk_status_t", TypeName("typedef", "blk_status_t")),
        ("void *", TypeName("void", "void", 1)),
        ("bool", TypeName("int", "bool")),
    ],
)
def test_parse(text: str, expected: TypeName) -> None:
    assert parse_c_type(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "const",
        "struct",
        "struct int",
        "struct a b",
        "unsigned signed int",
        "unsigned u32",
        "long short",
        "long long long",
        "int int",
        "int 4",
        "4",
        "4 *",
        "char[",
        "char[]",
        "char[-1]",
        "char[4] *",
        "char * x",
        "void (*)(int)",
        "char (*)[16]",
        "struct task_struct;",
    ],
)
def test_refuse(text: str) -> None:
    with pytest.raises(UsageError, match="is not a C type"):
        parse_c_type(text)


@pytest.mark.parametrize(
    "text",
    [
        "int",
        "struct sock *",
        "char[16]",
        "char __user **",
        "struct page *[4]",
        "u8[2][3]",
    ],
)
def test_a_type_name_prints_as_it_was_parsed(text: str) -> None:
    assert str(parse_c_type(text)) == text


@pytest.mark.parametrize(
    ("name", "size", "signed"),
    [
        ("char", 1, False),
        ("s8", 1, True),
        ("umode_t", 2, False),
        ("int", 4, True),
        ("pid_t", 4, True),
        ("uid_t", 4, False),
        ("long", 8, True),
        ("size_t", 8, False),
        ("unsigned long long", 8, False),
        ("loff_t", 8, True),
    ],
)
def test_base_types(name: str, size: int, signed: bool) -> None:
    known = base_type(name)
    assert known is not None
    assert (known.size, known.bits, known.signed) == (size, size * 8, signed)


def test_base_types_tell_char_and_bool() -> None:
    char, boolean = base_type("char"), base_type("bool")
    assert char is not None and char.is_char
    assert boolean is not None and boolean.is_bool
    assert base_type("task_struct") is None
