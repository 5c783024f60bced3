"""Registration of intrinsics and of the methods of maps and streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Callable

from skep.compiler import tree
from skep.compiler.values import Value
from skep.errors import CompileError
from skep.named_tuple import NamedTuple

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


class Namespace:
    """The object whose attributes are the intrinsics: `bpf` in `bpf.ktime_ns()`."""


class Arguments:
    """The arguments of a call, by parameter name, and the call for messages."""

    __slots__ = ("values", "call")

    def __init__(self, values: Mapping[str, Value], call: tree.Call) -> None:
        self.values = values
        self.call = call

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values


Implementation = Callable[["Walker", Arguments], Value]
Method = Callable[["Walker", object, tree.Call], Value]


class Intrinsic(NamedTuple):
    """An intrinsic: parameters (an optional one ends in `?`) and what lowers it."""

    name: str
    parameters: Sequence[str]
    lower: Implementation

    @property
    def summary(self) -> str:
        """The documentation, as written at the implementation."""
        return self.lower.__doc__ or ""


INTRINSICS: dict[str, Intrinsic] = {}
METHODS: dict[tuple[type, str], Method] = {}


def intrinsic(
    name: str, *parameters: str
) -> Callable[[Implementation], Implementation]:
    """Register the function below as `bpf.NAME(parameters)`."""

    def register(lower: Implementation) -> Implementation:
        INTRINSICS[name] = Intrinsic(name, parameters, lower)
        return lower

    return register


def method(owner: type, name: str) -> Callable[[Method], Method]:
    """Register the function below as a method of map or stream objects.

    It gets the call itself, so that arguments which are not needed are not evaluated.
    """

    def register(lower: Method) -> Method:
        METHODS[owner, name] = lower
        return lower

    return register


def counted(number: int, what: str) -> str:
    """`no arguments`, `1 argument`, `2 arguments`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def match_arguments(
    name: str, parameters: Sequence[str], walker: Walker, call: tree.Call
) -> Arguments:
    """Evaluate the arguments of a call and give them their parameters' names."""
    names = [parameter.rstrip("?") for parameter in parameters]
    signature = f"{name}({', '.join(names)})"
    if len(call.arguments) > len(names):
        raise CompileError(
            f"{name}() takes {counted(len(names), 'argument')}, "
            f"not {len(call.arguments)}",
            call.span,
            hint=signature,
        )
    given = list(zip(names, call.arguments)) + list(call.keywords)
    values: dict[str, Value] = {}
    for parameter, argument in given:
        if parameter not in names or parameter in values:
            raise CompileError(
                f"{name}() is given {parameter} twice"
                if parameter in values
                else f"{name}() has no parameter '{parameter}'",
                call.span,
                hint=signature,
            )
        values[parameter] = walker.value(argument)
    for parameter in parameters:
        if not parameter.endswith("?") and parameter not in values:
            raise CompileError(
                f"{name}() needs {parameter}",
                call.span,
                hint=signature,
            )
    return Arguments(values, call)
