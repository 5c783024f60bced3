"""The words that mean something in the C of one-liners, whatever the probe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Callable

from skep.authoring.bpf import bpf
from skep.compiler import tree
from skep.errors import Span, UsageError, did_you_mean
from skep.frontends.cexpr import c_names
from skep.target import Target

Word = Callable[[Span], tree.Expression]

TASK_WORDS = {
    "$pid": "tid",
    "$tgid": "pid",
    "$uid": "uid",
    "$gid": "gid",
    "$cpu": "cpu",
    "$task": "task",
}
"""Words about the current task and the intrinsics behind them.  The kernel's pid is a
thread's id."""


def intrinsic(name: str, span: Span, *arguments: tree.Expression) -> tree.Expression:
    """A call of an intrinsic."""
    function = tree.Attribute(tree.Name("bpf", span), name, span)
    return tree.Call(function, arguments, (), span)


def task_words() -> dict[str, Word]:
    """`$pid` and its like."""

    def word(name: str) -> Word:
        return lambda span: intrinsic(name, span)

    return {word_: word(name) for word_, name in TASK_WORDS.items()}


class Scope(Mapping[str, object]):
    """What names in a handler mean: its own objects, then C's constants."""

    def __init__(self, target: Target, **own: object) -> None:
        self._own = {"bpf": bpf, **own}
        self._constants = c_names(target)

    def __getitem__(self, name: str) -> object:
        return self._own[name] if name in self._own else self._constants[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._constants)

    def __len__(self) -> int:
        return len(self._constants)


def used_parameters(
    expressions: Sequence[tree.Expression],
    known: Sequence[str],
    scope: Scope,
    words: Sequence[str] = (),
) -> list[str]:
    """The parameters among `known` that expressions name, each once.

    `words` are other names that the user could have meant.  Raises UsageError for a
    name that is neither a parameter nor anything in `scope`.
    """
    used: dict[str, None] = {}
    offered = [*(word for word in words if word[0] != "$"), *known]
    for expression in expressions:
        for name in _names(expression):
            if name.id in known:
                used[name.id] = None
            elif name.id not in scope:
                raise UsageError(
                    f"there is no '{name.id}' here",
                    name.span,
                    notes=[f"there are {', '.join(offered)}"] if offered else (),
                    hint=did_you_mean(name.id, [*offered, *scope]),
                )
    return list(used)


def _names(node: object) -> Iterator[tree.Name]:
    if isinstance(node, tree.Name):
        yield node
    elif isinstance(node, tree.Node):
        for field in node._fields:
            yield from _names(getattr(node, field))
    elif isinstance(node, (list, tuple)) and not isinstance(node, Span):
        for each in node:
            yield from _names(each)
