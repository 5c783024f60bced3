"""From Python source to the syntax tree; what is refused is in `refusals/`."""

from __future__ import annotations

import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest

from skep.compiler import tree
from skep.compiler.tree_text import function_text
from skep.errors import CompileError
from skep.frontends.python import function_tree, parse


def body_of(source: str) -> list[str]:
    """The statements of `def f(a, b, c)` in the notation of --dump tree."""
    indented = "\n".join(f"    {line}" for line in source.splitlines())
    [function] = parse(f"def f(a, b, c):\n{indented}\n", "x.py").values()
    return [line[11:] for line in function_text(function).split("\n")[1:]]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a = b + c * 2", ["a = (b + (c * 2))"]),
        ("a = b << 1 | c & ~3", ["a = ((b << 1) | (c & (~3)))"]),
        ("a //= b % 0x10", ["a //= (b % 16)"]),
        ("a = b < c", ["a = (b < c)"]),
        ("a = 0 < b <= c", ["a = ((0 < b) and (b <= c))"]),
        ("a = not b or c is None", ["a = ((not b) or (c is None))"]),
        ("a = b if c is not None else -1", ["a = (b if (c is not None) else (-1))"]),
        ("a.b.c = a.b[c]", ["a.b.c = a.b[c]"]),
        ("a(b, x=c.d(1))", ["a(b, x=c.d(1))"]),
        ("a = b'x' == 'y'", ["a = (b'x' == 'y')"]),
        ("a = True", ["a = True"]),
        ("return", ["return"]),
        ("return a and b", ["return (a and b)"]),
        ("return a in b", ["return (a in b)"]),
        ("return a not in b", ["return (a not in b)"]),
        ("return a in (1, 2)", ["return ((a == 1) or (a == 2))"]),
        ("return a not in (1, 2)", ["return ((a != 1) and (a != 2))"]),
        ("pass", []),
        ('"documentation"\nreturn a', ["return a"]),
        (
            "for i in range(3):\n    break",
            ["for i in range(0, 3, 1):", "    break"],
        ),
        (
            "for i in range(9, 0, -2):\n    continue",
            ["for i in range(9, 0, (-2)):", "    continue"],
        ),
        (
            "while a:\n    a -= 1",
            ["while a:", "    a -= 1"],
        ),
        (
            "if a:\n    return b\nelif c:\n    return c",
            ["if a:", "    return b", "else:", "    if c:", "        return c"],
        ),
    ],
)
def test_statements(source: str, shown: list[str]) -> None:
    assert body_of(source) == shown


def test_parameters_and_defaults() -> None:
    [function] = parse("def f(a, b=2, c=None):\n    return\n", "x.py").values()
    assert (function.name, list(function.parameters)) == ("f", ["a", "b", "c"])
    assert [getattr(each, "value", "?") for each in function.defaults] == [2, None]


def value_in(source: str) -> tree.Expression:
    [function] = parse(source, "x.py").values()
    [statement] = function.body
    assert isinstance(statement, tree.Assign)
    return statement.value


def test_spans_are_characters_of_a_line() -> None:
    span = value_in("def f(a):\n    b = a.member\n").span
    assert (span.file, span.line, span.text) == ("x.py", 2, "    b = a.member")
    assert span.text[span.column : span.end_column] == "a.member"


def test_spans_behind_letters_of_several_bytes() -> None:
    value = value_in("def f(a):\n    é = 'ü' == a.member\n")
    assert isinstance(value, tree.Compare)
    span = value.right.span
    assert span.text[span.column : span.end_column] == "a.member"


def test_a_span_ends_with_its_first_line() -> None:
    span = value_in("def f(a):\n    b = (a +\n        1)\n").span
    assert span.text[span.column : span.end_column] == "a +"


def test_lines_are_those_that_python_counts() -> None:
    span = value_in("x = '''\x0c\u2028'''\ndef f(a):\n    b = a\n").span
    assert (span.line, span.text) == (3, "    b = a")


def decorated(function: Any) -> Any:
    return function


@decorated
@decorated
def with_decorators(pid: int) -> int:
    return pid


def test_functions_are_found_by_their_first_line() -> None:
    found = function_tree(with_decorators)
    assert (found.name, list(found.parameters)) == ("with_decorators", ["pid"])
    assert found is function_tree(with_decorators)
    assert found.span.file == __file__


def test_a_lambda_has_no_tree() -> None:
    with pytest.raises(CompileError, match=r"the source of <lambda>\(\) is not in"):
        function_tree(lambda: 0)


def test_code_without_source() -> None:
    names: dict[str, Any] = {"__name__": "nowhere"}
    exec(compile("def f():\n    return 1\n", "<text>", "exec"), names)
    with pytest.raises(CompileError, match=r"f\(\) is not available \(<text>\)"):
        function_tree(names["f"])


def test_source_in_a_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "tools.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped_tool.py", "def f(a):\n    return a\n")
    monkeypatch.syspath_prepend(str(archive))
    module: types.ModuleType = __import__("zipped_tool")
    try:
        assert function_tree(module.f).span.text == "def f(a):"
    finally:
        del sys.modules["zipped_tool"]
