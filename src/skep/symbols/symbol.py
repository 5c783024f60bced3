"""What an address of code is called."""

from __future__ import annotations

from skep.named_tuple import NamedTuple


class Symbol(NamedTuple):
    """A place in code: a function, how far into it, and what file it is of.

    `name` is None where no function is known; `offset` then counts from the start of
    the module, as its file has addresses.  `module` is the path of the file as the
    process has it, "[vdso]", or, in the kernel, "kernel" or the name of the module; ""
    where nothing is known, and `offset` then is the address itself.
    """

    name: str | None
    offset: int
    module: str = ""
