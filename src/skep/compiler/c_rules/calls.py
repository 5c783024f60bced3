"""The functions that C expressions may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from skep.compiler import ir, strings, tree
from skep.compiler.c_rules.scalars import decayed, described, number
from skep.compiler.conditions import NOTHING, materialize
from skep.compiler.intrinsics.registry import INTRINSICS, Arguments, counted
from skep.compiler.ir import Block
from skep.compiler.scope import Facts
from skep.compiler.types import S32, U8, U64, Pointer
from skep.compiler.values import Const, Register, Static, Value
from skep.errors import CompileError, did_you_mean

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

_PREFIX = "STRCMP"

_INTRINSICS = {
    "bpf_get_smp_processor_id": "cpu",
    "bpf_ktime_get_ns": "ktime_ns",
    "bpf_get_current_task": "task",
    "bpf_get_current_cgroup_id": "cgroup_id",
    "ntohs": "ntohs",
    "ntohl": "ntohl",
    "htons": "ntohs",
    "htonl": "ntohl",
    "bpf_ntohs": "ntohs",
    "bpf_ntohl": "ntohl",
}
"""Functions that are intrinsics of skep, under the names that they have in C."""

_HELPERS = {
    "bpf_get_current_pid_tgid": "get_current_pid_tgid",
    "bpf_get_current_uid_gid": "get_current_uid_gid",
    "bpf_get_prandom_u32": "get_prandom_u32",
}
"""Helpers without arguments that give a u64."""

FUNCTIONS = (_PREFIX, *_INTRINSICS, *_HELPERS)


def call(walker: Walker, node: tree.CCall) -> Value:
    """A call by name."""
    if node.name == _PREFIX:
        outcome = materialize(walker, node)
        if isinstance(outcome, Const):
            return Const(outcome.value, S32)
        assert isinstance(outcome, Register)
        return Register(outcome.register, S32)
    if node.name in _INTRINSICS:
        return _intrinsic(walker, node)
    if node.name in _HELPERS:
        _take(node, 0)
        return Register(walker.builder.call(_HELPERS[node.name], droppable=True), U64)
    raise CompileError(
        f"there is no function {node.name}() to call",
        node.span,
        hint=did_you_mean(node.name, FUNCTIONS)
        or f"a program can call {', '.join(FUNCTIONS)}",
    )


def _take(node: tree.CCall, wanted: int) -> None:
    if len(node.arguments) != wanted:
        raise CompileError(
            f"{node.name}() takes {counted(wanted, 'argument')}, "
            f"not {len(node.arguments)}",
            node.span,
        )


def _intrinsic(walker: Walker, node: tree.CCall) -> Value:
    found = INTRINSICS[_INTRINSICS[node.name]]
    _take(node, len(found.parameters))
    values = {
        parameter: number(walker.value(argument), argument.span)
        for parameter, argument in zip(found.parameters, node.arguments)
    }
    function = tree.Name(node.name, node.span)
    as_call = tree.Call(function, node.arguments, (), node.span)
    return found.lower(walker, Arguments(values, as_call))


def branch(walker: Walker, node: tree.CCall, then: Block, orelse: Block) -> Facts:
    """A call as a condition."""
    if node.name != _PREFIX:
        value = number(call(walker, node), node.span)
        if isinstance(value, Const):
            walker.builder.jump(then if value.value else orelse)
        else:
            wide = value.type.size == 8
            walker.builder.finish(
                ir.Branch("!=", value.register, ir.Imm(0), wide, then, orelse)
            )
        return NOTHING
    _take(node, 2)
    text = walker.value(node.arguments[0])
    if not isinstance(text, Static) or not isinstance(text.value, bytes):
        raise CompileError(
            "the first argument of STRCMP() is a text in quotes",
            node.arguments[0].span,
            hint='for instance STRCMP("bash", name)',
        )
    pointer = decayed(walker, walker.value(node.arguments[1]))
    if isinstance(pointer, Register) and not isinstance(pointer.type, Pointer):
        pointer = Register(pointer.register, Pointer(U8, walker.memory))
    if not isinstance(pointer, Register):
        raise CompileError(
            f"{described(pointer)} does not point to text", node.arguments[1].span
        )
    assert isinstance(pointer.type, Pointer)
    space = pointer.type.space or "kernel"
    pointer = Register(pointer.register, Pointer(U8, space))
    strings.branch_if_prefix(walker, pointer, text.value, node.span, then, orelse)
    return NOTHING


EXPRESSIONS: dict[type[object], Callable[..., Value]] = {tree.CCall: call}

TESTS: dict[type[object], Callable[..., Facts]] = {tree.CCall: branch}
