"""The manual agrees with the code, as far as that can be told without a kernel."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from skep.toolkit.aliases import ALIASES
from skep.toolkit.arguments import bind, parse
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, groups_of, ladder_of
from skep.toolkit.tool import load, tool_names, tool_of
from tests.fixtures import saved_target

TREE = Path(__file__).resolve().parents[2]
PAGES = sorted([*TREE.glob("*.md"), *TREE.glob("[!.]*/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TOOL = re.compile(r'^```python\n(""".*?)^```', re.DOTALL | re.MULTILINE)


def generator() -> ModuleType:
    """The module scripts/generate_docs.py."""
    path = TREE / "scripts" / "generate_docs.py"
    spec = importlib.util.spec_from_file_location("generate_docs", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_up_to_date() -> None:
    docs = generator()
    stale = [
        p.name for p in docs.pages() if docs.generated(p.read_text()) != p.read_text()
    ]
    assert not stale, "run: PYTHONPATH=src python3 scripts/generate_docs.py"


@pytest.mark.parametrize("name", tool_names())
def test_every_tool_has_a_page_with_all_its_options(name: str) -> None:
    family = ALIASES[name].tool if name in ALIASES else name
    page = (TREE / "docs" / f"{family}.md").read_text()
    assert name in page
    for option in load(name).options.options.values():
        for flag in option.flags or (option.metavar or option.name.upper(),):
            assert flag in page


MODULES = sorted(set(tool_names(families=True)) - set(ALIASES))
SECTIONS = [
    "Options",
    "How it works, and what it costs",
    "Caveats",
    "Differences from bcc's ",
]


@pytest.mark.parametrize(
    "name", sorted({load(n).module.__name__ for n in tool_names()})
)
def test_every_page_of_a_tool_has_what_its_reader_needs(name: str) -> None:
    page = (TREE / "docs" / f"{name.rpartition('.')[2]}.md").read_text()
    purpose, *sections = page.split("\n## ")
    title, _, text = purpose.partition("\n\n")
    assert title.startswith("# ")
    assert re.match(r"\w", text), "what is it for?"
    assert re.search(r"^    \$ sudo \./skep \S.*\n(    .+\n)+", text, re.MULTILINE)
    for heading in SECTIONS:
        [content] = [each for each in sections if each.startswith(heading)]
        assert len(content.partition("\n\n")[2]) > 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TREE)))
def test_links_resolve(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        target, _, heading = link.partition("#")
        if ":" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), link
        if heading:
            assert heading in set(headings(file)), link


def headings(page: Path) -> Iterator[str]:
    """The names by which headings are linked to."""
    for title in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


FORMS = {
    page.stem: section.group(1)
    for page in PAGES
    for section in re.finditer(
        r"^## Forms and their tests\n(.*?)(?=^## |\Z)",
        page.read_text(),
        re.DOTALL | re.MULTILINE,
    )
}
ROW = re.compile(r"^\| (.*?) \| (?!---)((?:[^|]|\\\|)*) \|$", re.MULTILINE)
NAME_OF_TEST = re.compile(r"`((?:[A-Z]\w+\.)?test_\w+|[A-Z]\w+)`|\b(test_\w+)")


@pytest.mark.parametrize("tool", sorted(FORMS))
def test_the_tests_of_forms_exist(tool: str) -> None:
    modules = {path.stem: path for path in TREE.glob("tests/*/test_*.py")}
    named = set(re.findall(r"\btest_\w+", FORMS[tool])) & set(modules)
    known = set(modules)
    for module in named | {name for name in modules if name == f"test_{tool}"}:
        known |= set(names_in(modules[module]))
    rows = ROW.findall(FORMS[tool])[1:]
    assert rows
    for form, tests in rows:
        names = {quoted or plain for quoted, plain in NAME_OF_TEST.findall(tests)}
        assert names and names <= known, (form, names - known)


def names_in(path: Path) -> Iterator[str]:
    """The names of classes and tests; those of tests with and without their class."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            for each in node.body:
                if isinstance(each, ast.FunctionDef):
                    yield from (each.name, f"{node.name}.{each.name}")


COMMANDS = [
    command
    for tool in sorted(FORMS)
    for command in re.findall(rf"^\| `({tool}\b.*?)` \| ", FORMS[tool], re.MULTILINE)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_forms_are_understood(command: str) -> None:
    name, *arguments = shlex.split(command.replace(r"\|", "|"))
    parse(load(name), arguments)


EXAMPLES = TOOL.findall((TREE / "docs" / "tools.md").read_text())


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_tools_of_the_manual_compile(number: int, tmp_path: Path) -> None:
    name = f"example_{number}"
    (tmp_path / f"{name}.py").write_text(EXAMPLES[number])
    spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tool, target = tool_of(module), saved_target("6.12")
    binding = Binding(tool, bind(tool, {}))
    programs = [
        program
        for group in groups_of(binding)
        for rung in ladder_of(group, binding, target)
        for program in compile_programs(rung, binding, target)
    ]
    assert programs


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2
    assert {"argdist", "funccount", "trace"} <= set(FORMS)
    assert len(COMMANDS) > 60
