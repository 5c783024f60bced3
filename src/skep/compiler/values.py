"""What an expression of kernel-side code evaluates to."""

from __future__ import annotations

from types import FunctionType
from typing import Union

from skep.compiler.ir import Slot
from skep.compiler.types import Array, Int, Layout, Pointer, Struct, Type
from skep.named_tuple import NamedTuple


class Const(NamedTuple):
    """An integer known when compiling; without a type it adapts to its context."""

    value: int
    type: Int | None = None


class Register(NamedTuple):
    """An integer or pointer in a virtual register.

    Integers are kept canonical: those of 8 bytes as they are; shorter ones extended to
    32 bits according to their signedness, with the upper half of the register zero.
    """

    register: int
    type: Int | Pointer


class Place(NamedTuple):
    """A structure or array in memory; `space` is as in `Pointer`.

    A `base` that is a slot lies on the program's own stack.
    """

    base: int | Slot
    offset: int
    type: Struct | Layout | Array
    space: str


class Static(NamedTuple):
    """A Python object known when compiling: a map, text, None, a function, options."""

    value: object


Value = Union[Const, Register, Place, Static]


def type_name(value: Value) -> str:
    """How a message names the type of a value."""
    if isinstance(value, Static):
        if value.value is None:
            return "None"
        if isinstance(value.value, (str, bytes)):
            return f"the text {value.value!r}"
        named = getattr(value.value, "__name__", "")
        kind = "function" if isinstance(value.value, FunctionType) else "Python object"
        return f"the {kind} {named or type(value.value).__name__}"
    if isinstance(value, Const) and value.type is None:
        return f"the number {value.value}"
    return str(value.type)


def type_of(value: Value) -> Type | None:
    """The kernel-side type, None for literals and Python objects."""
    return None if isinstance(value, Static) else value.type
