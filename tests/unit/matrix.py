"""Every tool with every option, compiled for the saved kernels.

    PYTHONPATH=src python3 -m tests.unit.matrix

writes `sizes.txt` anew: do that when programs may grow, and look at the difference.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from skep.asm import encode
from skep.authoring.options import Option
from skep.compiler.program import Compiled
from skep.errors import NotLoaded, UsageError
from skep.target import Target
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.session import Rung, compile_programs, ladder_of, schemes_of
from skep.toolkit.tool import Tool, load, tool_names
from tests.fixtures import ARM64, VERSIONS, saved_target

SIZES = Path(__file__).with_name("sizes.txt")
TOOLS = tool_names()
KERNELS = (*VERSIONS, *ARM64)

OPTIONS_ON = "6.12"
"""The kernel whose sizes are kept for every option; of the others, without any."""

# Options whose texts or numbers are not free.
_VALUES = {
    "format": "csv",
    "dump": "asm",
    "columns": "pid",
    "sort": "pid",
    "buffer_pages": 8,
    "cgroupmap": "/sys/fs/bpf/cgroups",
    "mntnsmap": "/sys/fs/bpf/mntns",
    "flags": 0o1,
    "pattern": "c:gethostby*",
    "functions": ["c:gethostbyname", "c:getaddrinfo"],
    "arguments": 6,
}

_MAY_DO_NOTHING = ("commit_begun", "committed")
"""Programs of nfsslower that need to know the types of the module nfs."""

_ROWS = ("columns", "sort", "limit")
"""Options that only tools with rows take."""

_AT_THE_KERNEL: Mapping[str, Mapping[str, Any]] = {
    "argdist": {
        "counts": ["p::vfs_read(struct file *file, char *buf, size_t count):u64:count"],
        "histograms": ["r::vfs_read(struct file *file):u64:$latency:file->f_flags"],
    },
    "funccount": {"pattern": "vfs_*"},
    "funclatency": {"pattern": "vfs_*"},
    "funcslower": {"functions": ["vfs_open", "vfs_read"], "arguments": 3},
    "stackcount": {"pattern": "vfs_*"},
    "trace": {
        "probes": [
            'p::vfs_read(struct file *f) "%s", f->f_path.dentry->d_name.name',
            'r::vfs_open "%d", retval',
            'p::sys_openat "%s %x", filename, flags',
        ]
    },
}
"""What tools do at functions of the kernel that trace user programs otherwise."""

_TOGETHER = {
    "funccount": [("cpu", "pid", "comm")],
    "funclatency": [("function", "milliseconds"), ("pid", "uid")],
    "funcslower": [
        ("arguments", "time", "timestamp", "show_uid", "json"),
        ("min_us", "user_stack", "kernel_stack", "pid"),
    ],
    "biolatency": [
        ("queued", "disks", "milliseconds"),
        ("queued", "flags", "extension"),
        ("disk", "flags"),
    ],
    "execsnoop": [
        ("fails", "ppid", "uid", "show_uid"),
        ("fails", "cgroup", "show_pcomm", "show_cpu"),
        ("time", "timestamp", "json"),
    ],
    "opensnoop": [
        ("full_path", "failed", "pid"),
        ("full_path", "extended", "timestamp", "show_uid", "json"),
        ("pid", "tid", "uid", "comm", "cgroup", "mntns", "cgroupmap", "mntnsmap"),
        ("failed", "flags", "extended"),
    ],
    "xfsslower": [
        ("pid", "tid", "uid", "comm", "cgroup", "mntns", "cgroupmap", "mntnsmap"),
        ("csv", "show_uid", "show_cgroup"),
    ],
    "tcplife": [
        ("ipv6", "local_ports", "remote_ports", "pid"),
        ("time", "timestamp", "show_uid", "show_cgroup", "json"),
        ("wide", "comm", "cgroup", "mntns"),
        ("csv", "ipv4", "remote_ports", "tid", "uid"),
    ],
}


class Size(NamedTuple):
    """What one program needs."""

    options: str
    kind: str
    program: str
    instructions: int
    stack: int


class CompileFailed(Exception):
    """Some tool does not compile for some kernel."""


def configurations(tool: Tool) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Options to try, with a name: none, each alone, and some together."""
    yield "-", {**tool.sample}
    if tool.name in _AT_THE_KERNEL:
        yield "kernel", _AT_THE_KERNEL[tool.name]
    if tool.preset and tool.name not in _TOGETHER:
        return  # another name of the same tool has it all
    values = {
        name: _value_of(option)
        for name, option in tool.options.options.items()
        if name not in tool.preset
        and name not in tool.sample
        and (tool.streams or name not in _ROWS)
    }
    for name, value in values.items():
        if name in ("folded", "flamegraph") and not tool.tables:
            continue  # only with stacks
        yield name, {**tool.sample, name: value}
    for names in _TOGETHER.get(tool.name, ()):
        yield "+".join(names), {**tool.sample, **{name: values[name] for name in names}}


def _value_of(option: Option) -> Any:
    if option.type is bool:
        return True
    if option.name in _VALUES:
        return _VALUES[option.name]
    if option.rest:
        return ["true"]
    if option.listed:
        return (80, 443)
    return "text" if option.type is str else 7


def pairs_on(name: str, kernel: str) -> Iterator[Size]:
    """The programs of all pairs of options that change them, where a tool takes both;
    of those candidates that come first.

    The other options, those about output, have no part in kernel-side code.
    """
    tool, target = load(name), saved_target(kernel)
    totals: dict[str, int] = {}
    for size in sizes_on(name, kernel):
        totals[size.options] = totals.get(size.options, 0) + size.instructions
    settings = dict(configurations(tool))
    telling = [label for label in totals if "+" not in label]
    telling = [label for label in telling if totals[label] != totals["-"]]
    for pair in itertools.combinations(telling, 2):
        values = {**settings[pair[0]], **settings[pair[1]]}
        label = "+".join(pair)
        try:
            yield from _sizes(tool, label, values, target, best=True)
        except UsageError:
            continue  # they exclude each other
        except Exception as error:
            raise CompileFailed(f"{name} with {label} on {kernel}") from error


@functools.cache
def sizes_on(name: str, kernel: str) -> Sequence[Size]:
    """The programs of all configurations and all rungs of their ladders."""
    tool, target = load(name), saved_target(kernel)
    found: list[Size] = []
    for label, values in configurations(tool):
        try:
            found += _sizes(tool, label, values, target)
        except Exception as error:
            raise CompileFailed(f"{name} with {label} on {kernel}") from error
    return found


def _sizes(
    tool: Tool,
    label: str,
    values: Mapping[str, Any],
    target: Target,
    best: bool = False,
) -> Iterator[Size]:
    options: Any = bind(tool, dict(values))
    tool = tool.declared(options, target)
    binding = Binding(tool, options, with_time=options.format == "json")
    for rung in _rungs(binding, label, target, best):
        kind = rung.choices[0][2].sites[0].attach.kind
        for program, compiled in compile_programs(rung, binding, target):
            if compiled.program is not None or program not in _MAY_DO_NOTHING:
                yield _size(label, kind, program, compiled)


def _rungs(binding: Binding, label: str, target: Target, best: bool) -> Iterator[Rung]:
    """All candidates, or the `best` of each group; other plans than the first
    for few sets of options.

    A plan whose kernel module was not saved has none.
    """
    for position, scheme in enumerate(schemes_of(binding)):
        if position > 1 and label != "-" and ("+" not in label or best):
            continue
        for group in scheme.groups:
            with suppress(NotLoaded):
                rungs = list(ladder_of(group, binding, target))
                rungs = [rung for rung in rungs if rung.choices[0][2].sites]
                yield from rungs[:1] if best else rungs


def _size(label: str, kind: str, name: str, compiled: Compiled) -> Size:
    assert compiled.program is not None, f"{name} does nothing"
    code = encode(compiled.program.instructions, lambda reference: 0)
    return Size(label, kind, name, len(code) // 8, compiled.stack)


class Total(NamedTuple):
    """What the programs of a tool need: instructions of all, stack of the one that
    takes most, in bytes."""

    instructions: int
    stack: int


def table(tool: str, kernel: str) -> dict[str, Total]:
    """Totals by tool, kernel, kind of attachment and options.

    Options that change nothing are left out.
    """
    totals: dict[tuple[str, str], Total] = {}
    for size in sizes_on(tool, kernel):
        key = size.options, size.kind
        before = totals.get(key, Total(0, 0))
        totals[key] = Total(
            before.instructions + size.instructions,
            max(before.stack, size.stack),
        )
    rows: dict[str, Total] = {}
    for (options, kind), total in totals.items():
        own = options == "-" or kernel == OPTIONS_ON
        if own and (options == "-" or total != totals.get(("-", kind))):
            rows[f"{tool} {kernel} {kind} {options}"] = total
    return rows


def saved_table(kernel: str) -> dict[str, Total]:
    """What `sizes.txt` says of a kernel."""
    lines = SIZES.read_text().splitlines()
    rows = (line.split(None, 2) for line in lines if not line.startswith("#"))
    return {
        key: Total(int(code), int(stack))
        for code, stack, key in rows
        if key.split()[1] == kernel
    }


def main() -> None:
    """Write the table."""
    lines = [
        f"{total.instructions:5} {total.stack:5} {key}\n"
        for tool, kernel in itertools.product(TOOLS, KERNELS)
        for key, total in table(tool, kernel).items()
    ]
    title = "# Instructions and bytes of stack.  Written by tests/unit/matrix.py\n"
    SIZES.write_text("".join([title, *lines]))


if __name__ == "__main__":
    main()
