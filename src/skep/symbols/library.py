"""From what a user calls a library or program to the file."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator

from skep.errors import NoSuchProcess, NotPermitted, ProbeNotFound, SkepError
from skep.symbols import ld_cache, processes
from skep.symbols.elf import BinaryError, Elf
from skep.symbols.processes import Mapping

_DIRECTORIES = (
    *("/lib/{machine}-linux-gnu", "/usr/lib/{machine}-linux-gnu"),
    *("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"),
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LARGEST = 32 << 20  # a cache of 1,000 libraries has 80 KB
_MOST_LINKS = 40  # symbolic links in one path, as the kernel has it (MAXSYMLINKS)


def open_named(name: str, machine: str, root: str = "/") -> Elf:
    """The file that a name stands for.

    A name with "/" is a path.  Another one is a library, lib<name>.so with any version,
    by the dynamic linker's cache or in the usual directories; else a program on PATH.
    `root` is where to look, such as /proc/PID/root.

    Raises `ProbeNotFound` if there is none, `BinaryError` if it is no ELF file.
    """
    if "/" in name:
        return _open(name, root)
    for path in _candidates(name, machine, root):
        try:
            elf = _open(path, root)
        except SkepError:
            continue  # such as a linker script of that name
        if elf.machine == machine:
            return elf
        elf.close()
    raise ProbeNotFound(
        f"there is no library or program called {name}",
        hint=f"a path, with a slash, is taken as it is: ./{name}",
    )


def _open(path: str, root: str) -> Elf:
    try:
        return Elf(within(root, path), shown=path)
    except OSError as error:
        raise ProbeNotFound(f"cannot open {path}: {error.strerror}") from error


def _small_file(root: str, path: str) -> bytes:
    """A file that may belong to a container: b"" for a pipe, or one without end."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    with open(os.open(within(root, path), flags), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return b""
        return file.readall()


def _candidates(name: str, machine: str, root: str) -> Iterator[str]:
    try:
        cached = ld_cache.lookup(_small_file(root, ld_cache.PATH), name, machine)
        if cached:
            yield cached
    except OSError:
        pass  # musl's linker has no cache
    pattern = re.compile(rf"lib{re.escape(name)}\.so(\.[\w.]+)?")
    for directory in _DIRECTORIES:
        place = directory.format(machine=machine)
        try:
            files = os.listdir(within(root, place))
        except OSError:
            continue
        matching = filter(pattern.fullmatch, files)
        yield from (f"{place}/{file}" for file in sorted(matching, reverse=True))
    for place in os.environ.get("PATH", _PATH).split(":"):
        if place.startswith("/"):
            yield f"{place}/{name}"


def within(root: str, path: str) -> str:
    """The path as a process with this root directory sees it.

    Links are followed by hand: the kernel would start absolute ones at the root of the
    process that asks.  Raises OSError if they go round.
    """
    if root == "/":
        return path
    rest = path.split("/")[::-1]
    inside: list[str] = []
    links = 0
    while rest:
        part = rest.pop()
        if part in ("", "."):
            continue
        if part == "..":
            inside = inside[:-1]
            continue
        try:
            target = os.readlink("/".join((root, *inside, part)))
        except OSError:
            inside.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if target.startswith("/"):
            inside = []
        rest += target.split("/")[::-1]
    return "/".join((root, *inside))


def open_mapped(mapping: Mapping, root: str = "", has_ended: bool = False) -> Elf:
    """The very file that a process has mapped; OSError if it cannot be opened.

    `root` is where its files are, by default its root directory, which is gone when the
    process `has_ended`.
    """
    try:
        if has_ended:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        return Elf(mapping.opened_by(), shown=mapping.plain_path)
    except OSError:
        path = within(root or f"/proc/{mapping.pid}/root", mapping.plain_path)
        elf = Elf(path, shown=mapping.plain_path)
    if processes.identity(elf.fd) == mapping.file:
        return elf
    elf.close()
    raise BinaryError(f"{mapping.path} of process {mapping.pid} is another file now")


def name_pattern(library: str) -> re.Pattern[str]:
    """What files of a library are called: libc.so.6, libc-2.31.so.

    musl's C library is its dynamic linker, too.
    """
    name = re.escape(library)
    musl = "|(ld|libc)[.-]musl-.*" if library == "c" else ""
    return re.compile(rf"lib{name}(-[\d.]+)?\.so(\.[\w.]+)?{musl}")


def open_of_process(name: str, machine: str, pid: int) -> list[Elf]:
    """The files that a name stands for in a process.

    First those that it has mapped, which may be others by now where they came from; a
    name of none of them is looked up in its root.
    A process without a C library of its own is linked statically: then "c" is the
    program itself.

    Raises `NoSuchProcess`, `NotPermitted` if it may not be looked at, `ProbeNotFound`
    if there is no such file, `BinaryError` if it is no ELF file.
    """
    try:
        mapped = processes.mappings(pid)
    except OSError as error:
        raise _no_process(pid, error) from error
    root = f"/proc/{pid}/root"
    if "/" in name:
        if not name.startswith("/"):  # from where this process is
            name, root = _real_path(name), "/"
        path = within(root, name)[len(root.rstrip("/")) :]
        matching = {m.file: m for m in mapped if m.plain_path == path}
    else:
        pattern = name_pattern(name)
        matching = {m.file: m for m in mapped if pattern.fullmatch(m.base)}
    if matching:
        return [_opened(mapping) for mapping in matching.values()]
    if name == "c":
        return [_open_path(f"/proc/{pid}/exe", f"the program of process {pid}")]
    return [open_named(name, machine, root)]


def _real_path(name: str) -> str:
    try:
        return os.path.realpath(name)
    except OSError as error:  # the working directory is gone
        raise ProbeNotFound(f"cannot open {name}: {error.strerror}") from error


def open_all_of_process(pid: int) -> list[Elf]:
    """The programs and libraries that a process has mapped, each once, as far as they
    may be opened.

    Raises `NoSuchProcess`, `NotPermitted` if none may.
    """
    try:
        mapped = processes.mappings(pid)
    except OSError as error:
        raise _no_process(pid, error) from error
    found, refused = [], None
    for mapping in {m.file: m for m in mapped if m.is_file}.values():
        try:
            found.append(_opened(mapping))
        except BinaryError:
            continue  # code that is no program, such as what a JIT compiler has kept
        except NotPermitted as error:
            refused = error  # on FUSE a file may be closed to all but its owner
    if refused and not found:
        raise refused
    return found


def _opened(mapping: Mapping) -> Elf:
    try:
        return open_mapped(mapping)
    except OSError as error:
        raise _no_process(mapping.pid, error) from error


def _open_path(path: str, shown: str) -> Elf:
    try:
        return Elf(path, shown)
    except OSError as error:
        raise ProbeNotFound(f"cannot open {shown}: {error.strerror}") from error


def _no_process(pid: int, error: OSError) -> SkepError:
    if isinstance(error, PermissionError):
        return NotPermitted(
            f"no permission to look into process {pid}",
            hint="those of other users take CAP_SYS_PTRACE",
        )
    return NoSuchProcess(f"there is no process {pid}")
