#!/usr/bin/env python3
"""Write src/skep/probes/syscall_data.py from a Linux source tree.

    scripts/generate_syscalls.py LINUX > src/skep/probes/syscall_data.py

LINUX is a kernel source tree of 6.11 or later (where arm64 got its tables), for
instance from a distribution's linux-source package.  Numbers come from the tables
that the kernel itself is built from, parameters from the SYSCALL_DEFINE macros.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

# ABI, table, the table's own ABIs that belong to it, is it the 32-bit ABI.  The extra
# words of arm64 are in arch/arm64/kernel/Makefile.syscalls.
TABLES = (
    ("x86_64", "arch/x86/entry/syscalls/syscall_64.tbl", "common 64", False),
    ("i386", "arch/x86/entry/syscalls/syscall_32.tbl", "i386", True),
    ("arm64", "scripts/syscall.tbl", "common 64 renameat rlimit memfd_secret", False),
    ("arm", "arch/arm64/tools/syscall_32.tbl", "common 32", True),
)
NATIVE = ("x86_64", "arm64")

SOURCES = "arch/x86 arch/arm64 block drivers fs io_uring ipc kernel mm net security"

# clone has as many orders of parameters as #ifdefs; "@" sets an ABI's own apart.
BACKWARDS = (
    "unsigned long clone_flags, unsigned long newsp,"
    " int __user *parent_tidptr, unsigned long tls, int __user *child_tidptr"
)
FIXED = {
    "sys_clone": BACKWARDS,
    "compat_sys_ia32_clone": BACKWARDS,
    "sys_clone@x86_64": "unsigned long clone_flags, unsigned long newsp,"
    " int __user *parent_tidptr, int __user *child_tidptr, unsigned long tls",
}
# Gone from the tree, but not from every kernel since 5.10.
REMOVED = {"sys_uselib": "const char __user *library"}

DEFINITION = re.compile(r"^(COMPAT_)?SYSCALL(32)?_DEFINE[0-6]\(", re.M)
# A 64-bit argument in two registers: as one macro, or as two parameters.
WIDE = re.compile(r"(?:arg_u32p|compat_arg_u64_dual|SC_ARG64)\((\w+)\)")
LOW, HIGH = re.compile(r"_?lo(w)?$"), re.compile(r"_?hi(gh)?$")
# What says something to the checker sparse only: BTF need not have such names.
PLAIN = {"rwf_t": "int"}


class Parameter(NamedTuple):
    """A parameter; an unused register is one with the name "_"."""

    type: str
    name: str
    registers: int = 1

    def __str__(self) -> str:
        if self.name == "_":
            return self.name
        space = "" if self.type.endswith("*") else " "
        width = f":{self.registers}" if self.registers > 1 else ""
        return f"{self.type}{space}{self.name}{width}"


class Call(NamedTuple):
    """A system call in one ABI: its number and the kernel function behind it."""

    number: int
    entry: str


Prototypes = dict[str, list[Parameter]]
Calls = dict[str, dict[str, Call]]


def main() -> None:
    """Read the tree named on the command line and print the module."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tree = sys.argv[1]
    prototypes = read_prototypes(tree)
    calls = read_tables(tree, prototypes)
    for abis in calls.values():
        align(abis, prototypes)
    print_module(release(tree), calls, prototypes)


def release(tree: str) -> str:
    """The release of the source tree, as "7.2"."""
    with open(os.path.join(tree, "Makefile")) as file:
        words = dict(re.findall(r"^(VERSION|PATCHLEVEL) = (\d+)", file.read(), re.M))
    return f"{words['VERSION']}.{words['PATCHLEVEL']}"


def read_prototypes(tree: str) -> Prototypes:
    """Parameters by entry point ("sys_openat", "compat_sys_openat")."""
    found: Prototypes = {}
    for path in source_files(tree):
        with open(path, errors="replace") as file:
            text = file.read()
        for match in DEFINITION.finditer(text):
            name, *words = arguments(text, match.end())
            prefix = "compat_sys_" if match[1] or match[2] else "sys_"
            found.setdefault(prefix + name, parameters(words))
    for entry, prototype in {**FIXED, **REMOVED}.items():
        pairs = re.findall(r"(?:^|, )([^,]*?) ?(\w+)(?=,|$)", prototype)
        found[entry] = [Parameter(type_, name) for type_, name in pairs]
    return found


def source_files(tree: str) -> Iterator[str]:
    """C files that may define system calls of the supported architectures."""
    for top in SOURCES.split():
        for folder, folders, files in os.walk(os.path.join(tree, top)):
            folders[:] = sorted(set(folders) - {"um", "nommu"})
            for file in sorted(files):
                if file.endswith(".c") and file not in ("nommu.c", "posix-stubs.c"):
                    yield os.path.join(folder, file)


def arguments(text: str, start: int) -> list[str]:
    """The arguments of the macro call whose parenthesis opens before `start`."""
    depth, end = 1, start
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    body = re.sub(r"/\*.*?\*/", "", text[start : end - 1], flags=re.S)
    return [" ".join(word.split()) for word in body.split(",")]


def parameters(words: list[str]) -> list[Parameter]:
    """The parameters of a definition: type, name, type, name, ... or wide macros."""
    result, rest = [], list(words)
    while rest:
        wide = WIDE.fullmatch(rest[0])
        if wide:
            result.append(Parameter("u64", wide[1], 2))
            del rest[0]
        else:
            name = "_" if rest[1] == "__pad" else rest[1]
            result.append(Parameter(PLAIN.get(rest[0], rest[0]), name))
            del rest[:2]
    return result


def read_tables(tree: str, prototypes: Prototypes) -> Calls:
    """The implemented system calls of all ABIs: name to ABI to call."""
    calls: Calls = {}
    for abi, path, abis, compat in TABLES:
        with open(os.path.join(tree, path)) as file:
            rows = [line.split("#")[0].split() for line in file]
        for row in rows:
            entry = table_entry(row, abis.split(), compat)
            if f"{entry}@{abi}" in prototypes:
                entry = f"{entry}@{abi}"
            if entry in prototypes:
                calls.setdefault(row[2], {})[abi] = Call(int(row[0]), entry)
    return calls


def table_entry(row: list[str], abis: list[str], compat: bool) -> str | None:
    """The entry point of a table's row, None when it is of another ABI or has none."""
    if len(row) < 3 or row[1] not in abis:
        return None
    entries = [entry for entry in row[3:5] if entry not in ("-", "sys_ni_syscall")]
    if f"sys_{row[2]}" in REMOVED:
        return f"sys_{row[2]}"
    if not entries or row[-1] == "sys_ni_syscall":
        return None
    return entries[-1] if compat else entries[0]


def align(abis: dict[str, Call], prototypes: Prototypes) -> None:
    """Give the parameters of the 32-bit entry points the names of the native one."""
    native = [prototypes[abis[abi].entry] for abi in NATIVE if abi in abis]
    for abi, call in abis.items():
        if abi not in NATIVE:
            own = prototypes[call.entry]
            model = native[0] if native else None
            own = join_halves(own, model)
            if model and len(model) == len([p for p in own if p.name != "_"]):
                own = rename(own, model)
            prototypes[call.entry] = own


def join_halves(own: list[Parameter], model: list[Parameter] | None) -> list[Parameter]:
    """Join "pos_lo, pos_hi", unless the native call has two parameters there too."""
    if model and len(own) == len(model):
        return own
    joined = own[:1]
    for parameter in own[1:]:
        before = joined[-1]
        low, high = LOW.sub("", before.name), HIGH.sub("", parameter.name)
        if low == high and LOW.search(before.name) and HIGH.search(parameter.name):
            joined[-1] = Parameter("u64", low, 2)
        else:
            joined.append(parameter)
    return joined


def rename(own: list[Parameter], model: list[Parameter]) -> list[Parameter]:
    """Names by position, but a name that the native call has elsewhere stays."""
    positions = iter(model)
    model_names, own_names = [p.name for p in model], [p.name for p in own]
    result = []
    for parameter in own:
        if parameter.name != "_":
            there = next(positions)
            if parameter.name not in model_names and there.name not in own_names:
                parameter = parameter._replace(name=there.name)
            if parameter.registers == 2 and parameter.name == there.name:
                parameter = parameter._replace(type=there.type)
        result.append(parameter)
    return result


def print_module(release: str, calls: Calls, prototypes: Prototypes) -> None:
    """Print the data as a Python module."""
    used = {call.entry for abis in calls.values() for call in abis.values()}
    print(HEADER.format(release=release))
    print('NUMBERS = """')
    for name in sorted(calls):
        print(name, *(cell(name, calls[name].get(table[0])) for table in TABLES))
    print('"""\n\nPROTOTYPES = """')
    for entry in sorted(used):
        print(f"{entry}({', '.join(map(str, prototypes[entry]))})")
    print('"""')


def cell(name: str, call: Call | None) -> str:
    """A number with its entry point, unless that is named after the call."""
    if call is None:
        return "-"
    return f"{call.number}" + f":{call.entry}" * (call.entry != f"sys_{name}")


HEADER = '''\
# ruff: noqa: E501
"""System calls of Linux {release}, written by scripts/generate_syscalls.py.

`NUMBERS` has a line per name: the numbers for x86_64, i386, arm64 and arm, "-" where
the ABI lacks the call, each with the kernel function behind it unless that is "sys_"
and the name.

`PROTOTYPES` has the parameters of those functions.  "_" is a register that the ABI
leaves unused, ":2" a 64-bit value in two registers, the low half first.
"""
'''

if __name__ == "__main__":
    main()
