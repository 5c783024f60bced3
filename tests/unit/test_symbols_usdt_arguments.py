"""Operands of USDT probes, as compilers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.arch import ARM64, X86_64
from skep.arch.description import RegisterPart
from skep.errors import NotSupported
from skep.symbols.usdt_arguments import (
    Argument,
    Constant,
    Memory,
    Register,
    parse,
    split,
    symbols,
)

AX, BP, SP, CX = (RegisterPart(name, 0, 8) for name in ("ax", "bp", "sp", "cx"))
X0, X1, STACK = (RegisterPart(n, 0, 8) for n in ("regs[0]", "regs[1]", "sp"))


@pytest.mark.parametrize(
    "text, size, signed, operand",
    [
        ("-4@$-7", 4, True, Constant(-7)),
        ("8@$0x1f", 8, False, Constant(31)),
        ("8@$table", 8, False, Constant(0, "table")),
        ("8@$table+8", 8, False, Constant(8, "table")),
        ("8@%rax", 8, False, Register(AX)),
        ("-4@%eax", 4, True, Register(RegisterPart("ax", 0, 4))),
        ("2@%ax", 2, False, Register(RegisterPart("ax", 0, 2))),
        ("1@%al", 1, False, Register(RegisterPart("ax", 0, 1))),
        ("-1@%ah", 1, True, Register(RegisterPart("ax", 1, 1))),
        ("1@%sil", 1, False, Register(RegisterPart("si", 0, 1))),
        ("4@%r10d", 4, False, Register(RegisterPart("r10", 0, 4))),
        ("2@%r8w", 2, False, Register(RegisterPart("r8", 0, 2))),
        ("1@%r15b", 1, False, Register(RegisterPart("r15", 0, 1))),
        ("8@(%rsp)", 8, False, Memory(SP)),
        ("-4@-1204(%rbp)", 4, True, Memory(BP, -1204)),
        ("8@16(%rax,%rcx,8)", 8, False, Memory(AX, 16, CX, 8)),
        ("8@(%rax,%rcx)", 8, False, Memory(AX, 0, CX, 1)),
        ("8@32(,%rcx,4)", 8, False, Memory(None, 32, CX, 4)),
        ("-4@name(%rip)", 4, True, Memory(None, 0, symbol="name")),
        ("-4@4+name(%rip)", 4, True, Memory(None, 4, symbol="name")),
        ("-4@name+4(%rip)", 4, True, Memory(None, 4, symbol="name")),
        ("4@name.1234-8(%rip)", 4, False, Memory(None, -8, symbol="name.1234")),
        ("4@name", 4, False, Memory(None, 0, symbol="name")),
        ("%rax", 8, False, Register(AX)),
    ],
)
def test_x86_64(text: str, size: int, signed: bool, operand: object) -> None:
    assert parse(text, X86_64) == Argument(size, signed, operand)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text, size, signed, operand",
    [
        ("8@x0", 8, False, Register(X0)),
        ("-4@w1", 4, True, Register(RegisterPart("regs[1]", 0, 4))),
        ("4@wzr", 4, False, Register(RegisterPart("", 0, 4))),
        ("8@sp", 8, False, Register(STACK)),
        ("-4@5", 4, True, Constant(5)),
        ("-4@-5", 4, True, Constant(-5)),
        ("8@[x0]", 8, False, Memory(X0)),
        ("-4@[sp, 12]", 4, True, Memory(STACK, 12)),
        ("-4@[sp, #-12]", 4, True, Memory(STACK, -12)),
        ("8@[x0, x1]", 8, False, Memory(X0, 0, X1, 1)),
        ("8@[x0, x1, lsl 3]", 8, False, Memory(X0, 0, X1, 8)),
        (
            "4@[x0, w1, sxtw 2]",
            4,
            False,
            Memory(X0, 0, RegisterPart("regs[1]", 0, 4), 4, True),
        ),
        (
            "4@[x0, w1, uxtw]",
            4,
            False,
            Memory(X0, 0, RegisterPart("regs[1]", 0, 4), 1, False),
        ),
    ],
)
def test_arm64(text: str, size: int, signed: bool, operand: object) -> None:
    assert parse(text, ARM64) == Argument(size, signed, operand)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["8f@%xmm0", "4f@-4(%rbp)", "-8f@$0"])
def test_floating_point_is_refused(text: str) -> None:
    with pytest.raises(NotSupported, match="is a floating-point number"):
        parse(text, X86_64)


@pytest.mark.parametrize(
    "text",
    [
        *("8@%xmm0", "8@%fs:0", "8@%fs:-4(%rax)", "8@(%nope)", "8@()", "8@", "3@%rax"),
        *("8@name(%rax)", "8@name(%rip,%rcx,8)", "8@-name(%rip)", "8@a+b(%rip)"),
        *("8@(%rax,%nope,8)", "8@(%rax,%rcx,3)", "", "8@*%rax", "8@$"),
    ],
)
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises(NotSupported, match="is not understood"):
        parse(text, X86_64)


def test_splitting() -> None:
    assert split("") == []
    assert split("-4@%eax 8@-8(%rbp)") == ["-4@%eax", "8@-8(%rbp)"]
    assert split("8@x0 -4@[sp, 12] 4f@d0") == ["8@x0", "-4@[sp, 12]", "4f@d0"]
    assert split("%rax %rbx") == ["%rax", "%rbx"]


def test_symbols() -> None:
    text = "4@a(%rip) 8@$b 8f@%xmm0 8@%rax 8@c+4(%rip) 8@what(%rax)"
    assert symbols(text, X86_64) == {"a", "b", "c"}


@given(st.text(alphabet="-0123456789f@%$()[],+ abxrspilz.#", max_size=24))
def test_any_text(text: str) -> None:
    for arch in (X86_64, ARM64):
        for each in split(text):
            try:
                parse(each, arch)
            except NotSupported:
                pass
