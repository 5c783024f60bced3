"""BTF types in C spelling, for messages."""

from __future__ import annotations

from typing import Callable

from skep.btf.types import (
    Array,
    BtfType,
    Enum,
    FuncProto,
    Modifier,
    Pointer,
    TypeTag,
    Void,
)
from skep.errors import TargetError

_MOST_TYPES = 200
"""What one spelling is made of, at most."""


def spell(type_id: int, look_up: Callable[[int], BtfType]) -> str:
    """A type as C spells it: "const char *", "struct task_struct *", "u32[4]".

    Pointers to functions, which C spells round a name, become "RET (*)(PARAMS)".
    """
    left = _MOST_TYPES

    def next_type(type_id: int) -> BtfType:
        nonlocal left
        left -= 1
        if left < 0:
            raise TargetError(f"malformed BTF: type {type_id} is made of itself")
        return look_up(type_id)

    return _spell(type_id, next_type)


def _spell(type_id: int, look_up: Callable[[int], BtfType]) -> str:
    kind = look_up(type_id)
    if isinstance(kind, Pointer):
        return _spell_pointer(kind, look_up)
    if isinstance(kind, Array):
        return f"{_spell(kind.element, look_up)}[{kind.count}]"
    if isinstance(kind, Modifier):
        return _spell_modifier(kind, look_up)
    if isinstance(kind, TypeTag):
        return f"{_spell(kind.type, look_up)} __{kind.name}"
    if isinstance(kind, FuncProto):
        return f"{_spell(kind.ret, look_up)} ({_spell_params(kind, look_up)})"
    return spell_named(kind)


def spell_named(kind: BtfType) -> str:
    """A type that has its own name, with its tag: "struct sock", "u32"."""
    if isinstance(kind, Void):
        return "void"
    name: str = getattr(kind, "name", "") or "(anonymous)"
    if isinstance(kind, Enum):
        return f"enum {name}"
    tag = getattr(kind, "kind", "")  # of a Struct or a Forward
    return f"{tag} {name}" if tag else name


def _spell_pointer(pointer: Pointer, look_up: Callable[[int], BtfType]) -> str:
    target = look_up(pointer.target)
    if isinstance(target, FuncProto):
        return f"{_spell(target.ret, look_up)} (*)({_spell_params(target, look_up)})"
    if isinstance(target, Array):
        return f"{_spell(target.element, look_up)} (*)[{target.count}]"
    text = _spell(pointer.target, look_up)
    return f"{text}*" if text.endswith("*") else f"{text} *"


def _spell_modifier(modifier: Modifier, look_up: Callable[[int], BtfType]) -> str:
    text = _spell(modifier.type, look_up)
    # The qualifier of a pointer follows it, that of anything else comes first.
    if isinstance(look_up(modifier.type), Pointer):
        return f"{text} {modifier.kind}"
    return f"{modifier.kind} {text}"


def _spell_params(proto: FuncProto, look_up: Callable[[int], BtfType]) -> str:
    texts = [
        "..." if (name, type_id) == ("", 0) else _spell(type_id, look_up)
        for name, type_id in proto.params
    ]
    return ", ".join(texts) or "void"
