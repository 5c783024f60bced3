from __future__ import annotations

import pytest

from skep.arch import ARCHES, ARM64, X86_64, Arch, arch_of
from skep.errors import NotSupported
from tests.fixtures import ARM64 as ARM64_KERNELS
from tests.fixtures import VERSIONS, saved_target


def test_machines() -> None:
    assert arch_of("x86_64") is X86_64
    assert arch_of("aarch64") is ARM64


def test_other_machines_are_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="riscv64"):
        arch_of("riscv64")


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_system_calls_have_six_arguments(arch: Arch) -> None:
    assert len(arch.syscall_args) == len(arch.compat.syscall_args) == 6
    assert len(arch.function_args) >= 6


SAVED = pytest.mark.parametrize("version", [*VERSIONS, *ARM64_KERNELS])


@SAVED
def test_registers_are_members_of_pt_regs(version: str) -> None:
    target = saved_target(version)
    arch, btf = target.arch, target.btf
    regs = btf.find("struct", "pt_regs")
    assert arch is (ARM64 if version in ARM64_KERNELS else X86_64)
    assert regs is not None
    paths = {
        *arch.function_args,
        *arch.syscall_args,
        *arch.compat.syscall_args,
        arch.return_value,
        arch.instruction_pointer,
        arch.stack_pointer,
        arch.frame_pointer,
    }
    for path in paths:
        place = btf.member(regs, path)
        assert place is not None, path
        assert btf.size_of(place.type) == 8
    assert btf.member(regs, arch.syscall_number) is not None


@SAVED
def test_tasks_tell_their_abi(version: str) -> None:
    target = saved_target(version)
    task = target.btf.find("struct", "task_struct")
    assert task is not None
    assert target.btf.member(task, target.arch.compat.task_member) is not None


@SAVED
def test_system_calls_are_functions(version: str) -> None:
    target = saved_target(version)
    proto = target.btf.function(f"{target.arch.syscall_prefix}openat")
    assert proto is not None
    [(_, regs)] = proto.params
    assert target.btf.spell(regs) == "const struct pt_regs *"
