"""Names of Rust functions in the "v0" form, which begins with _R.

Shown as Rust's own tools show them in short form: without the hashes of crates and the
types of constants.

Source: RFC 2603 and https://doc.rust-lang.org/rustc/symbol-mangling/v0.html.
"""

from __future__ import annotations

import re
from typing import Callable

_DEEPEST = 100
_MOST_STEPS = 10_000
"""References back repeat what they refer to, so a short name can be long work."""

_PREFIX = re.compile(r"_{0,2}R(?=[A-Z])")
_BASIC = {
    **{"a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32"},
    **{"h": "u8", "i": "isize", "j": "usize", "l": "i32", "m": "u32", "n": "i128"},
    **{"o": "u128", "p": "_", "s": "i16", "t": "u16", "u": "()", "v": "..."},
    **{"x": "i64", "y": "u64", "z": "!"},
}
_SPECIAL = {"C": "closure", "S": "shim"}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def demangle_v0(name: str) -> str | None:
    """The path that a name stands for; None if it is none of these names.

    Parameters of generic functions are shown: `<alloc::vec::Vec<u8>>::push`.
    """
    prefix = _PREFIX.match(name)
    if prefix is None:
        return None
    # What comes after a dot, compilers have added.
    mangled = name[prefix.end() :].partition(".")[0]
    try:
        return _Reader(mangled).path(in_value=True)
    except (_Malformed, ValueError, OverflowError):
        return None


class _Malformed(Exception):
    pass


class _Reader:
    """Reads a name from left to right; `text` is that after the prefix."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._steps = 0
        self._lifetimes = 0

    # Characters and numbers.

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise _Malformed
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True

    def _base62(self) -> int:
        """A number: "_" is 0, and what has digits is one more than they say."""
        if self._take("_"):
            return 0
        number = 0
        while True:
            character = self._next()
            if character == "_":
                return number + 1
            number = number * 62 + _DIGITS.index(character)

    def _optional(self, tag: str) -> int:
        return self._base62() + 1 if self._take(tag) else 0

    def _identifier(self) -> tuple[int, str]:
        """A name, and what tells it from others of that name."""
        disambiguator = self._optional("s")
        return disambiguator, self._undisambiguated()

    def _undisambiguated(self) -> str:
        is_punycode = self._take("u")
        length = re.compile(r"0|[1-9]\d{0,4}").match(self._text, self._at)
        if length is None:
            raise _Malformed
        self._at = length.end()
        self._take("_")
        end = self._at + int(length[0])
        if end > len(self._text):
            raise _Malformed
        part, self._at = self._text[self._at : end], end
        if not is_punycode:
            return part
        plain, _, encoded = part.rpartition("_")
        return f"{plain}-{encoded}".lstrip("-").encode().decode("punycode")

    # Nesting and references.

    def _within(self, read: Callable[[], str]) -> str:
        self._depth += 1
        self._steps += 1
        if self._depth > _DEEPEST or self._steps > _MOST_STEPS:
            raise _Malformed
        result = read()
        if len(result) > _MOST_STEPS:
            raise _Malformed
        self._depth -= 1
        return result

    def _referred(self, read: Callable[[], str]) -> str:
        """What an earlier place of the name stands for."""
        start = self._at - 1
        place = self._base62()
        if place >= start:
            raise _Malformed
        back, self._at = self._at, place
        result = read()
        self._at = back
        return result

    def _until_end(self, read: Callable[[], str]) -> list[str]:
        found = []
        while not self._take("E"):
            found.append(read())
        return found

    # Paths.

    def path(self, in_value: bool = False) -> str:
        """A path; in a value generic arguments have "::" in front."""
        return self._within(lambda: self._path(in_value))

    def _path(self, in_value: bool) -> str:
        tag = self._next()
        if tag == "C":
            return self._identifier()[1]
        if tag == "N":
            return self._nested(in_value)
        if tag == "M":  # <T>, of an inherent impl
            self._impl()
            return f"<{self.type()}>"
        if tag in "XY":  # <T as Trait>
            if tag == "X":
                self._impl()
            of = self.type()
            return f"<{of} as {self.path()}>"
        if tag == "I":
            base = self.path(in_value)
            arguments = ", ".join(self._until_end(self._generic))
            return f"{base}{'::' if in_value else ''}<{arguments}>"
        if tag == "B":
            return self._referred(lambda: self.path(in_value))
        raise _Malformed

    def _impl(self) -> None:
        """Where an impl is: of no interest."""
        self._optional("s")
        self.path()

    def _nested(self, in_value: bool) -> str:
        space = self._next()
        parent = self.path(in_value)
        number, name = self._identifier()
        if space.isupper():
            kind = _SPECIAL.get(space, space)
            inside = f"{kind}:{name}" if name else kind
            return f"{parent}::{{{inside}#{number}}}"
        return f"{parent}::{name}" if name else parent

    def _generic(self) -> str:
        if self._take("L"):
            return self._lifetime()
        return self._constant() if self._take("K") else self.type()

    def _lifetime(self) -> str:
        index = self._base62()
        if not index:
            return "'_"
        depth = self._lifetimes - index
        if depth < 0:
            raise _Malformed
        return f"'{chr(ord('a') + depth)}" if depth < 26 else f"'_{depth}"

    # Types.

    def type(self) -> str:
        """A type."""
        return self._within(self._type)

    def _type(self) -> str:
        tag = self._next()
        if tag in _BASIC:
            return _BASIC[tag]
        simple: dict[str, Callable[[], str]] = {
            "S": lambda: f"[{self.type()}]",
            "A": self._array,
            "T": self._tuple,
            "R": lambda: self._borrowed(""),
            "Q": lambda: self._borrowed("mut "),
            "P": lambda: f"*const {self.type()}",
            "O": lambda: f"*mut {self.type()}",
            "F": lambda: self._bound(self._function),
            "D": self._dynamic,
            "B": lambda: self._referred(self.type),
        }
        if tag in simple:
            return simple[tag]()
        self._at -= 1
        return self.path()

    def _array(self) -> str:
        of = self.type()
        return f"[{of}; {self._constant()}]"

    def _tuple(self) -> str:
        members = self._until_end(self.type)
        return f"({members[0]},)" if len(members) == 1 else f"({', '.join(members)})"

    def _borrowed(self, kind: str) -> str:
        lifetime = self._lifetime() if self._take("L") else "'_"
        shown = "" if lifetime == "'_" else f"{lifetime} "
        return f"&{shown}{kind}{self.type()}"

    def _bound(self, read: Callable[[], str]) -> str:
        """Something within a "for<'a>"."""
        outside = self._lifetimes
        count = self._optional("G")
        if count > 26:
            raise _Malformed
        self._lifetimes += count
        names = [f"'{chr(ord('a') + outside + each)}" for each in range(count)]
        result = read()
        self._lifetimes = outside
        return f"for<{', '.join(names)}> {result}" if names else result

    def _function(self) -> str:
        unsafe = "unsafe " if self._take("U") else ""
        abi = ""
        if self._take("K"):
            name = "C" if self._take("C") else self._undisambiguated()
            abi = f'extern "{name.replace("_", "-")}" '
        arguments = ", ".join(self._until_end(self.type))
        result = self.type()
        returns = "" if result == "()" else f" -> {result}"
        return f"{unsafe}{abi}fn({arguments}){returns}"

    def _dynamic(self) -> str:
        traits = self._bound(lambda: " + ".join(self._until_end(self._trait)))
        if not self._take("L"):
            raise _Malformed
        lifetime = self._lifetime()
        return f"dyn {traits}" + ("" if lifetime == "'_" else f" + {lifetime}")

    def _trait(self) -> str:
        path = self.path()
        bindings = []
        while self._take("p"):
            name = self._undisambiguated()
            bindings.append(f"{name} = {self.type()}")
        if not bindings:
            return path
        more = ", ".join(bindings)
        return f"{path[:-1]}, {more}>" if path.endswith(">") else f"{path}<{more}>"

    # Constants.

    def _constant(self) -> str:
        return self._within(self._constant_inside)

    def _constant_inside(self) -> str:
        tag = self._next()
        if tag == "p":
            return "_"
        if tag == "B":
            return self._referred(self._constant)
        if tag not in "abchijlmnostxy":
            raise _Malformed  # structures, which no stable program has
        sign = "-" if self._take("n") else ""
        digits = self._text[self._at : self._text.find("_", self._at)]
        if not re.fullmatch("[0-9a-f]*", digits) or len(digits) > 32:
            raise _Malformed
        self._at += len(digits) + 1
        value = int(digits or "0", 16)
        if tag == "b":
            return {0: "false", 1: "true"}[value] if value < 2 else str(value)
        return repr(chr(value)) if tag == "c" else f"{sign}{value}"
