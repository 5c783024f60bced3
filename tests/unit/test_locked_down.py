"""Programs that a kernel takes which is locked down to confidentiality.

It has no helpers that read the kernel's memory; what the verifier knows the way to is
loaded directly.
"""

from __future__ import annotations

import pytest

from skep.asm.disasm import notation
from skep.target import Target
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, ladder_of, schemes_of
from skep.toolkit.tool import load
from tests import fixtures

TOOLS = ("opensnoop", "execsnoop", "tcplife", "biolatency", "ext4slower", "xfsslower")


def locked_down(kernel: str) -> Target:
    """A saved kernel, of its own for each test."""
    target = fixtures.saved_target.__wrapped__(kernel)
    target._facts.hides_memory = lambda: True
    return target


def code_of(name: str, target: Target) -> tuple[list[str], set[str]]:
    """The instructions of a tool's best candidates, and what they give up."""
    tool = load(name)
    options = bind(tool, dict(tool.sample))
    binding = Binding(tool.declared(options, target), options)
    lines, notes = [], set()
    always, *plans = schemes_of(binding)
    for group in (*always.groups, *(plans[0].groups if plans else ())):
        rung = next(ladder_of(group, binding, target))
        for _, compiled in compile_programs(rung, binding, target):
            assert compiled.program is not None
            lines += [notation(each) for each in compiled.program.instructions]
            notes.add(compiled.note)
    return lines, notes


@pytest.mark.parametrize("name", ("execsnoop", "tcplife", "biolatency"))
def test_where_only_arguments_have_types(name: str) -> None:
    """On 5.10 the verifier does not know what the current task is."""
    lines, notes = code_of(name, locked_down("5.10"))
    assert [line for line in lines if "probe_read_kernel" in line] == []
    assert not any(notes)


@pytest.mark.parametrize("kernel", ["6.1", "6.12", "7.2"])
@pytest.mark.parametrize("name", TOOLS)
def test_no_reads_of_kernel_memory(name: str, kernel: str) -> None:
    target = locked_down(kernel)
    lines, notes = code_of(name, target)
    assert [line for line in lines if "probe_read_kernel" in line] == []
    assert any("locked down" in each for each in notes) is name.endswith("slower")
