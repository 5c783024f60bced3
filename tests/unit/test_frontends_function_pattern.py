"""The notation of functions, tracepoints and USDT probes, and its errors."""

from __future__ import annotations

import pytest

from skep.errors import UsageError
from skep.frontends.function_pattern import parse, syscall_places
from skep.symbols.name_pattern import Matching


@pytest.mark.parametrize(
    ("text", "kind", "library", "name"),
    [
        ("vfs_*", "p", "", "vfs_*"),
        ("p::vfs_read", "p", "", "vfs_read"),
        ("c:malloc", "p", "c", "malloc"),
        ("p:c:malloc", "p", "c", "malloc"),
        ("/bin/sh:main", "p", "/bin/sh", "main"),
        ("/opt/a:b/lib.so:main", "p", "/opt/a:b/lib.so", "main"),
        ("t:sched:sched_*", "t", "", "sched:sched_*"),
        ("u:pthread:mutex_entry", "u", "pthread", "mutex_entry"),
        ("u:pthread:libpthread:mutex_*", "u", "pthread", "libpthread:mutex_*"),
    ],
)
def test_forms(text: str, kind: str, library: str, name: str) -> None:
    places = parse(text)
    assert (places.kind, places.library, places.name) == (kind, library, name)
    assert not isinstance(places.name, Matching)
    assert places.in_kernel is (kind == "p" and not library)
    assert places.in_user is (kind == "p" and bool(library))


@pytest.mark.parametrize(
    ("text", "library", "name"),
    [
        ("^vfs_(read|write)$", "", "^vfs_(read|write)$"),
        ("c:(?:re|m)alloc", "c", "(?:re|m)alloc"),
        ("p::vfs_[a:b]", "", "vfs_[a:b]"),
        ("t:sched:sched_(a|b)", "", "sched:sched_(a|b)"),
        ("u:c:setjmp|longjmp", "c", "setjmp|longjmp"),
    ],
)
def test_regular_expressions(text: str, library: str, name: str) -> None:
    places = parse(text, is_regular=True)
    assert (places.library, places.name) == (library, name)
    assert isinstance(places.name, Matching)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the function is missing"),
        ("c:", 3, "the function is missing"),
        (":free", 1, "the library is missing"),
        ("p::", 4, "the function is missing"),
        ("t:sched", 1, "something is missing after t:sched"),
        ("t:sched:", 9, "the event is missing"),
        ("t::switch", 3, "the category is missing"),
        ("x:sched:y", 1, "'x' is not one of p, t or u"),
        ("r:c:malloc", 1, "'r' is not one of p, t or u"),
        ("p:c:malloc:free", 12, "too many parts"),
        ("u:a:b:c:d", 9, "too many parts"),
        ("u:a::d", 5, "the provider is missing"),
    ],
)
def test_errors_point_at_the_character(text: str, column: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    diagnostic = caught.value.diagnostic
    assert diagnostic.message == message
    assert diagnostic.span is not None
    assert (diagnostic.span.column + 1, diagnostic.span.text) == (column, text)
    assert len(diagnostic.notes) == 4


def test_errors_of_regular_expressions() -> None:
    with pytest.raises(UsageError, match="PATTERN:1:6: no regular expression"):
        parse("c:mal(", is_regular=True)
    with pytest.raises(UsageError, match="is for all providers"):
        parse("u:c:libc:a", is_regular=True)


def test_tools_that_only_know_functions() -> None:
    with pytest.raises(UsageError, match="only functions can be timed"):
        parse("t:sched:sched_switch", kinds="p")


def test_functions_of_system_calls() -> None:
    assert parse("p::__x64_sys_re*").syscall_tracepoint == "syscalls:sys_enter_re*"
    assert parse("p::__x64_sys_re*").syscall_names == ()
    assert parse("__arm64_sys_read").syscall == "read"
    assert parse("__x64_sys_read").syscall_names == ("read",)
    assert parse("SyS_read").syscall_names == ("read",)
    assert parse("__x64_sys_newfstat").syscall_names == ("fstat",)
    assert parse("__x64_sys_no_such_call").syscall_names == ()
    assert parse("vfs_read").syscall == parse("c:sys_read").syscall == ""
    pattern = parse("^__x64_sys_(a|b)$", is_regular=True).syscall_tracepoint
    assert (pattern, type(pattern)) == ("syscalls:sys_enter_(a|b)$", Matching)


def test_system_calls_are_named_by_their_number() -> None:
    assert syscall_places([parse("vfs_read"), parse("c:free")]) == ()
    names = syscall_places([parse("__x64_sys_read"), parse("__x64_sys_getgid")])
    assert {name for name in names if name} == {"__x64_sys_read", "__x64_sys_getgid"}
