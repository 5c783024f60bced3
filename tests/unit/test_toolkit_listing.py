"""Tools that list: arguments of USDT probes, fields of tracepoints, forms of output."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from skep.arch import arch_of
from skep.errors import ProbeNotFound, UsageError
from skep.output.writer import Writer
from skep.symbols import usdt_arguments
from skep.toolkit import probe_places
from skep.toolkit.arguments import parse
from skep.toolkit.listing import show_listing
from skep.toolkit.tool import load
from tests.fixtures import saved_target

X86, ARM = arch_of("x86_64"), arch_of("aarch64")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("-4@$5", "5"),
        ("-4@$-7", "-7"),
        ("8@%rax", "ax"),
        ("-1@%dl", "dx"),
        ("8@-8(%rbp)", "*(bp - 8)"),
        ("8@(%rsi)", "*(si)"),
        ("8@(%rbx,%rcx,8)", "*(bx + 0 + cx * 8)"),
        ("8@-16(%rbx,%rcx,2)", "*(bx - 16 + cx * 2)"),
        ("4@main_arena+88(%rip)", "*(&main_arena + 88)"),
        ("8@$table", "&table"),
    ],
)
def test_arguments_as_bcc_shows_them(text: str, expected: str) -> None:
    assert probe_places.expression(usdt_arguments.parse(text, X86)) == expected


def test_arguments_of_arm64() -> None:
    parsed = usdt_arguments.parse("-4@[sp, 12]", ARM)
    assert probe_places.expression(parsed) == "*(sp + 12)"
    parsed = usdt_arguments.parse("8@x19", ARM)
    assert probe_places.expression(parsed) == "regs[19]"


def shown(*arguments: str) -> str:
    """What tplist prints for a saved kernel."""
    tool = load("tplist")
    options = parse(tool, arguments)
    reader, writer = os.pipe()
    try:
        status = show_listing(tool, options, saved_target("6.12"), Writer(writer))
        assert status == 0
    finally:
        os.close(writer)
        with open(reader, "rb") as file:
            text = file.read().decode()
    return text


def test_what_has_no_order_sorts_nothing() -> None:
    assert shown("--sort=-name", "sched:sched_process_e*").split() == [
        "sched:sched_process_exit",
        "sched:sched_process_exec",
    ]
    with pytest.raises(UsageError, match="--sort: fields has no order"):
        shown("-v", "--sort", "fields", "sched:sched_process_e*")


def test_tracepoints_of_a_saved_kernel() -> None:
    lines = shown("-v", "sched:sched_process_e[x]ec").splitlines()
    assert lines[0] == "sched:sched_process_exec"
    assert lines[1:] == [
        "    char filename[];",
        "    pid_t pid;",
        "    pid_t old_pid;",
        "",
    ]
    found: Any = json.loads(shown("--json", "sched:sched_process_exec"))
    assert found["schema"] == "tplist.tracepoint/1"
    assert [each["name"] for each in found["fields"]] == ["filename", "pid", "old_pid"]


def test_nothing_of_that_name() -> None:
    with pytest.raises(ProbeNotFound, match="there is no tracepoint no:such"):
        shown("no:such")


def test_rows_in_order_and_number() -> None:
    every = shown().splitlines()
    assert every == sorted(every)
    assert shown("--sort=-name", "--limit", "2").splitlines() == every[::-1][:2]
    assert shown("--count", "1", "--format", "csv") == f"NAME\n{every[0]}\n"
    with pytest.raises(UsageError, match="no such column"):
        shown("--columns", "pid")


def test_how_often_v_was_given() -> None:
    tool = load("tplist")
    given: Any = [parse(tool, words) for words in ((), ("-v",), ("-vv",), ("-v", "-v"))]
    assert [each.verbose for each in given] == [0, 1, 2, 2]
