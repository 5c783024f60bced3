"""Names of C++ and Rust functions as their programmers know them.

C++ names are taken apart by the C++ library, where one is installed.  Names come from
files that may belong to anybody, so whatever a name is, this ends, and soon.

Sources: the Itanium C++ ABI, 5.1; for Rust's older names
compiler/rustc_symbol_mangling/src/legacy.rs; for the newer ones see `rust_v0`.
"""

from __future__ import annotations

import re
from typing import Any, Callable

_LONGEST = 2048
_MOST_REFERENCES = 24
"""References back into the name, each of which repeats a part of it: three of them can
treble the result, which 24 of them do 6,561 times.  In 44,000 names of LLVM, 20 have
more."""

_CPP = re.compile(rb"_{1,4}Z[A-Za-z0-9_.$]+")
_REFERENCE = re.compile(rb"[ST][0-9A-Z]*_")
_LIBRARIES = ("libstdc++.so.6", "libc++abi.so.1", "libc++.so.1")

_RUST_END = re.compile(r"17h[0-9a-f]{16}E(?:\.[\w.$]+)?\Z")
_RUST_ESCAPE = re.compile(r"\$(\w{1,2}|u[0-9a-f]{1,6})\$|\.\.")
_RUST_CHARACTERS = {
    "SP": "@",
    "BP": "*",
    "RF": "&",
    "LT": "<",
    "GT": ">",
    "LP": "(",
    "RP": ")",
    "C": ",",
}


def demangle(name: bytes) -> str:
    """The readable form of a name, or the name itself if it has none.

    Bytes that are not UTF-8 become lone surrogates.
    """
    plain = name.decode("utf-8", "surrogateescape")
    if len(name) > _LONGEST or not name.startswith((b"_", b"R")):
        return plain
    if name.startswith((b"_R", b"__R", b"R")):
        from skep.symbols.rust_v0 import demangle_v0

        return demangle_v0(plain) or plain
    if name.startswith((b"_Z", b"__Z", b"___Z", b"____Z")):
        return _rust_legacy(plain) or _cpp(name) or plain
    return plain


def _rust_legacy(name: str) -> str | None:
    """The path in an older name of Rust, without the hash at its end."""
    end_of_path = _RUST_END.search(name)
    start_of_path = name.find("ZN") + 2
    if end_of_path is None:
        return None
    parts, rest = [], name[start_of_path : end_of_path.start()]
    while rest:
        length = re.match(r"\d+", rest)
        if length is None:
            return None
        start = length.end()
        end = start + int(length[0][:4])
        if end > len(rest):
            return None
        parts.append(_RUST_ESCAPE.sub(_unescaped, _unpadded(rest[start:end])))
        rest = rest[end:]
    return "::".join(parts)


def _unpadded(part: str) -> str:
    """A part of a path that begins with an escape has an underscore in front."""
    return part[1:] if part.startswith("_$") else part


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code is None:
        return "::"
    if code in _RUST_CHARACTERS:
        return _RUST_CHARACTERS[code]
    if code[0] == "u" and len(code) > 1:
        number = int(code[1:], 16)
        if number < 0x110000 and not 0xD800 <= number < 0xE000:
            return chr(number)
    return match[0]


def _cpp(name: bytes) -> str | None:
    """What the C++ library makes of a name; None if that is nothing."""
    if not _CPP.fullmatch(name) or len(_REFERENCE.findall(name)) > _MOST_REFERENCES:
        return None
    function = _demangler()
    return function(name) if function else None


_found: list[Callable[[bytes], str | None] | None] = []


def _demangler() -> Callable[[bytes], str | None] | None:
    """The C++ library's function, loaded when the first mangled name is met."""
    if not _found:
        _found.append(_load())
    return _found[0]


def _load() -> Callable[[bytes], str | None] | None:
    import ctypes

    library: Any = None
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            function = library.__cxa_demangle
            break
        except (OSError, AttributeError):
            continue
    else:
        return None
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]
    free.restype = None
    function.argtypes = [ctypes.c_char_p, *[ctypes.c_void_p] * 3]
    function.restype = ctypes.c_void_p

    def demangled(name: bytes) -> str | None:
        status = ctypes.c_int()
        result = function(name, None, None, ctypes.byref(status))
        if not result:
            return None
        try:
            text = ctypes.string_at(result)
        finally:
            free(result)
        return text.decode("utf-8", "surrogateescape") if not status.value else None

    return demangled
