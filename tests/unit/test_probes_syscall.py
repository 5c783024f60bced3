"""The ladder of ways to trace system calls."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from skep.errors import NotPermitted, ProbeNotFound, SkepError
from skep.probes import (
    Candidate,
    Clock,
    CtxField,
    CtxWord,
    Elapsed,
    Fetch,
    NoSuchParameter,
    Number,
    Param,
    RegsMember,
    RegsPair,
    Saved,
    Site,
    SyscallCase,
    SyscallEnter,
    SyscallExit,
    SyscallMatch,
    resolve,
    syscall_table,
)
from skep.probes.syscall_table import lookup
from skep.target import Target
from skep.target.fixture import FixtureFacts
from tests import fixtures
from tests.fixtures import saved_target

FIXTURE = Path(fixtures.__file__).parent / "6.18.tar.xz"


@pytest.fixture
def x86() -> Target:
    return saved_target("6.18")


@pytest.fixture
def arm64() -> Target:
    facts = FixtureFacts(str(FIXTURE))
    facts.machine = "aarch64"
    return Target(facts)


class WithoutTracefs(FixtureFacts):
    """A kernel whose tracefs only root may read."""

    def event_format(self, category: str, event: str) -> str | None:
        return None

    def tracefs_problem(self) -> SkepError | None:
        return NotPermitted("no permission to read tracepoint formats")


@pytest.fixture
def without_tracefs() -> Target:
    return Target(WithoutTracefs(str(FIXTURE)))


def kinds(ladder: Iterable[Candidate]) -> list[list[str]]:
    return [[f"{s.attach.kind} {s.attach.name}" for s in c.sites] for c in ladder]


def only_site(candidate: Candidate) -> Site:
    (site,) = candidate.sites
    return site


def match_of(site: Site | None) -> SyscallMatch:
    assert site is not None
    assert site.match is not None
    return site.match


def fetches(params: Iterable[Param]) -> dict[str, tuple[type, Fetch]]:
    """By name; the class too, as tuples of different classes may be equal."""
    return {each.name: (type(each.fetch), each.fetch) for each in params}


def case(site: Site | None, number: int, compat: bool = False) -> SyscallCase:
    cases = match_of(site).cases
    (found,) = [c for c in cases if (c.number, c.compat) == (number, compat)]
    return found


def numbers(site: Site | None) -> list[tuple[int, bool]]:
    return [(each.number, each.compat) for each in match_of(site).cases]


def test_first_all_calls_by_number_then_each_call_s_own_tracepoint(x86: Target) -> None:
    ladder = resolve(SyscallExit(("open", "openat")), {"filename", "ret"}, x86)
    assert kinds(ladder) == [
        ["tp_btf sys_exit"],
        ["raw_tracepoint sys_exit"],
        ["tracepoint syscalls:sys_exit_open", "tracepoint syscalls:sys_exit_openat"],
    ]
    assert only_site(ladder[0]).attach.id == x86.btf_trace_id("sys_exit")
    assert [each.note for each in ladder] == [
        "",
        "slower: helper calls read registers",
        "32-bit tasks are not seen",
    ]


def test_each_call_has_its_own_registers(x86: Target) -> None:
    ladder = resolve(SyscallExit(("open", "openat")), {"filename", "flags"}, x86)
    site = only_site(ladder[0])
    assert site.entry is None
    assert site.params == ()
    number = match_of(site).number
    assert isinstance(number, RegsMember)
    assert number == RegsMember("orig_ax", 4)
    assert numbers(site) == [(2, False), (5, True), (257, False), (295, True)]
    paths = {n: fetches(case(site, *n).params) for n in numbers(site)}
    assert paths == {
        (2, False): {
            "filename": (RegsMember, RegsMember("di")),
            "flags": (RegsMember, RegsMember("si")),
        },
        (5, True): {
            "filename": (RegsMember, RegsMember("bx", 4)),
            "flags": (RegsMember, RegsMember("cx", 4)),
        },
        (257, False): {
            "filename": (RegsMember, RegsMember("si")),
            "flags": (RegsMember, RegsMember("dx")),
        },
        (295, True): {
            "filename": (RegsMember, RegsMember("cx", 4)),
            "flags": (RegsMember, RegsMember("dx", 4)),
        },
    }


def test_types_are_those_of_the_call(x86: Target) -> None:
    ladder = resolve(SyscallExit(("openat2",)), {"how", "filename", "ret"}, x86)
    assert case(only_site(ladder[0]), 437).params == (
        Param("filename", "const char *", RegsMember("si"), user=True),
        Param("how", "struct open_how *", RegsMember("dx"), user=True),
        Param("ret", "long", CtxWord(1)),
    )


def test_only_what_the_handler_needs_is_provided(x86: Target) -> None:
    ladder = resolve(SyscallExit(("openat",)), {"ret"}, x86)
    assert fetches(case(only_site(ladder[0]), 257).params) == {
        "ret": (CtxWord, CtxWord(1))
    }
    assert fetches(only_site(ladder[2]).params) == {
        "ret": (CtxField, CtxField(16, 8, True))
    }
    assert only_site(ladder[2]).entry is None


def test_a_call_of_one_abi_only(x86: Target, arm64: Target) -> None:
    stat64 = resolve(SyscallExit(("stat64",)), {"filename"}, x86)
    assert numbers(only_site(stat64[0])) == [(195, True)]
    assert kinds(stat64) == [["tp_btf sys_exit"], ["raw_tracepoint sys_exit"]]
    both = resolve(SyscallExit(("open", "openat")), {"filename"}, arm64)
    assert numbers(only_site(both[0])) == [(5, True), (56, False), (322, True)]


def test_arm64_keeps_the_first_argument_apart_from_the_result(arm64: Target) -> None:
    ladder = resolve(SyscallExit(("openat",)), {"dfd", "filename", "ret"}, arm64)
    native = case(only_site(ladder[0]), 56)
    assert fetches(native.params)["dfd"] == (RegsMember, RegsMember("orig_x0"))
    assert fetches(native.params)["filename"] == (RegsMember, RegsMember("regs[1]"))
    assert match_of(only_site(ladder[0])).number == RegsMember("syscallno", 4)
    compat = case(only_site(ladder[0]), 322, compat=True)
    assert [p.type for p in compat.params if p.name == "ret"] == ["int"]


def test_wide_arguments_of_32_bit_tasks(x86: Target, arm64: Target) -> None:
    i386 = resolve(SyscallEnter(("pread64",)), {"pos"}, x86)
    assert fetches(case(only_site(i386[0]), 180, compat=True).params) == {
        "pos": (RegsPair, RegsPair("si", "di"))
    }
    arm = resolve(SyscallEnter(("pread64",)), {"pos"}, arm64)
    assert fetches(case(only_site(arm[0]), 180, compat=True).params) == {
        "pos": (RegsPair, RegsPair("regs[4]", "regs[5]"))
    }


def test_structs_of_32_bit_tasks(x86: Target) -> None:
    ladder = resolve(SyscallEnter(("readv",)), {"vec"}, x86)
    site = only_site(ladder[0])
    assert case(site, 19).params[0].type == "const struct iovec *"
    assert case(site, 145, compat=True).params[0].type == "const struct compat_iovec *"


def test_entry_knows_the_number_without_registers(x86: Target) -> None:
    ladder = resolve(SyscallEnter(("openat", "creat")), set(), x86)
    assert kinds(ladder) == [
        ["tp_btf sys_enter"],
        ["raw_tracepoint sys_enter"],
        ["tracepoint syscalls:sys_enter_openat", "tracepoint syscalls:sys_enter_creat"],
    ]
    number = match_of(only_site(ladder[0])).number
    assert isinstance(number, CtxWord)
    assert number == CtxWord(1)


def test_the_time_between_needs_a_program_at_the_start(x86: Target) -> None:
    needs = {"filename", "elapsed_ns"}
    for candidate in resolve(SyscallExit(("openat",)), needs, x86)[:2]:
        site = only_site(candidate)
        returned, started = case(site, 257), case(site.entry, 257)
        assert site.entry is not None
        assert site.entry.attach.kind == site.attach.kind
        assert site.entry.attach.name == "sys_enter"
        assert returned.paired
        assert fetches(returned.params) == {
            "filename": (RegsMember, RegsMember("si")),
            "elapsed_ns": (Elapsed, Elapsed("elapsed_ns")),
        }
        assert fetches(started.params) == {"elapsed_ns": (Clock, Clock())}


def test_the_classic_way_saves_what_is_needed(x86: Target) -> None:
    needs = {"filename", "ret", "elapsed_ns"}
    site = only_site(resolve(SyscallExit(("openat",)), needs, x86)[2])
    assert fetches(site.params) == {
        "filename": (Saved, Saved("filename")),
        "ret": (CtxField, CtxField(16, 8, True)),
        "elapsed_ns": (Elapsed, Elapsed("elapsed_ns")),
    }
    assert site.entry is not None
    assert site.entry.attach.name == "syscalls:sys_enter_openat"
    assert fetches(site.entry.params) == {
        "filename": (CtxField, CtxField(24, 8, False)),
        "elapsed_ns": (Clock, Clock()),
    }


def test_the_classic_arguments_are_where_the_kernel_says(x86: Target) -> None:
    names = {"dfd", "filename", "flags", "mode"}
    site = only_site(resolve(SyscallEnter(("openat",)), names, x86)[2])
    record = x86.tracepoint("syscalls", "sys_enter_openat")
    assert record is not None
    for param in site.params:
        field = record.field(param.name)
        assert field is not None
        assert param.fetch == CtxField(field.offset, field.size, False)
        assert param.user == (param.name == "filename")


@pytest.mark.parametrize("name", ["execve", "execveat"])
def test_exec_is_found_by_what_its_start_left(x86: Target, name: str) -> None:
    site = only_site(resolve(SyscallExit((name,)), {"filename", "ret"}, x86)[0])
    # Success returns as execve in the ABI of the new program.
    assert {(59, False), (11, True)} <= set(numbers(site))
    for each in match_of(site).cases:
        assert each.paired
        assert fetches(each.params)["filename"] == (Saved, Saved("filename"))
        assert fetches(each.params)["ret"] == (CtxWord, CtxWord(1))
    assert [each.name for each in match_of(site.entry).cases] == [name, name]
    assert not any(each.paired for each in match_of(site.entry).cases)


def test_exec_numbers_are_listed_once(x86: Target) -> None:
    site = only_site(resolve(SyscallExit(("execve", "execveat")), {"ret"}, x86)[0])
    assert numbers(site) == [(59, False), (11, True), (322, False), (358, True)]
    assert site.entry is not None
    assert all(each.params == () for each in match_of(site.entry).cases)


def test_arm64_keeps_the_number_of_exec_in_the_new_abi(arm64: Target) -> None:
    site = only_site(resolve(SyscallExit(("execve",)), {"ret"}, arm64)[0])
    assert numbers(site) == [(221, False), (11, True), (221, True), (11, False)]


def test_other_calls_beside_exec_are_not_paired(x86: Target) -> None:
    site = only_site(resolve(SyscallExit(("openat", "execve")), {"filename"}, x86)[0])
    assert not case(site, 257).paired
    assert case(site, 59).paired
    assert numbers(site.entry) == [(59, False), (11, True)]


def test_what_the_classic_way_misses_of_exec(x86: Target) -> None:
    ladder = resolve(SyscallExit(("execve", "execveat")), {"ret"}, x86)
    assert ladder[2].note == (
        "32-bit tasks are not seen, nor that a task executes a 32-bit program"
    )
    ladder = resolve(SyscallExit(("execveat",)), {"ret"}, x86)
    assert ladder[2].note == "32-bit tasks are not seen, nor execveat that succeeds"


def test_32_bit_calls_with_other_parameters_are_named(x86: Target) -> None:
    ladder = resolve(SyscallEnter(("mmap",)), {"len"}, x86)
    assert numbers(only_site(ladder[0])) == [(9, False)]
    assert "mmap of 32-bit tasks has other parameters: not seen" in ladder[0].note
    assert numbers(only_site(resolve(SyscallEnter(("mmap",)), set(), x86)[0])) == [
        (9, False),
        (90, True),
    ]


def test_no_tracefs_only_costs_the_last_choice(without_tracefs: Target) -> None:
    ladder = resolve(SyscallExit(("openat",)), {"ret"}, without_tracefs)
    assert kinds(ladder) == [["tp_btf sys_exit"], ["raw_tracepoint sys_exit"]]


def refusal(probe: SyscallEnter | SyscallExit, needs: set[str], target: Target) -> str:
    with pytest.raises(SkepError) as caught:
        resolve(probe, needs, target)
    assert isinstance(caught.value, (ProbeNotFound, NoSuchParameter))
    return str(caught.value)


def test_a_parameter_that_one_call_lacks(x86: Target) -> None:
    assert refusal(SyscallExit(("open", "creat")), {"flags"}, x86) == (
        "creat has no parameter 'flags'\n  note: its parameters are pathname, mode"
    )


def test_a_number_stands_for_what_a_call_lacks(x86: Target) -> None:
    probe = SyscallExit(("read", "pread64"), absent={"pos": -1, "pos_l": -1})
    raw, _, classic = resolve(probe, {"pos", "elapsed_ns"}, x86)
    found = {n: fetches(case(only_site(raw), *n).params) for n in numbers(raw.sites[0])}
    assert {n: params["pos"] for n, params in found.items()} == {
        (0, False): (Number, Number(-1)),
        (3, True): (Number, Number(-1)),
        (17, False): (RegsMember, RegsMember("r10")),
        (180, True): (RegsPair, RegsPair("si", "di")),
    }
    types = {p.type for each in match_of(raw.sites[0]).cases for p in each.params}
    assert types == {"loff_t", "u64"}
    # The records that they keep lie in one map.
    for site in classic.sites:
        assert fetches(site.params)["pos"] == (Saved, Saved("pos"))
        assert site.entry is not None
        assert list(fetches(site.entry.params)) == ["pos", "elapsed_ns"]
    without, kept = resolve(probe, {"pos"}, x86)[-1].sites
    assert without.entry is None
    assert fetches(without.params)["pos"] == (Number, Number(-1))
    assert fetches(kept.params)["pos"] == (Saved, Saved("pos"))


def test_what_no_call_has_cannot_be_absent(x86: Target) -> None:
    probe = SyscallExit(("read", "pread64"), absent={"position": -1})
    assert refusal(probe, {"position"}, x86) == (
        "read or pread64 has no parameter 'position'\n"
        "  note: its parameters are buf, count, fd, pos"
    )


def test_the_result_is_unknown_at_the_start(x86: Target) -> None:
    assert refusal(SyscallEnter(("open",)), {"ret"}, x86) == (
        "open has no parameter 'ret'\n"
        "  note: its parameters are filename, flags, mode\n"
        "  hint: elapsed_ns, number and ret are for on.syscall_exit"
    )


def test_unknown_names(x86: Target) -> None:
    assert refusal(SyscallEnter(("opena",)), set(), x86) == (
        "x86_64 has no system call 'opena'\n"
        "  hint: did you mean openat or open or openat2?"
    )
    assert refusal(SyscallEnter(("newstat",)), set(), x86) == (
        "x86_64 has no system call 'newstat'\n"
        "  hint: newstat is the kernel's own name of stat"
    )


def test_calls_that_do_not_return(x86: Target) -> None:
    assert refusal(SyscallExit(("exit_group",)), {"ret"}, x86) == (
        "exit_group does not return to its caller\n  hint: use on.syscall_enter"
    )


def test_calls_newer_than_the_kernel(
    x86: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = {"__x64_sys_openat": 1, "__x64_sys_cachestat": 2}
    monkeypatch.setattr(x86.btf, "find", lambda kind, name: functions.get(name))
    monkeypatch.setattr(x86, "btf_trace_id", lambda name: 3)
    assert refusal(SyscallEnter(("listns",)), set(), x86) == (
        "this kernel has no listns"
    )
    ladder = resolve(SyscallEnter(("openat", "listns")), set(), x86)
    assert ladder[0].note == "this kernel has no listns"
    assert numbers(only_site(ladder[0])) == [(257, False), (295, True)]
    assert resolve(SyscallEnter(("cachestat",)), set(), x86)


@pytest.mark.parametrize("version", fixtures.VERSIONS)
def test_every_kernel_has_the_whole_ladder(version: str) -> None:
    needs = {"filename", "ret", "elapsed_ns"}
    target = saved_target(version)
    for candidate in resolve(SyscallExit(("openat", "execve")), needs, target):
        for site in candidate.sites:
            assert site.attach.id or site.attach.kind == "raw_tracepoint"
            assert site.entry is not None
    assert len(resolve(SyscallExit(("openat", "execve")), needs, target)) == 3


@pytest.mark.parametrize("name", syscall_table.names("x86_64", "i386"))
def test_every_call_can_be_traced_with_all_its_parameters(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The saved kernel has all calls, but the functions of few.
    monkeypatch.setattr("skep.probes.syscall._is_present", lambda call, target: True)
    target = saved_target("7.2")
    call = lookup("x86_64", name) or lookup("i386", name)
    assert call is not None
    site = only_site(
        resolve(SyscallEnter((name,)), set(call.parameter_names), target)[0]
    )
    assert set(fetches(case(site, call.number, call.compat).params)) == set(
        call.parameter_names
    )
