"""Numbers and parameters of system calls, looked up in `syscall_data`.

The data stays text: finding a name in it takes microseconds, parsing all of it would
take milliseconds of every start.
"""

from __future__ import annotations

from skep.named_tuple import NamedTuple
from skep.probes import syscall_data
from skep.probes.candidate import Number, Param
from skep.probes.parameters import Declared, parse_prototype

ABIS = ("x86_64", "i386", "arm64", "arm")
"""The ABIs of the table; the native ones are called like their `Arch`."""

COMPAT_ABIS = {"x86_64": "i386", "arm64": "arm"}
"""The 32-bit ABI that a native one stands beside."""


NUMBERED = tuple(f"arg{number}" for number in range(1, 7))
"""What a handler for all calls alike names their parameters."""

_EXEC = ("execve", "execveat")


class SystemCall(NamedTuple):
    """A system call in one ABI.

    `name` is that of its man page, and `entry` the kernel function behind it
    ("sys_newstat", "compat_sys_open"), the symbol without the architecture's prefix.
    `compat` says that its ABI is the 32-bit one beside a native one.  The parameters
    are in the order of the ABI's registers.  `replaces_registers` says that after
    success these are no longer those of the caller.  `absent` are parameters of other
    calls that the handler is for, with what stands for them in this one.
    """

    name: str
    number: int
    compat: bool
    entry: str
    parameters: tuple[Declared, ...]
    replaces_registers: bool = False
    absent: tuple[Param, ...] = ()

    @property
    def parameter_names(self) -> list[str]:
        """The names of the parameters, and of those of other calls."""
        own = [each.name for each in self.parameters if each.name != "_"]
        return [*own, *(each.name for each in self.absent)]

    def numbered(self) -> SystemCall:
        """The call with its parameters as numbers that are called arg1 to arg6.

        Those that the call does not have are 0.
        """
        names = iter(NUMBERED)
        numbered = tuple(
            each
            if each.name == "_"
            else each._replace(name=next(names), type="unsigned long")
            for each in self.parameters
        )
        absent = tuple(Param(name, "unsigned long", Number(0)) for name in names)
        return self._replace(parameters=numbered, absent=absent)

    @property
    def event(self) -> str:
        """What follows sys_enter_ and sys_exit_ in the names of its tracepoints."""
        return self.entry[len("sys_") :]


def lookup(abi: str, name: str) -> SystemCall | None:
    """A system call by the name of its man page."""
    row = _line(syscall_data.NUMBERS, f"{name} ")
    if row is None:
        return None
    number, _, entry = row.split()[ABIS.index(abi)].partition(":")
    if number == "-":
        return None
    entry = entry or f"sys_{name}"
    prototype = _line(syscall_data.PROTOTYPES, f"{entry}(") or ")"
    # "@" sets apart one ABI's parameters of a function that has them in several orders.
    entry = entry.partition("@")[0]
    compat = abi in COMPAT_ABIS.values()
    declared = parse_prototype(prototype[:-1])
    return SystemCall(name, int(number), compat, entry, declared, name in _EXEC)


def native_number(call: SystemCall, arch: str) -> int:
    """The number of a call in the native ABI; all ones where that lacks it."""
    native = lookup(arch, call.name) if call.compat else call
    return native.number if native else (1 << 32) - 1


def names(*abis: str) -> list[str]:
    """All system calls that some of the ABIs have, sorted."""
    columns = [1 + ABIS.index(abi) for abi in abis]
    rows = [line.split() for line in syscall_data.NUMBERS.split("\n") if line]
    return [row[0] for row in rows if any(row[each] != "-" for each in columns)]


def name_of_event(abi: str, event: str) -> str | None:
    """The man page's name of the call that the kernel names so: "stat" for "newstat".

    A name can mean another call in another ABI: the kernel's sys_setuid is setuid for
    64-bit programs, and setuid32 for 32-bit ones.
    """
    call = lookup(abi, event)
    if call and call.event == event:
        return event
    for line in syscall_data.NUMBERS.split("\n"):
        if f":sys_{event}" in line:
            call = lookup(abi, line.split()[0])
            if call and call.event == event:
                return call.name
    return None


def _line(text: str, start: str) -> str | None:
    """The rest of the line that begins with `start`."""
    begin = text.find(f"\n{start}")
    if begin < 0:
        return None
    begin += 1 + len(start)
    return text[begin : text.index("\n", begin)]
