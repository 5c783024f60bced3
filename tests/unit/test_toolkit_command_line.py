"""Command lines become options, or usage errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from skep.cli import main
from skep.errors import UsageError
from skep.output.filters import Filter
from skep.toolkit.arguments import parse
from skep.toolkit.checks import contains, cpu, limit_of_time, matches, pages, positive
from skep.toolkit.tool import load, tool_names
from tests.unit.tool_source import Make, make_tool

__all__ = ["make_tool"]

OPTIONS = """letters = {"pid": "-p", "timestamp": "-T"}

    failed: bool = option("-x", "--failed")
    flags: OpenFlags = option("-f", "--flag", repeat=True)
    names: str = option("-n", "--name", repeat=True)
    pages: int = option("-b", default=64)
    command: str = option("--exec", rest=True)
    interval: float = option()
    count: int = option()

    def finish(self):
        if self.failed and self.count == 13:
            raise UsageError("-x and 13 exclude each other")
        self.pages *= 2
"""

BODY = """
    class Seen(Record):
        pid: Pid


    seen = Stream(Seen)
"""


def parsed(make_tool: Make, line: str) -> Any:
    return parse(make_tool(BODY, OPTIONS), line.split())


def test_without_options_there_are_defaults(make_tool: Make) -> None:
    options = parsed(make_tool, "")
    assert (options.format, options.json, options.failed) == ("table", False, False)
    assert (options.pid, options.names, options.command) == (None, None, None)
    assert (options.interval, options.count) == (None, None)
    assert options.pages == 128  # finish() has been called


def test_letters_and_long_forms(make_tool: Make) -> None:
    options = parsed(make_tool, "-xTp 12 --uid 0 --duration 1.5 -b4")
    assert (options.failed, options.timestamp, options.pid) == (True, True, 12)
    assert (options.uid, options.duration, options.pages) == (0, 1.5, 8)
    assert parsed(make_tool, "--pid=0x10").pid == 16


def test_positional_arguments(make_tool: Make) -> None:
    options = parsed(make_tool, "0.5 3")
    assert (options.interval, options.count) == (0.5, 3)
    assert parsed(make_tool, "2").count is None


def test_repeated_options(make_tool: Make) -> None:
    options = parsed(make_tool, "-f O_WRONLY -f O_CREAT -n a -n b")
    assert options.flags == 0o1 | 0o100
    assert options.names == ["a", "b"]


def test_the_rest_of_the_line(make_tool: Make) -> None:
    options = parsed(make_tool, "-x --exec ls -l --json")
    assert (options.command, options.json) == (["ls", "-l", "--json"], False)


def test_json_is_a_format(make_tool: Make) -> None:
    assert parsed(make_tool, "--json").format == "json"
    assert parsed(make_tool, "--format csv").format == "csv"
    assert parsed(make_tool, "--json --format json").format == "json"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nothing", "unrecognized arguments: --nothing"),
        ("--fail", "unrecognized arguments: --fail"),  # no abbreviations
        ("1 2 3", "unrecognized arguments: 3"),
        ("--pid", "argument -p/--pid: expected one argument"),
        ("--failed=1", "argument -x/--failed: ignored explicit argument '1'"),
        ("--pid x", "-p/--pid: not a number: 'x'"),
        ("-b x", "-b: 'x' is no whole number"),
        ("--duration x", "--duration: 'x' is no number"),
        ("-f O_NOTHING", "-f/--flag: Bad flag: O_NOTHING"),
        ("x", "interval: 'x' is no number"),
        ("1 x", "count: 'x' is no whole number"),
        ("--duration 0", "--duration: 0 is not more than zero"),
        ("--duration nan", "--duration: nan is not more than zero"),
        ("--limit -1", "--limit: -1 is not more than zero"),
        ("--format xml", "--format: 'xml' is not one of table, json, csv"),
        ("--json --format csv", "--json and --format csv exclude each other"),
        ("--dump all", "--dump: 'all' is not one of tree, ir, asm, spec, log"),
        ("--columns=", "--columns: no column is named"),
        ("--sort=", "--sort: no column is named"),
        ("-x 1 13", "-x and 13 exclude each other"),
    ],
)
def test_errors(make_tool: Make, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        parsed(make_tool, line)
    assert caught.value.exit_status == 2


def test_errors_of_the_parser_say_where_help_is(make_tool: Make) -> None:
    tool = make_tool(BODY, OPTIONS)
    with pytest.raises(UsageError) as caught:
        parse(tool, ["--nothing"])
    assert caught.value.diagnostic.hint == f"see 'skep {tool.name} --help'"


def test_forms_that_exclude_each_other() -> None:
    for form in "json", "csv":
        with pytest.raises(UsageError, match=f"-j and --format {form} exclude"):
            parse(load("biolatency"), ["-j", "--format", form])


def test_positive() -> None:
    assert (positive(1), positive(0.1)) == (1, 0.1)
    for number in (0, -1, float("nan")):
        with pytest.raises(UsageError, match="is not more than zero"):
            positive(number)


def test_limits_of_what_programs_compare_with() -> None:
    assert (limit_of_time(0), limit_of_time(0.5), cpu(0)) == (0, 0.5, 0)
    for number in (10**20, float("inf")):
        with pytest.raises(UsageError, match="is longer than anything can take"):
            limit_of_time(number)
    for number in (-1, float("nan")):
        with pytest.raises(UsageError, match="is less than zero"):
            limit_of_time(number)
    for number in (-1, 10**20):
        with pytest.raises(UsageError, match="is not between 0 and 8191"):
            cpu(int(number))


def test_pages() -> None:
    assert [pages(number) for number in (1, 64, 1 << 19)] == [1, 64, 1 << 19]
    for number in (0, -2, 3, 96):
        with pytest.raises(UsageError, match="is not a power of two"):
            pages(number)
    with pytest.raises(UsageError, match="more than a ring buffer can have"):
        pages(1 << 20)


def test_filters() -> None:
    assert contains("comm", None) == []
    assert contains("comm", "sh") == [Filter("part in (comm or '')", {"part": "sh"})]
    assert matches("path", None) == []
    [rule] = matches("path", "^/etc")
    assert rule.source == "rule.search(path)"
    assert rule.constants["rule"].search("/etc/passwd")
    with pytest.raises(UsageError, match=r"'\(' is no regular expression: "):
        matches("path", "(")


def test_every_tool_is_described() -> None:
    assert {"biolatency", "execsnoop", "opensnoop"} <= set(tool_names())
    for name in tool_names():
        tool = load(name)
        assert tool.name == name
        assert tool.summary and not tool.summary.endswith(".")
        assert "Examples:\n" in tool.doc
        assert all(each.help for each in tool.options.options.values())


@pytest.mark.parametrize("name", ["opensnop", "nothing", "__init__", "os.path", "a b"])
def test_unknown_tools(name: str) -> None:
    with pytest.raises(UsageError, match=f"there is no tool '{name}'") as caught:
        load(name)
    near = name == "opensnop"
    assert caught.value.diagnostic.hint == (
        "did you mean opensnoop?" if near else "see 'skep list'"
    )


def test_a_tool_has_one_class_of_options(make_tool: Make) -> None:
    with pytest.raises(UsageError, match="it has 2 classes of options"):
        make_tool("class More(TaskOptions):\n    pass\n")


@pytest.mark.parametrize("command", ["list", "doctor", "describe", "man", "help"])
def test_every_command_has_help(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    assert capfd.readouterr().out.startswith("usage: skep ")
