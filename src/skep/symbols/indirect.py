"""Functions that the dynamic linker chooses at run time (STT_GNU_IFUNC).

Their symbol leads to the function that makes the choice, by what the processor can do.
The linker of this process has made it already, for the same processor.
"""

from __future__ import annotations

import ctypes
import os

from skep.symbols import processes
from skep.symbols.elf import Elf
from skep.symbols.functions import Function


def chosen(elf: Elf, function: Function) -> Function | None:
    """The function that was chosen; None if this process does not use the file."""
    file = processes.identity(elf.fd)
    address = _address(elf.path, function)
    for mapping in processes.mappings("self"):
        if mapping.start <= address < mapping.end and mapping.file == file:
            offset = address - mapping.start + mapping.offset
            return function._replace(offset=offset, indirect=False)
    return None


def _address(library: str, function: Function) -> int:
    """Where the linker has put a function of a library, 0 if nowhere.

    The library is not loaded for that (RTLD_NOLOAD).
    """
    try:
        handle = ctypes.CDLL(library, os.RTLD_LAZY | os.RTLD_NOLOAD)._handle
    except OSError:
        return 0
    linker = ctypes.CDLL(None)
    name, version = (
        each.encode("utf-8", "surrogateescape") + b"\0"
        for each in (function.name, function.version)
    )
    find = getattr(linker, "dlvsym" if function.version else "dlsym", None)
    if find is None:
        return 0  # musl has neither versions nor indirect functions
    find.restype = ctypes.c_void_p
    find.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    return find(handle, name, version) or 0
