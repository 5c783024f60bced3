"""Numbers and parameters of system calls.

The expected numbers are those of the man pages and of asm/unistd_*.h.
"""

from __future__ import annotations

import pytest

from skep.probes import syscall_table
from skep.probes.parameters import Declared
from skep.probes.syscall_table import lookup


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("read", (0, 3, 63, 3)),
        ("open", (2, 5, None, 5)),
        ("openat", (257, 295, 56, 322)),
        ("openat2", (437, 437, 437, 437)),
        ("execve", (59, 11, 221, 11)),
        ("stat64", (None, 195, None, 195)),
        ("arch_prctl", (158, 384, None, None)),
        ("kexec_file_load", (320, None, 294, 401)),
        ("uselib", (134, 86, None, 86)),
        ("no_such_call", (None, None, None, None)),
    ],
)
def test_numbers(name: str, numbers: tuple[int | None, ...]) -> None:
    calls = [lookup(abi, name) for abi in syscall_table.ABIS]
    assert tuple(call.number if call else None for call in calls) == numbers


def test_a_name_is_looked_up_whole() -> None:
    assert lookup("x86_64", "ope") is None
    assert lookup("x86_64", "pen") is None
    assert lookup("x86_64", "") is None


def test_parameters_are_in_the_order_of_the_call() -> None:
    call = lookup("x86_64", "openat")
    assert call is not None
    assert call.parameters == (
        Declared("dfd", "int"),
        Declared("filename", "const char *", user=True),
        Declared("flags", "int"),
        Declared("mode", "umode_t"),
    )
    assert call.parameter_names == ["dfd", "filename", "flags", "mode"]


def test_calls_without_parameters() -> None:
    call = lookup("x86_64", "getpid")
    assert call is not None
    assert call.parameters == ()


def test_structs_behind_pointers() -> None:
    call = lookup("arm64", "openat2")
    assert call is not None
    assert Declared("how", "struct open_how *", user=True) in call.parameters


def test_events_are_named_after_the_kernel_function() -> None:
    call = lookup("x86_64", "stat")
    assert call is not None
    assert (call.entry, call.event) == ("sys_newstat", "newstat")
    assert syscall_table.name_of_event("x86_64", "newstat") == "stat"
    assert syscall_table.name_of_event("x86_64", "stat") is None
    assert syscall_table.name_of_event("i386", "setuid") == "setuid32"


@pytest.mark.parametrize("abi", ["x86_64", "arm64"])
def test_each_call_is_found_by_the_name_of_its_event(abi: str) -> None:
    for name in syscall_table.names(abi):
        call = lookup(abi, name)
        assert call is not None
        found = syscall_table.name_of_event(abi, call.event)
        assert found is not None
        meant = lookup(abi, found)
        assert meant is not None
        assert meant.number == call.number


def test_the_32_bit_call_has_its_own_types_and_the_same_names() -> None:
    call = lookup("i386", "execve")
    assert call is not None
    assert call.compat
    assert Declared("argv", "const compat_uptr_t *", user=True) in call.parameters


def test_a_64_bit_value_takes_two_registers_of_32_bit_abis() -> None:
    pos = Declared("pos", "loff_t", registers=2)
    i386, arm = lookup("i386", "pread64"), lookup("arm", "pread64")
    assert i386 is not None and arm is not None
    assert i386.parameters[3:] == (pos,)
    # On arm the pair starts with an even register.
    assert arm.parameters[3:] == (Declared("_", ""), pos)
    assert i386.parameter_names == arm.parameter_names


def test_the_order_of_clone_differs() -> None:
    orders = {}
    for abi in syscall_table.ABIS:
        call = lookup(abi, "clone")
        assert call is not None
        assert call.entry.endswith("clone")
        orders[abi] = call.parameter_names.index("tls")
    assert orders == {"x86_64": 4, "i386": 3, "arm64": 3, "arm": 3}


@pytest.mark.parametrize("abi", syscall_table.ABIS)
def test_every_row_can_be_read(abi: str) -> None:
    names = syscall_table.names(abi)
    assert names == sorted(names)
    registers = 6 if abi != "arm" else 7  # sync_file_range2, fadvise64_64: 6 and pad
    for name in names:
        call = lookup(abi, name)
        assert call is not None
        assert len(set(call.parameter_names)) == len(call.parameter_names)
        assert sum(each.registers for each in call.parameters) <= registers


@pytest.mark.parametrize("abi", syscall_table.ABIS)
def test_no_number_is_used_twice(abi: str) -> None:
    calls = [lookup(abi, name) for name in syscall_table.names(abi)]
    numbers = [call.number for call in calls if call]
    assert len(numbers) == len(set(numbers)) > 300


@pytest.mark.parametrize(
    ("abi", "name", "registers"),
    [
        ("x86_64", "openat", [1, 1, 1, 1, 0, 0]),
        ("x86_64", "getppid", [0, 0, 0, 0, 0, 0]),
        ("x86_64", "mmap", [1, 1, 1, 1, 1, 1]),
        ("i386", "pread64", [1, 1, 1, 2, 0, 0]),
        ("arm", "pread64", [1, 1, 1, 2, 0, 0]),
    ],
)
def test_parameters_by_number(abi: str, name: str, registers: list[int]) -> None:
    call = lookup(abi, name)
    assert call is not None
    numbered = call.numbered()
    assert numbered.parameter_names == list(syscall_table.NUMBERED)
    own = [each.registers for each in numbered.parameters if each.name != "_"]
    assert own + [0] * len(numbered.absent) == registers
    assert sum(each.name == "_" for each in numbered.parameters) == (abi == "arm")
