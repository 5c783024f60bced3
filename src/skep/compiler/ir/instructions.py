"""Operands and instructions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Union

from skep.errors import Span
from skep.named_tuple import NamedTuple


class Imm(NamedTuple):
    """A constant operand, as a signed number that fits the instruction."""

    value: int


class Slot:
    """An area of the stack; `offset` from the frame pointer is set by allocation."""

    __slots__ = ("size", "align", "what", "offset")

    def __init__(self, size: int, align: int, what: str) -> None:
        self.size = size
        self.align = align
        self.what = what
        self.offset = 0

    def __repr__(self) -> str:
        return f"<{self.what}:{self.size}>"


class Address(NamedTuple):
    """The address of a byte in a stack slot."""

    slot: Slot
    offset: int = 0


class MapRef(NamedTuple):
    """A map, by name."""

    name: str


Operand = Union[int, Imm]
Base = Union[int, Slot]
Argument = Union[int, Imm, Address, MapRef]
Rename = Callable[[int], int]


class Instruction:
    """Base of all instructions."""

    __slots__ = ("span",)
    span: Span | None
    pure: bool = False
    """Whether the instruction may be dropped when nobody reads its result."""

    def uses(self) -> Iterator[int]:
        """The virtual registers that the instruction reads."""
        return iter(())

    def defines(self) -> int | None:
        """The virtual register that it writes."""
        return None

    def rename(self, use: Rename, define: Rename) -> None:
        """Replace the registers it reads and writes."""

    def __repr__(self) -> str:
        names = [name for cls in type(self).__mro__ for name in _slots(cls)]
        shown = (f"{name}={getattr(self, name)!r}" for name in names if name != "span")
        return f"{type(self).__name__}({', '.join(shown)})"


def _slots(cls: type) -> tuple[str, ...]:
    return getattr(cls, "__slots__", ())


def rename_operand(operand: Operand, use: Rename) -> Operand:
    """The operand with its register, if it is one, replaced."""
    return operand if isinstance(operand, Imm) else use(operand)


class Move(Instruction):
    """`dst = src`; with `wide` false the upper half of `dst` becomes zero."""

    __slots__ = ("dst", "src", "wide")
    pure = True

    def __init__(self, dst: int, src: Operand, wide: bool = True) -> None:
        self.dst = dst
        self.src = src
        self.wide = wide

    def uses(self) -> Iterator[int]:
        if not isinstance(self.src, Imm):
            yield self.src

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.src = rename_operand(self.src, use)
        self.dst = define(self.dst)


class Alu(Instruction):
    """`dst = dst operator src` on 64 bits, or on 32 with the upper half becoming zero.

    `operator` is `+ - * // % & | ^ << >>`, with `s` in front for the signed forms of
    `//`, `%` and `>>`.
    """

    __slots__ = ("operator", "dst", "src", "wide")
    pure = True

    def __init__(self, operator: str, dst: int, src: Operand, wide: bool) -> None:
        self.operator = operator
        self.dst = dst
        self.src = src
        self.wide = wide

    def uses(self) -> Iterator[int]:
        yield self.dst
        if not isinstance(self.src, Imm):
            yield self.src

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.src = rename_operand(self.src, use)
        self.dst = define(self.dst)


class Unary(Instruction):
    """`dst = operator dst`: `-`, or `be16 be32 be64` (to or from big endian)."""

    __slots__ = ("operator", "dst", "wide")
    pure = True

    def __init__(self, operator: str, dst: int, wide: bool) -> None:
        self.operator = operator
        self.dst = dst
        self.wide = wide

    def uses(self) -> Iterator[int]:
        yield self.dst

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.dst = define(self.dst)


class Load(Instruction):
    """`dst = *(size *)(base + offset)`, zero-extended to 64 bits."""

    __slots__ = ("dst", "base", "offset", "size")
    pure = True

    def __init__(self, dst: int, base: Base, offset: int, size: int) -> None:
        self.dst = dst
        self.base = base
        self.offset = offset
        self.size = size

    def uses(self) -> Iterator[int]:
        if not isinstance(self.base, Slot):
            yield self.base

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        if not isinstance(self.base, Slot):
            self.base = use(self.base)
        self.dst = define(self.dst)


class Store(Instruction):
    """`*(size *)(base + offset) = src`."""

    __slots__ = ("base", "offset", "src", "size")

    def __init__(self, base: Base, offset: int, src: Operand, size: int) -> None:
        self.base = base
        self.offset = offset
        self.src = src
        self.size = size

    def uses(self) -> Iterator[int]:
        if not isinstance(self.base, Slot):
            yield self.base
        if not isinstance(self.src, Imm):
            yield self.src

    def rename(self, use: Rename, define: Rename) -> None:
        if not isinstance(self.base, Slot):
            self.base = use(self.base)
        self.src = rename_operand(self.src, use)


class AtomicAdd(Instruction):
    """`*(size *)(base + offset) += src`, atomically."""

    __slots__ = ("base", "offset", "src", "size")

    def __init__(self, base: int, offset: int, src: int, size: int) -> None:
        self.base = base
        self.offset = offset
        self.src = src
        self.size = size

    def uses(self) -> Iterator[int]:
        yield self.base
        yield self.src

    def rename(self, use: Rename, define: Rename) -> None:
        self.base = use(self.base)
        self.src = use(self.src)


class Source(Instruction):
    """Base of those that give `dst` a value out of no register."""

    __slots__ = ("dst",)
    pure = True

    def __init__(self, dst: int) -> None:
        self.dst = dst

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.dst = define(self.dst)


class Context(Source):
    """`dst` = the program's context; only as the first instruction of the entry."""

    __slots__ = ()


class Lea(Source):
    """`dst` = an address in the stack, or a map's address."""

    __slots__ = ("src",)

    def __init__(self, dst: int, src: Address | MapRef) -> None:
        super().__init__(dst)
        self.src = src


class LeaValue(Source):
    """`dst` = the address of the only element of an array map."""

    __slots__ = ("map",)

    def __init__(self, dst: int, map: str) -> None:
        super().__init__(dst)
        self.map = map


class UnknownZero(Source):
    """`dst` = 0, of which the verifier knows nothing but that it is a number."""

    __slots__ = ()


class PlaceNumber(Source):
    """`dst` = the number of the place where the program runs, see spec.PLACE."""

    __slots__ = ()


class Nop(Instruction):
    """Nothing, which the verifier walks; then the kernel takes it out."""

    __slots__ = ()


class CallHelper(Instruction):
    """`dst = helper(arguments)`; the helper is known by its kernel name without bpf_.

    It is `pure` if a call whose result nobody reads may go.  With a `btf_id` it is one
    of the kernel's functions that programs may call, and that is its id in vmlinux.
    """

    __slots__ = ("dst", "helper", "arguments", "pure", "btf_id")

    def __init__(
        self,
        dst: int | None,
        helper: str,
        arguments: list[Argument],
        pure: bool = False,
        btf_id: int = 0,
    ) -> None:
        self.dst = dst
        self.helper = helper
        self.arguments = arguments
        self.pure = pure
        self.btf_id = btf_id

    def uses(self) -> Iterator[int]:
        for argument in self.arguments:
            if isinstance(argument, int):
                yield argument

    def defines(self) -> int | None:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.arguments = [
            use(argument) if isinstance(argument, int) else argument
            for argument in self.arguments
        ]
        if self.dst is not None:
            self.dst = define(self.dst)
