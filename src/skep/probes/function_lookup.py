"""Finding a kernel function: in BTF, in the symbol table, by its prototype."""

from __future__ import annotations

from collections.abc import Sequence

from skep.btf import Btf
from skep.btf.types import FuncProto, Struct
from skep.errors import (
    NotLoaded,
    ProbeNotFound,
    SkepError,
    did_you_mean,
    near_matches,
)
from skep.named_tuple import NamedTuple
from skep.probes.intention import FunctionEntry, FunctionExit
from skep.probes.parameters import Declared, Prototype, parse_function, split_user
from skep.target import Target

# Pieces that the compiler moved out of a function: they run in the middle of it.
_PIECES = ("cold", "part")


class Argument(NamedTuple):
    """An argument: its names, its C type, and its first 8-byte word among all.

    The name in the prototype is valid beside that in BTF, if the types agree, and so is
    its number, "arg1" for the first.
    `type_id` is 0 where BTF does not describe the function.
    """

    names: Sequence[str]
    type: str
    user: bool
    word: int
    type_id: int = 0


class Function(NamedTuple):
    """A kernel function, with its BTF if that describes it.

    `words` is the number of 8-byte words of all its arguments.
    """

    name: str
    module: str
    arguments: Sequence[Argument]
    words: int
    returns: str
    btf: Btf | None = None
    btf_id: int | None = None

    @property
    def parameter_names(self) -> list[str]:
        """The names that a handler may use, those of BTF first, numbers last."""
        groups = [each.names[:-1] for each in self.arguments]
        names = [name for group in groups for name in group if name]
        names += [each.names[-1] for each in self.arguments]
        return list(dict.fromkeys(names))


def find(
    text: str, intention: FunctionEntry | FunctionExit, target: Target
) -> Function:
    """The function that `text` means: the first of "a|b|c" that the kernel has.

    Raises `ProbeNotFound` or `NotLoaded` with the reason.
    """
    names = text.split("|")
    prototype = parse_function(intention.prototype) if intention.prototype else None
    module = intention.module
    has_btf = not module or target.module_btf(module) is not None
    for name in names:
        found = _in_btf(name, module, prototype, target)
        if not found and not has_btf:
            found = _in_symbols(name, module, prototype, target)
        if found:
            return found
    # BTF leaves out functions of the same name, and those with unusual arguments.
    for name in names if has_btf else ():
        found = _in_symbols(name, module, prototype, target)
        if found:
            return found
    raise unknown(names[0], module, target)


def module_of(name: str, target: Target) -> str:
    """The loaded module that has a function; "" if it is the kernel's or nobody's."""
    if target.btf.find("func", name) is not None:
        return ""
    return dict(target.function_symbols(name)).get(name, "")


def _in_btf(
    name: str, module: str, prototype: Prototype | None, target: Target
) -> Function | None:
    for place in ("", module) if module else ("",):
        btf = target.module_btf(place) if place else target.btf
        type_id = btf.find("func", name) if btf else None
        proto = btf.function(name) if btf else None
        if btf is None or type_id is None or proto is None:
            continue
        arguments, words = _arguments(proto, prototype, btf)
        returns, _ = split_user(btf.spell(proto.ret))
        return Function(name, place, arguments, words, returns, btf, type_id)
    return None


def _arguments(
    proto: FuncProto, prototype: Prototype | None, btf: Btf
) -> tuple[list[Argument], int]:
    declared = prototype.parameters if prototype else ()
    arguments, word = [], 0
    for index, (name, type_id) in enumerate(proto.params):
        spelled, user = split_user(btf.spell(type_id))
        names = [name]
        if index < len(declared) and _plain(declared[index].type) == _plain(spelled):
            names.append(declared[index].name)
        names.append(f"arg{index + 1}")
        arguments.append(Argument(names, spelled, user, word, type_id))
        word += _words(type_id, btf)
    return arguments, word


def _plain(ctype: str) -> str:
    return "".join(word for word in ctype.split() if word != "const")


def _words(type_id: int, btf: Btf) -> int:
    """The registers that an argument takes: structures of 16 bytes have two."""
    kind = btf.type(btf.resolve(type_id))
    return -(-kind.size // 8) if isinstance(kind, Struct) else 1


def _in_symbols(
    name: str, module: str, prototype: Prototype | None, target: Target
) -> Function | None:
    """The function as its prototype has it, if there is a symbol of that name."""
    modules = dict(target.function_symbols(name))
    if name not in modules:
        return None
    parameters: Sequence[Declared] = prototype.parameters if prototype else ()
    returns = prototype.returns if prototype else "long"
    if not prototype:
        numbers = range(1, len(target.arch.function_args) + 1)
        parameters = [Declared(f"arg{number}", "unsigned long") for number in numbers]
    arguments = [
        Argument((each.name, f"arg{index + 1}"), each.type, each.user, index)
        for index, each in enumerate(parameters)
    ]
    place = modules[name] or module
    return Function(name, place, arguments, len(arguments), returns)


def variants(function: Function, target: Target) -> Function:
    """The function under the name that the compiler gave it, if it changed that."""
    symbols = [symbol for symbol, _ in target.function_symbols(function.name)]
    if function.name in symbols:
        return function
    whole = [s for s in symbols if not any(f".{piece}" in s for piece in _PIECES)]
    return function._replace(name=whole[0]) if whole else function


def unknown(name: str, module: str, target: Target) -> SkepError:
    """What to raise where there is no function of a name that can be traced."""
    symbols = [symbol for symbol, _ in target.function_symbols(name)]
    notes = [f"there is {', '.join(symbols)}, a part of it"] if symbols else []
    if module and not symbols and not target.has_module(module):
        return NotLoaded(
            f"the kernel module {module} is not loaded",
            notes=[f"there is no function {name!r}"],
            hint=f"modprobe {module}",
        )
    notes.append("a function that the compiler has inlined everywhere cannot be traced")
    btf = (target.module_btf(module) if module else None) or target.btf
    return ProbeNotFound(
        f"the kernel has no function {name!r}",
        notes=notes,
        hint=did_you_mean(name, _functions_like(name, btf)),
    )


def _functions_like(name: str, btf: Btf) -> list[str]:
    """Functions with similar names; BTF keeps the names of all things together."""
    near = near_matches(name, btf.names(name[: max(2, len(name) // 2)]), limit=20)
    return [each for each in near if btf.find("func", each) is not None]
