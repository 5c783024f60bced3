"""Constants that C knows by name: enumerators of the kernel, and macros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from skep.target import Target

_PYTHON = {
    "errno": ("E",),
    "fcntl": ("AT_", "DN_", "FD_", "F_", "LOCK_"),
    "mmap": ("MADV_", "MAP_", "PROT_"),
    "os": ("EFD_", "GRND_", "MFD_", "O_", "P_", "RWF_", "SCHED_", "W"),
    "signal": ("SIG",),
    "socket": (
        *("AF_", "IPPROTO_", "IPV6_", "IP_", "MSG_", "PF_"),
        *("SHUT_", "SOCK_", "SOL_", "SO_", "TCP_"),
    ),
    "stat": ("S_I",),
}
"""Modules of Python that have macros, and how the names of those begin.  They are those
of the machine that Python runs on."""

_OTHERS = """
0 NULL false
1 true

# include/linux/limits.h, include/vdso/limits.h
0x7f SCHAR_MAX
0xff UCHAR_MAX U8_MAX
0x7fff SHRT_MAX S16_MAX
0xffff USHRT_MAX U16_MAX
0x7fffffff INT_MAX S32_MAX
-0x80000000 INT_MIN S32_MIN
0xffffffff UINT_MAX U32_MAX
0x7fffffffffffffff LONG_MAX LLONG_MAX S64_MAX SSIZE_MAX
-0x8000000000000000 LONG_MIN LLONG_MIN S64_MIN
0xffffffffffffffff ULONG_MAX ULLONG_MAX U64_MAX SIZE_MAX

# include/linux/sched.h, include/uapi/linux/limits.h
16 TASK_COMM_LEN
4096 PATH_MAX
255 NAME_MAX
-100 AT_FDCWD

# include/uapi/linux/sched.h
0x100 CLONE_VM
0x200 CLONE_FS
0x400 CLONE_FILES
0x800 CLONE_SIGHAND
0x1000 CLONE_PIDFD
0x2000 CLONE_PTRACE
0x4000 CLONE_VFORK
0x8000 CLONE_PARENT
0x10000 CLONE_THREAD
0x20000 CLONE_NEWNS
0x40000 CLONE_SYSVSEM
0x80000 CLONE_SETTLS
0x100000 CLONE_PARENT_SETTID
0x200000 CLONE_CHILD_CLEARTID
0x1000000 CLONE_CHILD_SETTID
0x2000000 CLONE_NEWCGROUP
0x4000000 CLONE_NEWUTS
0x8000000 CLONE_NEWIPC
0x10000000 CLONE_NEWUSER
0x20000000 CLONE_NEWPID
0x40000000 CLONE_NEWNET
0x80000000 CLONE_IO

# include/linux/errno.h: what the kernel keeps to itself
512 ERESTARTSYS
513 ERESTARTNOINTR
514 ERESTARTNOHAND
516 ERESTART_RESTARTBLOCK

# include/linux/fs.h (unsigned, so that no negative number comes of it)
0x1 FMODE_READ
0x2 FMODE_WRITE
0x20 FMODE_EXEC

# include/uapi/asm-generic/mman-common.h, include/uapi/linux/mman.h
0x1 PROT_READ MAP_SHARED
0x2 PROT_WRITE MAP_PRIVATE
0x4 PROT_EXEC
0x0 PROT_NONE
0x10 MAP_FIXED
0x20 MAP_ANONYMOUS
0x100000 MAP_FIXED_NOREPLACE
"""
"""Macros that Python does not have in every release that skep supports, with the
kernel's files that define them."""


def c_names(target: Target) -> Mapping[str, object]:
    """The constants that a C expression may name, as numbers.

    They are looked up one by one: enumerators of this kernel's types first, then
    macros.  Iterating gives the macros only.
    """
    return _Names(target)


class _Names(Mapping[str, object]):
    def __init__(self, target: Target) -> None:
        self.target = target

    def __getitem__(self, name: str) -> int:
        found = self.target.btf.enumerator(name)
        if found is None:
            found = _of_machine(name, self.target)
        if found is None:
            found = _macro(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from _table()
        for module in _PYTHON:
            yield from (n for n in dir(__import__(module)) if _belongs(n, module))

    def __len__(self) -> int:
        return sum(1 for _ in self)


_own: dict[str, int] = {}


def _table() -> dict[str, int]:
    if not _own:
        for line in _OTHERS.splitlines():
            value, *names = line.partition("#")[0].split() or ["0"]
            _own.update((name, int(value, 0)) for name in names)
    return _own


def _macro(name: str) -> int | None:
    """A macro by name: from this file, else from the module of Python that has it."""
    if name in _table():
        return _table()[name]
    for module in _PYTHON:
        if _belongs(name, module):
            value = getattr(__import__(module), name, None)
            if isinstance(value, int):
                return int(value)
    return None


def _belongs(name: str, module: str) -> bool:
    """Whether a name looks like the macros of a module; without importing it."""
    return name.isupper() and name.startswith(_PYTHON[module])


def _of_machine(name: str, target: Target) -> int | None:
    """Macros of the machine that Python lacks or, as O_LARGEFILE, has as 0.

    Source: arch/arm64/include/uapi/asm/fcntl.h, include/uapi/asm-generic/fcntl.h.
    """
    if name == "O_LARGEFILE":
        return 0o400000 if target.arch.name == "arm64" else 0o100000
    if name in ("PAGE_SIZE", "PAGE_SHIFT"):
        import mmap

        size = mmap.PAGESIZE
        return size if name == "PAGE_SIZE" else size.bit_length() - 1
    return None
