"""Where the values of a USDT probe's arguments are: operands of assembly language.

An argument is "SIZE@OPERAND", a negative size meaning a signed number: "-4@%eax",
"8@-16(%rbp)", "-4@$7", "4@[sp, 12]".

Source: sys/sdt.h, whose macros let the compiler write the operands (_SDT_ARGFMT).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Union

from skep.arch import Arch
from skep.arch.description import RegisterPart
from skep.errors import NotSupported
from skep.named_tuple import NamedTuple


class Constant(NamedTuple):
    """A number; or, with `symbol`, the address of that symbol plus the number."""

    value: int
    symbol: str = ""


class Register(NamedTuple):
    """What a register, or a part of it, holds."""

    part: RegisterPart


class Memory(NamedTuple):
    """What is in memory at base + scaled * scale + offset.

    With a `symbol` its address is added, too; `base` is None then.  The `scaled`
    register is signed or not.
    """

    base: RegisterPart | None
    offset: int = 0
    scaled: RegisterPart | None = None
    scale: int = 1
    scaled_signed: bool = False
    symbol: str = ""


Operand = Union[Constant, Register, Memory]


class Argument(NamedTuple):
    """One argument: its bytes, and where they are."""

    size: int
    signed: bool
    operand: Operand

    @property
    def type(self) -> str:
        """Its C type: "u8" to "s64"."""
        return f"{'s' if self.signed else 'u'}{8 * self.size}"


def split(arguments: str) -> list[str]:
    """The arguments, each as text; operands of arm64 have blanks in them."""
    if "@" not in arguments:
        return arguments.split()
    return re.split(r"\s+(?=-?\d+f?@)", arguments.strip())


def parse(argument: str, arch: Arch) -> Argument:
    """Parse one argument.

    Raises `NotSupported` for a floating-point number, which no BPF program can compute
    with, and for what skep does not understand.
    """
    match = re.fullmatch(r"(?:(-?)([1248])(f?)@)?(.+)", argument)
    if match is None:
        raise _refused(argument)
    sign, size, floating, text = match.groups()
    if floating:
        raise NotSupported(f'"{argument}" is a floating-point number')
    operand = _PARSERS[arch.name](text.strip(), arch.registers)
    if operand is None:
        raise _refused(argument)
    return Argument(int(size or 8), bool(sign), operand)


def _refused(argument: str) -> NotSupported:
    hint = ""
    if re.search(r"%[xyz]mm\d|\b[vdsq]\d", argument):
        hint = "floating-point and vector registers are out of reach of BPF programs"
    return NotSupported(f'"{argument}" is not understood', hint=hint)


def symbols(arguments: str, arch: Arch) -> set[str]:
    """The symbols that the arguments refer to."""
    found = set()
    for text in split(arguments):
        try:
            operand = parse(text, arch).operand
        except NotSupported:
            continue
        if not isinstance(operand, Register) and operand.symbol:
            found.add(operand.symbol)
    return found


_TERM = re.compile(
    r"([+-]?)\s*(?:(0x[0-9a-fA-F]+|0|[1-9]\d*)|([A-Za-z_.$][\w.$@]*))\s*"
)


def _sum(text: str) -> tuple[int, str] | None:
    """The numbers of "-4+name+8" together, and the name; None for anything else."""
    position, total, symbol = 0, 0, ""
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None or (position and not term[1]):
            return None
        sign, number, name = term.groups()
        if number:
            total += -int(number, 0) if sign == "-" else int(number, 0)
        elif symbol or sign == "-":
            return None
        else:
            symbol = name.partition("@")[0]
        position = term.end()
    return total, symbol


_X86_MEMORY = re.compile(
    r"([^()%]*)\(\s*(?:%(\w+))?\s*(?:,\s*%(\w+)\s*(?:,\s*([1248]))?)?\s*\)"
)


def _parse_x86_64(text: str, registers: Mapping[str, RegisterPart]) -> Operand | None:
    """The operands of AT&T syntax."""
    if text.startswith("$"):
        value = _sum(text[1:]) if text[1:] else None
        return value and Constant(*value)
    if text.startswith("%"):
        part = registers.get(text[1:])
        return part and Register(part)
    match = _X86_MEMORY.fullmatch(text)
    place = _sum(match[1] if match else text)
    if place is None:
        return None
    offset, symbol = place
    if match is None:
        return Memory(None, offset, symbol=symbol) if symbol else None
    base_name, index_name = match[2], match[3]
    if (base_name and base_name not in registers) or (
        index_name and index_name not in registers
    ):
        return None
    if symbol:
        # The symbol is an address by itself: "name(%rip)".
        plain = base_name == "rip" and not index_name
        return Memory(None, offset, symbol=symbol) if plain else None
    if not base_name and not index_name:
        return None
    return Memory(
        registers[base_name] if base_name else None,
        offset,
        registers[index_name] if index_name else None,
        int(match[4] or 1),
    )


_ARM64_MEMORY = re.compile(
    r"\[\s*(\w+)\s*(?:,\s*(?:#?(-?(?:0x[0-9a-fA-F]+|0|[1-9]\d*))"
    r"|([xw](?:\d+|zr))\s*(?:,\s*(lsl|[su]xt[wx])\s*(?:#?(\d))?)?)\s*)?\]"
)


def _parse_arm64(text: str, registers: Mapping[str, RegisterPart]) -> Operand | None:
    if text in registers:
        return Register(registers[text])
    number = re.fullmatch(r"#?(-?(?:0x[0-9a-fA-F]+|0|[1-9]\d*))", text)
    if number:
        return Constant(int(number[1], 0))
    match = _ARM64_MEMORY.fullmatch(text)
    if match is None or match[1] not in registers:
        return None
    base = registers[match[1]]
    if not match[3]:
        return Memory(base, int(match[2] or "0", 0))
    if match[3] not in registers:
        return None
    signed = (match[4] or "").startswith("s")
    scale = 1 << int(match[5] or 0)
    return Memory(base, 0, registers[match[3]], scale, signed)


_PARSERS = {"x86_64": _parse_x86_64, "arm64": _parse_arm64}
